//! What an operator watches: counts and times of requests, and how the index, the log and TLS stand, for Prometheus.
//!
//! Requests are counted as they are answered ([`counts`]); everything else is read when it is asked for ([`standing`]). The numbers are
//! served on an address of their own ([`listener`]), never to clients.

mod counts;
mod listener;
mod standing;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text::encode};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use rorqual_schema::ResourceType;

pub(super) use listener::{answer, bind};
pub(super) use standing::Standing;

use counts::Counts;

use super::export::ExportRoute;
use super::refusal::Refusal;
use super::route::Route;
use crate::index::overlay::WRITTEN;

/// The interactions that requests are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Interaction {
    None,
    Search,
    SearchForm,
    Explain,
    Read,
    VersionRead,
    Create,
    Patch,
    Batch,
    Export,
    ExportStatus,
    ExportFile,
    Capabilities,
    Health,
}

/// What they are called, in the order of [`Interaction`].
const INTERACTIONS: [&str; 14] = [
    "none",
    "search",
    "search-form",
    "explain",
    "read",
    "vread",
    "create",
    "patch",
    "batch",
    "export",
    "export-status",
    "export-file",
    "capabilities",
    "health",
];

/// What a request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    interaction: Interaction,
    /// The resource type, where there is one.
    kind: Option<ResourceType>,
}

impl Asked {
    /// Nothing that is known here.
    pub(super) const NOTHING: Asked = Asked {
        interaction: Interaction::None,
        kind: None,
    };

    /// What a route asks for.
    pub(super) fn of(route: &Route) -> Asked {
        let (interaction, kind) = match route {
            Route::Search(kind) => (Interaction::Search, Some(*kind)),
            Route::SearchForm(kind) => (Interaction::SearchForm, Some(*kind)),
            Route::Explain(kind) => (Interaction::Explain, Some(*kind)),
            Route::Read(kind, _) => (Interaction::Read, Some(*kind)),
            Route::ReadVersion(kind, ..) => (Interaction::VersionRead, Some(*kind)),
            Route::Create => (Interaction::Create, Some(WRITTEN)),
            Route::Patch(_) => (Interaction::Patch, Some(WRITTEN)),
            Route::Requests => (Interaction::Batch, None),
            Route::Export(ExportRoute::KickOff) => (Interaction::Export, None),
            Route::Export(ExportRoute::Status { .. }) => (Interaction::ExportStatus, None),
            Route::Export(ExportRoute::File { .. }) => (Interaction::ExportFile, None),
            Route::Metadata => (Interaction::Capabilities, None),
            Route::Live | Route::Ready | Route::Started => (Interaction::Health, None),
        };
        Asked { interaction, kind }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    status: u16,
    code: &'static str,
}

/// The numbers counted as things happen.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    counts: Counts,
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
            counts: Counts::new(),
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
        self.counts.add(asked, status, took, bytes, total);
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
        registry.register_collector(Box::new(self.counts.clone()));
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
