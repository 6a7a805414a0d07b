//! Why a search is not carried out: every fault, with its status and its issue.

use rorqual_schema::{ResourceType, ValueError};
use thiserror::Error;

use crate::outcome::{Issue, Severity};

/// Seconds after which a search that ran out of time may be sent again.
const RETRY_SECONDS: u32 = 1;
/// Letters of a value that are echoed.
const ECHO: usize = 200;

/// One reason why a search is not carried out. The Display names the culprit and says what to do.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The query is not readable text.
    #[error("{}: {fault}; send UTF-8 with percent-encoding", echo(.text))]
    Encoding {
        /// The name or value as sent.
        text: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Something that the caller's access profile does not allow.
    #[error("{reason}")]
    Forbidden {
        /// What is not allowed, and what to do.
        reason: String,
    },
    /// A parameter that the type does not have.
    #[error("{name} is not a parameter of {kind}{}", nearest(.suggestions))]
    UnknownParameter {
        /// The type searched.
        kind: ResourceType,
        /// The name as written.
        name: String,
        /// The nearest known names, best first.
        suggestions: Vec<String>,
    },
    /// A chain, `_has`, include or sort key that names a type or parameter that does not exist.
    #[error("{}: {fault}{}", echo(.written), nearest(.suggestions))]
    UnknownName {
        /// The parameter in which it stands.
        parameter: String,
        /// The text at fault, with its context.
        written: String,
        /// What is not known, and where it was looked for.
        fault: String,
        /// The nearest known names, best first.
        suggestions: Vec<String>,
    },
    /// A modifier that does not exist or does not fit.
    #[error("{parameter}:{modifier} is not supported; {parameter} takes {supported}")]
    UnsupportedModifier {
        /// The parameter, without its modifier.
        parameter: String,
        /// The modifier as written.
        modifier: String,
        /// The modifiers that the parameter takes.
        supported: String,
    },
    /// A value that cannot be read.
    #[error("{parameter}={}: {source}", echo(.value))]
    BadValue {
        /// The parameter.
        parameter: String,
        /// The value as written.
        value: String,
        /// What is wrong with it.
        source: ValueError,
    },
    /// A value whose form is wrong.
    #[error("{parameter}={}: {fault}", echo(.value))]
    BadForm {
        /// The parameter.
        parameter: String,
        /// The value as written.
        value: String,
        /// What is wrong with it, and what is expected.
        fault: String,
    },
    /// Something that the specification describes and the engine does not offer.
    #[error("{what} is not supported yet; leave out {parameter}")]
    NotOffered {
        /// The parameter.
        parameter: String,
        /// What is not offered.
        what: &'static str,
    },
    /// A published misspelling under `Prefer: handling=strict`.
    #[error("{}: {fault}; write {}, or do not ask for handling=strict", echo(.written), echo(.meant))]
    Slip {
        /// The parameter.
        parameter: String,
        /// What was written.
        written: String,
        /// What is wrong with it.
        fault: &'static str,
        /// What it is read as otherwise.
        meant: String,
    },
    /// A `_filter` that cannot be read.
    #[error("_filter, at character {position}{}: {fault}", found(.text))]
    Filter {
        /// The place in the decoded text, in characters, from 1.
        position: usize,
        /// The text at that place; empty at the end.
        text: String,
        /// What is wrong, and what is expected.
        fault: String,
        /// Whether the fault is a name, an operator or a modifier that is not offered, rather than the form.
        unsupported: bool,
    },
    /// A request beyond what one search may cost.
    #[error("{what}: {got} given, at most {limit} are read; split the request")]
    TooCostly {
        /// The parameter at fault, when it is one.
        parameter: Option<String>,
        /// What there is too much of.
        what: &'static str,
        /// How much was given, counted up to the limit or just past it.
        got: usize,
        /// How much is allowed.
        limit: usize,
    },
    /// A page that is longer than an answer may be.
    #[error(
        "the {matches} matches of this page are {bytes} bytes, at most {limit} are sent at once; ask for a smaller _count"
    )]
    PageTooLong {
        /// How many matches are on the page.
        matches: usize,
        /// How long their resources are together.
        bytes: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// `_format` asks for something else than JSON.
    #[error("_format={}: answers are in application/fhir+json only; write _format=json", echo(.value))]
    Format {
        /// The value as written.
        value: String,
    },
    /// A page link that was changed, or made up.
    #[error(
        "_cursor is not one that was given out, or belongs to another request; start again without it"
    )]
    CursorAltered,
    /// A page link whose index is gone.
    #[error("_cursor belongs to an index that is no longer kept; start again without it")]
    CursorRetired,
    /// The time budget was spent.
    #[error("the search was stopped after {milliseconds} ms; narrow it or send it again")]
    Timeout {
        /// The budget.
        milliseconds: u64,
    },
    /// No such resource.
    #[error("there is no {kind}/{id} in the directory")]
    NotFound {
        /// The type.
        kind: ResourceType,
        /// The id.
        id: String,
    },
    /// The address does not name a type of the directory.
    #[error("{} is not a resource type of this directory; known: {}", echo(.written), types())]
    UnknownType {
        /// The name as written.
        written: String,
    },
    /// The index contradicts itself.
    #[error("the index is damaged ({detail}); run `rorqual verify` and rebuild it")]
    DamagedIndex {
        /// What was found, for the operator's log.
        detail: String,
    },
    /// A defect of the engine.
    #[error("a defect of the engine: {detail}")]
    Internal {
        /// What happened, for the operator's log.
        detail: String,
    },
}

