//! The operations of FHIRPath Patch carried out on a Task.

use super::elements::Element;
use super::fault::{OperationPlace, PatchFault};
use super::path::Target;
use super::value::NewValue;
use crate::task_text::{ExactJson, TaskText};

/// One operation, its path known to be open to change and its value to be of the element's datatype.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Appends to a list, or sets an element that is absent.
    Add {
        element: &'static Element,
        value: NewValue,
    },
    /// Puts an item at a place of a list.
    Insert {
        element: &'static Element,
        index: i64,
        value: NewValue,
    },
    /// Removes an element or item, if it is there.
    Delete { target: Target },
    /// Gives an element or item that is there another value.
    Replace { target: Target, value: NewValue },
    /// Moves an item within its list.
    Move {
        element: &'static Element,
        source: i64,
        destination: i64,
    },
}

/// The one thing a path reaches.
enum Found {
    Nothing,
    /// The element itself, which does not repeat.
    Element,
    /// An item of its list.
    Item(usize),
}

impl Step {
    /// The name of the element it changes.
    pub(super) fn element(&self) -> &'static str {
        match self {
            Step::Add { element, .. }
            | Step::Insert { element, .. }
            | Step::Move { element, .. } => element.name,
            Step::Delete { target } | Step::Replace { target, .. } => target.element.name,
        }
    }

    /// Carries the operation out; on an error the Task may be half changed, which the caller undoes.
    pub(super) fn apply(
        &self,
        operation: OperationPlace,
        task: &mut TaskText,
    ) -> Result<(), PatchFault> {
        match self {
            Step::Add { element, value } => {
                if element.is_list {
                    let mut items = task.items(element.name);
                    items.extend(value.value.clone());
                    set_list(task, element, &items);
                } else if is_there(task, element) {
                    return Err(PatchFault::AlreadyThere {
                        operation,
                        element: element.name,
                    });
                } else {
                    set_one(task, element, value);
                }
            }
            Step::Insert {
                element,
                index,
                value,
            } => {
                let mut items = list(operation, task, element)?;
                let index = bounded(operation, element, "index", *index, &items, items.len())?;
                if let Some(value) = &value.value {
                    items.insert(index, value.clone());
                }
                set_list(task, element, &items);
            }
            Step::Delete { target } => match find(operation, task, target)? {
                Found::Nothing => {}
                Found::Element => drop(task.remove(target.element.name)),
                Found::Item(index) => {
                    let mut items = task.items(target.element.name);
                    items.remove(index);
                    set_list(task, target.element, &items);
                }
            },
            Step::Replace { target, value } => match find(operation, task, target)? {
                Found::Nothing => {
                    return Err(PatchFault::NothingThere {
                        operation,
                        path: target.path(),
                        element: target.element.name.to_owned(),
                    });
                }
                Found::Element => set_one(task, target.element, value),
                Found::Item(index) => {
                    let mut items = task.items(target.element.name);
                    if let (Some(item), Some(value)) = (items.get_mut(index), &value.value) {
                        *item = value.clone();
                    }
                    set_list(task, target.element, &items);
                }
            },
            Step::Move {
                element,
                source,
                destination,
            } => {
                let mut items = list(operation, task, element)?;
                let last = items.len().saturating_sub(1);
                let source = bounded(operation, element, "source", *source, &items, last)?;
                let destination = bounded(
                    operation,
                    element,
                    "destination",
                    *destination,
                    &items,
                    last,
                )?;
                let item = items.remove(source);
                items.insert(destination, item);
                set_list(task, element, &items);
            }
        }
        Ok(())
    }
}

/// What a path reaches in this Task. The index of an item found is within its list.
fn find(operation: OperationPlace, task: &TaskText, target: &Target) -> Result<Found, PatchFault> {
    let Target { element, index } = *target;
    if !element.is_list {
        // An index on an element that does not repeat: FHIRPath takes it for a list of one.
        let reached = is_there(task, element) && index.unwrap_or(0) == 0;
        return Ok(if reached {
            Found::Element
        } else {
            Found::Nothing
        });
    }
    let count = task.items(element.name).len();
    match (index, count) {
        (Some(index), _) if index < count => Ok(Found::Item(index)),
        (Some(_), _) | (None, 0) => Ok(Found::Nothing),
        (None, 1) => Ok(Found::Item(0)),
        (None, _) => Err(PatchFault::SeveralThere {
            operation,
            element: element.name,
            count,
        }),
    }
}

fn is_there(task: &TaskText, element: &Element) -> bool {
    task.get(element.name).is_some() || task.get(&format!("_{}", element.name)).is_some()
}

/// The items of a list that is there.
fn list(
    operation: OperationPlace,
    task: &TaskText,
    element: &'static Element,
) -> Result<Vec<ExactJson>, PatchFault> {
    let items = task.items(element.name);
    if items.is_empty() {
        return Err(PatchFault::NothingThere {
            operation,
            path: format!("Task.{}", element.name),
            element: element.name.to_owned(),
        });
    }
    Ok(items)
}

/// An index that is not negative and at most `greatest`.
fn bounded(
    operation: OperationPlace,
    element: &'static Element,
    part: &'static str,
    index: i64,
    items: &[ExactJson],
    greatest: usize,
) -> Result<usize, PatchFault> {
    usize::try_from(index)
        .ok()
        .filter(|index| *index <= greatest)
        .ok_or(PatchFault::OutOfBounds {
            operation,
            element: element.name,
            part,
            index,
            count: items.len(),
        })
}

/// A list that holds nothing is absent: FHIR has no empty arrays.
fn set_list(task: &mut TaskText, element: &Element, items: &[ExactJson]) {
    if items.is_empty() {
        task.remove(element.name);
    } else {
        task.set(element.name, ExactJson::array(items));
    }
}

fn set_one(task: &mut TaskText, element: &Element, value: &NewValue) {
    task.set_primitive(element.name, value.value.clone(), value.sibling.clone());
}
