//! What can be wrong with a value written in a request.

use thiserror::Error;

/// A value that cannot be read. Its text is one sentence that names the culprit and the expected form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ValueError {
    /// Nothing was written.
    #[error("the value is empty; expected {expected}")]
    Empty {
        /// The form that would be read.
        expected: &'static str,
    },
    /// A date that is not one.
    #[error(
        "`{value}` is not a readable date: {fault}; expected YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm[:ss[.fff]][Z|+hh:mm|-hh:mm]"
    )]
    Date {
        /// What was written.
        value: String,
        /// The part at fault.
        fault: String,
    },
    /// A number that is not one, or is out of range.
    #[error(
        "`{value}` is not a readable number: {fault}; expected digits such as 12, -0.5 or 1e3, at most 12 decimals and below 1e20"
    )]
    Number {
        /// What was written.
        value: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A quantity of the wrong shape.
    #[error(
        "`{value}` is not a readable quantity: {fault}; expected [prefix]number, number||unit or number|system|unit"
    )]
    Quantity {
        /// What was written.
        value: String,
        /// What is wrong with it.
        fault: String,
    },
    /// A unit that is not a known UCUM code.
    #[error(
        "`{unit}` is not a known unit; expected a UCUM code such as a, mo, wk, d, h, kg, g, cm or m"
    )]
    Unit {
        /// The unit as written.
        unit: String,
    },
    /// A token of the wrong shape.
    #[error(
        "`{value}` is not a readable token: {fault}; expected code, system|code, system| or |code"
    )]
    Token {
        /// What was written.
        value: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A reference of the wrong shape.
    #[error(
        "`{value}` is not a readable reference: {fault}; expected Type/id, id or an absolute URL ending in Type/id"
    )]
    Reference {
        /// What was written.
        value: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// A time zone that the IANA database does not name.
    #[error("`{name}` is not a known time zone; expected an IANA name such as Europe/Paris")]
    TimeZone {
        /// The name as written.
        name: String,
    },
}

impl ValueError {
    /// The code for `OperationOutcome.issue.code`: `value` for a well-formed value that means nothing, else `invalid`.
    pub fn issue_code(&self) -> &'static str {
        match self {
            ValueError::Unit { .. } => "value",
            _ => "invalid",
        }
    }
}
