//! Patching a Task and reading Bundles of requests, from the outside: every operation, every fault, every published body.

mod bundles;
mod fhirpath;
mod json_patch;
#[path = "../../../fuzz/patching.rs"]
mod patching;
mod properties;
mod published;

use rorqual_anomaly::Finding;
use rorqual_anomaly::patch::{Patch, PatchFault};
use rorqual_anomaly::task_text::TaskText;
use serde_json::{Value, json};

/// A Task with lists of none, one and three items.
fn sample() -> TaskText {
    let task = json!({
        "resourceType": "Task",
        "id": "12",
        "status": "in-progress",
        "businessStatus": {"coding": [{"code": "02"}]},
        "intent": "order",
        "description": "wrong number",
        "focus": {"reference": "Location/1"},
        "lastModified": "2024-01-04",
        "note": [{"text": "a"}, {"text": "b"}, {"text": "c"}],
        "input": [{"valueString": "IHM"}],
    });
    TaskText::parse(task.to_string().as_bytes()).expect("an object")
}

/// One `operation` of a FHIRPath Patch.
fn operation(parts: Value) -> Value {
    json!({"name": "operation", "part": parts})
}

fn parameters(operations: &[Value]) -> Vec<u8> {
    json!({"resourceType": "Parameters", "parameter": operations})
        .to_string()
        .into_bytes()
}

/// Status, code and path of a fault: what an answer shows beside its diagnostics.
fn seen(fault: &PatchFault) -> (u16, &'static str, String) {
    (fault.status(), fault.code(), fault.path())
}

/// The value of an element after a patch; `null` when it is gone.
fn after(read: Result<Patch, Vec<PatchFault>>, element: &str) -> Value {
    let mut task = sample();
    let patch = read.expect("a sound patch");
    assert!(patch.changes(element));
    patch.apply(&mut task).expect("it fits");
    task.get(element).map_or(Value::Null, |value| {
        serde_json::from_str(value.as_str()).expect("JSON")
    })
}

/// The fault of applying a patch that is sound in itself; the Task must be as it was.
fn misfit(read: Result<Patch, Vec<PatchFault>>) -> PatchFault {
    let mut task = sample();
    let fault = read
        .expect("a sound patch")
        .apply(&mut task)
        .expect_err("it does not fit");
    assert_eq!(task, sample());
    fault
}
