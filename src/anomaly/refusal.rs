//! Why a write is refused, and the issues that say so.

use rorqual_anomaly::{Finding, Gravity};

use crate::outcome::{Issue, Severity};

/// A write that changes nothing.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum WriteRefusal {
    /// The body, or the patch, or what the patch would make, has faults.
    Faulty {
        /// The status of the gravest.
        status: u16,
        /// One issue for each.
        issues: Vec<Issue>,
    },
    /// A patch of a Task that does not exist.
    NotFound {
        /// The id.
        id: String,
    },
    /// `If-Match` names another version than the present one.
    Stale {
        /// The id.
        id: String,
        /// The version named.
        expected: String,
        /// The present version.
        present: String,
    },
    /// A conditional create met several Tasks.
    Several {
        /// The condition.
        condition: String,
        /// How many match.
        count: u64,
    },
    /// A condition that is not offered or cannot be read.
    Condition {
        /// The condition.
        condition: String,
        /// What is wrong with it, and what is offered.
        detail: String,
    },
    /// The log takes no writes. Searches go on.
    Unavailable {
        /// Why.
        detail: String,
        /// Whether this is the write that met the failure of the disk. No search shows it, and nobody knows whether the
        /// log holds it: then it is found by the next start.
        begun: bool,
    },
    /// A record that is larger than the log takes.
    TooLarge {
        /// The log's reason.
        detail: String,
    },
    /// A defect of ours.
    Defect {
        /// For the server's log, not for the client.
        detail: String,
    },
}

impl WriteRefusal {
    /// A refusal for what was found in a body.
    pub fn faulty(issues: Vec<(u16, Issue)>) -> WriteRefusal {
        WriteRefusal::Faulty {
            // A body that is no sound R4 (400) is told as such, whatever else the profile misses.
            status: issues
                .iter()
                .map(|(status, _)| *status)
                .min()
                .unwrap_or(400),
            issues: issues.into_iter().map(|(_, issue)| issue).collect(),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            WriteRefusal::Faulty { status, .. } => *status,
            WriteRefusal::NotFound { .. } => 404,
            WriteRefusal::Stale { .. } | WriteRefusal::Several { .. } => 412,
            WriteRefusal::Condition { .. } => 400,
            WriteRefusal::Unavailable { .. } => 503,
            WriteRefusal::TooLarge { .. } => 413,
            WriteRefusal::Defect { .. } => 500,
        }
    }

    /// What the client is told.
    pub fn issues(&self) -> Vec<Issue> {
        let one = |code, text: &str, diagnostics: String, expression: &[&str]| {
            vec![Issue {
                severity: Severity::Error,
                code,
                text: text.to_owned(),
                diagnostics,
                expression: expression.iter().map(|path| (*path).to_owned()).collect(),
            }]
        };
        match self {
            WriteRefusal::Faulty { issues, .. } => issues.clone(),
            WriteRefusal::NotFound { id } => one(
                "not-found",
                "No such Task",
                format!("Task/{id} does not exist; GET Task lists those that do"),
                &[],
            ),
            WriteRefusal::Stale {
                id,
                expected,
                present,
            } => one(
                "conflict",
                "The Task has changed",
                format!(
                    "If-Match names version {expected} of Task/{id}, the present one is W/\"{present}\"; read it and patch that one"
                ),
                &["http.If-Match"],
            ),
            WriteRefusal::Several { condition, count } => one(
                "multiple-matches",
                "Several Tasks match",
                format!("{count} Tasks match If-None-Exist: {condition}; nothing was created"),
                &["http.If-None-Exist"],
            ),
            WriteRefusal::Condition { condition, detail } => one(
                "not-supported",
                "Condition not offered",
                format!("If-None-Exist: {condition}: {detail}"),
                &["http.If-None-Exist"],
            ),
            WriteRefusal::Unavailable { begun: true, .. } => one(
                "transient",
                "Anomalies cannot be written now",
                "the disk failed while this was being written: it is not stored now, and may turn out to be once the operator has started the server again; search for it then before sending it again. Searches go on"
                    .to_owned(),
                &[],
            ),
            WriteRefusal::Unavailable { begun: false, .. } => one(
                "transient",
                "Anomalies cannot be written now",
                "nothing was stored: the log of anomalies takes no writes until the operator has seen to it; searches go on"
                    .to_owned(),
                &[],
            ),
            WriteRefusal::TooLarge { .. } => one(
                "too-long",
                "Too much for one write",
                "nothing was stored: send fewer or shorter Tasks at once".to_owned(),
                &[],
            ),
            WriteRefusal::Defect { .. } => {
                one("exception", "Defect of the server", String::new(), &[])
            }
        }
    }
}

/// An issue of what was found in a body, with the status it asks for.
pub fn issue_of(finding: &dyn Finding) -> (u16, Issue) {
    let path = finding.path();
    let issue = Issue {
        severity: match finding.gravity() {
            Gravity::Error => Severity::Error,
            Gravity::Warning => Severity::Warning,
            Gravity::Information => Severity::Information,
        },
        code: finding.code(),
        text: finding.text().to_owned(),
        diagnostics: finding.to_string(),
        expression: if path.is_empty() {
            Vec::new()
        } else {
            vec![path]
        },
    };
    (finding.status(), issue)
}
