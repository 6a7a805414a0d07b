//! The human text of a resource, which `_content` searches.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::json::Node;

static TEXT: &str = include_str!("../reference/human-text.json");

/// Which members are human text, and which parts are not looked at.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Written {
    text_keys: Vec<String>,
    skipped_keys: Vec<String>,
    skipped_extension_urls: Vec<String>,
    skipped_inputs: Vec<String>,
}

/// The rules as a walk reads them.
struct Rules {
    /// What members of a name are, by the length of the name: most names are told apart by that alone.
    by_length: Vec<Vec<(String, Member)>>,
    skipped_extension_urls: Vec<String>,
    skipped_inputs: Vec<String>,
}

#[derive(Clone, Copy)]
enum Member {
    Text,
    Skipped,
}

static RULES: LazyLock<Rules> =
    LazyLock::new(|| Rules::new(serde_json::from_str(TEXT).unwrap_or_default()));

impl Rules {
    fn new(written: Written) -> Rules {
        let mut by_length: Vec<Vec<(String, Member)>> = Vec::new();
        let skipped = written.skipped_keys.into_iter();
        let text = written.text_keys.into_iter();
        // Of a name in both lists the first found counts: it is skipped.
        for (name, member) in skipped
            .map(|name| (name, Member::Skipped))
            .chain(text.map(|name| (name, Member::Text)))
        {
            if by_length.len() <= name.len() {
                by_length.resize_with(name.len() + 1, Vec::new);
            }
            if let Some(names) = by_length.get_mut(name.len()) {
                names.push((name, member));
            }
        }
        Rules {
            by_length,
            skipped_extension_urls: written.skipped_extension_urls,
            skipped_inputs: written.skipped_inputs,
        }
    }

    fn member(&self, name: &str) -> Option<Member> {
        let names = self.by_length.get(name.len())?;
        let found = names.iter().find(|(known, _)| known == name);
        found.map(|(_, member)| *member)
    }
}

/// Visits every run of human text in document order: names, aliases, comments, descriptions, displays of codes, address
/// lines, city. URLs, ids, electronic addresses, numbers and the generated narrative are left out.
pub(crate) fn each_run(resource: &Node<'_>, visit: &mut dyn FnMut(&str)) {
    walk(&RULES, resource, visit);
}

fn walk(rules: &Rules, node: &Node<'_>, visit: &mut dyn FnMut(&str)) {
    match node {
        Node::Array(items) => items.iter().for_each(|item| walk(rules, item, visit)),
        Node::Object(members) => {
            if is_skipped(rules, node) {
                return;
            }
            for (name, value) in members {
                match rules.member(name) {
                    Some(Member::Skipped) => continue,
                    Some(Member::Text) => value
                        .items()
                        .iter()
                        .filter_map(Node::as_str)
                        .filter(|text| is_human(text))
                        .for_each(|text| visit(text.trim())),
                    None => {}
                }
                walk(rules, value, visit);
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
    use super::{TEXT, Written, each_run};
    use crate::json::Node;

    #[test]
    fn the_embedded_rules_are_read() {
        let rules: Written = serde_json::from_str(TEXT).expect("readable");
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
        each_run(&node, &mut |run| out.push(run.to_owned()));
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
