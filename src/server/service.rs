//! One request, from its head to its response.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};

use http::header::CONNECTION;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use rorqual_schema::ResourceType;

use super::access::{Audit, Caller, Callers, Entry};
use super::activity::Running;
use super::base_url::BaseUrl;
use super::body::ReplyBody;
use super::capability::CapabilityCache;
use super::coding::accepts_gzip;
use super::config::ServerConfig;
use super::encoding;
use super::export::{Asking, ExportRoute, Exports};
use super::form::read_form;
use super::limits::Limits;
use super::listener::ServeError;
use super::metrics::{Asked, Metrics, Standing};
use super::negotiation::negotiate;
use super::payload::drained;
use super::peer::Peer;
use super::prefer;
use super::query::{joined, pairs};
use super::reading::Reading;
use super::refusal::{Refusal, shown};
use super::reply::Reply;
use super::request_id::RequestIds;
use super::route::{Route, route};
use super::search_pool::{PoolFault, SearchPool, caught};
use super::served::Served;
use super::tls::TlsStatus;
use super::writing::Writing;
use crate::anomaly::store::Store;
use crate::bundle::assemble::Coding;
use crate::{Engine, Handling};

/// Writes that may wait to be checked. A check is short, so a long queue is soon gone: it is not for the bound on searches to
/// turn reports away.
const WAITING_CHECKS: usize = 4_096;

/// What all requests share.
pub(super) struct Service {
    pub(super) engine: Arc<Engine>,
    /// Who writes anomalies; without it they are only read.
    pub(super) store: Option<Arc<Store>>,
    pub(super) config: ServerConfig,
    pub(super) base: BaseUrl,
    pub(super) searches: SearchPool,
    /// Where what is to be written is checked: turns of its own, so that searches do not hold up writes.
    pub(super) checks: SearchPool,
    pub(super) capability: CapabilityCache,
    exports: Exports,
    ids: RequestIds,
    draining: AtomicBool,
    pub(super) callers: Arc<Callers>,
    audit: Option<Arc<Audit>>,
    pub(super) metrics: Arc<Metrics>,
}

/// A request whose answer is being made.
struct Call<'a> {
    parts: &'a Parts,
    /// Set once known, so that a refusal that follows is indented too.
    pretty: bool,
    /// How the client takes the bytes.
    coding: Coding,
    /// The reference to give when a defect shows.
    id: &'a str,
    /// Set once known.
    caller: Option<Caller>,
    /// What it asks for; set once known.
    asked: Asked,
}

impl Service {
    /// A service of `served` under `base`.
    ///
    /// # Errors
    /// When the access policy or the record of requests cannot be opened.
    pub(super) fn new(
        served: Served,
        config: ServerConfig,
        base: BaseUrl,
        metrics: Arc<Metrics>,
    ) -> Result<Self, ServeError> {
        let Served { engine, store } = served;
        let audit = Audit::open(&config.access).map_err(|source| ServeError::Audit {
            path: config.access.audit_log.clone().unwrap_or_default(),
            source,
        })?;
        Ok(Self {
            callers: Arc::new(Callers::new(config.access.policy_for(&engine)?)),
            audit: audit.map(Arc::new),
            metrics,
            searches: SearchPool::new(&config.limits),
            checks: SearchPool::new(&Limits {
                max_waiting_searches: WAITING_CHECKS,
                ..config.limits.clone()
            }),
            capability: CapabilityCache::new(store.is_some().then_some(&config.anomalies)),
            exports: Exports::new(&config),
            engine,
            store,
            config,
            base,
            ids: RequestIds::new(),
            draining: AtomicBool::new(false),
        })
    }

    /// The configured bounds.
    pub(super) fn limits(&self) -> &Limits {
        &self.config.limits
    }

