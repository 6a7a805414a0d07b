//! Names: chains, `_has`, the hierarchy, unknown names.

use super::{meaning, options, read_as, refusal, schema};
use crate::query::parse::{Features, Handling, ParseOptions, parse};
use rorqual_schema::ResourceType;

#[test]
fn chains() {
    for (address, expected) in [
        (
            "HealthcareService?organization.name=chu",
            "organization>Organization name^=chu",
        ),
        (
            "HealthcareService?organization:Organization.name=chu",
            "organization>Organization name^=chu",
        ),
        (
            "Task?focus:HealthcareService.organization.partof.name=x",
            "focus>HealthcareService organization>Organization partof>Organization name^=x",
        ),
        (
            "Task?focus.name=x",
            "(focus>Organization name^=x | focus>HealthcareService name^=x)",
        ),
        (
            "Task?focus.address-city=x",
            "focus>Location address-city^=x",
        ),
        (
            "HealthcareService?organization.type:not=1",
            "organization>Organization !type=1",
        ),
        (
            "HealthcareService?location.near=1|2|3",
            "location>Location near @1,2 3000",
        ),
        (
            "HealthcareService?location._content=x",
            r#"location>Location _content~["x"][]"#,
        ),
    ] {
        assert_eq!(meaning(address), expected, "{address}");
    }
    for (bad, named) in [
        ("HealthcareService?organization.nme=x", "name"),
        ("HealthcareService?name.x=1", "not a reference"),
        ("HealthcareService?orgnization.name=1", "organization"),
        ("Task?focus.colour=1", "none of the types"),
        ("Task?focus:Patient.name=1", "focus:Patient"),
        (
            "HealthcareService?organization:Location.type=1",
            "does not refer to Location",
        ),
    ] {
        // Names in chains were meant: leniency does not drop them.
        let error = read_as(bad, Handling::Lenient).expect_err(bad);
        assert_eq!(
            (error.status(), error.issues()[0].code),
            (400, "not-supported"),
            "{bad}"
        );
        assert!(error.to_string().contains(named), "{bad}: {error}");
    }
}

#[test]
fn reverse_chains() {
    for (address, expected) in [
        (
            "Location?_has:HealthcareService:location:identifier=a",
            "<HealthcareService.location identifier=a",
        ),
        (
            "HealthcareService?_has:PractitionerRole:service:practitioner.identifier=a",
            "<PractitionerRole.service practitioner>Practitioner identifier=a",
        ),
        (
            "Location?_has:HealthcareService:location:_has:Task:focus:business-status=02",
            "<HealthcareService.location <Task.focus business-status=02",
        ),
        (
            "HealthcareService?organization._has:Task:focus:business-status=02",
            "organization>Organization <Task.focus business-status=02",
        ),
        (
            "Organization?_has:Organization:partof:type:not=1",
            "<Organization.partof !type=1",
        ),
    ] {
        assert_eq!(meaning(address), expected, "{address}");
    }
    for (bad, hint) in [
        (
            "HealthcareService?_has:HealthcareService:focus:x=1",
            "_has:Task:focus:x",
        ),
        (
            "Location?_has:HealthcareService:organization:x=1",
            "_has:HealthcareService:location:x",
        ),
        (
            "Location?_has:Patient:x:y=1",
            "Patient is not a resource type",
        ),
        (
            "Location?_has:Task:focus=1",
            "_has:Type:reference:parameter",
        ),
        ("Location?_has=1", "_has:Type:reference:parameter"),
        ("Location?_has:Task:focus:colour=1", "colour"),
        (
            "Organization?_has:Organization:partof:identifier:above=1",
            ":above follows",
        ),
    ] {
        let (status, code, diagnostics) = refusal(bad);
        assert_eq!((status, code), (400, "not-supported"), "{bad}");
        assert!(diagnostics.contains(hint), "{bad}: {diagnostics}");
    }
}

