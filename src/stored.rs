//! A stored resource, and what its own metadata say of it.

use std::borrow::Cow;
use std::fmt;

use bytes::Bytes;
use rorqual_schema::{DateRange, parse_date};
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use xxhash_rust::xxh3::xxh3_64;

use crate::index::deflated::Deflated;
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
    /// Its compressed form, where that is stored.
    pub deflated: Option<Deflated>,
}

/// What a body says of itself.
pub(crate) fn stored(
    snapshot: &Snapshot,
    body: Bytes,
    deflated: Option<Deflated>,
) -> StoredResource {
    let (updated, version) =
        meta_of(&body).map_or((None, None), |meta| (meta.last_updated, meta.version_id));
    let zone = snapshot.schema().time_zone();
    let range: Option<DateRange> = updated.and_then(|updated| parse_date(&updated, zone).ok());
    StoredResource {
        version: version.map_or_else(
            || format!("{:016x}", xxh3_64(&body)),
            |version| version.into_owned(),
        ),
        last_updated_ms: range.map(|range| range.low.div_euclid(1000)),
        body,
        deflated,
    }
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta<'a> {
    #[serde(borrow)]
    last_updated: Option<Cow<'a, str>>,
    #[serde(borrow)]
    version_id: Option<Cow<'a, str>>,
}

/// The metadata of a body, which stand near its beginning: nothing is read behind them.
fn meta_of(body: &[u8]) -> Option<Meta<'_>> {
    #[derive(serde::Deserialize)]
    #[serde(field_identifier, rename_all = "camelCase")]
    enum Member {
        Meta,
        #[serde(other)]
        Another,
    }
    struct UntilMeta<'m, 'de>(&'m mut Option<Meta<'de>>);
    impl<'de> Visitor<'de> for UntilMeta<'_, 'de> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a resource")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
            while let Some(member) = members.next_key()? {
                match member {
                    Member::Meta => {
                        *self.0 = members.next_value()?;
                        return Err(A::Error::custom("read far enough"));
                    }
                    Member::Another => members.next_value::<IgnoredAny>()?,
                };
            }
            Ok(())
        }
    }
    let mut found = None;
    // Reading ends by an error, and what was found before it counts.
    let _ = serde_json::Deserializer::from_slice(body).deserialize_map(UntilMeta(&mut found));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(body: &str) -> Option<(Option<String>, Option<String>)> {
        let owned = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
        meta_of(body.as_bytes()).map(|meta| (owned(meta.last_updated), owned(meta.version_id)))
    }

    #[test]
    fn metadata_are_found_wherever_they_stand() {
        let both = Some((Some("2020".to_owned()), Some("a\"b".to_owned())));
        let meta = r#""meta":{"x":[1,{}],"versionId":"a\"b","lastUpdated":"2020"}"#;
        for body in [
            format!("{{{meta}}}"),
            format!(r#"{{"id":"1","contained":[{{"meta":{{"versionId":"no"}}}}],{meta},"y":2}}"#),
            // What follows is not looked at.
            format!("{{{meta},"),
        ] {
            assert_eq!(told(&body), both, "{body}");
        }
    }

    #[test]
    fn without_metadata_nothing_is_told() {
        for body in [
            "",
            "{}",
            "[]",
            r#"{"meta":null}"#,
            r#"{"meta":7}"#,
            r#"{"id":"meta"}"#,
        ] {
            assert_eq!(told(body), None, "{body}");
        }
        assert_eq!(told(r#"{"meta":{}}"#), Some((None, None)));
    }
}
