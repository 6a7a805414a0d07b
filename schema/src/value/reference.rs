//! References from one resource to another.

use std::borrow::Cow;

use super::error::ValueError;
use super::escape::unescape;
use crate::code_systems::canonical_system;
use crate::json::Node;
use crate::resource_type::ResourceType;

/// A reference read from a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferenceValue<'a> {
    /// Whether `Reference.reference` is there, readable or not: a logical reference counts only without one.
    pub written: bool,
    /// The resource named by `Reference.reference`: its type, where one is written, and its id. Nothing for a contained
    /// resource, for a URN, or for a type that the directory does not hold.
    pub literal: Option<(Option<ResourceType>, Cow<'a, str>)>,
    /// `Reference.type`, which narrows a logical reference.
    pub type_hint: Option<ResourceType>,
    /// `Reference.identifier`: canonical system, empty when none, and value.
    pub identifier: Option<(Cow<'a, str>, Cow<'a, str>)>,
}

/// The type part of a reference in a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ReferenceTarget {
    /// No type is written: any type that the parameter may point to.
    Any,
    /// That type.
    Type(ResourceType),
    /// A type that the directory does not hold; nothing matches.
    Unknown(String),
}

/// A reference in a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReferenceQuery {
    /// The type asked for.
    pub target: ReferenceTarget,
    /// The id asked for.
    pub id: String,
    /// Of an absolute URL, what stands before `Type/id`, without the slash; the caller compares it with its own base.
    pub base: Option<String>,
}

impl ReferenceQuery {
    /// The type asked for, when one of the directory is named.
    pub fn resource_type(&self) -> Option<ResourceType> {
        match self.target {
            ReferenceTarget::Type(t) => Some(t),
            _ => None,
        }
    }
}

/// Reads `Type/id`, `id`, or an absolute URL that ends in `Type/id`; a trailing `/_history/version` is dropped.
pub fn parse_reference(raw: &str) -> Result<ReferenceQuery, ValueError> {
    let fault = |fault| ValueError::Reference {
        value: raw.to_owned(),
        fault,
    };
    let text = unescape(raw.trim());
    if text.is_empty() {
        return Err(ValueError::Empty {
            expected: "Type/id, id or an absolute URL",
        });
    }
    let (base, name, id) =
        cut(&text).ok_or_else(|| fault("it does not end in a type and an id"))?;
    if !is_id(id) {
        return Err(fault(
            "an id has 1 to 64 letters, digits, hyphens and points",
        ));
    }
    let target = match name {
        None => ReferenceTarget::Any,
        Some(name) if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphabetic()) => {
            return Err(fault("a type is a word of letters"));
        }
        Some(name) => ResourceType::from_name(name).map_or_else(
            || ReferenceTarget::Unknown(name.to_owned()),
            ReferenceTarget::Type,
        ),
    };
    Ok(ReferenceQuery {
        target,
        id: id.to_owned(),
        base: base.map(str::to_owned),
    })
}

/// Reads a Reference element; nothing when it names nothing.
pub(crate) fn read_reference<'a>(node: &'a Node<'a>) -> Option<ReferenceValue<'a>> {
    node.as_object()?;
    let text = |name: &str| {
        node.get(name)
            .and_then(Node::as_str)
            .filter(|text| !text.is_empty())
    };
    let type_hint = text("type")
        .and_then(|name| ResourceType::from_name(name.rsplit('/').next().unwrap_or(name)));
    let literal = text("reference").and_then(literal);
    let identifier = node.get("identifier").and_then(|identifier| {
        let value = identifier
            .get("value")
            .and_then(Node::as_str)
            .filter(|value| !value.is_empty())?;
        let system = identifier
            .get("system")
            .and_then(Node::as_str)
            .unwrap_or_default();
        Some((canonical_system(system), Cow::Borrowed(value)))
    });
    let written = text("reference").is_some();
    (written || identifier.is_some()).then_some(ReferenceValue {
        written,
        literal,
        type_hint,
        identifier,
    })
}

