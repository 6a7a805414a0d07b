//! What a redacted view shows of the anomalies written since it was built: the same that a build would.

use rorqual_access::{DataRules, Facts, RedactError, Redacted, Target};
use rorqual_schema::{Node, ResourceType};

use crate::index::generation::Generation;
use crate::index::overlay::{Version, WRITTEN};
use crate::index::segment::identified;

/// Name of the access policy in a generation's folder: the text it was built with.
pub const POLICY: &str = "access.toml";

/// The versions as `rules` show them in a view: without those about what it hides, and without the elements it hides.
///
/// # Errors
/// [`RedactError`] when a body is no Task, which the store never writes.
pub fn shown(
    full: &Generation,
    redacted: &Generation,
    rules: &DataRules,
    versions: &[Version],
) -> Result<Vec<Version>, RedactError> {
    let visible = |target: Target<'_>| match target {
        Target::Literal { kind, id } => redacted.directory(kind).ordinal(id).is_some(),
        Target::Logical {
            kind,
            system,
            value,
        } => {
            let count = |of, kind| identified(of, kind, &system, value).len();
            let kinds = ResourceType::ALL.into_iter();
            // An identifier is shown when nothing that bears it is hidden.
            kinds
                .filter(|each| kind.is_none_or(|kind| kind == *each))
                .all(|each| count(full, each) == count(redacted, each))
        }
    };
    let mut shown = Vec::new();
    for version in versions {
        let Ok(task) = Node::parse(&version.body) else {
            continue;
        };
        let facts = Facts::unattached();
        match rules.redact(WRITTEN, &version.body, &task, facts, &visible)? {
            Redacted::Hidden => {}
            Redacted::Whole => shown.push(version.clone()),
            Redacted::Partial(body) => shown.push(Version {
                body,
                ..version.clone()
            }),
        }
    }
    Ok(shown)
}
