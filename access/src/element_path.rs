//! Element paths: which occurrences of which elements a rule is about.
//!
//! ```text
//! path := Type ('.' segment)+
//! segment := name | extension('name or URL') | name.where(coding.system = '…') | name.where(coding.system in ('…', '…'))
//! ```

use rorqual_schema::{Node, ResourceType, canonical_system, code_systems, top_level_elements};

use crate::condition_text::extension_name;
use crate::names::did_you_mean;
use crate::rule_error::RuleError;
use crate::scanner::Scanner;
use crate::values::{has_url, is_extension_member};

/// A path below a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ElementPath {
    /// The resource type.
    pub kind: ResourceType,
    /// One step or more.
    pub steps: Vec<Step>,
}

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// A member of that name, every item of it.
    Member(String),
    /// The items of that member with a coding of one of these systems, in canonical form. Always the last step.
    Coded(String, Vec<String>),
    /// An extension with one of these URLs.
    Extension(Vec<String>),
}

impl Step {
    /// Whether the step leads to the item of a member, systems of codings left aside.
    pub fn leads_to(&self, member: &str, item: &Node<'_>) -> bool {
        match self {
            Step::Member(name) | Step::Coded(name, _) => name == member,
            Step::Extension(urls) => is_extension_member(member) && has_url(item, urls),
        }
    }
}

/// Members that no rule may name: the first three are always kept, the others go by themselves as soon as anything is hidden.
const UNTOUCHABLE: [&str; 5] = ["resourceType", "id", "meta", "text", "contained"];

/// Reads a path.
pub(crate) fn parse(text: &str) -> Result<ElementPath, RuleError> {
    let mut scanner = Scanner::new(text);
    let name = scanner.word();
    let Some(kind) = ResourceType::from_name(name) else {
        let known = ResourceType::ALL.map(ResourceType::name);
        return Err(scanner.fault(format!(
            "a path begins with a resource type of the directory, not `{name}`{}",
            did_you_mean(name, known.into_iter())
        )));
    };
    let mut steps = Vec::new();
    while scanner.take(".") {
        segment(&mut scanner, kind, &mut steps)?;
    }
    if scanner.peek().is_some() {
        let found = scanner.found();
        return Err(scanner.fault(format!(
            "{found} is not expected; segments are joined by `.`"
        )));
    }
    if steps.is_empty() {
        return Err(scanner.fault(
            "the path names no element; whole documents are the matter of `documents`".to_owned(),
        ));
    }
    Ok(ElementPath { kind, steps })
}

fn segment(
    scanner: &mut Scanner<'_>,
    kind: ResourceType,
    steps: &mut Vec<Step>,
) -> Result<(), RuleError> {
    if let Some(Step::Coded(..)) = steps.last() {
        return Err(scanner.fault("`where(coding.system …)` ends a path".to_owned()));
    }
    let name = scanner.word();
    match name {
        "" => {
            let found = scanner.found();
            Err(scanner.fault(format!("the name of an element is due, not {found}")))
        }
        "extension" if scanner.peek() == Some('(') => {
            let mut urls = extension_name(scanner)?;
            // In one order, whichever spelling was written.
            urls.sort();
            steps.push(Step::Extension(urls));
            Ok(())
        }
        "extension" | "modifierExtension" => {
            Err(scanner
                .fault("say which extension: `extension('ror-…')`, or its whole URL".to_owned()))
        }
        "where" if scanner.peek() == Some('(') => {
            let Some(Step::Member(member)) = steps.pop() else {
                return Err(scanner.fault("`where(…)` follows the name of an element".to_owned()));
            };
            steps.push(Step::Coded(member, systems(scanner)?));
            Ok(())
        }
        _ if name.starts_with('_') => Err(scanner.fault(format!(
            "`{name}` follows `{}` by itself; name that",
            name.trim_start_matches('_')
        ))),
        _ => {
            if steps.is_empty() {
                top_level(scanner, kind, name)?;
            }
            steps.push(Step::Member(name.to_owned()));
            Ok(())
        }
    }
}

fn top_level(scanner: &Scanner<'_>, kind: ResourceType, name: &str) -> Result<(), RuleError> {
    if UNTOUCHABLE.contains(&name) {
        return Err(scanner.fault(format!(
            "no rule names `{name}`: resourceType, id and meta are always kept, text and contained go as soon as anything is hidden"
        )));
    }
    let known = top_level_elements(kind);
    if known.has(name) {
        return Ok(());
    }
    Err(scanner.fault(format!(
        "{kind} has no element `{name}`{}",
        did_you_mean(name, known.elements.iter().copied())
    )))
}

fn systems(scanner: &mut Scanner<'_>) -> Result<Vec<String>, RuleError> {
    scanner.expect("(")?;
    scanner.expect("coding")?;
    scanner.expect(".")?;
    scanner.expect("system")?;
    let mut systems = Vec::new();
    for written in scanner.one_or_list()? {
        systems.push(system(scanner, &written)?);
    }
    scanner.expect(")")?;
    systems.sort();
    systems.dedup();
    Ok(systems)
}

/// A code system by its URL or, for those of the guide, by its name.
fn system(scanner: &Scanner<'_>, written: &str) -> Result<String, RuleError> {
    if written.contains(':') {
        return Ok(canonical_system(written).into_owned());
    }
    match code_systems().iter().find(|known| known.name == written) {
        Some(known) => Ok(canonical_system(known.url).into_owned()),
        None => Err(scanner.fault(format!(
            "no code system is named `{written}`{}; write its name or its URL",
            did_you_mean(written, code_systems().iter().map(|known| known.name))
        ))),
    }
}