fn literal(text: &str) -> Option<(Option<ResourceType>, Cow<'_, str>)> {
    let (_, name, id) = cut(text.trim())?;
    if !is_id(id) {
        return None;
    }
    match name {
        None => Some((None, Cow::Borrowed(id))),
        Some(name) => Some((Some(ResourceType::from_name(name)?), Cow::Borrowed(id))),
    }
}

/// Base, type and id of a reference; nothing for `#contained`, URNs and paths of another shape.
fn cut(text: &str) -> Option<(Option<&str>, Option<&str>, &str)> {
    if text.starts_with('#') || text.starts_with("urn:") {
        return None;
    }
    let text = text
        .split_once("/_history/")
        .map_or(text, |(before, _)| before);
    let absolute = text.starts_with("http://") || text.starts_with("https://");
    match text.rsplit_once('/') {
        None => Some((None, None, text)),
        Some((before, id)) if absolute => {
            let (base, name) = before.rsplit_once('/')?;
            // "http:/" and "https:/" are what is left of a URL too short to hold a type.
            (!base.ends_with(":/") && !base.ends_with(':')).then_some((Some(base), Some(name), id))
        }
        Some((name, id)) if !name.contains('/') => Some((None, Some(name), id)),
        Some(_) => None,
    }
}

/// The grammar of FHIR ids.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::{ReferenceTarget, parse_reference, read_reference};
    use crate::json::Node;
    use crate::resource_type::ResourceType;

    #[test]
    fn the_three_forms_of_a_request() {
        let relative = parse_reference("Organization/12").expect("readable");
        assert_eq!(
            (
                relative.resource_type(),
                relative.id.as_str(),
                relative.base
            ),
            (Some(ResourceType::Organization), "12", None)
        );
        assert_eq!(
            parse_reference(" 12 ").map(|q| q.target),
            Ok(ReferenceTarget::Any)
        );
        let absolute =
            parse_reference("https://ror.example/fhir/Location/a-1/_history/3").expect("readable");
        assert_eq!(
            (absolute.id.as_str(), absolute.base.as_deref()),
            ("a-1", Some("https://ror.example/fhir"))
        );
        assert_eq!(
            parse_reference("Patient/1").map(|q| q.target),
            Ok(ReferenceTarget::Unknown("Patient".into()))
        );
        for bad in [
            "",
            "a/b/c",
            "Organization/",
            "/12",
            "#x",
            "urn:uuid:1",
            "http://x/1",
            "Organization/é",
            "Orga nization/1",
        ] {
            assert!(parse_reference(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn stored_references_are_literal_or_logical() {
        let read = |text: &str| {
            let node = Node::parse(text.as_bytes()).expect("valid");
            read_reference(&node).map(|r| {
                (
                    r.literal.map(|(t, id)| (t, id.into_owned())),
                    r.type_hint,
                    r.identifier.map(|(s, v)| (s.into_owned(), v.into_owned())),
                )
            })
        };
        let offer = Some((Some(ResourceType::HealthcareService), "1".to_owned()));
        assert_eq!(
            read(r#"{"reference":"HealthcareService/1"}"#),
            Some((offer.clone(), None, None))
        );
        assert_eq!(
            read(r#"{"reference":"http://any.example/r4/HealthcareService/1"}"#),
            Some((offer, None, None))
        );
        assert_eq!(
            read(
                r#"{"type":"Organization","identifier":{"system":"http://sirene.fr","value":"9"}}"#
            ),
            Some((
                None,
                Some(ResourceType::Organization),
                Some(("https://sirene.fr".into(), "9".into()))
            ))
        );
        // Written, though it leads to nothing here: the element is not missing, and no identifier beside it counts.
        for unresolved in [r##"{"reference":"#a"}"##, r#"{"reference":"Patient/1"}"#] {
            assert_eq!(read(unresolved), Some((None, None, None)), "{unresolved}");
            let node = Node::parse(unresolved.as_bytes()).expect("valid");
            assert!(read_reference(&node).is_some_and(|reference| reference.written));
        }
        for nothing in [r#"{"display":"x"}"#, r#""Organization/1""#] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }
}
