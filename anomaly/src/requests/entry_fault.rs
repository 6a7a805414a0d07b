//! Everything that can be wrong with one entry of a Bundle.

use thiserror::Error;

/// What is wrong with one entry.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EntryFault {
    /// No object.
    #[error("an entry is an object with a request; send one")]
    NotAnObject,
    /// A member that is not known, or not of its JSON type.
    #[error("{member} {problem}")]
    Shape {
        /// The member below the entry: `request.ifMatch`.
        member: String,
        /// What is wrong and what is due.
        problem: &'static str,
    },
    /// A member that must be there.
    #[error("the entry has no {member}; add it")]
    Missing {
        /// The member below the entry: `request`, `request.method`, `request.url`, `resource`.
        member: &'static str,
    },
    /// A condition that the method does not take; dropping it would do what the client wanted to prevent.
    #[error("{method} does not take request.{condition}; leave it out")]
    ConditionNotTaken {
        /// The method.
        method: &'static str,
        /// The member of the request.
        condition: &'static str,
    },
    /// A method that HTTP does not have.
    #[error("\"{written}\" is no method of FHIR R4; send POST, PATCH or GET")]
    UnknownMethod {
        /// The method as written.
        written: String,
    },
    /// A method that this server does not offer for that address.
    #[error(
        "{method} {url} is not offered here; send POST Task, PATCH Task/[id] or GET (an anomaly is inactivated by a PATCH of its businessStatus to 03)"
    )]
    MethodNotOffered {
        /// The method.
        method: String,
        /// The address below the base.
        url: String,
    },
    /// An address on another server.
    #[error("the address \"{url}\" is not under {base}; write it relative, Task/[id]")]
    ForeignUrl {
        /// The address as written.
        url: String,
        /// The base of this server.
        base: String,
    },
    /// An address with blanks or other characters that addresses have not.
    #[error("\"{url}\" is no address below the base; write Task or Task/[id]")]
    UrlUnreadable {
        /// The address as written.
        url: String,
    },
    /// An id against the grammar of ids: no such Task can exist.
    #[error(
        "there is no Task \"{id}\": an id has 1 to 64 letters, digits, hyphens and dots; correct request.url"
    )]
    NoSuchId {
        /// The id as written.
        id: String,
    },
    /// A patch that is neither a `Parameters` nor a `Binary`.
    #[error(
        "a patch in a Bundle is a Parameters resource, or a Binary that holds a JSON Patch, not {found}"
    )]
    NotAPatch {
        /// The resource type as written.
        found: String,
    },
    /// A `Binary` of another content type than JSON Patch.
    #[error("a Binary patch has contentType application/json-patch+json, not \"{found}\"")]
    PatchType {
        /// The type as written.
        found: String,
    },
}

impl EntryFault {
    pub(super) fn status(&self) -> u16 {
        match self {
            EntryFault::MethodNotOffered { .. } => 405,
            EntryFault::NoSuchId { .. } => 404,
            EntryFault::PatchType { .. } => 415,
            _ => 400,
        }
    }

    pub(super) fn code(&self) -> &'static str {
        match self {
            EntryFault::NotAnObject | EntryFault::Shape { .. } | EntryFault::NotAPatch { .. } => {
                "structure"
            }
            EntryFault::Missing { .. } => "required",
            EntryFault::ConditionNotTaken { .. }
            | EntryFault::MethodNotOffered { .. }
            | EntryFault::PatchType { .. } => "not-supported",
            EntryFault::UnknownMethod { .. }
            | EntryFault::ForeignUrl { .. }
            | EntryFault::UrlUnreadable { .. } => "value",
            EntryFault::NoSuchId { .. } => "not-found",
        }
    }

    pub(super) fn text(&self) -> &'static str {
        match self {
            EntryFault::NotAnObject | EntryFault::Shape { .. } => "Entry not well formed",
            EntryFault::Missing { .. } => "Entry not complete",
            EntryFault::ConditionNotTaken { .. } => "Condition not taken",
            EntryFault::UnknownMethod { .. } => "Unknown method",
            EntryFault::MethodNotOffered { .. } => "Method not offered",
            EntryFault::ForeignUrl { .. } => "Address of another server",
            EntryFault::UrlUnreadable { .. } => "Address not readable",
            EntryFault::NoSuchId { .. } => "No such Task",
            EntryFault::NotAPatch { .. } | EntryFault::PatchType { .. } => "Not a patch",
        }
    }

    /// The path below the entry, with the dot before it.
    pub(super) fn below(&self) -> String {
        match self {
            EntryFault::NotAnObject => String::new(),
            // A name that is no name of FHIR has no place in a path.
            EntryFault::Shape { member, .. }
                if !member
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'.') =>
            {
                String::new()
            }
            EntryFault::Shape { member, .. } => format!(".{member}"),
            // What is missing has no path; the place where it is due has.
            EntryFault::Missing { member } => match member.rsplit_once('.') {
                Some((parent, _)) => format!(".{parent}"),
                None => String::new(),
            },
            EntryFault::ConditionNotTaken { condition, .. } => format!(".request.{condition}"),
            EntryFault::UnknownMethod { .. } | EntryFault::MethodNotOffered { .. } => {
                ".request.method".to_owned()
            }
            EntryFault::ForeignUrl { .. }
            | EntryFault::UrlUnreadable { .. }
            | EntryFault::NoSuchId { .. } => ".request.url".to_owned(),
            EntryFault::NotAPatch { .. } => ".resource".to_owned(),
            EntryFault::PatchType { .. } => ".resource.contentType".to_owned(),
        }
    }
}
