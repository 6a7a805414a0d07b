//! `POST [base]`: batches and transactions that are carried out.

use serde_json::{Value, json};

use super::body::{
    ANSWERED, anomaly, anomaly_with, bundle, business_status, id_of, to_create, to_patch, to_read,
    to_status,
};
use crate::client::{Client, Server};

/// The entries of the answer to a Bundle that is carried out.
fn answered(client: &mut Client, kind: &str, entries: Vec<Value>) -> Vec<Value> {
    let response = client.send_json("POST", "/fhir", &[], &bundle(kind, entries));
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("content-type"), Some(ANSWERED));
    let answer = response.json();
    assert_eq!(answer["resourceType"], "Bundle");
    assert_eq!(answer["type"], format!("{kind}-response"));
    answer["entry"].as_array().cloned().unwrap_or_default()
}

fn status(entry: &Value) -> &str {
    let status = entry["response"]["status"].as_str().expect("a status");
    status.split(' ').next().unwrap_or_default()
}

#[test]
fn entries_are_answered_in_order_with_all_their_headers() {
    for kind in ["batch", "transaction"] {
        let server = Server::start();
        let mut client = server.connect();
        let described = |text: &str| anomaly_with("description", json!(text));
        let entries = answered(
            &mut client,
            kind,
            vec![
                to_read(
                    "Task?description:missing=false&_total=accurate"
                        .split('?')
                        .next()
                        .unwrap_or_default(),
                ),
                to_create(described("one")),
                to_patch("old-1", to_status("08")),
                to_create(described("two")),
                to_read("Location/un"),
            ],
        );
        let statuses: Vec<_> = entries.iter().map(status).collect();
        assert_eq!(statuses, ["200", "201", "200", "201", "200"], "{kind}");
        for (place, text) in [(1, "one"), (3, "two")] {
            let entry = &entries[place];
            let id = id_of(&entry["resource"]);
            assert_eq!(entry["resource"]["description"], text);
            assert_eq!(entry["fullUrl"], format!("{}/Task/{id}", server.base_url));
            assert_eq!(
                entry["response"]["location"],
                format!("{}/Task/{id}/_history/1", server.base_url)
            );
            assert_eq!(entry["response"]["etag"], "W/\"1\"");
            assert_eq!(
                entry["response"]["lastModified"],
                entry["resource"]["meta"]["lastUpdated"]
            );
            assert_eq!(
                client.get(&format!("/fhir/Task/{id}")).json(),
                entry["resource"]
            );
        }
        assert_eq!(entries[2]["response"]["etag"], "W/\"5\"");
        assert_eq!(
            entries[2]["resource"]["businessStatus"],
            business_status("08")
        );
        // Reads see what the same Bundle has written.
        assert_eq!(entries[0]["resource"]["type"], "searchset");
        assert_eq!(entries[0]["resource"]["total"], 2 + 2);
        assert_eq!(entries[4]["resource"]["name"], "Pavillon Est");
        assert_eq!(entries[4]["response"]["etag"], "W/\"3\"");
        assert_eq!(
            entries[4]["fullUrl"],
            format!("{}/Location/un", server.base_url)
        );
    }
}

#[test]
fn a_batch_does_what_it_can() {
    let server = Server::start();
    let mut client = server.connect();
    let zzz = json!({"coding": [{"system": "http://zzz", "code": "1"}]});
    let entries = answered(
        &mut client,
        "batch",
        vec![
            to_create(anomaly()),
            to_create(anomaly_with("businessStatus", zzz)),
            to_create(json!({"resourceType": "Location"})),
            to_patch("absent", to_status("08")),
            json!({"resource": anomaly()}),
            json!({"request": {"method": "DELETE", "url": "Task/old-1"}}),
            json!({"request": {"method": "PUT", "url": "Task/old-1"}, "resource": anomaly()}),
            json!({"request": {"method": "POST", "url": "Location"}, "resource": {"resourceType": "Location"}}),
            to_read("Task/absent"),
            to_read("Location?adress-city=x"),
            to_read("https://elsewhere.example.org/fhir/Task"),
            json!({"resource": to_status("08"), "request": {"method": "PATCH", "url": " Task/old-1 ", "ifMatch": "W/\"1\""}}),
            json!({"resource": to_status("08"), "request": {"method": "PATCH", "url": "Task/old-2", "ifMatch": "1"}}),
            json!({"resource": anomaly(), "request": {"method": "POST", "url": "Task", "ifNoneExist": "identifier=OLD"}}),
            to_read("livez"),
            to_patch("old-2", to_status("03")),
        ],
    );
    let statuses: Vec<_> = entries.iter().map(status).collect();
    assert_eq!(
        statuses,
        [
            "201", "422", "400", "404", "400", "405", "405", "405", "404", "400", "400", "412",
            "400", "412", "404", "200"
        ]
    );
    for (place, entry) in entries.iter().enumerate() {
        let good = [0, 15].contains(&place);
        assert_eq!(entry.get("resource").is_some(), good, "{place}");
        let outcome = &entry["response"]["outcome"];
        assert_eq!(
            outcome["resourceType"] == "OperationOutcome",
            !good,
            "{place}"
        );
        if !good {
            assert_eq!(outcome["issue"][0]["severity"], "error");
            assert!(outcome["issue"][0]["diagnostics"].is_string());
        }
    }
    assert_eq!(
        entries[11]["response"]["etag"], "W/\"4\"",
        "the present version"
    );
    assert_eq!(client.total("Task"), 2 + 1);
    assert_eq!(
        client.get("/fhir/Task/old-1").header("etag"),
        Some("W/\"4\"")
    );
}

