//! `POST [base]`: several requests in one Bundle, each alone (batch) or all together (transaction).
//!
//! Writes come first, reads after them, whatever their order: so R4 wants it of a transaction, and it does no harm in a
//! batch. A transaction is one record of the log. Its reads are tried before anything is written, so that one that cannot
//! be answered stops the whole; what the client gets is read again afterwards.

use std::sync::Arc;

use http::header::{HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, Method};
use hyper::body::Incoming;
use rorqual_access::Ask;
use rorqual_anomaly::requests::{BundleKind, Limits, Requests, parse_requests};
use tokio::time::Instant;

use super::entry::{Part, ReadEntry, Rules, of_bundle, of_entries};
use super::entry_answer::{EntryAnswer, bundle};
use super::submission::{Denied, Waiting, submit};
use super::{FORMATS, Writing, fhir_json};
use crate::anomaly::refusal::WriteRefusal;
use crate::anomaly::store::Change;
use crate::bundle::assemble::Coding;
use crate::server::encoding;
use crate::server::negotiation::negotiate;
use crate::server::payload::media_type;
use crate::server::prefer::{PREFER, Returning, returning};
use crate::server::reading::Reading;
use crate::server::refusal::Refusal;
use crate::server::reply::Reply;
use crate::server::route::{Route, route};
use crate::server::service::{Service, defect};

/// An entry of a batch under way.
enum Pending {
    Waiting(Waiting),
    Read(ReadEntry),
    Refused(Refusal),
}

impl Service {
    /// Carries out the requests of the Bundle in the body.
    pub(in crate::server) async fn requests(
        &self,
        call: Writing<'_>,
        body: &mut Incoming,
    ) -> Result<Reply, Refusal> {
        self.refuse_others(call.headers, call.query, &FORMATS, "a Bundle of requests")?;
        fhir_json(media_type(call.headers)?, "a Bundle of requests")?;
        let returning = returning(call.headers)?;
        let deadline = self.deadline();
        let body = self.body(call.headers, body).await?;
        let base_url = self.base.as_str().to_owned();
        let limits = Limits {
            entries: self.config.anomalies.transaction_entries,
        };
        let parsed = self
            .checks
            .run(move || parse_requests(&body, &base_url, &limits));
        let requests = parsed
            .await
            .map_err(|fault| self.unchecked(call.id, fault))?
            .map_err(|faults| of_bundle(&faults))?;
        let kind = requests.kind;
        call.caller.may(match kind {
            BundleKind::Batch => Ask::Batch,
            BundleKind::Transaction => Ask::Transaction,
        })?;
        let answers = match kind {
            BundleKind::Batch => self.batch(call, requests, returning, deadline).await?,
            BundleKind::Transaction => {
                self.transaction(call, requests, returning, deadline)
                    .await?
            }
        };
        Ok(Reply::written(
            http::StatusCode::OK,
            Some(bundle(kind, answers, call.id)),
        ))
    }

    fn rules(&self, call: Writing<'_>, kind: BundleKind) -> Rules {
        Rules {
            kind,
            base_url: self.base.as_str().to_owned(),
            require_if_match: self.config.anomalies.require_if_match,
            writable: self.store.is_some(),
            id: call.id.to_owned(),
            caller: call.caller.clone(),
        }
    }

    /// Each entry alone. Writes are all handed over before the first is awaited, so that they share syncs.
    async fn batch(
        &self,
        call: Writing<'_>,
        requests: Requests,
        returning: Returning,
        deadline: Instant,
    ) -> Result<Vec<EntryAnswer>, Refusal> {
        let rules = self.rules(call, requests.kind);
        let store = self.store.clone();
        let begun = self.checks.run(move || -> Vec<Pending> {
            let begin = |entry| match (rules.part(entry), &store) {
                (Part::Write(change), Some(store)) => Pending::Waiting(submit(
                    store,
                    vec![change],
                    rules.base_url.clone(),
                    &rules.caller,
                )),
                (Part::Write(_), None) => Pending::Refused(Refusal::ReadOnly),
                (Part::Read(read), _) => Pending::Read(read),
                (Part::Refused(refusal), _) => Pending::Refused(refusal),
            };
            requests.entries.into_iter().map(begin).collect()
        });
        let begun = begun
            .await
            .map_err(|fault| self.unchecked(call.id, fault))?;
        let (mut answers, mut reads) = (Vec::with_capacity(begun.len()), Vec::new());
        for (place, pending) in begun.into_iter().enumerate() {
            answers.push(match pending {
                Pending::Refused(refusal) => Some(EntryAnswer::refused(&refusal)),
                Pending::Read(read) => {
                    reads.push((place, read));
                    None
                }
                Pending::Waiting(waiting) => {
                    let written = self.confirmed(call.id, waiting, deadline).await;
                    Some(match written.map(|done| done.into_iter().next()) {
                        Ok(Some(done)) => EntryAnswer::done(done, returning, self.base.as_str()),
                        Ok(None) => EntryAnswer::refused(&unanswered(call.id)),
                        Err(denied) => EntryAnswer::refused(&denied.refusal),
                    })
                }
            });
        }
        self.read_all(call, reads, &mut answers, deadline).await;
        whole(call.id, answers)
    }

