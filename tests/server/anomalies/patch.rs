//! `PATCH Task/[id]`: a new version, which is the only one that searches find.

use std::sync::Barrier;

use serde_json::json;

use super::body::{
    ANSWERED, JSON_PATCH, anomaly, business_status, id_of, operation, patch, to_status,
};
use crate::client::Server;

#[test]
fn a_patch_makes_a_version_and_the_old_one_stops_matching() {
    let server = Server::start();
    let (mut client, mut other) = (server.connect(), server.connect());
    let created = client.report(&anomaly());
    let id = id_of(&created);
    let target = format!("/fhir/Task/{id}");
    assert_eq!(other.found("Task?business-status=02"), [id.as_str()]);

    let response = client.send_json("PATCH", &target, &[], &to_status("08"));
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("etag"), Some("W/\"2\""));
    assert_eq!(response.header("content-type"), Some(ANSWERED));
    let task = response.json();
    assert_eq!(task["businessStatus"], business_status("08"));
    assert_eq!(task["identifier"], created["identifier"]);
    assert_eq!(task["meta"]["versionId"], "2");
    assert_eq!(task["status"], "in-progress", "it is not derived");
    assert_eq!(task["lastModified"], task["meta"]["lastUpdated"]);

    assert_eq!(other.found("Task?business-status=02"), [""; 0]);
    assert_eq!(other.found("Task?business-status=08"), [id.as_str()]);
    let read = other.get(&target);
    assert_eq!(read.body, response.body);
    assert_eq!(
        read.header("last-modified"),
        response.header("last-modified")
    );
    let first = other.get(&format!("{target}/_history/1"));
    assert_eq!((first.status, first.header("etag")), (200, Some("W/\"1\"")));
    assert_eq!(first.json(), created);
    let held = [("If-None-Match", "W/\"1\"")];
    let held = other.send("GET", &format!("{target}/_history/1"), &held, b"");
    assert_eq!((held.status, held.body.len()), (304, 0));
    assert_eq!(other.get(&format!("{target}/_history/2")).json(), task);
    for absent in ["3", "0", "x", "01"] {
        assert_eq!(
            other.get(&format!("{target}/_history/{absent}")).status,
            404
        );
    }
}

#[test]
fn versions_of_the_directory_are_the_present_ones() {
    let server = Server::start();
    let mut client = server.connect();
    let present = client.get("/fhir/Location/un/_history/3");
    assert_eq!(
        (present.status, present.header("etag")),
        (200, Some("W/\"3\""))
    );
    assert_eq!(present.body, client.get("/fhir/Location/un").body);
    for target in [
        "/fhir/Location/un/_history/2",
        "/fhir/Location/absent/_history/1",
    ] {
        assert_eq!(client.get(target).status, 404, "{target}");
    }
}

#[test]
fn both_languages_and_several_operations() {
    let server = Server::start();
    let mut client = server.connect();
    let id = id_of(&client.report(&anomaly()));
    let target = format!("/fhir/Task/{id}");
    let mut described = operation("add", "Task", Some(("valueString", json!("Seen to"))));
    let parts = described["part"].as_array_mut().expect("parts");
    parts.push(json!({"name": "name", "valueString": "description"}));
    let several = patch(vec![
        operation(
            "replace",
            "Task.status",
            Some(("valueCode", json!("completed"))),
        ),
        described,
        operation(
            "replace",
            "Task.lastModified",
            Some(("valueDateTime", json!("2024-02-01"))),
        ),
        operation("delete", "Task.note", None),
    ]);
    let task = client.send_json("PATCH", &target, &[], &several).json();
    assert_eq!(
        (&task["status"], &task["description"], &task["lastModified"]),
        (&json!("completed"), &json!("Seen to"), &json!("2024-02-01"))
    );
    let json_patch = json!([
        {"op": "test", "path": "/status", "value": "completed"},
        {"op": "replace", "path": "/businessStatus", "value": business_status("08")},
        {"op": "remove", "path": "/description"},
    ]);
    let response = client.send(
        "PATCH",
        &format!("{target}?_format=json"),
        &[JSON_PATCH],
        json_patch.to_string().as_bytes(),
    );
    assert_eq!(
        (response.status, response.header("etag")),
        (200, Some("W/\"3\""))
    );
    let task = response.json();
    assert_eq!(task["businessStatus"], business_status("08"));
    assert!(task.get("description").is_none());
    let plain = [("Content-Type", "application/json")];
    let again = client.send(
        "PATCH",
        &target,
        &plain,
        to_status("08").to_string().as_bytes(),
    );
    assert_eq!(
        (again.status, again.header("etag")),
        (200, Some("W/\"4\"")),
        "a patch that changes nothing is a version too"
    );
}

#[test]
fn what_is_returned_is_the_clients_choice() {
    let server = Server::start();
    let mut client = server.connect();
    let id = id_of(&client.report(&anomaly()));
    let mut wanted = |prefer: &str| {
        let target = format!("/fhir/Task/{id}");
        client.send_json("PATCH", &target, &[("Prefer", prefer)], &to_status("10"))
    };
    let minimal = wanted("return=minimal");
    assert_eq!((minimal.status, minimal.body.len()), (200, 0));
    assert_eq!(minimal.header("etag"), Some("W/\"2\""));
    let outcome = wanted("return=OperationOutcome").json();
    assert_eq!(outcome["resourceType"], "OperationOutcome");
    assert_eq!(wanted("return=all").status, 400);
}

