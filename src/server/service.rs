//! One request, from its head to its response.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::CONNECTION;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use rorqual_schema::ResourceType;

use super::activity::Running;
use super::base_url::BaseUrl;
use super::body::ReplyBody;
use super::capability::CapabilityCache;
use super::conditional::not_modified;
use super::config::{Limits, ServerConfig};
use super::encoding;
use super::export::{Asking, ExportRoute, Exports};
use super::form::{drained, read_form};
use super::negotiation::negotiate;
use super::prefer;
use super::query::{joined, pairs, value};
use super::refusal::{Refusal, shown};
use super::reply::{Reply, etag};
use super::request_id::RequestIds;
use super::route::{Route, route};
use super::search_pool::{PoolFault, SearchPool, caught};
use crate::query::explain::Depth;
use crate::{Engine, Handling, SearchRequest};

/// What all requests share.
pub(super) struct Service {
    engine: Arc<Engine>,
    config: ServerConfig,
    base: BaseUrl,
    searches: SearchPool,
    capability: CapabilityCache,
    exports: Exports,
    ids: RequestIds,
    draining: AtomicBool,
}

/// A request whose answer is being made.
struct Call<'a> {
    parts: &'a Parts,
    /// Set once known, so that a refusal that follows is indented too.
    pretty: bool,
    /// The reference to give when a defect shows.
    id: &'a str,
}

impl Service {
    /// A service of `engine` under `base`.
    pub(super) fn new(engine: Arc<Engine>, config: ServerConfig, base: BaseUrl) -> Self {
        Self {
            searches: SearchPool::new(&config.limits),
            exports: Exports::new(&config),
            engine,
            config,
            base,
            capability: CapabilityCache::default(),
            ids: RequestIds::new(),
            draining: AtomicBool::new(false),
        }
    }

    /// The configured bounds.
    pub(super) fn limits(&self) -> &Limits {
        &self.config.limits
    }

    /// From now on the server says that it is not ready; it still answers.
    pub(super) fn drain(&self) {
        self.draining.store(true, Relaxed);
    }

