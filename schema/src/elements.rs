//! The top-level elements of each resource type in FHIR R4: which there are, which make a summary, which are mandatory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::resource_type::ResourceType;
use crate::suggest::nearest;

static TEXT: &str = include_str!("../reference/top-level-elements.json");

#[derive(Deserialize)]
struct Lists<'a> {
    #[serde(borrow)]
    elements: Vec<&'a str>,
    summary: Vec<&'a str>,
    mandatory: Vec<&'a str>,
}

/// The top-level elements of a resource type, as its FHIR R4 StructureDefinition (4.0.1) has them. Each list is in the
/// order of the definition; `resourceType` is a member of the JSON form, not an element, and is in none.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TopLevel {
    /// Every element.
    pub elements: Vec<&'static str>,
    /// Those of a summary (`ElementDefinition.isSummary`).
    pub summary: Vec<&'static str>,
    /// Those a resource must have (`ElementDefinition.min` of 1 or more). Profiles may ask for more.
    pub mandatory: Vec<&'static str>,
}

impl TopLevel {
    /// Whether the type has that element; names are case-sensitive.
    pub fn has(&self, element: &str) -> bool {
        self.elements.contains(&element)
    }

    /// The elements whose names are nearest to one that is not known, best first, three at most.
    pub fn nearest(&self, written: &str) -> Vec<String> {
        nearest(written, self.elements.iter().copied().map(Cow::Borrowed))
    }
}

static TABLES: LazyLock<[TopLevel; ResourceType::COUNT]> = LazyLock::new(|| {
    // The text is compiled in and a test reads it: the empty tables are for a broken build only.
    let mut file: BTreeMap<&str, Lists<'static>> = serde_json::from_str(TEXT).unwrap_or_default();
    ResourceType::ALL.map(|kind| match file.remove(kind.name()) {
        Some(lists) => TopLevel {
            elements: lists.elements,
            summary: lists.summary,
            mandatory: lists.mandatory,
        },
        None => TopLevel::default(),
    })
});

/// The top-level elements of that type.
pub fn top_level_elements(kind: ResourceType) -> &'static TopLevel {
    &TABLES[kind.index()]
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{Lists, TEXT, top_level_elements};
    use crate::resource_type::ResourceType;

    #[test]
    fn the_embedded_file_holds_the_six_types_and_no_other() {
        let file: BTreeMap<&str, Lists<'_>> = serde_json::from_str(TEXT).expect("readable");
        let names: BTreeSet<&str> = ResourceType::ALL.map(ResourceType::name).into();
        assert_eq!(file.keys().copied().collect::<BTreeSet<_>>(), names);
    }

    #[test]
    fn every_list_is_made_of_elements_each_once() {
        for kind in ResourceType::ALL {
            let table = top_level_elements(kind);
            let unique: BTreeSet<_> = table.elements.iter().collect();
            assert_eq!(unique.len(), table.elements.len(), "{kind}");
            for element in table.summary.iter().chain(&table.mandatory) {
                assert!(table.has(element), "{kind}.{element}");
            }
            for always in ["id", "meta", "implicitRules"] {
                assert!(table.summary.contains(&always), "{kind}.{always}");
            }
            for never in ["text", "contained", "extension", "modifierExtension"] {
                assert!(table.has(never), "{kind}.{never}");
                assert!(!table.summary.contains(&never), "{kind}.{never}");
            }
        }
    }

    #[test]
    fn types_have_their_own_elements() {
        let task = top_level_elements(ResourceType::Task);
        assert_eq!(task.mandatory, ["status", "intent"]);
        assert!(task.has("businessStatus") && !task.has("providedBy"));
        let offer = top_level_elements(ResourceType::HealthcareService);
        assert!(offer.mandatory.is_empty());
        assert!(offer.summary.contains(&"providedBy") && !offer.summary.contains(&"telecom"));
        assert!(!offer.has("resourceType") && !offer.has("Name"));
    }

    #[test]
    fn the_nearest_name_comes_first() {
        let place = top_level_elements(ResourceType::Location);
        assert_eq!(
            place.nearest("adress").first().map(String::as_str),
            Some("address")
        );
        assert_eq!(
            place.nearest("NAME").first().map(String::as_str),
            Some("name")
        );
        assert!(place.nearest("qzxqzx").is_empty());
    }

    /// The invented examples of the crate follow the profiles, so all their members are known.
    #[test]
    fn the_examples_hold_known_elements_only() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples");
        let mut read = 0;
        for entry in std::fs::read_dir(folder).expect("examples") {
            let text = std::fs::read(entry.expect("entry").path()).expect("readable");
            let resource: BTreeMap<String, serde_json::Value> =
                serde_json::from_slice(&text).expect("an object");
            let kind = resource["resourceType"].as_str().expect("a type");
            let kind = ResourceType::from_name(kind).expect("one of the six");
            for name in resource.keys().filter(|name| *name != "resourceType") {
                let element = name.strip_prefix('_').unwrap_or(name);
                assert!(top_level_elements(kind).has(element), "{kind}.{element}");
            }
            read += 1;
        }
        assert!(read >= 10);
    }
}
