//! What the focus and the other references of a Task may point to.

use rorqual_anomaly::Finding;
use rorqual_anomaly::profile::{Focus, ProfileFault, focus};
use rorqual_schema::{Node, ResourceType};
use serde_json::{Value, json};

use super::profile_faults::only;
use super::{BASE, profile_of, smallest, with};

fn read_focus(value: Value) -> (Value, Result<String, ProfileFault>) {
    let task = with(smallest(), "/focus", value);
    let text = task.to_string();
    let node = Node::parse(text.as_bytes()).expect("valid JSON");
    let read = focus(&node, BASE).map(|focus| match focus {
        Focus::Literal { kind, id } => format!("{kind}/{id}"),
        Focus::Logical {
            kind,
            system,
            value,
        } => format!("{kind} {}|{value}", system.unwrap_or("-")),
    });
    (task, read)
}

#[test]
fn a_focus_is_literal_or_logical() {
    for (value, expected) in [
        (
            json!({"reference": "HealthcareService/52000000302"}),
            "HealthcareService/52000000302",
        ),
        (
            json!({"reference": "https://ror.example/fhir/Location/4"}),
            "Location/4",
        ),
        (
            json!({"reference": "Organization/12/_history/3"}),
            "Organization/12",
        ),
        (
            json!({"reference": "Practitioner/1", "type": "Practitioner"}),
            "Practitioner/1",
        ),
        (
            json!({"reference": "PractitionerRole/1", "type": "http://hl7.org/fhir/StructureDefinition/PractitionerRole", "identifier": {"value": "9"}}),
            "PractitionerRole/1",
        ),
        (
            json!({"type": "Organization", "identifier": {"value": "1910800002"}}),
            "Organization -|1910800002",
        ),
        (
            json!({"type": "Organization", "identifier": {"system": "https://finess.esante.gouv.fr", "value": "44"}}),
            "Organization https://finess.esante.gouv.fr|44",
        ),
    ] {
        let (task, read) = read_focus(value);
        assert_eq!(read.as_deref(), Ok(expected));
        assert_eq!(profile_of(&task), []);
    }
    assert_eq!(ResourceType::Location.to_string(), "Location");
}

