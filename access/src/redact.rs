//! Redaction of one resource: what may not be seen is cut out of its text, what stays is not touched.

use std::sync::LazyLock;

use rorqual_schema::{Node, ResourceType};
use thiserror::Error;

use crate::condition::Circumstances;
use crate::element_path::Step;
use crate::extension_names::urls_of;
use crate::facts::{Facts, ServiceKind};
use crate::references::{Target, may_follow};
use crate::rules::{DataRules, ElementRule};
use crate::span::{Span, spans};
use crate::splice::Edits;
use crate::values::{
    RESTRICTED, VERY_RESTRICTED, coding_systems, declared_level, has_url, is_extension_member,
    regions,
};

/// What a view holds of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redacted {
    /// Nothing: the resource reads as one that does not exist.
    Hidden,
    /// All of it: the text as given.
    Whole,
    /// Part of it: the text without what may not be seen, with `SUBSETTED` among `meta.tag`. What stays is byte for byte as given.
    Partial(Vec<u8>),
}

/// Why a resource cannot be redacted; nothing of it may then be shown.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RedactError {
    /// The tree was not read from the text.
    #[error(
        "the {kind} to redact and its tree are not the same text; read the tree from the text given"
    )]
    OtherText {
        /// The type said.
        kind: ResourceType,
    },
    /// The resource is not of the type said.
    #[error("a {kind} is due, not `{found}`; give the type that `resourceType` says")]
    OtherType {
        /// The type said.
        kind: ResourceType,
        /// What `resourceType` holds.
        found: String,
    },
}

impl DataRules {
    /// Redacts one resource.
    ///
    /// - `text` is the resource as received, and `resource` the tree read from it by [`Node::parse`].
    /// - `facts` are those of the services that lead to it ([`crate::Directory::facts`]); for a Task, those of its focus.
    /// - `visible` says whether this view holds what a reference names. For a literal it must be true only for a resource that is in
    ///   the extract and visible; for an identifier only when somebody carries it, and everybody who does is visible.
    ///
    /// An element is shown when every rule that names it, or something it is part of, holds for every kind of service among the
    /// facts, and a rule does name it or the rest of its type is shown. References to what is not visible go, whatever the rules say;
    /// contained resources always go; the narrative goes as soon as anything else does. Objects and lists left without content go
    /// too. A Task is hidden when its focus is.
    ///
    /// Redacting the result again gives [`Redacted::Whole`], unless some rules hide what others ask about (the level extension of a
    /// telecom, say); the national policy has none such.
    ///
    /// # Errors
    /// When text, tree and type do not belong together.
    pub fn redact(
        &self,
        kind: ResourceType,
        text: &[u8],
        resource: &Node<'_>,
        facts: Facts,
        visible: &dyn Fn(Target<'_>) -> bool,
    ) -> Result<Redacted, RedactError> {
        let found = resource.get("resourceType").and_then(Node::as_str);
        if found != Some(kind.name()) {
            return Err(RedactError::OtherType {
                kind,
                found: found.unwrap_or_default().chars().take(64).collect(),
            });
        }
        if self.view().is_full() {
            return Ok(Redacted::Whole);
        }
        let regions = regions(resource);
        if !self.sees(kind, &regions, facts) {
            return Ok(Redacted::Hidden);
        }
        if kind == ResourceType::Task {
            let focus = resource.get("focus").unwrap_or(&Node::Null);
            if may_follow(kind, "focus", focus, visible) != Some(true) {
                return Ok(Redacted::Hidden);
            }
        }
        let span = spans(text, resource).ok_or(RedactError::OtherText { kind })?;
        let rules = self.elements(kind);
        let mut walk = Walk {
            kind,
            rules,
            services: facts.for_type(kind).kinds().collect(),
            regions: &regions,
            visible,
            edits: Edits::default(),
        };
        let begun: Vec<Begun> = (0..rules.len())
            .map(|rule| Begun { rule, step: 0 })
            .collect();
        let within = Within {
            begun: &begun,
            shown: self.shows_rest(kind),
            level: 0,
        };
        Ok(walk.root(resource, &span, within, text))
    }
}

/// A rule whose path leads here, and the step that comes next.
#[derive(Clone, Copy)]
struct Begun {
    rule: usize,
    step: usize,
}

/// What is known on the way down.
#[derive(Clone, Copy)]
struct Within<'b> {
    begun: &'b [Begun],
    /// Whether what no rule names is shown here.
    shown: bool,
    /// The most closed level among the contacts around; 0 outside of any.
    level: u8,
}

