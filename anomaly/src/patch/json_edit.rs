//! The operations of JSON Patch (RFC 6902, section 4) carried out on a Task.

use super::elements::{Element, shortened};
use super::fault::{OperationPlace, PatchFault};
use super::{Patch, Step as AnyStep};
use crate::task_text::{ExactJson, JsonKind, Member, TaskText};

/// A JSON pointer into an element that is open to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    written: String,
    element: &'static Element,
    /// The segments below the element, decoded.
    rest: Vec<String>,
}

/// One operation.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Add { at: Pointer, value: ExactJson },
    Remove { at: Pointer },
    Replace { at: Pointer, value: ExactJson },
    Move { from: Pointer, at: Pointer },
    Copy { from: Pointer, at: Pointer },
    Test { at: Pointer, value: ExactJson },
}

impl Pointer {
    pub(super) fn new(written: &str, element: &'static Element, rest: Vec<String>) -> Self {
        Self {
            written: written.to_owned(),
            element,
            rest,
        }
    }

    pub(super) fn written(&self) -> &str {
        &self.written
    }

    /// The name of the first-level element.
    pub(super) fn element(&self) -> &'static str {
        self.element.name
    }

    /// Whether the other points to something within what this one points to.
    pub(super) fn holds(&self, other: &Pointer) -> bool {
        self.element == other.element
            && self.rest.len() < other.rest.len()
            && other.rest.starts_with(&self.rest)
    }

    fn nothing_there(&self, operation: OperationPlace) -> PatchFault {
        PatchFault::NothingThere {
            operation,
            path: shortened(&self.written),
            element: self.element().to_owned(),
        }
    }

    /// The value it points to.
    fn get(&self, task: &TaskText) -> Option<ExactJson> {
        let mut value = task.get(self.element())?.clone();
        for segment in &self.rest {
            value = match value.kind() {
                JsonKind::Object => value.member(segment)?,
                JsonKind::Array => {
                    let mut items = value.items()?;
                    let index = place(segment, items.len()).filter(|at| *at < items.len())?;
                    items.swap_remove(index)
                }
                _ => return None,
            };
        }
        Some(value)
    }

    /// Changes what it points to; `None` when it points to nothing that can be changed so.
    fn change(&self, task: &mut TaskText, change: &Change<'_>) -> Option<()> {
        let own = task.get(self.element());
        let changed = match (self.rest.as_slice(), change, own) {
            ([], Change::Add(value), _) | ([], Change::Replace(value), Some(_)) => (*value).clone(),
            ([], Change::Remove, Some(_)) => {
                task.remove(self.element());
                return Some(());
            }
            ([], _, None) | (_, _, None) => return None,
            (rest, _, Some(own)) => changed(own, rest, change)?,
        };
        task.set(self.element(), changed);
        Some(())
    }
}

/// What happens at the end of a pointer.
enum Change<'v> {
    /// Sets a member whether or not it is there; inserts into an array.
    Add(&'v ExactJson),
    /// Sets what is there.
    Replace(&'v ExactJson),
    Remove,
}

impl Step {
    /// Whether it writes to or removes that first-level element.
    pub(super) fn changes(&self, element: &str) -> bool {
        self.changed().any(|own| own == element)
    }

    fn changed(&self) -> impl Iterator<Item = &'static str> {
        let (first, second) = match self {
            Step::Add { at, .. }
            | Step::Remove { at }
            | Step::Replace { at, .. }
            | Step::Copy { at, .. } => (Some(at), None),
            Step::Move { from, at } => (Some(from), Some(at)),
            Step::Test { .. } => (None, None),
        };
        first.into_iter().chain(second).map(Pointer::element)
    }

    /// Carries the operation out; on an error the Task may be half changed, which the caller undoes.
    pub(super) fn apply(
        &self,
        operation: OperationPlace,
        task: &mut TaskText,
    ) -> Result<(), PatchFault> {
        let mut change = |at: &Pointer, change: Change<'_>| {
            at.change(task, &change)
                .ok_or_else(|| at.nothing_there(operation))
        };
        match self {
            Step::Add { at, value } => change(at, Change::Add(value)),
            Step::Replace { at, value } => change(at, Change::Replace(value)),
            Step::Remove { at } => change(at, Change::Remove),
            Step::Copy { from, at } => {
                let value = from
                    .get(task)
                    .ok_or_else(|| from.nothing_there(operation))?;
                at.change(task, &Change::Add(&value))
                    .ok_or_else(|| at.nothing_there(operation))
            }
            Step::Move { from, at } => {
                let value = from
                    .get(task)
                    .ok_or_else(|| from.nothing_there(operation))?;
                from.change(task, &Change::Remove)
                    .ok_or_else(|| from.nothing_there(operation))?;
                at.change(task, &Change::Add(&value))
                    .ok_or_else(|| at.nothing_there(operation))
            }
            Step::Test { at, value } => {
                let found = at.get(task).ok_or_else(|| at.nothing_there(operation))?;
                if found.same_value(value) {
                    return Ok(());
                }
                Err(PatchFault::TestFailed {
                    operation,
                    pointer: shortened(&at.written),
                    element: at.element().to_owned(),
                })
            }
        }
    }
}

/// The value with something changed below it; the path is not empty. `None` when nothing is there. Everything beside the
/// path keeps its text.
fn changed(value: &ExactJson, path: &[String], change: &Change<'_>) -> Option<ExactJson> {
    let (segment, below) = path.split_first()?;
    match value.kind() {
        JsonKind::Object => {
            let mut members = value.members()?;
            let found = members.iter().position(|member| member.name() == segment);
            match (below, change, found) {
                ([], Change::Add(new), None) => members.push(Member::new(segment, (*new).clone())),
                ([], Change::Remove, Some(at)) => drop(members.remove(at)),
                (_, _, Some(at)) => {
                    let member = members.get_mut(at)?;
                    *member = member.with(match (below, change) {
                        ([], Change::Add(new) | Change::Replace(new)) => (*new).clone(),
                        _ => changed(member.value(), below, change)?,
                    });
                }
                (_, _, None) => return None,
            }
            Some(ExactJson::object(&members))
        }
        JsonKind::Array => {
            let mut items = value.items()?;
            let at = place(segment, items.len())?;
            match (below, change) {
                ([], Change::Add(new)) => items.insert(at, (*new).clone()),
                ([], Change::Remove) if at < items.len() => drop(items.remove(at)),
                _ => {
                    let item = items.get_mut(at)?;
                    *item = match (below, change) {
                        ([], Change::Replace(new)) => (*new).clone(),
                        _ => changed(item, below, change)?,
                    };
                }
            }
            Some(ExactJson::array(&items))
        }
        _ => None,
    }
}

/// The index a segment stands for, from 0 to the length of the array: digits without a leading zero, or `-` for the end.
fn place(segment: &str, length: usize) -> Option<usize> {
    if segment == "-" {
        return Some(length);
    }
    let plain = segment.bytes().all(|b| b.is_ascii_digit());
    if !plain || (segment.len() > 1 && segment.starts_with('0')) {
        return None;
    }
    segment.parse().ok().filter(|index| *index <= length)
}

/// Removes the first-level arrays that the patch left empty: FHIR has no empty arrays, an element without items is absent.
/// Only at the end, since a later operation may add to them.
pub(super) fn drop_emptied(patch: &Patch, task: &mut TaskText) {
    for step in &patch.steps {
        let AnyStep::Json(step) = step else { continue };
        for element in step.changed() {
            if task
                .get(element)
                .is_some_and(|value| value.as_str() == "[]")
            {
                task.remove(element);
            }
        }
    }
}