#[test]
fn an_anomaly_of_the_extract_is_changed_too() {
    let server = Server::start();
    let mut client = server.connect();
    let task = client.set_status("old-1", "03");
    assert_eq!(task["meta"]["versionId"], "5");
    assert_eq!(task["identifier"][0]["value"], "OLD");
    // Inactive, and still there.
    assert_eq!(client.get("/fhir/Task/old-1").status, 200);
    assert_eq!(client.total("Task"), 2);
    assert_eq!(client.found("Task?business-status=02,10"), ["old-2"]);
    let earlier = client.get("/fhir/Task/old-1/_history/4").json();
    assert_eq!(earlier["businessStatus"], business_status("10"));
}

#[test]
fn if_match_names_the_version_that_is_meant() {
    let server = Server::start();
    let mut client = server.connect();
    let id = id_of(&client.report(&anomaly()));
    let target = format!("/fhir/Task/{id}");
    let mut with = |tag: &str| {
        let response = client.send_json("PATCH", &target, &[("If-Match", tag)], &to_status("10"));
        let present = client.get(&target).header("etag").map(str::to_owned);
        (response, present.expect("a tag"))
    };
    for (tag, present) in [("W/\"1\"", "W/\"2\""), ("\"2\"", "W/\"3\"")] {
        let (response, now) = with(tag);
        assert_eq!((response.status, now.as_str()), (200, present), "{tag}");
        assert_eq!(response.header("etag"), Some(present));
    }
    for tag in ["W/\"1\"", "W/\"4\"", "W/\"\"", "W/\"x\""] {
        let (response, now) = with(tag);
        assert_eq!(
            (response.status, response.issue_code().as_str()),
            (412, "conflict")
        );
        assert_eq!(
            response.header("etag"),
            Some("W/\"3\""),
            "the present one is told"
        );
        assert_eq!(now, "W/\"3\"", "nothing has changed");
    }
    for tag in ["3", "*", "W/3", "\"3\", \"2\"", ""] {
        let (response, now) = with(tag);
        assert_eq!(response.status, 400, "{tag}: {}", response.text());
        assert_eq!(response.issue_code(), "invalid");
        assert_eq!(now, "W/\"3\"");
    }
}

#[test]
fn the_version_can_be_made_mandatory() {
    let server = Server::start_with(|config| config.anomalies.require_if_match = true);
    let mut client = server.connect();
    let id = id_of(&client.report(&anomaly()));
    let target = format!("/fhir/Task/{id}");
    let without = client.send_json("PATCH", &target, &[], &to_status("08"));
    assert_eq!(
        (without.status, without.issue_code().as_str()),
        (428, "required")
    );
    let with = [("If-Match", "W/\"1\"")];
    assert_eq!(
        client
            .send_json("PATCH", &target, &with, &to_status("08"))
            .status,
        200
    );
    let statement = client.get("/fhir/metadata");
    assert!(statement.text().contains("\"versioned-update\""));
}

#[test]
fn of_two_writers_that_mean_one_version_one_wins() {
    const ROUNDS: usize = 30;
    let server = Server::start();
    let mut client = server.connect();
    let id = id_of(&client.report(&anomaly()));
    let target = format!("/fhir/Task/{id}");
    let together = Barrier::new(2);
    let statuses: Vec<Vec<u16>> = std::thread::scope(|scope| {
        let writers: Vec<_> = ["08", "10"]
            .map(|code| {
                let (server, target, together) = (&server, &target, &together);
                scope.spawn(move || {
                    let mut client = server.connect();
                    (0..ROUNDS)
                        .map(|round| {
                            together.wait();
                            let tag = format!("W/\"{}\"", round + 1);
                            let meant = [("If-Match", tag.as_str())];
                            let body = to_status(code);
                            let status = client.send_json("PATCH", target, &meant, &body).status;
                            together.wait();
                            status
                        })
                        .collect()
                })
            })
            .into_iter()
            .collect();
        writers
            .into_iter()
            .map(|writer| writer.join().expect("no failure"))
            .collect()
    });
    for (round, (one, two)) in statuses[0].iter().zip(&statuses[1]).enumerate() {
        let mut both = [*one, *two];
        both.sort_unstable();
        assert_eq!(both, [200, 412], "round {round}");
    }
    let tag = format!("W/\"{}\"", ROUNDS + 1);
    assert_eq!(client.get(&target).header("etag"), Some(tag.as_str()));
}

#[test]
fn writers_that_name_no_version_all_succeed() {
    const EACH: usize = 20;
    let server = Server::start();
    let mut client = server.connect();
    let id = id_of(&client.report(&anomaly()));
    let target = format!("/fhir/Task/{id}");
    std::thread::scope(|scope| {
        for code in ["08", "10", "05", "11"] {
            let (server, target) = (&server, &target);
            scope.spawn(move || {
                let mut client = server.connect();
                for _ in 0..EACH {
                    let response = client.send_json("PATCH", target, &[], &to_status(code));
                    assert_eq!(response.status, 200);
                }
            });
        }
    });
    let tag = format!("W/\"{}\"", 1 + 4 * EACH);
    assert_eq!(client.get(&target).header("etag"), Some(tag.as_str()));
}
