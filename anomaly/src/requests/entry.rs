//! What one entry of a Bundle asks for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rorqual_schema::is_id;

use super::entry_fault::EntryFault;
use super::url::{UrlFault, below_base};
use crate::task_text::ExactJson;

/// One request of a Bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRequest {
    /// `fullUrl`, blanks around it trimmed. References of other entries to a `urn:uuid:` fullUrl are to be replaced once
    /// the Task has its id ([`crate::task_text::TaskText::replace_references`]).
    pub full_url: Option<String>,
    /// What is asked for.
    pub action: Action,
}

/// What an entry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `POST Task`.
    Create {
        /// The resource as sent; whether it is a sound Task is not checked.
        body: ExactJson,
        /// `ifNoneExist`: the query of a conditional create.
        if_none_exist: Option<String>,
    },
    /// `PATCH Task/[id]`.
    Patch {
        /// The id, which follows the grammar of ids.
        id: String,
        /// `ifMatch` as written: an ETag, not checked.
        if_match: Option<String>,
        /// In which language the patch is written.
        language: PatchLanguage,
        /// The patch, for [`crate::patch::parse_fhirpath_patch`] or [`crate::patch::parse_json_patch`].
        body: Vec<u8>,
    },
    /// `GET`: a read or a search.
    Read {
        /// The address relative to the base, query included.
        url: String,
        /// `ifNoneMatch` as written.
        if_none_match: Option<String>,
        /// `ifModifiedSince` as written.
        if_modified_since: Option<String>,
    },
}

/// The languages of patches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchLanguage {
    /// A `Parameters` resource.
    FhirPath,
    /// A JSON Patch, carried by a `Binary` resource (FHIR R4, http, "patch").
    Json,
}

/// The members of an entry of a request (FHIR R4, Bundle.entry).
const ENTRY: [&str; 6] = ["id", "extension", "link", "fullUrl", "resource", "request"];

/// The members of its request.
const REQUEST: [&str; 8] = [
    "id",
    "extension",
    "method",
    "url",
    "ifNoneMatch",
    "ifModifiedSince",
    "ifMatch",
    "ifNoneExist",
];

/// The conditions of a request, and the one method that takes each.
const CONDITIONS: [(&str, &str); 4] = [
    ("ifNoneMatch", "GET"),
    ("ifModifiedSince", "GET"),
    ("ifMatch", "PATCH"),
    ("ifNoneExist", "POST"),
];

/// Reads one entry.
pub(super) fn read(json: &ExactJson, base: &str) -> Result<EntryRequest, EntryFault> {
    known_members(json, "", &ENTRY)?;
    let full_url = optional(json, "", "fullUrl")?.map(|url| url.trim().to_owned());
    let request = json
        .member("request")
        .ok_or(EntryFault::Missing { member: "request" })?;
    known_members(&request, "request.", &REQUEST)?;
    let condition = |name| optional(&request, "request.", name);
    let written = condition("method")?.ok_or(EntryFault::Missing {
        member: "request.method",
    })?;
    let url = condition("url")?.ok_or(EntryFault::Missing {
        member: "request.url",
    })?;
    let below = below_base(&url, base).map_err(|fault| match fault {
        UrlFault::Foreign => EntryFault::ForeignUrl {
            url: shortened(&url),
            base: base.to_owned(),
        },
        UrlFault::Unreadable => EntryFault::UrlUnreadable {
            url: shortened(&url),
        },
    })?;
    let method = match written.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PATCH" => "PATCH",
        "PUT" | "DELETE" | "HEAD" => return Err(not_offered(&written, below)),
        _ => {
            return Err(EntryFault::UnknownMethod {
                written: shortened(&written),
            });
        }
    };
    for (name, taken_by) in CONDITIONS {
        if taken_by != method && request.member(name).is_some() {
            return Err(EntryFault::ConditionNotTaken {
                method,
                condition: name,
            });
        }
    }
    let action = match method {
        "GET" => Action::Read {
            url: below.to_owned(),
            if_none_match: condition("ifNoneMatch")?,
            if_modified_since: condition("ifModifiedSince")?,
        },
        "POST" => {
            if path(below) != Some("Task") {
                return Err(not_offered(method, below));
            }
            Action::Create {
                body: resource(json)?,
                if_none_exist: condition("ifNoneExist")?,
            }
        }
        _ => {
            let id = path(below)
                .and_then(|path| path.strip_prefix("Task/"))
                .filter(|id| !id.is_empty() && !id.contains('/'))
                .ok_or_else(|| not_offered(method, below))?;
            if !is_id(id) {
                return Err(EntryFault::NoSuchId { id: shortened(id) });
            }
            let (language, body) = patch(&resource(json)?)?;
            Action::Patch {
                id: id.to_owned(),
                if_match: condition("ifMatch")?,
                language,
                body,
            }
        }
    };
    Ok(EntryRequest { full_url, action })
}

