//! Anomalies by clients who see part of the directory, and part of the anomalies.

use serde_json::{Value, json};

use super::directory::Place;
use crate::client::Response;

const REPORTER: usize = 5;
const EVERYBODY: usize = 1;

fn nos(name: &str, code: &str) -> Value {
    let system = format!(
        "https://mos.esante.gouv.fr/NOS/{name}/FHIR/{}",
        name.replacen('_', "-", 1)
    );
    json!({"coding": [{"system": system, "code": code}]})
}

fn task(focus: Value) -> Value {
    let inputs = "https://interop.esante.gouv.fr/ig/fhir/ror/CodeSystem/input-task-ror-codesystem";
    json!({
        "resourceType": "Task", "status": "in-progress", "intent": "order",
        "businessStatus": nos("TRE_R352-StatutMetierAnomalie", "02"),
        "code": nos("TRE_R350-ThematiqueAnomalie", "06"),
        "reasonCode": nos("TRE_R349-ActionAnomalie", "COR"),
        "focus": focus, "authoredOn": "2026-01-03", "lastModified": "2026-01-04",
        "input": [{"type": {"coding": [{"system": inputs, "code": "systemRequester"}]}, "valueString": "IHM"}],
    })
}

/// Answers tell the name of their request: those of one name can be compared.
const ALIKE: (&str, &str) = ("X-Request-Id", "alike");

fn post(place: &Place, number: usize, task: &Value) -> Response {
    let headers = [
        ("Content-Type", "application/fhir+json"),
        ("Prefer", "return=representation"),
        ALIKE,
    ];
    let body = task.to_string();
    place
        .client(number)
        .send("POST", "/fhir/Task", &headers, body.as_bytes())
}

fn created(place: &Place, number: usize, task: &Value) -> String {
    let answer = post(place, number, task);
    assert_eq!(answer.status, 201, "{}", answer.text());
    answer.json()["id"].as_str().expect("an id").to_owned()
}

fn patch(place: &Place, number: usize, id: &str, operations: Value) -> Response {
    let headers = [("Content-Type", "application/json-patch+json"), ALIKE];
    let body = operations.to_string();
    let target = format!("/fhir/Task/{id}");
    place
        .client(number)
        .send("PATCH", &target, &headers, body.as_bytes())
}

fn status(code: &str) -> Value {
    json!([{"op": "replace", "path": "/businessStatus", "value": nos("TRE_R352-StatutMetierAnomalie", code)}])
}

#[test]
fn a_report_about_something_hidden_answers_as_one_about_nothing() {
    let place = Place::new();
    for kind in ["HealthcareService", "Location", "Practitioner"] {
        let hidden = post(
            &place,
            REPORTER,
            &task(json!({"reference": format!("{kind}/closed")})),
        );
        let absent = post(
            &place,
            REPORTER,
            &task(json!({"reference": format!("{kind}/absent")})),
        );
        assert_eq!(hidden.status, 422, "{}", hidden.text());
        assert_eq!(hidden.text().replace("closed", "absent"), absent.text());
    }
    // By identifier a report may be about what is missing: both are taken, and told nothing more of.
    let about =
        |number: &str| task(json!({"type": "HealthcareService", "identifier": {"value": number}}));
    let (hidden, absent) = (about("52/666"), about("52/667"));
    let answers = [
        post(&place, REPORTER, &hidden),
        post(&place, REPORTER, &absent),
    ];
    let mut told = Vec::new();
    for answer in answers {
        assert_eq!(answer.status, 201, "{}", answer.text());
        let id = answer.json()["id"].as_str().expect("an id").to_owned();
        let mut names: Vec<&str> = answer
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        names.sort_unstable();
        let members: Vec<String> = answer
            .json()
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect();
        let read = place.get(REPORTER, &format!("/fhir/Task/{id}"));
        let found = place.get(REPORTER, &format!("/fhir/Task?_id={id}")).json()["total"].clone();
        told.push((names.join(" "), members, read.status, found));
        assert_eq!(
            place.get(EVERYBODY, &format!("/fhir/Task/{id}")).status,
            200
        );
    }
    assert_eq!(told[0], told[1]);
    // So is one about what it sees, and that one it sees.
    let id = created(&place, REPORTER, &about("52/1"));
    assert_eq!(place.get(REPORTER, &format!("/fhir/Task/{id}")).status, 200);
}

