//! Each fault and warning of the profile, provoked once, with what the answer says of it.

use rorqual_anomaly::profile::{Focus, ProfileFault, focus};
use rorqual_anomaly::{Finding, Gravity, profile};
use rorqual_schema::{Node, ResourceType};
use serde_json::{Value, json};

use super::{BASE, example, profile_of, smallest, structure_of, whole, with, without};

const INPUT: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/CodeSystem/input-task-ror-codesystem";
const STATUS: &str = "https://mos.esante.gouv.fr/NOS/TRE_R352-StatutMetierAnomalie/FHIR/TRE-R352-StatutMetierAnomalie";

/// Path and code of the only fault, an error of status 422 in a body of sound structure, and words of its diagnostics.
#[track_caller]
fn only(task: &Value, path: &str, code: &str, words: &[&str]) {
    assert_eq!(structure_of(task), []);
    let told = profile_of(task);
    assert_eq!(told.len(), 1, "{told:#?}");
    let fault = &told[0];
    assert_eq!(
        (fault.path.as_str(), fault.code, fault.status),
        (path, code, 422),
        "{fault:?}"
    );
    assert_eq!(fault.gravity, Gravity::Error);
    for word in words {
        assert!(
            fault.diagnostics.contains(word),
            "{word}: {}",
            fault.diagnostics
        );
    }
}

/// The same of a warning.
#[track_caller]
fn warned(task: &Value, path: &str, code: &str, words: &[&str]) {
    assert_eq!(structure_of(task), []);
    let told = profile_of(task);
    assert_eq!(told.len(), 1, "{told:#?}");
    let fault = &told[0];
    assert_eq!(
        (fault.path.as_str(), fault.code, fault.status),
        (path, code, 200),
        "{fault:?}"
    );
    assert_eq!(fault.gravity, Gravity::Warning);
    for word in words {
        assert!(
            fault.diagnostics.contains(word),
            "{word}: {}",
            fault.diagnostics
        );
    }
}

fn input(code: &str) -> Value {
    json!({"type": {"coding": [{"system": INPUT, "code": code}]}})
}

fn with_input(code: &str, member: &str, value: Value) -> Value {
    let item = with(input(code), &format!("/{member}"), value);
    with(smallest(), "/input/-", item)
}

#[test]
fn each_required_element_is_named_when_missing() {
    for (name, word) in [
        ("status", "in-progress"),
        ("intent", "order"),
        ("businessStatus", "TRE_R352"),
        ("code", "TRE_R350"),
        ("reasonCode", "TRE_R349"),
        ("focus", "identifier.value"),
        ("authoredOn", "2026-07-15"),
        ("lastModified", "2026-07-15"),
    ] {
        let task = without(smallest(), &format!("/{name}"));
        only(
            &task,
            &format!("Task.{name}"),
            "required",
            &["missing", word],
        );
    }
    let task = without(smallest(), "/input");
    only(
        &task,
        "Task.input",
        "required",
        &["systemRequester", "valueString", INPUT],
    );
    let task = with(
        smallest(),
        "/input/0/type/coding/0/code",
        json!("ruleErrorId"),
    );
    only(&task, "Task.input", "required", &["systemRequester"]);
    assert_eq!(profile_of(&json!({"resourceType": "Task"})).len(), 9);
    assert_eq!(profile::url(), smallest()["meta"]["profile"][0]);
}

