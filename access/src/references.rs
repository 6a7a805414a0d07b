//! References inside a resource: recognising them, and asking whether what they name may be seen.

use std::borrow::Cow;

use rorqual_schema::{Node, ReferenceTarget, ResourceType, canonical_system, parse_reference};

/// What a reference names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target<'t> {
    /// A resource of the directory by its type and id.
    Literal {
        /// Its type.
        kind: ResourceType,
        /// Its id.
        id: &'t str,
    },
    /// Whatever carries an identifier.
    Logical {
        /// `Reference.type`, when it names a type of the directory.
        kind: Option<ResourceType>,
        /// The system of the identifier in canonical form; empty when none is written, which matches any.
        system: Cow<'t, str>,
        /// Its value.
        value: &'t str,
    },
}

/// Elements of the directory's six types that hold references (FHIR R4), with the type an id alone stands for where only one is
/// possible.
const REFERENCES: [(&str, Option<ResourceType>); 25] = {
    use ResourceType::{HealthcareService, Location, Organization, Practitioner};
    [
        ("assigner", Some(Organization)),
        ("authorReference", None),
        ("basedOn", None),
        ("coverageArea", Some(Location)),
        ("encounter", None),
        ("endpoint", None),
        ("focus", None),
        ("for", None),
        ("healthcareService", Some(HealthcareService)),
        ("insurance", None),
        ("issuer", Some(Organization)),
        ("location", Some(Location)),
        ("managingOrganization", Some(Organization)),
        ("organization", Some(Organization)),
        ("owner", None),
        ("partOf", None),
        ("practitioner", Some(Practitioner)),
        ("providedBy", Some(Organization)),
        ("reasonReference", None),
        ("recipient", None),
        ("relevantHistory", None),
        ("requester", None),
        ("valueReference", None),
        ("generalPractitioner", None),
        ("subject", None),
    ]
};

/// Whether the item, met under that member, is a reference whose target may not be seen, or cannot be told.
///
/// `None` when it is no reference at all.
pub(crate) fn may_follow(
    kind: ResourceType,
    member: &str,
    item: &Node<'_>,
    visible: &dyn Fn(Target<'_>) -> bool,
) -> Option<bool> {
    let named = REFERENCES.iter().find(|(name, _)| *name == member);
    match item {
        Node::Object(_) => {}
        // A bare text where a reference is due names something that cannot be told.
        Node::String(_) if named.is_some() => return Some(false),
        _ => return None,
    }
    let identifiers = item.get("identifier").map(Node::items);
    let is_reference = named.is_some()
        || item.get("reference").is_some()
        || (identifiers.is_some() && item.get("resourceType").is_none());
    if !is_reference {
        return None;
    }
    let hint = match item.get("type").and_then(Node::as_str) {
        Some(name) => Hint::read(name),
        None => Hint::Silent,
    };
    let mut told = false;
    if let Some(literal) = item.get("reference") {
        let alone = match (hint, named) {
            (Hint::Known(kind), _) => Some(kind),
            (_, Some((_, Some(only)))) => Some(*only),
            (_, Some(("partOf", _))) => Some(kind),
            _ => None,
        };
        if !literal
            .as_str()
            .is_some_and(|text| may_see(text, alone, visible))
        {
            return Some(false);
        }
        told = true;
    }
    for identifier in identifiers.unwrap_or(&[]) {
        let Some(value) = identifier.get("value").and_then(Node::as_str) else {
            return Some(false);
        };
        let system = identifier.get("system").and_then(Node::as_str);
        let target = Target::Logical {
            kind: hint.kind(),
            system: system.map_or(Cow::Borrowed(""), canonical_system),
            value,
        };
        if hint != Hint::Foreign && !visible(target) {
            return Some(false);
        }
        told = true;
    }
    // A display alone names something that cannot be told.
    Some(told)
}

/// What `Reference.type` says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hint {
    Silent,
    Known(ResourceType),
    Foreign,
}

impl Hint {
    fn read(name: &str) -> Hint {
        let name = name.rsplit('/').next().unwrap_or(name).trim();
        match directory_type(name) {
            Some(kind) => Hint::Known(kind),
            None if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic()) => {
                Hint::Foreign
            }
            None => Hint::Silent,
        }
    }

    fn kind(self) -> Option<ResourceType> {
        match self {
            Hint::Known(kind) => Some(kind),
            _ => None,
        }
    }
}

/// A type of the directory whatever its case: a wrong case must not make a hidden resource pass for a stranger.
fn directory_type(name: &str) -> Option<ResourceType> {
    ResourceType::ALL
        .into_iter()
        .find(|kind| kind.name().eq_ignore_ascii_case(name))
}

fn may_see(text: &str, alone: Option<ResourceType>, visible: &dyn Fn(Target<'_>) -> bool) -> bool {
    // A URN, a contained resource (which is never shown) or a search: nothing that can be told.
    let Ok(query) = parse_reference(text) else {
        return false;
    };
    let kind = match &query.target {
        ReferenceTarget::Type(kind) => Some(*kind),
        ReferenceTarget::Any => alone,
        ReferenceTarget::Unknown(name) => match directory_type(name) {
            Some(kind) => Some(kind),
            // A resource of a type that the directory does not hold cannot be a hidden one of it.
            None => return true,
        },
    };
    kind.is_some_and(|kind| {
        visible(Target::Literal {
            kind,
            id: &query.id,
        })
    })
}
