//! `POST Task`: what is stored, and what the client is told.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::body::{ANSWERED, anomaly, anomaly_with, id_of};
use crate::client::Server;

#[test]
fn a_report_gets_what_the_server_assigns() {
    let server = Server::start();
    let mut client = server.connect();
    let mut body = anomaly();
    body["id"] = json!("mine");
    body["meta"] = json!({"versionId": "77", "lastUpdated": "2001-01-01T00:00:00Z"});
    body["identifier"] = json!([{"system": "urn:mine", "value": "MINE"}]);
    body["extension"] = json!([{"url": "urn:test:kept", "valueDecimal": 1.5}]);
    let response = client.send_json("POST", "/fhir/Task", &[], &body);
    assert_eq!(response.status, 201, "{}", response.text());
    let task = response.json();
    let id = id_of(&task);
    assert!(id != "mine" && uuid(&id), "{id}");
    let location = format!("{}/Task/{id}/_history/1", server.base_url);
    assert_eq!(response.header("location"), Some(location.as_str()));
    assert_eq!(response.header("etag"), Some("W/\"1\""));
    assert_eq!(response.header("content-type"), Some(ANSWERED));
    assert_eq!(task["meta"]["versionId"], "1");
    let instant = task["meta"]["lastUpdated"].as_str().expect("an instant");
    let written = chrono::DateTime::parse_from_rfc3339(instant).expect("an instant");
    assert!(written.timestamp() > 1_700_000_000, "{instant}");
    let modified = written.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    assert_eq!(response.header("last-modified"), Some(modified.as_str()));
    assert_eq!(
        task["meta"]["profile"],
        json!(["https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-task"])
    );
    assert_eq!(
        task["identifier"],
        json!([{"system": "urn:rorqual:anomaly", "value": "ANO-00000001"}])
    );
    assert_eq!(
        task["extension"], body["extension"],
        "what is legal is kept"
    );
    assert_eq!(task["authoredOn"], "2024-01-03");

    for target in [
        format!("/fhir/Task/{id}"),
        format!("/fhir/Task/{id}/_history/1"),
    ] {
        let read = client.get(&target);
        assert_eq!((read.status, read.header("etag")), (200, Some("W/\"1\"")));
        assert_eq!(read.header("last-modified"), Some(modified.as_str()));
        assert_eq!(read.body, response.body, "{target}");
    }
    assert_eq!(client.get("/fhir/Task/mine").status, 404);
}

fn uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

#[test]
fn what_is_returned_is_the_clients_choice() {
    let server = Server::start();
    let mut client = server.connect();
    let with = |client: &mut crate::client::Client, wanted: &str, body: &Value| {
        let response = client.send_json("POST", "/fhir/Task", &[("Prefer", wanted)], body);
        assert_eq!(response.status, 201, "{}", response.text());
        assert_eq!(response.header("etag"), Some("W/\"1\""));
        assert!(response.header("location").is_some());
        response
    };
    let minimal = with(&mut client, "return=minimal", &anomaly());
    assert!(minimal.body.is_empty() && minimal.header("content-type").is_none());
    let whole = with(&mut client, "return=representation", &anomaly());
    assert_eq!(whole.json()["resourceType"], "Task");
    let outcome = with(&mut client, "return=OperationOutcome", &anomaly()).json();
    assert_eq!(outcome["issue"][0]["severity"], "information");

    // What is worth telling is told in the outcome, and nowhere in the Task.
    let mut body = anomaly_with(
        "focus",
        json!({"type": "Organization", "identifier": {"value": "440000999"}}),
    );
    body["identifier"] = json!([{"value": "MINE"}]);
    let outcome = with(&mut client, "return=OperationOutcome", &body).json();
    let issues = outcome["issue"].as_array().expect("issues");
    let told: Vec<_> = issues
        .iter()
        .map(|issue| (issue["severity"].as_str(), issue["expression"][0].as_str()))
        .collect();
    assert!(
        told.contains(&(Some("warning"), Some("Task.identifier"))),
        "{outcome}"
    );
    assert!(
        told.contains(&(Some("information"), Some("Task.focus.identifier"))),
        "{outcome}"
    );
    let whole = with(&mut client, "return=representation", &body);
    assert!(!whole.text().contains("OperationOutcome"));

    let unknown = client.send_json(
        "POST",
        "/fhir/Task",
        &[("Prefer", "return=all")],
        &anomaly(),
    );
    assert_eq!(
        (unknown.status, unknown.issue_code().as_str()),
        (400, "value")
    );
    assert_eq!(client.total("Task"), 2 + 5);
}

