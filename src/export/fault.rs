//! Why an export is not begun, not found or not finished: each reason with its status and its issue.

use rorqual_schema::{ResourceType, ValueError};
use thiserror::Error;

use super::form::NAMES;
use super::{EXPORTED, parameters};
use crate::SearchError;
use crate::outcome::{Issue, Severity};
use crate::query::error::echo;

/// One reason why a kick-off is refused. The Display names the culprit and says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExportFault {
    /// A name or value that is not percent-encoded UTF-8.
    #[error("{}: it is not percent-encoded UTF-8; encode every byte that is not ASCII, and a percent sign as %25", echo(.written))]
    Encoding {
        /// The text as sent.
        written: String,
    },
    /// A parameter that `$export` does not have.
    #[error("{} is not a parameter of $export; known: {}; Prefer: handling=lenient leaves it out", echo(.name), parameters::NAMES.join(", "))]
    UnknownParameter {
        /// The name as written.
        name: String,
    },
    /// A parameter that may be given once.
    #[error("{parameter} is given more than once; give it once")]
    Repeated {
        /// Its name.
        parameter: &'static str,
    },
    /// A parameter without a value.
    #[error("{parameter} has no value; give one or leave it out")]
    Empty {
        /// Its name.
        parameter: &'static str,
    },
    /// An `_outputFormat` that is not offered.
    #[error("_outputFormat={}: files are written as {}", echo(.written), NAMES.map(|(name, _)| name).join(", "))]
    Form {
        /// The value as written.
        written: String,
    },
    /// A type that the directory does not hold.
    #[error("{parameter}: {} is not a type of this directory (names are case-sensitive); exported are {}", echo(.written), EXPORTED.map(ResourceType::name).join(", "))]
    UnknownType {
        /// The parameter in which it stands.
        parameter: &'static str,
        /// The name as written.
        written: String,
    },
    /// A type that exports leave out.
    #[error("{parameter}: {kind} is not exported; search it, by GET [base]/{kind}")]
    NotExported {
        /// The parameter in which it stands.
        parameter: &'static str,
        /// The type.
        kind: ResourceType,
    },
    /// An `includeAssociatedData` that is not offered.
    #[error(
        "includeAssociatedData={}: {} is the one value, and changes nothing, as what belongs to the offers always comes along",
        echo(.written), parameters::COMPLETE
    )]
    Associated {
        /// The value as written.
        written: String,
    },
    /// A `_since` that is no instant.
    #[error("_since={}: {source}; give the transactionTime of an earlier manifest", echo(.written))]
    Since {
        /// The value as written.
        written: String,
        /// What is wrong with it.
        source: ValueError,
    },
    /// A `_typeFilter` that is no search.
    #[error("_typeFilter={}: give a search, percent-encoded, such as HealthcareService%3Fspecialty%3D013", echo(.written))]
    FilterForm {
        /// The value, decoded once.
        written: String,
    },
    /// A parameter that shapes a Bundle, in a `_typeFilter`.
    #[error("_typeFilter={}: {name} shapes a page of results, and there is none here; leave it out", echo(.written))]
    FilterControl {
        /// The value, decoded once.
        written: String,
        /// The parameter.
        name: String,
    },
    /// A `_typeFilter` of a type that is not asked for.
    #[error(
        "_typeFilter of {kind}: _type leaves {kind} out; add it to _type, or leave the filter out"
    )]
    FilterUnused {
        /// The type.
        kind: ResourceType,
    },
    /// A `_typeFilter` whose search is refused.
    #[error("_typeFilter={}: {error}", echo(.written))]
    Filter {
        /// The value, decoded once.
        written: String,
        /// Why.
        error: SearchError,
    },
    /// Something that the caller's access profile does not allow.
    #[error("{reason}")]
    Forbidden {
        /// What is not allowed, and what to do.
        reason: String,
    },
    /// A `Prefer` that cannot be met.
    #[error("Prefer: {}: an export is made in the background; ask for respond-async, or leave the header out", echo(.written))]
    Prefer {
        /// The preference as written.
        written: String,
    },
}

impl ExportFault {
    fn status(&self) -> u16 {
        match self {
            ExportFault::Filter { error, .. } => error.status(),
            ExportFault::Forbidden { .. } => 403,
            _ => 400,
        }
    }

