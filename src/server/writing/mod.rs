//! Writes of anomalies over HTTP: one at a time, or several in a Bundle.
//!
//! | file | does |
//! |---|---|
//! | `create`, `patch` | `POST Task`, `PATCH Task/[id]` |
//! | `requests`, `entry` | `POST [base]`: batch and transaction, and what one entry of them asks for |
//! | `precondition` | `If-Match` and `If-None-Exist` |
//! | `submission` | from a checked change to the store, and back once it is durable |
//! | `answer`, `entry_answer` | what the client is told, alone or within a Bundle |
//! | `config` | the table `[anomalies]` |
//!
//! Bodies are read and checked on threads of their own, never on the reactor, and never in the queue of the searches.
//! An answer of success is sent once the store has said that the write is on disk and seen by every search.
//!
//! What is worth telling of an accepted anomaly (an identifier that was dropped, a focus that is not in the directory)
//! is answered to `Prefer: return=OperationOutcome`, and in the `outcome` of a Bundle's entry. A representation is the
//! stored Task and nothing else, so that it can be compared with what a read gives.

mod answer;
mod config;
mod create;
mod entry;
mod entry_answer;
mod patch;
mod precondition;
mod requests;
mod submission;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::Incoming;

pub use config::AnomalyConfig;

use super::access::Caller;
use super::payload::whole;
use super::refusal::{Refusal, shown};
use super::service::Service;
use crate::anomaly::store::Store;

/// What is known of a request that writes, besides its body.
#[derive(Clone, Copy)]
pub(super) struct Writing<'a> {
    /// Its headers.
    pub(super) headers: &'a HeaderMap,
    /// Its query, known to decode.
    pub(super) query: &'a str,
    /// The reference to give when a defect shows.
    pub(super) id: &'a str,
    /// Who asks.
    pub(super) caller: &'a Caller,
}

/// What a write may say in its query.
const FORMATS: [&str; 2] = ["_format", "_pretty"];

/// Names of the JSON of FHIR, as answers have them too.
const JSON: [&str; 3] = ["application/fhir+json", "application/json", "text/json"];

impl Service {
    /// The writer of anomalies.
    fn writer(&self) -> Result<Arc<Store>, Refusal> {
        self.store.clone().ok_or(Refusal::ReadOnly)
    }

    /// The body of a write.
    async fn body(&self, headers: &HeaderMap, body: &mut Incoming) -> Result<Bytes, Refusal> {
        let term = Duration::from_secs(self.limits().body_read_timeout_seconds);
        whole(headers, body, self.config.anomalies.body_bytes, term).await
    }
}

/// Refuses a body that is no FHIR JSON by its media type.
fn fhir_json(kind: Option<String>, what: &'static str) -> Result<(), Refusal> {
    match kind {
        Some(kind) if JSON.contains(&kind.as_str()) => Ok(()),
        other => Err(Refusal::JsonExpected {
            what,
            wanted: "application/fhir+json",
            written: other.as_deref().map(shown),
        }),
    }
}