    /// All entries or none.
    async fn transaction(
        &self,
        call: Writing<'_>,
        requests: Requests,
        returning: Returning,
        deadline: Instant,
    ) -> Result<Vec<EntryAnswer>, Refusal> {
        let rules = self.rules(call, requests.kind);
        let checked = self.checks.run(move || -> Vec<Part> {
            let entries = requests.entries.into_iter();
            entries.map(|entry| rules.part(entry)).collect()
        });
        let parts = checked
            .await
            .map_err(|fault| self.unchecked(call.id, fault))?;
        let mut answers: Vec<Option<EntryAnswer>> = parts.iter().map(|_| None).collect();
        let (mut changes, mut places) = (Vec::new(), Vec::new());
        let (mut reads, mut faults) = (Vec::new(), Vec::new());
        for (place, part) in parts.into_iter().enumerate() {
            match part {
                Part::Write(change) => {
                    changes.push(change);
                    places.push(place);
                }
                Part::Read(read) => {
                    if let Err(refusal) = self.read_entry(call, &read, deadline).await {
                        faults.push((place, refusal));
                    }
                    reads.push((place, read));
                }
                Part::Refused(refusal) => faults.push((place, refusal)),
            }
        }
        if !faults.is_empty() {
            return Err(of_entries(&faults));
        }
        if !changes.is_empty() {
            let waiting = self.submitted(call, changes).await?;
            let done = self
                .confirmed(call.id, waiting, deadline)
                .await
                .map_err(|denied| of_denied(denied, &places))?;
            for (place, done) in places.into_iter().zip(done) {
                if let Some(answer) = answers.get_mut(place) {
                    *answer = Some(EntryAnswer::done(done, returning, self.base.as_str()));
                }
            }
        }
        self.read_all(call, reads, &mut answers, deadline).await;
        whole(call.id, answers)
    }

    /// Hands the changes of a transaction to the store, off the reactor.
    async fn submitted(&self, call: Writing<'_>, changes: Vec<Change>) -> Result<Waiting, Refusal> {
        let (store, base_url) = (self.writer()?, self.base.as_str().to_owned());
        let caller = call.caller.clone();
        let submitted = self
            .checks
            .run(move || submit(&Arc::clone(&store), changes, base_url, &caller));
        submitted
            .await
            .map_err(|fault| self.unchecked(call.id, fault))
    }

    async fn read_all(
        &self,
        call: Writing<'_>,
        reads: Vec<(usize, ReadEntry)>,
        answers: &mut [Option<EntryAnswer>],
        deadline: Instant,
    ) {
        for (place, read) in reads {
            let answer = match self.read_entry(call, &read, deadline).await {
                Ok(answer) => answer,
                Err(refusal) => EntryAnswer::refused(&refusal),
            };
            if let Some(place) = answers.get_mut(place) {
                *place = Some(answer);
            }
        }
    }

    /// Reads what an entry asks for, as a GET of its own would.
    async fn read_entry(
        &self,
        call: Writing<'_>,
        entry: &ReadEntry,
        deadline: Instant,
    ) -> Result<EntryAnswer, Refusal> {
        if Instant::now() >= deadline {
            return Err(Refusal::TimeBudget {
                seconds: self.limits().request_timeout_seconds,
            });
        }
        let (path, query) = entry.url.split_once('?').unwrap_or((&entry.url, ""));
        let path = format!("{}/{path}", self.base.path());
        let route = route(&Method::GET, &path, self.base.path())?;
        encoding::decode(query).map_err(|fault| Refusal::Encoding {
            place: "query",
            fault,
        })?;
        let headers = headers_of(call.headers, entry)?;
        negotiate(query, &headers)?;
        let full_url = match &route {
            Route::Read(kind, id) | Route::ReadVersion(kind, id, _) => {
                Some(format!("{}/{kind}/{id}", self.base.as_str()))
            }
            _ => None,
        };
        let reading = Reading {
            headers: &headers,
            path: &path,
            id: call.id,
            caller: call.caller,
            coding: Coding::Identity,
        };
        // Light searches are carried out where they stand: between two, others get a turn of this thread.
        tokio::task::yield_now().await;
        let reply = self.reading(reading, route, query.to_owned()).await?;
        Ok(EntryAnswer::read(full_url, reply))
    }
}

/// The headers that an entry would have as a request of its own: the preferences of the Bundle's, and its conditions.
fn headers_of(bundle: &HeaderMap, entry: &ReadEntry) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::new();
    for preference in bundle.get_all(&PREFER) {
        headers.append(PREFER, preference.clone());
    }
    let conditions: [(HeaderName, &'static str, &Option<String>); 2] = [
        (IF_NONE_MATCH, "ifNoneMatch", &entry.if_none_match),
        (
            IF_MODIFIED_SINCE,
            "ifModifiedSince",
            &entry.if_modified_since,
        ),
    ];
    for (name, header, value) in conditions {
        if let Some(value) = value {
            let value = HeaderValue::from_str(value).map_err(|_| Refusal::Header { header })?;
            headers.insert(name, value);
        }
    }
    Ok(headers)
}

/// Why a transaction was not done: by the fault of an entry, or of none.
fn of_denied(denied: Denied, places: &[usize]) -> Refusal {
    let of_none = matches!(
        denied.refusal,
        Refusal::Defect { .. }
            | Refusal::Unconfirmed { .. }
            | Refusal::Write(WriteRefusal::Unavailable { .. } | WriteRefusal::TooLarge { .. })
    );
    match places.get(denied.change) {
        Some(place) if !of_none => of_entries(&[(*place, denied.refusal)]),
        _ => denied.refusal,
    }
}

/// The answers of all entries, of which each has one.
fn whole(id: &str, answers: Vec<Option<EntryAnswer>>) -> Result<Vec<EntryAnswer>, Refusal> {
    let count = answers.len();
    let answers: Vec<EntryAnswer> = answers.into_iter().flatten().collect();
    match answers.len() == count {
        true => Ok(answers),
        false => Err(unanswered(id)),
    }
}

fn unanswered(id: &str) -> Refusal {
    defect(id, "an entry of a Bundle has no answer")
}
