//! Setting and removing members of an object, primitives with their `_name` siblings.

use super::exact_json::{ExactJson, Member};

/// The name of the sibling that holds the id and extensions of a primitive.
fn sibling_of(name: &str) -> String {
    format!("_{name}")
}

/// Sets a member in place, or before the first member that comes after it in the order of `rank`.
pub(super) fn set(
    members: &mut Vec<Member>,
    rank: impl Fn(&str) -> usize,
    name: &str,
    value: ExactJson,
) {
    let sibling = sibling_of(name);
    members.retain(|member| member.name() != sibling);
    put(members, rank, name, value);
}

/// Sets a primitive and its sibling; a part that is absent is removed.
pub(super) fn set_primitive(
    members: &mut Vec<Member>,
    rank: impl Fn(&str) -> usize,
    name: &str,
    value: Option<ExactJson>,
    sibling: Option<ExactJson>,
) {
    match value {
        Some(value) => set(members, &rank, name, value),
        None => drop(remove(members, name)),
    }
    if let Some(sibling) = sibling {
        put(members, &rank, &sibling_of(name), sibling);
    }
}

/// Removes a member and its sibling; gives the value it had.
pub(super) fn remove(members: &mut Vec<Member>, name: &str) -> Option<ExactJson> {
    let sibling = sibling_of(name);
    let value = members
        .iter()
        .find(|member| member.name() == name)
        .map(|member| member.value().clone());
    members.retain(|member| member.name() != name && member.name() != sibling);
    value
}

fn put(members: &mut Vec<Member>, rank: impl Fn(&str) -> usize, name: &str, value: ExactJson) {
    if let Some(own) = members.iter_mut().find(|member| member.name() == name) {
        own.replace(value);
        return;
    }
    let place = members
        .iter()
        .position(|member| rank(member.name()) > rank(name))
        .unwrap_or(members.len());
    members.insert(place, Member::new(name, value));
}