#[test]
fn the_hierarchy() {
    for (address, expected) in [
        (
            "HealthcareService?organization.identifier:above=X",
            "organization^>Organization identifier=X",
        ),
        (
            "HealthcareService?organization.identifier%3Aabove=X",
            "organization^>Organization identifier=X",
        ),
        (
            "Task?focus:HealthcareService.organization.identifier:above=1",
            "focus>HealthcareService organization^>Organization identifier=1",
        ),
        (
            "Task?focus.identifier:above=1",
            "focus^>Organization identifier=1",
        ),
    ] {
        assert_eq!(meaning(address), expected, "{address}");
    }
    for bad in [
        "HealthcareService?location.identifier:above=X",
        "HealthcareService?organization:above=X",
        "Organization?partof:above=X",
    ] {
        assert_eq!(refusal(bad).0, 400, "{bad}");
    }
}

#[test]
fn unknown_parameters_are_dropped_only_for_those_who_ask() {
    let address = "Location?colour=red&statu=active&type=1";
    let error = read_as(address, Handling::Default).expect_err("refused");
    assert_eq!(error.faults().len(), 2);
    assert!(
        error.issues()[1].diagnostics.contains("nearest: status"),
        "{error}"
    );
    assert_eq!(error.issues()[1].expression, ["http.statu"]);
    assert!(read_as(address, Handling::Strict).is_err());
    let request = read_as(address, Handling::Lenient).expect("accepted");
    assert_eq!(request.warnings.len(), 2);
    assert_eq!(request.canonical_query, "type=1&_count=200");
    let by_default = ParseOptions {
        lenient_by_default: true,
        ..options(Handling::Default)
    };
    let read = |options| parse(schema(), ResourceType::Location, "colour=red", options);
    assert!(read(&by_default).is_ok());
    assert!(
        read(&ParseOptions {
            handling: Handling::Strict,
            ..by_default
        })
        .is_err()
    );
    // Values and modifiers of known parameters are never dropped.
    for bad in [
        "Location?type=",
        "Location?type:contains=1",
        "Location?nb-capacity=x",
    ] {
        assert!(read_as(bad, Handling::Lenient).is_err(), "{bad}");
    }
}

#[test]
fn what_is_not_offered_is_refused() {
    let none = ParseOptions {
        features: Features::NONE,
        ..options(Handling::Lenient)
    };
    for query in [
        "location.type=1",
        "_has:Task:focus:business-status=1",
        "organization.identifier:above=1",
        "organization:below=1",
        "_filter=name+eq+a",
        "_content=a",
        "_elements=id",
        "_summary=true",
        "_sort=organization.name",
    ] {
        let error =
            parse(schema(), ResourceType::HealthcareService, query, &none).expect_err(query);
        assert_eq!(
            (error.status(), error.issues()[0].code),
            (400, "not-supported")
        );
        assert!(error.to_string().contains("not supported yet"), "{error}");
    }
    for query in ["near=1|2", "near-insee-code=44109"] {
        let error = parse(schema(), ResourceType::Location, query, &none).expect_err(query);
        assert!(error.to_string().contains("not supported yet"), "{error}");
    }
    let plain = "name=a&_summary=count&_count=0&_total=none&_include=*&_sort=name";
    assert!(parse(schema(), ResourceType::HealthcareService, plain, &none).is_ok());
}

#[test]
fn limits() {
    let deep = format!("Organization?{}name=x", "partof.".repeat(11));
    assert_eq!(refusal(&deep).1, "too-costly");
    assert!(meaning(&format!("Organization?{}name=x", "partof.".repeat(10))).contains("name^=x"));
    let values = |count| format!("Location?type={}", vec!["1"; count].join(","));
    assert_eq!(refusal(&values(2_001)).1, "too-costly");
    assert!(read_as(&values(2_000), Handling::Default).is_ok());
    let parameters = |count| format!("Location?{}", vec!["type=1"; count].join("&"));
    assert_eq!(refusal(&parameters(501)).1, "too-costly");
    assert!(read_as(&parameters(500), Handling::Default).is_ok());
    let wide = format!("Task?{}identifier=1", "focus._has:Task:focus:".repeat(5));
    assert_eq!(refusal(&wide).1, "too-costly");
}
