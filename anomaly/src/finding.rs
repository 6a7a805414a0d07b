//! What every fault of a body tells about itself, so that one place can make an OperationOutcome of all.

use std::fmt::Display;

/// How much a finding weighs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gravity {
    /// The body is refused.
    Error,
    /// The body is accepted, and something in it was dropped or could not be checked.
    Warning,
    /// The body is accepted; worth knowing.
    Information,
}

/// Something found in a body. `Display` is the diagnostics: the culprit as written, and what to do about it.
pub trait Finding: Display {
    /// How much it weighs.
    fn gravity(&self) -> Gravity {
        Gravity::Error
    }

    /// The HTTP status of an answer that has this as its gravest fault: 400, 412 or 422.
    fn status(&self) -> u16;

    /// The code of the FHIR value set IssueType: `structure`, `value`, `required`, `code-invalid`, …
    fn code(&self) -> &'static str;

    /// What is the matter, in a few words (`OperationOutcome.issue.details.text`).
    fn text(&self) -> &'static str;

    /// Where, as FHIRPath: `Task.businessStatus`, `Task.input[2].type`. Empty: the body as a whole.
    fn path(&self) -> String;
}
