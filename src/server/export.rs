//! Bulk exports over HTTP (Bulk Data Access STU2): `$export`, `$export-poll-status`, `$export-get-file`.

mod config;
mod range;
mod stream;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use http::header::{
    ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LOCATION, CONTENT_RANGE, EXPIRES, RANGE, VARY,
};
use http::{HeaderMap, HeaderName, Method, StatusCode};
use rorqual_access::Ask;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

pub use config::ExportConfig;
pub(super) use stream::FileStream;

use self::range::{Part, part};
use super::access::Caller;
use super::coding::accepts_gzip;
use super::conditional::not_modified;
use super::config::ServerConfig;
use super::http_date;
use super::negotiation::FHIR_JSON;
use super::prefer::PREFER;
use super::query::{pairs, value};
use super::refusal::{Refusal, shown};
use super::reply::Reply;
use super::search_pool::caught;
use crate::Handling;
use crate::export::manifest::{FILES, JOB, STATUS, manifest, running, status_url};
use crate::export::{ExportError, ExportFile, ExportRequest, Job, Jobs};
use crate::outcome::{Issue, Severity, named_outcome};

const X_PROGRESS: HeaderName = HeaderName::from_static("x-progress");
const JSON: &str = "application/json";
/// Seconds after which the status of a job that runs may be asked for again.
const AGAIN_SECONDS: u32 = 1;

/// What is asked of exports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ExportRoute {
    /// To begin one.
    KickOff,
    /// How it stands, or to end it.
    Status {
        /// To end it.
        cancel: bool,
    },
    /// One of its files.
    File {
        /// The job's id as written.
        job: String,
        /// The file's name as written.
        name: String,
    },
}

/// What `method` and an address below the base mean; `None`: nothing about exports.
pub(super) fn route(
    method: &Method,
    head: &str,
    rest: &[&str],
) -> Option<Result<ExportRoute, Refusal>> {
    let (route, allow, hint) = match (head, rest) {
        ("$export", []) => (
            ExportRoute::KickOff,
            "GET, HEAD",
            ": an export is begun by GET, with its parameters in the address",
        ),
        (STATUS, []) => (
            ExportRoute::Status {
                cancel: method == Method::DELETE,
            },
            "GET, HEAD, DELETE",
            "",
        ),
        (FILES, [job, name]) => (
            ExportRoute::File {
                job: (*job).to_owned(),
                name: (*name).to_owned(),
            },
            "GET, HEAD",
            "",
        ),
        _ => return None,
    };
    Some(match allow.split(", ").any(|one| one == method.as_str()) {
        true => Ok(route),
        false => Err(Refusal::Method {
            method: shown(method.as_str()),
            allow,
            hint,
        }),
    })
}

/// The operations as the CapabilityStatement lists them.
pub(super) fn operations(base_url: &str) -> Value {
    let own = |name: &str| format!("{base_url}/OperationDefinition/{name}");
    json!([
        {
            "name": "export",
            "definition": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export",
            "documentation": "GET [base]/$export: the offers and what belongs to them, in files. Parameters: _outputFormat, _type, _typeFilter, _since, includeAssociatedData",
        },
        {
            "name": "export-poll-status",
            "definition": own("export-poll-status"),
            "documentation": "GET [base]/$export-poll-status?_jobId=…: the manifest of an export, once it is done; DELETE ends it",
        },
        {
            "name": "export-get-file",
            "definition": own("export-get-file"),
            "documentation": "GET [base]/$export-get-file/…: a file of an export, as its manifest names it; by parts, too",
        },
    ])
}

/// A request about exports.
pub(super) struct Asking<'a> {
    pub(super) method: &'a Method,
    pub(super) headers: &'a HeaderMap,
    /// Known to decode.
    pub(super) query: &'a str,
    pub(super) base_url: &'a str,
    pub(super) handling: Handling,
    /// The name of the request.
    pub(super) id: &'a str,
    /// Who asks.
    pub(super) caller: &'a Caller,
    /// The name by which jobs know their client.
    pub(super) owner: String,
}

/// The exports of a server.
#[derive(Debug)]
pub(super) struct Exports {
    jobs: Arc<Jobs>,
    retention: Duration,
    wait: Duration,
    gzip: bool,
    /// The turns of preparing: one at a time, so that searches keep their cores.
    preparing: Arc<Semaphore>,
    /// The turns of reading files.
    reading: Arc<Semaphore>,
}