    /// How everything stands that is not counted request by request.
    pub(super) fn standing(&self, tls: Option<Arc<TlsStatus>>) -> Standing {
        Standing {
            engine: Arc::clone(&self.engine),
            store: self.store.clone(),
            audit: self.audit.clone(),
            exports: Arc::clone(self.exports.jobs()),
            tls,
        }
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
            coding: match self.config.gzip && accepts_gzip(&parts.headers) {
                true => Coding::Gzip,
                false => Coding::Identity,
            },
            id: &id,
            caller: None,
            asked: Asked::NOTHING,
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
        if matches!(answered, Err(Refusal::BodyCut)) {
            running.given_up();
        }
        let mut reply = answered.unwrap_or_else(|refusal| {
            self.metrics.refused(&refusal);
            Reply::refusal(&refusal, &id)
        });
        if call.pretty {
            reply = reply.indented();
        }
        if call.coding == Coding::Gzip {
            reply = reply.compressed();
        }
        self.metrics.answered(
            call.asked,
            reply.status().as_u16(),
            begun.elapsed(),
            reply.length(),
            reply.total(),
        );
        tracing::debug!(
            request = id,
            client = peer(&parts).map(|peer| peer.name()),
            method = %parts.method,
            path = parts.uri.path(),
            status = reply.status().as_u16(),
            bytes = reply.length(),
            micros = begun.elapsed().as_micros(),
            "answered"
        );
        if let Some(audit) = &self.audit {
            audit.record(&Entry {
                id: &id,
                client: peer(&parts).map(Peer::name),
                profile: call.caller.as_ref().and_then(Caller::profile),
                method: parts.method.as_str(),
                target: parts
                    .uri
                    .path_and_query()
                    .map_or("", |target| target.as_str()),
                headers: &parts.headers,
                status: reply.status().as_u16(),
                total: reply.total(),
                bytes: reply.length(),
                duration: begun.elapsed(),
                generation: self.engine.generation_id(),
            });
        }
        let mut response = reply.into_response(parts.method == Method::HEAD, &id, running);
        let limits = self.limits();
        let term = Duration::from_secs(limits.body_read_timeout_seconds);
        let most = limits.body_bytes.max(self.config.anomalies.body_bytes);
        // The next request stands behind a body that nobody asked for: read past it, or say that the connection ends.
        if !drained(&mut body, most, term).await && parts.version < Version::HTTP_2 {
            response
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }

    /// The answer to a request that is refused whatever it asks for.
    pub(super) fn refuse(
        &self,
        parts: &Parts,
        refusal: &Refusal,
        running: Running,
    ) -> Response<ReplyBody> {
        let id = self.ids.of(&parts.headers);
        self.metrics.refused(refusal);
        Reply::refusal(refusal, &id).into_response(parts.method == Method::HEAD, &id, running)
    }

    async fn answer(&self, call: &mut Call<'_>, body: &mut Incoming) -> Result<Reply, Refusal> {
        let parts = call.parts;
        self.check_sizes(parts)?;
        let route = route(&parts.method, parts.uri.path(), self.base.path())?;
        call.asked = Asked::of(&route);
        match route {
            Route::Live => {
                return Ok(Reply::health(
                    StatusCode::OK,
                    r#"{"status":"live"}"#.to_owned(),
                ));
            }
            Route::Ready => return Ok(self.readiness()),
            // Nothing is listened for before the index is open.
            Route::Started => {
                return Ok(Reply::health(
                    StatusCode::OK,
                    r#"{"status":"started"}"#.to_owned(),
                ));
            }
            // Asking whether the server lives is nobody's allowance.
            _ => admitted(parts)?,
        }
        let mut query = parts.uri.query().unwrap_or("").to_owned();
        encoding::decode(&query).map_err(|fault| Refusal::Encoding {
            place: "query",
            fault,
        })?;
        if let Route::SearchForm(_) = route {
            let limits = self.limits();
            let term = Duration::from_secs(limits.body_read_timeout_seconds);
            let form = read_form(&parts.headers, &mut *body, limits.body_bytes, term).await?;
            encoding::decode(&form).map_err(|fault| Refusal::Encoding {
                place: "form",
                fault,
            })?;
            query = joined(&query, form);
        }
        // What a file is was decided when its export was begun; nothing else can be asked of it.
        if !matches!(route, Route::Export(ExportRoute::File { .. })) {
            call.pretty = negotiate(&query, &parts.headers)?;
        }
        if route == Route::Metadata {
            // What the server offers is no secret, and tells a client without a profile what it is talking to.
            return self.metadata(&parts.headers, &query);
        }
        let caller = self.callers.of(&self.engine, peer(parts))?;
        let caller = &*call.caller.insert(caller);
        let written = Writing {
            headers: &parts.headers,
            query: &query,
            id: call.id,
            caller,
        };
        match route {
            Route::Export(asked) => {
                self.config
                    .access
                    .ror_headers
                    .check(ResourceType::HealthcareService, &parts.headers)?;
                let asking = Asking {
                    method: &parts.method,
                    headers: &parts.headers,
                    query: &query,
                    base_url: self.base.as_str(),
                    handling: self.handling(&parts.headers),
                    id: call.id,
                    caller,
                    owner: owner(caller, peer(parts)),
                };
                self.exports.answer(&asking, asked).await
            }
            Route::Create => self.create(written, body).await,
            Route::Patch(id) => self.patch(written, id, body).await,
            Route::Requests => self.requests(written, body).await,
            route => {
                let reading = Reading {
                    headers: &parts.headers,
                    path: parts.uri.path(),
                    id: call.id,
                    caller,
                    // What is indented first is compressed afterwards.
                    coding: match call.pretty {
                        true => Coding::Identity,
                        false => call.coding,
                    },
                };
                self.reading(reading, route, query).await
            }
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
        // A server that takes no writes still answers searches: it says so, and stays ready.
        let takes_writes = |store: &Arc<Store>| store.status().writable;
        let writes = match self.store.as_ref().is_some_and(takes_writes) {
            true => "ok",
            false => "refused",
        };
        let json = serde_json::json!({
            "status": word,
            "generation": self.engine.generation_id(),
            "writes": writes,
            "requestsNotRecorded": self.audit.as_ref().map_or(0, |audit| audit.lost()),
        });
        Reply::health(status, json.to_string())
    }

    /// Fails closed on parameters that mean nothing outside a search, unless the client is lenient.
    pub(super) fn refuse_others(
        &self,
        headers: &HeaderMap,
        query: &str,
        known: &[&'static str],
        place: &'static str,
    ) -> Result<(), Refusal> {
        if matches!(self.handling(headers), Handling::Lenient) {
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

    pub(super) fn handling(&self, headers: &HeaderMap) -> Handling {
        match prefer::handling(headers) {
            Handling::Default if self.config.lenient_by_default => Handling::Lenient,
            asked => asked,
        }
    }
}

/// Whose request it is.
fn peer(parts: &Parts) -> Option<&Peer> {
    parts.extensions.get::<Arc<Peer>>().map(Arc::as_ref)
}

/// Whose an export is: of the holder of a certificate, whatever certificate of the same name it is, as long as they see
/// the same. Without certificates all clients are one.
fn owner(caller: &Caller, peer: Option<&Peer>) -> String {
    let identity = peer.and_then(|peer| peer.identity.as_ref());
    let name = identity.map(|identity| format!("{}\n{}", identity.issuer, identity.subject));
    format!("{}\n{}", caller.view.name(), name.unwrap_or_default())
}

/// Counts the request for its client, within the client's allowance.
fn admitted(parts: &Parts) -> Result<(), Refusal> {
    peer(parts).map_or(Ok(()), Peer::admit)
}

/// Records a defect and gives the client its reference only.
pub(super) fn defect(id: &str, panic: &str) -> Refusal {
    tracing::error!(
        request = id,
        panic,
        "a request failed by a defect of the server"
    );
    Refusal::Defect {
        reference: id.to_owned(),
    }
}

/// Why something that runs on a pool has no result.
pub(super) fn pool_refusal(id: &str, fault: PoolFault) -> Refusal {
    match fault {
        PoolFault::Busy => Refusal::Overloaded,
        PoolFault::Late(seconds) => Refusal::TimeBudget { seconds },
        PoolFault::Panicked(panic) => defect(id, &panic),
    }
}
