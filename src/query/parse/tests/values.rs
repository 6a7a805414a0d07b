//! Values of each type, lists, escapes, prefixes and modifiers.

use super::{NOW, meaning, read, refusal};
use crate::query::criterion::{Criterion, Test};

#[test]
fn lists_are_any_and_repetitions_all() {
    assert_eq!(meaning("Location"), "all");
    assert_eq!(meaning("Location?&&"), "all");
    assert_eq!(
        meaning("Location?status=active,suspended&identifier=a"),
        "((status=active | status=suspended) & identifier=a)"
    );
    assert_eq!(
        meaning("Location?identifier=a&identifier=b"),
        "(identifier=a & identifier=b)"
    );
}

#[test]
fn tokens() {
    assert_eq!(
        meaning("Location?type=http://x/s|1,2,|3,http://x/s|"),
        "(type=s|1 | type=2 | type=|3 | type=s|*)"
    );
    assert_eq!(
        meaning(r"Location?identifier=a%5C,b%5C%7Cc"),
        "identifier=a,b|c"
    );
    assert_eq!(meaning("Location?type:not=1,2"), "!(type=1 | type=2)");
    assert_eq!(meaning("Location?type=gt227"), "type=gt227");
    assert_eq!(
        meaning("Location?identifier:of-type=urn:s|25|52/1"),
        "identifier:of-type=urn:s|25|52/1"
    );
    for bad in [
        "Location?identifier:of-type=35",
        "Location?identifier:of-type=a||c",
        "Location?identifier=a|b|c",
        "Location?identifier=|",
        "Location?identifier=",
        "Location?identifier",
        "Location?identifier=a,,b",
    ] {
        assert_eq!(refusal(bad).0, 400, "{bad}");
    }
}

#[test]
fn modifiers_that_do_not_fit_are_refused_by_name() {
    for (address, named) in [
        (
            "Location?address-postalcode:text=44",
            "address-postalcode:text",
        ),
        (
            "HealthcareService?specialty:contains=1",
            "specialty:contains",
        ),
        ("HealthcareService?specialty:in=1", "specialty:in"),
        ("HealthcareService?specialty:below=1", "specialty:below"),
        ("Organization?identifier:above=1", "identifier:above"),
        ("Location?type:of-type=a|b|c", "type:of-type"),
        ("HealthcareService?name:not=chu", "name:not"),
        (
            "HealthcareService?age-range-low:exact=5",
            "age-range-low:exact",
        ),
        ("Location?_lastUpdated:not=2022", "_lastUpdated:not"),
        (
            "HealthcareService?organization:contains=1",
            "organization:contains",
        ),
        ("HealthcareService?organization:not=1", "organization:not"),
        ("HealthcareService?location:below=1", "location:below"),
        ("Location?near:exact=1|2", "near:exact"),
        (
            "HealthcareService?organization.name:exact:above=1",
            "exact:above",
        ),
    ] {
        let (status, code, diagnostics) = refusal(address);
        assert_eq!((status, code), (400, "not-supported"), "{address}");
        assert!(diagnostics.contains(named), "{address}: {diagnostics}");
    }
}

#[test]
fn strings() {
    assert_eq!(
        meaning("HealthcareService?name=L%E2%80%99H%C3%B4pital,CHU"),
        "(name^=l hopital | name^=chu)"
    );
    assert_eq!(
        meaning("HealthcareService?name:exact=H%C3%B4pital"),
        "name=='Hôpital'"
    );
    assert_eq!(
        meaning("HealthcareService?name:contains=chu+de"),
        "name*=chu de"
    );
    assert_eq!(meaning("HealthcareService?name=a%5C,b"), "name^=a,b");
    // Nothing left to compare would match everything.
    assert_eq!(refusal("HealthcareService?name=-").0, 400);
    assert_eq!(refusal("HealthcareService?name:contains=%27").0, 400);
}

#[test]
fn missing_takes_true_or_false_and_works_on_every_type() {
    for name in [
        "name",
        "identifier",
        "location",
        "age-range-low",
        "_lastUpdated",
    ] {
        assert_eq!(
            meaning(&format!("HealthcareService?{name}:missing=true")),
            format!("!{name}?")
        );
        assert_eq!(
            meaning(&format!("HealthcareService?{name}:missing=false")),
            format!("{name}?")
        );
    }
    assert_eq!(
        meaning("Location?nb-capacity:missing=false"),
        "nb-capacity?"
    );
    assert_eq!(meaning("Location?near:missing=true"), "!near?");
    for bad in ["maybe", "", "true,false", "TRUE"] {
        assert_eq!(refusal(&format!("Location?type:missing={bad}")).0, 400);
    }
    assert_eq!(refusal("Location?_content:missing=true").0, 400);
}

