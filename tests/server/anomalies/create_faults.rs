//! `POST Task`: every way to be refused, after which nothing has changed.

use serde_json::{Value, json};

use super::body::{JSON, anomaly, anomaly_with, input, refused};
use crate::client::Server;

#[test]
fn bodies_that_are_no_tasks() {
    let server = Server::start();
    let mut client = server.connect();
    let good = anomaly().to_string();
    let cut = &good[..good.len() - 1];
    let twice = good.replacen('{', "{\"status\":\"in-progress\",", 1);
    let commented = format!("{good} #facultatif");
    for (body, named) in [
        ("no json", ""),
        (cut, ""),
        (twice.as_str(), "status"),
        (commented.as_str(), ""),
        ("[]", ""),
        ("{}", "resourceType"),
        (r#"{"resourceType":"Patient"}"#, "Patient"),
        (r#"{"resourceType":"Location","name":"x"}"#, "Location"),
    ] {
        let response = client.send("POST", "/fhir/Task", &[JSON], body.as_bytes());
        refused(&mut client, &response, 400, "structure", named);
    }
    let empty = client.send("POST", "/fhir/Task", &[JSON, ("Content-Length", "0")], b"");
    refused(&mut client, &empty, 400, "structure", "JSON");
    let latin = client.send(
        "POST",
        "/fhir/Task",
        &[JSON],
        b"{\"resourceType\":\"T\xe9\"}",
    );
    refused(&mut client, &latin, 400, "structure", "JSON");
    assert_eq!(client.total("Task"), 2);
}

#[test]
fn bodies_against_r4_or_the_profile() {
    let server = Server::start();
    let mut client = server.connect();
    let zzz = json!({"coding": [{"system": "http://zzz", "code": "260385009"}]});
    let unpadded = super::body::business_status("2");
    for (member, value, status, code) in [
        ("businessStatus", json!([{"text": "x"}]), 400, "structure"),
        ("focus", json!("Location/un"), 400, "structure"),
        ("colour", json!("red"), 400, "structure"),
        ("authoredOn", json!("03/01/2024"), 400, "value"),
        ("status", json!("under way"), 422, "code-invalid"),
        ("focus", Value::Null, 422, "required"),
        ("code", Value::Null, 422, "required"),
        ("businessStatus", Value::Null, 422, "required"),
        ("authoredOn", Value::Null, 422, "required"),
        ("lastModified", Value::Null, 422, "required"),
        ("input", Value::Null, 422, "required"),
        (
            "input",
            json!([input("ruleErrorId", json!("R1"))]),
            422,
            "required",
        ),
        ("businessStatus", zzz.clone(), 422, "code-invalid"),
        ("businessStatus", unpadded, 422, "code-invalid"),
        ("code", zzz.clone(), 422, "code-invalid"),
        ("reasonCode", zzz, 422, "code-invalid"),
        ("focus", json!({"reference": "Task/old-1"}), 422, "value"),
        (
            "focus",
            json!({"reference": "Location/absent"}),
            422,
            "not-found",
        ),
    ] {
        let named = if code == "not-found" {
            "Location/absent"
        } else {
            member
        };
        let response = client.send_json("POST", "/fhir/Task", &[], &anomaly_with(member, value));
        refused(&mut client, &response, status, code, named);
        let expression = response.json()["issue"][0]["expression"][0].to_string();
        assert!(expression.starts_with("\"Task"), "{expression}");
    }
    assert_eq!(client.total("Task"), 2);
}

#[test]
fn every_fault_is_told_at_once() {
    let server = Server::start();
    let mut client = server.connect();
    let mut body = anomaly_with("code", Value::Null);
    body["businessStatus"] = super::body::business_status("99");
    let response = client.send_json("POST", "/fhir/Task", &[], &body);
    assert_eq!(response.status, 422);
    let outcome = response.json();
    let issues = outcome["issue"].as_array().expect("issues");
    let codes: Vec<_> = issues.iter().map(|issue| &issue["code"]).collect();
    assert!(
        codes.contains(&&json!("required")) && codes.contains(&&json!("code-invalid")),
        "{outcome}"
    );
}

#[test]
fn an_unknown_input_is_accepted_with_a_warning() {
    let server = Server::start();
    let body = anomaly_with(
        "input",
        json!([
            input("systemRequester", json!("IHM")),
            input("somethingElse", json!("x"))
        ]),
    );
    let prefer = [("Prefer", "return=OperationOutcome")];
    let response = server
        .connect()
        .send_json("POST", "/fhir/Task", &prefer, &body);
    assert_eq!(response.status, 201, "{}", response.text());
    assert_eq!(response.json()["issue"][0]["severity"], "warning");
    assert!(response.text().contains("somethingElse"));
}

#[test]
fn media_types_and_codings() {
    let server = Server::start();
    let body = anomaly().to_string();
    for headers in [
        &[][..],
        &[("Content-Type", "text/plain")],
        &[("Content-Type", "application/fhir+xml")],
        &[("Content-Type", "application/x-www-form-urlencoded")],
        &[("Content-Type", "application/json-patch+json")],
        &[("Content-Type", "application/fhir+json; charset=iso-8859-1")],
        &[("Content-Type", "application/fhir+json; fhirVersion=5.0")],
        &[JSON, ("Content-Encoding", "gzip")],
    ] {
        let mut client = server.connect();
        let response = client.send("POST", "/fhir/Task", headers, body.as_bytes());
        refused(&mut client, &response, 415, "not-supported", "");
    }
    let mut client = server.connect();
    let accept = [JSON, ("Accept", "application/fhir+xml")];
    let response = client.send("POST", "/fhir/Task", &accept, body.as_bytes());
    refused(&mut client, &response, 406, "not-supported", "xml");
    let response = client.send("POST", "/fhir/Task?_format=xml", &[JSON], body.as_bytes());
    refused(&mut client, &response, 406, "not-supported", "xml");
    let response = client.send("POST", "/fhir/Task?colour=red", &[JSON], body.as_bytes());
    refused(&mut client, &response, 400, "not-supported", "colour");
    assert_eq!(client.total("Task"), 2);
}

#[test]
fn a_body_that_is_too_large() {
    let server = Server::start_with(|config| config.anomalies.body_bytes = 2_000);
    let mut client = server.connect();
    let long = anomaly_with("description", json!("x".repeat(2_000)));
    let response = client.send_json("POST", "/fhir/Task", &[], &long);
    assert_eq!(
        (response.status, response.issue_code().as_str()),
        (413, "too-long")
    );
    client.report(&anomaly());
}
