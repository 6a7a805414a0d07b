//! `_elements`.

use rorqual_schema::{ResourceType, top_level_elements};

use super::Reader;
use super::controls::Controls;
use super::decode::Writer;
use super::leaf::malformed;
use super::request::ElementName;
use crate::query::error::Fault;

/// Names in one `_elements`.
const MAXIMUM_NAMES: usize = 200;

fn has(kind: ResourceType, element: &str) -> bool {
    element == "resourceType" || top_level_elements(kind).has(element)
}

impl Reader<'_> {
    /// Reads `_elements`.
    pub(super) fn elements(&mut self, controls: &Controls, out: &mut Writer) -> Vec<ElementName> {
        if controls.elements.is_empty() {
            return Vec::new();
        }
        if !self.options.features.elements {
            self.notes.refuse(Fault::NotOffered {
                parameter: "_elements".to_owned(),
                what: "an answer with some elements left out",
            });
            return Vec::new();
        }
        let mut names = Vec::new();
        for text in controls.elements.iter().flat_map(|list| list.split(',')) {
            match self.element(text.trim()) {
                Ok(name) if !names.contains(&name) => names.push(name),
                Ok(_) => {}
                Err(fault @ Fault::UnknownName { .. }) => self.notes.drop_if_lenient(fault),
                Err(fault) => self.notes.refuse(fault),
            }
        }
        if names.len() > MAXIMUM_NAMES {
            self.notes.refuse(Fault::TooCostly {
                parameter: Some("_elements".to_owned()),
                what: "element names",
                got: names.len(),
                limit: MAXIMUM_NAMES,
            });
        }
        let texts: Vec<String> = names
            .iter()
            .map(|name| match name.kind {
                Some(kind) => format!("{kind}.{}", name.element),
                None => name.element.clone(),
            })
            .collect();
        if !texts.is_empty() {
            out.push("_elements", &texts.join(","));
        }
        names
    }

    fn element(&self, text: &str) -> Result<ElementName, Fault> {
        if text.is_empty() {
            return Err(malformed(
                "_elements",
                text,
                "the name of an element is missing",
            ));
        }
        let unknown = |fault: String, suggestions: Vec<String>| Fault::UnknownName {
            parameter: "_elements".to_owned(),
            written: format!("_elements={text}"),
            fault,
            suggestions,
        };
        let (kind, element) = match text.split_once('.') {
            None => (None, text),
            Some((type_name, element)) => match ResourceType::from_name(type_name) {
                Some(kind) => (Some(kind), element),
                None => {
                    return Err(unknown(
                        "only whole top-level elements can be named, alone or after a type and a dot"
                            .to_owned(),
                        Vec::new(),
                    ));
                }
            },
        };
        let fits = match kind {
            Some(kind) => has(kind, element),
            // A name without type concerns the type searched; includes come whole.
            None => has(self.kind, element),
        };
        if !fits {
            let place = kind.unwrap_or(self.kind);
            let fault = format!("{element} is not a top-level element of {place}");
            return Err(unknown(fault, top_level_elements(place).nearest(element)));
        }
        Ok(ElementName {
            kind,
            element: element.to_owned(),
        })
    }
}
