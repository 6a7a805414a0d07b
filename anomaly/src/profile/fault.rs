//! What can be wrong with a Task under the profile, and what is only worth a warning.

use thiserror::Error;

use crate::finding::{Finding, Gravity};

/// A breach of the profile `ror-task`, or a warning about what it leaves open. Paths are FHIRPath.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProfileFault {
    /// Something that must be there is not.
    #[error("{path} is missing; send {due}")]
    Required {
        /// Where it should be.
        path: String,
        /// What to put there.
        due: String,
    },
    /// More than one where the profile has one at most.
    #[error("{path} has {count} items; the profile has one at most")]
    TooMany {
        /// Where.
        path: String,
        /// How many came.
        count: usize,
    },
    /// A code that the bound list does not have.
    #[error("{path}: {written} is no code of {list}{}; use {}", meant(.nearest.as_deref()), .allowed.join(", "))]
    CodeNotInList {
        /// Where.
        path: String,
        /// The code as written, quoted.
        written: String,
        /// The published name of the list.
        list: &'static str,
        /// The code nearest to it.
        nearest: Option<&'static str>,
        /// Every code with its French label.
        allowed: Vec<String>,
    },
    /// No coding of the bound system.
    #[error("{path} {found}; send a coding with the system {system} and one of {}", .allowed.join(", "))]
    NoCodeOfList {
        /// Where.
        path: String,
        /// What came instead, as the end of a sentence.
        found: String,
        /// The canonical URL of the bound system.
        system: &'static str,
        /// Every code with its French label.
        allowed: Vec<String>,
    },
    /// A reference that cannot be read, or not here.
    #[error("{path} is {written}: {reason}")]
    Reference {
        /// Where.
        path: String,
        /// The reference as written, quoted.
        written: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
    /// A focus that names nothing.
    #[error(
        "Task.focus {found}; send reference (such as \"Organization/12\"), or type and identifier.value"
    )]
    FocusNamesNothing {
        /// What is lacking, as the end of a sentence.
        found: &'static str,
    },
    /// A reference to a type that may not stand there.
    #[error("{path} names the type {written}; only {} may stand there", .allowed.join(", "))]
    Target {
        /// Where.
        path: String,
        /// The type as written, quoted.
        written: String,
        /// The types that may.
        allowed: Vec<&'static str>,
    },
    /// `Reference.type` and `Reference.reference` name two types.
    #[error(
        "{path} is {written}, but the reference beside it names {literal}; make them the same or leave type out"
    )]
    TwoTypes {
        /// Where, up to `type`.
        path: String,
        /// The type as written, quoted.
        written: String,
        /// The type that `reference` names, quoted.
        literal: String,
    },
    /// An input or output a second time that occurs once at most.
    #[error("{path} is {code} again, already given at {first}; the profile has one at most")]
    ParameterRepeated {
        /// Where.
        path: String,
        /// The code of its type.
        code: &'static str,
        /// Where it came first.
        first: String,
    },
    /// The value of an input or output in another datatype than its code demands, or blank.
    #[error("{path}: {code} holds {found}; it needs {expected}")]
    ParameterValue {
        /// Where.
        path: String,
        /// The code of its type.
        code: &'static str,
        /// What came.
        found: String,
        /// What is due.
        expected: String,
    },
    /// An input or output with a code that the guide does not have. A warning.
    #[error("{path}: {written} is no code of {system}{}; it is kept as it is", meant(.nearest.as_deref()))]
    UnknownParameter {
        /// Where, up to `type`.
        path: String,
        /// The code as written, quoted.
        written: String,
        /// The canonical URL of the system.
        system: &'static str,
        /// The code nearest to it.
        nearest: Option<&'static str>,
    },
    /// An input or output with a known code under no system. A warning.
    #[error("{path}: {code} has no system; it was read as a code of {system}")]
    ParameterWithoutSystem {
        /// Where, up to `type`.
        path: String,
        /// The code.
        code: &'static str,
        /// The canonical URL of the system.
        system: &'static str,
    },
    /// An input or output without any code of the guide's system. A warning.
    #[error(
        "{path} has no coding of {system}; it is kept as it is, and nothing of the profile can be checked on it"
    )]
    UncodedParameter {
        /// Where, up to `type`.
        path: String,
        /// The canonical URL of the system.
        system: &'static str,
    },
    /// The last change is before the report. A warning.
    #[error(
        "Task.lastModified is {modified}, before Task.authoredOn {authored}; R4 has it the other way round"
    )]
    DatesReversed {
        /// `authoredOn` as written.
        authored: String,
        /// `lastModified` as written.
        modified: String,
    },
}

