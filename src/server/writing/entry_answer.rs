//! The entries of a `batch-response` or `transaction-response`, and the Bundle of them.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use http::StatusCode;
use rorqual_anomaly::requests::BundleKind;
use serde_json::json;

use super::answer::{location, status};
use crate::anomaly::store::Done;
use crate::index::overlay::WRITTEN;
use crate::outcome::{Issue, named_outcome};
use crate::server::prefer::Returning;
use crate::server::refusal::Refusal;
use crate::server::reply::{Reply, etag};

/// What one entry is answered.
pub(super) struct EntryAnswer {
    full_url: Option<String>,
    /// Pieces of the resource's JSON; none: no resource.
    resource: Vec<Bytes>,
    status: StatusCode,
    location: Option<String>,
    etag: Option<String>,
    /// Milliseconds since 1970.
    modified: Option<i64>,
    outcome: Option<Vec<Issue>>,
}

impl EntryAnswer {
    /// Of a change that is done. What is worth telling of it stands beside the resource, unless nothing is to be returned.
    pub(super) fn done(done: Done, returning: Returning, base_url: &str) -> Self {
        let represented = returning == Returning::Representation;
        let told = match returning {
            Returning::Minimal => false,
            Returning::Representation => !done.notes.is_empty(),
            Returning::Outcome => true,
        };
        Self {
            full_url: represented.then(|| format!("{base_url}/{WRITTEN}/{}", done.id)),
            status: status(done.made),
            location: Some(location(&done, base_url)),
            etag: etag(&done.resource.version),
            modified: done.resource.last_updated_ms,
            resource: match represented {
                true => vec![done.resource.body],
                false => Vec::new(),
            },
            outcome: told.then_some(done.notes),
        }
    }

    /// Of something that was read; `full_url` when it is one resource of the directory.
    pub(super) fn read(full_url: Option<String>, reply: Reply) -> Self {
        let (status, etag, modified) = (
            reply.status(),
            reply.etag().map(str::to_owned),
            reply.modified_ms(),
        );
        let resource = reply.into_pieces();
        Self {
            full_url: full_url.filter(|_| !resource.is_empty()),
            resource,
            status,
            location: None,
            etag,
            modified,
            outcome: None,
        }
    }

    /// Of an entry that is refused.
    pub(super) fn refused(refusal: &Refusal) -> Self {
        Self {
            full_url: None,
            resource: Vec::new(),
            status: refusal.status(),
            location: None,
            etag: refusal.present_version().and_then(etag),
            modified: None,
            outcome: Some(refusal.issues().into_owned()),
        }
    }

    fn write(self, request: &str, out: &mut Vec<Bytes>) {
        let mut text = String::from("{");
        if let Some(url) = self.full_url {
            text += &format!("\"fullUrl\":{},", json!(url));
        }
        if !self.resource.is_empty() {
            text += "\"resource\":";
            out.push(std::mem::take(&mut text).into());
            out.extend(self.resource);
            text += ",";
        }
        let reason = self.status.canonical_reason().unwrap_or_default();
        let status = format!("{} {reason}", self.status.as_u16());
        text += &format!("\"response\":{{\"status\":{}", json!(status.trim_end()));
        let modified = self.modified.and_then(DateTime::from_timestamp_millis);
        let members = [
            ("location", self.location),
            ("etag", self.etag),
            (
                "lastModified",
                modified.map(|instant| instant.to_rfc3339_opts(SecondsFormat::Millis, true)),
            ),
        ];
        for (name, value) in members {
            if let Some(value) = value {
                text += &format!(",\"{name}\":{}", json!(value));
            }
        }
        if let Some(issues) = self.outcome {
            text += ",\"outcome\":";
            out.push(std::mem::take(&mut text).into());
            out.push(named_outcome(&issues, request).into());
        }
        text += "}}";
        out.push(text.into());
    }
}

/// The Bundle of the answers to a request of this name, in pieces.
pub(super) fn bundle(kind: BundleKind, answers: Vec<EntryAnswer>, request: &str) -> Vec<Bytes> {
    let kind = match kind {
        BundleKind::Batch => "batch-response",
        BundleKind::Transaction => "transaction-response",
    };
    let mut out = vec![Bytes::from(format!(
        "{{\"resourceType\":\"Bundle\",\"type\":\"{kind}\""
    ))];
    let mut before = ",\"entry\":[";
    let any = !answers.is_empty();
    for answer in answers {
        out.push(Bytes::from_static(before.as_bytes()));
        answer.write(request, &mut out);
        before = ",";
    }
    // FHIR has no empty lists.
    out.push(Bytes::from_static(if any { b"]}" } else { b"}" }));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn made(answers: Vec<EntryAnswer>) -> Value {
        let pieces = bundle(BundleKind::Batch, answers, "r1").concat();
        serde_json::from_slice(&pieces).unwrap()
    }

    #[test]
    fn entries_come_in_order_each_with_what_it_has() {
        let read = Reply::fhir(vec![
            Bytes::from_static(b"{\"a\":"),
            Bytes::from_static(b"1}"),
        ])
        .tagged(Some("W/\"2\""), Some(1_704_164_645_678));
        let refusal = Refusal::IfMatchMissing;
        let answers = vec![
            EntryAnswer::read(Some("http://b/Task/1".to_owned()), read),
            EntryAnswer::refused(&refusal),
        ];
        let bundle = made(answers);
        assert_eq!(bundle["type"], "batch-response");
        let read = &bundle["entry"][0];
        assert_eq!(read["fullUrl"], "http://b/Task/1");
        assert_eq!(read["resource"]["a"], 1);
        assert_eq!(read["response"]["status"], "200 OK");
        assert_eq!(read["response"]["etag"], "W/\"2\"");
        assert_eq!(read["response"]["lastModified"], "2024-01-02T03:04:05.678Z");
        let refused = &bundle["entry"][1];
        assert!(refused.get("resource").is_none() && refused.get("fullUrl").is_none());
        assert_eq!(refused["response"]["status"], "428 Precondition Required");
        assert_eq!(
            refused["response"]["outcome"]["resourceType"],
            "OperationOutcome"
        );
        assert_eq!(refused["response"]["outcome"]["id"], "r1");
    }

    #[test]
    fn a_bundle_of_nothing_has_no_list() {
        assert!(made(Vec::new()).get("entry").is_none());
    }
}
