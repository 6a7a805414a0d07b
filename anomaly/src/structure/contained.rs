//! Resources contained in a Task.

use rorqual_schema::{Node, is_id};

use super::fault::{StructureFault, described, quoted};
use super::fhir_path::Path;
use super::nearest::nearest;
use super::walk::{Place, Walk};

/// Why a contained resource may not contain another.
pub(super) const NESTED: &str =
    "a contained resource contains nothing itself; put both in the Task";

impl Walk<'_> {
    /// A resource inside the Task: type and id, and what holds for all JSON of R4; a Task is walked whole.
    pub(super) fn contained(&mut self, node: &Node<'_>, at: &Path<'_>) {
        let refuse = |reason: String| StructureFault::Contained {
            path: at.to_string(),
            reason,
        };
        let Some(members) = node.as_object() else {
            return self.note(StructureFault::JsonType {
                path: at.to_string(),
                found: described(node),
                expected: "an object: a resource with its resourceType and id".to_owned(),
            });
        };
        match node.get("id") {
            Some(Node::String(id)) if is_id(id) => {
                if !self.contained_before.insert(id.clone().into_owned()) {
                    let reason = format!(
                        "another contained resource has the id {} too; make it unique in this Task",
                        quoted(id)
                    );
                    self.note(refuse(reason));
                }
            }
            Some(Node::String(id)) => {
                let reason = format!(
                    "the contained resource has the id {}; an id is 1 to 64 letters, digits, hyphens and points",
                    quoted(id)
                );
                self.note(refuse(reason));
            }
            Some(other) => {
                let reason = format!(
                    "the id of the contained resource is {}; send a string",
                    described(other)
                );
                self.note(refuse(reason));
            }
            None => {
                self.note(refuse(
                    "the contained resource has no id; give it one, unique in this Task".to_owned(),
                ));
            }
        }
        let kind = match node.get("resourceType") {
            Some(Node::String(kind)) if self.table.is_resource(kind) => kind.as_ref(),
            Some(other) => {
                let near = other
                    .as_str()
                    .and_then(|name| nearest(name, self.table.resources()));
                let reason = format!(
                    "the resourceType of the contained resource is {}, which is no resource type of R4{}",
                    described(other),
                    near.map(|near| format!("; is {near} meant?"))
                        .unwrap_or_default()
                );
                return self.note(refuse(reason));
            }
            None => {
                return self.note(refuse(
                    "the contained resource has no resourceType; say what it is".to_owned(),
                ));
            }
        };
        if kind == "Task" {
            if let Some(structure) = self.table.structure("Task") {
                self.structure(structure, node, at, Place::Contained);
            }
            return;
        }
        for (name, value) in members {
            if name == "contained" {
                self.note(StructureFault::Contained {
                    path: at.child(name).to_string(),
                    reason: NESTED.to_owned(),
                });
            } else {
                self.anything(value, &at.child(name.strip_prefix('_').unwrap_or(name)));
            }
        }
    }

    /// A value of an unknown structure: only what holds for all JSON of R4 is checked.
    fn anything(&mut self, value: &Node<'_>, at: &Path<'_>) {
        if self.is_full() {
            return;
        }
        let what = match value {
            Node::Null => {
                return self.note(StructureFault::Null {
                    path: at.to_string(),
                });
            }
            Node::String(text) if text.is_empty() => "an empty string",
            Node::Array(items) if items.is_empty() => "an empty array",
            Node::Object(members) if members.is_empty() => "an empty object",
            Node::Array(items) => {
                // Whether null may stand here depends on the datatype, which is not known.
                let items = items.iter().enumerate();
                for (index, item) in items.filter(|(_, item)| **item != Node::Null) {
                    self.anything(item, &at.item(index));
                }
                return;
            }
            Node::Object(members) => {
                for (name, value) in members {
                    self.anything(value, &at.child(name.strip_prefix('_').unwrap_or(name)));
                }
                return;
            }
            _ => return,
        };
        self.note(StructureFault::Empty {
            path: at.to_string(),
            what,
        });
    }
}
