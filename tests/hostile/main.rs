//! Hostile input: a bounded run of the properties that the fuzz targets explore, and the limits that bound the work.

#[path = "../../fuzz/properties.rs"]
mod properties;
#[path = "../../fuzz/recovering.rs"]
mod recovering;

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

/// Bytes that begin like a segment of the log, and any others.
fn segments() -> impl Strategy<Value = Vec<u8>> {
    let headed = prop::collection::vec(any::<u8>(), 0..400).prop_map(|rest| {
        let mut bytes = rorqual_anomaly::log::MAGIC.to_vec();
        bytes.extend(rorqual_anomaly::log::FORMAT_VERSION.to_le_bytes());
        bytes.extend(rest);
        bytes
    });
    prop_oneof![headed, prop::collection::vec(any::<u8>(), 0..400)]
}

/// Payloads of the shape that the log holds, and of about that shape.
fn records() -> impl Strategy<Value = String> {
    let body = prop::sample::select(vec![
        "{}",
        "{\"a\": [1, 1e400, \"\\ud800\"]}",
        "null",
        " {\"id\" : \"x\"} ",
        "[",
        "{\"a\":1}}",
    ]);
    let version = (any::<String>(), body)
        .prop_map(|(id, body)| format!("{{\"id\":{},\"body\":{body}}}", serde_json::json!(id)));
    let versions = prop::collection::vec(version, 0..4);
    (any::<i64>(), any::<i128>(), versions).prop_map(|(instant, identifier, versions)| {
        format!(
            "{{\"instant\":{instant},\"identifier\":{},\"versions\":[{}]}}",
            identifier.unsigned_abs() >> 63,
            versions.join(",")
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn segments_of_the_log(bytes in segments()) {
        recovering::segment(&bytes);
    }

    #[test]
    fn damaged_logs(edits in prop::collection::vec(any::<u8>(), 0..40)) {
        recovering::damaged(&edits);
    }

    #[test]
    fn records_of_the_log(payload in prop_oneof![records(), any::<String>()]) {
        recovering::record(payload.as_bytes());
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
