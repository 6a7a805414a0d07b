//! Everything that can be wrong with a patch, or with applying it.

use std::fmt;

use thiserror::Error;

use super::elements::open_names;
use super::{MAX_OPERATIONS, MAX_WORK_BYTES};
use crate::finding::Finding;
use crate::task_text::{JsonTextFault, MAX_DEPTH};

/// Why an element of Task is not open to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOpen {
    /// The server assigns it.
    Assigned,
    /// It says which anomaly this is.
    Fixed,
    /// Any other element of R4's Task.
    Other,
}

impl NotOpen {
    fn reason(self) -> &'static str {
        match self {
            NotOpen::Assigned => "is assigned by the server",
            NotOpen::Fixed => {
                "says which anomaly this is; cancel this one (business status 03) and report another"
            }
            NotOpen::Other => "is not open to change",
        }
    }
}

/// The operations of FHIRPath Patch that work on a list by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListOperation {
    /// `insert`: an index from 0 to the number of items.
    Insert,
    /// `move`: indexes from 0 to below the number of items.
    Move,
}

impl ListOperation {
    /// The name as written in a patch.
    pub fn name(self) -> &'static str {
        match self {
            ListOperation::Insert => "insert",
            ListOperation::Move => "move",
        }
    }
}

/// The place of an operation in the body of a patch, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationPlace {
    /// In a FHIRPath Patch: `Parameters.parameter[n]`.
    FhirPath(usize),
    /// In a JSON Patch, which is no resource, so that no FHIRPath leads to it.
    Json(usize),
}

impl OperationPlace {
    /// The place as FHIRPath; empty in a JSON Patch.
    fn path(self) -> String {
        match self {
            OperationPlace::FhirPath(place) => format!("Parameters.parameter[{place}]"),
            OperationPlace::Json(_) => String::new(),
        }
    }
}

impl fmt::Display for OperationPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (OperationPlace::FhirPath(place) | OperationPlace::Json(place)) = self;
        write!(f, "operation[{place}]")
    }
}

