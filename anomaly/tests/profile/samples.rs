//! Bodies that the documented requests, the fixtures and the examples hold.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{example, profile_of, smallest, structure_of, whole, with};

fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

fn scenarios() -> Vec<Value> {
    let text = std::fs::read(project("tests/scenarios/scenarios.json")).expect("the scenarios");
    serde_json::from_slice(&text).expect("valid JSON")
}

/// The requests of all scenarios whose id begins so: id, variant, handling, body.
fn requests(prefix: &str) -> Vec<(String, String, Value)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let mut found = Vec::new();
    for scenario in scenarios() {
        let id = text(&scenario["id"]);
        if id.starts_with(prefix) {
            for request in scenario["requests"].as_array().expect("requests") {
                let name = format!("{id}/{}", text(&request["variant"]));
                found.push((name, text(&request["handling"]), request["body"].clone()));
            }
        }
    }
    found
}

/// The body of one documented request.
pub(super) fn documented(id: &str, variant: &str) -> Value {
    let name = format!("{id}/{variant}");
    let found = requests(id).into_iter().find(|(known, ..)| *known == name);
    found.expect("a documented request").2
}

/// The Tasks in a body, itself or the entries of a Bundle.
fn tasks(body: &Value) -> Vec<Value> {
    match body["resourceType"].as_str() {
        Some("Task") => vec![body.clone()],
        Some("Bundle") => {
            let entries = body["entry"].as_array().expect("entries").iter();
            entries
                .flat_map(|entry| tasks(&entry["resource"]))
                .collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn documented_reports_are_judged_as_the_scenarios_say() {
    let (mut accepted, mut refused) = (0, 0);
    for (name, handling, body) in requests("report-") {
        for task in tasks(&body) {
            let structure = structure_of(&task);
            if handling == "accept" {
                assert_eq!(structure, [], "{name}");
                assert_eq!(profile_of(&task), [], "{name}");
                accepted += 1;
            } else {
                assert!(structure.iter().any(|fault| fault.status == 400), "{name}");
                refused += 1;
            }
        }
    }
    assert_eq!((accepted, refused), (8, 3));
}

#[test]
fn the_withdrawn_sketch_is_told_each_of_its_faults() {
    let told: Vec<(String, &str)> = structure_of(&documented("report-01", "e"))
        .into_iter()
        .map(|fault| (fault.path, fault.code))
        .collect();
    // Arrays of identifiers for code and status, and a URL for a reference.
    for path in ["Task.businessStatus", "Task.code", "Task.focus"] {
        assert!(
            told.contains(&(path.to_owned(), "structure")),
            "{path}: {told:?}"
        );
    }
}

#[test]
fn documented_changes_leave_a_task_that_is_judged_as_the_scenarios_say() {
    let (mut accepted, mut refused) = (0, 0);
    for (name, handling, body) in requests("update-") {
        for value in status_values(&body) {
            let task = with(smallest(), "/businessStatus", value);
            assert_eq!(structure_of(&task), [], "{name}");
            let faults = profile_of(&task);
            if handling == "accept" {
                assert_eq!(faults, [], "{name}");
                accepted += 1;
            } else if handling.starts_with("reject") {
                let told: Vec<_> = faults
                    .iter()
                    .map(|f| (f.status, f.code, f.path.as_str()))
                    .collect();
                assert_eq!(
                    told,
                    [(422, "code-invalid", "Task.businessStatus")],
                    "{name}"
                );
                refused += 1;
            }
        }
    }
    assert!(accepted >= 5 && refused >= 2, "{accepted} {refused}");
}

/// Every CodeableConcept that a patch would set.
fn status_values(body: &Value) -> Vec<Value> {
    match body {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match name.as_str() {
                "valueCodeableConcept" => vec![value.clone()],
                _ => status_values(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(status_values).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn anomalies_of_the_fixtures_are_accepted() {
    let packed = std::fs::read(project("fixtures/extract/Task.ndjson.zst")).expect("the fixture");
    let text = zstd::decode_all(packed.as_slice()).expect("zstd");
    let text = String::from_utf8(text).expect("UTF-8");
    let mut count = 0;
    for line in text.lines() {
        let task: Value = serde_json::from_str(line).expect("valid JSON");
        assert_eq!(structure_of(&task), [], "{line}");
        assert_eq!(profile_of(&task), [], "{line}");
        count += 1;
    }
    assert!(count >= 50, "{count}");
}

#[test]
fn everything_legal_is_accepted_at_once() {
    for task in [example(), whole()] {
        assert_eq!(structure_of(&task), []);
        assert_eq!(profile_of(&task), []);
    }
    // The body does hold every element of the first level.
    let named = whole();
    for name in rorqual_schema::top_level_elements(rorqual_schema::ResourceType::Task)
        .elements
        .iter()
    {
        assert!(named.get(name).is_some(), "{name}");
    }
}

#[test]
fn another_resource_and_no_resource_are_refused_with_one_fault() {
    for (body, found) in [
        (json!({"resourceType": "Patient"}), "of type \"Patient\""),
        (json!({"resourceType": "task"}), "of type \"task\""),
        (json!({"status": "draft"}), "no resourceType"),
        (json!({"resourceType": 7}), "the number 7"),
        (json!([]), "an array"),
        (json!("Task"), "the string \"Task\""),
        (Value::Null, "null"),
    ] {
        let told = structure_of(&body);
        assert_eq!(told.len(), 1, "{body}");
        assert_eq!(
            (told[0].status, told[0].code, told[0].path.as_str()),
            (400, "structure", "")
        );
        assert!(
            told[0].diagnostics.contains(found),
            "{}",
            told[0].diagnostics
        );
        assert!(told[0].diagnostics.contains("\"Task\""));
    }
}
