//! What can be wrong with the R4 structure of a Task.

use rorqual_schema::{JsonNumber, Node};
use thiserror::Error;

use crate::finding::Finding;

/// A breach of FHIR R4 by a body. Paths are FHIRPath.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StructureFault {
    /// The body is no Task at all.
    #[error("{found}; send a JSON object whose resourceType is \"Task\"")]
    NotATask {
        /// What came instead.
        found: String,
    },
    /// A member that the structure does not have.
    #[error("{path}: {of} has no element {written}{}", hint(.nearest.as_deref()))]
    UnknownElement {
        /// Where.
        path: String,
        /// The structure, such as `Task.input`.
        of: &'static str,
        /// The name as written, quoted.
        written: String,
        /// The known name nearest to it.
        nearest: Option<String>,
    },
    /// A value of another JSON type.
    #[error("{path} is {found}; R4 wants {expected}")]
    JsonType {
        /// Where.
        path: String,
        /// What came.
        found: String,
        /// What is due.
        expected: String,
    },
    /// An array where the element occurs at most once.
    #[error("{path} is an array; R4 has at most one {of} there: send it without brackets")]
    NotRepeating {
        /// Where.
        path: String,
        /// The datatype due.
        of: &'static str,
    },
    /// No array where the element repeats.
    #[error(
        "{path} is {found}; R4 has a list of {of} there: put it in brackets, even when there is one only"
    )]
    NotAnArray {
        /// Where.
        path: String,
        /// What came.
        found: String,
        /// The datatype of the items due.
        of: &'static str,
    },
    /// An empty array or object, or an object that holds nothing but an id.
    #[error("{path} is {what}; leave the element out when there is nothing to say")]
    Empty {
        /// Where.
        path: String,
        /// What came.
        what: &'static str,
    },
    /// `null` where R4 has none.
    #[error(
        "{path} is null; leave the element out (null stands only in a list of primitives, for a value replaced by extensions)"
    )]
    Null {
        /// Where.
        path: String,
    },
    /// An element that R4 demands of a datatype or part.
    #[error("{path} is missing; R4 demands it of every {of}")]
    Missing {
        /// Where it should be.
        path: String,
        /// The structure, such as `Task.input`.
        of: &'static str,
    },
    /// More than one datatype of a choice.
    #[error("{path} is given as {first} and as {second}; R4 has at most one of them")]
    SeveralChoices {
        /// Where, without the datatype.
        path: String,
        /// The member met first.
        first: String,
        /// The next one.
        second: String,
    },
    /// A primitive outside its grammar.
    #[error("{path} is {written}, which is not {expected}")]
    Value {
        /// Where.
        path: String,
        /// The value as written.
        written: String,
        /// The grammar, in words, with an example where that helps.
        expected: &'static str,
    },
    /// A code outside the list that R4 itself binds.
    #[error("{path} is {written}, which is not in R4's list; use {}", .allowed.join(", "))]
    Code {
        /// Where.
        path: String,
        /// The code as written, quoted.
        written: String,
        /// The codes of the list, or the nearest one of a long list.
        allowed: Vec<&'static str>,
    },
    /// A list of primitives and the list of their extensions differ in length.
    #[error(
        "{path} has {values} values and {extensions} places for their extensions; fill the shorter list with null"
    )]
    Misaligned {
        /// Where.
        path: String,
        /// Length of the list.
        values: usize,
        /// Length of the list named with an underscore.
        extensions: usize,
    },
    /// An extension with a value and extensions, or with neither.
    #[error("{path} has {}; an extension has either", if *.both { "a value and extensions" } else { "neither a value nor extensions" })]
    Extension {
        /// Where.
        path: String,
        /// Whether both came.
        both: bool,
    },
    /// A contained resource that R4 does not allow.
    #[error("{path}: {reason}")]
    Contained {
        /// Where.
        path: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A reference to a contained resource that is not there.
    #[error(
        "{path} is {written}, and no contained resource has that id; add it, or refer to a resource of the directory"
    )]
    Dangling {
        /// Where.
        path: String,
        /// The reference as written, quoted.
        written: String,
    },
    /// A datatype that R4 does not have, or does not admit in a Task.
    #[error("{path}: {written} is no datatype of FHIR R4{}", hint(.nearest.as_deref()))]
    UnknownDatatype {
        /// Where the value was meant to stand.
        path: String,
        /// The name as written, quoted.
        written: String,
        /// The known name nearest to it.
        nearest: Option<String>,
    },
}

