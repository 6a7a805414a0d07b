//! Searches over a handful of records whose answers were worked out by hand, to keep the reference honest.

use super::Reference;
use crate::kinds::Kind;
use crate::queries::{Criterion, Include, Modifier, Prefix, Query, Step, Term, Test};
use serde_json::{Value as Json, json};

const CAPACITY: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity";
const R352: &str = "https://mos.esante.gouv.fr/NOS/TRE_R352-StatutMetierAnomalie/FHIR/TRE-R352-StatutMetierAnomalie";

fn line(kind: &str, status: &str, count: i64) -> Json {
    json!({"url": CAPACITY, "extension": [
        {"url": "capacityType", "valueCodeableConcept": {"coding": [{"code": kind}]}},
        {"url": "capacityStatus", "valueCode": status},
        {"url": "nbCapacity", "valueInteger": count}]})
}

fn records() -> Vec<Json> {
    let organization = |id: &str, parent: &str, number: &str| {
        json!({"resourceType": "Organization", "id": id, "name": format!("Pôle {id}"),
            "identifier": [{"system": "http://finess.esante.gouv.fr", "value": number}],
            "partOf": {"reference": format!("Organization/{parent}")}})
    };
    vec![
        organization("a", "b", "1"),
        organization("b", "c", "2"),
        organization("c", "a", "2"),
        organization("d", "gone", "4"),
        json!({"resourceType": "Location", "id": "one", "extension": [line("01", "02", 0), line("02", "01", 5)],
            "managingOrganization": {"reference": "Organization/a"}}),
        json!({"resourceType": "Location", "id": "two", "extension": [line("01", "01", 5), line("01", "02", 0)]}),
        json!({"resourceType": "Task", "id": "t", "meta": {"lastUpdated": "2026-01-01T00:00:00Z"},
            "businessStatus": {"coding": [{"system": R352, "code": "Ab"}]},
            "focus": {"identifier": {"value": "2"}}, "authoredOn": "2025-13-01"}),
        json!({"resourceType": "Task", "id": "t", "focus": {"reference": "Organization/d"}}),
        json!({"resourceType": "Task", "id": "u", "authoredOn": "2025-06",
            "focus": {"reference": "Organization/gone", "identifier": {"value": "2"}}}),
        json!({"resourceType": "HealthcareService", "id": "h",
            "providedBy": {"reference": "https://x.example/fhir/Organization/c/_history/2"},
            "notAvailable": [{"id": "closingReopeningDate", "during": {"start": "2025-03-01"}}]}),
    ]
}

fn test(code: &'static str, modifier: Modifier, terms: Vec<Term>) -> Test {
    Test {
        code,
        modifier,
        terms,
    }
}

fn code(text: &str) -> Vec<Term> {
    vec![Term::Token {
        system: None,
        code: Some(text.to_owned()),
    }]
}

fn link(id: &str) -> Vec<Term> {
    vec![Term::Reference {
        kind: None,
        id: id.to_owned(),
        absolute: false,
    }]
}

fn at_root(kind: Kind, tests: Vec<Test>) -> Query {
    Query {
        kind,
        criteria: tests
            .into_iter()
            .map(|test| Criterion {
                path: Vec::new(),
                test,
            })
            .collect(),
        filters: Vec::new(),
        includes: Vec::new(),
        sort: Vec::new(),
        count: None,
        elements: Vec::new(),
        summary: None,
    }
}

fn found(query: &Query) -> Vec<String> {
    let reference = Reference::load(&records(), true);
    let matches = reference.matches(query);
    let ids = matches
        .into_iter()
        .map(|at| reference.resources[at].id.clone());
    ids.collect()
}

