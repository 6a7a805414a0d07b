//! Reading a FHIRPath Patch: a `Parameters` resource into steps.

use super::MAX_OPERATIONS;
use super::elements::{Element, shortened};
use super::fault::{ListOperation, OperationPlace, PatchFault};
use super::fhirpath_steps::Step;
use super::path::{Reached, Target, resolve};
use super::value::{NewValue, Part};
use crate::task_text::ExactJson;

/// The parts of an operation, in the order of FHIR R4's definition; `type` and `path` belong to all.
const PARTS: [&str; 7] = [
    "type",
    "path",
    "name",
    "value",
    "index",
    "source",
    "destination",
];

/// The operations, and the parts each takes beside `type` and `path`.
const OPERATIONS: [(&str, &[&str]); 5] = [
    ("add", &["name", "value"]),
    ("insert", &["index", "value"]),
    ("delete", &[]),
    ("replace", &["value"]),
    ("move", &["source", "destination"]),
];

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

/// The items of `Parameters.parameter`.
fn operations(body: &[u8]) -> Result<Vec<ExactJson>, PatchFault> {
    let json = ExactJson::parse(body)?;
    let Some(members) = json.members() else {
        return Err(PatchFault::NotParameters {
            found: "no object".to_owned(),
        });
    };
    let kind = json.member("resourceType");
    match kind.as_ref().and_then(ExactJson::text).as_deref() {
        Some("Parameters") => {}
        Some(other) => {
            return Err(PatchFault::NotParameters {
                found: format!("\"{}\"", shortened(other)),
            });
        }
        None => {
            return Err(PatchFault::NotParameters {
                found: "an object without resourceType".to_owned(),
            });
        }
    }
    const KNOWN: [&str; 5] = ["resourceType", "id", "meta", "language", "parameter"];
    for member in &members {
        let plain = member.name().strip_prefix('_').unwrap_or(member.name());
        if !KNOWN.contains(&plain) {
            return Err(PatchFault::Shape {
                at: "Parameters".to_owned(),
                problem: format!(
                    "\"{}\" is not taken in a patch; leave it out",
                    shortened(member.name())
                ),
            });
        }
    }
    let operations = match json.member("parameter") {
        Some(parameter) => parameter.items().ok_or_else(|| PatchFault::Shape {
            at: "Parameters.parameter".to_owned(),
            problem: "an array of operations is due".to_owned(),
        })?,
        None => Vec::new(),
    };
    match operations.len() {
        0 => Err(PatchFault::NoOperation),
        count if count > MAX_OPERATIONS => Err(PatchFault::TooManyOperations { count }),
        _ => Ok(operations),
    }
}

/// The parts of one operation, found by name, and the faults met so far.
struct Reading<'p> {
    operation: OperationPlace,
    parts: &'p [Part],
    faults: Vec<PatchFault>,
}

impl<'p> Reading<'p> {
    fn find(&self, name: &str) -> Option<&'p Part> {
        self.parts.iter().find(|part| part.name == name)
    }

    /// What was read, or nothing and the fault noted.
    fn keep<T>(&mut self, read: Result<T, PatchFault>) -> Option<T> {
        read.map_err(|fault| self.faults.push(fault)).ok()
    }

    /// A part that must be there, read.
    fn must<T>(
        &mut self,
        part: &'static str,
        read: impl FnOnce(&Part) -> Result<T, PatchFault>,
    ) -> Option<T> {
        let operation = self.operation;
        let found = self
            .find(part)
            .ok_or(PatchFault::MissingPart { operation, part })
            .and_then(read);
        self.keep(found)
    }

    fn value(&mut self, element: &'static Element) -> Option<NewValue> {
        let value = NewValue::read(self.operation, element, self.find("value"));
        self.keep(value)
    }

    /// The path of every operation but `add`: an element.
    fn target(&mut self, reached: Option<Reached>) -> Option<Target> {
        match reached? {
            Reached::Element(target) => Some(target),
            Reached::Task => {
                let operation = self.operation;
                self.faults.push(PatchFault::WholeTask { operation });
                None
            }
        }
    }

    /// The path of `insert` and `move`: a list.
    fn list(&mut self, kind: ListOperation, reached: Option<Reached>) -> Option<&'static Element> {
        let Target { element, index } = self.target(reached)?;
        let (operation, name) = (self.operation, element.name);
        if !element.is_list {
            self.faults.push(PatchFault::NotAList {
                operation,
                element: name,
                kind,
            });
            return None;
        }
        if index.is_some() {
            self.faults.push(PatchFault::ItemForList {
                operation,
                element: name,
                kind,
            });
            return None;
        }
        Some(element)
    }
}