/// What is wrong with a patch.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PatchFault {
    /// The body is not JSON that means one thing.
    #[error(transparent)]
    Json(#[from] JsonTextFault),
    /// A FHIRPath Patch that is no `Parameters` resource.
    #[error(
        "a patch in application/fhir+json is a Parameters resource, this is {found}; a JSON Patch is sent as application/json-patch+json"
    )]
    NotParameters {
        /// The `resourceType` written, or what stands in its place.
        found: String,
    },
    /// A JSON Patch that is no array.
    #[error(
        "a JSON Patch is an array of operations; a FHIRPath Patch (Parameters) is sent as application/fhir+json"
    )]
    NotAnArray,
    /// No operation at all.
    #[error("the patch holds no operation; add at least one")]
    NoOperation,
    /// More operations than [`MAX_OPERATIONS`].
    #[error("the patch holds {count} operations, at most {MAX_OPERATIONS} are taken; split it")]
    TooManyOperations {
        /// How many there are.
        count: usize,
    },
    /// A piece of the body that has not the shape it must have.
    #[error("{at}: {problem}")]
    Shape {
        /// The place: FHIRPath in a `Parameters`, the operation and its member in a JSON Patch.
        at: String,
        /// What is wrong and what is due.
        problem: String,
    },
    /// A part, or a member of a JSON Patch operation, that must be there and is not.
    #[error("{operation} has no {part}; add it")]
    MissingPart {
        /// The operation.
        operation: OperationPlace,
        /// The name of the part.
        part: &'static str,
    },
    /// A part that the operation does not take, so that dropping it would do something else than was meant.
    #[error("{operation}: {kind} takes no part {part}; leave it out")]
    UnneededPart {
        /// The operation.
        operation: OperationPlace,
        /// The type of the operation.
        kind: &'static str,
        /// The name of the part.
        part: &'static str,
    },
    /// An operation that does not exist.
    #[error("{operation}: there is no operation \"{written}\"; {hint}")]
    UnknownOperation {
        /// The operation.
        operation: OperationPlace,
        /// Its type as written.
        written: String,
        /// What to write.
        hint: String,
    },
    /// A path that is not FHIRPath.
    #[error("{operation}: the path \"{path}\" is not FHIRPath ({reason}); write Task.element")]
    PathUnreadable {
        /// The operation.
        operation: OperationPlace,
        /// The path as written.
        path: String,
        /// What stands in the way.
        reason: String,
    },
    /// A path that begins with a type other than Task.
    #[error(
        "{operation}: the path \"{path}\" is about {found}; only a Task is patched here, write Task.element"
    )]
    OtherType {
        /// The operation.
        operation: OperationPlace,
        /// The path as written.
        path: String,
        /// The type it names.
        found: String,
    },
    /// An element that R4's Task has not.
    #[error("{operation}: Task has no element \"{name}\"{}", did_you_mean(.nearest))]
    UnknownElement {
        /// The operation.
        operation: OperationPlace,
        /// The name as written.
        name: String,
        /// The nearest elements of Task, best first.
        nearest: Vec<String>,
    },
    /// An element that a patch may not change.
    #[error("{operation}: Task.{element} {}; open to change are {}", .why.reason(), open_names())]
    NotOpen {
        /// The operation.
        operation: OperationPlace,
        /// Its name.
        element: String,
        /// Why.
        why: NotOpen,
    },
    /// A path below the first level, or more than a path to an element.
    #[error(
        "{operation}: only elements of the first level are patched, not \"{path}\"; write Task.element, or Task.element[n] for one item of a list, and give the whole element as value"
    )]
    Nested {
        /// The operation.
        operation: OperationPlace,
        /// The path as written.
        path: String,
    },
    /// The Task itself as target.
    #[error(
        "{operation}: the Task as a whole is not patched; name one of its elements, Task.element"
    )]
    WholeTask {
        /// The operation.
        operation: OperationPlace,
    },
    /// No value where one is due.
    #[error("{operation}: Task.{element} is given no value; add {hint}")]
    MissingValue {
        /// The operation.
        operation: OperationPlace,
        /// The element.
        element: String,
        /// What to add.
        hint: String,
    },
    /// A `value[x]` whose suffix is no datatype.
    #[error("{at}: value{suffix} is no FHIR datatype{}", did_you_mean(.nearest))]
    UnknownDatatype {
        /// Where.
        at: String,
        /// The suffix as written.
        suffix: String,
        /// The spelling that is meant, when it is clear.
        nearest: Vec<String>,
    },
    /// A value of another datatype than the element's.
    #[error("{operation}: Task.{element} is not given as {found}; write {hint}")]
    WrongDatatype {
        /// The operation.
        operation: OperationPlace,
        /// The element.
        element: &'static str,
        /// What was written.
        found: String,
        /// What is due.
        hint: String,
    },
    /// `insert` or `move` on an element that does not repeat.
    #[error("{operation}: Task.{element} is no list, {} does not apply; use replace", .kind.name())]
    NotAList {
        /// The operation.
        operation: OperationPlace,
        /// The element.
        element: &'static str,
        /// The type of the operation.
        kind: ListOperation,
    },
    /// `insert` or `move` on one item of a list.
    #[error("{operation}: {} takes the list as path, Task.{element}, and the place in its parts", .kind.name())]
    ItemForList {
        /// The operation.
        operation: OperationPlace,
        /// The element.
        element: &'static str,
        /// The type of the operation.
        kind: ListOperation,
    },
    /// A path or pointer that reaches nothing in the Task.
    #[error("{operation}: {path} reaches nothing in this Task; read it again, or use add")]
    NothingThere {
        /// The operation.
        operation: OperationPlace,
        /// The path as FHIRPath, or the JSON pointer.
        path: String,
        /// The first-level element.
        element: String,
    },
    /// A path that reaches several items.
    #[error("{operation}: Task.{element} reaches {count} elements; say which, Task.{element}[0]")]
    SeveralThere {
        /// The operation.
        operation: OperationPlace,
        /// The element.
        element: &'static str,
        /// How many it reaches.
        count: usize,
    },
    /// `add` of an element that is there and does not repeat.
    #[error("{operation}: Task.{element} is there already and does not repeat; use replace")]
    AlreadyThere {
        /// The operation.
        operation: OperationPlace,
        /// The element.
        element: &'static str,
    },
    /// An index outside the list.
    #[error("{operation}: {} {index} is outside Task.{element}, which has {count} items; read it again", .part)]
    OutOfBounds {
        /// The operation.
        operation: OperationPlace,
        /// The element.
        element: &'static str,
        /// The part that holds the index: `index`, `source` or `destination`.
        part: &'static str,
        /// The index as written.
        index: i64,
        /// The items there are.
        count: usize,
    },
    /// A JSON pointer against the grammar of RFC 6901.
    #[error("{operation}: \"{pointer}\" is no JSON pointer ({reason}); write /element")]
    PointerUnreadable {
        /// The operation.
        operation: OperationPlace,
        /// The pointer as written.
        pointer: String,
        /// What is wrong.
        reason: &'static str,
    },
    /// A `move` into a part of what is moved.
    #[error("{operation}: {from} cannot be moved into itself, {path}; choose another place")]
    IntoItself {
        /// The operation.
        operation: OperationPlace,
        /// The pointer moved from.
        from: String,
        /// The pointer moved to.
        path: String,
    },
    /// A JSON Patch `test` that fails.
    #[error(
        "{operation}: the test of {pointer} fails, another value is there; read the Task again"
    )]
    TestFailed {
        /// The operation.
        operation: OperationPlace,
        /// The pointer.
        pointer: String,
        /// The first-level element.
        element: String,
    },
    /// Too many operations for the length of the Task.
    #[error(
        "{operation} is one too many for a Task of this length (at most {MAX_WORK_BYTES} bytes of work in one patch); split the patch"
    )]
    TooCostly {
        /// The operation.
        operation: OperationPlace,
    },
    /// The Task would outgrow [`super::MAX_RESULT_BYTES`].
    #[error("{operation} makes the Task longer than {longest} bytes; shorten it")]
    TooLong {
        /// The operation.
        operation: OperationPlace,
        /// The most that is taken: [`super::MAX_RESULT_BYTES`], or the length of a Task that was longer before.
        longest: usize,
    },
    /// The Task would nest too deep.
    #[error("{operation} makes the Task nest deeper than {MAX_DEPTH} levels; flatten it")]
    TooDeep {
        /// The operation.
        operation: OperationPlace,
    },
}

