//! The configuration file of the server: its keys, their defaults and their bounds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::base_url::{BaseUrl, BaseUrlError};
use super::export::ExportConfig;
use crate::query::parse::GroupMatching;

/// Everything an operator can set, as read from a TOML file.
///
/// Every key has a default, so an empty file is a valid one; `docs/rorqual.example.toml` describes them all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port to listen on, `host:port`; port 0 takes a free one.
    pub listen: String,
    /// URL under which clients reach the server, used in every link. Absent: `http://<listen>/fhir`.
    pub base_url: Option<String>,
    /// Whether an unknown search parameter is dropped with a warning instead of refused, when the
    /// request does not say otherwise by `Prefer: handling=…`.
    pub lenient_by_default: bool,
    /// How parameters of one repeating group (a capacity line, a piece of equipment, a dwelling, a price) are matched.
    pub group_matching: GroupMatchingKey,
    /// The most resources that the includes of one page may draw in; more are cut, with a warning.
    pub include_bound: usize,
    /// How long the page links of a replaced generation keep answering, in seconds.
    pub cursor_retention_seconds: u64,
    /// How often the index directory is looked at for a new generation, in milliseconds (10 or more).
    pub refresh_interval_ms: u64,
    /// How long running requests may take to finish once the server is told to stop, in seconds.
    pub shutdown_grace_seconds: u64,
    /// Bounds on what clients may send and hold.
    pub limits: Limits,
    /// Bulk exports.
    pub export: ExportConfig,
}

/// Values of `group_matching`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupMatchingKey {
    /// One and the same line must satisfy all of them.
    #[default]
    SameLine,
    /// Each is satisfied on its own, as plain R4 has it.
    Independent,
}

impl From<GroupMatchingKey> for GroupMatching {
    fn from(key: GroupMatchingKey) -> Self {
        match key {
            GroupMatchingKey::SameLine => GroupMatching::SameLine,
            GroupMatchingKey::Independent => GroupMatching::Independent,
        }
    }
}

/// Bounds on sizes, times and numbers, so that no client can hold the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Longest path and query of a URL, in bytes (256 to 65,000); longer is 414.
    pub url_bytes: usize,
    /// Largest sum of header names and values, in bytes (1,024 to 1,048,576); larger is 431.
    pub header_bytes: usize,
    /// Largest body of a `POST _search`, in bytes; larger is 413.
    pub body_bytes: usize,
    /// Time in which a request's head must have arrived, in seconds; the connection is then closed.
    pub header_read_timeout_seconds: u64,
    /// Time in which a request's body must have arrived, in seconds; then 408.
    pub body_read_timeout_seconds: u64,
    /// Time in which an answer must be ready, in seconds; then 503.
    pub request_timeout_seconds: u64,
    /// Time without a byte sent or received after which a connection with a running request is cut,
    /// in seconds; more than the two time-outs above, since nothing moves while an answer is made.
    pub stall_timeout_seconds: u64,
    /// Time a connection may stay open between two requests, in seconds.
    pub keep_alive_seconds: u64,
    /// Connections open at once; one more is answered 503 and closed.
    pub max_connections: usize,
    /// Requests at once on one HTTP/2 connection.
    pub max_streams_per_connection: u32,
    /// Searches computed at once; 0 means one for each core.
    pub max_concurrent_searches: usize,
    /// Searches waiting for their turn; one more is answered 503 at once.
    pub max_waiting_searches: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            base_url: None,
            lenient_by_default: false,
            group_matching: GroupMatchingKey::default(),
            include_bound: 10_000,
            cursor_retention_seconds: 3600,
            refresh_interval_ms: 500,
            shutdown_grace_seconds: 20,
            limits: Limits::default(),
            export: ExportConfig::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            url_bytes: 32_768,
            header_bytes: 32_768,
            body_bytes: 1_048_576,
            header_read_timeout_seconds: 10,
            body_read_timeout_seconds: 15,
            request_timeout_seconds: 10,
            stall_timeout_seconds: 30,
            keep_alive_seconds: 75,
            max_connections: 10_000,
            max_streams_per_connection: 128,
            max_concurrent_searches: 0,
            max_waiting_searches: 1_024,
        }
    }
}