fn read_operation(place: usize, json: &ExactJson) -> Result<Step, Vec<PatchFault>> {
    let operation = OperationPlace::FhirPath(place);
    let at = format!("Parameters.parameter[{place}]");
    let part = Part::read(at, json).map_err(|fault| vec![fault])?;
    let mut reading = Reading {
        operation,
        parts: &part.parts,
        faults: Vec::new(),
    };
    if part.name != "operation" || part.value.is_some() {
        return Err(vec![PatchFault::Shape {
            at: part.at.clone(),
            problem: format!(
                "a parameter of a patch is named operation and holds parts, this is \"{}\"",
                shortened(&part.name)
            ),
        }]);
    }
    for (number, own) in part.parts.iter().enumerate() {
        let problem = if !PARTS.contains(&own.name.as_str()) {
            format!(
                "an operation has no part \"{}\"; its parts are {}",
                shortened(&own.name),
                PARTS.join(", ")
            )
        } else if part.parts.iter().take(number).any(|p| p.name == own.name) {
            format!("the part {} stands twice; keep one", own.name)
        } else {
            continue;
        };
        reading.faults.push(PatchFault::Shape {
            at: own.at.clone(),
            problem,
        });
        // One fault of this sort tells enough, however many parts there are.
        break;
    }
    let kind = reading.must("type", |part| part.string(&["Code", "String"]));
    let kind = kind.and_then(|written| {
        let known = known_operation(operation, &written);
        reading.keep(known)
    });
    let path = reading.must("path", |part| part.string(&["String"]));
    let reached = path.as_ref().and_then(|path| {
        let reached = resolve(operation, path);
        reading.keep(reached)
    });
    let step = kind.and_then(|(kind, takes)| {
        for own in PARTS.into_iter().skip(2) {
            if reading.find(own).is_some() && !takes.contains(&own) {
                reading.faults.push(PatchFault::UnneededPart {
                    operation,
                    kind,
                    part: own,
                });
            }
        }
        read_step(&mut reading, kind, path.as_deref(), reached)
    });
    match step {
        Some(step) if reading.faults.is_empty() => Ok(step),
        _ => Err(reading.faults),
    }
}

fn known_operation(
    operation: OperationPlace,
    written: &str,
) -> Result<(&'static str, &'static [&'static str]), PatchFault> {
    if let Some(known) = OPERATIONS.into_iter().find(|(name, _)| *name == written) {
        return Ok(known);
    }
    let hint = match written {
        "remove" => "write delete".to_owned(),
        _ => {
            let names: Vec<&str> = OPERATIONS.iter().map(|(name, _)| *name).collect();
            format!("the operations are {}", names.join(", "))
        }
    };
    Err(PatchFault::UnknownOperation {
        operation,
        written: shortened(written),
        hint,
    })
}

fn read_step(
    reading: &mut Reading<'_>,
    kind: &'static str,
    path: Option<&str>,
    reached: Option<Reached>,
) -> Option<Step> {
    match kind {
        "add" => {
            let name = reading.must("name", |part| part.string(&["String", "Code"]))?;
            if matches!(reached?, Reached::Element(_)) {
                let path = format!("{}.{name}", path.unwrap_or_default());
                reading.faults.push(PatchFault::Nested {
                    operation: reading.operation,
                    path: shortened(&path),
                });
                return None;
            }
            let element = Element::find(reading.operation, &name);
            let element = reading.keep(element)?;
            let value = reading.value(element)?;
            Some(Step::Add { element, value })
        }
        "insert" => {
            let index = reading.must("index", Part::integer);
            let element = reading.list(ListOperation::Insert, reached)?;
            let value = reading.value(element)?;
            Some(Step::Insert {
                element,
                index: index?,
                value,
            })
        }
        "delete" => Some(Step::Delete {
            target: reading.target(reached)?,
        }),
        "replace" => {
            let target = reading.target(reached)?;
            let value = reading.value(target.element)?;
            Some(Step::Replace { target, value })
        }
        // The table of operations holds no other than `move`.
        _ => {
            let source = reading.must("source", Part::integer);
            let destination = reading.must("destination", Part::integer);
            Some(Step::Move {
                element: reading.list(ListOperation::Move, reached)?,
                source: source?,
                destination: destination?,
            })
        }
    }
}