impl Exports {
    /// No export yet.
    pub(super) fn new(config: &ServerConfig) -> Exports {
        let export = &config.export;
        let options = export.options();
        let budget = Duration::from_secs(config.limits.request_timeout_seconds);
        Exports {
            retention: options.retention,
            jobs: Arc::new(Jobs::new(options)),
            wait: Duration::from_millis(export.poll_wait_ms).min(budget),
            gzip: export.gzip,
            preparing: Arc::new(Semaphore::new(1)),
            reading: Arc::new(Semaphore::new(
                std::thread::available_parallelism().map_or(2, usize::from),
            )),
        }
    }

    /// The jobs, for those who watch.
    pub(super) fn jobs(&self) -> &Arc<Jobs> {
        &self.jobs
    }

    /// Answers a request about exports of what its caller sees.
    pub(super) async fn answer(
        &self,
        asking: &Asking<'_>,
        asked: ExportRoute,
    ) -> Result<Reply, Refusal> {
        asking.caller.may(Ask::Operation("$export"))?;
        match asked {
            ExportRoute::KickOff => self.kick_off(asking),
            ExportRoute::Status { cancel } => self.status(asking, cancel).await,
            ExportRoute::File { job, name } => {
                refuse_others(asking, &[])?;
                let file = self.jobs.get(&job, &asking.owner)?.file(&name)?;
                self.file(asking, &job, file).await
            }
        }
    }

    fn kick_off(&self, asking: &Asking<'_>) -> Result<Reply, Refusal> {
        let view = &asking.caller.view;
        let preferences = preferences(asking.headers);
        let request = ExportRequest {
            query: asking.query,
            base_url: asking.base_url,
            handling: asking.handling,
            preferences: &preferences,
            permits: asking.caller.permits(),
        };
        // HEAD must not change anything: it tells whether the export would be begun.
        if asking.method == Method::HEAD {
            return Ok(accepted(self.jobs.check(view, &request)?, asking.id));
        }
        let begun = self.jobs.begin(view, &asking.owner, &request)?;
        let address = status_url(&begun.job);
        self.prepare(begun.job);
        Ok(accepted(begun.warnings, asking.id).with(CONTENT_LOCATION, &address))
    }

    /// Prepares a job in the background, and forgets it in time even if nobody asks for anything again.
    fn prepare(&self, job: Arc<Job>) {
        let (jobs, turns, retention) = (self.jobs.clone(), self.preparing.clone(), self.retention);
        tokio::spawn(async move {
            let turn = turns.acquire_owned().await;
            let preparing = tokio::task::spawn_blocking(move || {
                if let Err(panic) = caught(|| job.prepare()) {
                    tracing::error!(job = %job.id(), panic, "an export failed by a defect of the server");
                    job.fail(panic);
                }
                drop(turn);
            });
            // A panic was caught before.
            let _ = preparing.await;
            tokio::time::sleep(retention).await;
            jobs.forget_expired();
        });
    }

    async fn status(&self, asking: &Asking<'_>, cancel: bool) -> Result<Reply, Refusal> {
        refuse_others(asking, &[JOB, "_format", "_pretty"])?;
        let job = job_named(asking.query)?;
        if cancel {
            self.jobs.cancel(&job, &asking.owner)?;
            let said = information("the export was ended; its files are gone");
            return Ok(outcome(StatusCode::ACCEPTED, &[said], asking.id));
        }
        let job = self.jobs.poll(&job, &asking.owner)?;
        // Sample clients ask once, and take what they get for the manifest.
        let _ = tokio::time::timeout(self.wait, job.done()).await;
        match job.outcome() {
            None => Ok(still_running(&job)),
            Some(export) => {
                let body = manifest(&job, export?).to_string().into_bytes();
                let reply = Reply::plain(StatusCode::OK, JSON, body);
                Ok(match expires(&job) {
                    Some(date) => reply.with(EXPIRES, &date),
                    None => reply,
                })
            }
        }
    }

