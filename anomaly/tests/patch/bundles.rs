//! Bundles of requests: what an entry may ask, and each fault.

use rorqual_anomaly::Finding;
use rorqual_anomaly::requests::{
    Action, EntryRequest, Limits, PatchLanguage, RequestFault, Requests, parse_requests,
};
use serde_json::{Value, json};

const BASE: &str = "https://ror.example/fhir";

fn read(kind: &str, entries: Value) -> Result<Requests, Vec<RequestFault>> {
    let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": entries}).to_string();
    parse_requests(bundle.as_bytes(), BASE, &Limits { entries: 3 })
}

fn seen(fault: &RequestFault) -> (u16, &'static str, String) {
    (fault.status(), fault.code(), fault.path())
}

/// The one entry of a batch.
fn alone(entry: &Value) -> Result<EntryRequest, RequestFault> {
    read("batch", json!([entry]))
        .expect("a batch")
        .entries
        .remove(0)
}

/// What the one entry of a batch is refused with; a transaction is refused with the same.
fn refused(entry: Value) -> (u16, &'static str, String) {
    let fault = alone(&entry).expect_err("refused");
    assert_eq!(fault.place(), Some(0));
    let whole = read("transaction", json!([entry])).expect_err("refused");
    assert_eq!(whole, std::slice::from_ref(&fault));
    assert!(
        fault.to_string().starts_with("Bundle.entry[0]: "),
        "{fault}"
    );
    seen(&fault)
}

fn patch(url: &str) -> Value {
    json!({"resource": {"resourceType": "Parameters"}, "request": {"method": "PATCH", "url": url}})
}

#[test]
fn what_an_entry_may_ask() {
    let body = r#"{"resourceType":"Bundle","type":"batch","entry":[
        {"fullUrl":" urn:uuid:1 ","resource":{"resourceType" : "Task","x":1.50},
         "request":{"method":"POST","url":" Task ","ifNoneExist":"identifier=a|b"}},
        {"resource":{"resourceType":"Binary","contentType":"application/json-patch+json; charset=utf-8","data":"W10\n="},
         "request":{"method":"PATCH","url":"https://ror.example/fhir/Task/a-1?_format=json","ifMatch":"W/\"3\""}},
        {"request":{"method":"GET","url":"/fhir/Task?status=draft","ifNoneMatch":"W/\"1\"","ifModifiedSince":"x"}}]}"#;
    let requests = parse_requests(body.as_bytes(), BASE, &Limits { entries: 3 }).expect("a batch");
    let entries: Vec<EntryRequest> = requests
        .entries
        .into_iter()
        .map(|own| own.expect("read"))
        .collect();
    assert_eq!(entries[0].full_url.as_deref(), Some("urn:uuid:1"));
    assert!(matches!(
        &entries[0].action,
        Action::Create { body, if_none_exist: Some(query) }
            if body.as_str() == r#"{"resourceType":"Task","x":1.50}"# && query == "identifier=a|b"
    ));
    assert_eq!(
        entries[1].action,
        Action::Patch {
            id: "a-1".to_owned(),
            if_match: Some("W/\"3\"".to_owned()),
            language: PatchLanguage::Json,
            body: b"[]".to_vec(),
        }
    );
    assert_eq!(
        entries[2].action,
        Action::Read {
            url: "Task?status=draft".to_owned(),
            if_none_match: Some("W/\"1\"".to_owned()),
            if_modified_since: Some("x".to_owned()),
        }
    );
    let none = read("transaction", json!([])).expect("nothing to do");
    assert!(none.entries.is_empty());
}

