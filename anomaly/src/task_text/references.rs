//! Replacing the temporary addresses of a transaction (`urn:uuid:…`) by those its entries were given.

use std::collections::HashMap;

use super::TaskText;
use super::exact_json::{ExactJson, JsonKind, Member};

/// The members whose value is an address: `Reference.reference`, and the elements of type uri, url, oid and uuid that a
/// Task can hold (FHIR R4, http, "transaction processing rules"). Other texts are the client's words, whatever they look like.
const ADDRESSES: [&str; 7] = [
    "reference",
    "url",
    "valueUri",
    "valueUrl",
    "valueOid",
    "valueUuid",
    "instantiatesUri",
];

impl TaskText {
    /// Replaces every address that equals a key of the map by its value; all other bytes stay. Gives the number replaced.
    pub fn replace_references(&mut self, addresses: &HashMap<String, String>) -> usize {
        let mut count = 0;
        if !addresses.is_empty() {
            for member in &mut self.members {
                let found = replaced(member.name(), member.value(), addresses, &mut count);
                if let Some(value) = found {
                    member.replace(value);
                }
            }
        }
        count
    }
}

/// The value with its addresses replaced, or `None` when it holds none of them. Depth is bounded by `MAX_DEPTH`.
fn replaced(
    name: &str,
    value: &ExactJson,
    addresses: &HashMap<String, String>,
    count: &mut usize,
) -> Option<ExactJson> {
    match value.kind() {
        JsonKind::String if ADDRESSES.contains(&name) => {
            let assigned = addresses.get(&value.text()?)?;
            *count += 1;
            Some(ExactJson::string(assigned))
        }
        JsonKind::Array => {
            let before = *count;
            let items: Vec<ExactJson> = value
                .items()?
                .into_iter()
                .map(|item| replaced(name, &item, addresses, count).unwrap_or(item))
                .collect();
            (*count > before).then(|| ExactJson::array(&items))
        }
        JsonKind::Object => {
            let before = *count;
            let members: Vec<Member> = value
                .members()?
                .into_iter()
                .map(|member| {
                    replaced(member.name(), member.value(), addresses, count)
                        .map_or_else(|| member.clone(), |value| member.with(value))
                })
                .collect();
            (*count > before).then(|| ExactJson::object(&members))
        }
        _ => None,
    }
}
