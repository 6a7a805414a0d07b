//! What references point to.

use rorqual_schema::{Node, is_id};

use super::Found;
use super::fault::ProfileFault;
use super::rules::References;
use crate::structure::quoted;

/// Checks the types that the references of one element name, literally or in `type`. Whether they lead anywhere is not asked.
pub(super) fn check(rule: &'static References, task: &Node<'_>, found: &mut Found) {
    visit(
        task,
        &rule.element,
        "Task".to_owned(),
        &mut |reference, path| {
            one(rule, task, reference, path, found);
        },
    );
}

/// Calls back for every element at that path, with its FHIRPath.
fn visit(node: &Node<'_>, rest: &str, path: String, each: &mut impl FnMut(&Node<'_>, &str)) {
    let (name, deeper) = match rest.split_once('.') {
        Some((name, deeper)) => (name, Some(deeper)),
        None => (rest, None),
    };
    let Some(value) = node.get(name) else {
        return;
    };
    let path = format!("{path}.{name}");
    for (index, item) in value.items().iter().enumerate() {
        let path = match value {
            Node::Array(_) => format!("{path}[{index}]"),
            _ => path.clone(),
        };
        match deeper {
            Some(deeper) => visit(item, deeper, path, each),
            None => each(item, &path),
        }
    }
}

fn one(
    rule: &'static References,
    task: &Node<'_>,
    reference: &Node<'_>,
    path: &str,
    found: &mut Found,
) {
    let refuse = |path: String, written: &str| ProfileFault::Target {
        path,
        written: quoted(written),
        allowed: rule.targets.iter().map(|name| name.as_str()).collect(),
    };
    let text = |name: &str| reference.get(name).and_then(Node::as_str);
    let literal = match text("reference") {
        None => None,
        Some(written) => match literal_type(written, task) {
            Ok(kind) => kind,
            Err(reason) => {
                return found.note(ProfileFault::Reference {
                    path: format!("{path}.reference"),
                    written: quoted(written),
                    reason: reason.to_owned(),
                });
            }
        },
    };
    let is_allowed = |kind: &str| rule.targets.iter().any(|target| target == kind);
    if let Some(kind) = literal.filter(|kind| !is_allowed(kind)) {
        return found.note(refuse(format!("{path}.reference"), kind));
    }
    let Some(written) = text("type") else {
        return;
    };
    if !is_allowed(type_name(written)) {
        found.note(refuse(format!("{path}.type"), written));
    } else if let Some(fault) = disagreement(path, written, literal) {
        found.note(fault);
    }
}

/// The fault of a `Reference.type` that names another type than the reference beside it.
pub(super) fn disagreement(
    path: &str,
    written: &str,
    literal: Option<&str>,
) -> Option<ProfileFault> {
    let literal = literal.filter(|literal| *literal != type_name(written))?;
    Some(ProfileFault::TwoTypes {
        path: format!("{path}.type"),
        written: quoted(written),
        literal: quoted(literal),
    })
}

/// `Reference.type` is a URI, relative to FHIR's own definitions: `Organization` is the short form.
pub(super) fn type_name(written: &str) -> &str {
    written
        .strip_prefix("http://hl7.org/fhir/StructureDefinition/")
        .unwrap_or(written)
}

/// The type that a literal reference names; nothing for URNs and for URLs that are no address of a resource.
fn literal_type<'n>(written: &'n str, task: &'n Node<'_>) -> Result<Option<&'n str>, &'static str> {
    if let Some(id) = written.strip_prefix('#') {
        let contained = task.get("contained").map_or(&[][..], Node::items);
        let one = contained
            .iter()
            .find(|one| one.get("id").and_then(Node::as_str) == Some(id));
        return Ok(one.and_then(|one| one.get("resourceType")?.as_str()));
    }
    if written.starts_with("urn:") {
        return Ok(None);
    }
    let absolute = written.starts_with("http://") || written.starts_with("https://");
    match type_and_id(written) {
        Some((None, kind, _)) => Ok(Some(kind)),
        Some((Some(_), kind, _)) if absolute => {
            let is_word = kind.starts_with(|c: char| c.is_ascii_uppercase())
                && kind.bytes().all(|byte| byte.is_ascii_alphabetic());
            Ok(is_word.then_some(kind))
        }
        _ if absolute => Ok(None),
        _ => Err("a reference is Type/id, an absolute URL, #id of a contained resource or a URN"),
    }
}

/// What stands before `Type/id`, the type and the id; the version is cut. Nothing when the end is no type and id.
pub(super) fn type_and_id(written: &str) -> Option<(Option<&str>, &str, &str)> {
    let unversioned = match written.split_once("/_history/") {
        Some((before, version)) if is_id(version) => before,
        Some(_) => return None,
        None => written,
    };
    let (before, id) = unversioned.rsplit_once('/')?;
    let (base, kind) = match before.rsplit_once('/') {
        Some((base, kind)) => (Some(base), kind),
        None => (None, before),
    };
    (is_id(id) && !kind.is_empty()).then_some((base, kind, id))
}