impl ServerConfig {
    /// Reads and checks a configuration file.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, holds an unknown key, or a value is out of its range.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        })?;
        Self::from_toml(&text)
    }

    /// Reads and checks the text of a configuration file.
    ///
    /// # Errors
    /// When the text is not TOML, holds an unknown key, or a value is out of its range.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|source| ConfigError::Syntax {
            message: source.to_string().trim_end().to_owned(),
        })?;
        config.check()?;
        Ok(config)
    }

    /// Checks every value against its range.
    ///
    /// # Errors
    /// Names the first key whose value is out of its range.
    pub fn check(&self) -> Result<(), ConfigError> {
        if let Some(url) = &self.base_url {
            BaseUrl::parse(url)?;
        }
        self.export.check()?;
        let limits = &self.limits;
        let ranges: [(&'static str, u64, u64, u64); 13] = [
            (
                "refresh_interval_ms",
                self.refresh_interval_ms,
                10,
                3_600_000,
            ),
            (
                "shutdown_grace_seconds",
                self.shutdown_grace_seconds,
                0,
                3_600,
            ),
            ("limits.url_bytes", limits.url_bytes as u64, 256, 65_000),
            (
                "limits.header_bytes",
                limits.header_bytes as u64,
                1_024,
                1 << 20,
            ),
            (
                "limits.body_bytes",
                limits.body_bytes as u64,
                1_024,
                1 << 30,
            ),
            (
                "limits.header_read_timeout_seconds",
                limits.header_read_timeout_seconds,
                1,
                3_600,
            ),
            (
                "limits.body_read_timeout_seconds",
                limits.body_read_timeout_seconds,
                1,
                3_600,
            ),
            (
                "limits.request_timeout_seconds",
                limits.request_timeout_seconds,
                1,
                3_600,
            ),
            (
                "limits.stall_timeout_seconds",
                limits.stall_timeout_seconds,
                1,
                7_200,
            ),
            (
                "limits.keep_alive_seconds",
                limits.keep_alive_seconds,
                1,
                86_400,
            ),
            (
                "limits.max_connections",
                limits.max_connections as u64,
                1,
                1_000_000,
            ),
            (
                "limits.max_streams_per_connection",
                u64::from(limits.max_streams_per_connection),
                1,
                10_000,
            ),
            (
                "limits.max_concurrent_searches",
                limits.max_concurrent_searches as u64,
                0,
                1_024,
            ),
        ];
        for (key, value, least, most) in ranges {
            if value < least || value > most {
                return Err(ConfigError::OutOfRange {
                    key,
                    value,
                    least,
                    most,
                });
            }
        }
        if limits.stall_timeout_seconds
            <= limits
                .request_timeout_seconds
                .max(limits.body_read_timeout_seconds)
        {
            return Err(ConfigError::StallTooShort {
                stall: limits.stall_timeout_seconds,
                request: limits.request_timeout_seconds,
                body: limits.body_read_timeout_seconds,
            });
        }
        Ok(())
    }

    /// The time between two looks at the index directory.
    pub(super) fn refresh_interval(&self) -> Duration {
        Duration::from_millis(self.refresh_interval_ms.max(10))
    }

    /// The time running requests get to finish at the end.
    pub(super) fn shutdown_grace(&self) -> Duration {
        Duration::from_secs(self.shutdown_grace_seconds)
    }
}

impl Limits {
    /// How many searches are computed at once, the zero of the file resolved.
    pub(super) fn concurrent_searches(&self) -> usize {
        match self.max_concurrent_searches {
            0 => std::thread::available_parallelism().map_or(2, usize::from),
            set => set,
        }
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file could not be read.
    #[error("the configuration file {path} cannot be read: {source}", path = path.display())]
    Unreadable {
        /// The file asked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key or a value of the wrong type; the message holds line and column.
    #[error("the configuration file is not usable: {message}")]
    Syntax {
        /// Where and why, with the known keys when one is unknown.
        message: String,
    },
    /// A number outside its range.
    #[error("{key} = {value} is out of range: give {least} to {most}")]
    OutOfRange {
        /// Dotted name of the key.
        key: &'static str,
        /// The value given.
        value: u64,
        /// The least allowed.
        least: u64,
        /// The greatest allowed.
        most: u64,
    },
    /// The stall time-out would cut requests that are merely being computed.
    #[error(
        "limits.stall_timeout_seconds = {stall} must be greater than limits.request_timeout_seconds \
         ({request}) and limits.body_read_timeout_seconds ({body})"
    )]
    StallTooShort {
        /// The value given, in seconds.
        stall: u64,
        /// The request time-out, in seconds.
        request: u64,
        /// The body time-out, in seconds.
        body: u64,
    },
    /// The base URL has not the form it must have.
    #[error(transparent)]
    BaseUrl(#[from] BaseUrlError),
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../docs/rorqual.example.toml");

    /// The example with its commented keys switched on: `# key = value` becomes `key = value`.
    fn example_switched_on() -> String {
        EXAMPLE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest)
                    if rest.split_once(" = ").is_some_and(|(key, _)| {
                        !key.is_empty() && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
                    }) =>
                {
                    rest
                }
                _ => line,
            })
            .fold(String::new(), |text, line| text + line + "\n")
    }

    fn keys(table: &toml::Table, prefix: &str, out: &mut Vec<String>) {
        for (key, value) in table {
            let name = format!("{prefix}{key}");
            match value {
                toml::Value::Table(inner) => keys(inner, &format!("{name}."), out),
                _ => out.push(name),
            }
        }
    }

    #[test]
    fn the_example_shows_every_key_with_its_default() {
        let text = example_switched_on();
        let shown = ServerConfig::from_toml(&text).expect("the example is a valid configuration");
        let defaults = ServerConfig {
            base_url: Some("http://127.0.0.1:8080/fhir".to_owned()),
            ..ServerConfig::default()
        };
        assert_eq!(shown, defaults);

        let (mut known, mut written) = (Vec::new(), Vec::new());
        keys(&toml::Table::try_from(&defaults).unwrap(), "", &mut known);
        keys(&text.parse().unwrap(), "", &mut written);
        known.sort();
        written.sort();
        assert_eq!(written, known);
    }

    #[test]
    fn the_example_as_it_stands_changes_nothing() {
        assert_eq!(
            ServerConfig::from_toml(EXAMPLE).unwrap(),
            ServerConfig::default()
        );
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_known_ones() {
        let error = ServerConfig::from_toml("[limits]\nurl_byte = 1")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("url_byte") && error.contains("url_bytes"),
            "{error}"
        );
    }

    #[test]
    fn values_out_of_range_are_refused_by_name() {
        for (text, named) in [
            ("refresh_interval_ms = 1", "refresh_interval_ms"),
            ("[limits]\nurl_bytes = 70000", "limits.url_bytes"),
            ("[limits]\nmax_connections = 0", "limits.max_connections"),
            (
                "[limits]\nstall_timeout_seconds = 5",
                "limits.stall_timeout_seconds",
            ),
            ("base_url = \"ftp://x\"", "ftp://x"),
        ] {
            let error = ServerConfig::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
