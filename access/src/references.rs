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

/// What the focus of a Task names, kept apart from the Task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sought {
    /// A resource of the directory by its type and id.
    Literal(ResourceType, String),
    /// Whatever carries an identifier: type, when one is told, canonical system, empty for any, and value.
    Logical(Option<ResourceType>, String, String),
}

impl Sought {
    /// The same as a reference names it.
    pub fn target(&self) -> Target<'_> {
        match self {
            Sought::Literal(kind, id) => Target::Literal { kind: *kind, id },
            Sought::Logical(kind, system, value) => Target::Logical {
                kind: *kind,
                system: Cow::Borrowed(system),
                value,
            },
        }
    }
}

/// Everything that the focus of a Task names in the directory, all of which must be seen for the Task to be; `None` when
/// what it names cannot be told, so that nobody who does not see everything sees the Task.
pub fn focus_of(task: &Node<'_>) -> Option<Vec<Sought>> {
    let sought = std::cell::RefCell::new(Vec::new());
    let note = |target: Target<'_>| {
        sought.borrow_mut().push(match target {
            Target::Literal { kind, id } => Sought::Literal(kind, id.to_owned()),
            Target::Logical {
                kind,
                system,
                value,
            } => Sought::Logical(kind, system.into_owned(), value.to_owned()),
        });
        true
    };
    let told = may_follow(ResourceType::Task, "focus", task.get("focus")?, &note);
    (told == Some(true)).then(|| sought.into_inner())
}

/// What an id alone stands for under an element that holds references.
#[derive(Clone, Copy)]
enum Alone {
    /// That type, the only one possible.
    Type(ResourceType),
    /// The type of the resource itself.
    Own,
    /// Nothing that can be told: several types are possible.
    Untold,
}

/// Whether the elements of that name hold references in the directory's six types (FHIR R4), and what an id alone stands for there.
fn holds_references(member: &str) -> Option<Alone> {
    use ResourceType::{HealthcareService, Location, Organization, Practitioner};
    Some(match member {
        "coverageArea" | "location" => Alone::Type(Location),
        "assigner" | "issuer" | "managingOrganization" | "organization" | "providedBy" => {
            Alone::Type(Organization)
        }
        "healthcareService" => Alone::Type(HealthcareService),
        "practitioner" => Alone::Type(Practitioner),
        "partOf" => Alone::Own,
        "authorReference" | "basedOn" | "encounter" | "endpoint" | "focus" | "for"
        | "insurance" | "owner" | "reasonReference" | "recipient" | "relevantHistory"
        | "requester" | "valueReference" => Alone::Untold,
        _ => return None,
    })
}

/// Whether what the item refers to may be seen; false when that cannot be told. `None` when the item, met under that member, is no
/// reference at all.
pub(crate) fn may_follow(
    kind: ResourceType,
    member: &str,
    item: &Node<'_>,
    visible: &dyn Fn(Target<'_>) -> bool,
) -> Option<bool> {
    let named = match item {
        Node::Object(_) | Node::String(_) => holds_references(member),
        _ => return None,
    };
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
            (_, Some(Alone::Type(only))) => Some(only),
            (_, Some(Alone::Own)) => Some(kind),
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