#[test]
fn extensions_alone_do_not_make_a_required_element() {
    let absent = json!({"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]});
    let task = with(without(smallest(), "/authoredOn"), "/_authoredOn", absent);
    only(&task, "Task.authoredOn", "required", &[]);
}

#[test]
fn one_identifier_at_most() {
    let task = with(example(), "/identifier/-", json!({"value": "2"}));
    only(
        &task,
        "Task.identifier",
        "structure",
        &["2 items", "one at most"],
    );
}

#[test]
fn codes_outside_their_list_are_told_with_the_list() {
    let coding = |code: &str| json!({"coding": [{"system": STATUS, "code": code}]});
    let task = with(smallest(), "/businessStatus", coding("2"));
    only(
        &task,
        "Task.businessStatus",
        "code-invalid",
        &[
            "\"2\"",
            "TRE_R352-StatutMetierAnomalie",
            "is 02 meant",
            "02 À traiter",
            "11 ",
        ],
    );
    let task = with(smallest(), "/businessStatus", coding("12"));
    only(&task, "Task.businessStatus", "code-invalid", &["\"12\""]);
    let task = with(smallest(), "/code/coding/0/code", json!("99"));
    only(
        &task,
        "Task.code",
        "code-invalid",
        &["\"99\"", "01 Complétude"],
    );
    // This list is case-sensitive.
    let task = with(smallest(), "/reasonCode/coding/0/code", json!("cor"));
    only(
        &task,
        "Task.reasonCode",
        "code-invalid",
        &["\"cor\"", "COR Correction", "is COR meant"],
    );
}

#[test]
fn a_concept_without_a_code_of_the_list_is_told_what_it_has() {
    for (concept, word) in [
        (json!({"text": "à traiter"}), "no coding"),
        (json!({"coding": [{"code": "02"}]}), "without a system"),
        (
            json!({"coding": [{"system": "http://zzz", "code": "260385009"}]}),
            "\"260385009\" of \"http://zzz\"",
        ),
        (json!({"coding": [{"system": STATUS}]}), "without a code"),
        (
            json!({"coding": [{"display": "À traiter"}]}),
            "without system and code",
        ),
        // The theme's system is not the status's.
        (smallest()["code"].clone(), "TRE-R350"),
    ] {
        let task = with(smallest(), "/businessStatus", concept);
        only(
            &task,
            "Task.businessStatus",
            "code-invalid",
            &[word, STATUS, "05 Envoyé au destinataire"],
        );
    }
}

#[test]
fn one_coding_of_the_list_is_enough_in_any_published_spelling() {
    let old = STATUS.replace("TRE-R352", "TRE_R352");
    for concept in [
        json!({"coding": [{"system": old, "code": "02"}]}),
        json!({"coding": [{"system": STATUS, "code": "02", "display": "tout autre chose"}]}),
        json!({"coding": [{"system": "http://zzz", "code": "a"}, {"system": STATUS, "code": "02"}]}),
        json!({"coding": [{"system": STATUS, "code": "99"}, {"system": STATUS, "code": "02"}], "text": "x"}),
    ] {
        assert_eq!(
            profile_of(&with(smallest(), "/businessStatus", concept.clone())),
            [],
            "{concept}"
        );
    }
}

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

#[test]
fn inputs_and_outputs_hold_the_datatype_of_their_code() {
    let value = "Task.input[1].value";
    only(
        &with_input("ruleErrorId", "valueCode", json!("EX-1")),
        value,
        "value",
        &["ruleErrorId", "\"valueCode\"", "valueString"],
    );
    only(
        &with_input("identifierRequester", "valueString", json!("1")),
        value,
        "value",
        &["valueIdentifier"],
    );
    only(
        &with_input(
            "pathElementError",
            "valueString",
            json!("Organization.type"),
        ),
        value,
        "value",
        &["valueExpression"],
    );
    only(
        &with_input(
            "pathElementError",
            "valueExpression",
            json!({"language": "text/cql", "expression": "a"}),
        ),
        "Task.input[1].value.language",
        "value",
        &["\"text/cql\"", "text/fhirpath"],
    );
    only(
        &with_input(
            "pathElementError",
            "valueExpression",
            json!({"language": "text/fhirpath", "name": "a"}),
        ),
        "Task.input[1].value.expression",
        "value",
        &["no expression"],
    );
    let task = with(
        without(smallest(), "/input/0/valueString"),
        "/input/0/valueCode",
        json!("IHM"),
    );
    only(
        &task,
        "Task.input[0].value",
        "value",
        &["systemRequester", "\"valueCode\""],
    );
    let task = with(smallest(), "/input/0/valueString", json!(" "));
    only(
        &task,
        "Task.input[0].value",
        "value",
        &["blank text", "such as IHM"],
    );
    let task = with(
        whole(),
        "/output/1",
        json!({"type": whole()["output"][1]["type"], "valueString": "a"}),
    );
    only(
        &task,
        "Task.output[1].value",
        "value",
        &["identifierAnalyst", "valueIdentifier"],
    );
}

#[test]
fn what_occurs_once_is_refused_a_second_time() {
    for (code, member, value) in [
        ("systemRequester", "valueString", json!("IHM")),
        ("ruleErrorId", "valueString", json!("R")),
        (
            "pathElementError",
            "valueExpression",
            json!({"language": "text/fhirpath", "expression": "a"}),
        ),
        (
            "identifierRequester",
            "valueIdentifier",
            json!({"value": "1"}),
        ),
    ] {
        let item = with(input(code), &format!("/{member}"), value);
        let task = with(with(smallest(), "/input/-", item.clone()), "/input/-", item);
        let told: Vec<_> = profile_of(&task)
            .into_iter()
            .map(|fault| (fault.path, fault.code, fault.diagnostics))
            .collect();
        let first = if code == "systemRequester" { 0 } else { 1 };
        let (path, fault_code, diagnostics) = told.first().expect("refused");
        assert_eq!(
            (path.as_str(), *fault_code),
            (format!("Task.input[{}]", first + 1).as_str(), "structure")
        );
        assert!(
            diagnostics.contains(code) && diagnostics.contains(&format!("Task.input[{first}]")),
            "{diagnostics}"
        );
    }
    for code in ["errorValue", "proposedValue"] {
        let item = with(input(code), "/valueString", json!("R"));
        let task = with(with(smallest(), "/input/-", item.clone()), "/input/-", item);
        assert_eq!(profile_of(&task), [], "{code}");
    }
}

#[test]
fn unknown_inputs_are_kept_with_a_warning() {
    let at = "Task.input[1].type";
    warned(
        &with_input("errorvalue", "valueString", json!("a")),
        at,
        "code-invalid",
        &["\"errorvalue\"", "is errorValue meant", INPUT],
    );
    let other =
        json!({"type": {"coding": [{"system": "http://zzz", "code": "a"}]}, "valueString": "b"});
    warned(
        &with(smallest(), "/input/-", other),
        at,
        "code-invalid",
        &["no coding", INPUT],
    );
    let text = json!({"type": {"text": "autre"}, "valueString": "b"});
    warned(
        &with(smallest(), "/output", json!([text])),
        "Task.output[0].type",
        "code-invalid",
        &["output-task-ror-codesystem"],
    );
    // Without a system the code is understood, and its rules hold.
    let bare = |member: &str| {
        with(
            json!({"type": {"coding": [{"code": "ruleErrorId"}]}}),
            &format!("/{member}"),
            json!("a"),
        )
    };
    warned(
        &with(smallest(), "/input/-", bare("valueString")),
        at,
        "code-invalid",
        &["ruleErrorId", "no system", INPUT],
    );
    let told = profile_of(&with(smallest(), "/input/-", bare("valueCode")));
    assert_eq!(
        told.iter().map(|fault| fault.status).collect::<Vec<_>>(),
        [200, 422]
    );
    let task = with(
        smallest(),
        "/input/0/type/coding/0",
        json!({"code": "systemRequester"}),
    );
    warned(
        &task,
        "Task.input[0].type",
        "code-invalid",
        &["systemRequester"],
    );
}

#[test]
fn reversed_dates_are_a_warning_when_they_are_sure() {
    let dates = |authored: &str, modified: &str| {
        with(
            with(smallest(), "/authoredOn", json!(authored)),
            "/lastModified",
            json!(modified),
        )
    };
    warned(
        &dates("2024-01-04", "2024-01-03"),
        "Task.lastModified",
        "business-rule",
        &["2024-01-03", "2024-01-04"],
    );
    assert_eq!(
        profile_of(&dates("2024-01-04T10:00:00+01:00", "2024-01-04")),
        []
    );
    assert_eq!(profile_of(&dates("2024-01-04", "2024")), []);
}

#[test]
fn warnings_do_not_crowd_out_errors() {
    let many: Vec<Value> = (0..5000)
        .map(|_| with(input("zz"), "/valueCode", json!("a")))
        .collect();
    let told = profile_of(&with(smallest(), "/input", json!(many)));
    assert_eq!(
        told.iter()
            .filter(|fault| fault.gravity == Gravity::Warning)
            .count(),
        100
    );
    assert!(
        told.iter()
            .any(|fault| fault.code == "required" && fault.path == "Task.input")
    );
}
