//! CodeableConcepts bound to the code lists of the directory.

use rorqual_schema::{CodeSystem, Node, canonical_system, code_system, is_case_insensitive};

use super::fault::ProfileFault;
use super::rules::Binding;
use super::{Found, is_present};
use crate::structure::{nearest, quoted};

/// One coding of the list is enough; others beside it may say the same in other systems. Displays are not compared.
pub(super) fn check(binding: &Binding, task: &Node<'_>, found: &mut Found) {
    let Some(concept) = task
        .get(&binding.element)
        .filter(|value| is_present(Some(value)))
    else {
        return;
    };
    let Some(list) = code_system(&binding.system) else {
        return;
    };
    let path = format!("Task.{}", binding.element);
    let codings = concept.get("coding").map_or(&[][..], Node::items);
    let of_list: Vec<&str> = codings
        .iter()
        .filter(|coding| {
            let system = coding.get("system").and_then(Node::as_str);
            system.is_some_and(|system| canonical_system(system) == list.url)
        })
        .filter_map(|coding| coding.get("code")?.as_str())
        .collect();
    if of_list.iter().any(|code| is_listed(list, code)) {
        return;
    }
    let allowed = list
        .codes
        .iter()
        .map(|(code, label)| format!("{code} {label}"))
        .collect();
    found.note(match of_list.first() {
        Some(code) => ProfileFault::CodeNotInList {
            path,
            written: quoted(code),
            list: list.name,
            nearest: nearest_code(list, code),
            allowed,
        },
        None => ProfileFault::NoCodeOfList {
            path,
            found: what_came(codings),
            system: list.url,
            allowed,
        },
    });
}

fn is_listed(list: &CodeSystem, code: &str) -> bool {
    let fold = is_case_insensitive(list.url);
    list.codes
        .iter()
        .any(|(known, _)| *known == code || (fold && known.to_lowercase() == code.to_lowercase()))
}

/// `2` is most of the time a `02` whose zero a spreadsheet has eaten.
fn nearest_code(list: &CodeSystem, code: &str) -> Option<&'static str> {
    let codes = || list.codes.iter().map(|(known, _)| *known);
    let padded = format!("0{code}");
    codes()
        .find(|known| *known == padded)
        .or_else(|| nearest(code, codes()))
}

fn what_came(codings: &[Node<'_>]) -> String {
    let text = |coding: &Node<'_>, name: &str| coding.get(name).and_then(Node::as_str).map(quoted);
    let Some(first) = codings.first() else {
        return "has no coding".to_owned();
    };
    match (text(first, "system"), text(first, "code")) {
        (Some(system), Some(code)) => format!("has the code {code} of {system}"),
        (Some(system), None) => format!("has a coding of {system} without a code"),
        (None, Some(code)) => format!("has the code {code} without a system"),
        (None, None) => "has a coding without system and code".to_owned(),
    }
}
