//! What filters mean, and where they are refused.

use crate::query::parse::Handling;
use crate::query::parse::tests::{meaning, read, read_as, refusal};

fn filtered(kind: &str, text: &str) -> String {
    meaning(&format!("{kind}?_filter={}", encoded(text)))
}

fn refused(kind: &str, text: &str) -> (&'static str, String) {
    let (status, code, diagnostics) = refusal(&format!("{kind}?_filter={}", encoded(text)));
    assert_eq!(status, 400, "{text}");
    (code, diagnostics)
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[test]
fn and_and_or_go_from_left_to_right() {
    for (text, expected) in [
        ("status eq active", "status=active"),
        ("type eq 1 and status eq active", "(type=1 & status=active)"),
        (
            "type eq 1 or type eq 2 and status eq a",
            "((type=1 | type=2) & status=a)",
        ),
        (
            "type eq 1 or (type eq 2 and status eq a)",
            "(type=1 | (type=2 & status=a))",
        ),
        ("not (type eq 1) and status eq a", "(!type=1 & status=a)"),
        ("not(not(type eq 1))", "type=1"),
        ("((type eq 1))", "type=1"),
        (
            "type eq 1 or type eq 2 or type eq 3",
            "(type=1 | type=2 | type=3)",
        ),
    ] {
        assert_eq!(filtered("Location", text), expected, "{text}");
    }
}

#[test]
fn operators_that_fit() {
    for (kind, text, expected) in [
        ("Location", "type ne 1", "!type=1"),
        ("HealthcareService", "name eq Chu", "name^=chu"),
        ("HealthcareService", "name sw \"CHU de\"", "name^=chu de"),
        ("HealthcareService", "name co 'x", "name*=x"),
        ("HealthcareService", "name ew nord", "name$=nord"),
        (
            "HealthcareService",
            "name:exact eq \"A, B\"",
            "name=='A, B'",
        ),
        ("Location", "nb-capacity gt 0", "nb-capacity gt 0~0.5"),
        ("Location", "nb-capacity ne 0", "!nb-capacity eq 0~0.5"),
        (
            "HealthcareService",
            "age-range-low le 35|https://unitsofmeasure.org|a",
            "age-range-low le 35 a",
        ),
        (
            "Location",
            "_lastUpdated ge 2022-11-06T15:00",
            "_lastUpdated ge 60s",
        ),
        (
            "Location",
            "_lastUpdated po 2022-11-06",
            "_lastUpdated ap 86400s",
        ),
        (
            "Location",
            "_lastUpdated eq 2022-11-06T15:00:00 01:00 and type eq 1",
            "(_lastUpdated eq 1s & type=1)",
        ),
        ("Location", "type pr true", "type?"),
        ("Location", "type pr false", "!type?"),
        (
            "HealthcareService",
            "organization re Organization/1",
            "organization->Organization/1",
        ),
        ("HealthcareService", "organization eq 1", "organization->1"),
        (
            "HealthcareService",
            "organization:below eq 1",
            "organization->>Organization/1",
        ),
        (
            "HealthcareService",
            "_content co cardio",
            r#"_content~["cardio"][]"#,
        ),
        (
            "HealthcareService",
            "_content eq \"soins \\\"de jour\\\"\"",
            r#"_content~["soins"][["de", "jour"]]"#,
        ),
        (
            "Location",
            "near eq 47|1|15|[mi_us]",
            "near @47,1 24140.20828",
        ),
        ("Location", "type eq 1,2", "(type=1 | type=2)"),
        ("Location", "type:not eq 1", "!type=1"),
        (
            "Location",
            "identifier:of-type eq s|1|2",
            "identifier:of-type=s|1|2",
        ),
    ] {
        let got = filtered(kind, text);
        assert!(got.starts_with(expected), "{text}: {got}");
    }
}

#[test]
fn operators_that_do_not_fit() {
    for (text, named) in [
        ("type gt 1", "gt does not fit type"),
        ("type co 1", "co does not fit"),
        ("type in http://vs", "value sets"),
        ("type ni http://vs", "value sets"),
        ("type ss 1", "no hierarchy"),
        ("type sb 1", "no hierarchy"),
        ("address-city gt a", "gt does not fit"),
        ("nb-capacity po 1", "po does not fit"),
        ("nb-capacity sw 1", "sw does not fit"),
        ("organization co 1", "co does not fit"),
        ("near co 1|2", "near"),
        ("_content pr true", "pr"),
        ("type:not pr true", "pr"),
    ] {
        let (code, diagnostics) = refused("Location", text);
        assert_eq!(code, "not-supported", "{text}");
        assert!(diagnostics.contains(named), "{text}: {diagnostics}");
    }
}

#[test]
fn paths() {
    for (kind, text, expected) in [
        (
            "HealthcareService",
            "organization.type:above eq 1",
            "organization^>Organization type=1",
        ),
        (
            "HealthcareService",
            "organization.type ne 1",
            "!organization>Organization type=1",
        ),
        (
            "HealthcareService",
            "organization.type pr false",
            "organization>Organization !type?",
        ),
        (
            "HealthcareService",
            "_has:Task:focus:business-status eq 02",
            "<Task.focus business-status=02",
        ),
        (
            "HealthcareService",
            "_has:PractitionerRole:service:practitioner.identifier eq 1",
            "<PractitionerRole.service practitioner>Practitioner identifier=1",
        ),
        (
            "Task",
            "focus.name eq x",
            "(focus>Organization name^=x | focus>HealthcareService name^=x)",
        ),
    ] {
        assert_eq!(filtered(kind, text), expected, "{text}");
    }
}

#[test]
fn brackets() {
    for (kind, text, expected) in [
        (
            "Location",
            "supported-capacity[capacity-type eq 01 and capacity-status eq 02 and nb-capacity gt 0] pr true",
            "supported-capacity[(capacity-type=01 & capacity-status=02 & nb-capacity gt 0~0.5)]",
        ),
        (
            "HealthcareService",
            "location[near eq 47|1|15|km and type eq 001] pr true",
            "location>Location (near @47,1 15000 & type=001)",
        ),
        (
            "HealthcareService",
            "location.supported-capacity[nb-capacity gt 0 and not (capacity-status eq 3)] pr true",
            "location>Location supported-capacity[(nb-capacity gt 0~0.5 & !capacity-status=3)]",
        ),
        (
            "HealthcareService",
            "location.supported-capacity[nb-capacity gt 0] pr false",
            "location>Location !supported-capacity[nb-capacity gt 0~0.5]",
        ),
        (
            "HealthcareService",
            "location[type eq 1] pr false",
            "!location>Location type=1",
        ),
        (
            "HealthcareService",
            "location[type eq 1].status eq a",
            "location>Location (type=1 & status=a)",
        ),
        (
            "HealthcareService",
            "location[type eq 1].status ne a",
            "!location>Location (type=1 & status=a)",
        ),
        (
            "HealthcareService",
            "location[type eq 1].supported-capacity[capacity-type eq 1] pr true",
            "location>Location (type=1 & supported-capacity[capacity-type=1])",
        ),
        (
            "Location",
            "supported-capacity[capacity-type eq 1].nb-capacity gt 0",
            "supported-capacity[(capacity-type=1 & nb-capacity gt 0~0.5)]",
        ),
        (
            "Location",
            "equipment[equipment-type eq 1 and limit-value ge 2] pr true",
            "equipment[(equipment-type=1 & equipment-limit[limit-value ge 2 -])]",
        ),
        (
            "Location",
            "equipment[equipment-type eq 1 and equipment-limit[equipment-feature eq 1 and limit-value ge 2] pr true] pr true",
            "equipment[(equipment-type=1 & equipment-limit[(equipment-feature=1 & limit-value ge 2 -)])]",
        ),
        (
            "Task",
            "focus[address-city eq x] pr true",
            "focus>Location address-city^=x",
        ),
        (
            "Task",
            "focus:Organization[name eq x] pr true",
            "focus>Organization name^=x",
        ),
        (
            "Organization",
            "_has:HealthcareService:organization:location[type eq 1] pr true",
            "<HealthcareService.organization location>Location type=1",
        ),
    ] {
        assert_eq!(filtered(kind, text), expected, "{text}");
    }
    // Without brackets nothing correlates.
    assert_eq!(
        filtered("Location", "capacity-type eq 1 and nb-capacity gt 0"),
        "(capacity-type=1 & nb-capacity gt 0~0.5)"
    );
    for (kind, text, named) in [
        (
            "Location",
            "supported-capacity[type eq 1] pr true",
            "not read from supported-capacity",
        ),
        (
            "Location",
            "supported-capacity[equipment[equipment-type eq 1] pr true] pr true",
            "not read from",
        ),
        (
            "Location",
            "supported-capacity[organization.name eq 1] pr true",
            "not read from",
        ),
        (
            "Location",
            "equipment-limit[equipment-type eq 1] pr true",
            "not read from equipment-limit",
        ),
        (
            "Location",
            "type[status eq a] pr true",
            "neither a repeating group",
        ),
        ("Location", "colour[status eq a] pr true", "colour"),
        (
            "Location",
            "supported-capacity[capacity-type eq 1] eq 1",
            "after a bracket comes",
        ),
        (
            "Location",
            "supported-capacity[capacity-type eq 1] pr maybe",
            "true or false",
        ),
        (
            "Location",
            "supported-capacity[] pr true",
            "an expression is expected",
        ),
        ("Task", "focus:Patient[name eq x] pr true", "focus:Patient"),
        ("Task", "focus[colour eq x] pr true", "colour"),
    ] {
        let (_, diagnostics) = refused(kind, text);
        assert!(diagnostics.contains(named), "{text}: {diagnostics}");
    }
}

#[test]
fn faults_have_their_place() {
    for (text, place) in [
        ("", "character 1"),
        ("type", "character 5 (the end)"),
        ("type eq", "character 8 (the end)"),
        ("(type eq 1", "character 1 "),
        ("type eq 1)", "character 10"),
        ("type eq 1]", "character 10"),
        ("address-city eq \"é\" type eq 2", "character 21"),
        ("type eq 1 and colour eq 2", "character 15 (`colour eq 2`)"),
        ("type equals 1", "character 6"),
        ("type EQ 1", "character 6"),
        ("22 or type eq 1", "character 4"),
        ("\"22\" or type eq 1", "character 1"),
        ("type=1", "character 5"),
        ("not type eq 1", "character 5"),
        ("type eq and", "character 9"),
        ("type eq \"1", "character 9"),
        ("type eq 1 and 2", "character 15"),
        ("(type eq 1) or 2", "character 16"),
        ("type pr true or false", "character 17"),
        ("nb-capacity gt abc", "character 16 (`abc`)"),
        ("nb-capacity gt gt5", "character 16"),
        ("_lastUpdated ge yesterday", "character 17"),
        ("type eq 1 or", "character 13 (the end)"),
        ("type eq 1 or or type eq 2", "character 14"),
    ] {
        let (code, diagnostics) = refused("Location", text);
        assert!(diagnostics.contains(place), "{text}: {diagnostics}");
        assert!(
            ["invalid", "not-supported"].contains(&code),
            "{text}: {code}"
        );
    }
    // Names inside a filter were meant: leniency does not drop them.
    assert!(read_as("Location?_filter=colour+eq+1", Handling::Lenient).is_err());
}

#[test]
fn lists_repeat_the_parameter() {
    for (text, expected) in [
        (
            "(address-postalcode eq \"22\" or \"29\" or 35)",
            "(address-postalcode^=22 | address-postalcode^=29 | address-postalcode^=35)",
        ),
        (
            "type eq a|1 or b|2 and status eq x",
            "((type=a|1 | type=b|2) & status=x)",
        ),
        ("type eq 1 or 2 or type eq 3", "(type=1 | type=2 | type=3)"),
        ("type ne 1 or 2", "(!type=1 | !type=2)"),
        (
            "_content=cardio or organization._content=cardio",
            r#"(_content~["cardio"][] | organization>Organization _content~["cardio"][])"#,
        ),
    ] {
        assert_eq!(filtered("Location", text), expected, "{text}");
    }
    assert_eq!(
        read("Location?_filter=type+eq+1+or+2+or+3").warnings.len(),
        1
    );
}

#[test]
fn costs_are_bounded() {
    let nested = |depth: usize| format!("{}type eq 1{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(filtered("Location", &nested(64)), "type=1");
    assert_eq!(refused("Location", &nested(65)).0, "too-costly");
    assert_eq!(refused("Location", &"(".repeat(100_000)).0, "too-costly");
    assert_eq!(refused("Location", &"not(".repeat(100_000)).0, "too-costly");
    assert_eq!(refused("Location", &"a[".repeat(100_000)).0, "too-costly");
    let long = |count: usize| vec!["type eq 1"; count].join(" or ");
    assert!(filtered("Location", &long(1_000)).len() > 1_000);
    assert_eq!(refused("Location", &long(1_001)).0, "too-costly");
    assert_eq!(
        refused(
            "Location",
            &format!("type eq {}", vec!["1"; 2_001].join(","))
        )
        .0,
        "too-costly"
    );
    let zigzag = "type eq 1 or type eq 2 and ".repeat(200) + "type eq 3";
    assert_eq!(refused("Location", &zigzag).0, "too-costly");
    // Each bracket over an untyped reference is read once for each type.
    let turn = "focus[_has:Task:focus:";
    let wide = format!(
        "{}identifier eq 1{}",
        turn.repeat(12),
        "] pr true".repeat(12)
    );
    assert_eq!(refused("Task", &wide).0, "too-costly");
}
