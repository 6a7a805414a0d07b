//! What belongs to offers: the steps along references that an export takes, each on whole bitmaps.

use roaring::RoaringBitmap;
use rorqual_schema::ResourceType;

use crate::index::column::Values;
use crate::index::generation::Generation;
use crate::index::postings::from_unordered;
use crate::index::reference::ReferenceIndex;

use ResourceType::{HealthcareService, Location, Organization, Practitioner, PractitionerRole};

/// The organisations that deliver these offers, with all those above them.
pub(super) fn organizations(generation: &Generation, offers: &RoaringBitmap) -> RoaringBitmap {
    let mut all = referred(
        generation,
        HealthcareService,
        "organization",
        offers,
        Organization,
    );
    let mut latest = all.clone();
    // A circle of organisations ends where nothing new is found.
    while !latest.is_empty() {
        latest = referred(generation, Organization, "partof", &latest, Organization) - &all;
        all |= &latest;
    }
    all
}

/// The places of these offers.
pub(super) fn locations(generation: &Generation, offers: &RoaringBitmap) -> RoaringBitmap {
    referred(generation, HealthcareService, "location", offers, Location)
}

/// The situations of professionals in these offers.
pub(super) fn roles(generation: &Generation, offers: &RoaringBitmap) -> RoaringBitmap {
    let incoming = references(generation, PractitionerRole, "service")
        .and_then(|index| index.incoming(HealthcareService));
    let mut found = Vec::new();
    if let Some(incoming) = incoming {
        for offer in offers {
            found.extend_from_slice(incoming.of(offer));
        }
    }
    from_unordered(&found)
}

/// The professionals of these situations.
pub(super) fn practitioners(generation: &Generation, roles: &RoaringBitmap) -> RoaringBitmap {
    referred(
        generation,
        PractitionerRole,
        "practitioner",
        roles,
        Practitioner,
    )
}

/// The resources of type `to` that `from` refer to through a parameter.
fn referred(
    generation: &Generation,
    kind: ResourceType,
    parameter: &str,
    from: &RoaringBitmap,
    to: ResourceType,
) -> RoaringBitmap {
    let mut found = Vec::new();
    if let Some(index) = references(generation, kind, parameter) {
        for ordinal in from {
            let targets = index.targets(ordinal);
            found.extend(targets.filter(|(kind, _)| *kind == to).map(|(_, at)| at));
        }
    }
    from_unordered(&found)
}

/// A reference parameter, unless the schema of the generation lacks it.
fn references<'g>(
    generation: &'g Generation,
    kind: ResourceType,
    code: &str,
) -> Option<&'g ReferenceIndex> {
    let number = generation.schema().find(kind, code)?;
    match &generation.directory(kind).parameter(number)?.values {
        Values::Reference(references) => Some(references),
        _ => None,
    }
}
