//! JSON Patch: each operation and each fault.

use rorqual_anomaly::patch::{MAX_OPERATIONS, Patch, PatchFault, parse_json_patch};
use rorqual_anomaly::task_text::TaskText;
use serde_json::{Value, json};

use crate::{after, misfit, sample, seen};

fn read(operations: Value) -> Result<Patch, Vec<PatchFault>> {
    parse_json_patch(operations.to_string().as_bytes())
}

fn refused(operation: Value) -> (u16, &'static str, String) {
    let faults = read(json!([operation])).expect_err("refused");
    assert_eq!(faults.len(), 1, "{faults:?}");
    seen(&faults[0])
}

#[test]
fn each_operation() {
    let one = |operation: Value, element| after(read(json!([operation])), element);
    assert_eq!(
        one(
            json!({"op": "replace", "path": "/status", "value": "completed"}),
            "status"
        ),
        "completed"
    );
    assert_eq!(
        one(
            json!({"op": "replace", "path": "/businessStatus/coding/0/code", "value": "08"}),
            "businessStatus"
        ),
        json!({"coding": [{"code": "08"}]})
    );
    assert_eq!(
        one(
            json!({"op": "add", "path": "/status", "value": "draft"}),
            "status"
        ),
        "draft"
    );
    assert_eq!(
        one(
            json!({"op": "add", "path": "/owner", "value": {"display": "x"}}),
            "owner"
        ),
        json!({"display": "x"})
    );
    assert_eq!(
        one(
            json!({"op": "add", "path": "/note/-", "value": {"text": "d"}}),
            "note"
        )[3]["text"],
        "d"
    );
    assert_eq!(
        one(
            json!({"op": "add", "path": "/note/1", "value": {"text": "d"}}),
            "note"
        )[1]["text"],
        "d"
    );
    assert_eq!(
        one(
            json!({"op": "add", "path": "/note/3", "value": {"text": "d"}}),
            "note"
        )[3]["text"],
        "d"
    );
    assert_eq!(
        one(
            json!({"op": "add", "path": "/note/0/time", "value": "2024"}),
            "note"
        )[0],
        json!({"text": "a", "time": "2024"})
    );
    assert_eq!(
        one(json!({"op": "remove", "path": "/note/0"}), "note"),
        json!([{"text": "b"}, {"text": "c"}])
    );
    assert_eq!(
        one(
            json!({"op": "remove", "path": "/description"}),
            "description"
        ),
        Value::Null
    );
    assert_eq!(
        one(json!({"op": "remove", "path": "/note/0/text"}), "note")[0],
        json!({})
    );
    assert_eq!(
        one(
            json!({"op": "move", "from": "/note/0", "path": "/note/2"}),
            "note"
        ),
        json!([{"text": "b"}, {"text": "c"}, {"text": "a"}])
    );
    assert_eq!(
        one(
            json!({"op": "copy", "from": "/note/0", "path": "/note/-"}),
            "note"
        )[3]["text"],
        "a"
    );
    assert_eq!(
        after(
            read(json!([
                {"op": "test", "path": "/note/2/text", "value": "c"},
                {"op": "test", "path": "/note/2", "value": {"text": "c"}},
                {"op": "move", "from": "/businessStatus", "path": "/code", "comment": "ignored"}
            ])),
            "code"
        ),
        json!({"coding": [{"code": "02"}]})
    );
    // A list left without items is absent: FHIR has no empty arrays. One filled again is not.
    assert_eq!(
        one(json!({"op": "remove", "path": "/input/0"}), "input"),
        Value::Null
    );
    assert_eq!(
        after(
            read(json!([
                {"op": "remove", "path": "/input/0"},
                {"op": "add", "path": "/input/-", "value": {"valueString": "x"}}
            ])),
            "input"
        ),
        json!([{"valueString": "x"}])
    );
}

