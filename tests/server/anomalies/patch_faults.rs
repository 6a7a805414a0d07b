//! `PATCH Task/[id]`: every way to be refused, after which the Task is as it was.

use serde_json::{Value, json};

use super::body::{
    JSON_PATCH, anomaly, business_status, id_of, operation, patch, refused, to_status,
};
use crate::client::Server;

fn operations(parts: Value) -> Value {
    json!({"resourceType": "Parameters", "parameter": [{"name": "operation", "part": parts}]})
}

#[test]
fn patches_that_are_refused_change_nothing() {
    let server = Server::start();
    let mut client = server.connect();
    let id = id_of(&client.report(&anomaly()));
    let target = format!("/fhir/Task/{id}");
    let before = client.get(&target).body;
    let replace = |path: &str, name: &'static str, value: Value| {
        patch(vec![operation("replace", path, Some((name, value)))])
    };
    let code = |code: &str| ("valueCode", json!(code));
    let zzz = json!({"coding": [{"system": "http://zzz", "code": "260385009"}]});
    for (body, status, issue, named) in [
        (
            json!({"resourceType": "Parameters"}),
            400,
            "required",
            "operation",
        ),
        (json!({"resourceType": "Task"}), 400, "structure", "Task"),
        (
            operations(json!([{"name": "path", "valueString": "Task.status"}])),
            400,
            "required",
            "type",
        ),
        (
            operations(json!([{"name": "type", "valueCode": "delete"}])),
            400,
            "required",
            "path",
        ),
        (
            patch(vec![operation("remove", "Task.description", None)]),
            400,
            "not-supported",
            "delete",
        ),
        (
            replace("Task.(status", "valueCode", json!("completed")),
            400,
            "invalid",
            "Task.(status",
        ),
        (
            replace("Location.status", "valueCode", json!("active")),
            400,
            "invalid",
            "Location",
        ),
        (
            replace("Task.id", "valueId", json!("x")),
            422,
            "business-rule",
            "Task.id",
        ),
        (
            replace("Task.meta", "valueMeta", json!({})),
            422,
            "business-rule",
            "Task.meta",
        ),
        (
            replace(
                "Task.focus",
                "valueReference",
                json!({"reference": "Location/deux"}),
            ),
            422,
            "business-rule",
            "Task.focus",
        ),
        (
            replace("Task.identifier", "valueIdentifier", json!({"value": "x"})),
            422,
            "business-rule",
            "Task.identifier",
        ),
        (
            replace(
                "Task.businessStatus.coding[0].code",
                "valueCode",
                json!("08"),
            ),
            422,
            "business-rule",
            "Task.businessStatus",
        ),
        (
            replace("Task.description", "valueString", json!("x")),
            422,
            "not-found",
            "Task.description",
        ),
        (
            patch(vec![operation("replace", "Task.status", None)]),
            422,
            "required",
            "Task.status",
        ),
        (
            replace("Task.status", "valueQuantity", json!({"value": 1})),
            422,
            "value",
            "Task.status",
        ),
        (
            replace("Task.status", "valueColour", json!("red")),
            400,
            "value",
            "Colour",
        ),
        (
            replace("Task.businessStatus", "valueCodeableConcept", zzz),
            422,
            "code-invalid",
            "260385009",
        ),
        (
            patch(vec![operation("delete", "Task.input", None)]),
            422,
            "required",
            "systemRequester",
        ),
        (
            // All or nothing: the first would do.
            patch(vec![
                operation("replace", "Task.status", Some(code("completed"))),
                operation("replace", "Task.intent", Some(code("plan"))),
            ]),
            422,
            "business-rule",
            "Task.intent",
        ),
    ] {
        let response = client.send_json("PATCH", &target, &[], &body);
        refused(&mut client, &response, status, issue, named);
        assert_eq!(client.get(&target).body, before, "{named}");
    }
}

#[test]
fn several_elements_at_a_path() {
    let server = Server::start();
    let mut client = server.connect();
    let mut body = anomaly();
    body["note"] = json!([{"text": "one"}, {"text": "two"}]);
    let target = format!("/fhir/Task/{}", id_of(&client.report(&body)));
    let several = patch(vec![operation("delete", "Task.note", None)]);
    let response = client.send_json("PATCH", &target, &[], &several);
    refused(&mut client, &response, 422, "multiple-matches", "Task.note");
    let one = patch(vec![operation("delete", "Task.note[0]", None)]);
    let task = client.send_json("PATCH", &target, &[], &one).json();
    assert_eq!(task["note"], json!([{"text": "two"}]));
}

#[test]
fn json_patches() {
    let server = Server::start();
    let mut client = server.connect();
    let target = format!("/fhir/Task/{}", id_of(&client.report(&anomaly())));
    for (body, status, issue) in [
        (
            json!([{"op": "test", "path": "/status", "value": "x"}]),
            422,
            "conflict",
        ),
        (
            json!([{"op": "replace", "path": "/description", "value": "x"}]),
            422,
            "not-found",
        ),
        (
            json!([{"op": "replace", "path": "/focus/reference", "value": "x"}]),
            422,
            "business-rule",
        ),
        (
            json!([{"op": "replace", "path": "status", "value": "x"}]),
            400,
            "invalid",
        ),
        (json!({"op": "replace"}), 400, "structure"),
        (
            json!([{"op": "replace", "path": "/businessStatus", "value": business_status("99")}]),
            422,
            "code-invalid",
        ),
    ] {
        let text = body.to_string();
        let response = client.send("PATCH", &target, &[JSON_PATCH], text.as_bytes());
        refused(&mut client, &response, status, issue, "");
    }
    assert_eq!(client.get(&target).header("etag"), Some("W/\"1\""));
}

#[test]
fn media_types() {
    let server = Server::start();
    let body = to_status("08").to_string();
    for kind in [
        "application/xml-patch+xml",
        "application/merge-patch+json",
        "application/fhir+xml",
        "text/plain",
        "application/fhir+json; charset=utf-16",
    ] {
        let mut client = server.connect();
        let headers = [("Content-Type", kind)];
        let response = client.send("PATCH", "/fhir/Task/old-1", &headers, body.as_bytes());
        refused(&mut client, &response, 415, "not-supported", "");
    }
    let mut client = server.connect();
    let response = client.send("PATCH", "/fhir/Task/old-1", &[], body.as_bytes());
    refused(
        &mut client,
        &response,
        415,
        "not-supported",
        "without Content-Type",
    );
    assert_eq!(
        client.get("/fhir/Task/old-1").header("etag"),
        Some("W/\"4\"")
    );
}

#[test]
fn anomalies_that_are_not_there() {
    let server = Server::start();
    let mut client = server.connect();
    for (target, status, code, named) in [
        ("/fhir/Task/absent", 404, "not-found", "Task/absent"),
        ("/fhir/Task/a_b", 404, "not-found", "a_b"),
        ("/fhir/Task?identifier=x", 405, "not-supported", "Task/[id]"),
        (
            "/fhir/Task/old-1?identifier=x",
            400,
            "not-supported",
            "identifier",
        ),
        ("/fhir/Location/un", 405, "not-supported", "read-only"),
    ] {
        let response = client.send_json("PATCH", target, &[], &to_status("08"));
        refused(&mut client, &response, status, code, named);
    }
}
