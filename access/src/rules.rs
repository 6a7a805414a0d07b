//! The data rules of a profile: which documents and which elements are seen.

use std::fmt;

use rorqual_schema::ResourceType;

use crate::condition::{Circumstances, Condition};
use crate::element_path::{ElementPath, Step};
use crate::facts::Facts;
use crate::values::RESTRICTED;

/// A rule on elements: the occurrences at that path are shown when the condition holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ElementRule {
    pub path: ElementPath,
    pub condition: Condition,
}

/// Everything that decides what of the directory is seen, and nothing else: profiles with equal rules share one view.
#[derive(Clone, Debug)]
pub struct DataRules {
    /// When a document of each type is visible, by [`ResourceType::index`].
    documents: [Condition; ResourceType::COUNT],
    /// Whether elements that no rule names are shown, by [`ResourceType::index`].
    rest: [bool; ResourceType::COUNT],
    /// The rules on elements of each type, by [`ResourceType::index`].
    elements: [Vec<ElementRule>; ResourceType::COUNT],
    id: ViewId,
}

/// Names a view of the directory: the same for equal data rules, in any run and on any machine.
///
/// It is made of lower-case letters and digits, fit for the name of a file or folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ViewId(String);

impl ViewId {
    /// The view in which everything is shown: the directory as received.
    pub fn full() -> ViewId {
        ViewId("full".to_owned())
    }

    /// Whether this is the view in which everything is shown.
    pub fn is_full(&self) -> bool {
        self.0 == "full"
    }

    /// The name: `full`, or 32 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ViewId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl DataRules {
    pub(crate) fn new(
        documents: [Condition; ResourceType::COUNT],
        rest: [bool; ResourceType::COUNT],
        rules: Vec<ElementRule>,
    ) -> DataRules {
        let mut elements: [Vec<ElementRule>; ResourceType::COUNT] = Default::default();
        for rule in rules {
            let kind = rule.path.kind.index();
            // Where the rest is shown anyway, a rule that always shows says nothing.
            if rest[kind] && rule.condition == Condition::Always {
                continue;
            }
            elements[kind].push(rule);
        }
        for (rules, document) in elements.iter_mut().zip(&documents) {
            if *document == Condition::Never {
                rules.clear();
            }
            rules.sort_by_cached_key(|rule| (rule.path.clone(), rule.condition.to_string()));
            rules.dedup();
        }
        let id = digest(&documents, &rest, &elements);
        DataRules {
            documents,
            rest,
            elements,
            id,
        }
    }

    /// The rules under which everything is shown.
    pub fn full() -> DataRules {
        DataRules::new(
            std::array::from_fn(|_| Condition::Always),
            [true; ResourceType::COUNT],
            Vec::new(),
        )
    }

    /// The name of the view that these rules make.
    pub fn view(&self) -> &ViewId {
        &self.id
    }

    /// Whether a document of that type, with those region codes (`meta.tag`, TRE_R30) and those facts, is visible: whether for at
    /// least one kind of service that leads to it the condition of its type holds. A Task is judged further by its focus, in
    /// [`DataRules::redact`].
    pub fn sees(&self, kind: ResourceType, regions: &[&str], facts: Facts) -> bool {
        let condition = &self.documents[kind.index()];
        facts.for_type(kind).kinds().any(|service| {
            condition.holds(&Circumstances {
                kind: service,
                regions,
                level: RESTRICTED,
                element: None,
            })
        })
    }

    /// Whether a document of that type that is visible shows every identifier it has. Where it may not, nothing may tell who
    /// carries which: a reference by identifier could otherwise be used to guess.
    pub fn shows_identifiers(&self, kind: ResourceType) -> bool {
        let mut named = false;
        for rule in self.elements(kind) {
            let (is_whole, name) = match rule.path.steps.as_slice() {
                [Step::Member(name)] => (true, name),
                [Step::Member(name) | Step::Coded(name, _), ..] => (false, name),
                _ => continue,
            };
            if name != "identifier" {
                continue;
            }
            if rule.condition != Condition::Always {
                return false;
            }
            named |= is_whole;
        }
        named || self.shows_rest(kind)
    }

    pub(crate) fn elements(&self, kind: ResourceType) -> &[ElementRule] {
        &self.elements[kind.index()]
    }

    pub(crate) fn shows_rest(&self, kind: ResourceType) -> bool {
        self.rest[kind.index()]
    }
}

fn digest(
    documents: &[Condition; ResourceType::COUNT],
    rest: &[bool; ResourceType::COUNT],
    elements: &[Vec<ElementRule>; ResourceType::COUNT],
) -> ViewId {
    let everything = documents.iter().all(|c| *c == Condition::Always)
        && rest.iter().all(|shown| *shown)
        && elements.iter().all(Vec::is_empty);
    if everything {
        return ViewId::full();
    }
    // Changing this text changes every id: views are then built anew, which is what a change of meaning asks for.
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"rorqual view 1\n");
    for kind in ResourceType::ALL {
        let (document, rest, rules) = (
            &documents[kind.index()],
            rest[kind.index()] && documents[kind.index()] != Condition::Never,
            &elements[kind.index()],
        );
        hasher.update(format!("{kind}: {document}; rest {rest}\n").as_bytes());
        for rule in rules {
            hasher.update(format!("{:?} when {}\n", rule.path.steps, rule.condition).as_bytes());
        }
    }
    let text = hasher.finalize().to_hex();
    ViewId(text.as_str().chars().take(32).collect())
}
