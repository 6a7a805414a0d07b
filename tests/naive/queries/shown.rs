//! What is asked to be shown of the resources: `_elements` and `_summary`.

use super::{Query, Summary};
use crate::kinds::Kind;
use crate::random::Random;

/// Elements of a type to name: those that records hold, and some that they lack.
fn elements(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::HealthcareService => &[
            "id",
            "text",
            "extension",
            "identifier",
            "providedBy",
            "type",
            "specialty",
            "location",
            "name",
            "comment",
            "extraDetails",
            "notAvailable",
        ],
        Kind::Location => &[
            "text",
            "extension",
            "identifier",
            "status",
            "name",
            "description",
            "address",
            "position",
            "managingOrganization",
        ],
        Kind::Organization => &[
            "meta",
            "extension",
            "identifier",
            "type",
            "name",
            "alias",
            "partOf",
        ],
        Kind::Practitioner => &["identifier", "name", "qualification"],
        Kind::PractitionerRole => &[
            "identifier",
            "practitioner",
            "organization",
            "healthcareService",
            "code",
        ],
        Kind::Task => &[
            "identifier",
            "status",
            "businessStatus",
            "description",
            "focus",
            "authoredOn",
            "input",
        ],
    }
}

/// Asks for a part of the resources, now and then.
pub fn ask(r: &mut Random, query: &mut Query) {
    let roll = r.below(100);
    if !(12..97).contains(&roll) {
        query.summary = Some(*r.pick(&[
            Summary::True,
            Summary::True,
            Summary::Text,
            Summary::Data,
            Summary::Count,
        ]));
    }
    if roll < 88 {
        return;
    }
    for _ in 0..1 + r.below(4) {
        let kind = if r.chance(60) {
            query.kind
        } else {
            *r.pick(&Kind::ALL)
        };
        let bare = kind == query.kind && r.chance(70);
        let name = ((!bare).then_some(kind), *r.pick(elements(kind)));
        query.elements.push(name);
    }
}
