//! Anomalies are reported, updated and consulted as published, on a server whose index no other check looks at.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::connection::{Connection, Response};
use crate::documents::{Handling, Request};
use crate::found::matches;
use crate::report;
use crate::served::{Served, start};

/// The anomalies that the published updates are about.
const UPDATED: [&str; 2] = ["1309", "1310"];
const R352: &str = "https://mos.esante.gouv.fr/NOS/TRE_R352-StatutMetierAnomalie/FHIR/TRE-R352-StatutMetierAnomalie";
const JSON: (&str, &str) = ("Content-Type", "application/fhir+json");

/// The server of these checks.
fn written() -> &'static Served {
    static WRITTEN: OnceLock<Served> = OnceLock::new();
    WRITTEN.get_or_init(|| start("scenarios-anomalies-index"))
}

/// Whether a request writes, so that it is sent here.
pub fn is_written(request: &Request) -> bool {
    matches!(request.method.as_str(), "POST" | "PATCH")
}

fn of<'a>(served: &'a Served, scenario: &'a str) -> impl Iterator<Item = &'a Request> {
    let requests = served.requests.iter();
    requests.filter(move |request| request.scenario == scenario)
}

/// Sends a request that writes, as published but for the id of an anomaly that stands for any.
fn send(connection: &mut Connection, request: &Request, more: &[(&str, &str)]) -> Response {
    let body = request.body.as_ref().expect("a body").to_string();
    let target = request.target.replace("/XXX", &format!("/{}", UPDATED[1]));
    let served = written();
    served.send(
        connection,
        &request.method,
        request,
        &target,
        more,
        body.as_bytes(),
    )
}

fn get(connection: &mut Connection, target: &str) -> Result<Value, String> {
    let target = format!("{}{target}", written().base_path());
    let response = connection.send("GET", &target, &[], b"");
    match response.status {
        200 => response.json(),
        other => Err(format!("{target}: status {other}")),
    }
}