#[test]
fn a_test_changes_nothing() {
    let patch =
        read(json!([{"op": "test", "path": "/status", "value": "in-progress"}])).expect("sound");
    assert!(!patch.changes("status"));
    let mut task = sample();
    patch.apply(&mut task).expect("it holds");
    assert_eq!(task, sample());
    let moved =
        read(json!([{"op": "move", "from": "/owner", "path": "/requester"}])).expect("sound");
    assert!(moved.changes("owner") && moved.changes("requester") && !moved.changes("status"));
}

#[test]
fn names_with_a_slash_or_a_tilde() {
    let patch = read(json!([
        {"op": "add", "path": "/owner", "value": {}},
        {"op": "add", "path": "/owner/a~1b~0c~01", "value": 1}
    ]));
    assert_eq!(after(patch, "owner"), json!({"a/b~c~1": 1}));
}

#[test]
fn what_does_not_fit_the_task() {
    let cases = [
        (
            json!({"op": "test", "path": "/status", "value": "x"}),
            "conflict",
            "Task.status",
        ),
        (
            json!({"op": "test", "path": "/owner", "value": "x"}),
            "not-found",
            "Task.owner",
        ),
        (
            json!({"op": "remove", "path": "/owner"}),
            "not-found",
            "Task.owner",
        ),
        (
            json!({"op": "replace", "path": "/owner", "value": {}}),
            "not-found",
            "Task.owner",
        ),
        (
            json!({"op": "replace", "path": "/note/3", "value": {}}),
            "not-found",
            "Task.note",
        ),
        (
            json!({"op": "replace", "path": "/note/-", "value": {}}),
            "not-found",
            "Task.note",
        ),
        (
            json!({"op": "replace", "path": "/note/0/time", "value": "x"}),
            "not-found",
            "Task.note",
        ),
        (
            json!({"op": "remove", "path": "/note/-"}),
            "not-found",
            "Task.note",
        ),
        (
            json!({"op": "remove", "path": "/note/01"}),
            "not-found",
            "Task.note",
        ),
        (
            json!({"op": "remove", "path": "/note/+1"}),
            "not-found",
            "Task.note",
        ),
        (
            json!({"op": "add", "path": "/note/4", "value": {}}),
            "not-found",
            "Task.note",
        ),
        (
            json!({"op": "add", "path": "/output/-", "value": {}}),
            "not-found",
            "Task.output",
        ),
        (
            json!({"op": "add", "path": "/status/0", "value": {}}),
            "not-found",
            "Task.status",
        ),
        (
            json!({"op": "add", "path": "/note/9/text", "value": "x"}),
            "not-found",
            "Task.note",
        ),
        (
            json!({"op": "copy", "from": "/owner", "path": "/requester"}),
            "not-found",
            "Task.owner",
        ),
        (
            json!({"op": "move", "from": "/owner", "path": "/requester"}),
            "not-found",
            "Task.owner",
        ),
        (
            json!({"op": "move", "from": "/note/0", "path": "/note/3"}),
            "not-found",
            "Task.note",
        ),
    ];
    for (operation, code, path) in cases {
        let text = operation.to_string();
        let fault = misfit(read(json!([operation])));
        assert_eq!(seen(&fault), (422, code, path.to_owned()), "{text}");
    }
}

#[test]
fn growth_is_bounded() {
    let doubling = vec![json!({"op": "copy", "from": "/note", "path": "/note/-"}); 40];
    let fault = misfit(read(Value::from(doubling)));
    assert_eq!(seen(&fault), (422, "too-long", "Task".to_owned()));
    // A copy into itself adds a level, and hardly any length.
    let mut deeper = vec![json!({"op": "add", "path": "/owner", "value": {"a": {}}})];
    deeper.extend(vec![
        json!({"op": "copy", "from": "/owner", "path": "/owner/a"});
        70
    ]);
    let fault = misfit(read(Value::from(deeper)));
    assert_eq!(
        seen(&fault),
        (422, "too-long", "Task".to_owned()),
        "{fault}"
    );
    assert!(matches!(fault, PatchFault::TooDeep { .. }));
}

