//! What a Task may be: samples accepted and refused, every fault provoked, the table compared with HL7's JSON schema.

mod datatypes;
mod extensions;
mod json_schema;
mod mutations;
mod profile_faults;
mod references;
mod samples;
mod structure_faults;

use rorqual_anomaly::{Finding, Gravity, profile, structure};
use rorqual_schema::Node;
use serde_json::Value;

/// The address under which the server of these tests is known.
const BASE: &str = "https://ror.example/fhir";

/// A fault as an answer tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    gravity: Gravity,
    status: u16,
    code: &'static str,
    path: String,
    diagnostics: String,
}

fn told(findings: Vec<impl Finding>) -> Vec<Told> {
    let tell = |finding: &dyn Finding| {
        assert!(!finding.text().is_empty());
        Told {
            gravity: finding.gravity(),
            status: finding.status(),
            code: finding.code(),
            path: finding.path(),
            diagnostics: finding.to_string(),
        }
    };
    findings.iter().map(|finding| tell(finding)).collect()
}

fn structure_of(task: &Value) -> Vec<Told> {
    let text = task.to_string();
    let node = Node::parse(text.as_bytes()).expect("valid JSON");
    told(structure::check(&node))
}

fn profile_of(task: &Value) -> Vec<Told> {
    let text = task.to_string();
    let node = Node::parse(text.as_bytes()).expect("valid JSON");
    told(profile::check(&node, BASE))
}

/// A Task with every element of the first level and a value of every datatype.
fn whole() -> Value {
    serde_json::from_str(include_str!("whole.json")).expect("valid JSON")
}

/// The example of the guide's shape that the search crate is tested with.
fn example() -> Value {
    serde_json::from_str(include_str!("../../../schema/tests/examples/Task.json"))
        .expect("valid JSON")
}

/// The smallest body that the documented requests call acceptable.
fn smallest() -> Value {
    samples::documented("report-01", "c")
}

/// A member's name as a step of a JSON pointer (RFC 6901).
fn pointer_step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The member's name that a step of a JSON pointer means.
fn pointed_name(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

/// A body with one value replaced, or added, at a JSON pointer whose parent exists.
fn with(mut task: Value, pointer: &str, value: Value) -> Value {
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
    match task.pointer_mut(parent).expect("the parent") {
        Value::Object(members) => {
            members.insert(pointed_name(last), value);
        }
        Value::Array(items) if last == "-" => items.push(value),
        Value::Array(items) => items[last.parse::<usize>().expect("an index")] = value,
        other => panic!("{parent} is {other}"),
    }
    task
}

/// A body without the value at a JSON pointer.
fn without(mut task: Value, pointer: &str) -> Value {
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
    match task.pointer_mut(parent).expect("the parent") {
        Value::Object(members) => {
            members.remove(&pointed_name(last)).expect("the member");
        }
        Value::Array(items) => {
            items.remove(last.parse().expect("an index"));
        }
        other => panic!("{parent} is {other}"),
    }
    task
}
