//! What was acknowledged is there after a restart; what the log has suffered is told, and does not stop searches.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rorqual::server::{Served, ServerConfig};
use serde_json::Value;

use super::body::{anomaly, bundle, id_of, refused, to_create, to_patch, to_status};
use crate::client::{Client, Server};

/// Writes in every way there is, and what the server has acknowledged: each Task as last answered.
fn acknowledged(client: &mut Client) -> BTreeMap<String, Value> {
    let mut ledger = BTreeMap::new();
    let mut keep = |task: Value| ledger.insert(id_of(&task), task);
    for _ in 0..5 {
        let id = id_of(&client.report(&anomaly()));
        keep(client.set_status(&id, "08"));
    }
    let entries = vec![
        to_create(anomaly()),
        to_create(anomaly()),
        to_patch("old-1", to_status("05")),
    ];
    let answer = client.send_json("POST", "/fhir", &[], &bundle("transaction", entries));
    for entry in answer.json()["entry"].as_array().expect("entries") {
        keep(entry["resource"].clone());
    }
    ledger
}

fn assert_all_there(client: &mut Client, ledger: &BTreeMap<String, Value>) {
    for (id, task) in ledger {
        let read = client.get(&format!("/fhir/Task/{id}"));
        assert_eq!(read.status, 200, "{id}");
        assert_eq!(read.json(), *task);
        let tag = format!(
            "W/\"{}\"",
            task["meta"]["versionId"].as_str().expect("a version")
        );
        assert_eq!(read.header("etag"), Some(tag.as_str()));
    }
    let mut found = client.found("Task");
    found.sort();
    let mut expected: Vec<String> = ledger.keys().cloned().collect();
    expected.push("old-2".to_owned());
    expected.sort();
    assert_eq!(found, expected);
}

/// The segments of the log, in order.
fn segments(index: &Path) -> Vec<PathBuf> {
    let folder = fs::read_dir(index.join("anomalies")).expect("a log");
    let mut files: Vec<PathBuf> = folder
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.metadata().is_ok_and(|file| file.len() > 64))
        .collect();
    files.sort();
    files
}

#[test]
fn a_restart_finds_everything_and_gives_no_number_twice() {
    let server = Server::start();
    let ledger = acknowledged(&mut server.connect());
    let mut folder = server.into_folder();
    for restarts in 1..=2 {
        let server = Server::start_on(folder, |_| {});
        let mut client = server.connect();
        if restarts == 1 {
            assert_all_there(&mut client, &ledger);
        }
        let new = client.report(&anomaly());
        let number = format!("ANO-{:08}", 7 + restarts);
        assert_eq!(new["identifier"][0]["value"], number.as_str());
        folder = server.into_folder();
    }
}

#[test]
fn folding_while_serving_keeps_everything() {
    let server = Server::start_with(|config| {
        config.anomalies.fold_versions = 5;
        config.refresh_interval_ms = 10;
    });
    let mut client = server.connect();
    let before = client.get("/readyz").json()["generation"].clone();
    let ledger = acknowledged(&mut client);
    // The bound only ends a test that would hang.
    let folded = (0..3_000).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        client.get("/readyz").json()["generation"] != before
    });
    assert!(folded, "the log was not folded");
    assert_all_there(&mut client, &ledger);
    let id = ledger.keys().next().expect("a Task").clone();
    let version: u64 = ledger[&id]["meta"]["versionId"]
        .as_str()
        .and_then(|version| version.parse().ok())
        .expect("a number");
    let task = client.set_status(&id, "03");
    assert_eq!(task["meta"]["versionId"], (version + 1).to_string());
    let mut ledger = ledger;
    ledger.insert(id, task);
    let server = Server::start_on(server.into_folder(), |_| {});
    assert_all_there(&mut server.connect(), &ledger);
}

#[test]
fn a_second_writer_is_turned_away() {
    let server = Server::start();
    server.connect().report(&anomaly());
    let error = match Served::open(&server.index(), &ServerConfig::default()) {
        Ok(_) => panic!("two writers of one log"),
        Err(error) => error.to_string(),
    };
    assert!(
        error.contains("is being written by") && error.contains("writable = false"),
        "{error}"
    );
    let mut config = ServerConfig::default();
    config.anomalies.writable = false;
    let reader = Served::open(&server.index(), &config).expect("a reader beside the writer");
    assert!(reader.store().is_none());
    let found = reader.engine().search("Task").expect("a search").total;
    assert_eq!(found, 2 + 1, "it sees what was written before");
}

#[test]
fn a_torn_tail_is_kept_aside() {
    let server = Server::start();
    let ledger = acknowledged(&mut server.connect());
    let index = server.index();
    let folder = server.into_folder();
    let last = segments(&index).pop().expect("a segment");
    let mut bytes = fs::read(&last).expect("a readable segment");
    bytes.extend(b"half a record");
    fs::write(&last, bytes).expect("a writable segment");
    let before = fs::read_dir(index.join("anomalies"))
        .expect("a log")
        .count();
    let config = ServerConfig::default();
    let served = Served::open(&index, &config).expect("a torn tail is no obstacle");
    let store = served.store().expect("a writer");
    let torn = store.recovery().torn_tail.clone().expect("a torn tail");
    let kept = torn.kept.expect("kept aside");
    assert!(index.join("anomalies").join(&kept).is_file(), "{kept}");
    assert!(store.status().writable);
    assert_eq!(
        fs::read_dir(index.join("anomalies"))
            .expect("a log")
            .count(),
        before + 1
    );
    drop(served);
    let server = Server::start_on(folder, |_| {});
    let mut client = server.connect();
    assert_all_there(&mut client, &ledger);
    client.report(&anomaly());
}

#[test]
fn a_damaged_log_serves_reads_and_refuses_writes() {
    let server = Server::start();
    acknowledged(&mut server.connect());
    let index = server.index();
    let folder = server.into_folder();
    let first = segments(&index).remove(0);
    let mut bytes = fs::read(&first).expect("a readable segment");
    // In the second record: something sound follows, so it is no torn tail.
    let middle = bytes.len() / 3;
    bytes[middle] ^= 0x40;
    fs::write(&first, &bytes).expect("a writable segment");

    let server = Server::start_on(folder, |_| {});
    let mut client = server.connect();
    assert_eq!(client.get("/fhir/Location/un").status, 200);
    assert_eq!(client.get("/fhir/Task/old-2").status, 200);
    let ready = client.get("/readyz");
    assert_eq!(
        (ready.status, &ready.json()["writes"]),
        (200, &"refused".into())
    );
    for (method, target, body) in [
        ("POST", "/fhir/Task", anomaly()),
        ("PATCH", "/fhir/Task/old-2", to_status("08")),
        (
            "POST",
            "/fhir",
            bundle("transaction", vec![to_create(anomaly())]),
        ),
    ] {
        let response = client.send_json(method, target, &[], &body);
        refused(
            &mut client,
            &response,
            503,
            "transient",
            "nothing was stored",
        );
        assert!(response.header("retry-after").is_some());
        let text = response.text();
        assert!(
            !text.contains("anomalies/") && !text.contains("byte"),
            "{text}"
        );
    }
    let batch = bundle("batch", vec![to_create(anomaly())]);
    let answer = client.send_json("POST", "/fhir", &[], &batch).json();
    assert_eq!(
        answer["entry"][0]["response"]["status"],
        "503 Service Unavailable"
    );
    assert_eq!(
        fs::read(&first).expect("a readable segment"),
        bytes,
        "nothing was repaired"
    );
}
