//! Parameters of one repeating group meet in one line.

use super::{meaning, options, schema, show};
use crate::query::parse::{GroupMatching, Handling, ParseOptions, parse};
use rorqual_schema::ResourceType;

#[test]
fn parameters_of_one_group_share_a_line() {
    for (address, expected) in [
        ("Location?capacity-type=01", "capacity-type=01"),
        (
            "Location?capacity-type=01&status=active&capacity-status=02,03&nb-capacity=gt0",
            "(supported-capacity[(capacity-type=01 & (capacity-status=02 | capacity-status=03) & nb-capacity gt 0~0.5)] & status=active)",
        ),
        (
            "HealthcareService?location.capacity-type=01&location.nb-capacity=gt0",
            "location>Location supported-capacity[(capacity-type=01 & nb-capacity gt 0~0.5)]",
        ),
        (
            "HealthcareService?location.capacity-type=01&location:Location.nb-capacity=gt0",
            "location>Location supported-capacity[(capacity-type=01 & nb-capacity gt 0~0.5)]",
        ),
        (
            "Task?focus.capacity-type=01&focus.nb-capacity=gt0",
            "focus>Location supported-capacity[(capacity-type=01 & nb-capacity gt 0~0.5)]",
        ),
        (
            "Organization?_has:HealthcareService:organization:location.capacity-type=1&_has:HealthcareService:organization:location.capacity-status=2",
            "<HealthcareService.organization location>Location supported-capacity[(capacity-type=1 & capacity-status=2)]",
        ),
        (
            "Location?nb-capacity=gt0&nb-capacity=lt5",
            "supported-capacity[(nb-capacity gt 0~0.5 & nb-capacity lt 5~0.5)]",
        ),
    ] {
        assert_eq!(meaning(address), expected, "{address}");
    }
}

#[test]
fn a_child_group_is_a_line_within_the_line() {
    for (address, expected) in [
        (
            "Location?equipment-type=088&equipment-feature=001&limit-value=ge200||kg",
            "equipment[(equipment-type=088 & equipment-limit[(equipment-feature=001 & limit-value ge 200 kg)])]",
        ),
        (
            "Location?equipment-type=088&limit-value=1",
            "equipment[(equipment-type=088 & equipment-limit[limit-value eq 1 -])]",
        ),
        (
            "Location?equipment-feature=001&limit-value=1",
            "equipment-limit[(equipment-feature=001 & limit-value eq 1 -)]",
        ),
    ] {
        assert_eq!(meaning(address), expected, "{address}");
    }
}

#[test]
fn what_stays_independent() {
    for (address, expected) in [
        (
            "Location?capacity-type=01&capacity-status:not=02",
            "(capacity-type=01 & !capacity-status=02)",
        ),
        (
            "Location?capacity-type=01&capacity-status:missing=true",
            "(capacity-type=01 & !capacity-status?)",
        ),
        (
            "Location?capacity-type=01&equipment-type=2",
            "(capacity-type=01 & equipment-type=2)",
        ),
        (
            "HealthcareService?location.type=1&location.status=active",
            "(location>Location type=1 & location>Location status=active)",
        ),
        (
            "HealthcareService?organization.price-type:above=1&organization.price-unit:above=2",
            "(organization^>Organization price-type=1 & organization^>Organization price-unit=2)",
        ),
    ] {
        assert_eq!(meaning(address), expected, "{address}");
    }
    let plain = ParseOptions {
        group_matching: GroupMatching::Independent,
        ..options(Handling::Default)
    };
    let query = "capacity-type=01&capacity-status=02";
    let request = parse(schema(), ResourceType::Location, query, &plain).expect("readable");
    assert_eq!(
        show(schema(), request.kind, &request.criterion),
        "(capacity-type=01 & capacity-status=02)"
    );
}
