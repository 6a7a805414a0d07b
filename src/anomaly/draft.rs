//! A Task on its way to the log: read and checked, not yet stored.

use std::collections::HashMap;

use rorqual_anomaly::profile::{self, Focus};
use rorqual_anomaly::structure;
use rorqual_anomaly::task_text::TaskText;
use rorqual_anomaly::{Finding, Gravity};
use rorqual_schema::Node;

use super::refusal::{WriteRefusal, issue_of};
use crate::index::snapshot::Snapshot;
use crate::outcome::{Issue, Severity};

/// A body that can be stored.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The Task as the client sent it.
    pub text: TaskText,
    /// What was found in it that does not prevent storing it.
    pub notes: Vec<Issue>,
}

impl Draft {
    /// Reads a body and checks everything that can be known of it without the directory: that it is a Task of R4 and of
    /// the profile. `base_url` is where this server is known.
    ///
    /// # Errors
    /// [`WriteRefusal::Faulty`] with every fault found.
    pub fn read(body: &[u8], base_url: &str) -> Result<Draft, WriteRefusal> {
        let node = Node::parse(body).map_err(|error| {
            WriteRefusal::faulty(vec![(
                400,
                Issue {
                    severity: Severity::Error,
                    code: "structure",
                    text: "The body is no usable JSON".to_owned(),
                    diagnostics: error.to_string(),
                    expression: Vec::new(),
                },
            )])
        })?;
        let notes = check(&node, base_url)?;
        let mut text =
            TaskText::parse(body).map_err(|fault| WriteRefusal::faulty(vec![issue_of(&fault)]))?;
        let mut draft_notes = notes;
        if text.get("identifier").is_some() {
            draft_notes.push(Issue {
                severity: Severity::Warning,
                code: "business-rule",
                text: "Identifier not kept".to_owned(),
                diagnostics: "the functional identifier of an anomaly is given by the server; the one sent was dropped"
                    .to_owned(),
                expression: vec!["Task.identifier".to_owned()],
            });
        }
        // Addresses of this server are stored relative, as the directory's own references are.
        let focus = node
            .get("focus")
            .and_then(|focus| focus.get("reference"))
            .and_then(Node::as_str)
            .and_then(|written| {
                let below = written.strip_prefix(base_url.trim_end_matches('/'))?;
                Some((written.to_owned(), below.strip_prefix('/')?.to_owned()))
            });
        text.replace_references(&focus.into_iter().collect::<HashMap<_, _>>());
        Ok(Draft {
            text,
            notes: draft_notes,
        })
    }
}

/// Checks a Task against R4 and the profile; answers what is worth telling though it can be stored.
///
/// # Errors
/// [`WriteRefusal::Faulty`] with every fault found.
pub fn check(task: &Node<'_>, base_url: &str) -> Result<Vec<Issue>, WriteRefusal> {
    let structure = structure::check(task);
    let profile = match structure.iter().any(|fault| fault.status() == 400) {
        // What the profile would say of a body that is no Task is noise.
        true => Vec::new(),
        false => profile::check(task, base_url),
    };
    let findings = structure
        .iter()
        .map(|fault| fault as &dyn Finding)
        .chain(profile.iter().map(|fault| fault as &dyn Finding));
    let (errors, notes): (Vec<_>, Vec<_>) =
        findings.partition(|finding| finding.gravity() == Gravity::Error);
    if errors.is_empty() {
        return Ok(notes.into_iter().map(|note| issue_of(note).1).collect());
    }
    Err(WriteRefusal::faulty(
        errors.into_iter().map(issue_of).collect(),
    ))
}

/// Looks for the focus of a Task in the directory: a literal one must be there, a logical one may be missing, since some
/// anomalies report just that. Answers what is worth telling.
///
/// # Errors
/// [`WriteRefusal::Faulty`].
pub fn check_focus(
    snapshot: &Snapshot,
    task: &Node<'_>,
    base_url: &str,
) -> Result<Option<Issue>, WriteRefusal> {
    let found = profile::focus(task, base_url)
        .map_err(|fault| WriteRefusal::faulty(vec![issue_of(&fault)]))?;
    match found {
        Focus::Literal { kind, id } if snapshot.ordinal(kind, id).is_none() => {
            Err(WriteRefusal::faulty(vec![(
                422,
                Issue {
                    severity: Severity::Error,
                    code: "not-found",
                    text: "The focus does not exist".to_owned(),
                    diagnostics: format!(
                        "{kind}/{id} is not in the directory; to report that it is missing, give its type and identifier instead of a reference"
                    ),
                    expression: vec!["Task.focus.reference".to_owned()],
                },
            )]))
        }
        Focus::Logical {
            kind,
            system,
            value,
        } if !snapshot.is_identified(kind, system.unwrap_or(""), value) => Ok(Some(Issue {
            severity: Severity::Information,
            code: "informational",
            text: "The focus is not in the directory".to_owned(),
            diagnostics: format!(
                "no {kind} has the identifier {}|{value}; the anomaly is kept, and leads to it once there is one",
                system.unwrap_or("")
            ),
            expression: vec!["Task.focus.identifier".to_owned()],
        })),
        _ => Ok(None),
    }
}
