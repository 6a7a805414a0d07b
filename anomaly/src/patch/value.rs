//! The value of a FHIRPath Patch operation: `value[x]`, or parts that are the children of a backbone element.

use super::datatypes::{datatype, is_primitive, json_kind, misspelt};
use super::elements::{Element, shortened};
use super::fault::{OperationPlace, PatchFault};
use crate::task_text::{ExactJson, JsonKind, Member};

/// A parameter or part of a `Parameters` resource.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Its place as FHIRPath, `Parameters.parameter[0].part[2]`.
    pub(super) at: String,
    pub(super) name: String,
    pub(super) value: Option<Typed>,
    pub(super) parts: Vec<Part>,
}

/// A `value[x]` with the sibling that holds the id and extensions of a primitive.
#[derive(Clone, Debug)]
pub(super) struct Typed {
    /// The suffix, which is a datatype.
    pub(super) datatype: &'static str,
    pub(super) value: Option<ExactJson>,
    pub(super) sibling: Option<ExactJson>,
}

/// What an operation sets an element, or an item of it, to. At least one of both is there.
#[derive(Clone, Debug)]
pub(super) struct NewValue {
    pub(super) value: Option<ExactJson>,
    /// For `_element`: primitives only.
    pub(super) sibling: Option<ExactJson>,
}