    /// Answers a request, whatever happens.
    pub(super) async fn respond(
        &self,
        request: Request<Incoming>,
        running: Running,
    ) -> Response<ReplyBody> {
        let begun = Instant::now();
        let (parts, mut body) = request.into_parts();
        let id = self.ids.of(&parts.headers);
        let mut call = Call {
            parts: &parts,
            pretty: false,
            id: &id,
        };
        let answered = {
            let mut answering = Box::pin(self.answer(&mut call, &mut body));
            // A panic anywhere on the way is an answer too, not a dead connection.
            std::future::poll_fn(|cx| match caught(|| answering.as_mut().poll(cx)) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(answered)) => Poll::Ready(answered),
                Err(panic) => Poll::Ready(Err(defect(&id, &panic))),
            })
            .await
        };
        let mut reply = answered.unwrap_or_else(|refusal| Reply::refusal(&refusal));
        if call.pretty {
            reply = reply.indented();
        }
        tracing::debug!(
            request = id,
            method = %parts.method,
            path = parts.uri.path(),
            status = reply.status().as_u16(),
            bytes = reply.length(),
            micros = begun.elapsed().as_micros(),
            "answered"
        );
        let mut response = reply.into_response(parts.method == Method::HEAD, &id, running);
        let limits = self.limits();
        let term = Duration::from_secs(limits.body_read_timeout_seconds);
        // The next request stands behind a body that nobody asked for: read past it, or say that the connection ends.
        if !drained(&mut body, limits.body_bytes, term).await && parts.version < Version::HTTP_2 {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    async fn answer(&self, call: &mut Call<'_>, body: &mut Incoming) -> Result<Reply, Refusal> {
        let parts = call.parts;
        self.check_sizes(parts)?;
        let route = route(&parts.method, parts.uri.path(), self.base.path())?;
        match route {
            Route::Live => {
                return Ok(Reply::health(
                    StatusCode::OK,
                    r#"{"status":"live"}"#.to_owned(),
                ));
            }
            Route::Ready => return Ok(self.readiness()),
            _ => {}
        }
        let mut query = parts.uri.query().unwrap_or("").to_owned();
        encoding::decode(&query).map_err(|fault| Refusal::Encoding {
            place: "query",
            fault,
        })?;
        if let Route::SearchForm(_) = route {
            let limits = self.limits();
            let term = Duration::from_secs(limits.body_read_timeout_seconds);
            let form = read_form(&parts.headers, body, limits.body_bytes, term).await?;
            encoding::decode(&form).map_err(|fault| Refusal::Encoding {
                place: "form",
                fault,
            })?;
            query = joined(&query, form);
        }
        if let Route::Export(asked) = route {
            // What a file is was decided at the kick-off; nothing else can be asked of it.
            if !matches!(asked, ExportRoute::File { .. }) {
                call.pretty = negotiate(&query, &parts.headers)?;
            }
            let asking = Asking {
                method: &parts.method,
                headers: &parts.headers,
                query: &query,
                base_url: self.base.as_str(),
                handling: self.handling(parts),
                // Without certificates all clients are one.
                owner: "",
            };
            return self
                .exports
                .answer(self.engine.full(), &asking, asked)
                .await;
        }
        call.pretty = negotiate(&query, &parts.headers)?;
        match route {
            Route::Search(kind) | Route::SearchForm(kind) => self.search(call, kind, query).await,
            Route::Explain(kind) => self.explain(call, kind, &query).await,
            Route::Read(kind, id) => self.read(call, kind, &id, &query),
            Route::Metadata => self.metadata(call, &query),
            Route::Export(_) | Route::Live | Route::Ready => Err(Refusal::UnknownAddress {
                path: shown(parts.uri.path()),
            }),
        }
    }

    fn check_sizes(&self, parts: &Parts) -> Result<(), Refusal> {
        let limits = self.limits();
        let url = parts.uri.path().len() + parts.uri.query().map_or(0, |query| query.len() + 1);
        if url > limits.url_bytes {
            return Err(Refusal::UrlTooLong {
                bytes: url,
                limit: limits.url_bytes,
            });
        }
        let headers = parts
            .headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        if headers > limits.header_bytes {
            return Err(Refusal::HeadersTooLong {
                bytes: headers,
                limit: limits.header_bytes,
            });
        }
        Ok(())
    }

    fn readiness(&self) -> Reply {
        let (status, word) = if self.draining.load(Relaxed) {
            (StatusCode::SERVICE_UNAVAILABLE, "stopping")
        } else {
            (StatusCode::OK, "ready")
        };
        let json = serde_json::json!({"status": word, "generation": self.engine.generation_id()});
        Reply::health(status, json.to_string())
    }

    async fn search(
        &self,
        call: &Call<'_>,
        kind: ResourceType,
        query: String,
    ) -> Result<Reply, Refusal> {
        let handling = self.handling(call.parts);
        let engine = Arc::clone(&self.engine);
        let base_url = self.base.as_str().to_owned();
        let searched = self.searches.run(move || {
            engine.answer(&SearchRequest {
                kind,
                query: &query,
                base_url: &base_url,
                handling,
                permits: None,
            })
        });
        let answer = searched
            .await
            .map_err(|fault| pool_refusal(call.id, fault))??;
        Ok(Reply::fhir(answer.chunks).modified(answer.last_modified))
    }

    /// `$explain`: the plan of a search, executed unless `_level=plan`.
    async fn explain(
        &self,
        call: &Call<'_>,
        kind: ResourceType,
        query: &str,
    ) -> Result<Reply, Refusal> {
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
        let (engine, handling) = (Arc::clone(&self.engine), self.handling(call.parts));
        let (query, base_url) = (rest.join("&"), self.base.as_str().to_owned());
        let explained = self.searches.run(move || {
            let request = SearchRequest {
                kind,
                query: &query,
                base_url: &base_url,
                handling,
                permits: None,
            };
            engine.explanation(&request, depth)
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
        call: &Call<'_>,
        kind: ResourceType,
        id: &str,
        query: &str,
    ) -> Result<Reply, Refusal> {
        self.refuse_others(call.parts, query, &["_format", "_pretty"], "a read")?;
        let found =
            caught(|| self.engine.read(kind, id)).map_err(|panic| defect(call.id, &panic))?;
        let stored = found.ok_or_else(|| Refusal::NotFound {
            kind,
            id: id.to_owned(),
        })?;
        let tag = etag(&stored.version);
        let reply =
            Reply::fhir(vec![stored.body]).revalidated(tag.as_deref(), stored.last_updated_ms);
        if not_modified(&call.parts.headers, tag.as_deref(), stored.last_updated_ms) {
            return Ok(reply.into_not_modified());
        }
        Ok(reply)
    }

    fn metadata(&self, call: &Call<'_>, query: &str) -> Result<Reply, Refusal> {
        self.refuse_others(
            call.parts,
            query,
            &["_format", "_pretty", "mode"],
            "metadata",
        )?;
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

    /// Fails closed on parameters that mean nothing outside a search, unless the client is lenient.
    fn refuse_others(
        &self,
        parts: &Parts,
        query: &str,
        known: &[&'static str],
        place: &'static str,
    ) -> Result<(), Refusal> {
        if matches!(self.handling(parts), Handling::Lenient) {
            return Ok(());
        }
        match pairs(query).find(|(name, _)| !known.contains(&name.as_ref())) {
            Some((name, _)) => Err(Refusal::UnknownParameter {
                name: shown(&name),
                place,
                known: known.join(", "),
            }),
            None => Ok(()),
        }
    }

    fn handling(&self, parts: &Parts) -> Handling {
        match prefer::handling(&parts.headers) {
            Handling::Default if self.config.lenient_by_default => Handling::Lenient,
            asked => asked,
        }
    }
}

/// Records a defect and gives the client its reference only.
fn defect(id: &str, panic: &str) -> Refusal {
    tracing::error!(
        request = id,
        panic,
        "a request failed by a defect of the server"
    );
    Refusal::Defect {
        reference: id.to_owned(),
    }
}

/// Why a search has no result.
fn pool_refusal(id: &str, fault: PoolFault) -> Refusal {
    match fault {
        PoolFault::Busy => Refusal::Overloaded,
        PoolFault::Late(seconds) => Refusal::TimeBudget { seconds },
        PoolFault::Panicked(panic) => defect(id, &panic),
    }
}
