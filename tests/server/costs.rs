//! What one search may cost while it runs: time, and the length of its answer.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use rorqual::bundle::assemble::Coding;
use rorqual::{Engine, EngineOptions, Handling, ResourceType, SearchRequest};
use serde_json::json;
use tempfile::TempDir;

use crate::client::Server;

/// A service given in three places, each of which fills more than half a mebibyte.
fn index() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let name = "a".repeat(600_000);
    let places = ["1", "2", "3"].map(|id| json!({"reference": format!("Location/{id}")}));
    let service = json!({"resourceType": "HealthcareService", "id": "s", "location": places});
    let mut lines = vec![service.to_string()];
    for id in ["1", "2", "3"] {
        let place = json!({"resourceType": "Location", "id": id, "status": "active", "name": name});
        lines.push(place.to_string());
    }
    let source = folder.path().join("extract.ndjson");
    fs::write(&source, lines.join("\n")).expect("a writable folder");
    let index = folder.path().join("index");
    index_builder::build(&index_builder::BuildOptions {
        extract: vec![source],
        index: index.clone(),
        ..Default::default()
    })
    .expect("the extract builds");
    (folder, index)
}

#[test]
fn an_answer_is_no_longer_than_it_may_be() {
    let (folder, _) = index();
    let server = Server::start_on(folder, |config| config.limits.answer_bytes = 1 << 20);
    let one = server.get("/fhir/Location?_count=1");
    assert_eq!((one.status, &one.json()["total"]), (200, &json!(3)));
    for query in ["Location?_count=3", "Location?status=active&_elements=name"] {
        let refused = server.get(&format!("/fhir/{query}"));
        assert_eq!(
            (refused.status, refused.issue_code().as_str()),
            (400, "too-costly"),
            "{query}"
        );
        assert!(refused.text().contains("_count"), "{}", refused.text());
    }
    assert_eq!(server.get("/fhir/Location?_summary=count").status, 200);

    // Of what comes along there is as much as there is room for, and that something is missing is said.
    let along = server.get("/fhir/HealthcareService?_include=HealthcareService:location");
    assert_eq!(along.status, 200);
    let bundle = along.json();
    let entries = bundle["entry"].as_array().expect("entries");
    let modes: Vec<&str> = entries
        .iter()
        .filter_map(|entry| entry["search"]["mode"].as_str())
        .collect();
    assert_eq!(modes, ["match", "include", "outcome"]);
    assert_eq!(entries[2]["resource"]["issue"][0]["code"], "too-costly");
}

#[test]
fn a_search_that_has_spent_its_time_is_stopped() {
    let (_folder, index) = index();
    let open = |search_budget| {
        let options = EngineOptions {
            search_budget,
            ..EngineOptions::default()
        };
        Engine::open_with(&index, options).expect("the index opens")
    };
    let request = |query| SearchRequest {
        kind: ResourceType::HealthcareService,
        query,
        base_url: "http://localhost/fhir",
        handling: Handling::Default,
        permits: None,
        coding: Coding::Identity,
        name: None,
    };
    let (patient, hasty) = (open(Duration::from_secs(600)), open(Duration::ZERO));
    for query in [
        "",
        "location.status=active",
        "_include=HealthcareService:location",
    ] {
        assert!(patient.full().answer(&request(query)).is_ok(), "{query}");
        let error = hasty.full().answer(&request(query)).err().expect("no time");
        assert_eq!((error.status(), error.issues()[0].code), (503, "timeout"));
        assert!(error.retry_after().is_some());
    }
}
