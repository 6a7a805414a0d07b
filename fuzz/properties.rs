//! What must hold for any text a client may send: shared by the fuzz targets and the bounded run in `tests/hostile`.
//!
//! Fuzz with `cargo install cargo-fuzz`, then `cargo fuzz run query` (or `filter`, `date`, `token`) in this folder's parent.

use std::sync::LazyLock;

use rorqual::query::error::SearchError;
use rorqual::query::parse::{Features, GroupMatching, ParseOptions, Request, parse};
use rorqual::{Handling, ResourceType, Schema};
use rorqual_schema::{TimeZoneRule, escape, parse_date, parse_token, split_unescaped, unescape};

static SCHEMA: LazyLock<Schema> =
    LazyLock::new(|| Schema::embedded().expect("the embedded schema is sound"));

fn read(query: &str, handling: Handling) -> Result<Request, SearchError> {
    let options = ParseOptions {
        handling,
        lenient_by_default: false,
        base_url: "http://127.0.0.1:8080/fhir",
        now: 1_700_000_000_000_000,
        group_matching: GroupMatching::SameLine,
        features: Features::ALL,
    };
    parse(&SCHEMA, ResourceType::HealthcareService, query, &options)
}

/// A query string is read or refused with a 4xx that has an issue; what is read is read again the same from its
/// canonical form, without a warning left.
pub fn query(text: &str) {
    for handling in [Handling::Default, Handling::Strict, Handling::Lenient] {
        match read(text, handling) {
            Ok(request) => {
                let again = read(&request.canonical_query, Handling::Default)
                    .expect("a canonical query is readable");
                assert_eq!(again.criterion, request.criterion);
                assert_eq!(again.canonical_query, request.canonical_query);
            }
            Err(error) => {
                assert!((400..500).contains(&error.status()), "{error}");
                assert!(!error.issues().is_empty());
            }
        }
    }
}

/// The same for the text of a `_filter`.
pub fn filter(text: &str) {
    let mut encoded = String::from("_filter=");
    for byte in text.bytes() {
        encoded.push_str(&format!("%{byte:02X}"));
    }
    query(&encoded);
}

/// A date is refused with a sentence, or is a range that is not empty and holds every longer spelling of itself.
pub fn date(text: &str) {
    let zone = TimeZoneRule::default();
    match parse_date(text, &zone) {
        Ok(range) => {
            assert!(range.low < range.high, "{text}");
            if text.len() == 10
                && let Ok(noon) = parse_date(&format!("{text}T12:00:00Z"), &zone)
            {
                // A day lasts 23 hours at least, so its noon in UTC may fall outside only by the offset of the zone.
                assert!(
                    noon.low >= range.low - 86_400_000_000
                        && noon.high <= range.high + 86_400_000_000,
                    "{text}"
                );
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

/// Escaping and splitting are inverses, and a token is read or refused.
pub fn token(text: &str) {
    assert_eq!(unescape(&escape(text)), text);
    let parts = split_unescaped(text, ',');
    assert_eq!(parts.join(","), text);
    if let Err(error) = parse_token(text) {
        assert!(!error.to_string().is_empty());
    }
}
