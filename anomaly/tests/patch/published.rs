//! The published bodies of the update and report scenarios.

use rorqual_anomaly::Finding;
use rorqual_anomaly::patch::{parse_fhirpath_patch, parse_json_patch};
use rorqual_anomaly::requests::{Action, BundleKind, Limits, PatchLanguage, parse_requests};
use rorqual_anomaly::task_text::TaskText;
use serde_json::Value;

const BASE: &str = "https://ror.example/fhir";

/// The variants of one scenario, by their letter.
fn variants(id: &str) -> Vec<(String, Value)> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/scenarios/scenarios.json"
    );
    let text = std::fs::read(path).expect("the scenarios");
    let all: Vec<Value> = serde_json::from_slice(&text).expect("JSON");
    let scenario = all
        .iter()
        .find(|own| own["id"] == id)
        .expect("the scenario");
    scenario["requests"]
        .as_array()
        .expect("requests")
        .iter()
        .map(|own| {
            (
                own["variant"].as_str().expect("a letter").to_owned(),
                own.clone(),
            )
        })
        .collect()
}

fn stored() -> TaskText {
    let report = variants("report-01").swap_remove(0).1;
    TaskText::parse(report["body"].to_string().as_bytes()).expect("a Task")
}

/// What a PATCH of that body makes of the business status.
fn patched(body: &Value, json_patch: bool) -> Value {
    let text = body.to_string();
    let patch = if json_patch {
        parse_json_patch(text.as_bytes())
    } else {
        parse_fhirpath_patch(text.as_bytes())
    };
    let mut task = stored();
    patch
        .expect("readable")
        .apply(&mut task)
        .expect("applicable");
    let status = task
        .get("businessStatus")
        .expect("there")
        .as_str()
        .to_owned();
    let mut unchanged = stored();
    unchanged.remove("businessStatus");
    task.remove("businessStatus");
    assert_eq!(task, unchanged, "nothing else changes");
    serde_json::from_str(&status).expect("JSON")
}

#[test]
fn updates_behave_as_the_scenarios_say() {
    let mut seen = String::new();
    for (letter, request) in variants("update-01")
        .into_iter()
        .chain(variants("update-02"))
    {
        let body = &request["body"];
        if request["method"] == "PATCH" {
            let json = request["headers"]["Content-Type"] == "application/json-patch+json";
            let status = patched(body, json);
            // The code of update-02 b is outside the value set: that is for the profile to refuse, with 422.
            let expected = match request["handling"].as_str() {
                Some("reject-422") => "260385009",
                _ if request["path_and_query"] == "/Task/1310" => "03",
                _ => "08",
            };
            assert_eq!(status["coding"][0]["code"], expected, "{letter}");
        } else {
            let text = body.to_string();
            let read = parse_requests(text.as_bytes(), BASE, &Limits { entries: 10 });
            if request["handling"] == "accept" {
                let requests = read.expect("readable");
                assert_eq!(requests.entries.len(), 2);
                for (entry, id) in requests.entries.iter().zip(["1309", "1310"]) {
                    let entry = entry.as_ref().expect("readable");
                    let Action::Patch {
                        id: own,
                        body,
                        language,
                        ..
                    } = &entry.action
                    else {
                        panic!("a patch is expected: {entry:?}");
                    };
                    assert_eq!((own.as_str(), *language), (id, PatchLanguage::FhirPath));
                    assert!(parse_fhirpath_patch(body).is_ok());
                }
            } else {
                assert_eq!(request["handling"], "reject-4xx", "{letter}");
                let faults = read.expect_err("an address of another server");
                assert_eq!((faults[0].status(), faults[0].code()), (400, "value"));
                assert_eq!(faults[0].path(), "Bundle.entry[0].request.url");
            }
        }
        seen.push_str(&letter);
    }
    assert_eq!(seen, "abcdefghab");
}

#[test]
fn reports_of_several_behave_as_the_scenarios_say() {
    let mut kinds = Vec::new();
    for (letter, request) in variants("report-02") {
        let text = request["body"].to_string();
        let read = parse_requests(text.as_bytes(), BASE, &Limits { entries: 10 });
        if request["handling"] == "accept" {
            let requests = read.expect("readable");
            kinds.push(requests.kind);
            for (entry, sent) in requests
                .entries
                .iter()
                .zip(request["body"]["entry"].as_array().expect("entries"))
            {
                let entry = entry.as_ref().expect("readable");
                assert_eq!(entry.full_url.as_deref(), sent["fullUrl"].as_str());
                let Action::Create {
                    body,
                    if_none_exist: None,
                } = &entry.action
                else {
                    panic!("{letter}: a creation is expected: {entry:?}");
                };
                assert_eq!(body.as_str(), sent["resource"].to_string());
            }
        } else {
            let faults = read.expect_err("a collection carries no requests");
            assert_eq!(
                (faults[0].status(), faults[0].path()),
                (400, "Bundle.type".to_owned())
            );
        }
    }
    assert_eq!(kinds, [BundleKind::Batch, BundleKind::Transaction]);
}

/// The older sketch of a bulk update carries a comment, which no JSON has.
#[test]
fn a_comment_is_no_json() {
    let body = b"{\"resourceType\":\"Bundle\",\"type\":\"transaction\", #facultatif\n\"entry\":[]}";
    let faults = parse_requests(body, BASE, &Limits { entries: 10 }).expect_err("refused");
    assert_eq!((faults[0].status(), faults[0].code()), (400, "structure"));
}
