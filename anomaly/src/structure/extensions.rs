//! Extensions, and the members named with an underscore that hold those of primitives.

use rorqual_schema::Node;

use super::fault::{StructureFault, described};
use super::fhir_path::Path;
use super::primitive::Primitive;
use super::walk::{Place, Walk};

impl Walk<'_> {
    /// The member named with an underscore: ids and extensions of primitives.
    pub(super) fn extensions(
        &mut self,
        many: bool,
        value: &Node<'_>,
        partner: Option<&Node<'_>>,
        at: &Path<'_>,
    ) {
        let items = match value {
            Node::Null => {
                return self.note(StructureFault::Null {
                    path: at.to_string(),
                });
            }
            Node::Array(items) if many => items,
            Node::Array(_) => {
                return self.note(StructureFault::NotRepeating {
                    path: at.to_string(),
                    of: "Element",
                });
            }
            value if many => {
                return self.note(StructureFault::NotAnArray {
                    path: at.to_string(),
                    found: described(value),
                    of: "Element",
                });
            }
            value => return self.extensions_of(value, partner.is_some(), at),
        };
        let values = partner.and_then(Node::as_array);
        if let Some(values) = values.filter(|values| values.len() != items.len()) {
            return self.note(StructureFault::Misaligned {
                path: at.to_string(),
                values: values.len(),
                extensions: items.len(),
            });
        }
        if items.is_empty() {
            self.note(StructureFault::Empty {
                path: at.to_string(),
                what: "an empty array",
            });
        }
        for (index, item) in items.iter().enumerate() {
            if self.is_full() {
                return;
            }
            let at = at.item(index);
            let value = values.and_then(|values| values.get(index));
            match (item, value) {
                // Beside a value; beside another null the fault is told at the value.
                (Node::Null, Some(_)) => {}
                (Node::Null, None) => self.note(StructureFault::Null {
                    path: at.to_string(),
                }),
                (item, value) => {
                    let has_value = value.is_some_and(|value| *value != Node::Null);
                    self.extensions_of(item, has_value, &at);
                }
            }
        }
    }

    fn extensions_of(&mut self, value: &Node<'_>, has_value: bool, at: &Path<'_>) {
        let Some(structure) = self.table.structure("Element") else {
            return;
        };
        let only_id = value
            .as_object()
            .is_some_and(|members| !members.is_empty() && members.iter().all(|(n, _)| n == "id"));
        if only_id && has_value {
            // The value is there, so the id has something to name.
            let id = value.get("id").unwrap_or(&Node::Null);
            return self.primitive(Primitive::String, id, None, &at.child("id"));
        }
        self.structure(structure, value, at, Place::Inside);
    }

    /// The rule ext-1 of R4.
    pub(super) fn extension(&mut self, node: &Node<'_>, at: &Path<'_>) {
        let value = node
            .as_object()
            .unwrap_or_default()
            .iter()
            .any(|(name, _)| name.starts_with("value") || name.starts_with("_value"));
        let nested = node.get("extension").is_some();
        if value == nested {
            self.note(StructureFault::Extension {
                path: at.to_string(),
                both: value,
            });
        }
    }
}
