//! What is to be said about a request: its faults, and the warnings that come with its answer.

use super::{Handling, ParseOptions};
use crate::outcome::{Issue, Severity};
use crate::query::error::{Fault, echo};

/// Values of one request, those of `_filter` included.
const MAXIMUM_VALUES: usize = 2_000;
/// Faults told in one answer.
const MAXIMUM_FAULTS: usize = 50;

/// Faults and warnings found so far.
pub(super) struct Notes {
    strict: bool,
    lenient: bool,
    faults: Vec<Fault>,
    warnings: Vec<Issue>,
    values: usize,
}

impl Notes {
    pub(super) fn new(options: &ParseOptions<'_>) -> Notes {
        Notes {
            strict: options.handling == Handling::Strict,
            lenient: match options.handling {
                Handling::Default => options.lenient_by_default,
                Handling::Strict => false,
                Handling::Lenient => true,
            },
            faults: Vec::new(),
            warnings: Vec::new(),
            values: 0,
        }
    }

    /// Notes a fault: the request will be refused.
    pub(super) fn refuse(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Notes a fault; under lenient handling an unknown parameter is only dropped.
    pub(super) fn refuse_or_drop(&mut self, fault: Fault) {
        if matches!(fault, Fault::UnknownParameter { .. }) {
            self.drop_if_lenient(fault);
        } else {
            self.refuse(fault);
        }
    }

    /// Notes something whose dropping does not widen the search: a warning under lenient handling, else a fault.
    pub(super) fn drop_if_lenient(&mut self, fault: Fault) {
        if self.lenient {
            let issue = fault.issue();
            self.warn(Issue {
                severity: Severity::Warning,
                text: format!("Ignored: {}", issue.text.to_lowercase()),
                ..issue
            });
        } else {
            self.refuse(fault);
        }
    }

    /// Notes a published misspelling: a warning, or a fault under strict handling.
    pub(super) fn slip(
        &mut self,
        parameter: &str,
        written: &str,
        meant: &str,
        fault: &'static str,
    ) -> Result<(), Fault> {
        if self.strict {
            return Err(Fault::Slip {
                parameter: parameter.to_owned(),
                written: written.to_owned(),
                fault,
                meant: meant.to_owned(),
            });
        }
        self.warn(Issue {
            severity: Severity::Warning,
            code: "informational",
            text: "Read as another spelling".to_owned(),
            diagnostics: format!("{}: {fault}; read as {}", echo(written), echo(meant)),
            expression: vec![format!("http.{parameter}")],
        });
        Ok(())
    }

    /// Adds a warning, once.
    pub(super) fn warn(&mut self, issue: Issue) {
        if !self.warnings.contains(&issue) && self.warnings.len() < MAXIMUM_FAULTS {
            self.warnings.push(issue);
        }
    }

    /// Counts values against the limit of a request.
    pub(super) fn count_values(&mut self, parameter: &str, count: usize) -> Result<(), Fault> {
        self.values += count;
        if self.values > MAXIMUM_VALUES {
            return Err(Fault::TooCostly {
                parameter: Some(parameter.to_owned()),
                what: "values",
                got: self.values,
                limit: MAXIMUM_VALUES,
            });
        }
        Ok(())
    }

    /// Whether reading on is of no use: enough faults are known.
    pub(super) fn overrun(&self) -> bool {
        self.values > MAXIMUM_VALUES || self.faults.len() >= MAXIMUM_FAULTS
    }

    /// The warnings, or the faults.
    pub(super) fn finish(&mut self) -> Result<Vec<Issue>, Vec<Fault>> {
        if self.faults.is_empty() {
            Ok(std::mem::take(&mut self.warnings))
        } else {
            Err(std::mem::take(&mut self.faults))
        }
    }
}
