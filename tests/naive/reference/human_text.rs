//! The human text of a record: what a person wrote to be read, by a walk over its members.

use serde_json::Value as Json;

/// Members whose texts are for people.
const READ: &[&str] = &[
    "name",
    "alias",
    "comment",
    "description",
    "display",
    "text",
    "line",
    "city",
    "district",
    "state",
    "country",
    "family",
    "given",
    "prefix",
    "suffix",
    "availabilityExceptions",
    "extraDetails",
    "instructions",
    "valueString",
    "valueMarkdown",
];

/// Inputs of an anomaly that hold numbers of rules and systems.
const TECHNICAL_INPUTS: &[&str] = &[
    "ruleErrorId",
    "systemRequester",
    "identifierRequester",
    "pathElementError",
    "identifierAnalyst",
];

/// The runs of human text of a record.
pub fn runs(record: &Json) -> Vec<String> {
    let mut out = Vec::new();
    walk(record, &mut out);
    out
}

fn walk(node: &Json, out: &mut Vec<String>) {
    match node {
        Json::Array(items) => items.iter().for_each(|item| walk(item, out)),
        Json::Object(members) => {
            let codes = node["type"]["coding"].as_array();
            let technical = codes.into_iter().flatten().any(|coding| {
                let code = coding["code"].as_str();
                code.is_some_and(|code| TECHNICAL_INPUTS.contains(&code))
            });
            if technical || node["url"] == "telecomAddress" {
                return;
            }
            for (name, value) in members {
                // The generated narrative repeats the rest; contained resources are not found.
                if name == "div" || name == "contained" {
                    continue;
                }
                match value {
                    Json::String(text) if READ.contains(&name.as_str()) => keep(text, out),
                    Json::Array(items) if READ.contains(&name.as_str()) => {
                        let texts = items.iter().filter_map(Json::as_str);
                        texts.for_each(|text| keep(text, out));
                    }
                    _ => {}
                }
                walk(value, out);
            }
        }
        _ => {}
    }
}

/// Keeps a text that has letters and is neither a URL nor an electronic address.
fn keep(text: &str, out: &mut Vec<String>) {
    let electronic = text.contains("://") || (text.contains('@') && !text.contains(' '));
    if !electronic && text.chars().any(char::is_alphabetic) {
        out.push(text.to_owned());
    }
}
