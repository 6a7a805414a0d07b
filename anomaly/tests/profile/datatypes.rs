//! What the patching of a Task asks: elements, their datatypes, and single values.

use rorqual_anomaly::structure::{
    Element, check_datatype, element_type, nearest_element, value_type,
};
use rorqual_schema::Node;
use serde_json::{Value, json};

use super::{Told, told, whole};

fn datatype(name: &str, value: &Value) -> Vec<Told> {
    let text = value.to_string();
    let node = Node::parse(text.as_bytes()).expect("valid JSON");
    told(check_datatype(name, &node, "Task.output[1]"))
}

#[test]
fn elements_of_the_first_level() {
    for (name, array, kind) in [
        ("businessStatus", false, "CodeableConcept"),
        ("input", true, "Task.input"),
        ("restriction", false, "Task.restriction"),
        ("requester", false, "Reference"),
        ("note", true, "Annotation"),
        ("lastModified", false, "dateTime"),
        ("contained", true, "Resource"),
    ] {
        let found = element_type(name).expect("an element");
        assert_eq!(
            found,
            Element {
                name,
                array,
                types: found.types
            }
        );
        assert_eq!(found.types, [kind]);
    }
    for name in ["resourceType", "_status", "Status", "valueString", ""] {
        assert_eq!(element_type(name), None, "{name}");
    }
    assert_eq!(nearest_element("reasoncode"), Some("reasonCode"));
    assert_eq!(nearest_element("quite another thing"), None);
    assert_eq!(value_type("valueCodeableConcept"), Some("CodeableConcept"));
    assert_eq!(value_type("valueDateTime"), Some("dateTime"));
    for member in [
        "value",
        "valueFoo",
        "valuecode",
        "url",
        "extension",
        "_valueCode",
    ] {
        assert_eq!(value_type(member), None, "{member}");
    }
}

#[test]
fn every_open_datatype_accepts_its_value_and_refuses_another() {
    let mut seen = 0;
    for input in whole()["input"].as_array().expect("inputs") {
        for (member, value) in input
            .as_object()
            .expect("an object")
            .iter()
            .filter(|(name, _)| *name != "type")
        {
            let kind = value_type(member).expect("an open datatype");
            assert_eq!(datatype(kind, value), [], "{kind}");
            for wrong in [json!([value]), json!({"zz": 1}), Value::Null] {
                let told = datatype(kind, &wrong);
                assert!(
                    !told.is_empty() && told.iter().all(|fault| fault.status == 400),
                    "{kind} {wrong}"
                );
                assert!(told[0].path.starts_with("Task.output[1]"), "{told:?}");
            }
            seen += 1;
        }
    }
    assert_eq!(seen, 55, "five of the profile and fifty open ones");
}

#[test]
fn parts_are_datatypes_too() {
    assert_eq!(
        datatype(
            "Task.output",
            &json!({"type": {"text": "x"}, "valueString": "y"})
        ),
        []
    );
    let told = datatype("Task.output", &json!({"valueString": "y"}));
    assert_eq!(told[0].path, "Task.output[1].type");
    assert_eq!(
        datatype("Task", &whole()).len(),
        1,
        "a Task is no value of an element: resourceType is unknown there"
    );
}

#[test]
fn a_name_that_is_no_datatype_is_told() {
    let told = datatype("CodeableConcpt", &json!({}));
    assert_eq!(
        (told.len(), told[0].status, told[0].code),
        (1, 400, "structure")
    );
    assert!(
        told[0].diagnostics.contains("\"CodeableConcpt\"")
            && told[0].diagnostics.contains("CodeableConcept meant")
    );
    assert!(
        datatype("", &json!(1))[0]
            .diagnostics
            .contains("no datatype")
    );
}