#[test]
fn dates() {
    assert_eq!(
        meaning("Location?_lastUpdated=ge2023-08-02"),
        "_lastUpdated ge 86400s"
    );
    assert_eq!(
        meaning("Location?_lastUpdated=2022-11-06T15:00"),
        "_lastUpdated eq 60s"
    );
    let with_plus = read("Location?_lastUpdated=2024-01-01T00:00:00%2B01:00").criterion;
    assert_eq!(
        read("Location?_lastUpdated=2024-01-01T00:00:00+01:00").criterion,
        with_plus
    );
    assert_eq!(
        read("Location?_lastUpdated=2024-01-01T00:00:00%2001:00").criterion,
        with_plus
    );
    for bad in [
        "ge2022-13-01",
        "yesterday",
        "2022-11-06T25:00",
        "ge",
        "xx2022",
        "2022-02-30",
    ] {
        let (status, code, diagnostics) = refusal(&format!("Location?_lastUpdated={bad}"));
        assert_eq!((status, code), (400, "invalid"), "{bad}");
        assert!(
            diagnostics.contains(&format!("_lastUpdated={bad}")),
            "{diagnostics}"
        );
    }
}

#[test]
fn about_a_date_is_a_tenth_of_its_distance_from_the_present() {
    let range = |address: &str| match read(address).criterion {
        Criterion::Test {
            test: Test::Date { range, .. },
            ..
        } => range,
        other => panic!("{other:?}"),
    };
    let plain = range("Location?_lastUpdated=2020-01-01T00:00:00Z");
    let about = range("Location?_lastUpdated=ap2020-01-01T00:00:00Z");
    let margin = (NOW - plain.high) / 10;
    assert_eq!(
        (about.low, about.high),
        (plain.low - margin, plain.high + margin)
    );
    let plain = range("Location?_lastUpdated=2030-01-01T00:00:00Z");
    let about = range("Location?_lastUpdated=ap2030-01-01T00:00:00Z");
    assert_eq!(plain.low - about.low, (plain.low - NOW) / 10);
    assert_eq!(
        range("Location?_lastUpdated=ap2026"),
        range("Location?_lastUpdated=2026")
    );
}

#[test]
fn numbers_and_quantities() {
    assert_eq!(meaning("Location?nb-capacity=gt0"), "nb-capacity gt 0~0.5");
    assert_eq!(meaning("Location?nb-capacity=1.0"), "nb-capacity eq 1~0.05");
    assert_eq!(
        meaning("HealthcareService?age-range-low=le35"),
        "age-range-low le 35 a"
    );
    assert_eq!(
        meaning("HealthcareService?age-range-low=ne6|https://unitsofmeasure.org|mo"),
        "age-range-low ne 6 mo"
    );
    assert_eq!(
        meaning("Location?limit-value=ge200"),
        "limit-value ge 200 -"
    );
    for bad in ["gtabc", "xx5", "1.2.3", "ge", "gegt5"] {
        assert_eq!(
            refusal(&format!("Location?nb-capacity={bad}")).0,
            400,
            "{bad}"
        );
        assert_eq!(
            refusal(&format!("Location?limit-value={bad}")).0,
            400,
            "{bad}"
        );
    }
    let (status, code, _) = refusal("HealthcareService?age-range-low=5||zorglub");
    assert_eq!((status, code), (400, "value"));
}