/// Whether a search finds exactly one Task.
fn finds(connection: &mut Connection, query: &str, id: &str) -> Result<(), String> {
    let bundle = get(connection, &format!("/Task?{query}"))?;
    match (&bundle["total"], &bundle["entry"][0]["resource"]["id"]) {
        (total, found) if *total == 1 && *found == id => Ok(()),
        (total, found) => Err(format!("{query} finds {total}, first {found}, not {id}")),
    }
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

/// What a Task and the answer to its creation lack, `location`, `etag` and `modified` as answered.
fn as_created(
    connection: &mut Connection,
    task: &Value,
    sent: &Value,
    location: Option<&str>,
    etag: Option<&str>,
) -> Result<(), String> {
    let id = task["id"].as_str().ok_or("no id")?;
    let version = task["meta"]["versionId"].as_str().ok_or("no version")?;
    let due = format!("{}/Task/{id}/_history/{version}", written().base_url);
    ensure(location == Some(&due), || {
        format!("Location {location:?}, not {due}")
    })?;
    let due = format!("W/\"{version}\"");
    ensure(etag == Some(&due), || format!("ETag {etag:?}, not {due}"))?;
    ensure(sent["id"] != task["id"], || "the client's id".to_owned())?;
    for element in [
        "businessStatus",
        "code",
        "reasonCode",
        "focus",
        "input",
        "description",
        "text",
    ] {
        ensure(task[element] == sent[element], || {
            format!("another {element}")
        })?;
    }
    let number = task["identifier"][0]["value"]
        .as_str()
        .ok_or("no identifier")?;
    finds(connection, &format!("identifier={number}"), id)?;
    finds(
        connection,
        &format!("_id={id}&focus:Organization.identifier=1910800002"),
        id,
    )?;
    let read = get(connection, &format!("/Task/{id}/_history/{version}"))?;
    ensure(read == *task, || "the version reads otherwise".to_owned())
}

fn reported(connection: &mut Connection, request: &Request) -> Result<Vec<String>, String> {
    let response = send(connection, request, &[]);
    let json = response.json()?;
    let sent = request.body.as_ref().expect("a body");
    if request.path() == "/Task" {
        ensure(response.status == 201, || {
            format!("status {}: {json}", response.status)
        })?;
        ensure(response.header("last-modified").is_some(), || {
            "no Last-Modified".to_owned()
        })?;
        let (location, etag) = (response.header("location"), response.header("etag"));
        as_created(connection, &json, sent, location, etag)?;
        return Ok(vec![json["id"].to_string()]);
    }
    ensure(response.status == 200, || {
        format!("status {}: {json}", response.status)
    })?;
    let kind = format!("{}-response", sent["type"].as_str().unwrap_or_default());
    ensure(json["type"] == kind, || {
        format!("a Bundle of type {}", json["type"])
    })?;
    let (entries, asked) = (json["entry"].as_array(), sent["entry"].as_array());
    let (entries, asked) = (entries.ok_or("no entry")?, asked.ok_or("no entry asked")?);
    ensure(entries.len() == asked.len(), || {
        format!("{} entries", entries.len())
    })?;
    for (entry, asked) in entries.iter().zip(asked) {
        let told = &entry["response"];
        ensure(told["status"] == "201 Created", || format!("{told}"))?;
        ensure(told["lastModified"].is_string(), || format!("{told}"))?;
        let (location, etag) = (told["location"].as_str(), told["etag"].as_str());
        as_created(
            connection,
            &entry["resource"],
            &asked["resource"],
            location,
            etag,
        )?;
    }
    let ids = entries
        .iter()
        .map(|entry| entry["resource"]["id"].to_string());
    Ok(ids.collect())
}

pub fn reports_are_stored_as_published() {
    let served = written();
    let mut connection = served.connect();
    let (mut checked, mut complaints) = (0, Vec::new());
    let mut ids = BTreeSet::new();
    for request in of(served, "report-01").chain(of(served, "report-02")) {
        if !request.is_accepted() {
            continue;
        }
        checked += 1;
        match reported(&mut connection, request) {
            Ok(made) => {
                for id in made {
                    if !ids.insert(id.clone()) {
                        complaints.push(format!("{}: {id} is not new", request.name()));
                    }
                }
            }
            Err(why) => complaints.push(format!("{}: {why}", request.name())),
        }
    }
    assert_eq!((checked, ids.len()), (6, 8));
    report("reports", checked, &complaints);
}

/// The version of an anomaly.
fn version(connection: &mut Connection, id: &str) -> Result<u64, String> {
    let task = get(connection, &format!("/Task/{id}"))?;
    let written = task["meta"]["versionId"].as_str().ok_or("no version")?;
    written.parse().map_err(|_| format!("version {written}"))
}

/// Makes an anomaly one that is to be processed, so that each update has something to change.
fn reset(connection: &mut Connection, id: &str) {
    let status = json!({"coding": [{"system": R352, "code": "02"}]});
    let patch = json!([{"op": "replace", "path": "/businessStatus", "value": status}]);
    let headers = [(
        "Content-Type".to_owned(),
        "application/json-patch+json".to_owned(),
    )];
    let target = format!("{}/Task/{id}", written().base_path());
    let done = connection.send("PATCH", &target, &headers, patch.to_string().as_bytes());
    assert_eq!(done.status, 200);
}

fn updated(connection: &mut Connection, request: &Request, code: &str) -> Result<(), String> {
    let ids: Vec<&str> = match request.path().strip_prefix("/Task/") {
        Some(id) => vec![id],
        None => UPDATED.to_vec(),
    };
    let mut before = Vec::new();
    for id in &ids {
        reset(connection, id);
        before.push(version(connection, id)?);
    }
    let mut response = send(connection, request, &[]);
    if request.headers.iter().any(|(name, _)| name == "If-Match") {
        // Published for a version that is not the present one; then as it is meant.
        ensure(response.status == 412, || {
            format!("status {}", response.status)
        })?;
        let present = response
            .header("etag")
            .map(str::to_owned)
            .ok_or("no ETag")?;
        ensure(version(connection, ids[0])? == before[0], || {
            "changed".to_owned()
        })?;
        let mut meant = request.clone();
        meant.headers.retain(|(name, _)| name != "If-Match");
        response = send(connection, &meant, &[("If-Match", &present)]);
    }
    let json = response.json()?;
    ensure(response.status == 200, || {
        format!("status {}: {json}", response.status)
    })?;
    for (place, (id, before)) in ids.iter().zip(&before).enumerate() {
        let due = format!("W/\"{}\"", before + 1);
        let (task, etag, modified) = match request.path() {
            "/" | "" => {
                let entry = &json["entry"][place];
                let told = &entry["response"];
                ensure(told["status"] == "200 OK", || format!("{told}"))?;
                let texts = (told["etag"].as_str(), told["lastModified"].as_str());
                (&entry["resource"], texts.0, texts.1)
            }
            _ => (
                &json,
                response.header("etag"),
                response.header("last-modified"),
            ),
        };
        ensure(etag == Some(&due), || format!("ETag {etag:?}, not {due}"))?;
        ensure(modified.is_some(), || "no Last-Modified".to_owned())?;
        let coding = &task["businessStatus"]["coding"][0];
        ensure(coding["code"] == code && coding["system"] == R352, || {
            format!("{coding}")
        })?;
        ensure(task["identifier"][0]["value"].is_string(), || {
            "no identifier".to_owned()
        })?;
        ensure(get(connection, &format!("/Task/{id}"))? == *task, || {
            "reads otherwise".to_owned()
        })?;
        finds(
            connection,
            &format!("_id={id}&business-status={R352}%7C{code}"),
            id,
        )?;
        let gone = get(connection, &format!("/Task?_id={id}&business-status=02,10"))?;
        ensure(gone["total"] == 0, || "found by its old status".to_owned())?;
    }
    Ok(())
}

pub fn updates_are_made_as_published() {
    let served = written();
    let mut connection = served.connect();
    let (mut checked, mut complaints) = (0, Vec::new());
    for (scenario, code) in [("update-01", "08"), ("update-02", "03")] {
        for request in of(served, scenario).filter(|request| request.is_accepted()) {
            checked += 1;
            if let Err(why) = updated(&mut connection, request, code) {
                complaints.push(format!("{}: {why}", request.name()));
            }
        }
    }
    assert_eq!(checked, 8);
    report("updates", checked, &complaints);
}

pub fn what_must_be_refused_is_refused() {
    let served = written();
    let mut connection = served.connect();
    let (mut checked, mut complaints) = (0, Vec::new());
    let rejected = |request: &&Request| is_written(request) && !request.is_accepted();
    for request in served.requests.iter().filter(rejected) {
        checked += 1;
        let count = |connection: &mut Connection| get(connection, "/Task?_summary=count");
        let before = count(&mut connection).expect("a count")["total"].clone();
        let version_before = version(&mut connection, UPDATED[1]);
        let response = send(&mut connection, request, &[]);
        let status = match request.handling {
            Handling::Reject400 => response.status == 400,
            Handling::Reject422 => response.status == 422,
            _ => (400..500).contains(&response.status),
        };
        let named = response.json().is_ok_and(|json| {
            json["resourceType"] == "OperationOutcome"
                && json["issue"][0]["diagnostics"].is_string()
        });
        let after = count(&mut connection).expect("a count")["total"].clone();
        let untouched = after == before && version(&mut connection, UPDATED[1]) == version_before;
        if !status || !named || !untouched {
            complaints.push(format!(
                "{}: status {}, says why: {named}, changes nothing: {untouched}",
                request.name(),
                response.status
            ));
        }
    }
    assert_eq!(checked, 4);
    report("refused writes", checked, &complaints);
}

/// Reports an anomaly like the published one about another focus; its id.
fn create(connection: &mut Connection, focus: Value) -> String {
    let published = of(written(), "report-01").next().expect("a report");
    let mut body = published.body.clone().expect("a body");
    body["focus"] = focus;
    let headers = [(JSON.0.to_owned(), JSON.1.to_owned())];
    let target = format!("{}/Task", written().base_path());
    let response = connection.send("POST", &target, &headers, body.to_string().as_bytes());
    let task = response.json().expect("a Task");
    assert_eq!(response.status, 201, "{task}");
    task["id"].as_str().expect("an id").to_owned()
}

/// The matches of a published search, with includes if asked for.
fn found(
    connection: &mut Connection,
    request: &Request,
) -> Result<(Vec<String>, Vec<String>), String> {
    let pages = written().walk(connection, request, &request.target)?;
    let included = pages
        .iter()
        .flat_map(|page| page.keys("include").map(str::to_owned));
    let included = included.collect();
    Ok((
        matches(&pages).into_iter().map(str::to_owned).collect(),
        included,
    ))
}

pub fn consultations_find_what_was_written() {
    let served = written();
    let mut connection = served.connect();
    let logical = create(
        &mut connection,
        json!({"type": "Organization", "identifier": {"value": "1910800002"}}),
    );
    let (mut checked, mut complaints) = (0, Vec::new());
    let consulted = |request: &&Request| {
        request.scenario.starts_with("consult-")
            && request.is_sendable_get()
            && request.kind() == "Task"
            && request.path() == "/Task"
    };
    for request in served.requests.iter().filter(consulted) {
        checked += 1;
        let about_it = matches!(request.name().as_str(), "consult-02/c" | "consult-02/d")
            || request.scenario == "consult-04";
        match found(&mut connection, request) {
            Err(why) => complaints.push(format!("{}: {why}", request.name())),
            Ok((found, _)) => {
                let expected = request.matches.iter().all(|key| found.contains(key));
                let unwanted = request.near_misses.iter().any(|key| found.contains(key));
                let new = found.contains(&format!("Task/{logical}"));
                if !expected || unwanted || new != about_it {
                    complaints.push(format!(
                        "{}: finds what it must: {expected}, more: {unwanted}, the new one: {new}",
                        request.name()
                    ));
                }
            }
        }
    }
    assert_eq!(checked, 17);
    report("consultations", checked, &complaints);
}

pub fn offers_are_found_by_their_new_anomalies() {
    let served = written();
    let mut connection = served.connect();
    let (mut checked, mut complaints) = (0, Vec::new());
    // Each offer of a region that has no active anomaly becomes one that has, and ceases to be.
    let active = of(served, "main-12")
        .find(|one| one.variant == "b")
        .expect("main-12/b");
    let (before, _) = found(&mut connection, active).expect("main-12/b is answered");
    let region = active.query().split('&').next().unwrap_or_default();
    let offers = get(
        &mut connection,
        &format!("/HealthcareService?{region}&_count=50"),
    );
    let offers = offers.expect("offers of the region");
    let offer = offers["entry"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|entry| {
            format!(
                "HealthcareService/{}",
                entry["resource"]["id"].as_str().unwrap_or_default()
            )
        })
        .find(|key| !before.contains(key))
        .expect("an offer without anomaly");
    let anomaly = create(&mut connection, json!({"reference": offer}));
    let key = format!("Task/{anomaly}");
    for (code, due) in [("02", true), ("10", true), ("08", false)] {
        let status = json!({"coding": [{"system": R352, "code": code}]});
        let patch = json!([{"op": "replace", "path": "/businessStatus", "value": status}]);
        let headers = [(
            "Content-Type".to_owned(),
            "application/json-patch+json".to_owned(),
        )];
        let target = format!("{}/Task/{anomaly}", served.base_path());
        let done = connection.send("PATCH", &target, &headers, patch.to_string().as_bytes());
        assert_eq!(done.status, 200);
        for request in
            of(served, "main-12").filter(|one| ["a", "b", "e"].contains(&one.variant.as_str()))
        {
            checked += 1;
            let (found, included) = found(&mut connection, request).expect("main-12 is answered");
            if found.contains(&offer) != due || included.contains(&key) != due {
                complaints.push(format!("{}: {offer} at status {code}", request.name()));
            }
        }
    }
    // One offer comes with all its anomalies, the closed one too.
    for request in of(served, "extraction-08").filter(|one| one.is_sendable_get()) {
        checked += 1;
        let (found, _) = found(&mut connection, request).expect("extraction-08 is answered");
        let [offer] = found.as_slice() else {
            complaints.push(format!("{}: {} offers", request.name(), found.len()));
            continue;
        };
        let new = create(&mut connection, json!({"reference": offer}));
        let (_, included) =
            self::found(&mut connection, request).expect("extraction-08 is answered");
        if !included.contains(&format!("Task/{new}")) {
            complaints.push(format!("{}: Task/{new} is not included", request.name()));
        }
    }
    report("offers with new anomalies", checked, &complaints);
}
