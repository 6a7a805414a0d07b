//! Properties: nothing makes the reader panic, and what it shows as executed means the same.

use proptest::prelude::*;
use rorqual_schema::ResourceType;

use super::{options, schema};
use crate::query::parse::{Handling, parse};

/// Pieces that requests are made of, so that arbitrary text gets beyond the first character.
const PIECES: &[&str] = &[
    "name",
    "identifier",
    "location",
    "organization",
    "_has:",
    "Task:",
    "focus",
    "_filter",
    "_sort",
    "_include",
    "near",
    "near-insee-code",
    "capacity-type",
    "nb-capacity",
    "equipment",
    "limit-value",
    "_content",
    "_elements",
    "_count",
    "age-range-low",
    "_lastUpdated",
    "partof",
    "HealthcareService",
    ":",
    ".",
    "=",
    "&",
    ",",
    "|",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "%22",
    "%",
    "+",
    " ",
    "\\",
    "-",
    "é",
    "%C3%A9",
    "%28",
    "%5B",
    "eq",
    "ne",
    "gt",
    "pr",
    "true",
    "and",
    "or",
    "not",
    " eq ",
    " or ",
    "not (",
    "1",
    "2022",
    "T15:00",
    "44109",
    "47.2|1.6",
    ":above",
    ":not",
    ":missing",
    "*",
    ":iterate",
];

fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        9 => prop::sample::select(PIECES).prop_map(str::to_owned),
        1 => "\\PC{0,4}",
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

fn kind() -> impl Strategy<Value = ResourceType> {
    prop::sample::select(ResourceType::ALL.as_slice())
}

/// One sound parameter of a Location.
fn parameter() -> impl Strategy<Value = String> {
    let text = "[a-zA-Zé0-9 '|,$+&=%\\\\\"()\\[\\]-]{1,8}";
    let encoded = text.prop_map(|text: String| {
        text.bytes()
            .map(|byte| format!("%{byte:02X}"))
            .collect::<String>()
    });
    let name = prop::sample::select(
        [
            "identifier",
            "identifier:not",
            "type",
            "address-city",
            "address-city:exact",
            "address-city:contains",
            "organization.name",
            "_has:HealthcareService:location:name",
            "capacity-type",
            "capacity-status:not",
            "organization.identifier:above",
            "equipment-type",
            "equipment-feature",
            "_content",
        ]
        .as_slice(),
    );
    let fixed = prop::sample::select(
        [
            "nb-capacity=gt0",
            "limit-value=ge200||kg",
            "near=47.2|-1.6",
            "near-insee-code=44109|3",
            "_sort=-_id",
            "_lastUpdated=ap2020",
            "_lastUpdated=lt2024-01-01T00:00:00+02:00",
            "organization:below=1",
            "_filter=name+eq+a",
            "_filter=(type+ne+a+or+b)+and+not+(address-city+co+%22x+y%22)",
            "_filter=supported-capacity[capacity-type+eq+1+and+nb-capacity+gt+0]+pr+true",
            "_filter=equipment[equipment-type+eq+1].limit-value+ge+3",
            "_filter=organization[name+eq+%22a%5C%22b%22].type+eq+2+or+near+eq+1|2|3|[mi_us]",
            "_filter=_has:HealthcareService:location:name+eq+a,b",
            "_include=*",
            "_revinclude=HealthcareService:location",
        ]
        .as_slice(),
    );
    prop_oneof![
        (name, encoded).prop_map(|(name, value)| format!("{name}={value}")),
        fixed.prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_never_panics(kind in kind(), query in soup(), strict in any::<bool>()) {
        let handling = if strict { Handling::Strict } else { Handling::Lenient };
        if let Err(error) = parse(schema(), kind, &query, &options(handling)) {
            prop_assert!(error.status() >= 400 && !error.issues().is_empty());
        }
    }

    #[test]
    fn arbitrary_filters_never_panic(kind in kind(), text in soup()) {
        let query: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let _ = parse(schema(), kind, &format!("_filter={query}"), &options(Handling::Default));
    }

    #[test]
    fn what_is_shown_as_executed_means_the_same(parameters in prop::collection::vec(parameter(), 0..5)) {
        let schema = schema();
        let read = |query: &str, handling| parse(schema, ResourceType::Location, query, &options(handling));
        if let Ok(request) = read(&parameters.join("&"), Handling::Default) {
            let again = read(&request.canonical_query, Handling::Strict);
            let again = again.map_err(|error| TestCaseError::fail(format!("{}: {error}", request.canonical_query)))?;
            prop_assert_eq!(&again.criterion, &request.criterion);
            prop_assert_eq!(&again.canonical_query, &request.canonical_query);
            prop_assert_eq!((&again.sort, &again.includes, &again.near), (&request.sort, &request.includes, &request.near));
        }
    }
}
