//! The name of a request: the client's own in `X-Request-Id`, or one made here.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use http::{HeaderMap, HeaderName, HeaderValue};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The header that carries the name, both ways.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Gives names that do not repeat in one process, and hardly between two.
#[derive(Debug)]
pub(super) struct RequestIds {
    seed: u64,
    next: AtomicU64,
}

impl RequestIds {
    /// A source with a seed of its own.
    pub(super) fn new() -> Self {
        // The standard library seeds its hashers from the system's randomness.
        Self {
            seed: RandomState::new().hash_one("request"),
            next: AtomicU64::new(0),
        }
    }

    /// The client's name for its request if it is fit for a header and a log, otherwise a new one.
    pub(super) fn of(&self, headers: &HeaderMap) -> String {
        headers
            .get(REQUEST_ID)
            .and_then(|value| value.to_str().ok())
            .filter(|text| is_plain(text))
            .map_or_else(|| self.fresh(), str::to_owned)
    }

    fn fresh(&self) -> String {
        let number = self.next.fetch_add(1, Relaxed);
        format!(
            "{:016x}",
            xxh3_64_with_seed(&number.to_le_bytes(), self.seed)
        )
    }
}

/// The header to send back.
pub(super) fn header(id: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(id).ok()
}

fn is_plain(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._:/+=".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &'static str) -> String {
        RequestIds::new().of(&HeaderMap::from_iter([(
            REQUEST_ID,
            HeaderValue::from_static(text),
        )]))
    }

    #[test]
    fn the_clients_name_is_kept_when_plain() {
        assert_eq!(of("b3d1-77:a/1"), "b3d1-77:a/1");
        for odd in ["", "a b", "a\"b", "<x>"] {
            assert_eq!(of(odd).len(), 16, "{odd}");
        }
    }

    #[test]
    fn made_names_differ() {
        let ids = RequestIds::new();
        let names: std::collections::HashSet<_> =
            (0..1000).map(|_| ids.of(&HeaderMap::new())).collect();
        assert_eq!(names.len(), 1000);
    }
}
