//! Each fault of the R4 structure, provoked once, with what the answer says of it.

use serde_json::{Value, json};

use super::{smallest, structure_of, whole, with, without};

/// Path, code and status of the only fault, and words of its diagnostics.
#[track_caller]
pub(super) fn only(task: &Value, path: &str, code: &str, status: u16, words: &[&str]) {
    let told = structure_of(task);
    assert_eq!(told.len(), 1, "{told:#?}");
    let fault = &told[0];
    assert_eq!(
        (fault.path.as_str(), fault.code, fault.status),
        (path, code, status),
        "{fault:?}"
    );
    for word in words {
        assert!(
            fault.diagnostics.contains(word),
            "{word}: {}",
            fault.diagnostics
        );
    }
}

#[test]
fn an_unknown_element_is_told_with_the_nearest_name() {
    let task = with(smallest(), "/bussinessStatus", json!({"text": "x"}));
    only(
        &task,
        "Task.bussinessStatus",
        "structure",
        400,
        &["\"bussinessStatus\"", "businessStatus meant"],
    );
    let task = with(smallest(), "/focus/typ", json!("Organization"));
    only(
        &task,
        "Task.focus.typ",
        "structure",
        400,
        &["Reference has no element", "type meant"],
    );
    let task = with(smallest(), "/input/0/value", json!("IHM"));
    only(
        &task,
        "Task.input[0].value",
        "structure",
        400,
        &["Task.input has no element"],
    );
    let task = with(smallest(), "/été#1", json!(1));
    only(&task, "Task.`été#1`", "structure", 400, &["\"été#1\""]);
    // Names that JSON would give to something else: a part's own type, an attribute's extensions, comments of DSTU 2.
    for name in [
        "/focus/resourceType",
        "/_id",
        "/fhir_comments",
        "/text/_div",
    ] {
        let task = with(
            whole(),
            name,
            json!({"extension": [{"url": "a:b", "valueCode": "c"}]}),
        );
        assert_eq!(structure_of(&task).len(), 1, "{name}");
    }
}

#[test]
fn single_and_repeating_elements_are_told_apart() {
    let reason = smallest()["reasonCode"].clone();
    let task = with(smallest(), "/reasonCode", json!([reason]));
    only(
        &task,
        "Task.reasonCode",
        "structure",
        400,
        &["at most one CodeableConcept", "without brackets"],
    );
    let coding = smallest()["code"]["coding"][0].clone();
    let task = with(smallest(), "/code/coding", coding);
    only(
        &task,
        "Task.code.coding",
        "structure",
        400,
        &["list of Coding", "brackets"],
    );
    let task = with(smallest(), "/status", json!(["in-progress"]));
    only(
        &task,
        "Task.status",
        "structure",
        400,
        &["at most one code"],
    );
}

#[test]
fn another_json_type_is_told_with_the_one_due() {
    let task = with(smallest(), "/focus", json!("Organization/1"));
    only(
        &task,
        "Task.focus",
        "structure",
        400,
        &["the string \"Organization/1\"", "object of type Reference"],
    );
    let task = with(smallest(), "/description", json!(12));
    only(
        &task,
        "Task.description",
        "structure",
        400,
        &["the number 12", "a string"],
    );
    let task = with(whole(), "/restriction/repetitions", json!("2"));
    only(
        &task,
        "Task.restriction.repetitions",
        "structure",
        400,
        &["without quotes", "positiveInt"],
    );
    let task = with(whole(), "/modifierExtension/0/valueBoolean", json!("false"));
    only(
        &task,
        "Task.modifierExtension[0].value",
        "structure",
        400,
        &["true or false"],
    );
}

#[test]
fn empty_things_and_nulls_are_refused() {
    let task = with(smallest(), "/note", json!([]));
    only(
        &task,
        "Task.note",
        "structure",
        400,
        &["an empty array", "leave the element out"],
    );
    let task = with(smallest(), "/location", json!({}));
    only(
        &task,
        "Task.location",
        "structure",
        400,
        &["an empty object"],
    );
    let task = with(smallest(), "/location", json!({"id": "a"}));
    only(
        &task,
        "Task.location",
        "structure",
        400,
        &["nothing but an id"],
    );
    let task = with(smallest(), "/description", json!(""));
    only(
        &task,
        "Task.description",
        "value",
        400,
        &["\"\"", "not empty"],
    );
    let task = with(smallest(), "/description", Value::Null);
    only(&task, "Task.description", "structure", 400, &["null"]);
    let task = with(smallest(), "/meta/profile", json!(["a:b", null]));
    only(&task, "Task.meta.profile[1]", "structure", 400, &["null"]);
    let task = with(smallest(), "/input/0", Value::Null);
    assert_eq!(structure_of(&task)[0].path, "Task.input[0]");
}

