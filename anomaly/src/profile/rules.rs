//! The rules of the profile, read from `reference/ror-task.json`.

use std::sync::LazyLock;

use serde::Deserialize;

static TEXT: &str = include_str!("../../reference/ror-task.json");

/// Everything the table says.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Rules {
    /// The canonical URL of the profile.
    pub(super) url: String,
    /// Elements of the first level that must be there.
    pub(super) required: Vec<Required>,
    /// Repeating elements that occur once at most.
    pub(super) at_most_one: Vec<String>,
    /// CodeableConcepts and the code lists they are bound to.
    pub(super) bindings: Vec<Binding>,
    /// The resource types that `focus` may point to.
    pub(super) focus: Vec<String>,
    /// What other references may point to.
    pub(super) references: Vec<References>,
    /// The two lists of named values, `input` and `output`.
    pub(super) parameters: Vec<Parameters>,
}

/// An element that must be there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Required {
    pub(super) element: String,
    /// What to put there, in words.
    pub(super) due: String,
}

/// A CodeableConcept that must have a code of one system.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Binding {
    pub(super) element: String,
    /// The canonical URL of the code system.
    pub(super) system: String,
}

/// The types that a reference may point to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct References {
    /// The path below Task, such as `restriction.recipient`.
    pub(super) element: String,
    pub(super) targets: Vec<String>,
}

/// A list of values, each named by a code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    /// `input` or `output`.
    pub(super) element: String,
    /// The canonical URL of the system of the codes.
    pub(super) system: String,
    pub(super) codes: Vec<Named>,
}

/// What one code of such a list stands for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Named {
    pub(super) code: String,
    /// Whether it must occur.
    #[serde(default)]
    pub(super) required: bool,
    /// Whether it occurs once at most.
    #[serde(default)]
    pub(super) once: bool,
    /// The member that holds its value; nothing when any may.
    pub(super) value: Option<String>,
    /// Of an expression, the language it is written in.
    pub(super) language: Option<String>,
    /// Of what must occur, what to put there, in words.
    pub(super) due: Option<String>,
}

impl Rules {
    /// The rules compiled into the program.
    pub(super) fn embedded() -> &'static Rules {
        static RULES: LazyLock<Rules> = LazyLock::new(|| {
            // Compiled in and read by a test. Empty rules would accept everything, so a broken build must not start.
            serde_json::from_str(TEXT)
                .expect("reference/ror-task.json is compiled in and read by a test")
        });
        &RULES
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use rorqual_schema::{ResourceType, canonical_system, code_system};

    use super::Rules;
    use crate::structure::element_type;

    #[test]
    fn the_embedded_rules_fit_the_r4_table_and_the_code_systems() {
        let rules = Rules::embedded();
        assert!(rules.url.ends_with("/ror-task"));
        let first_level = rules.required.iter().map(|rule| &rule.element);
        for element in first_level.chain(&rules.at_most_one) {
            assert!(element_type(element).is_some(), "{element}");
        }
        for binding in &rules.bindings {
            let element = element_type(&binding.element).expect("an element");
            assert_eq!(
                (element.types, element.array),
                (&["CodeableConcept"][..], false)
            );
            assert_eq!(canonical_system(&binding.system), binding.system);
            assert!(code_system(&binding.system).is_some_and(|system| !system.codes.is_empty()));
        }
        for name in &rules.focus {
            assert!(ResourceType::from_name(name).is_some(), "{name}");
        }
        for list in &rules.parameters {
            let system = code_system(&list.system).expect("known");
            let known: HashSet<&str> = system.codes.iter().map(|(code, _)| *code).collect();
            let ruled: HashSet<&str> = list.codes.iter().map(|named| named.code.as_str()).collect();
            assert_eq!(known, ruled, "{}", list.element);
            for named in &list.codes {
                assert!(!named.required || named.due.is_some(), "{}", named.code);
                if let Some(member) = &named.value {
                    assert!(crate::structure::value_type(member).is_some(), "{member}");
                }
            }
        }
    }
}
