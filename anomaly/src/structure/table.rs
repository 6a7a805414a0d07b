//! The elements of Task and its datatypes, read from `reference/r4-structures.json`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::primitive::Primitive;

static TEXT: &str = include_str!("../../reference/r4-structures.json");

#[derive(Deserialize)]
struct File {
    #[serde(borrow)]
    open: Vec<&'static str>,
    resources: HashSet<&'static str>,
    codes: BTreeMap<&'static str, Vec<&'static str>>,
    types: BTreeMap<&'static str, Vec<FileElement>>,
}

#[derive(Deserialize)]
struct FileElement {
    name: &'static str,
    #[serde(borrow)]
    types: Vec<&'static str>,
    #[serde(default)]
    choice: bool,
    #[serde(default)]
    attribute: bool,
    #[serde(default)]
    min: u32,
    #[serde(default)]
    many: bool,
    codes: Option<&'static str>,
}

/// Everything the table says.
#[derive(Default)]
pub(super) struct Table {
    /// The datatypes of an open choice, in R4's order.
    pub(super) open: Vec<&'static str>,
    resources: HashSet<&'static str>,
    structures: HashMap<&'static str, Structure>,
}

/// A resource, a complex datatype, or a part of one.
pub(super) struct Structure {
    /// Such as `Task`, `CodeableConcept` or `Task.input`.
    pub(super) name: &'static str,
    /// Its elements, in R4's order.
    pub(super) elements: Vec<Element>,
    /// Where each JSON member leads; members named with an underscore are not in here.
    members: HashMap<String, Member>,
}

/// An element of a [`Structure`].
pub(super) struct Element {
    /// Without `[x]`.
    pub(super) name: &'static str,
    /// The names of the datatypes it may have.
    pub(super) types: Vec<&'static str>,
    /// Whether the datatype is part of the member's name (`valueString`).
    pub(super) choice: bool,
    /// The fewest occurrences.
    pub(super) min: u32,
    /// Whether it repeats, which in JSON makes an array of it.
    pub(super) many: bool,
    /// Whether it is what XML calls an attribute (`id`, `Extension.url`): no extension can stand beside it.
    attribute: bool,
    /// The codes of a required binding.
    pub(super) codes: Option<Vec<&'static str>>,
    /// The JSON members it can be written as, without underscores.
    pub(super) members: Vec<String>,
}

/// A JSON member: one element in one datatype.
#[derive(Clone, Copy)]
pub(super) struct Member {
    /// Place in [`Structure::elements`].
    pub(super) element: usize,
    /// What its value is.
    pub(super) kind: Kind,
    /// Whether extensions may stand beside its value, in a member named with an underscore.
    pub(super) has_sibling: bool,
}

/// What stands in an element.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A primitive.
    Primitive(Primitive),
    /// An object described by the [`Structure`] of that name.
    Complex(&'static str),
    /// A resource of any type, contained.
    Resource,
}

impl Kind {
    /// The kind of that FHIR datatype, which is one of the table.
    fn from_name(name: &'static str) -> Kind {
        match Primitive::from_name(name) {
            Some(primitive) => Kind::Primitive(primitive),
            None if name == "Resource" => Kind::Resource,
            None => Kind::Complex(name),
        }
    }
}

impl Table {
    /// The table compiled into the program.
    pub(super) fn embedded() -> &'static Table {
        static TABLE: LazyLock<Table> = LazyLock::new(|| {
            // The text is compiled in and a test reads it. Were it broken, the empty table would refuse every element.
            serde_json::from_str(TEXT).map_or_else(|_| Table::default(), Table::read)
        });
        &TABLE
    }

    fn read(file: File) -> Table {
        let structures = file
            .types
            .into_iter()
            .map(|(name, elements)| {
                let elements: Vec<Element> = elements
                    .into_iter()
                    .map(|element| read_element(element, &file.open, &file.codes))
                    .collect();
                (name, Structure::of(name, elements))
            })
            .collect();
        Table {
            open: file.open,
            resources: file.resources,
            structures,
        }
    }

    /// The structure of that name: a resource, a complex datatype or a part such as `Task.input`.
    pub(super) fn structure(&self, name: &str) -> Option<&Structure> {
        self.structures.get(name)
    }

    /// Whether R4 has a resource type of that name.
    pub(super) fn is_resource(&self, name: &str) -> bool {
        self.resources.contains(name)
    }

    /// The names of all structures, in no order.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.structures.keys().copied()
    }

    /// The names of R4's resource types, in no order.
    pub(super) fn resources(&self) -> impl Iterator<Item = &'static str> {
        self.resources.iter().copied()
    }
}