struct Walk<'r, 'n> {
    kind: ResourceType,
    rules: &'r [ElementRule],
    services: Vec<ServiceKind>,
    regions: &'r [&'n str],
    visible: &'r dyn Fn(Target<'_>) -> bool,
    edits: Edits,
}

impl Walk<'_, '_> {
    fn root(&mut self, node: &Node<'_>, span: &Span, within: Within<'_>, text: &[u8]) -> Redacted {
        let members = node.as_object().unwrap_or(&[]);
        let mut kept = Vec::with_capacity(members.len());
        for ((name, value), part) in members.iter().zip(&span.parts) {
            kept.push(match name.as_ref() {
                // The narrative is judged last, by what became of the others.
                "resourceType" | "id" | "meta" | "text" | "_text" => true,
                "contained" => false,
                name => self.member(name, value, part, within),
            });
        }
        if self.edits.is_empty() && kept.iter().all(|kept| *kept) {
            return Redacted::Whole;
        }
        for ((name, _), kept) in members.iter().zip(&mut kept) {
            if name == "text" || name == "_text" {
                *kept = false;
            }
        }
        self.edits.cut(&span.parts, &kept);
        let place = |wanted: &str| {
            members
                .iter()
                .zip(&span.parts)
                .find(|((name, _), _)| name == wanted)
        };
        let after = place("id").or_else(|| place("resourceType"));
        self.edits.tag(
            place("meta").map(|((_, meta), part)| (meta, part)),
            after.map_or(span.end, |(_, part)| part.end),
        );
        Redacted::Partial(std::mem::take(&mut self.edits).apply(text))
    }

    /// Whether the member stays, at least in part.
    fn member(&mut self, name: &str, value: &Node<'_>, span: &Span, within: Within<'_>) -> bool {
        if let Some(base) = name.strip_prefix('_') {
            return self.shows_sibling(base, within)
                && self.value(
                    name,
                    value,
                    span,
                    Within {
                        begun: &[],
                        shown: true,
                        ..within
                    },
                );
        }
        self.value(name, value, span, within)
    }

    /// The sibling `_x` of a primitive `x` is judged by the rules on `x`. Those that ask about the element itself, pick some of its
    /// items or go further down have no answer for a sibling: it goes.
    fn shows_sibling(&self, base: &str, within: Within<'_>) -> bool {
        let mut named = false;
        for begun in within.begun {
            let rule = &self.rules[begun.rule];
            match rule.path.steps.get(begun.step) {
                Some(Step::Member(name)) if name == base => {
                    let last = begun.step + 1 == rule.path.steps.len();
                    if !last
                        || rule.condition.is_about_elements()
                        || !self.holds(rule, &Node::Null, VERY_RESTRICTED)
                    {
                        return false;
                    }
                    named = true;
                }
                Some(Step::Coded(name, _)) if name == base => return false,
                _ => {}
            }
        }
        named || within.shown
    }

    fn value(&mut self, name: &str, value: &Node<'_>, span: &Span, within: Within<'_>) -> bool {
        match value {
            Node::Array(items) if !items.is_empty() => self.list(name, items, span, within),
            item => self.item(name, item, span, within),
        }
    }

