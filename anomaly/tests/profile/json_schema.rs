//! The table of structures compared with HL7's JSON schema of R4, which was made from other sources by other hands.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

fn definitions() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/clients/fhir.schema.json.zst");
    let packed = std::fs::read(path).expect("the schema");
    let text = zstd::decode_all(packed.as_slice()).expect("zstd");
    let mut schema: Value = serde_json::from_slice(&text).expect("valid JSON");
    schema["definitions"].take()
}

fn table() -> Value {
    serde_json::from_str(include_str!("../../reference/r4-structures.json")).expect("valid JSON")
}

/// `Task.input` is `Task_Input` there.
fn their_name(ours: &str) -> String {
    let mut parts = ours.split('.');
    let mut name = parts.next().expect("a name").to_owned();
    for part in parts {
        name.push('_');
        name.push_str(&capital(part));
    }
    name
}

fn capital(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_uppercase() + rest
}

/// Every member of a structure with its datatype and whether it is an array.
fn our_members(table: &Value, name: &str) -> BTreeSet<(String, String, bool)> {
    let mut found = BTreeSet::new();
    for element in table["types"][name].as_array().expect("elements") {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        let types = match &element["types"] {
            Value::Array(types) if types[0] == "*" => &table["open"],
            types => types,
        };
        for kind in types.as_array().expect("types").iter().map(text) {
            let name = text(&element["name"]);
            let member = if element["choice"] == true {
                format!("{name}{}", capital(&kind))
            } else {
                name
            };
            found.insert((member, their_name(&kind), element["many"] == true));
        }
    }
    found
}

/// The same as the schema has it; nothing for the datatype of what it describes in place (lists of codes, open choices).
fn their_members(definition: &Value) -> BTreeSet<(String, Option<String>, bool)> {
    let mut found = BTreeSet::new();
    for (name, rule) in definition["properties"].as_object().expect("properties") {
        if name.starts_with('_') || name == "resourceType" {
            continue;
        }
        let many = rule["type"] == "array";
        let item = if many { &rule["items"] } else { rule };
        let kind = item["$ref"].as_str().map(|url| {
            url.trim_start_matches("#/definitions/")
                .replace("ResourceList", "Resource")
        });
        found.insert((name.clone(), kind, many));
    }
    found
}

#[test]
fn members_datatypes_and_arrays_are_those_of_the_json_schema() {
    let (table, definitions) = (table(), definitions());
    let mut compared = 0;
    for name in table["types"].as_object().expect("types").keys() {
        let definition = &definitions[their_name(name)];
        assert!(definition.is_object(), "{name}");
        let theirs = their_members(definition);
        for (member, kind, many) in our_members(&table, name) {
            // The schema forgot Meta in its open choices, where the standard's text has it.
            if member == "valueMeta" {
                continue;
            }
            let (_, their_kind, their_many) = theirs
                .iter()
                .find(|(theirs, ..)| *theirs == member)
                .unwrap_or_else(|| panic!("{name}.{member} is not in the schema"));
            assert_eq!(many, *their_many, "{name}.{member}");
            if let Some(their_kind) = their_kind.as_ref().filter(|_| member != "id") {
                assert_eq!(kind, *their_kind, "{name}.{member}");
            }
            compared += 1;
        }
        let ours: BTreeSet<String> = our_members(&table, name)
            .into_iter()
            .map(|(member, ..)| member)
            .collect();
        for (member, ..) in theirs {
            // The schema gives every part a modifierExtension; the definitions give it to BackboneElements alone.
            if member == "modifierExtension" && name.contains('.') && !name.starts_with("Task.") {
                continue;
            }
            assert!(
                ours.contains(&member),
                "{name}.{member} is in the schema only"
            );
        }
    }
    assert!(compared > 400, "{compared}");
}

#[test]
fn lists_of_codes_are_those_of_the_json_schema() {
    let (table, definitions) = (table(), definitions());
    let mut compared = 0;
    for (name, elements) in table["types"].as_object().expect("types") {
        for element in elements.as_array().expect("elements") {
            let Some(list) = element["codes"].as_str() else {
                continue;
            };
            let rule = &definitions[their_name(name)]["properties"]
                [element["name"].as_str().expect("a name")];
            // Lists of another kind of source (`all-types`) are plain codes in the schema.
            let Some(theirs) = rule["enum"]
                .as_array()
                .or_else(|| rule["items"]["enum"].as_array())
            else {
                continue;
            };
            let sorted =
                |codes: &Vec<Value>| codes.iter().map(Value::to_string).collect::<BTreeSet<_>>();
            assert_eq!(
                sorted(table["codes"][list].as_array().expect("codes")),
                sorted(theirs),
                "{list}"
            );
            compared += 1;
        }
    }
    assert!(compared > 10, "{compared}");
}