impl Fault {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Fault::Forbidden { .. } => 403,
            Fault::Format { .. } => 406,
            Fault::NotFound { .. } | Fault::UnknownType { .. } => 404,
            Fault::CursorRetired => 410,
            Fault::Timeout { .. } => 503,
            Fault::DamagedIndex { .. } | Fault::Internal { .. } => 500,
            _ => 400,
        }
    }

    /// The issue to answer.
    pub fn issue(&self) -> Issue {
        let (code, text) = self.code_and_text();
        let severity = match self {
            Fault::DamagedIndex { .. } | Fault::Internal { .. } => Severity::Fatal,
            _ => Severity::Error,
        };
        // What is found inside the index is the operator's business.
        let diagnostics = match self {
            Fault::DamagedIndex { .. } => "the index is damaged; tell the operator".to_owned(),
            Fault::Internal { .. } => "a defect of the engine; tell the operator".to_owned(),
            fault => fault.to_string(),
        };
        Issue {
            severity,
            code,
            text: text.to_owned(),
            diagnostics,
            expression: self
                .parameter()
                .map(|name| format!("http.{name}"))
                .into_iter()
                .collect(),
        }
    }

    fn code_and_text(&self) -> (&'static str, &'static str) {
        match self {
            Fault::Forbidden { .. } => ("forbidden", "Not allowed to this client"),
            Fault::Encoding { .. } => ("invalid", "Encoding not readable"),
            Fault::UnknownParameter { .. } => ("not-supported", "Unknown parameter"),
            Fault::UnknownName { .. } => ("not-supported", "Unknown name"),
            Fault::UnsupportedModifier { .. } => ("not-supported", "Modifier not supported"),
            Fault::BadValue { source, .. } => (source.issue_code(), value_text(source)),
            Fault::BadForm { .. } => ("invalid", "Value not readable"),
            Fault::NotOffered { .. } => ("not-supported", "Not supported yet"),
            Fault::Slip { .. } => ("invalid", "Misspelling refused under strict handling"),
            Fault::Filter {
                unsupported: true, ..
            } => ("not-supported", "Not supported in _filter"),
            Fault::Filter { .. } => ("invalid", "_filter not readable"),
            Fault::TooCostly { .. } => ("too-costly", "Request too costly"),
            Fault::PageTooLong { .. } => ("too-costly", "Page too long"),
            Fault::Format { .. } => ("not-supported", "Format not offered"),
            Fault::CursorAltered => ("invalid", "Page link not valid"),
            Fault::CursorRetired => ("not-found", "Page link no longer valid"),
            Fault::Timeout { .. } => ("timeout", "Time budget spent"),
            Fault::NotFound { .. } => ("not-found", "No such resource"),
            Fault::UnknownType { .. } => ("not-supported", "Unknown resource type"),
            Fault::DamagedIndex { .. } => ("exception", "Index damaged"),
            Fault::Internal { .. } => ("exception", "Defect of the engine"),
        }
    }

    /// The parameter at fault.
    fn parameter(&self) -> Option<&str> {
        match self {
            Fault::UnknownParameter { name, .. } => Some(name),
            Fault::UnknownName { parameter, .. }
            | Fault::UnsupportedModifier { parameter, .. }
            | Fault::BadValue { parameter, .. }
            | Fault::BadForm { parameter, .. }
            | Fault::NotOffered { parameter, .. }
            | Fault::Slip { parameter, .. } => Some(parameter),
            Fault::Filter { .. } => Some("_filter"),
            Fault::Format { .. } => Some("_format"),
            Fault::CursorAltered | Fault::CursorRetired => Some("_cursor"),
            Fault::TooCostly { parameter, .. } => parameter.as_deref(),
            Fault::PageTooLong { .. } => Some("_count"),
            _ => None,
        }
    }
}

