//! One record of the log: the versions that one acknowledged request made, with what the server assigned.
//!
//! JSON on one line, so that a log can be read with common tools:
//! `{"instant":…,"identifier":…,"versions":[{"id":"…","body":{…}},…]}`.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::index::overlay::Version;

/// What a record tells besides its versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHead {
    /// When it was written, in milliseconds since 1970 UTC.
    pub instant: i64,
    /// The greatest number of a functional identifier given out so far.
    pub identifier: u64,
}

#[derive(Serialize, Deserialize)]
struct Written<'a> {
    instant: i64,
    identifier: u64,
    #[serde(borrow)]
    versions: Vec<WrittenVersion<'a>>,
}

#[derive(Serialize, Deserialize)]
struct WrittenVersion<'a> {
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// The payload of a record of (id, body) pairs.
///
/// # Errors
/// When a body is no JSON: a defect of the caller, which has validated it.
pub fn encode(
    head: RecordHead,
    versions: &[(String, Vec<u8>)],
) -> Result<Vec<u8>, serde_json::Error> {
    let versions = versions
        .iter()
        .map(|(id, body)| {
            Ok(WrittenVersion {
                id: id.as_str().into(),
                body: serde_json::from_slice(body)?,
            })
        })
        .collect::<Result<_, serde_json::Error>>()?;
    serde_json::to_vec(&Written {
        instant: head.instant,
        identifier: head.identifier,
        versions,
    })
}

/// Reads the payload of record `sequence`.
///
/// # Errors
/// When the payload is none of ours.
pub fn decode(
    sequence: u64,
    payload: &[u8],
) -> Result<(RecordHead, Vec<Version>), serde_json::Error> {
    let written: Written<'_> = serde_json::from_slice(payload)?;
    let versions = written.versions.into_iter().map(|version| Version {
        sequence,
        instant: written.instant,
        id: version.id.into_owned(),
        body: version.body.get().as_bytes().to_vec(),
    });
    Ok((
        RecordHead {
            instant: written.instant,
            identifier: written.identifier,
        },
        versions.collect(),
    ))
}