fn did_you_mean(nearest: &[String]) -> String {
    match nearest {
        [] => "; see the definition of FHIR R4".to_owned(),
        names => format!("; did you mean {}?", names.join(", ")),
    }
}

impl Finding for PatchFault {
    fn status(&self) -> u16 {
        use PatchFault as P;
        match self {
            P::Json(_)
            | P::NotParameters { .. }
            | P::NotAnArray
            | P::NoOperation
            | P::Shape { .. }
            | P::MissingPart { .. }
            | P::UnneededPart { .. }
            | P::UnknownOperation { .. }
            | P::PathUnreadable { .. }
            | P::OtherType { .. }
            | P::UnknownElement { .. }
            | P::UnknownDatatype { .. }
            | P::PointerUnreadable { .. } => 400,
            P::TooManyOperations { .. }
            | P::NotOpen { .. }
            | P::Nested { .. }
            | P::WholeTask { .. }
            | P::MissingValue { .. }
            | P::WrongDatatype { .. }
            | P::NotAList { .. }
            | P::ItemForList { .. }
            | P::NothingThere { .. }
            | P::SeveralThere { .. }
            | P::AlreadyThere { .. }
            | P::OutOfBounds { .. }
            | P::IntoItself { .. }
            | P::TestFailed { .. }
            | P::TooCostly { .. }
            | P::TooLong { .. }
            | P::TooDeep { .. } => 422,
        }
    }

