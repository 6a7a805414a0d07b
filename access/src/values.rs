//! Reading codes, extensions and confidentiality levels out of a resource, in every shape real data give them.

use std::borrow::Cow;
use std::sync::LazyLock;

use rorqual_schema::{Node, canonical_system};

use crate::extension_names::urls_of;

/// A confidentiality level, TRE_R283: 1 open to the public, 2 restricted to professionals, 3 very restricted.
pub(crate) const VERY_RESTRICTED: u8 = 3;
/// The level of a contact or telecom that says none.
pub(crate) const RESTRICTED: u8 = 2;

static LEVEL_URLS: LazyLock<Vec<String>> = LazyLock::new(|| {
    [
        "ror-telecom-confidentiality-level",
        "ror-contact-confidentiality-level",
        "ror-confidentiality-level",
    ]
    .iter()
    .flat_map(|name| urls_of(name))
    .collect()
});

/// The members in which extensions stand.
pub(crate) fn is_extension_member(name: &str) -> bool {
    name == "extension" || name == "modifierExtension"
}

/// The extensions of a node whose URL is one of those.
pub(crate) fn extensions<'n, 'a>(
    node: &'n Node<'a>,
    urls: &'n [String],
) -> impl Iterator<Item = &'n Node<'a>> {
    node.as_object()
        .unwrap_or(&[])
        .iter()
        .filter(|(name, _)| is_extension_member(name))
        .flat_map(|(_, value)| value.items())
        .filter(move |item| has_url(item, urls))
}

/// Whether the node is an extension with one of those URLs.
pub(crate) fn has_url(node: &Node<'_>, urls: &[String]) -> bool {
    node.get("url")
        .and_then(Node::as_str)
        .is_some_and(|url| urls.iter().any(|known| known == url.trim()))
}

/// The codings of a CodeableConcept, or the node itself when it is a Coding.
pub(crate) fn coded_values<'n, 'a>(node: &'n Node<'a>) -> &'n [Node<'a>] {
    match node.get("coding") {
        Some(codings) => codings.items(),
        None if node.get("code").is_some() || node.get("system").is_some() => {
            std::slice::from_ref(node)
        }
        None => &[],
    }
}

/// The canonical systems of the codings of a node, the empty text for a coding without one.
pub(crate) fn coding_systems<'n>(node: &'n Node<'_>) -> Vec<Cow<'n, str>> {
    coded_values(node)
        .iter()
        .map(|coding| {
            coding
                .get("system")
                .and_then(Node::as_str)
                .map_or(Cow::Borrowed(""), canonical_system)
        })
        .collect()
}

/// The codes an extension holds: a `code`, a `Coding` or a `CodeableConcept`. A value without a readable code counts as the empty
/// one, which no rule can name, so that it satisfies nothing.
pub(crate) fn codes_of<'n>(extension: &'n Node<'_>, out: &mut Vec<Cow<'n, str>>) {
    let before = out.len();
    let values = extension
        .as_object()
        .unwrap_or(&[])
        .iter()
        .filter(|(name, _)| name.starts_with("value"));
    for (_, value) in values {
        match value {
            Node::String(text) => out.push(Cow::Borrowed(text)),
            Node::Number(number) => out.push(Cow::Owned(number.as_f64().to_string())),
            concept => {
                for coding in coded_values(concept) {
                    let code = coding.get("code").and_then(Node::as_str);
                    out.push(Cow::Borrowed(code.unwrap_or_default()));
                }
            }
        }
    }
    if out.len() == before {
        out.push(Cow::Borrowed(""));
    }
}

/// The level that an element declares by its own extension, the most closed of several; what cannot be read is very restricted.
pub(crate) fn declared_level(node: &Node<'_>) -> Option<u8> {
    let mut codes = Vec::new();
    for extension in extensions(node, &LEVEL_URLS) {
        codes_of(extension, &mut codes);
    }
    codes
        .iter()
        .map(|code| match code.as_ref() {
            "1" => 1,
            "2" => RESTRICTED,
            _ => VERY_RESTRICTED,
        })
        .max()
}

/// The region codes of `meta.tag` (TRE_R30), which [`crate::DataRules::sees`] asks for.
pub fn regions<'n>(resource: &'n Node<'_>) -> Vec<&'n str> {
    const REGION: &str = "https://mos.esante.gouv.fr/NOS/TRE_R30-RegionOM/FHIR/TRE-R30-RegionOM";
    resource
        .get("meta")
        .and_then(|meta| meta.get("tag"))
        .map_or(&[][..], Node::items)
        .iter()
        .filter(|tag| {
            tag.get("system")
                .and_then(Node::as_str)
                .is_some_and(|system| canonical_system(system) == REGION)
        })
        .map(|tag| tag.get("code").and_then(Node::as_str).unwrap_or_default())
        .collect()
}