/// The path of the address of a write. A query is taken only if it chooses the format, which is that of the Bundle: a
/// conditional write by query is not offered.
fn path(below: &str) -> Option<&str> {
    let (path, query) = below.split_once('?').unwrap_or((below, ""));
    let formats_only = query.split('&').all(|parameter| {
        let name = parameter.split('=').next().unwrap_or_default();
        matches!(name, "" | "_format" | "_pretty")
    });
    formats_only.then_some(path)
}

fn not_offered(method: &str, below: &str) -> EntryFault {
    EntryFault::MethodNotOffered {
        method: method.to_owned(),
        url: shortened(below),
    }
}

fn resource(json: &ExactJson) -> Result<ExactJson, EntryFault> {
    let resource = json
        .member("resource")
        .ok_or(EntryFault::Missing { member: "resource" })?;
    if resource.members().is_none() {
        return Err(EntryFault::Shape {
            member: "resource".to_owned(),
            problem: "is an object; send the resource itself",
        });
    }
    Ok(resource)
}

/// The patch a resource carries.
fn patch(resource: &ExactJson) -> Result<(PatchLanguage, Vec<u8>), EntryFault> {
    let text = |name: &str| resource.member(name).and_then(|value| value.text());
    match text("resourceType").as_deref() {
        Some("Parameters") => Ok((PatchLanguage::FhirPath, resource.as_str().into())),
        Some("Binary") => {
            let written = text("contentType").unwrap_or_default();
            let essence = written.split(';').next().unwrap_or_default().trim();
            if !essence.eq_ignore_ascii_case("application/json-patch+json") {
                return Err(EntryFault::PatchType {
                    found: shortened(&written),
                });
            }
            let data = text("data").ok_or(EntryFault::Missing {
                member: "resource.data",
            })?;
            // FHIR lets blanks stand in base64.
            let plain: String = data.chars().filter(|c| !c.is_ascii_whitespace()).collect();
            let body = STANDARD.decode(plain).map_err(|_| EntryFault::Shape {
                member: "resource.data".to_owned(),
                problem: "is not base64; encode the JSON Patch",
            })?;
            Ok((PatchLanguage::Json, body))
        }
        other => Err(EntryFault::NotAPatch {
            found: other.map_or_else(|| "a resource without type".to_owned(), shortened),
        }),
    }
}

/// Refuses members that are not known: a misspelt condition would be lost silently.
fn known_members(json: &ExactJson, below: &str, known: &[&str]) -> Result<(), EntryFault> {
    let members = json.members().ok_or(match below {
        "" => EntryFault::NotAnObject,
        _ => EntryFault::Shape {
            member: "request".to_owned(),
            problem: "is an object with method and url; send one",
        },
    })?;
    for member in members {
        let plain = member.name().strip_prefix('_').unwrap_or(member.name());
        if !known.contains(&plain) {
            return Err(EntryFault::Shape {
                member: format!("{below}{}", shortened(member.name())),
                problem: "is no member of a request in a Bundle; correct it or leave it out",
            });
        }
    }
    Ok(())
}

/// The text of a member that is a string when it is there.
fn optional(json: &ExactJson, below: &str, name: &str) -> Result<Option<String>, EntryFault> {
    let Some(value) = json.member(name) else {
        return Ok(None);
    };
    value.text().map(Some).ok_or_else(|| EntryFault::Shape {
        member: format!("{below}{name}"),
        problem: "is a string; write it in quotes",
    })
}

fn shortened(written: &str) -> String {
    const AT_MOST: usize = 120;
    let mut text: String = written.chars().take(AT_MOST).collect();
    if text.len() < written.len() {
        text.push('…');
    }
    text
}
