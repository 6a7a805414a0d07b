//! The `Prefer` header (RFC 7240): `handling=strict` or `handling=lenient`, all else ignored.

use http::{HeaderMap, header::HeaderName};

use crate::Handling;

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// How strictly the client wants its parameters read; the first `handling` that is understood counts.
pub(super) fn handling(headers: &HeaderMap) -> Handling {
    headers
        .get_all(PREFER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .find_map(preference)
        .unwrap_or(Handling::Default)
}

fn preference(text: &str) -> Option<Handling> {
    // Parameters of the preference follow a semicolon and mean nothing for `handling`.
    let (name, value) = text.split(';').next()?.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("handling") {
        return None;
    }
    let value = value.trim().trim_matches('"');
    if value.eq_ignore_ascii_case("strict") {
        Some(Handling::Strict)
    } else if value.eq_ignore_ascii_case("lenient") {
        Some(Handling::Lenient)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&'static str]) -> Handling {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(PREFER, http::HeaderValue::from_static(value));
        }
        handling(&headers)
    }

    #[test]
    fn handling_is_found_wherever_it_stands() {
        for values in [
            &["handling=strict"][..],
            &["respond-async, Handling = \"Strict\""],
            &["return=minimal", "handling=strict"],
            &["handling=strict; x=y"],
        ] {
            assert!(matches!(of(values), Handling::Strict), "{values:?}");
        }
        assert!(matches!(of(&["handling=lenient"]), Handling::Lenient));
        assert!(matches!(
            of(&["handling=lenient, handling=strict"]),
            Handling::Lenient
        ));
    }

    #[test]
    fn other_preferences_are_ignored() {
        for values in [
            &[][..],
            &["respond-async"],
            &["handling"],
            &["handling=loose"],
            &["x-handling=strict"],
            &["wait=10;handling=strict"],
        ] {
            assert!(matches!(of(values), Handling::Default), "{values:?}");
        }
    }
}
