//! Conditional reads: does the client already hold what would be sent (RFC 9110, section 13)?

use http::HeaderMap;
use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};

use super::http_date;

/// Whether a read may be answered 304. `etag` is the tag as sent, `modified_ms` the resource's
/// `meta.lastUpdated` in milliseconds since 1970.
pub(super) fn not_modified(
    headers: &HeaderMap,
    etag: Option<&str>,
    modified_ms: Option<i64>,
) -> bool {
    if headers.contains_key(IF_NONE_MATCH) {
        // With a tag at hand the date does not count, as the RFC says.
        return headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|tag| tag.trim() == "*" || etag.is_some_and(|etag| opaque(tag) == opaque(etag)));
    }
    let since = headers
        .get(IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok())
        .and_then(http_date::read);
    matches!((since, modified_ms), (Some(since), Some(modified)) if modified.div_euclid(1000) <= since)
}

/// The tag without its weakness: reads compare weakly.
fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn check(headers: &[(HeaderName, &'static str)]) -> bool {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        not_modified(&headers, Some("W/\"3\""), Some(784_111_777_500))
    }

    #[test]
    fn tags_compare_weakly() {
        for tag in ["W/\"3\"", "\"3\"", "*", "W/\"1\", W/\"3\""] {
            assert!(check(&[(IF_NONE_MATCH, tag)]), "{tag}");
        }
        for tag in ["W/\"2\"", "3", "\"33\"", ""] {
            assert!(!check(&[(IF_NONE_MATCH, tag)]), "{tag}");
        }
    }

    #[test]
    fn dates_count_to_the_second_and_only_without_a_tag() {
        assert!(check(&[(
            IF_MODIFIED_SINCE,
            "Sun, 06 Nov 1994 08:49:37 GMT"
        )]));
        assert!(!check(&[(
            IF_MODIFIED_SINCE,
            "Sun, 06 Nov 1994 08:49:36 GMT"
        )]));
        assert!(!check(&[(IF_MODIFIED_SINCE, "rubbish")]));
        assert!(!check(&[
            (IF_NONE_MATCH, "\"2\""),
            (IF_MODIFIED_SINCE, "Sun, 06 Nov 1995 08:49:37 GMT")
        ]));
        assert!(!check(&[]));
    }
}
