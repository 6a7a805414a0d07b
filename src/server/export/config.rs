//! The section `[export]` of the configuration.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::export::ExportOptions;
use crate::server::config::{ConfigError, in_range};

/// What an operator can set about bulk exports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExportConfig {
    /// Resources in one file (1 to 10,000,000).
    pub file_resources: u32,
    /// How long an export is kept from its kick-off on, in seconds (1 to 604,800).
    pub retention_seconds: u64,
    /// Exports that one client may keep at once, done or not (1 to 10,000).
    pub jobs_per_client: usize,
    /// Exports kept at once for all clients together (1 to 100,000).
    pub jobs: usize,
    /// How often the status of an export may be asked for at once (1 to 10,000); in the long run, once a second.
    pub polls_at_once: u32,
    /// How long the status of an export that runs is held back, in milliseconds (0 to 60,000), within the time in
    /// which answers must be ready.
    pub poll_wait_ms: u64,
    /// Whether files are compressed for clients that accept gzip.
    pub gzip: bool,
}

impl Default for ExportConfig {
    fn default() -> Self {
        let options = ExportOptions::default();
        Self {
            file_resources: options.file_size,
            retention_seconds: options.retention.as_secs(),
            jobs_per_client: options.jobs_per_client,
            jobs: options.jobs,
            polls_at_once: options.polls_at_once,
            poll_wait_ms: 5_000,
            gzip: true,
        }
    }
}

impl ExportConfig {
    /// Checks every value against its range.
    pub(in crate::server) fn check(&self) -> Result<(), ConfigError> {
        let ranges = [
            (
                "export.file_resources",
                u64::from(self.file_resources),
                1,
                10_000_000,
            ),
            (
                "export.retention_seconds",
                self.retention_seconds,
                1,
                604_800,
            ),
            (
                "export.jobs_per_client",
                self.jobs_per_client as u64,
                1,
                10_000,
            ),
            ("export.jobs", self.jobs as u64, 1, 100_000),
            (
                "export.polls_at_once",
                u64::from(self.polls_at_once),
                1,
                10_000,
            ),
            ("export.poll_wait_ms", self.poll_wait_ms, 0, 60_000),
        ];
        for (key, value, least, most) in ranges {
            in_range(key, value, least, most)?;
        }
        Ok(())
    }

    /// The bounds on jobs.
    pub(super) fn options(&self) -> ExportOptions {
        ExportOptions {
            file_size: self.file_resources,
            retention: Duration::from_secs(self.retention_seconds),
            jobs_per_client: self.jobs_per_client,
            jobs: self.jobs,
            polls_at_once: self.polls_at_once,
        }
    }
}
