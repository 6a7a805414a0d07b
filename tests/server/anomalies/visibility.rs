//! An anomaly acknowledged on one connection is found by the next search on any other, in every way there is.

use serde_json::json;

use super::body::{anomaly, anomaly_with, id_of, ids_of, link, to_status};
use crate::client::Server;

#[test]
fn it_is_found_by_all_that_leads_to_it() {
    let server = Server::start();
    let (mut writer, mut reader) = (server.connect(), server.connect());
    // A search before: nothing may be remembered from it.
    assert_eq!(reader.found("Task?business-status=02"), [""; 0]);
    let literal = writer.report(&anomaly());
    let id = id_of(&literal);
    let number = literal["identifier"][0]["value"]
        .as_str()
        .expect("a number");
    for search in [
        "Task?business-status=02".to_owned(),
        format!("Task?_id={id}"),
        format!("Task?identifier={number}"),
        format!("Task?identifier=urn:rorqual:anomaly|{number}"),
        "Task?focus=Location/un".to_owned(),
        "Task?focus:Location.status=active".to_owned(),
        "Task?focus:Location:status=active".to_owned(),
        "Task?authored-on=2024-01-03".to_owned(),
        "Task?_filter=business-status%20eq%2002".to_owned(),
    ] {
        assert_eq!(reader.found(&search), [id.as_str()], "{search}");
    }
    assert_eq!(
        reader.found("Location?_has:Task:focus:business-status=02"),
        ["un"]
    );
    let page = reader
        .get("/fhir/Location?_id=un&_revinclude=Task:focus")
        .json();
    assert_eq!(ids_of(&page, "include"), [id.as_str()]);

    let focus = json!({"type": "Organization", "identifier": {"value": "440000001"}});
    let logical = id_of(&writer.report(&anomaly_with("focus", focus)));
    for search in [
        "Task?focus:Organization.identifier=440000001",
        "Task?focus:Organization.name=clinique",
        "Task?focus:identifier=440000001",
    ] {
        assert_eq!(reader.found(search), [logical.as_str()], "{search}");
    }
    assert_eq!(
        reader.found("Organization?_has:Task:focus:business-status=02"),
        ["un"]
    );
    let page = reader
        .get("/fhir/Organization?_revinclude=Task:focus")
        .json();
    assert_eq!(ids_of(&page, "include"), [logical.as_str()]);
    let include = reader
        .get("/fhir/Task?business-status=02&_include=Task:focus")
        .json();
    assert_eq!(ids_of(&include, "include"), ["un", "un"]);
    assert_eq!(reader.total("Task?_summary=count"), 4);
    assert_eq!(reader.total("Task?business-status=02"), 2);
    let latest = reader.found("Task?_sort=-_lastUpdated");
    assert_eq!(latest[..2], [logical.clone(), id.clone()]);

    // And by nothing that it no longer is.
    writer.set_status(&logical, "08");
    assert_eq!(
        reader.found("Organization?_has:Task:focus:business-status=02"),
        [""; 0]
    );
    assert_eq!(
        reader.found("Organization?_has:Task:focus:business-status=08"),
        ["un"]
    );
    assert_eq!(reader.found("Task?business-status=02"), [id.as_str()]);
    assert_eq!(reader.total("Task"), 4);
    assert_eq!(reader.found("Task?_sort=-_lastUpdated")[0], logical);
}

#[test]
fn pages_are_stable_while_writes_go_on() {
    let server = Server::start();
    let (mut writer, mut reader) = (server.connect(), server.connect());
    let ids: Vec<String> = (0..20).map(|_| id_of(&writer.report(&anomaly()))).collect();
    let before = reader.found("Task?_count=100");
    assert_eq!(before.len(), 22);
    let mut page = reader.get("/fhir/Task?_count=5").json();
    let mut seen = ids_of(&page, "match");
    let mut turn = 0;
    while let Some(next) = link(&page, "next") {
        // Between two pages: new ones, and changes of some already seen and some still to come.
        writer.report(&anomaly());
        for id in [&ids[turn], &ids[19 - turn]] {
            writer.set_status(id, "08");
        }
        turn += 1;
        page = reader.get(&next).json();
        assert_eq!(page["total"], 22, "the state in which it began");
        seen.extend(ids_of(&page, "match"));
    }
    assert_eq!(turn, 4);
    assert_eq!(seen, before);
    assert_eq!(reader.total("Task"), 22 + 4);
}

#[test]
fn changes_since_an_instant() {
    let server = Server::start();
    let mut client = server.connect();
    let first = client.report(&anomaly());
    // Instants count in milliseconds.
    std::thread::sleep(std::time::Duration::from_millis(5));
    let second = client.report(&anomaly());
    let since = second["meta"]["lastUpdated"].as_str().expect("an instant");
    let search = format!("Task?_lastUpdated=ge{since}");
    assert_eq!(client.found(&search), [id_of(&second)]);
    client.set_status(&id_of(&first), "08");
    client.set_status("old-1", "03");
    let mut changed = client.found(&search);
    changed.sort();
    let mut expected = vec![id_of(&first), id_of(&second), "old-1".to_owned()];
    expected.sort();
    assert_eq!(changed, expected);
}

#[test]
fn a_patch_is_seen_by_whoever_holds_the_old_version() {
    let server = Server::start();
    let (mut writer, mut reader) = (server.connect(), server.connect());
    let id = id_of(&writer.report(&anomaly()));
    let target = format!("/fhir/Task/{id}");
    let held = [("If-None-Match", "W/\"1\"")];
    assert_eq!(reader.send("GET", &target, &held, b"").status, 304);
    let patched = writer.send_json("PATCH", &target, &held[..0], &to_status("08"));
    assert_eq!(patched.status, 200);
    assert_eq!(reader.send("GET", &target, &held, b"").status, 200);
}
