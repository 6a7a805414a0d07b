//! Hostile input: a bounded run of the properties that the fuzz targets explore, and the limits that bound the work.

#[path = "../../fuzz/properties.rs"]
mod properties;

use proptest::prelude::*;
use rorqual::query::parse::{Features, GroupMatching, ParseOptions, parse};
use rorqual::{Handling, ResourceType, Schema};

/// Pieces of which requests are made, so that much of what is drawn gets past the first characters.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "specialty",
        "location.near",
        "organization.type:above",
        "_filter",
        "_has:Task:focus:business-status",
        "_sort",
        "_include",
        "_count",
        "_lastUpdated",
        "age-range-low",
        "location.capacity-type",
        "location.nb-capacity",
        "name",
        "identifier:of-type",
        "_content",
        "_elements",
        "=",
        "&",
        "|",
        ",",
        "(",
        ")",
        "[",
        "]",
        " and ",
        " or ",
        "not ",
        " eq ",
        " ge ",
        " pr true",
        "\"",
        "\\",
        "%",
        "%2",
        "%C3%28",
        "+",
        ":",
        ".",
        "013",
        "ge2024-01-01",
        "47.2|-1.5|15|km",
        "44109|5",
        "2024-02-30",
        "le35|http://unitsofmeasure.org|a",
        "cardio",
        "é",
        "\u{0}",
        "*",
        "HealthcareService:organization",
    ]);
    prop::collection::vec(
        prop_oneof![4 => piece.prop_map(str::to_owned), 1 => any::<String>()],
        0..24,
    )
    .prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn query_strings(text in pieces()) {
        properties::query(&text);
    }

    #[test]
    fn filters(text in pieces()) {
        properties::filter(&text);
    }

    #[test]
    fn dates(text in prop_oneof!["[0-9]{4}(-[0-9]{2}){0,2}(T[0-9]{2}(:[0-9]{2}){1,2}(\\.[0-9]{1,9})?(Z|[+ -][0-9]{2}:[0-9]{2})?)?", any::<String>()]) {
        properties::date(&text);
    }

    #[test]
    fn tokens(text in prop_oneof!["[a-z|,$\\\\]{0,12}", any::<String>()]) {
        properties::token(&text);
    }
}

fn refused(query: &str) -> (u16, String) {
    let schema = Schema::embedded().expect("the embedded schema is sound");
    let options = ParseOptions {
        handling: Handling::Default,
        lenient_by_default: false,
        base_url: "http://127.0.0.1:8080/fhir",
        now: 0,
        group_matching: GroupMatching::SameLine,
        features: Features::ALL,
    };
    let error = parse(&schema, ResourceType::HealthcareService, query, &options)
        .expect_err("it is too much");
    let issue = error
        .issues()
        .iter()
        .find(|issue| issue.code == "too-costly")
        .cloned();
    (
        error.status(),
        issue.map(|issue| issue.diagnostics).unwrap_or_default(),
    )
}

/// What would cost too much is refused as such, naming the limit, before any of it is done.
#[test]
fn limits_are_told() {
    let many_values = format!("specialty={}", vec!["013"; 2_001].join(","));
    let many_parameters = vec!["specialty=013"; 501].join("&");
    let deep_filter = format!(
        "_filter={}specialty eq 1{}",
        "(".repeat(20_000),
        ")".repeat(20_000)
    );
    let wide_filter = format!("_filter={}", vec!["specialty eq 1"; 3_000].join(" or "));
    let deep_chain = format!("organization.{}name=a", "partof.".repeat(40));
    for query in [
        many_values,
        many_parameters,
        deep_filter,
        wide_filter,
        deep_chain,
    ] {
        let (status, diagnostics) = refused(&query);
        assert_eq!(status, 400, "{}", &query[..40]);
        assert!(
            diagnostics.contains("at most"),
            "{}: {diagnostics}",
            &query[..40]
        );
    }
}