impl ProfileFault {
    fn is_warning(&self) -> bool {
        matches!(
            self,
            ProfileFault::UnknownParameter { .. }
                | ProfileFault::ParameterWithoutSystem { .. }
                | ProfileFault::UncodedParameter { .. }
                | ProfileFault::DatesReversed { .. }
        )
    }
}

impl Finding for ProfileFault {
    fn gravity(&self) -> Gravity {
        if self.is_warning() {
            Gravity::Warning
        } else {
            Gravity::Error
        }
    }

    /// 422; of a warning 200, which leaves the status of the answer to graver faults or to success.
    fn status(&self) -> u16 {
        if self.is_warning() { 200 } else { 422 }
    }

    fn code(&self) -> &'static str {
        match self {
            ProfileFault::Required { .. } => "required",
            ProfileFault::TooMany { .. } | ProfileFault::ParameterRepeated { .. } => "structure",
            ProfileFault::CodeNotInList { .. }
            | ProfileFault::NoCodeOfList { .. }
            | ProfileFault::UnknownParameter { .. }
            | ProfileFault::ParameterWithoutSystem { .. }
            | ProfileFault::UncodedParameter { .. } => "code-invalid",
            ProfileFault::Reference { .. }
            | ProfileFault::FocusNamesNothing { .. }
            | ProfileFault::Target { .. }
            | ProfileFault::TwoTypes { .. }
            | ProfileFault::ParameterValue { .. } => "value",
            ProfileFault::DatesReversed { .. } => "business-rule",
        }
    }

    fn text(&self) -> &'static str {
        match self {
            ProfileFault::Required { .. } => "Required element missing",
            ProfileFault::TooMany { .. } => "More than the profile allows",
            ProfileFault::CodeNotInList { .. } => "Code outside the bound list",
            ProfileFault::NoCodeOfList { .. } => "No code of the bound list",
            ProfileFault::Reference { .. } => "Reference not usable",
            ProfileFault::FocusNamesNothing { .. } => "Focus names no record",
            ProfileFault::Target { .. } => "Reference to a type that is not allowed",
            ProfileFault::TwoTypes { .. } => "Type and reference disagree",
            ProfileFault::ParameterRepeated { .. } => "Input or output given twice",
            ProfileFault::ParameterValue { .. } => "Value not of the datatype due",
            ProfileFault::UnknownParameter { .. } => "Unknown code of an input or output",
            ProfileFault::ParameterWithoutSystem { .. } => "Code without a system",
            ProfileFault::UncodedParameter { .. } => "Input or output without a known code",
            ProfileFault::DatesReversed { .. } => "Last change before the report",
        }
    }

    fn path(&self) -> String {
        match self {
            ProfileFault::FocusNamesNothing { .. } => "Task.focus".to_owned(),
            ProfileFault::DatesReversed { .. } => "Task.lastModified".to_owned(),
            ProfileFault::Required { path, .. }
            | ProfileFault::TooMany { path, .. }
            | ProfileFault::CodeNotInList { path, .. }
            | ProfileFault::NoCodeOfList { path, .. }
            | ProfileFault::Reference { path, .. }
            | ProfileFault::Target { path, .. }
            | ProfileFault::TwoTypes { path, .. }
            | ProfileFault::ParameterRepeated { path, .. }
            | ProfileFault::ParameterValue { path, .. }
            | ProfileFault::UnknownParameter { path, .. }
            | ProfileFault::ParameterWithoutSystem { path, .. }
            | ProfileFault::UncodedParameter { path, .. } => path.clone(),
        }
    }
}

fn meant(nearest: Option<&str>) -> String {
    match nearest {
        Some(code) => format!(" (is {code} meant?)"),
        None => String::new(),
    }
}
