//! How the index, the log of anomalies, TLS and the process stand, read when a scrape asks.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use rorqual_schema::ResourceType;

use crate::Engine;
use crate::anomaly::store::Store;
use crate::export::Jobs;
use crate::index::FORMAT_VERSION;
use crate::server::access::Audit;
use crate::server::tls::TlsStatus;

/// Where the present state is read.
pub(in crate::server) struct Standing {
    pub(in crate::server) engine: Arc<Engine>,
    pub(in crate::server) store: Option<Arc<Store>>,
    pub(in crate::server) audit: Option<Arc<Audit>>,
    pub(in crate::server) exports: Arc<Jobs>,
    pub(in crate::server) tls: Option<Arc<TlsStatus>>,
}

impl fmt::Debug for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Standing")
    }
}

/// Writes one metric after the other.
struct Out<'a>(DescriptorEncoder<'a>);

impl Out<'_> {
    fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let metric = ConstGauge::new(value);
        let place = self
            .0
            .encode_descriptor(name, help, None, metric.metric_type())?;
        metric.encode(place)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        let metric = ConstCounter::new(value);
        let place = self
            .0
            .encode_descriptor(name, help, None, metric.metric_type())?;
        metric.encode(place)
    }

    /// One gauge for each set of labels.
    fn gauges<const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = ([(&'static str, String); N], f64)>,
    ) -> fmt::Result {
        let mut family = self
            .0
            .encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            ConstGauge::new(value).encode(family.encode_family(&labels)?)?;
        }
        Ok(())
    }
}

impl Collector for Standing {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(encoder);
        self.program(&mut out)?;
        self.index(&mut out)?;
        self.log(&mut out)?;
        let (preparing, done) = self.exports.counts();
        let jobs = |phase: &str, count: usize| ([("phase", phase.to_owned())], count as f64);
        out.gauges(
            "export_jobs",
            "Exports that are kept, by phase; each holds its generation",
            [jobs("preparing", preparing), jobs("done", done)],
        )?;
        if let Some(audit) = &self.audit {
            out.counter(
                "requests_not_recorded",
                "Lines of the record of requests that could not be written",
                audit.lost(),
            )?;
        }
        self.tls(&mut out)
    }
}

impl Standing {
    fn program(&self, out: &mut Out<'_>) -> fmt::Result {
        let labels = [
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("format", FORMAT_VERSION.to_string()),
        ];
        out.gauges("build_info", "The program that runs", [(labels, 1.0)])?;
        // Where the system does not tell, there is no number rather than a wrong one.
        if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
            let lines = [
                ("resident_memory_bytes", "Resident memory", "VmRSS:"),
                (
                    "own_memory_bytes",
                    "Resident memory that the program itself holds",
                    "RssAnon:",
                ),
                (
                    "cached_memory_bytes",
                    "Resident memory of mapped files: what of the index the page cache holds for this program",
                    "RssFile:",
                ),
            ];
            for (name, help, line) in lines {
                if let Some(bytes) = bytes_of(&status, line) {
                    out.gauge(name, help, bytes)?;
                }
            }
        }
        if let Some(faults) = std::fs::read_to_string("/proc/self/stat")
            .ok()
            .and_then(|stat| major_faults(&stat))
        {
            out.counter(
                "cache_misses",
                "Times a page of the index had to be read from the disk first",
                faults,
            )?;
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            let count = open.count() as f64;
            out.gauge("open_descriptors", "File descriptors open now", count)?;
        }
        Ok(())
    }

    fn index(&self, out: &mut Out<'_>) -> fmt::Result {
        let generation = self.engine.generation();
        let manifest = generation.manifest();
        out.gauges(
            "generation_info",
            "The live generation, and the build whose directory it holds",
            [(
                [
                    ("generation", generation.id().to_owned()),
                    ("base", manifest.base().to_owned()),
                ],
                1.0,
            )],
        )?;
        out.gauge(
            "generation_created_timestamp_seconds",
            "When the live generation was begun",
            self.engine.generation_published() as f64 / 1e3,
        )?;
        // A fold makes the generation new and leaves the directory as old as it is: that is what must not grow old.
        if let Some(built) = instant_of(manifest.base()) {
            out.gauge(
                "directory_built_timestamp_seconds",
                "When the build of the live directory was begun",
                built,
            )?;
        }
        let by_type = |of: fn(&Engine, ResourceType) -> f64| {
            ResourceType::ALL.map(|kind| {
                let labels = [("kind", kind.name().to_owned())];
                (labels, of(&self.engine, kind))
            })
        };
        out.gauges(
            "resources",
            "Resources of the live generation",
            by_type(|engine, kind| f64::from(engine.generation().directory(kind).len())),
        )?;
        out.gauges(
            "dangling_references",
            "Literal references without a target in the live generation",
            by_type(|engine, kind| {
                let generation = engine.generation();
                let dangling = &generation.manifest().dangling;
                dangling.get(kind.name()).copied().unwrap_or(0) as f64
            }),
        )?;
        out.gauge(
            "generations_retired",
            "Generations kept open for the page links of before",
            self.engine.full().retired() as f64,
        )
    }

    fn log(&self, out: &mut Out<'_>) -> fmt::Result {
        let unfolded = self.engine.snapshot().overlay().len();
        out.gauge(
            "anomalies_unfolded",
            "Versions of anomalies that only the log holds",
            f64::from(unfolded),
        )?;
        let Some(store) = &self.store else {
            return Ok(());
        };
        let status = store.status();
        let flag = |on: bool| f64::from(u8::from(on));
        out.gauge(
            "anomalies_writable",
            "1 when anomalies are written, 0 when writes are refused",
            flag(status.writable),
        )?;
        out.gauge(
            "log_bytes",
            "Bytes of the log of anomalies",
            status.log_bytes as f64,
        )?;
        out.gauge(
            "log_segments",
            "Files of the log of anomalies",
            status.log_segments as f64,
        )?;
        out.counter("log_records", "Records acknowledged", status.records)?;
        out.counter(
            "log_commits",
            "Syncs that made them durable",
            status.commits,
        )?;
        out.counter(
            "log_commit_microseconds",
            "How long these took together",
            status.commit_micros,
        )?;
        out.counter(
            "folds",
            "Folds of the log done by this server",
            status.folds,
        )?;
        out.gauge(
            "fold_failing",
            "1 when the last fold failed, 0 otherwise",
            flag(status.fold_failure.is_some()),
        )
    }

    fn tls(&self, out: &mut Out<'_>) -> fmt::Result {
        let Some(tls) = &self.tls else {
            return Ok(());
        };
        let expiries = tls.expiries();
        let mut soonest: std::collections::BTreeMap<_, f64> = std::collections::BTreeMap::new();
        for expiry in &expiries {
            // Several lists of one issuer have one name; the soonest counts.
            let until = soonest
                .entry((expiry.kind.name(), expiry.name.clone()))
                .or_insert(f64::INFINITY);
            *until = until.min(expiry.until as f64);
        }
        let labelled = soonest
            .into_iter()
            .map(|((kind, name), until)| ([("kind", kind.to_owned()), ("name", name)], until));
        out.gauges(
            "tls_expiry_timestamp_seconds",
            "When a certificate or revocation list in use ends",
            labelled,
        )?;
        out.counter(
            "tls_handshakes_full",
            "Handshakes done in full",
            tls.full_handshakes(),
        )?;
        out.counter(
            "tls_handshakes_resumed",
            "Handshakes that resumed a session",
            tls.resumed_handshakes(),
        )?;
        out.counter(
            "tls_handshakes_refused",
            "Handshakes refused or broken off",
            tls.refused_handshakes(),
        )?;
        out.counter(
            "tls_reloads",
            "Times changed files were taken up",
            tls.reloads(),
        )?;
        out.counter(
            "tls_reload_failures",
            "Times changed files were not usable",
            tls.failed_reloads(),
        )
    }
}