#[test]
fn anomalies_of_one_transaction_refer_to_each_other() {
    let server = Server::start();
    let mut client = server.connect();
    let (one, two) = (
        "urn:uuid:00000000-0000-4000-8000-000000000001",
        "urn:uuid:00000000-0000-4000-8000-000000000002",
    );
    let part_of = |url: &str| anomaly_with("partOf", json!([{"reference": url}]));
    let mut first = to_create(part_of(two));
    first["fullUrl"] = json!(one);
    let mut second = to_create(anomaly());
    second["fullUrl"] = json!(two);
    let entries = answered(&mut client, "transaction", vec![first, second]);
    let id = id_of(&entries[1]["resource"]);
    assert_eq!(
        entries[0]["resource"]["partOf"],
        json!([{"reference": format!("Task/{id}")}])
    );
}

#[test]
fn conditions_of_entries() {
    let server = Server::start();
    let mut client = server.connect();
    let known = id_of(&client.report(&anomaly()));
    let request =
        |request: Value, resource: Value| json!({"request": request, "resource": resource});
    let entries = answered(
        &mut client,
        "transaction",
        vec![
            request(
                json!({"method": "POST", "url": "Task", "ifNoneExist": "identifier=ANO-00000001"}),
                anomaly(),
            ),
            request(
                json!({"method": "PATCH", "url": "Task/old-1", "ifMatch": "W/\"4\""}),
                to_status("08"),
            ),
            json!({"request": {"method": "GET", "url": "Location/un", "ifNoneMatch": "W/\"3\""}}),
            json!({"request": {"method": "GET", "url": "Location/un", "ifModifiedSince": "Tue, 02 Jan 2024 03:04:04 GMT"}}),
        ],
    );
    let statuses: Vec<_> = entries.iter().map(status).collect();
    assert_eq!(statuses, ["200", "200", "304", "200"]);
    assert_eq!(id_of(&entries[0]["resource"]), known);
    assert!(entries[2].get("resource").is_none());
    assert_eq!(client.total("Task"), 2 + 1);
}

#[test]
fn json_patches_come_as_binaries() {
    let server = Server::start();
    let mut client = server.connect();
    // [{"op":"replace","path":"/status","value":"completed"}]
    let binary = json!({
        "resourceType": "Binary",
        "contentType": "application/json-patch+json",
        "data": "W3sib3AiOiJyZXBsYWNlIiwicGF0aCI6Ii9zdGF0dXMiLCJ2YWx1ZSI6ImNvbXBsZXRlZCJ9XQ==",
    });
    let entries = answered(&mut client, "transaction", vec![to_patch("old-1", binary)]);
    assert_eq!(entries[0]["resource"]["status"], "completed");
}

#[test]
fn what_is_returned_is_the_clients_choice() {
    let server = Server::start();
    let mut client = server.connect();
    let mut noted = anomaly();
    noted["identifier"] = json!([{"value": "MINE"}]);
    let body = bundle("batch", vec![to_create(noted), to_read("Location/un")]);
    let mut wanted = |prefer: &str| {
        let answer = client.send_json("POST", "/fhir", &[("Prefer", prefer)], &body);
        assert_eq!(answer.status, 200);
        answer.json()["entry"].clone()
    };
    let minimal = wanted("return=minimal");
    assert!(minimal[0].get("resource").is_none());
    assert!(minimal[0]["response"].get("outcome").is_none());
    assert_eq!(
        minimal[1]["resource"]["id"], "un",
        "what is read is always given"
    );
    let outcome = wanted("return=OperationOutcome");
    assert!(outcome[0].get("resource").is_none());
    assert_eq!(
        outcome[0]["response"]["outcome"]["issue"][0]["severity"],
        "warning"
    );
    let whole = wanted("return=representation");
    assert_eq!(whole[0]["resource"]["resourceType"], "Task");
    assert_eq!(
        whole[0]["response"]["outcome"]["issue"][0]["severity"],
        "warning"
    );
}

#[test]
fn nothing_to_do_is_done() {
    let server = Server::start();
    let mut client = server.connect();
    for kind in ["batch", "transaction"] {
        assert_eq!(answered(&mut client, kind, Vec::new()), [Value::Null; 0]);
    }
}

#[test]
fn searches_of_a_bundle_are_those_of_their_own() {
    let server = Server::start();
    let mut client = server.connect();
    for search in [
        "Location?_count=1",
        "/Location?_count=1",
        "HealthcareService?_include=HealthcareService:location",
        "metadata",
        "Task/_search-like",
    ] {
        let entries = answered(&mut client, "batch", vec![to_read(search)]);
        let own = client.get(&format!("/fhir/{}", search.trim_start_matches('/')));
        assert_eq!(status(&entries[0]), own.status.to_string(), "{search}");
        let (mut entry, mut own) = (entries[0]["resource"].clone(), own.json());
        if own["resourceType"] != "OperationOutcome" {
            // The only things that no two searches share.
            for bundle in [&mut entry, &mut own] {
                bundle["id"] = Value::Null;
                bundle["meta"] = Value::Null;
            }
            assert_eq!(entry, own, "{search}");
        }
    }
}
