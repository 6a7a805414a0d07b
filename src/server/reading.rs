//! Interactions that read: searches and their plans, resources and their versions, the CapabilityStatement.
//!
//! They are the same for a request of its own and for an entry of a Bundle, which is why they take a [`Reading`] and no
//! HTTP request.

use bytes::Bytes;
use http::HeaderMap;
use rorqual_access::Ask;
use rorqual_schema::ResourceType;
use tokio::time::Instant;

use super::access::Caller;
use super::attempt::{Attempt, attempt};
use super::conditional::not_modified;
use super::query::{pairs, value};
use super::refusal::{Refusal, shown};
use super::reply::{Reply, WORTH_COMPRESSING, etag};
use super::route::Route;
use super::search_pool::caught;
use super::service::{Service, defect, pool_refusal};
use crate::bundle::assemble::Coding;
use crate::bundle::gzip::GzipBody;
use crate::query::explain::Depth;
use crate::weight::Weight;
use crate::{SearchRequest, StoredResource};

/// Up to how many bytes a query is read where it arrives; reading a longer one may itself be work.
const SHORT_QUERY: usize = 2_048;

/// What is known of a request that reads, besides its query.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    /// Its headers.
    pub(super) headers: &'a HeaderMap,
    /// Its path as received, for messages.
    pub(super) path: &'a str,
    /// The reference to give when a defect shows.
    pub(super) id: &'a str,
    /// Who asks.
    pub(super) caller: &'a Caller,
    /// How the bytes of a search's answer are to be written.
    pub(super) coding: Coding,
}

impl Service {
    /// Carries out what reads; any other route is no address to read at.
    pub(super) async fn reading(
        &self,
        call: Reading<'_>,
        route: Route,
        query: String,
    ) -> Result<Reply, Refusal> {
        match route {
            Route::Search(kind) | Route::SearchForm(kind) => self.search(call, kind, query).await,
            Route::Explain(kind) => self.explain(call, kind, &query).await,
            Route::Read(kind, id) => self.read(call, kind, &id, &query),
            Route::ReadVersion(kind, id, version) => {
                self.read_version(call, kind, &id, &version, &query)
            }
            Route::Metadata => self.metadata(call.headers, &query),
            Route::Live
            | Route::Ready
            | Route::Started
            | Route::Create
            | Route::Patch(_)
            | Route::Requests
            | Route::Export(_) => Err(Refusal::UnknownAddress {
                path: shown(call.path),
            }),
        }
    }

    /// Whether the caller may read a type this way, and says on whose behalf where that is asked.
    fn allowed(&self, call: Reading<'_>, ask: Ask<'_>, kind: ResourceType) -> Result<(), Refusal> {
        call.caller.may(ask)?;
        self.config.access.ror_headers.check(kind, call.headers)
    }

    async fn search(
        &self,
        call: Reading<'_>,
        kind: ResourceType,
        query: String,
    ) -> Result<Reply, Refusal> {
        self.allowed(call, Ask::Search(kind), kind)?;
        let request = SearchRequest {
            kind,
            query: &query,
            base_url: self.base.as_str(),
            handling: self.handling(call.headers),
            permits: call.caller.permits(),
            coding: call.coding,
            name: Some(call.id),
        };
        let deadline = self.searches.deadline();
        let mut weight = match query.len() {
            ..=SHORT_QUERY => Weight::Light,
            _ => Weight::Ordinary,
        };
        let answer = loop {
            let attempt = match weight {
                Weight::Light => caught(|| attempt(&call.caller.view, &request, weight))
                    .map_err(|panic| defect(call.id, &panic))?,
                _ => self.in_turn(call, &request, deadline, weight).await?,
            };
            match attempt {
                Attempt::Done(answered) => break answered?,
                Attempt::Heavier(found) => weight = found,
            }
        };
        Ok(Reply::fhir(answer.chunks)
            .coded(call.coding)
            .modified(answer.last_modified)
            .counted(answer.total))
    }

    /// A search that is not light, when its turn comes.
    async fn in_turn(
        &self,
        call: Reading<'_>,
        request: &SearchRequest<'_>,
        deadline: Instant,
        weight: Weight,
    ) -> Result<Attempt, Refusal> {
        let caller = call.caller.clone();
        let (kind, handling, coding) = (request.kind, request.handling, request.coding);
        let [query, base_url, name] =
            [request.query, request.base_url, call.id].map(|text| text.to_owned());
        let work = move || {
            let request = SearchRequest {
                kind,
                query: &query,
                base_url: &base_url,
                handling,
                permits: caller.permits(),
                coding,
                name: Some(&name),
            };
            attempt(&caller.view, &request, weight)
        };
        let searched = self.searches.run_until(deadline, weight, work).await;
        searched.map_err(|fault| pool_refusal(call.id, fault))
    }

