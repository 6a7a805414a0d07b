//! A stored resource, and what its own metadata say of it.

use bytes::Bytes;
use rorqual_schema::{DateRange, parse_date};
use xxhash_rust::xxh3::xxh3_64;

use crate::index::snapshot::Snapshot;

/// A stored resource.
#[derive(Clone)]
pub struct StoredResource {
    /// Its JSON as received.
    pub body: Bytes,
    /// What stands in its ETag: `meta.versionId`, or a fingerprint of its bytes without one.
    pub version: String,
    /// `meta.lastUpdated` in milliseconds since 1970 UTC, where it has one.
    pub last_updated_ms: Option<i64>,
}

/// What a body says of itself.
pub(crate) fn stored(snapshot: &Snapshot, body: Bytes) -> StoredResource {
    /// Only `meta` is looked at.
    #[derive(serde::Deserialize)]
    struct Head<'a> {
        #[serde(borrow)]
        meta: Option<Meta<'a>>,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Meta<'a> {
        #[serde(borrow)]
        last_updated: Option<std::borrow::Cow<'a, str>>,
        #[serde(borrow)]
        version_id: Option<std::borrow::Cow<'a, str>>,
    }
    let head: Option<Head<'_>> = serde_json::from_slice(&body).ok();
    let meta = head.and_then(|head| head.meta);
    let (updated, version) = meta.map_or((None, None), |meta| (meta.last_updated, meta.version_id));
    let zone = snapshot.schema().time_zone();
    let range: Option<DateRange> = updated.and_then(|updated| parse_date(&updated, zone).ok());
    StoredResource {
        version: version.map_or_else(
            || format!("{:016x}", xxh3_64(&body)),
            |version| version.into_owned(),
        ),
        last_updated_ms: range.map(|range| range.low.div_euclid(1000)),
        body,
    }
}