#[test]
fn work_is_bounded() {
    let notes = vec![json!({"text": "x"}); 40_000];
    let long = json!({"resourceType": "Task", "note": notes}).to_string();
    let before = TaskText::parse(long.as_bytes()).expect("an object");
    let back = json!({"op": "move", "from": "/note/1", "path": "/note/0"});
    let patch = read(Value::from(vec![back; MAX_OPERATIONS])).expect("sound");
    let mut task = before.clone();
    let fault = patch.apply(&mut task).expect_err("too much");
    assert_eq!(seen(&fault), (422, "too-costly", "Task".to_owned()));
    assert_eq!(task, before);
}

#[test]
fn pointers_that_are_not_open_to_change() {
    for name in [
        "id",
        "meta",
        "identifier",
        "intent",
        "focus",
        "authoredOn",
        "resourceType",
        "for",
        "partOf",
        "extension",
    ] {
        for below in ["", "/x"] {
            let path = format!("/{name}{below}");
            let rule = (422, "business-rule", format!("Task.{name}"));
            let plain = json!({"op": "add", "path": path, "value": 1});
            assert_eq!(refused(plain), rule);
            assert_eq!(
                refused(json!({"op": "test", "path": path, "value": 1})),
                rule
            );
            assert_eq!(
                refused(json!({"op": "copy", "from": path, "path": "/owner"})),
                rule
            );
            assert_eq!(
                refused(json!({"op": "move", "from": "/owner", "path": path})),
                rule
            );
        }
    }
    let whole = (422, "business-rule", "Task".to_owned());
    assert_eq!(refused(json!({"op": "remove", "path": ""})), whole);
    assert_eq!(refused(json!({"op": "remove", "path": "/_status"})), whole);
    let faults = read(json!([{"op": "remove", "path": "/buisnessStatus"}])).expect_err("refused");
    assert!(
        faults[0].to_string().contains("businessStatus"),
        "{}",
        faults[0]
    );
    assert_eq!(seen(&faults[0]), (400, "invalid", String::new()));
    assert_eq!(refused(json!({"op": "remove", "path": "/"})).0, 400);
}

#[test]
fn operations_that_are_none() {
    let nowhere = String::new;
    assert_eq!(
        refused(json!({"op": "remove", "path": "status"})),
        (400, "invalid", nowhere())
    );
    assert_eq!(
        refused(json!({"op": "remove", "path": "/note/~2"})),
        (400, "invalid", nowhere())
    );
    let deep = format!("/note{}", "/0".repeat(100));
    assert_eq!(
        refused(json!({"op": "remove", "path": deep})),
        (400, "invalid", nowhere())
    );
    assert_eq!(
        refused(json!({"op": "remove", "path": 1})),
        (400, "structure", nowhere())
    );
    assert_eq!(refused(json!(1)), (400, "structure", nowhere()));
    for (operation, code, status) in [
        (json!({"path": "/owner"}), "required", 400),
        (json!({"op": "remove"}), "required", 400),
        (json!({"op": "move", "path": "/owner"}), "required", 400),
        (
            json!({"op": "delete", "path": "/owner"}),
            "not-supported",
            400,
        ),
        (json!({"op": "replace", "path": "/owner"}), "required", 422),
        (
            json!({"op": "move", "from": "/note", "path": "/note/0"}),
            "processing",
            422,
        ),
    ] {
        let text = operation.to_string();
        let (own_status, own_code, path) = refused(operation);
        assert!(
            !path.starts_with("Parameters"),
            "a JSON Patch has no such place"
        );
        assert_eq!((own_status, own_code), (status, code), "{text}");
    }
    for (body, status) in [("{}", 400), ("[]", 400), ("[", 400), ("1", 400)] {
        let faults = parse_json_patch(body.as_bytes()).expect_err("refused");
        assert_eq!(seen(&faults[0]).0, status, "{body}");
    }
    let many = vec![json!({"op": "remove", "path": "/owner"}); MAX_OPERATIONS + 1];
    let faults = read(Value::from(many)).expect_err("refused");
    assert_eq!(
        (seen(&faults[0]).0, seen(&faults[0]).1),
        (422, "too-costly")
    );
}