    /// `$explain`: the plan of a search, executed unless `_level=plan`.
    async fn explain(
        &self,
        call: Reading<'_>,
        kind: ResourceType,
        query: &str,
    ) -> Result<Reply, Refusal> {
        self.allowed(call, Ask::Search(kind), kind)?;
        call.caller.may(Ask::Operation("$explain"))?;
        let (levels, rest): (Vec<&str>, Vec<&str>) = query
            .split('&')
            .partition(|pair| pair.split('=').next() == Some("_level"));
        let depth = match levels.as_slice() {
            [] | ["_level=analyze"] => Depth::Analyze,
            ["_level=plan"] => Depth::Plan,
            other => {
                return Err(Refusal::ExplainLevel {
                    written: shown(&other.join("&")),
                });
            }
        };
        let (caller, handling) = (call.caller.clone(), self.handling(call.headers));
        let (query, base_url) = (rest.join("&"), self.base.as_str().to_owned());
        let explained = self.searches.run(move || {
            let request = SearchRequest {
                kind,
                query: &query,
                base_url: &base_url,
                handling,
                permits: caller.permits(),
                coding: Coding::Identity,
                name: None,
            };
            caller.view.explanation(&request, depth)
        });
        let explanation = explained
            .await
            .map_err(|fault| pool_refusal(call.id, fault))??;
        Ok(Reply::fhir(vec![Bytes::from(
            explanation.to_parameters().to_string(),
        )]))
    }

    /// A read is a lookup and a slice of the map: cheap enough to do where it stands.
    fn read(
        &self,
        call: Reading<'_>,
        kind: ResourceType,
        id: &str,
        query: &str,
    ) -> Result<Reply, Refusal> {
        self.allowed(call, Ask::Read(kind), kind)?;
        self.refuse_others(call.headers, query, &["_format", "_pretty"], "a read")?;
        let found =
            caught(|| call.caller.view.read(kind, id)).map_err(|panic| defect(call.id, &panic))?;
        let stored = found.ok_or_else(|| Refusal::NotFound {
            kind,
            id: id.to_owned(),
        })?;
        Ok(unless_held(call, stored))
    }

    /// The present version of anything, and earlier ones of anomalies until the log that holds them is folded.
    fn read_version(
        &self,
        call: Reading<'_>,
        kind: ResourceType,
        id: &str,
        version: &str,
        query: &str,
    ) -> Result<Reply, Refusal> {
        self.allowed(call, Ask::Read(kind), kind)?;
        self.refuse_others(call.headers, query, &["_format", "_pretty"], "a read")?;
        let found = caught(|| call.caller.view.read_version(kind, id, version))
            .map_err(|panic| defect(call.id, &panic))?;
        let stored = found.ok_or_else(|| Refusal::NoVersion {
            path: shown(&format!("{}/{id}/_history/{version}", kind.name())),
        })?;
        Ok(unless_held(call, stored))
    }

    pub(super) fn metadata(&self, headers: &HeaderMap, query: &str) -> Result<Reply, Refusal> {
        self.refuse_others(headers, query, &["_format", "_pretty", "mode"], "metadata")?;
        for (name, raw) in pairs(query) {
            let written = value(raw);
            if name == "mode" && written != "full" {
                return Err(Refusal::BadValue {
                    name: "mode",
                    written: shown(&written),
                    expected: "full",
                });
            }
        }
        let body = self.capability.get(&self.engine, self.base.as_str());
        Ok(Reply::fhir(vec![body]).revalidated(None, None))
    }
}

/// The resource, or word that the client holds it already.
fn unless_held(call: Reading<'_>, stored: StoredResource) -> Reply {
    let tag = etag(&stored.version);
    let modified = stored.last_updated_ms;
    let reply = match (call.coding, stored.deflated) {
        (Coding::Gzip, Some(deflated)) if stored.body.len() >= WORTH_COMPRESSING => {
            let mut stream = GzipBody::with_capacity(1);
            stream.stored(deflated);
            Reply::fhir(stream.finish()).coded(Coding::Gzip)
        }
        _ => Reply::fhir(vec![stored.body]),
    };
    let reply = reply.revalidated(tag.as_deref(), modified);
    if not_modified(call.headers, tag.as_deref(), modified) {
        return reply.into_not_modified();
    }
    reply
}