/// The instant in a generation's id, in seconds since 1970 UTC.
fn instant_of(id: &str) -> Option<f64> {
    let (instant, _) = id.split_once('Z')?;
    let (seconds, millis) = instant.split_at_checked(instant.len().checked_sub(3)?)?;
    let begun = chrono::NaiveDateTime::parse_from_str(seconds, "%Y%m%dT%H%M%S").ok()?;
    let millis: f64 = millis.parse().ok()?;
    Some(begun.and_utc().timestamp() as f64 + millis / 1e3)
}

/// The bytes that a line of `/proc/self/status` (proc(5)) gives in kibibytes.
fn bytes_of(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024.0)
}

/// The page faults of `/proc/self/stat` (proc(5), `majflt`) that had to wait for the disk.
fn major_faults(stat: &str) -> Option<u64> {
    // The second field, the name in brackets, may hold blanks.
    let (_, behind_name) = stat.rsplit_once(')')?;
    behind_name.split_whitespace().nth(9)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{bytes_of, instant_of, major_faults};

    #[test]
    fn an_id_tells_when_its_build_began() {
        assert_eq!(
            instant_of("20260102T030405678Z-a1b2c3"),
            Some(1_767_323_045.678)
        );
        for other in [
            "",
            "Z",
            "12Z-0",
            "first",
            "20261302T030405678Z-a1b2c3",
            "ééZ",
        ] {
            assert_eq!(instant_of(other), None, "{other}");
        }
    }

    #[test]
    fn memory_and_faults_are_read_as_the_system_writes_them() {
        let status =
            "Name:\trorqual\nVmRSS:\t   10036 kB\nRssAnon:\t    2000 kB\nRssFile:\t       0 kB\n";
        assert_eq!(bytes_of(status, "RssAnon:"), Some(2_048_000.0));
        assert_eq!(bytes_of(status, "RssFile:"), Some(0.0));
        assert_eq!(bytes_of(status, "RssShmem:"), None);
        let stat = "17 (a) name)) S 1 17 17 0 -1 4194560 900 11 42 3 5 6 0 0 20 0 1 0 7";
        assert_eq!(major_faults(stat), Some(42));
        assert_eq!(major_faults("17 (cut"), None);
    }
}