    fn issues(&self, out: &mut Vec<Issue>) {
        let (code, text, expression) = match self {
            ExportFault::Filter { written, error } => {
                // The faults of the search, as a search tells them, with the place they stand in.
                out.extend(error.issues().iter().map(|issue| Issue {
                    diagnostics: format!("_typeFilter={}: {}", echo(written), issue.diagnostics),
                    expression: vec!["http._typeFilter".to_owned()],
                    ..issue.clone()
                }));
                return;
            }
            ExportFault::Encoding { .. } => ("invalid", "Encoding not readable", None),
            ExportFault::UnknownParameter { name } => {
                ("not-supported", "Unknown parameter", Some(name.as_str()))
            }
            ExportFault::Repeated { parameter } => {
                ("invalid", "Parameter repeated", Some(*parameter))
            }
            ExportFault::Empty { parameter } => ("value", "Value missing", Some(*parameter)),
            ExportFault::Form { .. } => {
                ("not-supported", "Format not offered", Some("_outputFormat"))
            }
            ExportFault::UnknownType { parameter, .. } => {
                ("not-supported", "Unknown resource type", Some(*parameter))
            }
            ExportFault::NotExported { parameter, .. } => {
                ("not-supported", "Type not exported", Some(*parameter))
            }
            ExportFault::Associated { .. } => (
                "not-supported",
                "Value not supported",
                Some("includeAssociatedData"),
            ),
            ExportFault::Since { .. } => ("invalid", "Date not readable", Some("_since")),
            ExportFault::FilterForm { .. } => {
                ("invalid", "Value not readable", Some("_typeFilter"))
            }
            ExportFault::FilterControl { .. } | ExportFault::FilterUnused { .. } => (
                "not-supported",
                "Filter without effect",
                Some("_typeFilter"),
            ),
            ExportFault::Forbidden { .. } => ("forbidden", "Not allowed to this client", None),
            ExportFault::Prefer { .. } => ("not-supported", "Preference not met", Some("Prefer")),
        };
        out.push(Issue {
            severity: Severity::Error,
            code,
            text: text.to_owned(),
            diagnostics: self.to_string(),
            expression: expression
                .map(|name| format!("http.{name}"))
                .into_iter()
                .collect(),
        });
    }
}

/// Why a request about an export is not carried out. The Display says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The kick-off is refused, for all these reasons.
    #[error("the export is not begun: {}", .faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Refused {
        /// Every fault found in the request.
        faults: Vec<ExportFault>,
    },
    /// There are as many exports as there may be.
    #[error("{limit} exports {} are kept already, as many as there may be; delete one that is no longer needed (DELETE on its status address), or try again in {seconds} s", if *.own { "of this client" } else { "in all" })]
    TooManyJobs {
        /// How many there may be.
        limit: usize,
        /// Whether it is the limit of one client.
        own: bool,
        /// Seconds until the first of them expires.
        seconds: u32,
    },
    /// No such job for this client: never begun, cancelled, expired, or begun by another one.
    #[error(
        "there is no export of that _jobId: it was cancelled, has expired, or was begun by another client; begin one by GET [base]/$export"
    )]
    UnknownJob,
    /// The status was asked too often.
    #[error("the status of this export is asked for too often; ask again in {seconds} s")]
    TooManyPolls {
        /// Seconds until it may be asked again.
        seconds: u32,
    },
    /// The job has no such file.
    #[error("the export has no file {}; its files are named in the manifest that its status gives", echo(.name))]
    UnknownFile {
        /// The name asked for.
        name: String,
    },
    /// The job is not done, so it has no file yet.
    #[error("the export is not ready; ask for its status until it gives a manifest")]
    NotReady,
    /// The search behind the job failed.
    #[error("the export failed: {0}; begin it again")]
    Failed(SearchError),
    /// A stored resource cannot be read.
    #[error(
        "the index is damaged (no {kind} at ordinal {ordinal}); run `rorqual verify` and rebuild it"
    )]
    Damaged {
        /// Its type.
        kind: ResourceType,
        /// Its ordinal.
        ordinal: u32,
    },
}

impl ExportError {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            ExportError::Refused { faults } => {
                faults.iter().map(ExportFault::status).max().unwrap_or(400)
            }
            ExportError::TooManyJobs { .. } | ExportError::TooManyPolls { .. } => 429,
            ExportError::UnknownJob | ExportError::UnknownFile { .. } | ExportError::NotReady => {
                404
            }
            ExportError::Failed(error) => error.status().max(500),
            ExportError::Damaged { .. } => 500,
        }
    }

    /// Seconds after which the request may be sent again, when waiting helps.
    pub fn retry_after(&self) -> Option<u32> {
        match self {
            ExportError::TooManyJobs { seconds, .. } | ExportError::TooManyPolls { seconds } => {
                Some(*seconds)
            }
            ExportError::Failed(error) => error.retry_after(),
            _ => None,
        }
    }

    /// The issues to answer, one for each fault.
    pub fn issues(&self) -> Vec<Issue> {
        let (severity, code, text) = match self {
            ExportError::Refused { faults } => {
                let mut issues = Vec::new();
                faults.iter().for_each(|fault| fault.issues(&mut issues));
                return issues;
            }
            ExportError::Failed(error) => return error.issues().to_vec(),
            ExportError::TooManyJobs { .. } => (Severity::Error, "throttled", "Too many exports"),
            ExportError::TooManyPolls { .. } => (Severity::Error, "throttled", "Asked too often"),
            ExportError::UnknownJob => (Severity::Error, "not-found", "No such export"),
            ExportError::UnknownFile { .. } => (Severity::Error, "not-found", "No such file"),
            ExportError::NotReady => (Severity::Error, "not-found", "Export not ready"),
            ExportError::Damaged { .. } => (Severity::Fatal, "exception", "Index damaged"),
        };
        // What is found inside the index is the operator's business.
        let diagnostics = match self {
            ExportError::Damaged { .. } => "the index is damaged; tell the operator".to_owned(),
            error => error.to_string(),
        };
        vec![Issue {
            severity,
            code,
            text: text.to_owned(),
            diagnostics,
            expression: Vec::new(),
        }]
    }
}
