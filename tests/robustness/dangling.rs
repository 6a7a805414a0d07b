//! References to what the extract does not hold: kept in the body, matching nothing, counted.

use serde_json::json;

use crate::built::{Built, ask, ids, matches};

#[test]
fn they_are_counted_by_type_and_match_nothing() {
    let lines = [
        json!({"resourceType": "HealthcareService", "id": "whole",
            "providedBy": {"reference": "Organization/here"}, "location": [{"reference": "Location/here"}]}),
        json!({"resourceType": "HealthcareService", "id": "half",
            "providedBy": {"reference": "Organization/gone"}, "location": [{"reference": "Location/here"}]}),
        json!({"resourceType": "HealthcareService", "id": "none",
            "providedBy": {"reference": "Organization/gone"},
            "location": [{"reference": "Location/gone"}, {"reference": "Location/too"}]}),
        json!({"resourceType": "Organization", "id": "here", "partOf": {"reference": "Organization/above"}}),
        json!({"resourceType": "Location", "id": "here"}),
        json!({"resourceType": "PractitionerRole", "id": "role",
            "practitioner": {"reference": "Practitioner/gone"},
            "healthcareService": [{"reference": "HealthcareService/whole"}]}),
    ]
    .map(|line| line.to_string());
    let built = Built::empty();
    let report = built.rebuild(&lines);
    let dangling = |kind: &str| report.types[kind].dangling_references;
    assert_eq!(dangling("HealthcareService"), 4);
    assert_eq!(dangling("Organization"), 1);
    assert_eq!(dangling("PractitionerRole"), 1);
    assert_eq!(dangling("Location"), 0);
    assert_eq!(
        report.rejected, 0,
        "a dangling reference is no fault of the record"
    );

    let engine = built.engine();
    let manifest = engine.generation();
    assert_eq!(manifest.manifest().dangling["HealthcareService"], 4);
    assert_eq!(
        ids(&engine, "HealthcareService?organization=Organization/gone"),
        [""; 0]
    );
    assert_eq!(ids(&engine, "HealthcareService?location=gone"), [""; 0]);
    assert_eq!(
        ids(&engine, "HealthcareService?location=here&_sort=_id"),
        ["half", "whole"]
    );
    assert_eq!(ids(&engine, "PractitionerRole?practitioner=gone"), [""; 0]);
    let (bundle, _) =
        ask(&engine, "HealthcareService?_id=none&_include=*").expect("a sound search");
    let found: Vec<_> = matches(&bundle).collect();
    assert_eq!(
        bundle["entry"].as_array().map(Vec::len),
        Some(1),
        "nothing to include"
    );
    assert_eq!(
        found[0]["location"][1]["reference"], "Location/too",
        "the body is as received"
    );
    built.is_sound();
}

#[test]
fn what_was_absent_is_found_once_a_later_extract_holds_it() {
    let offer = json!({"resourceType": "HealthcareService", "id": "o",
        "location": [{"reference": "Location/late"}]})
    .to_string();
    let place = json!({"resourceType": "Location", "id": "late"}).to_string();
    let built = Built::of(&[&offer]);
    assert_eq!(
        ids(&built.engine(), "HealthcareService?location=late"),
        [""; 0]
    );
    let report = built.rebuild(&[&offer, &place]);
    assert_eq!(report.total().dangling_references, 0);
    assert_eq!(
        ids(&built.engine(), "HealthcareService?location=late"),
        ["o"]
    );
}
