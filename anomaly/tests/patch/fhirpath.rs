//! FHIRPath Patch: each operation and each fault.

use rorqual_anomaly::patch::{MAX_OPERATIONS, PatchFault, parse_fhirpath_patch};
use rorqual_anomaly::task_text::TaskText;
use serde_json::{Value, json};

use crate::{after, misfit, operation, parameters, sample, seen};

fn replace(path: &str, value: Value) -> Value {
    let mut part = json!({"name": "value"});
    for (key, own) in value.as_object().expect("value[x]") {
        part[key] = own.clone();
    }
    operation(json!([
        {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": path}, part
    ]))
}

fn delete(path: &str) -> Value {
    operation(
        json!([{"name": "type", "valueString": "delete"}, {"name": "path", "valueString": path}]),
    )
}

fn add(name: &str, value: Value) -> Value {
    let mut part = json!({"name": "value"});
    for (key, own) in value.as_object().expect("value[x]") {
        part[key] = own.clone();
    }
    operation(json!([
        {"name": "type", "valueCode": "add"}, {"name": "path", "valueString": "Task"},
        {"name": "name", "valueString": name}, part
    ]))
}

fn insert(path: &str, index: i64, text: &str) -> Value {
    operation(json!([
        {"name": "type", "valueCode": "insert"}, {"name": "path", "valueString": path},
        {"name": "index", "valueInteger": index},
        {"name": "value", "valueAnnotation": {"text": text}}
    ]))
}

fn shift(path: &str, source: i64, destination: i64) -> Value {
    operation(json!([
        {"name": "type", "valueCode": "move"}, {"name": "path", "valueString": path},
        {"name": "source", "valueInteger": source}, {"name": "destination", "valueInteger": destination}
    ]))
}

fn read(operation: Value) -> Result<rorqual_anomaly::patch::Patch, Vec<PatchFault>> {
    parse_fhirpath_patch(&parameters(&[operation]))
}

fn refused(operation: Value) -> (u16, &'static str, String) {
    let faults = read(operation).expect_err("refused");
    assert_eq!(faults.len(), 1, "{faults:?}");
    seen(&faults[0])
}

fn texts(notes: &Value) -> String {
    let notes = notes.as_array().expect("a list");
    notes
        .iter()
        .filter_map(|note| note["text"].as_str())
        .collect()
}

#[test]
fn replace_takes_every_spelling_of_the_path() {
    for path in [
        "Task.status",
        "status",
        " Task . `status` ",
        "Task.status[0]",
    ] {
        let patch = read(replace(path, json!({"valueCode": "completed"})));
        assert_eq!(after(patch, "status"), "completed", "{path}");
    }
    let one = read(replace(
        "note[1]",
        json!({"valueAnnotation": {"text": "x"}}),
    ));
    assert_eq!(texts(&after(one, "note")), "axc");
    // A list of one is one element.
    let only = read(replace(
        "Task.input",
        json!({"part": [{"name": "value", "valueString": "API"}]}),
    ));
    assert_eq!(after(only, "input"), json!([{"valueString": "API"}]));
}

#[test]
fn add_appends_to_a_list_and_sets_what_is_absent() {
    assert_eq!(
        texts(&after(
            read(add("note", json!({"valueAnnotation": {"text": "d"}}))),
            "note"
        )),
        "abcd"
    );
    let owner = json!({"reference": "Organization/9"});
    assert_eq!(
        after(
            read(add("owner", json!({"valueReference": owner}))),
            "owner"
        ),
        owner
    );
    let output = read(add(
        "output",
        json!({"part": [{"name": "value", "valueBoolean": true}]}),
    ));
    assert_eq!(after(output, "output"), json!([{"valueBoolean": true}]));
}

#[test]
fn insert_move_and_delete_work_on_items() {
    assert_eq!(
        texts(&after(read(insert("Task.note", 0, "x")), "note")),
        "xabc"
    );
    assert_eq!(
        texts(&after(read(insert("Task.note", 3, "x")), "note")),
        "abcx"
    );
    assert_eq!(texts(&after(read(shift("Task.note", 0, 2)), "note")), "bca");
    assert_eq!(texts(&after(read(shift("Task.note", 2, 0)), "note")), "cab");
    assert_eq!(texts(&after(read(delete("Task.note[1]")), "note")), "ac");
    assert_eq!(after(read(delete("Task.input")), "input"), Value::Null);
    assert_eq!(
        after(read(delete("Task.description")), "description"),
        Value::Null
    );
    // Deleting what is not there is no error.
    assert_eq!(after(read(delete("Task.owner")), "owner"), Value::Null);
    assert_eq!(texts(&after(read(delete("Task.note[3]")), "note")), "abc");
    assert_eq!(
        after(read(delete("Task.status[1]")), "status"),
        "in-progress"
    );
}

#[test]
fn a_value_given_as_parts_becomes_the_element() {
    let restriction = read(add(
        "restriction",
        json!({"part": [
            {"name": "period", "part": [{"name": "start", "valueDateTime": "2024-01-01"}]},
            {"name": "recipient", "valueReference": {"reference": "Organization/1"}}
        ]}),
    ));
    assert_eq!(
        after(restriction, "restriction"),
        json!({"period": {"start": "2024-01-01"}, "recipient": [{"reference": "Organization/1"}]})
    );
    let input = read(add(
        "input",
        json!({"part": [
            {"name": "type", "part": [
                {"name": "coding", "valueCoding": {"code": "a"}},
                {"name": "coding", "valueCoding": {"code": "b"}},
                {"name": "text", "valueString": "t", "_valueString": {"id": "i"}}
            ]},
            {"name": "value", "valueIdentifier": {"value": "7"}}
        ]}),
    ));
    assert_eq!(
        after(input, "input")[1],
        json!({"type": {"coding": [{"code": "a"}, {"code": "b"}], "text": "t", "_text": {"id": "i"}},
               "valueIdentifier": {"value": "7"}})
    );
    let note = read(insert("Task.note", 0, "x")).map(drop);
    assert!(note.is_ok());
    let note = read(add(
        "note",
        json!({"part": [
            {"name": "author", "valueString": "Ada"}, {"name": "text", "valueMarkdown": "m"}
        ]}),
    ));
    assert_eq!(
        after(note, "note")[3],
        json!({"authorString": "Ada", "text": "m"})
    );
    let identifier = read(add(
        "owner",
        json!({"part": [
            {"name": "identifier", "part": [{"name": "value", "valueString": "9"}]}
        ]}),
    ));
    assert_eq!(
        after(identifier, "owner"),
        json!({"identifier": {"value": "9"}})
    );
}

#[test]
fn digits_and_extensions_of_a_value_stay() {
    let body = br#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[
        {"name":"type","valueCode":"add"},{"name":"path","valueString":"Task"},{"name":"name","valueString":"output"},
        {"name":"value","part":[{"name":"value","valueDecimal":1.500}]}]},
      {"name":"operation","part":[{"name":"type","valueCode":"replace"},{"name":"path","valueString":"description"},
        {"name":"value","valueString":"\u00e9","_valueString":{"id":"e"}}]}]}"#;
    let mut task = sample();
    parse_fhirpath_patch(body)
        .expect("sound")
        .apply(&mut task)
        .expect("fits");
    let line = String::from_utf8(task.to_json()).expect("UTF-8");
    assert!(
        line.contains(r#""output":[{"valueDecimal":1.500}]"#),
        "{line}"
    );
    assert!(
        line.contains(r#""description":"\u00e9","_description":{"id":"e"}"#),
        "{line}"
    );
}

#[test]
fn steps_are_applied_in_order_all_or_nothing() {
    let steps = [
        insert("Task.note", 3, "d"),
        delete("Task.note[0]"),
        shift("Task.note", 2, 0),
    ];
    assert_eq!(
        texts(&after(parse_fhirpath_patch(&parameters(&steps)), "note")),
        "dbc"
    );
    let fails_last = [
        replace("Task.status", json!({"valueCode": "completed"})),
        replace("Task.owner", json!({"valueReference": {"display": "x"}})),
    ];
    let fault = misfit(parse_fhirpath_patch(&parameters(&fails_last)));
    assert!(
        fault
            .to_string()
            .starts_with("operation[1]: Task.owner reaches nothing"),
        "{fault}"
    );
}

#[test]
fn what_does_not_fit_the_task() {
    let annotation = || json!({"valueAnnotation": {"text": "x"}});
    let cases = [
        (
            replace("Task.owner", json!({"valueReference": {}})),
            "not-found",
            "Task.owner",
        ),
        (
            replace("Task.note[3]", annotation()),
            "not-found",
            "Task.note",
        ),
        (
            replace("Task.note[99999999999999999999999]", annotation()),
            "not-found",
            "Task.note",
        ),
        (
            replace("Task.status[1]", json!({"valueCode": "x"})),
            "not-found",
            "Task.status",
        ),
        (shift("Task.output", 0, 0), "not-found", "Task.output"),
        (
            replace("Task.note", annotation()),
            "multiple-matches",
            "Task.note",
        ),
        (delete("Task.note"), "multiple-matches", "Task.note"),
        (
            add("status", json!({"valueCode": "x"})),
            "processing",
            "Task.status",
        ),
        (insert("Task.note", 4, "x"), "value", "Task.note"),
        (insert("Task.note", -1, "x"), "value", "Task.note"),
        (shift("Task.note", 3, 0), "value", "Task.note"),
        (shift("Task.note", 0, 3), "value", "Task.note"),
    ];
    for (body, code, path) in cases {
        let text = body.to_string();
        assert_eq!(
            seen(&misfit(read(body))),
            (422, code, path.to_owned()),
            "{text}"
        );
    }
    let long = "x".repeat(rorqual_anomaly::patch::MAX_RESULT_BYTES);
    let fault = misfit(read(replace(
        "Task.description",
        json!({"valueString": long}),
    )));
    assert_eq!(seen(&fault), (422, "too-long", "Task".to_owned()));
}

#[test]
fn elements_that_are_not_open_to_change() {
    for name in [
        "id",
        "meta",
        "identifier",
        "intent",
        "focus",
        "authoredOn",
        "resourceType",
        "for",
        "priority",
        "partOf",
        "text",
        "contained",
        "extension",
    ] {
        for path in [format!("Task.{name}"), format!("{name}[0]")] {
            let body = replace(&path, json!({"valueString": "x"}));
            assert_eq!(
                refused(body),
                (422, "business-rule", format!("Task.{name}"))
            );
            assert_eq!(
                refused(delete(&path)),
                (422, "business-rule", format!("Task.{name}"))
            );
        }
        let body = add(name, json!({"valueString": "x"}));
        assert_eq!(
            refused(body),
            (422, "business-rule", format!("Task.{name}"))
        );
    }
    for path in [
        "Task.businessStatus.coding[0].code",
        "businessStatus.coding",
        "Task.meta.versionId",
        "Task.input.where(type.coding.code = 'errorValue')",
        "Task.note[0].text",
        "Task.note[0][0]",
        "Task.note[1 + 1]",
        "Task.note[1.0]",
        "Task.note.first()",
        "Task[0].status",
        "Task.status | Task.code",
        "$this.status",
        "%resource.status",
        "where(true)",
    ] {
        let body = replace(path, json!({"valueString": "x"}));
        assert_eq!(
            refused(body),
            (422, "business-rule", "Task".to_owned()),
            "{path}"
        );
    }
    assert_eq!(
        refused(delete("Task")),
        (422, "business-rule", "Task".to_owned())
    );
    let below = operation(json!([
        {"name": "type", "valueCode": "add"}, {"name": "path", "valueString": "Task.input[0]"},
        {"name": "name", "valueString": "type"}, {"name": "value", "valueString": "x"}
    ]));
    assert_eq!(refused(below), (422, "business-rule", "Task".to_owned()));
}

#[test]
fn paths_that_are_none() {
    let at = || "Parameters.parameter[0]".to_owned();
    for path in [
        "",
        "Task.",
        "Task..status",
        "Task status",
        "Task.note[",
        "Task.é",
        "'x",
    ] {
        assert_eq!(refused(delete(path)), (400, "invalid", at()), "{path}");
    }
    for path in ["Patient.name", "HealthcareService", "Bundle[0]"] {
        let faults = read(delete(path)).expect_err("refused");
        assert!(matches!(&faults[0], PatchFault::OtherType { .. }), "{path}");
        assert_eq!(seen(&faults[0]), (400, "invalid", at()));
    }
    for (path, hint) in [
        ("Task.buisnessStatus", "businessStatus"),
        ("bussinessStatus.coding", "businessStatus"),
        ("Task.Status", "status"),
    ] {
        let faults = read(delete(path)).expect_err("refused");
        assert_eq!(seen(&faults[0]), (400, "invalid", at()), "{path}");
        assert!(
            faults[0]
                .to_string()
                .contains(&format!("did you mean {hint}")),
            "{}",
            faults[0]
        );
    }
}

#[test]
fn values_that_are_missing_or_of_another_datatype() {
    let status = |value: Value| refused(replace("Task.status", value));
    assert_eq!(
        status(json!({})),
        (422, "required", "Task.status".to_owned())
    );
    assert_eq!(
        status(json!({"valueString": "completed"})),
        (422, "value", "Task.status".to_owned())
    );
    assert_eq!(
        status(json!({"part": [{"name": "code", "valueCode": "x"}]})),
        (422, "value", "Task.status".to_owned())
    );
    let value = "Parameters.parameter[0].part[2]".to_owned();
    assert_eq!(
        status(json!({"valueCodeable": "x"})),
        (400, "value", value.clone())
    );
    assert_eq!(
        status(json!({"valuecode": "x"})),
        (400, "value", value.clone())
    );
    for wrong in [
        json!({"valueCode": 1}),
        json!({"valueCode": null}),
        json!({"valueCode": "x", "valueString": "x"}),
        json!({"valueCode": "x", "part": [{"name": "a", "valueCode": "x"}]}),
        json!({"valueCodeableConcept": "x"}),
        json!({"_valueCodeableConcept": {}}),
        json!({"part": []}),
        json!({"resource": {"resourceType": "Task"}}),
    ] {
        let text = wrong.to_string();
        assert_eq!(status(wrong), (400, "structure", value.clone()), "{text}");
    }
    let missing = operation(json!([
        {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": "Task.input"}
    ]));
    assert_eq!(refused(missing), (422, "required", "Task.input".to_owned()));
    let input = |value: Value| refused(add("input", value));
    assert_eq!(
        input(json!({"valueString": "x"})),
        (422, "value", "Task.input".to_owned())
    );
    let child = |number: usize| format!("Parameters.parameter[0].part[3].part[{number}]");
    assert_eq!(
        input(json!({"part": [{"name": "type"}]})),
        (400, "structure", child(0))
    );
    assert_eq!(
        input(json!({"part": [{"name": "a b", "valueString": "x"}]})),
        (400, "structure", child(0))
    );
    let twice = json!({"name": "text", "valueString": "x", "_valueString": {"id": "i"}});
    assert_eq!(
        input(json!({"part": [{"name": "type", "part": [twice, twice]}]})),
        (400, "structure", child(0))
    );
    let many = vec![json!({"name": "type", "valueString": "x"}); 1_001];
    assert_eq!(
        input(json!({"part": many})),
        (
            400,
            "structure",
            "Parameters.parameter[0].part[3]".to_owned()
        )
    );
}

#[test]
fn operations_that_are_incomplete_or_unknown() {
    let at = || "Parameters.parameter[0]".to_owned();
    let remove = operation(json!([
        {"name": "type", "valueString": "remove"}, {"name": "path", "valueString": "Task.owner"}
    ]));
    let faults = read(remove.clone()).expect_err("refused");
    assert!(
        faults[0].to_string().contains("write delete"),
        "{}",
        faults[0]
    );
    assert_eq!(refused(remove), (400, "not-supported", at()));
    let unknown = operation(json!([
        {"name": "type", "valueCode": "Replace"}, {"name": "path", "valueString": "Task.owner"}
    ]));
    assert_eq!(refused(unknown), (400, "not-supported", at()));
    let missing = |parts: Value| refused(operation(parts));
    assert_eq!(
        missing(json!([{"name": "path", "valueString": "Task.owner"}])),
        (400, "required", at())
    );
    assert_eq!(
        missing(json!([{"name": "type", "valueCode": "delete"}])),
        (400, "required", at())
    );
    assert_eq!(
        missing(json!([
            {"name": "type", "valueCode": "add"}, {"name": "path", "valueString": "Task"},
            {"name": "value", "valueCode": "x"}
        ])),
        (400, "required", at())
    );
    assert_eq!(
        missing(json!([
            {"name": "type", "valueCode": "insert"}, {"name": "path", "valueString": "Task.note"},
            {"name": "value", "valueAnnotation": {}}
        ])),
        (400, "required", at())
    );
    for (present, absent) in [("source", "destination"), ("destination", "source")] {
        let parts = json!([
            {"name": "type", "valueCode": "move"}, {"name": "path", "valueString": "Task.note"},
            {"name": present, "valueInteger": 0}
        ]);
        let faults = read(operation(parts)).expect_err("refused");
        assert_eq!(seen(&faults[0]), (400, "required", at()));
        assert!(faults[0].to_string().contains(absent));
    }
    let unneeded = operation(json!([
        {"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": "Task.note"},
        {"name": "index", "valueInteger": 1}
    ]));
    assert_eq!(refused(unneeded), (400, "invalid", at()));
    for (index, wrong) in [
        json!({"name": "index", "valueString": "1"}),
        json!({"name": "index", "valueInteger": 1.5}),
        json!({"name": "index", "valueDecimal": 1}),
    ]
    .into_iter()
    .enumerate()
    {
        let body = operation(json!([
            {"name": "type", "valueCode": "insert"}, {"name": "path", "valueString": "Task.note"},
            wrong, {"name": "value", "valueAnnotation": {}}
        ]));
        let place = "Parameters.parameter[0].part[2]".to_owned();
        assert_eq!(refused(body), (400, "structure", place), "{index}");
    }
    let list = |body: Value| refused(body);
    assert_eq!(
        list(shift("Task.status", 0, 0)),
        (422, "processing", "Task.status".to_owned())
    );
    assert_eq!(
        list(insert("Task.note[0]", 0, "x")),
        (422, "processing", "Task.note".to_owned())
    );
}

#[test]
fn bodies_that_are_no_patch() {
    let fault = |body: &str| {
        let faults = parse_fhirpath_patch(body.as_bytes()).expect_err("refused");
        assert_eq!(faults.len(), 1);
        seen(&faults[0])
    };
    let structure = |at: &str| (400, "structure", at.to_owned());
    assert_eq!(fault("{"), structure(""));
    assert_eq!(
        fault(r#"{"resourceType":"Parameters","parameter":[],"parameter":[]}"#),
        structure("")
    );
    assert_eq!(fault("[]"), structure("Parameters"));
    assert_eq!(fault("{}"), structure("Parameters"));
    assert_eq!(fault(r#"{"resourceType":"Task"}"#), structure("Parameters"));
    assert_eq!(
        fault(r#"{"resourceType":"Parameters","operation":[]}"#),
        structure("Parameters")
    );
    assert_eq!(
        fault(r#"{"resourceType":"Parameters","parameter":{}}"#),
        structure("Parameters.parameter")
    );
    let none = (400, "required", String::new());
    assert_eq!(fault(r#"{"resourceType":"Parameters"}"#), none);
    assert_eq!(
        fault(r#"{"resourceType":"Parameters","parameter":[]}"#),
        none
    );
    let first = "Parameters.parameter[0]";
    for item in [
        "1",
        "{}",
        r#"{"name":1}"#,
        r#"{"name":"step","part":[{"name":"type","valueCode":"delete"}]}"#,
        r#"{"name":"operation","valueString":"x"}"#,
        r#"{"name":"operation","part":1}"#,
        r#"{"name":"operation","parts":[]}"#,
    ] {
        let body = format!(r#"{{"resourceType":"Parameters","parameter":[{item}]}}"#);
        assert_eq!(fault(&body), structure(first), "{item}");
    }
    for part in [
        json!({"name": "comment", "valueString": "x"}),
        json!({"name": "path", "valueString": "Task.code"}),
    ] {
        let body = operation(json!([
            {"name": "type", "valueCode": "delete"}, {"name": "path", "valueString": "Task.owner"}, part
        ]));
        assert_eq!(refused(body), structure("Parameters.parameter[0].part[2]"));
    }
    let many = vec![delete("Task.owner"); MAX_OPERATIONS + 1];
    let faults = parse_fhirpath_patch(&parameters(&many)).expect_err("refused");
    assert_eq!(seen(&faults[0]), (422, "too-costly", String::new()));
    assert!(parse_fhirpath_patch(&parameters(&many[1..])).is_ok());
}

#[test]
fn all_faults_of_a_patch_are_told_at_once() {
    let body = parameters(&[
        replace("Task.focus", json!({"valueReference": {}})),
        delete("Task.owner"),
        operation(
            json!([{"name": "type", "valueCode": "remove"}, {"name": "path", "valueString": "Tsk."}]),
        ),
        operation(json!([])),
    ]);
    let faults = parse_fhirpath_patch(&body).expect_err("refused");
    let seen: Vec<_> = faults
        .iter()
        .map(seen)
        .map(|(status, code, _)| (status, code))
        .collect();
    assert_eq!(
        seen,
        [
            (422, "business-rule"),
            (400, "not-supported"),
            (400, "invalid"),
            (400, "structure")
        ]
    );
}

#[test]
fn a_task_that_was_too_long_may_shrink() {
    let long = "x".repeat(rorqual_anomaly::patch::MAX_RESULT_BYTES);
    let mut task = TaskText::parse(
        json!({"resourceType": "Task", "status": "draft", "description": long})
            .to_string()
            .as_bytes(),
    )
    .expect("an object");
    let shorter =
        read(replace("Task.description", json!({"valueString": "short"}))).expect("sound");
    let longer = read(replace("Task.status", json!({"valueCode": "in-progress"}))).expect("sound");
    assert!(matches!(
        longer.apply(&mut task),
        Err(PatchFault::TooLong { .. })
    ));
    shorter.apply(&mut task).expect("it shrinks");
    longer.apply(&mut task).expect("there is room now");
}
