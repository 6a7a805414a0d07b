//! The human text of a resource, which `_content` searches.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::json::Node;

static TEXT: &str = include_str!("../reference/human-text.json");

/// Which members are human text, and which parts are not looked at.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Rules {
    text_keys: Vec<String>,
    skipped_keys: Vec<String>,
    skipped_extension_urls: Vec<String>,
    skipped_inputs: Vec<String>,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap_or_default());

/// Adds every run of human text in document order: names, aliases, comments, descriptions, displays of codes, address
/// lines, city. URLs, ids, electronic addresses, numbers and the generated narrative are left out.
pub(crate) fn collect(resource: &Node<'_>, out: &mut Vec<String>) {
    walk(&RULES, resource, out);
}

fn walk(rules: &Rules, node: &Node<'_>, out: &mut Vec<String>) {
    match node {
        Node::Array(items) => items.iter().for_each(|item| walk(rules, item, out)),
        Node::Object(members) => {
            if is_skipped(rules, node) {
                return;
            }
            for (name, value) in members {
                if rules.skipped_keys.iter().any(|key| key == name) {
                    continue;
                }
                if rules.text_keys.iter().any(|key| key == name) {
                    value
                        .items()
                        .iter()
                        .filter_map(Node::as_str)
                        .filter(|text| is_human(text))
                        .for_each(|text| {
                            out.push(text.trim().to_owned());
                        });
                }
                walk(rules, value, out);
            }
        }
        _ => {}
    }
}

/// Extensions and task inputs that hold an address or a technical value.
fn is_skipped(rules: &Rules, node: &Node<'_>) -> bool {
    let text = |name: &str| node.get(name).and_then(Node::as_str);
    if text("url").is_some_and(|url| {
        rules
            .skipped_extension_urls
            .iter()
            .any(|skipped| skipped == url)
    }) {
        return true;
    }
    let codes = node
        .get("type")
        .and_then(|kind| kind.get("coding"))
        .map(Node::items)
        .unwrap_or_default();
    codes
        .iter()
        .filter_map(|coding| coding.get("code").and_then(Node::as_str))
        .any(|code| rules.skipped_inputs.iter().any(|skipped| skipped == code))
}

/// Whether a text holds words rather than a number, a URL or an electronic address.
fn is_human(text: &str) -> bool {
    let electronic = text.contains("://") || (text.contains('@') && !text.contains(' '));
    !electronic && text.chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::{Rules, TEXT, collect};
    use crate::json::Node;

    #[test]
    fn the_embedded_rules_are_read() {
        let rules: Rules = serde_json::from_str(TEXT).expect("readable");
        assert!(rules.text_keys.iter().any(|key| key == "display"));
    }

    #[test]
    fn words_are_kept_and_technical_values_left_out() {
        let text = br#"{"resourceType":"Organization","id":"abc","text":{"status":"generated","div":"<div>non</div>"},
            "meta":{"tag":[{"code":"52","display":"Pays de la Loire"}]},
            "extension":[{"url":"u","valueString":"Entr\u00e9e rue du Moulin"},{"url":"telecomAddress","valueString":"secret line"}],
            "identifier":[{"value":"X-1"}],"name":"Clinique","alias":["Les Ch\u00eanes"," "],
            "telecom":[{"value":"contact name"}],
            "address":[{"line":["27 bd de la Prairie"],"city":"Nantes","postalCode":"44000"}],
            "contact":[{"name":{"family":"Lef\u00e8vre","given":["Maud"]},"telecom":[{"value":"a@b.fr"}]}],
            "input":[{"type":{"coding":[{"code":"ruleErrorId"}]},"valueString":"EX-TEL"},
                     {"type":{"coding":[{"code":"errorValue"}]},"valueString":"+33 2 61"}]}"#;
        let node = Node::parse(text).expect("valid");
        let mut out = Vec::new();
        collect(&node, &mut out);
        assert_eq!(
            out,
            [
                "Pays de la Loire",
                "Entrée rue du Moulin",
                "Clinique",
                "Les Chênes",
                "27 bd de la Prairie",
                "Nantes",
                "Lefèvre",
                "Maud"
            ]
        );
    }
}
