//! The named values of an anomaly: its inputs and outputs.

use std::collections::HashMap;

use rorqual_schema::{Node, canonical_system};

use super::Found;
use super::fault::ProfileFault;
use super::rules::{Named, Parameters};
use crate::structure::{described, nearest, quoted};

/// Checks one of the two lists. Codes that the guide does not have are kept and warned of: its slicing may be open.
pub(super) fn check(rules: &'static Parameters, task: &Node<'_>, found: &mut Found) {
    let items = task.get(&rules.element).map_or(&[][..], Node::items);
    let mut first_of: HashMap<&str, usize> = HashMap::new();
    for (index, item) in items.iter().enumerate() {
        let path = format!("Task.{}[{index}]", rules.element);
        let Some(named) = name_of(rules, item, &path, found) else {
            continue;
        };
        let first = *first_of.entry(&named.code).or_insert(index);
        if named.once && first != index {
            found.note(ProfileFault::ParameterRepeated {
                path,
                code: &named.code,
                first: format!("Task.{}[{first}]", rules.element),
            });
            continue;
        }
        value(named, item, &path, found);
    }
    for named in rules.codes.iter().filter(|named| named.required) {
        if !first_of.contains_key(named.code.as_str()) {
            let due = named.due.as_deref().unwrap_or("a value");
            let member = named.value.as_deref().unwrap_or("value[x]");
            found.note(ProfileFault::Required {
                path: format!("Task.{}", rules.element),
                due: format!(
                    "an item whose type has the code {} of {} and whose {member} is {due}",
                    named.code, rules.system
                ),
            });
        }
    }
}

/// What an item is, by the codings of its type.
fn name_of(
    rules: &'static Parameters,
    item: &Node<'_>,
    path: &str,
    found: &mut Found,
) -> Option<&'static Named> {
    let path = format!("{path}.type");
    let concept = item.get("type");
    let codings = concept.and_then(|concept| concept.get("coding"));
    let codings = codings.map_or(&[][..], Node::items).iter();
    let codes = codings.filter_map(|coding| {
        let system = coding.get("system").and_then(Node::as_str);
        Some((system.map(canonical_system), coding.get("code")?.as_str()?))
    });
    let known = |code: &str| rules.codes.iter().find(|named| named.code == code);
    let mut unknown = None;
    let mut without_system = None;
    for (system, code) in codes {
        match (system, known(code)) {
            (Some(system), Some(named)) if system == rules.system => return Some(named),
            (Some(system), None) if system == rules.system => unknown = unknown.or(Some(code)),
            (None, Some(named)) => without_system = without_system.or(Some(named)),
            _ => {}
        }
    }
    match (unknown, without_system) {
        (Some(code), _) => {
            let codes = rules.codes.iter().map(|named| named.code.as_str());
            found.note(ProfileFault::UnknownParameter {
                path,
                written: quoted(code),
                system: &rules.system,
                nearest: nearest(code, codes),
            });
            None
        }
        (None, Some(named)) => {
            found.note(ProfileFault::ParameterWithoutSystem {
                path,
                code: &named.code,
                system: &rules.system,
            });
            Some(named)
        }
        (None, None) => {
            found.note(ProfileFault::UncodedParameter {
                path,
                system: &rules.system,
            });
            None
        }
    }
}

fn value(named: &'static Named, item: &Node<'_>, path: &str, found: &mut Found) {
    let Some(member) = &named.value else {
        return;
    };
    let mut refuse = |path: String, held: String, expected: String| {
        found.note(ProfileFault::ParameterValue {
            path,
            code: &named.code,
            found: held,
            expected,
        });
    };
    let path = format!("{path}.value");
    let Some(value) = item.get(member) else {
        let members = item.as_object().unwrap_or_default().iter();
        let other = members
            .map(|(name, _)| name.as_ref())
            .find(|name| name.starts_with("value"));
        let held = other.map_or_else(|| "no value".to_owned(), quoted);
        return refuse(path, held, member.clone());
    };
    match value {
        Node::String(text) if text.trim().is_empty() => refuse(
            path,
            "blank text".to_owned(),
            named.due.clone().unwrap_or_else(|| "some text".to_owned()),
        ),
        Node::Object(_) => {
            let Some(language) = &named.language else {
                return;
            };
            let written = value.get("language").and_then(Node::as_str);
            if written != Some(language) {
                let held = written.map_or_else(|| "no language".to_owned(), quoted);
                refuse(
                    format!("{path}.language"),
                    held,
                    format!("the language {language}"),
                );
            }
            // The rule exp-1 of R4.
            if value.get("expression").is_none() && value.get("reference").is_none() {
                refuse(
                    format!("{path}.expression"),
                    "no expression".to_owned(),
                    "the path of the faulty element".to_owned(),
                );
            }
        }
        Node::String(_) => {}
        other => refuse(path, described(other), member.clone()),
    }
}
