//! Reading a JSON Patch (RFC 6902) into steps.

use rorqual_schema::{ResourceType, top_level_elements};

use super::MAX_OPERATIONS;
use super::elements::{Element, shortened};
use super::fault::{OperationPlace, PatchFault};
use super::json_edit::{Pointer, Step};
use crate::task_text::{ExactJson, MAX_DEPTH};

const OPERATIONS: [&str; 6] = ["add", "remove", "replace", "move", "copy", "test"];

/// The steps of a patch, or all its faults.
pub(super) fn parse(body: &[u8]) -> Result<Vec<Step>, Vec<PatchFault>> {
    let operations = operations(body).map_err(|fault| vec![fault])?;
    let mut steps = Vec::new();
    let mut faults = Vec::new();
    for (place, json) in operations.iter().enumerate() {
        match read_operation(place, json) {
            Ok(step) => steps.push(step),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() {
        Ok(steps)
    } else {
        Err(faults)
    }
}

fn operations(body: &[u8]) -> Result<Vec<ExactJson>, PatchFault> {
    let operations = ExactJson::parse(body)?
        .items()
        .ok_or(PatchFault::NotAnArray)?;
    match operations.len() {
        0 => Err(PatchFault::NoOperation),
        count if count > MAX_OPERATIONS => Err(PatchFault::TooManyOperations { count }),
        _ => Ok(operations),
    }
}

/// Reads one operation; members that RFC 6902 does not name are ignored, as it says (section 4).
fn read_operation(place: usize, json: &ExactJson) -> Result<Step, Vec<PatchFault>> {
    let operation = OperationPlace::Json(place);
    let mut faults = Vec::new();
    if json.members().is_none() {
        return Err(vec![PatchFault::Shape {
            at: operation.to_string(),
            problem: "an operation is an object with op and path".to_owned(),
        }]);
    }
    let kind = string(operation, json, "op").and_then(|written| known(operation, &written));
    let at = string(operation, json, "path").and_then(|written| pointer(operation, &written));
    let from = match &kind {
        Ok("move" | "copy") => {
            Some(string(operation, json, "from").and_then(|written| pointer(operation, &written)))
        }
        _ => None,
    };
    let mut keep = |fault: PatchFault| faults.push(fault);
    let kind = kind.map_err(&mut keep).ok();
    let at = at.map_err(&mut keep).ok();
    let from = from.and_then(|from| from.map_err(&mut keep).ok());
    let value = match (kind, &at) {
        (Some("add" | "replace" | "test"), Some(at)) => {
            let value = json.member("value");
            if value.is_none() {
                keep(PatchFault::MissingValue {
                    operation,
                    element: at.element().to_owned(),
                    hint: "a member \"value\"".to_owned(),
                });
            }
            value
        }
        _ => None,
    };
    if let (Some("move"), Some(at), Some(from)) = (kind, &at, &from)
        && from.holds(at)
    {
        keep(PatchFault::IntoItself {
            operation,
            from: shortened(from.written()),
            path: shortened(at.written()),
        });
    }
    let step = match (kind, at, from, value) {
        (Some("remove"), Some(at), _, _) => Some(Step::Remove { at }),
        (Some("add"), Some(at), _, Some(value)) => Some(Step::Add { at, value }),
        (Some("replace"), Some(at), _, Some(value)) => Some(Step::Replace { at, value }),
        (Some("test"), Some(at), _, Some(value)) => Some(Step::Test { at, value }),
        (Some("move"), Some(at), Some(from), _) => Some(Step::Move { from, at }),
        (Some("copy"), Some(at), Some(from), _) => Some(Step::Copy { from, at }),
        _ => None,
    };
    match step {
        Some(step) if faults.is_empty() => Ok(step),
        _ => Err(faults),
    }
}

fn string(
    operation: OperationPlace,
    json: &ExactJson,
    name: &'static str,
) -> Result<String, PatchFault> {
    let value = json.member(name).ok_or(PatchFault::MissingPart {
        operation,
        part: name,
    })?;
    value.text().ok_or_else(|| PatchFault::Shape {
        at: format!("{operation}.{name}"),
        problem: "a string is due".to_owned(),
    })
}

fn known(operation: OperationPlace, written: &str) -> Result<&'static str, PatchFault> {
    let found = OPERATIONS.into_iter().find(|known| *known == written);
    found.ok_or_else(|| PatchFault::UnknownOperation {
        operation,
        written: shortened(written),
        hint: match written {
            "delete" => "write remove".to_owned(),
            "insert" => "write add".to_owned(),
            _ => format!("the operations are {}", OPERATIONS.join(", ")),
        },
    })
}

/// Reads a JSON pointer (RFC 6901) whose first segment is open to change.
fn pointer(operation: OperationPlace, written: &str) -> Result<Pointer, PatchFault> {
    let unreadable = |reason| PatchFault::PointerUnreadable {
        operation,
        pointer: shortened(written),
        reason,
    };
    if written.is_empty() {
        return Err(PatchFault::WholeTask { operation });
    }
    let body = written
        .strip_prefix('/')
        .ok_or_else(|| unreadable("it begins with /"))?;
    let mut segments = Vec::new();
    for segment in body.split('/') {
        segments.push(
            decoded(segment)
                .ok_or_else(|| unreadable("~ is written ~0, and / within a name ~1"))?,
        );
        if segments.len() > MAX_DEPTH {
            return Err(unreadable("it is deeper than a body may be"));
        }
    }
    let mut segments = segments.into_iter();
    let first = segments.next().unwrap_or_default();
    if let Some(element) = first.strip_prefix('_')
        && top_level_elements(ResourceType::Task).has(element)
    {
        return Err(PatchFault::Nested {
            operation,
            path: shortened(written),
        });
    }
    let element = Element::find(operation, &first)?;
    Ok(Pointer::new(written, element, segments.collect()))
}

/// A segment with `~1` read as `/` and `~0` as `~`; `None` when a `~` stands before anything else.
fn decoded(segment: &str) -> Option<String> {
    let mut text = String::with_capacity(segment.len());
    let mut chars = segment.chars();
    while let Some(c) = chars.next() {
        text.push(match c {
            '~' => match chars.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            c => c,
        });
    }
    Some(text)
}