#[test]
fn entries_that_are_refused() {
    let task = json!({"resourceType": "Task"});
    let request = |method: &str, url: &str| json!({"resource": task, "request": {"method": method, "url": url}});
    let at = |below: &str| format!("Bundle.entry[0]{below}");
    let cases = [
        (json!(1), 400, "structure", ""),
        (json!({"resource": task}), 400, "required", ""),
        (json!({"request": 1}), 400, "structure", ".request"),
        (
            json!({"request": {"url": "Task"}}),
            400,
            "required",
            ".request",
        ),
        (
            json!({"request": {"method": "POST"}}),
            400,
            "required",
            ".request",
        ),
        (
            json!({"request": {"method": "POST", "url": "Task"}}),
            400,
            "required",
            "",
        ),
        (
            json!({"request": {"method": "POST", "url": 1}}),
            400,
            "structure",
            ".request.url",
        ),
        (
            json!({"resource": [], "request": {"method": "POST", "url": "Task"}}),
            400,
            "structure",
            ".resource",
        ),
        (
            json!({"request": {"method": "GET", "url": "Task", "ifmatch": "x"}}),
            400,
            "structure",
            ".request.ifmatch",
        ),
        (json!({"requests": {}}), 400, "structure", ".requests"),
        (
            json!({"request": {"method": "GET", "url": "Task", "a b": "x"}}),
            400,
            "structure",
            "",
        ),
        (request("FETCH", "Task"), 400, "value", ".request.method"),
        (request("post", "Task"), 400, "value", ".request.method"),
        (
            request("PUT", "Task/1"),
            405,
            "not-supported",
            ".request.method",
        ),
        (
            request("DELETE", "Task/1"),
            405,
            "not-supported",
            ".request.method",
        ),
        (
            request("POST", "HealthcareService"),
            405,
            "not-supported",
            ".request.method",
        ),
        (
            request("POST", "Task/1"),
            405,
            "not-supported",
            ".request.method",
        ),
        (
            request("POST", "Task/_search"),
            405,
            "not-supported",
            ".request.method",
        ),
        (patch("Task"), 405, "not-supported", ".request.method"),
        (patch("Task/"), 405, "not-supported", ".request.method"),
        (patch("Task/1/2"), 405, "not-supported", ".request.method"),
        (patch("Location/1"), 405, "not-supported", ".request.method"),
        (
            patch("Task?identifier=1"),
            405,
            "not-supported",
            ".request.method",
        ),
        (
            patch("Task/1?identifier=1"),
            405,
            "not-supported",
            ".request.method",
        ),
        (patch("Task/é"), 404, "not-found", ".request.url"),
        (
            patch("https://hapi.fhir.org/baseR4/Task/1"),
            400,
            "value",
            ".request.url",
        ),
        (patch("Task/1 2"), 400, "value", ".request.url"),
        (request("PATCH", "Task/1"), 400, "structure", ".resource"),
        (
            json!({"resource": {"resourceType": "Binary", "contentType": "application/json", "data": "W10="},
                   "request": {"method": "PATCH", "url": "Task/1"}}),
            415,
            "not-supported",
            ".resource.contentType",
        ),
        (
            json!({"resource": {"resourceType": "Binary", "contentType": "application/json-patch+json"},
                   "request": {"method": "PATCH", "url": "Task/1"}}),
            400,
            "required",
            ".resource",
        ),
        (
            json!({"resource": {"resourceType": "Binary", "contentType": "application/json-patch+json", "data": "?"},
                   "request": {"method": "PATCH", "url": "Task/1"}}),
            400,
            "structure",
            ".resource.data",
        ),
        (
            json!({"resource": task, "request": {"method": "POST", "url": "Task", "ifMatch": "W/\"1\""}}),
            400,
            "not-supported",
            ".request.ifMatch",
        ),
        (
            json!({"request": {"method": "GET", "url": "Task", "ifNoneExist": "x"}}),
            400,
            "not-supported",
            ".request.ifNoneExist",
        ),
    ];
    for (entry, status, code, below) in cases {
        let text = entry.to_string();
        assert_eq!(refused(entry), (status, code, at(below)), "{text}");
    }
}

#[test]
fn an_entry_of_a_batch_stands_alone() {
    let entries = json!([patch("Task/1"), {"resource": {}}, patch("Task/1")]);
    let batch = read("batch", entries.clone()).expect("a batch");
    assert!(batch.entries[0].is_ok() && batch.entries[1].is_err() && batch.entries[2].is_ok());
    let faults = read("transaction", entries).expect_err("refused");
    let seen: Vec<_> = faults.iter().map(seen).collect();
    assert_eq!(
        seen,
        [
            (400, "required", "Bundle.entry[1]".to_owned()),
            (400, "invalid", "Bundle.entry[2].request.url".to_owned()),
        ]
    );
    let told = faults[1].to_string();
    assert!(
        told.contains("Bundle.entry[0]") && told.contains("Bundle.entry[2]"),
        "{told}"
    );
}

#[test]
fn a_transaction_cannot_name_two_tasks_alike() {
    let create = json!({"fullUrl": "urn:uuid:1", "resource": {}, "request": {"method": "POST", "url": "Task"}});
    let faults = read("transaction", json!([create, create])).expect_err("refused");
    assert_eq!(
        seen(&faults[0]),
        (400, "invalid", "Bundle.entry[1].fullUrl".to_owned())
    );
    assert!(read("batch", json!([create, create])).is_ok());
    // A read beside a patch of the same Task is no conflict.
    let get = json!({"request": {"method": "GET", "url": "Task/1"}});
    assert!(read("transaction", json!([get, patch("Task/1"), get])).is_ok());
}

#[test]
fn bundles_that_are_refused() {
    let refused = |body: &str| {
        let faults =
            parse_requests(body.as_bytes(), BASE, &Limits { entries: 3 }).expect_err("refused");
        assert_eq!((faults.len(), faults[0].place()), (1, None));
        seen(&faults[0])
    };
    let fault = |status, code, path: &str| (status, code, path.to_owned());
    assert_eq!(refused("{"), fault(400, "structure", ""));
    assert_eq!(refused("[]"), fault(400, "structure", "Bundle"));
    assert_eq!(
        refused(r#"{"resourceType":"Task"}"#),
        fault(400, "structure", "Bundle")
    );
    for kind in [
        r#""type":"collection""#,
        r#""type":"batch-response""#,
        r#""type":1"#,
        r#""id":"x""#,
    ] {
        let body = format!(r#"{{"resourceType":"Bundle",{kind}}}"#);
        assert_eq!(refused(&body), fault(400, "value", "Bundle.type"), "{kind}");
    }
    assert_eq!(
        refused(r#"{"resourceType":"Bundle","type":"batch","entry":{}}"#),
        fault(400, "structure", "Bundle.entry")
    );
    assert_eq!(
        refused(r#"{"resourceType":"Bundle","type":"batch","entry":[1,1,1,1]}"#),
        fault(413, "too-long", "Bundle.entry")
    );
}
