//! What an operator watches: counts and times of requests, and how the index, the log and TLS stand, for Prometheus.
//!
//! Requests are counted as they are answered; everything else is read when it is asked for ([`standing`]). The numbers are
//! served on an address of their own ([`listener`]), never to clients.

mod listener;
mod standing;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

pub(super) use listener::{answer, bind};
pub(super) use standing::Standing;

use super::refusal::Refusal;
use super::route::Route;

/// Upper bounds of the classes of durations, in seconds: from a cached search to the time budget.
const SECONDS: [f64; 16] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 30.0,
];

/// What a request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Asked {
    /// The interaction, such as `search`; `none` when the request names none.
    interaction: &'static str,
    /// The resource type; empty where there is none.
    kind: &'static str,
}

impl Asked {
    /// Nothing that is known here.
    pub(super) const NOTHING: Asked = Asked {
        interaction: "none",
        kind: "",
    };

    /// What a route asks for.
    pub(super) fn of(route: &Route) -> Asked {
        let (interaction, kind) = match route {
            Route::Search(kind) => ("search", kind.name()),
            Route::SearchForm(kind) => ("search-form", kind.name()),
            Route::Explain(kind) => ("explain", kind.name()),
            Route::Read(kind, _) => ("read", kind.name()),
            Route::ReadVersion(kind, ..) => ("vread", kind.name()),
            Route::Create => ("create", "Task"),
            Route::Patch(_) => ("patch", "Task"),
            Route::Requests => ("batch", ""),
            Route::Export(asked) => (asked.interaction(), ""),
            Route::Metadata => ("capabilities", ""),
            Route::Live | Route::Ready | Route::Started => ("health", ""),
        };
        Asked { interaction, kind }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    interaction: &'static str,
    kind: &'static str,
    status: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    status: u16,
    code: &'static str,
}

/// The numbers counted as things happen.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    requests: Family<Answered, Counter>,
    durations: Family<Asked, Histogram, fn() -> Histogram>,
    bytes: Family<Asked, Counter>,
    matches: Family<Asked, Counter>,
    refusals: Family<Refused, Counter>,
    connections: Gauge,
    accepted: Counter,
    swaps: Counter,
    failed_swaps: Counter,
    swap_seconds: Gauge<f64, AtomicU64>,
}

/// One open connection, until it is dropped.
#[derive(Debug)]
pub(super) struct OpenConnection(Gauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// All of them at zero.
    pub(super) fn new() -> Arc<Metrics> {
        Arc::new(Metrics {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            bytes: Family::default(),
            matches: Family::default(),
            refusals: Family::default(),
            connections: Gauge::default(),
            accepted: Counter::default(),
            swaps: Counter::default(),
            failed_swaps: Counter::default(),
            swap_seconds: Gauge::default(),
        })
    }

    /// Counts an answered request: `took` is the time until its answer could be sent.
    pub(super) fn answered(
        &self,
        asked: Asked,
        status: u16,
        took: Duration,
        bytes: u64,
        total: Option<u64>,
    ) {
        let Asked { interaction, kind } = asked;
        let answered = Answered {
            interaction,
            kind,
            status,
        };
        self.requests.get_or_create(&answered).inc();
        self.durations
            .get_or_create(&asked)
            .observe(took.as_secs_f64());
        self.bytes.get_or_create(&asked).inc_by(bytes);
        if let Some(total) = total {
            self.matches.get_or_create(&asked).inc_by(total);
        }
    }

    /// Counts a refusal, under the code of its first issue.
    pub(super) fn refused(&self, refusal: &Refusal) {
        let code = refusal
            .issues()
            .first()
            .map_or("exception", |issue| issue.code);
        let status = refusal.status().as_u16();
        self.refusals.get_or_create(&Refused { status, code }).inc();
    }

    /// Counts a connection as open until what is answered is dropped.
    pub(super) fn opened(&self) -> OpenConnection {
        self.accepted.inc();
        self.connections.inc();
        OpenConnection(self.connections.clone())
    }

    /// Notes that another generation is live, and how long opening it took.
    pub(super) fn swapped(&self, took: Duration) {
        self.swaps.inc();
        self.swap_seconds.set(took.as_secs_f64());
    }

    /// Notes that the new generation could not be opened.
    pub(super) fn not_swapped(&self) {
        self.failed_swaps.inc();
    }

    /// All of it with how the rest stands, ready to be asked for.
    pub(super) fn registry(&self, standing: Standing) -> Registry {
        let mut registry = Registry::with_prefix("rorqual");
        let all = &mut registry;
        all.register(
            "requests",
            "Requests answered, by interaction, resource type and HTTP status",
            self.requests.clone(),
        );
        all.register(
            "request_duration_seconds",
            "Time from the head of a request until its answer can be sent",
            self.durations.clone(),
        );
        all.register(
            "response_bytes",
            "Bytes of the bodies of answers",
            self.bytes.clone(),
        );
        all.register(
            "matches",
            "Matches that the answers of searches counted",
            self.matches.clone(),
        );
        all.register(
            "refusals",
            "Requests refused, by HTTP status and FHIR issue code",
            self.refusals.clone(),
        );
        all.register(
            "connections_open",
            "Connections open now",
            self.connections.clone(),
        );
        all.register(
            "connections_accepted",
            "Connections accepted",
            self.accepted.clone(),
        );
        all.register(
            "swaps",
            "Times the server went over to another generation",
            self.swaps.clone(),
        );
        all.register(
            "swap_failures",
            "New generations that could not be opened",
            self.failed_swaps.clone(),
        );
        all.register(
            "last_swap_seconds",
            "How long going over to the present generation took",
            self.swap_seconds.clone(),
        );
        registry.register_collector(Box::new(standing));
        registry
    }
}

/// The text of a registry, in the OpenMetrics format.
fn text_of(registry: &Registry) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    encode(&mut text, registry)?;
    Ok(text)
}
