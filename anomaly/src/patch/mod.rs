//! Patching the first level of a Task: FHIRPath Patch and JSON Patch under one list of elements.
//!
//! Reading a patch ([`parse_fhirpath_patch`], [`parse_json_patch`]) finds every fault that the body alone shows, all at once;
//! [`Patch::apply`] finds those that depend on the Task, and changes it wholly or not at all. Whether the result is still a
//! sound anomaly is for [`crate::structure`] and [`crate::profile`] to say: the caller runs them on the result.
//!
//! The files, in reading order: `elements` is the list of what may be patched, `path_grammar` and `path` read a FHIRPath,
//! `parameters` and `value` read a FHIRPath Patch into the steps of `fhirpath_steps`; `json_patch` reads a JSON Patch and
//! `json_edit` carries out its steps; `fault` is everything that can be wrong.

mod datatypes;
mod elements;
mod fault;
mod fhirpath_steps;
mod json_edit;
mod json_patch;
mod parameters;
mod path;
mod path_grammar;
mod value;

pub use fault::{ListOperation, NotOpen, OperationPlace, PatchFault};

use crate::task_text::{MAX_DEPTH, TaskText};

/// How many operations one patch may hold. Fourteen elements are open to change, so a patch of a few dozen is long.
pub const MAX_OPERATIONS: usize = 200;

/// How long a Task may grow by a patch, in bytes of its JSON text; one that was longer before may not grow at all. Without
/// a bound a few `copy` operations of JSON Patch, each doubling the text, would fill the memory.
pub const MAX_RESULT_BYTES: usize = 1 << 20;

/// How much work one patch may be: the lengths of the Task before each operation, added up, in bytes. A patch of
/// [`MAX_OPERATIONS`] on a Task of ordinary length (a few thousand bytes) is a twentieth of it.
pub const MAX_WORK_BYTES: usize = 16 << 20;

/// A patch that was read and whose paths are all open to change; not yet applied to a Task.
#[derive(Clone, Debug)]
pub struct Patch {
    steps: Vec<Step>,
}

/// One operation of either language.
#[derive(Clone, Debug)]
enum Step {
    FhirPath(fhirpath_steps::Step),
    Json(json_edit::Step),
}

/// Reads a FHIRPath Patch (FHIR R4, fhirpatch): a `Parameters` resource with one `operation` per step.
///
/// ```
/// use rorqual_anomaly::patch::parse_fhirpath_patch;
/// use rorqual_anomaly::task_text::TaskText;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let body = br#"{"resourceType":"Parameters","parameter":[{"name":"operation","part":[
///     {"name":"type","valueCode":"replace"},
///     {"name":"path","valueString":"Task.status"},
///     {"name":"value","valueCode":"completed"}]}]}"#;
/// let patch = parse_fhirpath_patch(body).map_err(|faults| faults[0].clone())?;
/// let mut task = TaskText::parse(br#"{"resourceType":"Task","status":"in-progress"}"#)?;
/// patch.apply(&mut task)?;
/// assert_eq!(task.to_json(), br#"{"resourceType":"Task","status":"completed"}"#);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Every fault found: of the body's shape, of the operations, and of their paths.
pub fn parse_fhirpath_patch(body: &[u8]) -> Result<Patch, Vec<PatchFault>> {
    parameters::parse(body).map(|steps| Patch {
        steps: steps.into_iter().map(Step::FhirPath).collect(),
    })
}

/// Reads a JSON Patch (RFC 6902): an array of operations whose pointers begin with an element that is open to change.
///
/// # Errors
/// Every fault found: of the body's shape, of the operations, and of their pointers.
pub fn parse_json_patch(body: &[u8]) -> Result<Patch, Vec<PatchFault>> {
    json_patch::parse(body).map(|steps| Patch {
        steps: steps.into_iter().map(Step::Json).collect(),
    })
}

impl Patch {
    /// Carries out the operations in order. On an error the Task is as it was.
    ///
    /// # Errors
    /// The first operation that does not fit the Task: a path that reaches nothing or several elements, an index out of
    /// bounds, a `test` that fails, a result that is too large.
    pub fn apply(&self, task: &mut TaskText) -> Result<(), PatchFault> {
        let mut patched = task.clone();
        let longest = MAX_RESULT_BYTES.max(task.byte_len());
        let mut work = 0_usize;
        for (place, step) in self.steps.iter().enumerate() {
            let operation = match step {
                Step::FhirPath(_) => OperationPlace::FhirPath(place),
                Step::Json(_) => OperationPlace::Json(place),
            };
            // One operation is always taken, or a very long Task could not even be shortened.
            work = work.saturating_add(patched.byte_len());
            if place > 0 && work > MAX_WORK_BYTES {
                return Err(PatchFault::TooCostly { operation });
            }
            match step {
                Step::FhirPath(step) => step.apply(operation, &mut patched)?,
                Step::Json(step) => step.apply(operation, &mut patched)?,
            }
            if patched.byte_len() > longest {
                return Err(PatchFault::TooLong { operation, longest });
            }
            let deepest = |task: &TaskText| task.members().map(|(_, value)| value.depth()).max();
            if deepest(&patched) >= Some(MAX_DEPTH) {
                return Err(PatchFault::TooDeep { operation });
            }
        }
        json_edit::drop_emptied(self, &mut patched);
        *task = patched;
        Ok(())
    }

    /// Whether an operation writes to or removes that first-level element: a patch that does not say `lastModified` gets it
    /// from the server.
    pub fn changes(&self, element: &str) -> bool {
        self.steps.iter().any(|step| match step {
            Step::FhirPath(step) => step.element() == element,
            Step::Json(step) => step.changes(element),
        })
    }
}
