//! The record that an anomaly is about.

use rorqual_schema::{Node, ResourceType};

use super::fault::ProfileFault;
use super::is_present;
use super::rules::Rules;
use super::target::{disagreement, type_and_id, type_name};
use crate::structure::quoted;

/// What `Task.focus` names. Whether the directory has it is for the caller to find out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus<'a> {
    /// A record by type and id.
    Literal {
        /// One of the five types of the directory.
        kind: ResourceType,
        /// The id.
        id: &'a str,
    },
    /// A record by type and identifier, which the directory may lack: some anomalies report that something is missing.
    Logical {
        /// One of the five types of the directory.
        kind: ResourceType,
        /// The system of the identifier as written, when one is.
        system: Option<&'a str>,
        /// The value of the identifier, not blank.
        value: &'a str,
    },
}

/// Reads the focus of a Task: `reference` when it is there (`Type/id`, or absolute under `base_url`), and `type` with
/// `identifier.value` otherwise. An identifier beside a reference does not count.
///
/// # Errors
/// [`ProfileFault::Required`] without a focus, [`ProfileFault::FocusNamesNothing`] with neither form,
/// [`ProfileFault::Reference`] for a reference that is not readable or leads elsewhere, [`ProfileFault::Target`] for a type
/// that is not one of the five, [`ProfileFault::TwoTypes`] for a `type` that contradicts the reference.
pub fn focus<'t>(task: &'t Node<'_>, base_url: &str) -> Result<Focus<'t>, ProfileFault> {
    let Some(focus) = task.get("focus").filter(|value| is_present(Some(value))) else {
        let rules = Rules::embedded().required.iter();
        let due = rules
            .filter(|rule| rule.element == "focus")
            .map(|rule| rule.due.clone());
        return Err(ProfileFault::Required {
            path: "Task.focus".to_owned(),
            due: due.collect(),
        });
    };
    let text = |node: &'t Node<'_>, name: &str| {
        let text = node.get(name).and_then(Node::as_str);
        text.filter(|text| !text.trim().is_empty())
    };
    let hint = text(focus, "type");
    if let Some(written) = text(focus, "reference") {
        let (kind, id) = literal(written, base_url)?;
        if let Some(fault) = hint.and_then(|hint| disagreement("Task.focus", hint, Some(kind))) {
            return Err(fault);
        }
        let kind = allowed(kind, "Task.focus.reference", kind)?;
        return Ok(Focus::Literal { kind, id });
    }
    let identifier = focus.get("identifier");
    match (
        hint,
        identifier.and_then(|identifier| text(identifier, "value")),
    ) {
        (Some(hint), Some(value)) => Ok(Focus::Logical {
            kind: allowed(type_name(hint), "Task.focus.type", hint)?,
            system: identifier.and_then(|identifier| text(identifier, "system")),
            value,
        }),
        (Some(_), None) if identifier.is_some() => Err(ProfileFault::FocusNamesNothing {
            found: "has an identifier without a value",
        }),
        (Some(_), None) => Err(ProfileFault::FocusNamesNothing {
            found: "has a type, and neither reference nor identifier",
        }),
        (None, Some(_)) => Err(ProfileFault::FocusNamesNothing {
            found: "has an identifier without a type",
        }),
        (None, None) => Err(ProfileFault::FocusNamesNothing {
            found: "has neither reference nor identifier",
        }),
    }
}

fn allowed(name: &str, path: &str, written: &str) -> Result<ResourceType, ProfileFault> {
    let names = &Rules::embedded().focus;
    ResourceType::from_name(name)
        .filter(|kind| names.iter().any(|allowed| allowed == kind.name()))
        .ok_or_else(|| ProfileFault::Target {
            path: path.to_owned(),
            written: quoted(written),
            allowed: names.iter().map(String::as_str).collect(),
        })
}

/// Type and id of a literal reference to a record of this server.
fn literal<'t>(written: &'t str, base_url: &str) -> Result<(&'t str, &'t str), ProfileFault> {
    let refuse = |reason: String| ProfileFault::Reference {
        path: "Task.focus.reference".to_owned(),
        written: quoted(written),
        reason,
    };
    if written.starts_with('#') || written.starts_with("urn:") {
        let reason =
            "the focus is a record of the directory; send Type/id, or type and identifier.value";
        return Err(refuse(reason.to_owned()));
    }
    let base = base_url.trim_end_matches('/');
    match type_and_id(written) {
        Some((None, kind, id)) => Ok((kind, id)),
        Some((Some(before), kind, id)) if !base.is_empty() && before == base => Ok((kind, id)),
        Some((Some(before), ..)) if before.contains("://") => Err(refuse(format!(
            "it leads to another server; send Type/id, or a URL under {base}"
        ))),
        _ => Err(refuse(
            "it is no reference to a record; send Type/id, such as Organization/12".to_owned(),
        )),
    }
}
