//! Requests that must be refused: a sound query spoilt in one place.

use super::{Feature, Query, generate, url};
use crate::random::Random;
use crate::reference::Reference;

/// Faults that hold on any type.
const ANYWHERE: &[&str] = &[
    "colour=red",
    "_idd=1",
    "identifier:contains=1",
    "identifier:exact=1",
    "identifier:unknown=1",
    "identifier:missing=maybe",
    "identifier=",
    "identifier:of-type=35",
    "_lastUpdated=yesterday",
    "_lastUpdated=2022-13-01",
    "_lastUpdated=2022-02-30",
    "_lastUpdated=2022-11-06T25:00",
    "_lastUpdated=ge",
    "_lastUpdated=xx2022",
    "_lastUpdated:not=2022",
    "_lastUpdated:missing=",
    "_count=-1",
    "_count=many",
    "_sort=colour",
    "_sort=-",
    "_include=Organization:colour",
    "_include=Patient:organization",
    "_revinclude=Location:colour",
    "_include:sometimes=*",
    "identifier=%zz",
    "identifier=%ff",
    "_total=roughly",
    "_summary=long",
];

/// Faults of one type's own parameters.
const OF_TYPE: &[(&str, &[&str])] = &[
    (
        "HealthcareService",
        &[
            "specialty:contains=01",
            "name:not=chu",
            "name:above=chu",
            "age-range-low=ge",
            "age-range-low=gtabc",
            "age-range-low=5||[zorglub]",
            "age-range-low=5|a|b|c",
            "age-range-low:exact=5",
            "organization:contains=1",
            "organization:Location=1",
            "capacity-type=01",
        ],
    ),
    (
        "Location",
        &[
            "nb-capacity=gtabc",
            "nb-capacity=xx5",
            "nb-capacity=1.2.3",
            "address-postalcode:text=44",
            "limit-value=ge",
            "capacity-update-date=soon",
            "_sort=organization",
            "price-type=01",
        ],
    ),
    (
        "Organization",
        &[
            "price-amount-value=cheap",
            "period-end=2024-1",
            "drop-zone:exact=true",
            "partof:Task=1",
        ],
    ),
    ("Task", &["focus:Patient=1", "authored-on:contains=2024"]),
    ("PractitionerRole", &["service:exact=1", "location=1"]),
];

/// An address that no server may answer with a Bundle.
pub fn refused(r: &mut Random, reference: &Reference, features: &[Feature]) -> String {
    let mut query: Query = generate(r, reference, features);
    // Only the fault itself may speak of these, or the last word could be taken.
    query.count = None;
    query.sort.clear();
    query.summary = None;
    let sound = url(r, &query);
    let own = OF_TYPE
        .iter()
        .find(|(kind, _)| *kind == query.kind.name())
        .map_or(&[][..], |(_, faults)| *faults);
    let fault = if !own.is_empty() && r.chance(50) {
        *r.pick(own)
    } else {
        *r.pick(ANYWHERE)
    };
    let joint = if sound.contains('?') { '&' } else { '?' };
    format!("{sound}{joint}{fault}")
}