#[test]
fn a_reference_to_something_hidden_goes_as_one_to_nothing() {
    let place = Place::new();
    let mut seen = Vec::new();
    for owner in [
        json!({"reference": "PractitionerRole/closed"}),
        json!({"reference": "PractitionerRole/absent"}),
        json!({"type": "HealthcareService", "identifier": {"value": "52/666"}}),
        json!({"type": "HealthcareService", "identifier": {"value": "52/667"}}),
    ] {
        let mut report = task(json!({"reference": "HealthcareService/open"}));
        report["owner"] = owner;
        let id = created(&place, REPORTER, &report);
        let body = place.get(REPORTER, &format!("/fhir/Task/{id}")).json();
        seen.push(
            body.as_object()
                .expect("an object")
                .keys()
                .cloned()
                .collect::<Vec<_>>(),
        );
        assert!(body.get("owner").is_none(), "{body}");
        assert!(
            place
                .get(EVERYBODY, &format!("/fhir/Task/{id}"))
                .json()
                .get("owner")
                .is_some()
        );
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

#[test]
fn a_hidden_anomaly_cannot_be_changed_nor_found() {
    let place = Place::new();
    let id = created(
        &place,
        EVERYBODY,
        &task(json!({"reference": "HealthcareService/closed"})),
    );
    assert_eq!(place.get(REPORTER, &format!("/fhir/Task/{id}")).status, 404);
    assert_eq!(place.get(REPORTER, "/fhir/Task").json()["total"], 0);
    let (hidden, absent) = (
        patch(&place, REPORTER, &id, status("03")),
        patch(&place, REPORTER, "absent", status("03")),
    );
    assert_eq!(hidden.status, 404, "{}", hidden.text());
    assert_eq!(hidden.text().replace(&id, "absent"), absent.text());
    assert_eq!(patch(&place, EVERYBODY, &id, status("03")).status, 200);
}

#[test]
fn a_change_asks_nothing_of_what_is_not_seen() {
    let place = Place::new();
    let mut report = task(json!({"reference": "HealthcareService/open"}));
    report["description"] = json!("secret");
    let id = created(&place, EVERYBODY, &report);
    let seen = place.get(REPORTER, &format!("/fhir/Task/{id}")).json();
    assert!(
        seen.get("description").is_none() && seen.get("input").is_none(),
        "{seen}"
    );

    // A right guess and a wrong one are answered alike, and change nothing.
    let guess = |word: &str| {
        let test = json!({"op": "test", "path": "/description", "value": word});
        let mut operations = status("03").as_array().expect("a list").clone();
        operations.insert(0, test);
        let answer = patch(&place, REPORTER, &id, operations.into());
        (answer.status, answer.text().replace(word, "…"))
    };
    let (right, wrong) = (guess("secret"), guess("public"));
    assert_eq!(right, wrong);
    assert_eq!(right.0, 422, "{}", right.1);
    for operations in [
        json!([{"op": "copy", "from": "/description", "path": "/note/0/text"}]),
        json!([{"op": "add", "path": "/description", "value": "mine"}]),
        json!([{"op": "remove", "path": "/input"}]),
    ] {
        let answer = patch(&place, REPORTER, &id, operations.clone());
        assert_eq!(answer.status, 422, "{operations}: {}", answer.text());
        assert!(!answer.text().contains("secret"), "{}", answer.text());
    }
    let kept = place.get(EVERYBODY, &format!("/fhir/Task/{id}")).json();
    assert_eq!(
        (&kept["description"], &kept["meta"]["versionId"]),
        (&json!("secret"), &json!("1"))
    );

    // What it sees it may change, and gets back as it sees it.
    let answer = patch(&place, REPORTER, &id, status("03"));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(!answer.text().contains("secret"));
    let kept = place.get(EVERYBODY, &format!("/fhir/Task/{id}")).json();
    assert_eq!(kept["businessStatus"]["coding"][0]["code"], "03");
    assert_eq!(kept["description"], "secret");
}