impl Part {
    /// Reads a parameter or part, its parts included. Depth is bounded by `MAX_DEPTH` of the body.
    pub(super) fn read(at: String, json: &ExactJson) -> Result<Self, PatchFault> {
        let shape = |problem: String| PatchFault::Shape {
            at: at.clone(),
            problem,
        };
        let members = json
            .members()
            .ok_or_else(|| shape("an object with a name is due".to_owned()))?;
        let mut part = Self {
            at: at.clone(),
            name: String::new(),
            value: None,
            parts: Vec::new(),
        };
        let mut typed: Vec<(&str, &'static str, &ExactJson)> = Vec::new();
        for member in &members {
            let written = member.name();
            let plain = written.strip_prefix('_').unwrap_or(written);
            match written {
                "name" => {
                    part.name = member
                        .value()
                        .text()
                        .ok_or_else(|| shape("the name is a string".to_owned()))?;
                }
                "part" => {
                    let items = member.value().items().unwrap_or_default();
                    if items.is_empty() {
                        return Err(shape("part is an array that is not empty".to_owned()));
                    }
                    for (place, item) in items.iter().enumerate() {
                        part.parts
                            .push(Self::read(format!("{at}.part[{place}]"), item)?);
                    }
                }
                "id" | "_id" | "extension" | "_name" => {}
                _ => match plain.strip_prefix("value") {
                    Some(suffix) => {
                        let known =
                            datatype(suffix).ok_or_else(|| PatchFault::UnknownDatatype {
                                at: at.clone(),
                                suffix: shortened(suffix),
                                nearest: misspelt(suffix)
                                    .map(|known| format!("value{known}"))
                                    .into_iter()
                                    .collect(),
                            })?;
                        typed.push((written, known, member.value()));
                    }
                    None => {
                        return Err(shape(format!(
                            "a part has a name with a value[x] or parts, not \"{}\"; leave it out",
                            shortened(written)
                        )));
                    }
                },
            }
        }
        if part.name.is_empty() {
            return Err(shape("a part has a name; add it".to_owned()));
        }
        for (written, known, value) in typed {
            let own = part.value.get_or_insert(Typed {
                datatype: known,
                value: None,
                sibling: None,
            });
            if own.datatype != known {
                return Err(shape("a part has one value[x]; keep one".to_owned()));
            }
            let (slot, kind) = if written.starts_with('_') {
                (&mut own.sibling, JsonKind::Object)
            } else {
                (&mut own.value, json_kind(known))
            };
            if value.kind() != kind || (written.starts_with('_') && !is_primitive(known)) {
                return Err(shape(format!(
                    "{written} does not hold the JSON of its datatype; see FHIR R4, datatypes"
                )));
            }
            *slot = Some(value.clone());
        }
        if part.value.is_some() && !part.parts.is_empty() {
            return Err(shape(
                "a part has a value[x] or parts, not both; keep one".to_owned(),
            ));
        }
        Ok(part)
    }

    /// The decoded text of a `value[x]` of one of these string datatypes.
    pub(super) fn string(&self, datatypes: &[&str]) -> Result<String, PatchFault> {
        self.value
            .as_ref()
            .filter(|typed| datatypes.contains(&typed.datatype))
            .and_then(|typed| typed.value.as_ref()?.text())
            .ok_or_else(|| self.due(datatypes))
    }

    /// The integer of the part.
    pub(super) fn integer(&self) -> Result<i64, PatchFault> {
        const INTEGERS: [&str; 3] = ["Integer", "UnsignedInt", "PositiveInt"];
        self.value
            .as_ref()
            .filter(|typed| INTEGERS.contains(&typed.datatype))
            .and_then(|typed| typed.value.as_ref()?.as_str().parse().ok())
            .ok_or_else(|| self.due(&["Integer"]))
    }

    fn due(&self, datatypes: &[&str]) -> PatchFault {
        let due: Vec<String> = datatypes
            .iter()
            .map(|datatype| format!("value{datatype}"))
            .collect();
        PatchFault::Shape {
            at: self.at.clone(),
            problem: format!(
                "\"{}\" is given as {}",
                shortened(&self.name),
                due.join(" or ")
            ),
        }
    }
}

impl NewValue {
    /// The value a part gives to an element.
    pub(super) fn read(
        operation: OperationPlace,
        element: &'static Element,
        part: Option<&Part>,
    ) -> Result<Self, PatchFault> {
        let due = element.datatype.map_or_else(
            || "a part \"value\" whose parts are the children of the element".to_owned(),
            |datatype| format!("value{datatype}"),
        );
        let wrong = |found: String| PatchFault::WrongDatatype {
            operation,
            element: element.name,
            found,
            hint: due.clone(),
        };
        let missing = || PatchFault::MissingValue {
            operation,
            element: element.name.to_owned(),
            hint: due.clone(),
        };
        let part = part.ok_or_else(missing)?;
        if let Some(typed) = &part.value {
            if element.datatype != Some(typed.datatype) {
                return Err(wrong(format!("value{}", typed.datatype)));
            }
            return Ok(Self {
                value: typed.value.clone(),
                sibling: typed.sibling.clone(),
            });
        }
        if part.parts.is_empty() {
            return Err(missing());
        }
        if element.datatype.is_some_and(is_primitive) {
            return Err(wrong("parts".to_owned()));
        }
        Ok(Self {
            value: Some(children(element.name, part)?),
            sibling: None,
        })
    }
}

/// Children that are arrays in R4 even when there is one: those of the elements that can be patched.
const LISTS: [&str; 4] = ["extension", "modifierExtension", "recipient", "coding"];

/// How many parts one value may have.
const MAX_PARTS: usize = 1_000;

/// The object whose members are the parts. Parts of one name make an array.
fn children(parent: &str, part: &Part) -> Result<ExactJson, PatchFault> {
    if part.parts.len() > MAX_PARTS {
        return Err(PatchFault::Shape {
            at: part.at.clone(),
            problem: format!("more than {MAX_PARTS} parts are not taken; split the patch"),
        });
    }
    let mut members: Vec<(String, Vec<ExactJson>)> = Vec::new();
    let mut siblings: Vec<(String, ExactJson)> = Vec::new();
    for child in &part.parts {
        if !child.name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(PatchFault::Shape {
                at: child.at.clone(),
                problem: format!(
                    "\"{}\" is no name of an element; write the child's name as R4 has it",
                    shortened(&child.name)
                ),
            });
        }
        let name = child_name(parent, child);
        let value = match &child.value {
            Some(typed) => {
                if let Some(sibling) = &typed.sibling {
                    siblings.push((name.clone(), sibling.clone()));
                }
                typed.value.clone()
            }
            None if child.parts.is_empty() => {
                return Err(PatchFault::Shape {
                    at: child.at.clone(),
                    problem: "a part has a value[x] or parts; add one".to_owned(),
                });
            }
            None => Some(children(&name, child)?),
        };
        let own = match members.iter_mut().find(|(known, _)| *known == name) {
            Some((_, values)) => values,
            None => {
                members.push((name, Vec::new()));
                // Just pushed, so there is a last one.
                match members.last_mut() {
                    Some((_, values)) => values,
                    None => continue,
                }
            }
        };
        own.extend(value);
    }
    let mut object = Vec::new();
    for (name, mut values) in members {
        let sibling = siblings
            .iter()
            .find(|(own, _)| *own == name)
            .map(|(_, sibling)| sibling.clone());
        let is_list = LISTS.contains(&name.as_str()) || values.len() > 1;
        if sibling.is_some() && (is_list || siblings.iter().filter(|s| s.0 == name).count() > 1) {
            return Err(PatchFault::Shape {
                at: part.at.clone(),
                problem: format!(
                    "\"{}\" repeats, so its items cannot have extensions of their own; leave them out",
                    shortened(&name)
                ),
            });
        }
        if is_list {
            object.push(Member::new(&name, ExactJson::array(&values)));
        } else if let Some(value) = values.pop() {
            object.push(Member::new(&name, value));
        }
        if let Some(sibling) = sibling {
            object.push(Member::new(&format!("_{name}"), sibling));
        }
    }
    Ok(ExactJson::object(&object))
}

/// The member a child becomes: `value` of an input is `valueString` and the like, and so is the author of a note.
fn child_name(parent: &str, child: &Part) -> String {
    let chosen = matches!(
        (parent, child.name.as_str()),
        (
            "input" | "output" | "extension" | "modifierExtension",
            "value"
        ) | ("note", "author")
    );
    match &child.value {
        Some(typed) if chosen => format!("{}{}", child.name, typed.datatype),
        _ => child.name.clone(),
    }
}