#[test]
fn a_conditional_report_is_made_once() {
    let server = Server::start();
    let mut client = server.connect();
    let mut unless = |condition: &str| {
        client.send_json(
            "POST",
            "/fhir/Task",
            &[("If-None-Exist", condition)],
            &anomaly(),
        )
    };
    let first = unless("identifier=urn:rorqual:anomaly|ANO-00000001");
    assert_eq!(first.status, 201);
    for condition in [
        "identifier=urn:rorqual:anomaly|ANO-00000001",
        "identifier=ANO-00000001",
        "?identifier=urn%3Arorqual%3Aanomaly%7CANO-00000001",
    ] {
        let again = unless(condition);
        assert_eq!(again.status, 200, "{condition}");
        for header in ["etag", "last-modified", "location"] {
            assert_eq!(again.header(header), first.header(header), "{header}");
        }
        assert_eq!(again.body, first.body);
    }
    let several = unless("identifier=urn:test:anomaly|OLD");
    assert_eq!(
        (several.status, several.issue_code().as_str()),
        (412, "multiple-matches")
    );
    for condition in [
        "",
        "status=in-progress",
        "identifier=a&status=in-progress",
        "identifier=%zz",
        "identifier:colour=a",
        "identifier=",
    ] {
        let refused = unless(condition);
        assert_eq!(refused.status, 400, "{condition}: {}", refused.text());
        refused.issue_code();
    }
    assert_eq!(client.total("Task"), 2 + 1);
}

#[test]
fn references_to_this_server_are_stored_relative() {
    let server = Server::start();
    let mut client = server.connect();
    let absolute = format!("{}/Location/un", server.base_url);
    let task = client.report(&anomaly_with("focus", json!({"reference": absolute})));
    assert_eq!(task["focus"]["reference"], "Location/un");
    assert_eq!(client.found("Task?focus=Location/un"), [id_of(&task)]);
}

#[test]
fn duplicates_are_anomalies_of_their_own() {
    let server = Server::start();
    let mut client = server.connect();
    let tasks: Vec<_> = (0..3).map(|_| client.report(&anomaly())).collect();
    let distinct = |part: fn(&Value) -> String| tasks.iter().map(part).collect::<BTreeSet<_>>();
    assert_eq!(distinct(id_of).len(), 3);
    assert_eq!(distinct(|task| task["identifier"].to_string()).len(), 3);
}

#[test]
fn every_name_of_json_is_taken() {
    let server = Server::start();
    let mut client = server.connect();
    for kind in [
        "application/fhir+json",
        "application/json",
        "Application/FHIR+JSON; charset=UTF-8; fhirVersion=4.0",
    ] {
        let response = client.send(
            "POST",
            "/fhir/Task?_format=json&_pretty=true",
            &[("Content-Type", kind), ("Content-Encoding", "identity")],
            anomaly().to_string().as_bytes(),
        );
        assert_eq!(response.status, 201, "{kind}: {}", response.text());
        assert!(response.text().starts_with("{\n  "));
    }
}

#[test]
fn identifiers_have_the_shape_that_is_configured() {
    let server = Server::start_with(|config| {
        config.anomalies.identifier_system = String::new();
        config.anomalies.identifier_shape = "R/{number:3}/x".to_owned();
    });
    let task = server.connect().report(&anomaly());
    assert_eq!(task["identifier"], json!([{"value": "R/001/x"}]));
}

#[test]
fn a_server_without_writes_says_so_and_searches_on() {
    let server = Server::start_with(|config| config.anomalies.writable = false);
    let mut client = server.connect();
    for (method, target, body) in [
        ("POST", "/fhir/Task", anomaly()),
        ("PATCH", "/fhir/Task/old-1", super::body::to_status("08")),
        (
            "POST",
            "/fhir",
            super::body::bundle("transaction", vec![super::body::to_create(anomaly())]),
        ),
    ] {
        let response = client.send_json(method, target, &[], &body);
        assert_eq!(response.status, 503, "{}", response.text());
        assert_eq!(response.issue_code(), "transient");
        assert!(response.header("retry-after").is_some());
    }
    assert_eq!(client.total("Task"), 2);
    let batch = super::body::bundle("batch", vec![super::body::to_read("Task?_count=1")]);
    let read = client.send_json("POST", "/fhir", &[], &batch).json();
    assert_eq!(read["entry"][0]["resource"]["total"], 2);
    assert_eq!(client.get("/readyz").json()["writes"], "refused");
    assert_eq!(client.get("/readyz").status, 200);
    let statement = client.get("/fhir/metadata").text().to_owned();
    assert!(!statement.contains("\"create\"") && !statement.contains("\"transaction\""));
}
