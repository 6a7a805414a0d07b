//! The name of a request comes back in a header, and in every OperationOutcome, wherever that is made.

use serde_json::{Value, json};

use crate::client::{Response, Server};
use crate::http2;

/// The name in the header, which must be the only one that the outcomes within the answer tell.
fn named(answer: &Response) -> String {
    let name = answer.header("x-request-id").expect("a name").to_owned();
    let mut names = Vec::new();
    outcomes(&answer.json(), &mut names);
    assert!(!names.is_empty(), "no outcome in {}", answer.text());
    for found in names {
        assert_eq!(found, name.as_str(), "{}", answer.text());
    }
    name
}

/// The ids of all OperationOutcomes in it.
fn outcomes(json: &Value, out: &mut Vec<Value>) {
    match json {
        Value::Array(all) => all.iter().for_each(|one| outcomes(one, out)),
        Value::Object(members) => {
            if json["resourceType"] == "OperationOutcome" {
                out.push(json["id"].clone());
            }
            members.values().for_each(|one| outcomes(one, out));
        }
        _ => {}
    }
}

#[test]
fn refusals_name_their_request() {
    let server = Server::start();
    let mut client = server.connect();
    let first = named(&client.get("/fhir/Nothing"));
    assert_ne!(named(&client.get("/fhir/Location?nom=1")), first);
    let own = [("X-Request-Id", "regulation-44.7")];
    let answer = client.send("GET", "/fhir/Location?nom=1", &own, b"");
    assert_eq!(named(&answer), "regulation-44.7");
    // No FHIR id, and the client's name all the same.
    let own = [("X-Request-Id", "a/b:1")];
    let answer = client.send("GET", "/fhir/Location?nom=1", &own, b"");
    assert_eq!(answer.header("x-request-id"), Some("a/b:1"));
    assert_eq!(answer.json()["id"], Value::Null);
    assert_eq!(answer.json()["meta"]["tag"][0]["code"], "a/b:1");
    for (method, target, status) in [
        ("POST", "/startupz", 405),
        ("GET", "/elsewhere", 404),
        ("GET", "/fhir/Location/nobody", 404),
        ("GET", "/fhir/Location/%ff", 400),
        ("DELETE", "/fhir/Location/un", 405),
        ("POST", "/fhir/Task", 415),
        ("GET", "/fhir/$export?_type=Nothing", 400),
        ("GET", "/fhir/$export-poll-status?_jobId=none", 404),
        ("GET", "/fhir/$export-get-file/none/none", 404),
        ("GET", "/fhir/Location/$explain?_level=none", 400),
    ] {
        let answer = client.send(method, target, &[], b"");
        assert_eq!(answer.status, status, "{method} {target}");
        named(&answer);
    }
}

#[test]
fn refusals_before_anything_is_read_name_their_request() {
    let server = Server::start_with(|config| {
        config.limits.url_bytes = 300;
        config.limits.header_bytes = 1_024;
        config.limits.max_connections = 3;
    });
    let long = "a".repeat(1_500);
    let answer = server.get(&format!("/fhir/Location?name={long}"));
    assert_eq!(answer.status, 414);
    named(&answer);
    let mut client = server.connect();
    let answer = client.send("GET", "/fhir/Location", &[("X-Long", &long)], b"");
    assert_eq!(answer.status, 431);
    named(&answer);
    // Not readable as HTTP at all.
    client.write(b"GET /fhir/Location?name=a b HTTP/1.1\r\nHost: test\r\n\r\n");
    let answer = client.receive(false).expect("an answer");
    assert_eq!(answer.status, 400);
    named(&answer);
    let mut held = Vec::new();
    let turned_away = loop {
        let mut one = server.connect();
        let answer = one.send("GET", "/livez", &[], b"");
        if answer.status != 200 {
            break answer;
        }
        held.push(one);
    };
    assert_eq!(turned_away.status, 503);
    named(&turned_away);
}

#[test]
fn refusals_for_the_number_of_requests_name_them() {
    let server = Server::start_with(|config| {
        config.limits.requests_per_second_per_client = 1;
        config.limits.request_burst_per_client = 1;
    });
    let mut client = server.connect();
    let throttled = loop {
        let answer = client.get("/fhir/Location/un");
        if answer.status != 200 {
            break answer;
        }
    };
    assert_eq!(throttled.status, 429);
    named(&throttled);
    // Over HTTP/2 too, where many requests are under way at once.
    let mut client = http2::connect(&server);
    let streams: Vec<u32> = (0..8).map(|number| 2 * number + 1).collect();
    for stream in &streams {
        http2::get(&mut client, *stream, "/fhir/Nothing");
    }
    let answers = http2::responses(&mut client, &streams);
    let mut names: Vec<String> = answers
        .iter()
        .map(|(_, body)| {
            let outcome: Value = serde_json::from_slice(body).expect("an outcome");
            outcome["id"].as_str().expect("a name").to_owned()
        })
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), streams.len(), "two requests have one name");
}

#[test]
fn warnings_beside_an_answer_name_the_request() {
    let server = Server::start();
    let mut client = server.connect();
    let lenient = [("Prefer", "handling=lenient")];
    let page = client.send("GET", "/fhir/Location?nom=1", &lenient, b"");
    assert_eq!(page.status, 200);
    named(&page);
    let begun = client.send("GET", "/fhir/$export", &[], b"");
    assert_eq!(begun.status, 202, "{}", begun.text());
    named(&begun);
    let status = begun.header("content-location").expect("where to ask");
    let target = status.split_once("/fhir").expect("below the base").1;
    let ended = client.send("DELETE", &format!("/fhir{target}"), &[], b"");
    assert_eq!(ended.status, 202);
    named(&ended);
}

#[test]
fn answers_to_writes_name_the_request() {
    let server = Server::start();
    let mut client = server.connect();
    let example = include_bytes!("../../docs/examples/anomaly.json");
    let mut task: Value = serde_json::from_slice(example).expect("JSON");
    task["focus"] = json!({"reference": "Location/un"});
    let fhir = ("Content-Type", "application/fhir+json");
    let outcome = ("Prefer", "return=OperationOutcome");
    let task_bytes = task.to_string().into_bytes();
    let made = client.send("POST", "/fhir/Task", &[fhir, outcome], &task_bytes);
    assert_eq!(made.status, 201, "{}", made.text());
    named(&made);
    let bundle = json!({
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {"request": {"method": "POST", "url": "Task"}, "resource": task},
            {"request": {"method": "GET", "url": "Location/nobody"}},
            {"request": {"method": "GET", "url": "Location?nom=1"}},
        ],
    });
    let bundle = bundle.to_string().into_bytes();
    let answer = client.send("POST", "/fhir", &[fhir, outcome], &bundle);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut told = Vec::new();
    outcomes(&answer.json(), &mut told);
    assert_eq!(told.len(), 3, "{}", answer.text());
    named(&answer);
}
