//! Each fault and warning of the profile, provoked once, with what the answer says of it.

use rorqual_anomaly::{Gravity, profile};
use serde_json::{Value, json};

use super::{example, profile_of, smallest, structure_of, whole, with, without};

const INPUT: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/CodeSystem/input-task-ror-codesystem";
const STATUS: &str = "https://mos.esante.gouv.fr/NOS/TRE_R352-StatutMetierAnomalie/FHIR/TRE-R352-StatutMetierAnomalie";

/// Path and code of the only fault, an error of status 422 in a body of sound structure, and words of its diagnostics.
#[track_caller]
pub(super) fn only(task: &Value, path: &str, code: &str, words: &[&str]) {
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
