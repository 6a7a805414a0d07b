//! What a path of FHIRPath Patch reaches: the Task, an element of its first level, or one item of it.

use rorqual_schema::{ResourceType, top_level_elements};

use super::elements::{Element, shortened};
use super::fault::{OperationPlace, PatchFault};
use super::path_grammar::{Token, recognise};

/// What a path reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reached {
    /// The Task itself.
    Task,
    /// A first-level element, or the item of that index.
    Element(Target),
}

/// A first-level element as written: `Task.input`, or `Task.input[2]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) element: &'static Element,
    pub(super) index: Option<usize>,
}

impl Target {
    /// The path as FHIRPath.
    pub(super) fn path(&self) -> String {
        match self.index {
            Some(index) => format!("Task.{}[{index}]", self.element.name),
            None => format!("Task.{}", self.element.name),
        }
    }
}

/// Reads a path: `Task`, `Task.x`, `x`, `Task.x[n]` or `x[n]`, where x is open to change.
pub(super) fn resolve(operation: OperationPlace, written: &str) -> Result<Reached, PatchFault> {
    let tokens = recognise(written).map_err(|reason| PatchFault::PathUnreadable {
        operation,
        path: shortened(written),
        reason,
    })?;
    let mut rest = tokens.as_slice();
    if let [Token::Word(first, _), after @ ..] = rest
        && first.starts_with(|c: char| c.is_ascii_uppercase())
        && !matches!(after, [Token::Symbol("("), ..])
    {
        if first != "Task" {
            return Err(PatchFault::OtherType {
                operation,
                path: shortened(written),
                found: shortened(first),
            });
        }
        match after {
            [] => return Ok(Reached::Task),
            [Token::Symbol("."), after @ ..] => rest = after,
            _ => return Err(nested(operation, written)),
        }
    }
    let (name, after) = match rest {
        [Token::Word(name, _), after @ ..] if !matches!(after, [Token::Symbol("("), ..]) => {
            (name, after)
        }
        _ => return Err(nested(operation, written)),
    };
    match after {
        [] => Element::find(operation, name).map(|element| {
            Reached::Element(Target {
                element,
                index: None,
            })
        }),
        [
            Token::Symbol("["),
            Token::Number(digits),
            Token::Symbol("]"),
        ] if !digits.contains('.') => {
            let element = Element::find(operation, name)?;
            Ok(Reached::Element(Target {
                element,
                // More digits than any list has items: it reaches nothing, as its saturated value does.
                index: Some(digits.parse().unwrap_or(usize::MAX)),
            }))
        }
        _ => {
            // A name that is none at all is the plainer fault.
            let known = name == "resourceType" || top_level_elements(ResourceType::Task).has(name);
            if !known {
                Element::find(operation, name)?;
            }
            Err(nested(operation, written))
        }
    }
}

fn nested(operation: OperationPlace, written: &str) -> PatchFault {
    PatchFault::Nested {
        operation,
        path: shortened(written),
    }
}