    fn code(&self) -> &'static str {
        use PatchFault as P;
        match self {
            P::Json(fault) => fault.code(),
            P::NotParameters { .. } | P::NotAnArray | P::Shape { .. } => "structure",
            P::NoOperation | P::MissingPart { .. } | P::MissingValue { .. } => "required",
            P::TooManyOperations { .. } | P::TooCostly { .. } => "too-costly",
            P::UnneededPart { .. }
            | P::PathUnreadable { .. }
            | P::OtherType { .. }
            | P::UnknownElement { .. }
            | P::PointerUnreadable { .. } => "invalid",
            P::UnknownOperation { .. } => "not-supported",
            P::NotOpen { .. } | P::Nested { .. } | P::WholeTask { .. } => "business-rule",
            P::UnknownDatatype { .. } | P::WrongDatatype { .. } | P::OutOfBounds { .. } => "value",
            P::NothingThere { .. } => "not-found",
            P::SeveralThere { .. } => "multiple-matches",
            P::NotAList { .. }
            | P::ItemForList { .. }
            | P::AlreadyThere { .. }
            | P::IntoItself { .. } => "processing",
            P::TestFailed { .. } => "conflict",
            P::TooLong { .. } | P::TooDeep { .. } => "too-long",
        }
    }

    fn text(&self) -> &'static str {
        use PatchFault as P;
        match self {
            P::Json(fault) => fault.text(),
            P::NotParameters { .. } | P::NotAnArray => "Not a patch",
            P::NoOperation => "No operation",
            P::TooManyOperations { .. } | P::TooCostly { .. } => "Too many operations",
            P::Shape { .. } => "Patch not well formed",
            P::MissingPart { .. } => "Part missing",
            P::UnneededPart { .. } => "Part not taken",
            P::UnknownOperation { .. } => "Unknown operation",
            P::PathUnreadable { .. } | P::PointerUnreadable { .. } => "Path not readable",
            P::OtherType { .. } => "Path of another type",
            P::UnknownElement { .. } => "Unknown element",
            P::NotOpen { .. } | P::Nested { .. } | P::WholeTask { .. } => "Not open to change",
            P::MissingValue { .. } => "Value missing",
            P::UnknownDatatype { .. } => "Unknown datatype",
            P::WrongDatatype { .. } => "Wrong datatype",
            P::NotAList { .. } | P::ItemForList { .. } => "Not a list",
            P::NothingThere { .. } => "Nothing at the path",
            P::SeveralThere { .. } => "Several elements at the path",
            P::AlreadyThere { .. } => "Element there already",
            P::OutOfBounds { .. } => "Index out of bounds",
            P::IntoItself { .. } => "Move into itself",
            P::TestFailed { .. } => "Test failed",
            P::TooLong { .. } | P::TooDeep { .. } => "Result too large",
        }
    }

    fn path(&self) -> String {
        use PatchFault as P;
        match self {
            P::Json(fault) => fault.path(),
            // Of the whole body, whichever its language.
            P::NotAnArray | P::NoOperation | P::TooManyOperations { .. } => String::new(),
            P::PointerUnreadable { operation, .. } => operation.path(),
            P::NotParameters { .. } => "Parameters".to_owned(),
            P::Shape { at, .. } | P::UnknownDatatype { at, .. } => {
                // No FHIRPath leads into a JSON Patch; the diagnostics name the place.
                if at.starts_with("Parameters") {
                    at.clone()
                } else {
                    String::new()
                }
            }
            P::MissingPart { operation, .. }
            | P::UnneededPart { operation, .. }
            | P::UnknownOperation { operation, .. }
            | P::PathUnreadable { operation, .. }
            | P::OtherType { operation, .. }
            | P::UnknownElement { operation, .. } => operation.path(),
            P::Nested { .. }
            | P::WholeTask { .. }
            | P::TooCostly { .. }
            | P::TooLong { .. }
            | P::TooDeep { .. } => "Task".to_owned(),
            P::NotOpen { element, .. }
            | P::MissingValue { element, .. }
            | P::NothingThere { element, .. }
            | P::TestFailed { element, .. } => format!("Task.{element}"),
            P::WrongDatatype { element, .. }
            | P::NotAList { element, .. }
            | P::ItemForList { element, .. }
            | P::SeveralThere { element, .. }
            | P::AlreadyThere { element, .. }
            | P::OutOfBounds { element, .. } => format!("Task.{element}"),
            P::IntoItself { .. } => "Task".to_owned(),
        }
    }
}