#[test]
fn a_focus_that_leads_nowhere_is_refused() {
    for (value, path, words) in [
        (
            json!({"display": "la clinique"}),
            "Task.focus",
            &[
                "neither reference nor identifier",
                "type and identifier.value",
            ][..],
        ),
        (
            json!({"type": "Organization"}),
            "Task.focus",
            &["has a type"],
        ),
        (
            json!({"identifier": {"value": "1"}}),
            "Task.focus",
            &["without a type"],
        ),
        (
            json!({"type": "Organization", "identifier": {"system": "a:b"}}),
            "Task.focus",
            &["without a value"],
        ),
        (
            json!({"type": "Organization", "identifier": {"value": " "}}),
            "Task.focus",
            &["without a value"],
        ),
        (
            json!({"reference": "Patient/1"}),
            "Task.focus.reference",
            &["\"Patient\"", "Organization, Location, HealthcareService"],
        ),
        (
            json!({"reference": "Task/1"}),
            "Task.focus.reference",
            &["\"Task\""],
        ),
        (
            json!({"type": "Patient", "identifier": {"value": "1"}}),
            "Task.focus.type",
            &["\"Patient\""],
        ),
        (
            json!({"reference": "Organization/1", "type": "Location"}),
            "Task.focus.type",
            &["\"Location\"", "\"Organization\""],
        ),
        (
            json!({"reference": "12"}),
            "Task.focus.reference",
            &["\"12\"", "Organization/12"],
        ),
        (
            json!({"reference": "Organization/"}),
            "Task.focus.reference",
            &["no reference"],
        ),
        (
            json!({"reference": "Organization/a_b"}),
            "Task.focus.reference",
            &["no reference"],
        ),
        (
            json!({"reference": "/Organization/1"}),
            "Task.focus.reference",
            &["no reference"],
        ),
        (
            json!({"reference": "fhir/Organization/1"}),
            "Task.focus.reference",
            &["no reference"],
        ),
        (
            json!({"reference": "https://other.example/fhir/Organization/1"}),
            "Task.focus.reference",
            &["another server", BASE],
        ),
        (
            json!({"reference": "https://ror.example/fhirx/Organization/1"}),
            "Task.focus.reference",
            &["another server"],
        ),
        (
            json!({"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}),
            "Task.focus.reference",
            &["record of the directory"],
        ),
        // A reference that is written counts; the identifier beside it does not save it.
        (
            json!({"reference": "https://other.example/Organization/1", "type": "Organization", "identifier": {"value": "1"}}),
            "Task.focus.reference",
            &["another server"],
        ),
    ] {
        let (task, read) = read_focus(value);
        let fault = read.expect_err("refused");
        assert_eq!(fault.path(), path);
        only(&task, path, "value", words);
    }
    let node = Node::parse(br#"{"resourceType":"Task"}"#).expect("valid");
    assert!(matches!(
        focus(&node, BASE),
        Err(ProfileFault::Required { .. })
    ));
    // A server that does not know its own address takes relative references only.
    let node = Node::parse(br#"{"focus":{"reference":"https://ror.example/fhir/Location/4"}}"#)
        .expect("valid");
    assert!(focus(&node, "").is_err() && focus(&node, "https://ror.example/fhir/").is_ok());
}

#[test]
fn references_name_the_types_that_may_stand_there() {
    for (pointer, value, path, words) in [
        (
            "/requester",
            json!({"reference": "Location/1"}),
            "Task.requester.reference",
            &[
                "\"Location\"",
                "Organization, Practitioner, PractitionerRole",
            ][..],
        ),
        (
            "/requester",
            json!({"reference": "Device/1"}),
            "Task.requester.reference",
            &["\"Device\""],
        ),
        (
            "/requester",
            json!({"type": "HealthcareService", "identifier": {"value": "1"}}),
            "Task.requester.type",
            &["\"HealthcareService\""],
        ),
        (
            "/requester",
            json!({"reference": "#auteur"}),
            "Task.requester.reference",
            &["\"Group\""],
        ),
        (
            "/owner",
            json!({"reference": "https://other.example/fhir/Patient/1"}),
            "Task.owner.reference",
            &["\"Patient\"", "HealthcareService"],
        ),
        (
            "/partOf",
            json!([{"reference": "Task/1"}, {"reference": "Organization/1"}]),
            "Task.partOf[1].reference",
            &["\"Organization\"", "only Task"],
        ),
        (
            "/location",
            json!({"reference": "Organization/1"}),
            "Task.location.reference",
            &["only Location"],
        ),
        (
            "/restriction",
            json!({"recipient": [{"reference": "Location/1"}]}),
            "Task.restriction.recipient[0].reference",
            &["\"Location\""],
        ),
        (
            "/location",
            json!({"reference": "Location/1", "type": "Organization"}),
            "Task.location.type",
            &["\"Organization\""],
        ),
        (
            "/owner",
            json!({"reference": "Organization/1", "type": "Practitioner"}),
            "Task.owner.type",
            &["\"Practitioner\"", "\"Organization\""],
        ),
        (
            "/location",
            json!({"reference": "12"}),
            "Task.location.reference",
            &["\"12\"", "Type/id"],
        ),
    ] {
        let contained = json!([{"resourceType": "Group", "id": "auteur"}]);
        let task = with(with(smallest(), "/contained", contained), pointer, value);
        only(&task, path, "value", words);
    }
    for (pointer, value) in [
        ("/owner", json!({"reference": "HealthcareService/1"})),
        (
            "/owner",
            json!({"type": "HealthcareService", "identifier": {"value": "1"}}),
        ),
        (
            "/requester",
            json!({"reference": "https://other.example/fhir/Practitioner/1/_history/2"}),
        ),
        ("/requester", json!({"display": "Anne"})),
        (
            "/requester",
            json!({"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}),
        ),
        (
            "/partOf",
            json!([{"reference": "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "type": "Task"}]),
        ),
        (
            "/location",
            json!({"reference": "https://other.example/lieu.html"}),
        ),
        ("/for", json!({"reference": "Patient/1"})),
        ("/basedOn", json!([{"reference": "ServiceRequest/1"}])),
    ] {
        assert_eq!(
            profile_of(&with(smallest(), pointer, value.clone())),
            [],
            "{pointer} {value}"
        );
    }
}