#[test]
fn primitives_outside_their_grammar_are_refused_with_an_example() {
    for value in ["03/01/2024", "2024-02-30", "2024-01-03T10:00", "yesterday"] {
        let task = with(smallest(), "/authoredOn", json!(value));
        only(
            &task,
            "Task.authoredOn",
            "value",
            400,
            &[value, "2026-07-15"],
        );
    }
    let task = with(whole(), "/executionPeriod/start", json!("2026-13"));
    only(
        &task,
        "Task.executionPeriod.start",
        "value",
        400,
        &["\"2026-13\""],
    );
    let task = with(whole(), "/meta/profile/0", json!("two words"));
    only(
        &task,
        "Task.meta.profile[0]",
        "value",
        400,
        &["without blanks"],
    );
    let task = with(whole(), "/text/div", json!("Signalement"));
    only(&task, "Task.text.`div`", "value", 400, &["<div"]);
    let task = with(whole(), "/restriction/repetitions", json!(0));
    only(
        &task,
        "Task.restriction.repetitions",
        "value",
        400,
        &["the number 0", "1 to 2147483647"],
    );
    // A long or hostile value is cut and escaped in the answer.
    let task = with(
        smallest(),
        "/lastModified",
        json!(format!("\u{1b}[31m{}", "x".repeat(5000))),
    );
    let told = structure_of(&task);
    assert!(told[0].diagnostics.len() < 400 && !told[0].diagnostics.contains('\u{1b}'));
}

#[test]
fn codes_that_r4_itself_binds_are_422() {
    let task = with(smallest(), "/status", json!("in_progress"));
    only(
        &task,
        "Task.status",
        "code-invalid",
        422,
        &["\"in_progress\"", "draft, requested"],
    );
    let task = with(smallest(), "/intent", json!("Order"));
    only(
        &task,
        "Task.intent",
        "code-invalid",
        422,
        &["\"Order\"", "order"],
    );
    let task = with(smallest(), "/priority", json!("high"));
    only(
        &task,
        "Task.priority",
        "code-invalid",
        422,
        &["routine, urgent, asap, stat"],
    );
    let task = with(whole(), "/text/status", json!("made"));
    only(
        &task,
        "Task.text.status",
        "code-invalid",
        422,
        &["generated"],
    );
    let task = with(whole(), "/identifier/0/use", json!("main"));
    only(
        &task,
        "Task.identifier[0].use",
        "code-invalid",
        422,
        &["usual, official"],
    );
    // Of a long list the nearest code is told.
    let at = whole()["input"]
        .as_array()
        .expect("inputs")
        .iter()
        .position(|i| i.get("valueDataRequirement").is_some());
    let at = at.expect("a data requirement");
    let task = with(
        whole(),
        &format!("/input/{at}/valueDataRequirement/type"),
        json!("Observations"),
    );
    only(
        &task,
        &format!("Task.input[{at}].value.type"),
        "code-invalid",
        422,
        &["use Observation"],
    );
}

#[test]
fn what_a_part_or_datatype_needs_is_400() {
    let task = without(smallest(), "/input/0/type");
    only(
        &task,
        "Task.input[0].type",
        "structure",
        400,
        &["every Task.input"],
    );
    let task = without(smallest(), "/input/0/valueString");
    only(&task, "Task.input[0].value", "structure", 400, &["missing"]);
    let task = without(whole(), "/note/0/text");
    only(
        &task,
        "Task.note[0].text",
        "structure",
        400,
        &["every Annotation"],
    );
    let task = without(whole(), "/extension/0/url");
    only(
        &task,
        "Task.extension[0].url",
        "structure",
        400,
        &["every Extension"],
    );
    // A primitive replaced by an extension is there.
    let reason = json!({"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]});
    let task = with(without(whole(), "/note/0/text"), "/note/0/_text", reason);
    assert_eq!(structure_of(&task), []);
}

#[test]
fn the_first_level_is_left_to_the_profile() {
    assert_eq!(structure_of(&json!({"resourceType": "Task"})), []);
}

#[test]
fn a_choice_is_made_once() {
    let task = with(smallest(), "/input/0/valueCode", json!("IHM"));
    only(
        &task,
        "Task.input[0].value",
        "structure",
        400,
        &["valueString", "valueCode"],
    );
    let task = with(
        smallest(),
        "/input/0/_valueCode",
        json!({"extension": [{"url": "a:b", "valueCode": "c"}]}),
    );
    only(
        &task,
        "Task.input[0].value",
        "structure",
        400,
        &["valueString", "valueCode"],
    );
    // The extensions of the value itself are no second choice.
    let task = with(
        smallest(),
        "/input/0/_valueString",
        json!({"extension": [{"url": "a:b", "valueCode": "c"}]}),
    );
    assert_eq!(structure_of(&task), []);
    let task = with(smallest(), "/input/0/valueFoo", json!(1));
    only(
        &task,
        "Task.input[0].valueFoo",
        "structure",
        400,
        &["has no element"],
    );
}

#[test]
fn faults_come_in_the_order_of_the_text_and_are_bounded() {
    let text = r#"{"status":1,"resourceType":"Task","zzz":1,"intent":[],"note":[{"text":2}]}"#;
    let node = rorqual_schema::Node::parse(text.as_bytes()).expect("valid");
    let paths: Vec<String> = super::told(rorqual_anomaly::structure::check(&node))
        .into_iter()
        .map(|f| f.path)
        .collect();
    assert_eq!(
        paths,
        [
            "Task.status",
            "Task.zzz",
            "Task.intent",
            "Task.note[0].text"
        ]
    );
    let many: Vec<Value> = (0..5000).map(|_| json!({"zz": 1})).collect();
    assert_eq!(
        structure_of(&with(smallest(), "/note", json!(many))).len(),
        100
    );
    let nulls: Vec<Value> = vec![Value::Null; 5000];
    assert_eq!(
        structure_of(&with(smallest(), "/input", json!(nulls))).len(),
        100
    );
}