impl Finding for StructureFault {
    fn status(&self) -> u16 {
        match self {
            StructureFault::Code { .. } => 422,
            _ => 400,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            StructureFault::Code { .. } => "code-invalid",
            StructureFault::Value { .. } | StructureFault::Dangling { .. } => "value",
            _ => "structure",
        }
    }

    fn text(&self) -> &'static str {
        match self {
            StructureFault::NotATask { .. } => "Not a Task",
            StructureFault::UnknownElement { .. } => "Unknown element",
            StructureFault::JsonType { .. } => "Wrong JSON type",
            StructureFault::NotRepeating { .. } => "An array where one value is due",
            StructureFault::NotAnArray { .. } => "One value where an array is due",
            StructureFault::Empty { .. } => "Empty element",
            StructureFault::Null { .. } => "Misplaced null",
            StructureFault::Missing { .. } => "Element missing in a datatype",
            StructureFault::SeveralChoices { .. } => "Several values of one choice",
            StructureFault::Value { .. } => "Value not readable",
            StructureFault::Code { .. } => "Code outside its list",
            StructureFault::Misaligned { .. } => "Values and extensions not aligned",
            StructureFault::Extension { .. } => {
                "Extension with both or neither of value and extensions"
            }
            StructureFault::Contained { .. } => "Contained resource not usable",
            StructureFault::Dangling { .. } => "Reference to no contained resource",
            StructureFault::UnknownDatatype { .. } => "Unknown datatype",
        }
    }

    fn path(&self) -> String {
        match self {
            // FHIRPath has no name for the type of a body that is none.
            StructureFault::NotATask { .. } => String::new(),
            StructureFault::UnknownElement { path, .. }
            | StructureFault::JsonType { path, .. }
            | StructureFault::NotRepeating { path, .. }
            | StructureFault::NotAnArray { path, .. }
            | StructureFault::Empty { path, .. }
            | StructureFault::Null { path }
            | StructureFault::Missing { path, .. }
            | StructureFault::SeveralChoices { path, .. }
            | StructureFault::Value { path, .. }
            | StructureFault::Code { path, .. }
            | StructureFault::Misaligned { path, .. }
            | StructureFault::Extension { path, .. }
            | StructureFault::Contained { path, .. }
            | StructureFault::Dangling { path, .. }
            | StructureFault::UnknownDatatype { path, .. } => path.clone(),
        }
    }
}

fn hint(nearest: Option<&str>) -> String {
    match nearest {
        Some(name) => format!("; is {name} meant?"),
        None => String::new(),
    }
}

/// The beginning of a text in quotes, control characters escaped: what was sent may be long or hostile.
pub(crate) fn quoted(text: &str) -> String {
    const SHOWN: usize = 80;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

/// What a value is, for a sentence such as "`Task.focus` is …".
pub(crate) fn described(value: &Node<'_>) -> String {
    match value {
        Node::Null => "null".to_owned(),
        Node::Bool(value) => format!("the boolean {value}"),
        Node::Number(JsonNumber::Negative(value)) => format!("the number {value}"),
        Node::Number(JsonNumber::Positive(value)) => format!("the number {value}"),
        Node::Number(JsonNumber::Float(value)) => format!("the number {value}"),
        Node::String(text) => format!("the string {}", quoted(text)),
        Node::Array(_) => "an array".to_owned(),
        Node::Object(_) => "an object".to_owned(),
    }
}
