//! The table `[anomalies]` of the configuration file: how anomalies are taken, named, kept and folded.

use std::time::Duration;

use rorqual_anomaly::log::LogOptions;
use serde::{Deserialize, Serialize};

use crate::anomaly::identifier::IdentifierFormat;
use crate::anomaly::store::StoreOptions;
use crate::server::config::{ConfigError, in_range};

/// What an operator can set about anomalies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AnomalyConfig {
    /// Whether anomalies can be reported and changed. `false`: they are searched only, writes are answered 503.
    pub writable: bool,
    /// `Task.identifier.system` of new anomalies; empty: none.
    pub identifier_system: String,
    /// `Task.identifier.value` of new anomalies: a text with one `{number}` in it, or `{number:08}` for at least eight digits.
    pub identifier_shape: String,
    /// Number of versions in the log from which on it is folded into a new generation; 0: never by number.
    pub fold_versions: u32,
    /// Age of the oldest version in the log from which on it is folded, in seconds; 0: never by age.
    pub fold_age_seconds: u64,
    /// Older folded generations that a fold leaves in the index directory (0 to 1,000); those built from an extract stay.
    pub keep_generations: usize,
    /// Length from which on the log goes on in another file, in bytes (65,536 to 1,073,741,824).
    pub log_segment_bytes: u64,
    /// Whether a change must name the version it is meant for by `If-Match`; otherwise 428.
    pub require_if_match: bool,
    /// Most entries of one posted Bundle (1 to 100,000); more is 413.
    pub transaction_entries: usize,
    /// Largest body of a write, in bytes (1,024 to 16,777,216); larger is 413.
    pub body_bytes: usize,
}

impl Default for AnomalyConfig {
    fn default() -> Self {
        let StoreOptions {
            identifier,
            log,
            fold_versions,
            fold_age,
            keep,
        } = StoreOptions::default();
        Self {
            writable: true,
            identifier_system: identifier.system,
            identifier_shape: identifier.shape,
            fold_versions,
            fold_age_seconds: fold_age.as_secs(),
            keep_generations: keep,
            log_segment_bytes: log.segment_bytes,
            require_if_match: false,
            transaction_entries: 1_000,
            body_bytes: 8 << 20,
        }
    }
}

impl AnomalyConfig {
    /// Checks every value against its range.
    ///
    /// # Errors
    /// Names the first key whose value cannot be used.
    pub(in crate::server) fn check(&self) -> Result<(), ConfigError> {
        self.identifier().check()?;
        let ranges: [(&'static str, u64, u64, u64); 4] = [
            (
                "anomalies.keep_generations",
                self.keep_generations as u64,
                0,
                1_000,
            ),
            (
                "anomalies.log_segment_bytes",
                self.log_segment_bytes,
                1 << 16,
                1 << 30,
            ),
            (
                "anomalies.transaction_entries",
                self.transaction_entries as u64,
                1,
                100_000,
            ),
            (
                "anomalies.body_bytes",
                self.body_bytes as u64,
                1_024,
                16 << 20,
            ),
        ];
        for (key, value, least, most) in ranges {
            in_range(key, value, least, most)?;
        }
        Ok(())
    }

    /// The same as the store takes it.
    pub(in crate::server) fn store_options(&self) -> StoreOptions {
        StoreOptions {
            identifier: self.identifier(),
            log: LogOptions {
                segment_bytes: self.log_segment_bytes,
                ..LogOptions::default()
            },
            fold_versions: self.fold_versions,
            fold_age: Duration::from_secs(self.fold_age_seconds),
            keep: self.keep_generations,
        }
    }

    fn identifier(&self) -> IdentifierFormat {
        IdentifierFormat {
            system: self.identifier_system.clone(),
            shape: self.identifier_shape.clone(),
        }
    }
}
