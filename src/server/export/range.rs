//! Which part of a file is asked for (`Range`, RFC 9110 section 14), and whether compressed.

use http::HeaderMap;
use http::header::{ACCEPT_ENCODING, IF_RANGE, RANGE};

/// What is to be sent of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// From a byte to before another.
    Bytes(u64, u64),
    /// Nothing: the range begins after the end.
    Outside,
}

/// The part that a request asks for, of a file of `length` bytes whose tag is `etag`. What is not one readable range
/// of bytes is ignored, as the RFC allows.
pub(super) fn part(headers: &HeaderMap, length: u64, etag: &str) -> Part {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // A client that holds another file, or this one compressed, starts again.
    if headers.contains_key(IF_RANGE) && text(IF_RANGE).map(str::trim) != Some(etag) {
        return Part::Whole;
    }
    text(RANGE)
        .and_then(|range| bytes(range, length))
        .unwrap_or(Part::Whole)
}

fn bytes(range: &str, length: u64) -> Option<Part> {
    let (unit, set) = range.split_once('=')?;
    if !unit.trim().eq_ignore_ascii_case("bytes") || set.contains(',') {
        return None;
    }
    let (first, last) = set.trim().split_once('-')?;
    let (start, end) = match (number(first), number(last)) {
        (Some(start), None) if last.is_empty() => (start, length),
        (Some(start), Some(last)) if start <= last => (start, last.saturating_add(1).min(length)),
        (None, Some(0)) if first.is_empty() => return Some(Part::Outside),
        (None, Some(most)) if first.is_empty() => (length.saturating_sub(most), length),
        _ => return None,
    };
    Some(match start < length {
        true => Part::Bytes(start, end),
        false => Part::Outside,
    })
}

/// Digits alone; a number beyond all lengths is the greatest one.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

/// Whether a request takes its answer compressed by gzip.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut any = false;
    for item in headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
    {
        let mut parts = item.split(';');
        let name = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let refused = parts
            .filter_map(|part| part.trim().strip_prefix("q="))
            .any(|quality| {
                quality
                    .trim()
                    .parse::<f32>()
                    .is_ok_and(|quality| quality <= 0.0)
            });
        match name.as_str() {
            // What is said of gzip itself counts more than what is said of everything.
            "gzip" | "x-gzip" => return !refused,
            "*" => any = !refused,
            _ => {}
        }
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn headers(list: &[(HeaderName, &'static str)]) -> HeaderMap {
        list.iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn one_range_of_bytes_is_a_part() {
        for (range, expected) in [
            ("bytes=0-", Part::Bytes(0, 100)),
            ("bytes=0-0", Part::Bytes(0, 1)),
            ("Bytes=10-19", Part::Bytes(10, 20)),
            ("bytes=90-1000", Part::Bytes(90, 100)),
            ("bytes=90-99999999999999999999999", Part::Bytes(90, 100)),
            ("bytes=-10", Part::Bytes(90, 100)),
            ("bytes=-1000", Part::Bytes(0, 100)),
            ("bytes=-0", Part::Outside),
            ("bytes=100-", Part::Outside),
            ("bytes=99999999999999999999999-", Part::Outside),
            ("bytes=20-10", Part::Whole),
            ("bytes=1-2,4-5", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("bytes=+1-2", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes", Part::Whole),
            ("lines=1-2", Part::Whole),
        ] {
            assert_eq!(
                part(&headers(&[(RANGE, range)]), 100, "\"t\""),
                expected,
                "{range}"
            );
        }
    }

    #[test]
    fn a_part_is_of_the_very_same_file() {
        let asked = |tag| {
            part(
                &headers(&[(RANGE, "bytes=5-"), (IF_RANGE, tag)]),
                100,
                "\"t\"",
            )
        };
        assert_eq!(asked("\"t\""), Part::Bytes(5, 100));
        assert_eq!(asked("\"t-gzip\""), Part::Whole);
        assert_eq!(asked("W/\"t\""), Part::Whole);
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Part::Whole);
    }

    #[test]
    fn gzip_is_taken_by_those_who_say_so() {
        for (value, expected) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("*", true),
            ("gzip;q=0, *", false),
            ("*;q=0, gzip", true),
            ("gzip; q=0.0", false),
            ("identity", false),
            ("br", false),
            ("", false),
        ] {
            assert_eq!(
                accepts_gzip(&headers(&[(ACCEPT_ENCODING, value)])),
                expected,
                "{value}"
            );
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
