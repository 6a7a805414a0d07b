//! `POST [base]`: Bundles that are refused as a whole, after which nothing has changed.

use serde_json::{Value, json};

use super::body::{
    anomaly, anomaly_with, bundle, refused, to_create, to_patch, to_read, to_status,
};
use crate::client::Server;

#[test]
fn bodies_that_are_no_bundles_of_requests() {
    let server = Server::start();
    let mut client = server.connect();
    for (body, code) in [
        (anomaly(), "structure"),
        (json!([]), "structure"),
        (json!({"resourceType": "Bundle"}), "value"),
        (bundle("collection", vec![to_create(anomaly())]), "value"),
        (bundle("searchset", Vec::new()), "value"),
        (
            json!({"resourceType": "Bundle", "type": "batch", "entry": {}}),
            "structure",
        ),
    ] {
        let response = client.send_json("POST", "/fhir", &[], &body);
        refused(&mut client, &response, 400, code, "Bundle");
    }
    let text = [("Content-Type", "text/plain")];
    let response = client.send("POST", "/fhir", &text, b"{}");
    refused(&mut client, &response, 415, "not-supported", "text/plain");
    let response = client.send_json("POST", "/fhir/Bundle", &[], &bundle("batch", Vec::new()));
    refused(&mut client, &response, 405, "not-supported", "base URL");
    assert_eq!(client.total("Task"), 2);
}

#[test]
fn one_faulty_entry_stops_a_transaction() {
    let server = Server::start();
    let mut client = server.connect();
    let zzz = json!({"coding": [{"system": "http://zzz", "code": "260385009"}]});
    let absent = json!({"reference": "Location/absent"});
    let request =
        |request: Value, resource: Value| json!({"request": request, "resource": resource});
    for (entry, status, code, named) in [
        (
            to_create(anomaly_with("businessStatus", zzz.clone())),
            422,
            "code-invalid",
            "Bundle.entry[1].resource.businessStatus",
        ),
        (
            to_create(anomaly_with("focus", absent)),
            422,
            "not-found",
            "Bundle.entry[1].resource.focus.reference",
        ),
        (
            to_create(json!({"resourceType": "Location"})),
            400,
            "structure",
            "Bundle.entry[1]",
        ),
        (
            json!({"resource": anomaly()}),
            400,
            "required",
            "Bundle.entry[1]",
        ),
        (
            json!({"request": {"method": "DELETE", "url": "Task/old-1"}}),
            400,
            "not-supported",
            "Bundle.entry[1].request.method",
        ),
        (
            to_patch("absent", to_status("08")),
            404,
            "not-found",
            "Bundle.entry[1]",
        ),
        (
            to_patch("a_b", to_status("08")),
            404,
            "not-found",
            "Bundle.entry[1].request.url",
        ),
        (
            request(
                json!({"method": "PATCH", "url": "Task/old-1", "ifMatch": "W/\"3\""}),
                to_status("08"),
            ),
            412,
            "conflict",
            "Bundle.entry[1].request.ifMatch",
        ),
        (
            request(
                json!({"method": "PATCH", "url": "Task/old-1", "ifMatch": "3"}),
                to_status("08"),
            ),
            400,
            "invalid",
            "Bundle.entry[1].request.ifMatch",
        ),
        (
            request(
                json!({"method": "POST", "url": "Task", "ifNoneExist": "identifier=OLD"}),
                anomaly(),
            ),
            412,
            "multiple-matches",
            "Bundle.entry[1].request.ifNoneExist",
        ),
        (
            request(
                json!({"method": "POST", "url": "Task", "ifNoneExist": "status=x"}),
                anomaly(),
            ),
            400,
            "not-supported",
            "Bundle.entry[1].request.ifNoneExist",
        ),
        (
            request(
                json!({"method": "PATCH", "url": " https://hapi.fhir.org/baseR4/Task/1"}),
                to_status("08"),
            ),
            400,
            "value",
            "Bundle.entry[1].request.url",
        ),
        (to_read("Task/absent"), 404, "not-found", "Bundle.entry[1]"),
        (
            to_read("Location?adress-city=x"),
            400,
            "not-supported",
            "Bundle.entry[1].request.url",
        ),
    ] {
        let body = bundle(
            "transaction",
            vec![
                to_create(anomaly()),
                entry,
                to_patch("old-2", to_status("08")),
            ],
        );
        let response = client.send_json("POST", "/fhir", &[], &body);
        refused(&mut client, &response, status, code, named);
        let outcome = response.json();
        for issue in outcome["issue"].as_array().expect("issues") {
            let told = issue["diagnostics"].as_str().expect("diagnostics");
            assert!(told.contains("Bundle.entry[1]"), "{outcome}");
            let path = issue["expression"][0].as_str().expect("an expression");
            assert!(path.starts_with("Bundle.entry[1]"), "{outcome}");
        }
        assert_eq!(client.total("Task"), 2, "{named}");
        let untouched = client.get("/fhir/Task/old-2");
        assert_eq!(untouched.header("etag"), Some("W/\"1\""), "{named}");
    }
}

