//! The `Prefer` header (RFC 7240): how strictly to read (`handling`), what to send back of a write (`return`).

use http::{HeaderMap, header::HeaderName};

use super::refusal::{Refusal, shown};
use crate::Handling;

/// The header's name.
pub(super) const PREFER: HeaderName = HeaderName::from_static("prefer");

/// What a client wants back of a write that is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Returning {
    /// Headers alone.
    Minimal,
    /// The resource as stored: what is sent unless something else is asked for.
    Representation,
    /// What is worth telling about it.
    Outcome,
}

/// How strictly the client wants its parameters read; the first `handling` that is understood counts.
pub(super) fn handling(headers: &HeaderMap) -> Handling {
    let understood = |value: &str| match value.to_ascii_lowercase().as_str() {
        "strict" => Some(Handling::Strict),
        "lenient" => Some(Handling::Lenient),
        _ => None,
    };
    values(headers, "handling")
        .find_map(understood)
        .unwrap_or(Handling::Default)
}

/// What the client wants back of a write; the first `return` counts, as the RFC says. A value that is not understood is
/// refused: whoever asked for it would misread the answer.
pub(super) fn returning(headers: &HeaderMap) -> Result<Returning, Refusal> {
    match values(headers, "return").next() {
        None => Ok(Returning::Representation),
        Some(value) => match value.to_ascii_lowercase().as_str() {
            "minimal" => Ok(Returning::Minimal),
            "representation" => Ok(Returning::Representation),
            "operationoutcome" => Ok(Returning::Outcome),
            _ => Err(Refusal::Preference {
                written: shown(value),
            }),
        },
    }
}

/// The values given to a preference, in order.
fn values<'h>(headers: &'h HeaderMap, wanted: &str) -> impl Iterator<Item = &'h str> {
    headers
        .get_all(PREFER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(move |preference| {
            // Parameters of a preference follow a semicolon and mean nothing for these two.
            let (name, value) = preference.split(';').next()?.split_once('=')?;
            let meant = name.trim().eq_ignore_ascii_case(wanted);
            meant.then(|| value.trim().trim_matches('"'))
        })
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

    #[test]
    fn what_to_return_is_one_of_three() {
        let of = |value: &'static str| {
            let headers = HeaderMap::from_iter([(PREFER, http::HeaderValue::from_static(value))]);
            returning(&headers).map_err(|refusal| refusal.status().as_u16())
        };
        assert_eq!(of("handling=strict"), Ok(Returning::Representation));
        assert_eq!(of("return=representation"), Ok(Returning::Representation));
        assert_eq!(of("respond-async, return=minimal"), Ok(Returning::Minimal));
        assert_eq!(of("return=\"OperationOutcome\""), Ok(Returning::Outcome));
        assert_eq!(of("return=minimal, return=all"), Ok(Returning::Minimal));
        assert_eq!(of("return=all"), Err(400));
        assert_eq!(of("return="), Err(400));
    }
}