fn value_text(error: &ValueError) -> &'static str {
    match error {
        ValueError::Empty { .. } => "Value missing",
        ValueError::Date { .. } => "Date not readable",
        ValueError::Number { .. } => "Number not readable",
        ValueError::Quantity { .. } => "Quantity not readable",
        ValueError::Unit { .. } => "Unit not known",
        ValueError::Token { .. } => "Token not readable",
        ValueError::Reference { .. } => "Reference not readable",
        _ => "Value not readable",
    }
}

/// A text as echoed: whole when it is short.
pub(crate) fn echo(text: &str) -> String {
    match text.char_indices().nth(ECHO) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn nearest(suggestions: &[String]) -> String {
    if suggestions.is_empty() {
        String::new()
    } else {
        format!("; nearest: {}", suggestions.join(", "))
    }
}

fn found(text: &str) -> String {
    if text.is_empty() {
        " (the end)".to_owned()
    } else {
        format!(" (`{}`)", echo(text))
    }
}

fn types() -> String {
    ResourceType::ALL.map(ResourceType::name).join(", ")
}

/// A search that is not carried out: all the faults found, the first of the gravest status deciding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchError {
    faults: Vec<Fault>,
    issues: Vec<Issue>,
}

impl SearchError {
    /// An error of these faults; none at all is a defect.
    pub fn new(mut faults: Vec<Fault>) -> SearchError {
        if faults.is_empty() {
            faults.push(Fault::Internal {
                detail: "an error without a fault".to_owned(),
            });
        }
        let issues = faults.iter().map(Fault::issue).collect();
        SearchError { faults, issues }
    }

    /// The faults, in the order of the request.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.faults.iter().map(Fault::status).max().unwrap_or(500)
    }

    /// One issue for each fault.
    pub fn issues(&self) -> &[Issue] {
        &self.issues
    }

    /// Seconds after which the request may be sent again, when waiting may help.
    pub fn retry_after(&self) -> Option<u32> {
        self.out_of_time().then_some(RETRY_SECONDS)
    }

    /// Whether its time was spent before it was done.
    pub(crate) fn out_of_time(&self) -> bool {
        let mut faults = self.faults.iter();
        faults.any(|fault| matches!(fault, Fault::Timeout { .. }))
    }
}

impl From<Fault> for SearchError {
    fn from(fault: Fault) -> Self {
        SearchError::new(vec![fault])
    }
}

impl std::fmt::Display for SearchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, fault) in self.faults.iter().enumerate() {
            if at > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SearchError {}

#[cfg(test)]
mod tests {
    use super::{Fault, SearchError};

    #[test]
    fn the_gravest_status_counts_and_every_fault_has_its_issue() {
        let error = SearchError::new(vec![
            Fault::CursorAltered,
            Fault::CursorRetired,
            Fault::TooCostly {
                parameter: None,
                what: "values",
                got: 2001,
                limit: 2000,
            },
        ]);
        assert_eq!(error.status(), 410);
        let codes: Vec<_> = error.issues().iter().map(|issue| issue.code).collect();
        assert_eq!(codes, ["invalid", "not-found", "too-costly"]);
        assert_eq!(error.retry_after(), None);
        let late = SearchError::from(Fault::Timeout { milliseconds: 5 });
        assert_eq!((late.status(), late.retry_after()), (503, Some(1)));
        assert_eq!(SearchError::new(Vec::new()).status(), 500);
    }

    #[test]
    fn the_inside_of_the_index_is_not_told() {
        let fault = Fault::DamagedIndex {
            detail: "/srv/index/a.pack".to_owned(),
        };
        assert!(!fault.issue().diagnostics.contains("/srv"));
        assert!(fault.to_string().contains("/srv"));
    }

    #[test]
    fn long_values_are_cut() {
        let fault = Fault::Format {
            value: "é".repeat(5_000),
        };
        assert!(fault.to_string().chars().count() < 400);
    }
}