#[test]
fn parameters_of_a_group_meet_in_one_line() {
    let beds = vec![
        test("capacity-type", Modifier::None, code("01")),
        test("capacity-status", Modifier::None, code("02")),
    ];
    assert_eq!(
        found(&at_root(Kind::Location, beds.clone())),
        ["one", "two"]
    );
    let mut free = beds;
    free.push(test(
        "nb-capacity",
        Modifier::None,
        vec![Term::Number(Prefix::Gt, "0".to_owned())],
    ));
    assert!(found(&at_root(Kind::Location, free.clone())).is_empty());
    free[1].terms = code("01");
    assert_eq!(found(&at_root(Kind::Location, free)), ["two"]);
    let other = test("capacity-type", Modifier::Not, code("02"));
    assert_eq!(found(&at_root(Kind::Location, vec![other])), ["two"]);
}

#[test]
fn logical_references_resolve_only_without_a_literal() {
    // The older record of `t` points to `d`; the newer one by number to `b` and `c`.
    let focus = |id| at_root(Kind::Task, vec![test("focus", Modifier::None, link(id))]);
    assert_eq!(found(&focus("b")), ["t"]);
    assert_eq!(found(&focus("c")), ["t"]);
    assert!(found(&focus("d")).is_empty() && found(&focus("gone")).is_empty());
    let by_number = test("focus", Modifier::Identifier, code("2"));
    assert_eq!(found(&at_root(Kind::Task, vec![by_number])), ["t", "u"]);
    let missing = test("focus", Modifier::Missing(true), Vec::new());
    assert!(found(&at_root(Kind::Task, vec![missing])).is_empty());
}

#[test]
fn unreadable_dates_are_no_values_and_some_codes_ignore_case() {
    let undated = test("authored-on", Modifier::Missing(true), Vec::new());
    assert_eq!(found(&at_root(Kind::Task, vec![undated])), ["t"]);
    let status = test("business-status", Modifier::None, code("aB"));
    assert_eq!(found(&at_root(Kind::Task, vec![status])), ["t"]);
}

#[test]
fn chains_climb_cycles_once() {
    let mut above = at_root(
        Kind::HealthcareService,
        vec![test("identifier", Modifier::Above, code("2"))],
    );
    above.criteria[0].path = vec![Step::To {
        code: "organization",
        target: None,
    }];
    assert_eq!(found(&above), ["h"]);
    above.criteria[0].test.terms = code("1");
    assert_eq!(found(&above), ["h"]);
    above.criteria[0].test.terms = code("4");
    assert!(found(&above).is_empty());
    let below = test("organization", Modifier::Below, link("b"));
    assert_eq!(found(&at_root(Kind::HealthcareService, vec![below])), ["h"]);
}

#[test]
fn an_open_period_is_after_everything_but_starts_once() {
    let closing = |prefix| {
        let term = Term::Date(prefix, "2025-06".to_owned());
        let tests = vec![test(
            "notavailable-closing-reopeningdate",
            Modifier::None,
            vec![term],
        )];
        found(&at_root(Kind::HealthcareService, tests))
    };
    for prefix in [Prefix::Gt, Prefix::Ge, Prefix::Lt, Prefix::Le, Prefix::Ne] {
        assert_eq!(closing(prefix), ["h"], "{prefix:?}");
    }
    for prefix in [Prefix::Eq, Prefix::Sa, Prefix::Eb] {
        assert!(closing(prefix).is_empty(), "{prefix:?}");
    }
}

#[test]
fn includes_walk_a_cycle_and_leave_matches_out() {
    let mut query = at_root(
        Kind::Organization,
        vec![test("_id", Modifier::None, code("a"))],
    );
    query.includes.push(Include {
        reverse: false,
        iterate: true,
        source: Some(Kind::Organization),
        code: Some("partof"),
        target: None,
    });
    let reference = Reference::load(&records(), true);
    let matches = reference.matches(&query);
    let page: Vec<usize> = matches.iter().copied().collect();
    let names = |query: &Query| -> Vec<String> {
        let included = reference.included(query, &page, &matches);
        included
            .into_iter()
            .map(|at| reference.resources[at].name())
            .collect()
    };
    assert_eq!(names(&query), ["Organization/b", "Organization/c"]);
    query.includes[0].iterate = false;
    assert_eq!(names(&query), ["Organization/b"]);
}
