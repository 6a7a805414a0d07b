//! What a redacted view shows of the anomalies written since it was built: the same that a build would.

use rorqual_access::{DataRules, Facts, RedactError, Redacted, Target, own_facts};
use rorqual_anomaly::profile::{Focus, focus};
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
        let facts = facts_of_focus(full, &task);
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

/// The facts of what an anomaly is about. A build knows which services lead to a place or a person; here only a service
/// speaks for itself, and everything else is taken for the most closed, so that nothing is shown too early.
fn facts_of_focus(full: &Generation, task: &Node<'_>) -> Facts {
    let services = full.directory(ResourceType::HealthcareService);
    let of_service = |ordinal| {
        let body = services.bodies().body(ordinal).unwrap_or_default();
        Node::parse(&body).map_or(Facts::unknown(), |service| {
            own_facts(ResourceType::HealthcareService, &service)
        })
    };
    match focus(task, "") {
        Ok(Focus::Literal {
            kind: ResourceType::HealthcareService,
            id,
        }) => services.ordinal(id).map_or(Facts::unknown(), of_service),
        Ok(Focus::Logical {
            kind: ResourceType::HealthcareService,
            system,
            value,
        }) => {
            let kind = ResourceType::HealthcareService;
            let bearers = identified(full, kind, system.unwrap_or(""), value);
            bearers
                .into_iter()
                .map(of_service)
                .reduce(Facts::combine)
                .unwrap_or(Facts::unattached())
        }
        _ => Facts::unknown(),
    }
}