fn read_element(
    element: FileElement,
    open: &[&'static str],
    codes: &BTreeMap<&'static str, Vec<&'static str>>,
) -> Element {
    let types = if element.types == ["*"] {
        open.to_vec()
    } else {
        element.types
    };
    let members = if element.choice {
        types
            .iter()
            .map(|kind| format!("{}{}", element.name, capital(kind)))
            .collect()
    } else {
        vec![element.name.to_owned()]
    };
    Element {
        name: element.name,
        choice: element.choice,
        min: element.min,
        many: element.many,
        attribute: element.attribute,
        codes: element.codes.and_then(|list| codes.get(list).cloned()),
        types,
        members,
    }
}

impl Structure {
    fn of(name: &'static str, elements: Vec<Element>) -> Structure {
        let mut members = HashMap::new();
        for (at, element) in elements.iter().enumerate() {
            for (member, kind) in element.members.iter().zip(&element.types) {
                let kind = Kind::from_name(kind);
                let has_sibling = match kind {
                    Kind::Primitive(primitive) => primitive.has_sibling() && !element.attribute,
                    _ => false,
                };
                members.insert(
                    member.clone(),
                    Member {
                        element: at,
                        kind,
                        has_sibling,
                    },
                );
            }
        }
        Structure {
            name,
            elements,
            members,
        }
    }

    /// The element that a JSON member is, and in which datatype. Nothing for names with an underscore.
    pub(super) fn member(&self, name: &str) -> Option<(&Element, Member)> {
        let member = *self.members.get(name)?;
        Some((self.elements.get(member.element)?, member))
    }

    /// The same of a member named with an underscore, which holds the extensions of a primitive.
    pub(super) fn sibling(&self, name: &str) -> Option<(&Element, Member)> {
        self.member(name.strip_prefix('_')?)
            .filter(|(_, member)| member.has_sibling)
    }

    /// The JSON members that its elements can be written as, without underscores; all 50 of an open choice.
    pub(super) fn member_names(&self) -> impl Iterator<Item = &str> {
        self.elements
            .iter()
            .flat_map(|element| element.members.iter().map(String::as_str))
    }
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::{File, Kind, TEXT, Table};

    #[test]
    fn the_embedded_file_is_read_and_closed_under_its_types() {
        let file: File = serde_json::from_str(TEXT).expect("readable");
        assert_eq!(file.open.len(), 50);
        for (name, elements) in &file.types {
            for element in elements {
                if let Some(codes) = element.codes {
                    assert!(file.codes.contains_key(codes), "{name}: {codes}");
                }
            }
        }
        let table = Table::embedded();
        assert_eq!(table.names().count(), file.types.len());
        for name in table.names() {
            let structure = table.structure(name).expect("listed");
            assert!(!structure.elements.is_empty(), "{name}");
            for member in structure.member_names() {
                let (element, found) = structure.member(member).expect("listed");
                if let Kind::Complex(kind) = found.kind {
                    assert!(
                        table.structure(kind).is_some(),
                        "{name}.{}: {kind}",
                        element.name
                    );
                }
            }
        }
    }

    #[test]
    fn members_lead_to_their_element_and_datatype() {
        let table = Table::embedded();
        let input = table.structure("Task.input").expect("there");
        let (element, member) = input.member("valueExpression").expect("a choice");
        assert_eq!(
            (element.name, element.min, element.many),
            ("value", 1, false)
        );
        assert!(matches!(member.kind, Kind::Complex("Expression")));
        assert!(input.member("value").is_none() && input.member("valueexpression").is_none());
        assert!(input.sibling("_valueString").is_some() && input.sibling("_valuePeriod").is_none());
        let task = table.structure("Task").expect("there");
        assert!(task.sibling("_status").is_some());
        // Attributes of XML and narrative have no extensions.
        assert!(task.sibling("_id").is_none());
        let narrative = table.structure("Narrative").expect("there");
        assert!(narrative.sibling("_div").is_none());
        assert!(
            table
                .structure("Extension")
                .is_some_and(|e| e.sibling("_url").is_none())
        );
        assert!(table.is_resource("Patient") && !table.is_resource("Quantity"));
    }
}
