//! References to what is not visible, in every form they take.

use rorqual_access::{Facts, Target};
use rorqual_schema::ResourceType;
use serde_json::{Value, json};

use crate::scene::{is_subsetted, rules, seen_where};

const OPEN: &str = "documents.HealthcareService = 'always'\ndocuments.Location = 'always'\ndocuments.Task = 'always'\n\
    tasks = ['read']\nrest = ['*']\nsee.'Organization.alias' = 'never'";

/// Hidden: HealthcareService/h, Organization/h, Location/h, and whatever carries the identifier `secret`.
fn visible(target: Target<'_>) -> bool {
    match target {
        Target::Literal { id, .. } => id != "h",
        Target::Logical { value, .. } => value != "secret",
    }
}

fn kept(member: &str, value: Value) -> bool {
    let resource = json!({"resourceType": "Location", "id": "1", member: value});
    let seen = seen_where(&rules(OPEN), &resource, Facts::unattached(), &visible);
    let seen = seen.expect("visible");
    assert_eq!(is_subsetted(&seen), seen != resource);
    assert!(seen == resource || seen.get(member).is_none(), "{seen}");
    seen == resource
}

#[test]
fn references_stay_when_what_they_name_may_be_seen() {
    for (member, value) in [
        (
            "managingOrganization",
            json!({"reference": "Organization/1", "display": "x"}),
        ),
        (
            "managingOrganization",
            json!({"reference": "https://any.example/r4/Organization/1/_history/2"}),
        ),
        ("managingOrganization", json!({"reference": "1"})),
        ("partOf", json!({"reference": "1"})),
        (
            "managingOrganization",
            json!({"type": "Organization", "identifier": {"value": "open"}}),
        ),
        ("endpoint", json!([{"reference": "Endpoint/h"}])),
        (
            "extension",
            json!([{"url": "u", "valueReference": {"reference": "Organization/1"}}]),
        ),
        (
            "extension",
            json!([{"url": "u", "valueReference": {"type": "Patient", "identifier": {"value": "secret"}}}]),
        ),
    ] {
        assert!(kept(member, value.clone()), "{member}: {value}");
    }
}

#[test]
fn references_go_when_what_they_name_is_hidden_or_cannot_be_told() {
    for (member, value) in [
        (
            "managingOrganization",
            json!({"reference": "Organization/h", "display": "x"}),
        ),
        (
            "managingOrganization",
            json!({"reference": " Organization/h "}),
        ),
        (
            "managingOrganization",
            json!({"reference": "organization/h"}),
        ),
        (
            "managingOrganization",
            json!({"reference": "https://any.example/r4/Organization/h"}),
        ),
        (
            "managingOrganization",
            json!({"reference": "https://any.example/r4/Organization/h/_history/2"}),
        ),
        ("managingOrganization", json!({"reference": "h"})),
        ("partOf", json!({"reference": "h"})),
        (
            "extension",
            json!([{"url": "u", "valueReference": {"reference": "h"}}]),
        ),
        (
            "extension",
            json!([{"url": "u", "valueReference": {"reference": "1"}}]),
        ),
        ("managingOrganization", json!({"reference": "#inside"})),
        (
            "managingOrganization",
            json!({"reference": "urn:uuid:8c2b5a3e-1"}),
        ),
        (
            "managingOrganization",
            json!({"reference": "Organization?identifier=secret"}),
        ),
        ("managingOrganization", json!({"reference": 12})),
        (
            "managingOrganization",
            json!({"reference": "Organization/1", "identifier": {"value": "secret"}}),
        ),
        (
            "managingOrganization",
            json!({"type": "Organization", "identifier": {"system": "s", "value": "secret"}}),
        ),
        (
            "managingOrganization",
            json!({"identifier": {"system": "s"}}),
        ),
        ("managingOrganization", json!({"display": "Unité protégée"})),
        ("managingOrganization", json!("Organization/h")),
        (
            "extension",
            json!([{"url": "u", "valueReference": {"reference": "Organization/h"}}]),
        ),
        (
            "somethingNew",
            json!({"deep": [{"reference": "Organization/h"}]}),
        ),
        ("somethingNew", json!({"identifier": {"value": "secret"}})),
        (
            "_name",
            json!({"extension": [{"url": "u", "valueReference": {"reference": "Organization/h"}}]}),
        ),
    ] {
        assert!(!kept(member, value.clone()), "{member}: {value}");
    }
}

#[test]
fn only_the_reference_goes() {
    let resource = json!({"resourceType": "HealthcareService", "id": "1", "name": "n",
        "location": [{"reference": "Location/1"}, {"reference": "Location/h"}, {"reference": "Location/2"}],
        "providedBy": {"reference": "Organization/h"},
        "identifier": [{"value": "v", "assigner": {"display": "somebody"}}]});
    let seen = seen_where(&rules(OPEN), &resource, Facts::unattached(), &visible).expect("visible");
    assert_eq!(
        seen["location"],
        json!([{"reference": "Location/1"}, {"reference": "Location/2"}])
    );
    assert!(seen.get("providedBy").is_none());
    assert_eq!(seen["identifier"], json!([{"value": "v"}]));
    assert_eq!(seen["name"], "n");
}

#[test]
fn what_a_list_of_siblings_loses_leaves_its_place() {
    let resource = json!({"resourceType": "Location", "id": "1", "alias": ["a", "b"], "_alias": [
        {"extension": [{"url": "u", "valueReference": {"reference": "Organization/h"}}]},
        {"extension": [{"url": "u", "valueString": "s"}]}]});
    let seen = seen_where(&rules(OPEN), &resource, Facts::unattached(), &visible).expect("visible");
    assert_eq!(
        seen["_alias"],
        json!([null, {"extension": [{"url": "u", "valueString": "s"}]}])
    );
    assert_eq!(seen["alias"], json!(["a", "b"]));
}

#[test]
fn a_task_is_hidden_with_its_focus() {
    let rules = rules(OPEN);
    let task = |focus: Value| json!({"resourceType": "Task", "id": "1", "focus": focus, "owner": {"reference": "Organization/h"}});
    let seen = |task: &Value| seen_where(&rules, task, Facts::unattached(), &visible);
    for open in [
        json!({"reference": "HealthcareService/1"}),
        json!({"reference": "HealthcareService/1", "type": "HealthcareService", "identifier": {"value": "open"}}),
        json!({"type": "HealthcareService", "identifier": {"value": "open"}}),
    ] {
        let seen = seen(&task(open.clone())).expect("its focus is visible");
        assert_eq!(seen["focus"], open);
        assert!(seen.get("owner").is_none());
    }
    for closed in [
        json!({"reference": "HealthcareService/h"}),
        json!({"type": "HealthcareService", "identifier": {"value": "secret"}}),
        json!({"reference": "HealthcareService/1", "identifier": {"value": "secret"}}),
        json!({"display": "x"}),
        json!({}),
        json!([{"reference": "HealthcareService/1"}]),
        Value::Null,
    ] {
        assert_eq!(seen(&task(closed.clone())), None, "{closed}");
    }
    assert_eq!(seen(&json!({"resourceType": "Task", "id": "1"})), None);
}

#[test]
fn the_view_of_everything_asks_nothing() {
    let full = rorqual_access::DataRules::full();
    let resource = json!({"resourceType": "Location", "id": "1", "partOf": {"reference": "Location/h"}, "contained": [{}]});
    let seen = seen_where(&full, &resource, Facts::unknown(), &|_| false);
    assert_eq!(seen, Some(resource));
    assert!(full.sees(ResourceType::Task, &[], Facts::unknown()));
}
