//! Bulk export holds what paging through the same offers with all includes gives.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::connection::{Connection, Response};
use crate::documents::Request;
use crate::page::Page;
use crate::report;
use crate::served::{Served, served};

const SCENARIOS: [&str; 2] = ["extraction-01bis", "extraction-01ter"];
/// The published status address names a job of another server.
const UNKNOWN_JOB: &str = "extraction-01bis/f";
/// Whose offers and includes a complete export holds.
const SYNCHRONOUS: (&str, &str) = ("extraction-01", "a");

fn is_export(request: &Request) -> bool {
    SCENARIOS.contains(&request.scenario.as_str())
}

/// The files of an export: `Type/id` and the resource, by type.
type Contents = BTreeMap<String, Value>;

fn get(served: &Served, connection: &mut Connection, request: &Request, url: &str) -> Response {
    let target = url.strip_prefix(&served.base_url).unwrap_or(url);
    served.send(connection, "GET", request, target, &[], b"")
}

/// Begins, waits, downloads.
fn exported(served: &Served, request: &Request) -> Result<Contents, String> {
    let mut connection = served.connect();
    let begun = get(served, &mut connection, request, &request.target);
    let outcome = begun.json()?;
    if begun.status != 202 || outcome["resourceType"] != "OperationOutcome" {
        return Err(format!("status {}: {outcome}", begun.status));
    }
    let status_url = begun
        .header("content-location")
        .ok_or("no Content-Location")?
        .to_owned();
    let expected = format!("{}/$export-poll-status?_jobId=", served.base_url);
    if !status_url.starts_with(&expected) {
        return Err(format!("asked to poll {status_url}"));
    }
    let mut told = get(served, &mut connection, request, &status_url);
    while told.status == 202 {
        if told.header("x-progress").is_none() || told.header("retry-after").is_none() {
            return Err("a running export tells neither progress nor when to ask again".into());
        }
        told = get(served, &mut connection, request, &status_url);
    }
    let manifest = told.json()?;
    if told.status != 200
        || told.header("content-type") != Some("application/json")
        || told.header("expires").is_none()
        || manifest["requiresAccessToken"] != true
        || manifest["request"] != format!("{}{}", served.base_url, request.target)
        || manifest["error"] != serde_json::json!([])
        || manifest["transactionTime"].as_str().is_none()
    {
        return Err(format!("status {}, manifest {manifest}", told.status));
    }
    let ndjson = request.target.contains("ndjson");
    let mut contents = Contents::new();
    for file in manifest["output"].as_array().ok_or("no output")? {
        let url = file["url"].as_str().ok_or("no url")?;
        if !url.ends_with(if ndjson { ".ndjson" } else { ".json" }) {
            return Err(format!("the form cannot be told from {url}"));
        }
        let response = get(served, &mut connection, request, url);
        let resources = match ndjson {
            true => lines(&response)?,
            false => entries(served, &response)?,
        };
        if file["count"] != resources.len() {
            return Err(format!("{} resources, {file}", resources.len()));
        }
        for resource in resources {
            if resource["resourceType"] != file["type"] {
                return Err(format!(
                    "{} among {}",
                    resource["resourceType"], file["type"]
                ));
            }
            let key = key(&resource);
            if contents.insert(key.clone(), resource).is_some() {
                return Err(format!("{key} twice"));
            }
        }
    }
    Ok(contents)
}

fn key(resource: &Value) -> String {
    let text = |name: &str| resource[name].as_str().unwrap_or_default();
    format!("{}/{}", text("resourceType"), text("id"))
}

fn lines(response: &Response) -> Result<Vec<Value>, String> {
    let text = std::str::from_utf8(&response.body).map_err(|error| error.to_string())?;
    text.lines()
        .map(|line| serde_json::from_str(line).map_err(|error| format!("{error}: {line}")))
        .collect()
}

fn entries(served: &Served, response: &Response) -> Result<Vec<Value>, String> {
    let bundle = response.json()?;
    if (&bundle["resourceType"], &bundle["type"]) != (&"Bundle".into(), &"collection".into()) {
        return Err(format!("{} {}", bundle["resourceType"], bundle["type"]));
    }
    let mut out = Vec::new();
    for entry in bundle["entry"].as_array().ok_or("no entry")? {
        let resource = &entry["resource"];
        if entry["fullUrl"] != format!("{}/{}", served.base_url, key(resource)) {
            return Err(format!("{} is {}", entry["fullUrl"], key(resource)));
        }
        out.push(resource.clone());
    }
    Ok(out)
}

/// What a search over the same offers gives, with the includes of the synchronous scenario.
fn paged(served: &Served, request: &Request) -> Result<BTreeSet<String>, String> {
    let synchronous = served
        .requests
        .iter()
        .find(|one| (one.scenario.as_str(), one.variant.as_str()) == SYNCHRONOUS)
        .ok_or("no synchronous scenario")?;
    let filter = request
        .pairs()
        .into_iter()
        .find(|(name, _)| name == "_typeFilter");
    let target = match filter {
        None => synchronous.target.clone(),
        Some((_, search)) => format!("/{}&{}", search.replace('|', "%7C"), synchronous.query()),
    };
    let pages = served.walk(&mut served.connect(), synchronous, &target)?;
    let keys = |page: &Page| {
        page.entries
            .iter()
            .map(|entry| entry.key.clone())
            .collect::<Vec<_>>()
    };
    Ok(pages.iter().flat_map(keys).collect())
}

pub fn exports_hold_what_paging_gives() {
    let served = served();
    let (mut checked, mut complaints) = (0, Vec::new());
    let mut files: BTreeMap<(String, String), Contents> = BTreeMap::new();
    for request in served.requests.iter().filter(|one| is_export(one)) {
        checked += 1;
        let name = request.name();
        if name == UNKNOWN_JOB {
            let response = get(served, &mut served.connect(), request, &request.target);
            let outcome = response.json().unwrap_or_default();
            if response.status != 404 || outcome["issue"][0]["code"] != "not-found" {
                complaints.push(format!("{name}: status {}: {outcome}", response.status));
            }
            continue;
        }
        match (exported(served, request), paged(served, request)) {
            (Ok(contents), Ok(expected)) => {
                let keys: BTreeSet<String> = contents.keys().cloned().collect();
                if keys != expected || keys.is_empty() {
                    complaints.push(format!(
                        "{name}: {} exported, {} paged, such as {:?}",
                        keys.len(),
                        expected.len(),
                        keys.symmetric_difference(&expected).next()
                    ));
                }
                let kinds: BTreeSet<&str> = keys
                    .iter()
                    .filter_map(|key| key.split('/').next())
                    .collect();
                if !request.target.contains("_typeFilter") && kinds.len() != 5 {
                    complaints.push(format!("{name}: holds {kinds:?} only"));
                }
                files.insert(
                    (request.scenario.clone(), request.variant.clone()),
                    contents,
                );
            }
            (exported, paged) => complaints.push(format!(
                "{name}: {}",
                exported.err().or(paged.err()).unwrap_or_default()
            )),
        }
    }
    for request in served.requests.iter().filter(|one| is_export(one)) {
        let of = |variant: &String| files.get(&(request.scenario.clone(), variant.clone()));
        if let (Some(other), Some(own)) = (&request.same_result_as, of(&request.variant))
            && of(other) != Some(own)
        {
            complaints.push(format!("{}: not the same as {other}", request.name()));
        }
    }
    assert_eq!(checked, 8);
    report("exports", checked, &complaints);
}