    fn list(&mut self, name: &str, items: &[Node<'_>], span: &Span, within: Within<'_>) -> bool {
        // The list `_x` is aligned with `x`: what goes leaves a null behind.
        let aligned = name.starts_with('_');
        let before = self.edits.len();
        let mut kept = Vec::with_capacity(items.len());
        for (item, part) in items.iter().zip(&span.parts) {
            kept.push(self.value(name, item, part, within));
        }
        if kept.iter().all(|kept| *kept) {
            return true;
        }
        let content = |(item, kept): (&Node<'_>, &bool)| *kept && !(aligned && *item == Node::Null);
        if !items.iter().zip(&kept).any(content) {
            self.edits.rewind(before);
            return false;
        }
        if aligned {
            for (part, kept) in span.parts.iter().zip(&kept) {
                if !kept {
                    self.edits.replace(part.value..part.end, "null");
                }
            }
        } else {
            self.edits.cut(&span.parts, &kept);
        }
        true
    }

    fn item(&mut self, name: &str, item: &Node<'_>, span: &Span, within: Within<'_>) -> bool {
        if !within.shown && within.begun.is_empty() {
            return false;
        }
        if may_follow(self.kind, name, item, self.visible) == Some(false) {
            return false;
        }
        if within.begun.is_empty() {
            return self.content(name, item, span, within);
        }
        let declared = declared_level(item);
        let own = declared.unwrap_or(RESTRICTED).max(within.level);
        let (mut named, mut holds) = (false, true);
        let (mut further, mut by_code) = (Vec::new(), Vec::new());
        for begun in within.begun {
            let rule = &self.rules[begun.rule];
            let Some(step) = rule.path.steps.get(begun.step) else {
                continue;
            };
            if !step.leads_to(name, item) {
                continue;
            }
            if begun.step + 1 < rule.path.steps.len() {
                further.push(Begun {
                    rule: begun.rule,
                    step: begun.step + 1,
                });
            } else if let Step::Coded(_, systems) = step {
                by_code.push((systems, rule));
            } else {
                named = true;
                holds &= self.holds(rule, item, own);
            }
        }
        if !by_code.is_empty() {
            let shown_otherwise = within.shown || named;
            for system in coding_systems(item) {
                named = true;
                let mut about = by_code
                    .iter()
                    .filter(|(systems, _)| systems.iter().any(|known| *known == system))
                    .peekable();
                holds &= match about.peek() {
                    Some(_) => about.all(|(_, rule)| self.holds(rule, item, own)),
                    None => shown_otherwise,
                };
            }
        }
        if named && !holds {
            return false;
        }
        let shown = within.shown || named;
        if !shown && further.is_empty() {
            return false;
        }
        let closes = declared.is_some() || (!further.is_empty() && has_level(name, item));
        let inside = Within {
            begun: &further,
            shown,
            level: if closes { own } else { within.level },
        };
        self.content(name, item, span, inside)
    }

    /// What is inside of an item, met under the member `name`.
    fn content(&mut self, name: &str, item: &Node<'_>, span: &Span, within: Within<'_>) -> bool {
        let is_extension = is_extension_member(name);
        let Some(members) = item.as_object() else {
            return within.shown;
        };
        let before = self.edits.len();
        let mut kept = Vec::with_capacity(members.len());
        let mut substance = false;
        for ((name, value), part) in members.iter().zip(&span.parts) {
            // An extension that is kept for one of its parts needs its URL to be one.
            let stays = (is_extension && name == "url" && value.as_str().is_some())
                || self.member(name, value, part, within);
            substance |= stays && name != "id" && !(is_extension && name == "url");
            kept.push(stays);
        }
        let whole = kept.iter().all(|kept| *kept);
        if whole && within.shown {
            return true;
        }
        if !substance {
            self.edits.rewind(before);
            return false;
        }
        if !whole {
            self.edits.cut(&span.parts, &kept);
        }
        true
    }

    /// Whether the rule shows the element whatever service leads to the resource. Contacts of a sensitive unit are very restricted.
    fn holds(&self, rule: &ElementRule, element: &Node<'_>, level: u8) -> bool {
        self.services.iter().all(|service| {
            rule.condition.holds(&Circumstances {
                kind: *service,
                regions: self.regions,
                level: if service.sensitive {
                    VERY_RESTRICTED
                } else {
                    level
                },
                element: Some(element),
            })
        })
    }
}

/// Whether an element is a contact or a telecom, which has a level even when it says none, and closes what is inside.
fn has_level(name: &str, item: &Node<'_>) -> bool {
    if name == "telecom" || name == "contact" {
        return true;
    }
    is_extension_member(name) && has_url(item, &CONTACTS)
}

static CONTACTS: LazyLock<Vec<String>> = LazyLock::new(|| {
    [
        "ror-healthcareservice-contact",
        "ror-healthcareservice-contact-telecom",
    ]
    .iter()
    .flat_map(|name| urls_of(name))
    .collect()
});