#[test]
fn faults_of_several_entries_are_told_at_once() {
    let server = Server::start();
    let mut client = server.connect();
    let body = bundle(
        "transaction",
        vec![
            to_create(anomaly_with("code", Value::Null)),
            to_create(anomaly()),
            to_patch("old-1", json!({"resourceType": "Parameters"})),
            to_read("Practitioner/absent"),
        ],
    );
    let response = client.send_json("POST", "/fhir", &[], &body);
    assert_eq!(response.status, 400);
    for named in ["Bundle.entry[0]", "Bundle.entry[2]", "Bundle.entry[3]"] {
        assert!(response.text().contains(named), "{}", response.text());
    }
    assert_eq!(client.total("Task"), 2);
}

#[test]
fn the_same_anomaly_twice() {
    let server = Server::start();
    let mut client = server.connect();
    let twice = || {
        vec![
            to_patch("old-1", to_status("08")),
            to_patch("old-1", to_status("03")),
        ]
    };
    let response = client.send_json("POST", "/fhir", &[], &bundle("transaction", twice()));
    refused(&mut client, &response, 400, "invalid", "Task/old-1");
    assert_eq!(
        client.get("/fhir/Task/old-1").header("etag"),
        Some("W/\"4\"")
    );
    // In a batch each stands alone.
    let response = client.send_json("POST", "/fhir", &[], &bundle("batch", twice()));
    assert_eq!(response.status, 200);
    assert_eq!(
        client.get("/fhir/Task/old-1").header("etag"),
        Some("W/\"6\"")
    );
}

#[test]
fn bundles_that_are_too_large() {
    let server = Server::start_with(|config| {
        config.anomalies.transaction_entries = 3;
        config.anomalies.body_bytes = 5_000;
    });
    let mut client = server.connect();
    let reads = |count: usize| (0..count).map(|_| to_read("Location/un")).collect();
    for kind in ["batch", "transaction"] {
        let response = client.send_json("POST", "/fhir", &[], &bundle(kind, reads(3)));
        assert_eq!(response.status, 200);
        let response = client.send_json("POST", "/fhir", &[], &bundle(kind, reads(4)));
        refused(&mut client, &response, 413, "too-long", "at most 3");
    }
    let long = anomaly_with("description", json!("x".repeat(5_000)));
    let response = client.send_json(
        "POST",
        "/fhir",
        &[],
        &bundle("batch", vec![to_create(long)]),
    );
    assert_eq!(
        (response.status, response.issue_code().as_str()),
        (413, "too-long")
    );
}

#[test]
fn the_version_can_be_made_mandatory() {
    let server = Server::start_with(|config| config.anomalies.require_if_match = true);
    let mut client = server.connect();
    let entries = vec![to_create(anomaly()), to_patch("old-1", to_status("08"))];
    let response = client.send_json(
        "POST",
        "/fhir",
        &[],
        &bundle("transaction", entries.clone()),
    );
    refused(
        &mut client,
        &response,
        428,
        "required",
        "Bundle.entry[1].request.ifMatch",
    );
    assert_eq!(client.total("Task"), 2);
    let answer = client
        .send_json("POST", "/fhir", &[], &bundle("batch", entries))
        .json();
    let statuses: Vec<_> = [0, 1]
        .map(|place: usize| answer["entry"][place]["response"]["status"].clone())
        .into();
    assert_eq!(statuses, ["201 Created", "428 Precondition Required"]);
}