    async fn file(
        &self,
        asking: &Asking<'_>,
        job: &str,
        file: Arc<ExportFile>,
    ) -> Result<Reply, Refusal> {
        let headers = asking.headers;
        let media_type = file.form().media_type();
        let tag = |encoding: &str| format!("\"{job}-{}{encoding}\"", file.name());
        let framed = |reply: Reply, tag: &str| {
            reply
                .revalidated(Some(tag), None)
                .with(VARY, "Accept-Encoding")
        };
        // Parts are counted in bytes of the file itself.
        let compressed = self.gzip && !headers.contains_key(RANGE) && accepts_gzip(headers);
        let tag = tag(if compressed { "-gzip" } else { "" });
        if not_modified(headers, Some(&tag), None) {
            let reply = Reply::plain(StatusCode::OK, media_type, Vec::new());
            return Ok(framed(reply, &tag).into_not_modified());
        }
        if compressed {
            let stream = FileStream::gzip(file.read(), self.reading.clone());
            let reply = Reply::file(StatusCode::OK, media_type, stream);
            return Ok(framed(reply, &tag).with(CONTENT_ENCODING, "gzip"));
        }
        let length = self.length(&file).await?;
        let (status, start, end) = match part(headers, length, &tag) {
            Part::Whole => (StatusCode::OK, 0, length),
            Part::Bytes(start, end) => (StatusCode::PARTIAL_CONTENT, start, end),
            Part::Outside => {
                let refusal = Reply::refusal(&Refusal::Range { length }, asking.id);
                return Ok(refusal.with(CONTENT_RANGE, &format!("bytes */{length}")));
            }
        };
        let reader = file.read_part(start, end)?;
        let stream = FileStream::plain(reader, end - start, self.reading.clone());
        let reply =
            framed(Reply::file(status, media_type, stream), &tag).with(ACCEPT_RANGES, "bytes");
        Ok(match status {
            StatusCode::PARTIAL_CONTENT => {
                let last = end.saturating_sub(1);
                reply.with(CONTENT_RANGE, &format!("bytes {start}-{last}/{length}"))
            }
            _ => reply,
        })
    }

    /// The length of a file, counted on a thread that may wait for the disk.
    async fn length(&self, file: &Arc<ExportFile>) -> Result<u64, ExportError> {
        let turn = self.reading.clone().acquire_owned().await;
        let counted = file.clone();
        let counting = tokio::task::spawn_blocking(move || {
            let length = counted.length();
            drop(turn);
            length
        });
        match counting.await {
            Ok(length) => length,
            // Counted again where a panic is caught and answered.
            Err(_) => file.length(),
        }
    }
}

fn accepted(warnings: Vec<Issue>, id: &str) -> Reply {
    let mut issues = vec![information(
        "the export is made in the background; ask for its status at the address in Content-Location",
    )];
    issues.extend(warnings);
    outcome(StatusCode::ACCEPTED, &issues, id)
}

fn still_running(job: &Job) -> Reply {
    let body = running(job).to_string().into_bytes();
    Reply::plain(StatusCode::ACCEPTED, JSON, body)
        .with(X_PROGRESS, job.progress())
        .again_in(AGAIN_SECONDS)
}

fn outcome(status: StatusCode, issues: &[Issue], id: &str) -> Reply {
    Reply::plain(status, FHIR_JSON, named_outcome(issues, id))
}

fn information(said: &str) -> Issue {
    Issue {
        severity: Severity::Information,
        code: "informational",
        text: "Export".to_owned(),
        diagnostics: said.to_owned(),
        expression: Vec::new(),
    }
}

fn expires(job: &Job) -> Option<String> {
    let since = job.expires().duration_since(UNIX_EPOCH).ok()?;
    http_date::write(i64::try_from(since.as_millis()).ok()?)
}

/// The preferences beside `handling`, which is read elsewhere.
fn preferences(headers: &HeaderMap) -> Vec<&str> {
    let all = headers
        .get_all(PREFER)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    all.map(str::trim)
        .filter(|preference| {
            let name = preference.split('=').next().unwrap_or_default();
            !name.trim().eq_ignore_ascii_case("handling")
        })
        .collect()
}

/// The id in `_jobId`.
fn job_named(query: &str) -> Result<String, Refusal> {
    let mut named = pairs(query).filter(|(name, _)| name == JOB);
    match (named.next(), named.next()) {
        (Some((_, raw)), None) if !raw.is_empty() => Ok(value(raw).into_owned()),
        (found, _) => Err(Refusal::BadValue {
            name: JOB,
            written: found.map_or_else(String::new, |(_, raw)| shown(&value(raw))),
            expected: "the id of one export, as in the Content-Location of its kick-off",
        }),
    }
}

fn refuse_others(asking: &Asking<'_>, known: &[&'static str]) -> Result<(), Refusal> {
    if asking.handling == Handling::Lenient {
        return Ok(());
    }
    match pairs(asking.query).find(|(name, _)| !known.contains(&name.as_ref())) {
        None => Ok(()),
        Some((name, _)) => Err(Refusal::UnknownParameter {
            name: shown(&name),
            place: "exports",
            known: match known {
                [] => "none".to_owned(),
                known => known.join(", "),
            },
        }),
    }
}