#[test]
fn references() {
    for (address, expected) in [
        ("HealthcareService?organization=12", "organization->12"),
        (
            "HealthcareService?organization=Organization/12",
            "organization->Organization/12",
        ),
        (
            "HealthcareService?organization=http://ror.test/fhir/Organization/12",
            "organization->Organization/12",
        ),
        (
            "HealthcareService?organization=http://else.test/fhir/Organization/12",
            "nothing",
        ),
        (
            "HealthcareService?organization:Organization=12",
            "organization->Organization/12",
        ),
        (
            "HealthcareService?organization:Organization=Location/12",
            "nothing",
        ),
        (
            "HealthcareService?organization:below=12",
            "organization->>Organization/12",
        ),
        (
            "Organization?partof:below=Organization/1,2",
            "(partof->>Organization/1 | partof->>Organization/2)",
        ),
        ("Task?focus:identifier=http://x/s|1", "focus~>s|1"),
        (
            "HealthcareService?organization:identifier=1",
            "organization~>1",
        ),
        (
            "Task?focus:HealthcareService=7",
            "focus->HealthcareService/7",
        ),
    ] {
        assert_eq!(meaning(address), expected, "{address}");
    }
    for bad in [
        "HealthcareService?organization=a/b/c",
        "HealthcareService?organization:Location=1",
        "Task?focus:Patient=1",
        "Organization?partof:Task=1",
    ] {
        assert_eq!(refusal(bad).0, 400, "{bad}");
    }
}

#[test]
fn proximity() {
    assert_eq!(meaning("Location?near=47.2|-1.6"), "near @47.2,-1.6 25000");
    assert_eq!(
        meaning("Location?near=47.2|-1.6|15|km"),
        "near @47.2,-1.6 15000"
    );
    assert_eq!(meaning("Location?near=47.2|-1.6|0"), "near @47.2,-1.6 0");
    assert_eq!(
        meaning("Location?near=-20.9|55.4|500|m"),
        "near @-20.9,55.4 500"
    );
    assert_eq!(meaning("Location?near=1|2|10|mi"), "near @1,2 16093.44");
    assert_eq!(
        read("Location?near=47.2|-1.6").canonical_query,
        "near=47.2%7C-1.6%7C25%7Ckm&_count=200"
    );
    for bad in [
        "word",
        "47.2",
        "latitude|longitude",
        "95|181",
        "1|2|-5",
        "1|2|",
        "1|2||km",
        "1|2|5|league",
        "1|2|3|km|5",
        "inf|1",
        "nan|nan",
        "0x1|2",
        "47,2|1",
    ] {
        assert_eq!(refusal(&format!("Location?near={bad}")).0, 400, "{bad}");
    }
    assert!(refusal("Location?near=148.2|-21").2.contains("swapped"));
    assert!(!refusal("Location?near=195|20").2.contains("swapped"));
}

#[test]
fn communes() {
    assert!(meaning("Location?near-insee-code=44162|15|km").starts_with("near-insee-code @47.2"));
    assert!(meaning("Location?near-insee-code=2A004").ends_with(" 25000"));
    assert!(
        read("Location?near-insee-code=97411|5")
            .canonical_query
            .starts_with("near-insee-code=97411%7C5%7Ckm")
    );
    let unknown = read("Location?near-insee-code=99999");
    assert_eq!(unknown.criterion, Criterion::Nothing);
    assert_eq!(unknown.warnings.len(), 1);
    assert!(unknown.near.is_none());
    let (known, _) = (meaning("Location?near-insee-code=99999,44162"), ());
    assert!(known.starts_with("near-insee-code @"));
    for bad in ["4416", "441620", "2C004", "4416é", "44 162", "2a004"] {
        assert_eq!(
            refusal(&format!("Location?near-insee-code={bad}")).0,
            400,
            "{bad}"
        );
    }
}

#[test]
fn full_text() {
    assert_eq!(
        meaning("HealthcareService?_content=l'H%C3%B4pital+de+jour,+jour"),
        r#"_content~["hopital", "de", "jour"][]"#
    );
    assert_eq!(
        meaning("HealthcareService?_content=cardio+%22soins+intensifs%22"),
        r#"_content~["cardio"][["soins", "intensifs"]]"#
    );
    for bad in ["%22open", "-", "%22%22"] {
        assert_eq!(
            refusal(&format!("HealthcareService?_content={bad}")).0,
            400,
            "{bad}"
        );
    }
    assert!(read("Location?_content=a").content);
    assert!(!read("HealthcareService?location._content=a").content);
}

#[test]
fn text_that_is_not_text_is_refused() {
    for bad in [
        "identifier=%zz",
        "identifier=%ff",
        "identifier=%4",
        "%C3=1",
        "identifier=%00",
    ] {
        let (status, code, _) = refusal(&format!("Location?{bad}"));
        assert_eq!((status, code), (400, "invalid"), "{bad}");
    }
}
