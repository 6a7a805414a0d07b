//! What the ROR profile `ror-task` asks of a Task beyond FHIR R4.
//!
//! The rules are data, `reference/ror-task.json`: what must be there, which code lists are bound, what references may point to,
//! and what `input` and `output` carry. A body comes here after [`crate::structure::check`].
//!
//! - `rules` reads the table, `fault` is what can be found;
//! - `binding` checks the three code lists, `target` what references point to, `parameter` the inputs and outputs;
//! - `focus` reads the element at fault, which the profile allows in two forms.
//!
//! ```
//! use rorqual_anomaly::{Finding, profile};
//! use rorqual_schema::Node;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let body = Node::parse(br#"{"resourceType":"Task","focus":{"reference":"Organization/12"}}"#)?;
//! let missing: Vec<String> = profile::check(&body, "https://ror.example/fhir").iter().map(|fault| fault.path()).collect();
//! assert!(missing.contains(&"Task.businessStatus".to_owned()) && !missing.contains(&"Task.focus".to_owned()));
//! # Ok(())
//! # }
//! ```

mod binding;
mod fault;
mod focus;
mod parameter;
mod rules;
mod target;

use rorqual_schema::{Node, TimeZoneRule, parse_date};

use crate::finding::{Finding, Gravity};
pub use fault::ProfileFault;
pub use focus::{Focus, focus};
use rules::Rules;

/// Past this many errors, and this many warnings, no more are told.
const MOST_TOLD: usize = 100;

/// The canonical URL of the profile, as `meta.profile` names it.
pub fn url() -> &'static str {
    &Rules::embedded().url
}

/// Everything in a Task that breaks the profile, and as warnings what it leaves open. Without an error among them
/// ([`Finding::gravity`]) the body is one that can be stored, once its focus is found to exist.
///
/// `base_url` is the address under which this server is known, such as `https://ror.example/fhir`: an absolute reference of
/// the focus must be under it. Call this when [`crate::structure::check`] found nothing of status 400; on another body it
/// says what it can.
pub fn check(task: &Node<'_>, base_url: &str) -> Vec<ProfileFault> {
    let rules = Rules::embedded();
    let mut found = Found::default();
    for rule in &rules.required {
        if !is_present(task.get(&rule.element)) {
            found.note(ProfileFault::Required {
                path: format!("Task.{}", rule.element),
                due: rule.due.clone(),
            });
        }
    }
    for element in &rules.at_most_one {
        let count = task.get(element).map_or(0, |value| value.items().len());
        if count > 1 {
            found.note(ProfileFault::TooMany {
                path: format!("Task.{element}"),
                count,
            });
        }
    }
    for binding in &rules.bindings {
        binding::check(binding, task, &mut found);
    }
    // A focus that is missing is among the required elements above.
    if is_present(task.get("focus"))
        && let Err(fault) = focus(task, base_url)
    {
        found.note(fault);
    }
    for rule in &rules.references {
        target::check(rule, task, &mut found);
    }
    for rule in &rules.parameters {
        parameter::check(rule, task, &mut found);
    }
    dates(task, &mut found);
    found.faults
}

/// What was found so far.
#[derive(Default)]
struct Found {
    faults: Vec<ProfileFault>,
    errors: usize,
    warnings: usize,
}

impl Found {
    fn note(&mut self, fault: ProfileFault) {
        let count = match fault.gravity() {
            Gravity::Error => &mut self.errors,
            _ => &mut self.warnings,
        };
        if *count < MOST_TOLD {
            *count += 1;
            self.faults.push(fault);
        }
    }
}

/// Whether an element is there with something in it: extensions alone say nothing that can be searched or shown.
fn is_present(value: Option<&Node<'_>>) -> bool {
    match value {
        None | Some(Node::Null) => false,
        Some(Node::String(text)) => !text.trim().is_empty(),
        Some(Node::Array(items)) => !items.is_empty(),
        Some(Node::Object(members)) => !members.is_empty(),
        Some(Node::Bool(_) | Node::Number(_)) => true,
    }
}

/// The invariant inv-1 of R4, as a warning: clocks of reporting systems differ, and the server sets `lastModified` later anyway.
fn dates(task: &Node<'_>, found: &mut Found) {
    let read = |name: &str| {
        let text = task.get(name)?.as_str()?;
        Some((text, parse_date(text, &TimeZoneRule::default()).ok()?))
    };
    let (Some((authored, from)), Some((modified, to))) = (read("authoredOn"), read("lastModified"))
    else {
        return;
    };
    // Dates of different precision overlap; only what is surely reversed is told.
    if to.high <= from.low {
        found.note(ProfileFault::DatesReversed {
            authored: authored.to_owned(),
            modified: modified.to_owned(),
        });
    }
}
