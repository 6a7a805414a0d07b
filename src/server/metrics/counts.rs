//! What is counted of each answered request, without a lock: one row of numbers for everything that can be asked.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use rorqual_schema::ResourceType;

use super::{Asked, INTERACTIONS};

/// Upper bounds of the classes of durations, in seconds: from a cached search to the time budget; one more class is beyond.
const SECONDS: [f64; 16] = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 30.0,
];

/// Each resource type, and none.
const KINDS: usize = ResourceType::ALL.len() + 1;
/// Statuses of HTTP, 100 to 599.
const STATUSES: usize = 500;

/// The numbers of the requests that ask for one thing.
#[derive(Debug)]
struct Numbers {
    statuses: [AtomicU64; STATUSES],
    classes: [AtomicU64; SECONDS.len() + 1],
    nanoseconds: AtomicU64,
    bytes: AtomicU64,
    /// Answers that counted matches, and the matches.
    counted: AtomicU64,
    matches: AtomicU64,
}

impl Numbers {
    fn new() -> Box<Numbers> {
        Box::new(Numbers {
            statuses: [const { AtomicU64::new(0) }; STATUSES],
            classes: [const { AtomicU64::new(0) }; SECONDS.len() + 1],
            nanoseconds: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            counted: AtomicU64::new(0),
            matches: AtomicU64::new(0),
        })
    }
}

/// The numbers of all requests; clones share them.
#[derive(Clone, Debug)]
pub(super) struct Counts(Arc<[OnceLock<Box<Numbers>>]>);

impl Counts {
    /// All at zero; a row takes memory from its first request on.
    pub(super) fn new() -> Counts {
        Counts(
            (0..INTERACTIONS.len() * KINDS)
                .map(|_| OnceLock::new())
                .collect(),
        )
    }

    /// Counts a request.
    pub(super) fn add(
        &self,
        asked: Asked,
        status: u16,
        took: Duration,
        bytes: u64,
        total: Option<u64>,
    ) {
        let kind = asked.kind.map_or(0, |kind| kind.index() + 1);
        let Some(row) = self.0.get(asked.interaction as usize * KINDS + kind) else {
            return;
        };
        let row = row.get_or_init(Numbers::new);
        let seconds = took.as_secs_f64();
        let class = SECONDS.partition_point(|&bound| bound < seconds);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let status = row.statuses.get(usize::from(status).wrapping_sub(100));
        let class = row.classes.get(class);
        for (number, more) in [
            (status, 1),
            (class, 1),
            (Some(&row.nanoseconds), nanoseconds),
            (Some(&row.bytes), bytes),
            (total.map(|_| &row.counted), 1),
            (total.map(|_| &row.matches), total.unwrap_or(0)),
        ] {
            if let Some(number) = number {
                number.fetch_add(more, Relaxed);
            }
        }
    }

    /// The rows that have counted something, with their labels.
    fn rows(&self) -> impl Iterator<Item = ([(&'static str, &'static str); 2], &Numbers)> {
        self.0.iter().enumerate().filter_map(|(at, row)| {
            let kind = (at % KINDS).checked_sub(1);
            let kind = kind.and_then(ResourceType::from_index);
            let labels = [
                ("interaction", *INTERACTIONS.get(at / KINDS)?),
                ("kind", kind.map_or("", ResourceType::name)),
            ];
            Some((labels, &**row.get()?))
        })
    }
}

impl Collector for Counts {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Requests answered, by interaction, resource type and HTTP status";
        let mut all = encoder.encode_descriptor("requests", help, None, MetricType::Counter)?;
        for (labels, row) in self.rows() {
            let answered = row.statuses.iter().zip(100_u16..);
            for (count, status) in answered.map(|(count, status)| (count.load(Relaxed), status)) {
                if count > 0 {
                    let status = ("status", status.to_string());
                    let labels = (labels, [status]);
                    ConstCounter::new(count).encode(all.encode_family(&labels)?)?;
                }
            }
        }
        let help = "Time from the head of a request until its answer can be sent";
        let name = "request_duration_seconds";
        let mut all = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, row) in self.rows() {
            let bounds = SECONDS.iter().copied().chain([f64::INFINITY]);
            let classes = row.classes.iter().map(|count| count.load(Relaxed));
            let classes: Vec<(f64, u64)> = bounds.zip(classes).collect();
            let count = classes.iter().map(|(_, count)| count).sum();
            let sum = Duration::from_nanos(row.nanoseconds.load(Relaxed)).as_secs_f64();
            all.encode_family(&labels)?
                .encode_histogram::<NoLabelSet>(sum, count, &classes, None)?;
        }
        let help = "Bytes of the bodies of answers";
        let mut all =
            encoder.encode_descriptor("response_bytes", help, None, MetricType::Counter)?;
        for (labels, row) in self.rows() {
            let bytes = ConstCounter::new(row.bytes.load(Relaxed));
            bytes.encode(all.encode_family(&labels)?)?;
        }
        let help = "Matches that the answers of searches counted";
        let mut all = encoder.encode_descriptor("matches", help, None, MetricType::Counter)?;
        for (labels, row) in self.rows() {
            if row.counted.load(Relaxed) > 0 {
                let matches = ConstCounter::new(row.matches.load(Relaxed));
                matches.encode(all.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Interaction;
    use super::*;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    #[test]
    fn every_request_is_in_one_class_and_sums_agree() {
        let counts = Counts::new();
        let asked = Asked {
            interaction: Interaction::Search,
            kind: Some(ResourceType::Task),
        };
        for (micros, status) in [(100, 200), (101, 200), (40_000_000, 503)] {
            counts.add(asked, status, Duration::from_micros(micros), 7, Some(5));
        }
        counts.add(Asked::NOTHING, 404, Duration::ZERO, 1, None);
        // A status that HTTP does not have is still a request.
        counts.add(Asked::NOTHING, 999, Duration::ZERO, 1, None);
        let mut registry = Registry::with_prefix("t");
        registry.register_collector(Box::new(counts));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let task = "interaction=\"search\",kind=\"Task\"";
        for line in [
            format!("t_requests_total{{{task},status=\"200\"}} 2"),
            format!("t_requests_total{{{task},status=\"503\"}} 1"),
            "t_requests_total{interaction=\"none\",kind=\"\",status=\"404\"} 1".to_owned(),
            format!("t_request_duration_seconds_sum{{{task}}} 40.000201"),
            format!("t_request_duration_seconds_count{{{task}}} 3"),
            format!("t_request_duration_seconds_bucket{{le=\"0.0001\",{task}}} 1"),
            format!("t_request_duration_seconds_bucket{{le=\"0.00025\",{task}}} 2"),
            format!("t_request_duration_seconds_bucket{{le=\"30.0\",{task}}} 2"),
            format!("t_request_duration_seconds_bucket{{le=\"+Inf\",{task}}} 3"),
            format!("t_response_bytes_total{{{task}}} 21"),
            format!("t_matches_total{{{task}}} 15"),
            "t_request_duration_seconds_count{interaction=\"none\",kind=\"\"} 2".to_owned(),
        ] {
            assert!(text.lines().any(|one| one == line), "{line} in {text}");
        }
        assert_eq!(text.matches("t_matches_total{").count(), 1, "{text}");
    }
}
