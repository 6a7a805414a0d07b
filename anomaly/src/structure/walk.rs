//! Walks a body along the table of R4 structures and notes every fault.

use std::collections::HashSet;

use rorqual_schema::Node;

use super::contained::NESTED;
use super::fault::{StructureFault, described, quoted};
use super::fhir_path::Path;
use super::nearest::nearest;
use super::primitive::{Primitive, Unfit};
use super::table::{Element, Kind, Member, Structure, Table};

/// Past this many faults a body is not read further.
const MOST_FAULTS: usize = 100;
/// A list of codes longer than this is not told whole.
const MOST_CODES_TOLD: usize = 15;

/// One walk and what it found.
pub(super) struct Walk<'t> {
    pub(super) table: &'static Table,
    /// The ids of contained resources; nothing when the value walked is not a whole resource.
    contained: Option<HashSet<&'t str>>,
    /// Those of the contained resources already walked.
    pub(super) contained_before: HashSet<String>,
    faults: Vec<StructureFault>,
}

/// Where in a resource a structure stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The Task itself.
    Body,
    /// A resource contained in it.
    Contained,
    /// An element of either.
    Inside,
}

impl<'t> Walk<'t> {
    pub(super) fn new(table: &'static Table) -> Walk<'t> {
        Walk {
            table,
            contained: None,
            contained_before: HashSet::new(),
            faults: Vec::new(),
        }
    }

    /// What was found, in the order of the text; in each object, what is missing comes last.
    pub(super) fn into_faults(self) -> Vec<StructureFault> {
        self.faults
    }

    /// A whole Task.
    pub(super) fn task(&mut self, task: &'t Node<'_>) {
        let found = match task.get("resourceType").map(|kind| (kind, kind.as_str())) {
            Some((_, Some("Task"))) => None,
            Some((_, Some(other))) => Some(format!("the body is of type {}", quoted(other))),
            Some((kind, None)) => Some(format!("resourceType is {}", described(kind))),
            None if task.as_object().is_some() => Some("the body has no resourceType".to_owned()),
            None => Some(format!("the body is {}", described(task))),
        };
        if let Some(found) = found {
            return self.note(StructureFault::NotATask { found });
        }
        let contained = task.get("contained").and_then(Node::as_array);
        let ids = contained.unwrap_or_default().iter();
        self.contained = Some(ids.filter_map(|one| one.get("id")?.as_str()).collect());
        if let Some(structure) = self.table.structure("Task") {
            self.structure(structure, task, &Path::Root("Task"), Place::Body);
        }
    }

    /// One value of a datatype.
    pub(super) fn datatype(&mut self, name: &str, value: &Node<'_>, path: &str) {
        let at = Path::Root(path);
        if let Some(primitive) = Primitive::from_name(name) {
            return match value {
                Node::Array(_) => self.note(StructureFault::NotRepeating {
                    path: at.to_string(),
                    of: primitive.name(),
                }),
                value => self.primitive(primitive, value, None, &at),
            };
        }
        let Some(structure) = self.table.structure(name) else {
            let near = nearest(
                name,
                self.table.names().chain(self.table.open.iter().copied()),
            );
            return self.note(StructureFault::UnknownDatatype {
                path: at.to_string(),
                written: quoted(name),
                nearest: near.map(str::to_owned),
            });
        };
        match value {
            Node::Array(_) => self.note(StructureFault::NotRepeating {
                path: at.to_string(),
                of: structure.name,
            }),
            value => self.structure(structure, value, &at, Place::Inside),
        }
    }

    pub(super) fn note(&mut self, fault: StructureFault) {
        if !self.is_full() {
            self.faults.push(fault);
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.faults.len() >= MOST_FAULTS
    }

    pub(super) fn structure(
        &mut self,
        structure: &'static Structure,
        node: &Node<'_>,
        at: &Path<'_>,
        place: Place,
    ) {
        let Some(members) = node.as_object() else {
            return self.note(StructureFault::JsonType {
                path: at.to_string(),
                found: described(node),
                expected: format!("an object of type {}", structure.name),
            });
        };
        if place == Place::Inside && members.iter().all(|(name, _)| name == "id") {
            return self.note(StructureFault::Empty {
                path: at.to_string(),
                what: if members.is_empty() {
                    "an empty object"
                } else {
                    "an object with nothing but an id"
                },
            });
        }
        for (name, value) in members {
            if self.is_full() {
                return;
            }
            if place != Place::Inside && name == "resourceType" {
                continue;
            }
            if place == Place::Contained && name == "contained" {
                self.note(StructureFault::Contained {
                    path: at.child(name).to_string(),
                    reason: NESTED.to_owned(),
                });
            } else if let Some((element, member)) = structure.member(name) {
                self.one_choice(element, name, node, at);
                self.element(
                    element,
                    member,
                    (name, value),
                    node,
                    &at.child(element.name),
                );
            } else if let Some((element, _)) = structure.sibling(name) {
                let partner = name.get(1..).and_then(|name| node.get(name));
                if partner.is_none() {
                    self.one_choice(element, name, node, at);
                }
                self.extensions(element.many, value, partner, &at.child(element.name));
            } else {
                self.unknown(structure, name, at);
            }
        }
        for element in &structure.elements {
            // What a Task needs at its first level is the profile's to say, R4's demands included: one answer names all.
            if element.min > 0 && place != Place::Body && !is_written(element, node) {
                self.note(StructureFault::Missing {
                    path: at.child(element.name).to_string(),
                    of: structure.name,
                });
            }
        }
        match structure.name {
            "Extension" => self.extension(node, at),
            "Reference" => self.local_reference(node, at),
            _ => {}
        }
    }

    fn unknown(&mut self, structure: &'static Structure, name: &str, at: &Path<'_>) {
        let bare = name.strip_prefix('_').unwrap_or(name);
        // A choice without its datatype (`value`) is near to all of its members: show one.
        let near = nearest(bare, structure.member_names()).or_else(|| {
            let choice = structure
                .elements
                .iter()
                .find(|element| element.choice && element.name == bare)?;
            choice.members.first().map(String::as_str)
        });
        self.note(StructureFault::UnknownElement {
            path: at.child(name).to_string(),
            of: structure.name,
            written: quoted(name),
            nearest: near.map(str::to_owned),
        });
    }

    /// Notes a second datatype of a choice, once, at the member that comes second.
    fn one_choice(&mut self, element: &Element, name: &str, node: &Node<'_>, at: &Path<'_>) {
        if !element.choice {
            return;
        }
        let bare = name.strip_prefix('_').unwrap_or(name);
        let written = node.as_object().unwrap_or_default().iter();
        let before = written
            .take_while(|(other, _)| other != name)
            .map(|(other, _)| other.strip_prefix('_').unwrap_or(other))
            .find(|other| *other != bare && element.members.iter().any(|known| known == other));
        if let Some(first) = before {
            self.note(StructureFault::SeveralChoices {
                path: at.child(element.name).to_string(),
                first: first.to_owned(),
                second: bare.to_owned(),
            });
        }
    }

    /// The value of one member.
    fn element(
        &mut self,
        element: &'static Element,
        member: Member,
        (name, value): (&str, &Node<'_>),
        node: &Node<'_>,
        at: &Path<'_>,
    ) {
        let of = kind_name(member.kind);
        match value {
            Node::Null => self.note(StructureFault::Null {
                path: at.to_string(),
            }),
            Node::Array(items) if element.many => {
                if items.is_empty() {
                    self.note(StructureFault::Empty {
                        path: at.to_string(),
                        what: "an empty array",
                    });
                }
                // Names with an underscore are looked up only for the primitives that may have them.
                let beside = member.has_sibling.then(|| node.get(&format!("_{name}")));
                let beside = beside.flatten().and_then(Node::as_array);
                for (index, item) in items.iter().enumerate() {
                    if self.is_full() {
                        return;
                    }
                    let at = at.item(index);
                    let replaced = beside
                        .and_then(|beside| beside.get(index))
                        .is_some_and(|x| *x != Node::Null);
                    match item {
                        Node::Null if replaced => {}
                        Node::Null => self.note(StructureFault::Null {
                            path: at.to_string(),
                        }),
                        item => self.value(element, member.kind, item, &at),
                    }
                }
            }
            Node::Array(_) => self.note(StructureFault::NotRepeating {
                path: at.to_string(),
                of,
            }),
            value if element.many => self.note(StructureFault::NotAnArray {
                path: at.to_string(),
                found: described(value),
                of,
            }),
            value => self.value(element, member.kind, value, at),
        }
    }

    fn value(&mut self, element: &'static Element, kind: Kind, value: &Node<'_>, at: &Path<'_>) {
        match kind {
            Kind::Primitive(primitive) => {
                self.primitive(primitive, value, element.codes.as_deref(), at);
            }
            Kind::Complex(name) => {
                if let Some(structure) = self.table.structure(name) {
                    self.structure(structure, value, at, Place::Inside);
                }
            }
            Kind::Resource => self.contained(value, at),
        }
    }

    pub(super) fn primitive(
        &mut self,
        primitive: Primitive,
        value: &Node<'_>,
        codes: Option<&[&'static str]>,
        at: &Path<'_>,
    ) {
        match primitive.check(value) {
            Err(Unfit::JsonType(expected)) => self.note(StructureFault::JsonType {
                path: at.to_string(),
                found: described(value),
                expected: format!("{expected} ({})", primitive.name()),
            }),
            Err(Unfit::Grammar(expected)) => self.note(StructureFault::Value {
                path: at.to_string(),
                written: match value.as_str() {
                    Some(text) => quoted(text),
                    None => described(value),
                },
                expected,
            }),
            Ok(()) => {
                let (Some(codes), Some(code)) = (codes, value.as_str()) else {
                    return;
                };
                if !codes.contains(&code) {
                    let allowed = match nearest(code, codes.iter().copied()) {
                        Some(near) if codes.len() > MOST_CODES_TOLD => vec![near],
                        _ => codes.iter().copied().take(MOST_CODES_TOLD).collect(),
                    };
                    self.note(StructureFault::Code {
                        path: at.to_string(),
                        written: quoted(code),
                        allowed,
                    });
                }
            }
        }
    }

    /// The rule ref-1 of R4: `#id` names a resource contained in this one.
    fn local_reference(&mut self, node: &Node<'_>, at: &Path<'_>) {
        let (Some(contained), Some(text)) = (
            self.contained.as_ref(),
            node.get("reference").and_then(Node::as_str),
        ) else {
            return;
        };
        // A bare `#` in a contained resource names the one that contains it.
        let id = text.strip_prefix('#').filter(|id| !id.is_empty());
        if id.is_some_and(|id| !contained.contains(id)) {
            self.note(StructureFault::Dangling {
                path: at.child("reference").to_string(),
                written: quoted(text),
            });
        }
    }
}

/// Whether an element is there, with a value or with extensions alone.
fn is_written(element: &Element, node: &Node<'_>) -> bool {
    let members = node.as_object().unwrap_or_default().iter();
    members
        .map(|(name, _)| name.strip_prefix('_').unwrap_or(name))
        .any(|name| element.members.iter().any(|known| known == name))
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Primitive(primitive) => primitive.name(),
        Kind::Complex(name) => name,
        Kind::Resource => "Resource",
    }
}
