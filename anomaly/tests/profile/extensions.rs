//! Extensions, those beside primitives included, and contained resources.

use serde_json::{Value, json};

use super::structure_faults::only;
use super::{smallest, structure_of, with, without};

#[test]
fn extensions_hold_a_value_or_extensions() {
    let task = with(smallest(), "/extension", json!([{"url": "a:b"}]));
    only(&task, "Task.extension[0]", "structure", 400, &["neither"]);
    let task = with(
        smallest(),
        "/extension",
        json!([{"url": "a:b", "valueCode": "c", "extension": [{"url": "d", "valueCode": "e"}]}]),
    );
    only(
        &task,
        "Task.extension[0]",
        "structure",
        400,
        &["a value and extensions"],
    );
    let task = with(
        smallest(),
        "/extension",
        json!([{"url": "a b", "valueCode": "c"}]),
    );
    only(&task, "Task.extension[0].url", "value", 400, &["\"a b\""]);
    let task = with(
        smallest(),
        "/_status",
        json!({"extension": [{"url": "a:b", "valueCod": "c"}]}),
    );
    let told = structure_of(&task);
    assert_eq!(told[0].path, "Task.status.extension[0].valueCod");
    assert!(
        told[0].diagnostics.contains("valueCode meant"),
        "{}",
        told[0].diagnostics
    );
}

#[test]
fn extensions_of_lists_are_aligned() {
    let names = |given: Value, beside: Value| {
        let contained = json!([{"resourceType": "Task", "id": "a", "status": "draft", "intent": "order",
            "note": [{"text": "x", "authorReference": {"reference": "Practitioner/1"}}],
            "meta": {"profile": given, "_profile": beside}}]);
        structure_of(&with(smallest(), "/contained", contained))
    };
    let one = json!({"extension": [{"url": "a:b", "valueCode": "c"}]});
    assert_eq!(names(json!(["a:b", null]), json!([null, one])), []);
    for (given, beside, path, word) in [
        (
            json!(["a:b"]),
            json!([null, one]),
            "Task.contained[0].meta.profile",
            "1 values and 2 places",
        ),
        (
            json!(["a:b", null]),
            json!([one, null]),
            "Task.contained[0].meta.profile[1]",
            "null",
        ),
        (
            json!(["a:b"]),
            json!(one),
            "Task.contained[0].meta.profile",
            "brackets",
        ),
        (
            json!(["a:b"]),
            json!([{}]),
            "Task.contained[0].meta.profile[0]",
            "an empty object",
        ),
        (
            json!(["a:b"]),
            Value::Null,
            "Task.contained[0].meta.profile",
            "null",
        ),
    ] {
        let told = names(given.clone(), beside);
        assert_eq!(told.len(), 1, "{given}: {told:?}");
        assert_eq!(told[0].path, path);
        assert!(
            told[0].diagnostics.contains(word),
            "{}",
            told[0].diagnostics
        );
    }
    let alone = with(smallest(), "/_instantiatesUri", json!([one]));
    only(
        &alone,
        "Task.instantiatesUri",
        "structure",
        400,
        &["without brackets"],
    );
    let nothing = with(smallest(), "/meta/_profile", json!([null]));
    assert_eq!(structure_of(&nothing), [], "null beside a value");
    let nothing = with(
        without(smallest(), "/meta/profile"),
        "/meta/_profile",
        json!([null]),
    );
    only(
        &nothing,
        "Task.meta.profile[0]",
        "structure",
        400,
        &["null"],
    );
}

#[test]
fn contained_resources_have_a_type_and_an_id_of_their_own() {
    let contained = |value: Value| with(smallest(), "/contained", json!([value]));
    let path = "Task.contained[0]";
    only(
        &contained(json!({"resourceType": "Practitioner"})),
        path,
        "structure",
        400,
        &["no id"],
    );
    only(
        &contained(json!({"id": "a"})),
        path,
        "structure",
        400,
        &["no resourceType"],
    );
    only(
        &contained(json!({"resourceType": "Practicioner", "id": "a"})),
        path,
        "structure",
        400,
        &["Practitioner meant"],
    );
    only(
        &contained(json!({"resourceType": "Patient", "id": "#a"})),
        path,
        "structure",
        400,
        &["\"#a\""],
    );
    only(
        &contained(json!({"resourceType": "Patient", "id": 1})),
        path,
        "structure",
        400,
        &["the number 1"],
    );
    only(
        &contained(json!("Patient/1")),
        path,
        "structure",
        400,
        &["a resource with its resourceType"],
    );
    let nested = json!({"resourceType": "Patient", "id": "a", "contained": [{"resourceType": "Patient", "id": "b"}]});
    only(
        &contained(nested),
        "Task.contained[0].contained",
        "structure",
        400,
        &["contains nothing itself"],
    );
    let nested = json!({"resourceType": "Task", "id": "a", "status": "draft", "intent": "order", "contained": [{"resourceType": "Patient", "id": "b"}]});
    only(
        &contained(nested),
        "Task.contained[0].contained",
        "structure",
        400,
        &["contains nothing itself"],
    );
    // Tasks inside a Task are checked whole, others by the rules of all JSON of R4.
    only(
        &contained(json!({"resourceType": "Task", "id": "a", "intent": "order"})),
        "Task.contained[0].status",
        "structure",
        400,
        &["missing"],
    );
    for (inner, path) in [
        (json!({}), "Task.contained[0].name"),
        (json!([]), "Task.contained[0].name"),
        (json!(""), "Task.contained[0].name"),
        (Value::Null, "Task.contained[0].name"),
        (
            json!([{"given": [""]}]),
            "Task.contained[0].name[0].given[0]",
        ),
    ] {
        only(
            &contained(json!({"resourceType": "Patient", "id": "a", "name": inner})),
            path,
            "structure",
            400,
            &[],
        );
    }
    let twice =
        json!([{"resourceType": "Patient", "id": "a"}, {"resourceType": "Group", "id": "a"}]);
    only(
        &with(smallest(), "/contained", twice),
        "Task.contained[1]",
        "structure",
        400,
        &["\"a\"", "unique"],
    );
}

#[test]
fn a_reference_to_a_contained_resource_needs_it() {
    let task = with(smallest(), "/for", json!({"reference": "#group"}));
    only(&task, "Task.for.reference", "value", 400, &["\"#group\""]);
    let task = with(
        task,
        "/contained",
        json!([{"resourceType": "Group", "id": "group"}]),
    );
    assert_eq!(structure_of(&task), []);
}
