//! The configuration file of the server: its keys, their defaults and their bounds.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::access::AccessConfig;
use super::base_url::{BaseUrl, BaseUrlError};
use super::export::ExportConfig;
use super::limits::Limits;
use super::nearest::nearest;
use super::tls::TlsConfig;
use super::writing::AnomalyConfig;
use crate::EngineOptions;
use crate::anomaly::identifier::ShapeError;
use crate::engine::Written;
use crate::query::parse::GroupMatching;

/// Everything an operator can set, as read from a TOML file.
///
/// Every key has a default, so an empty file is a valid one; `docs/rorqual.example.toml` describes them all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Address and port to listen on, `host:port`; port 0 takes a free one; `systemd` takes the socket that it passes.
    pub listen: String,
    /// Address and port on which Prometheus finds the metrics, by plain HTTP at `/metrics`. Absent: nowhere.
    pub metrics_listen: Option<String>,
    /// URL under which clients reach the server, used in every link. Absent: `http://<listen>/fhir`.
    pub base_url: Option<String>,
    /// Whether an unknown search parameter is dropped with a warning instead of refused, when the
    /// request does not say otherwise by `Prefer: handling=…`.
    pub lenient_by_default: bool,
    /// Whether answers are compressed for clients that accept gzip.
    pub gzip: bool,
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
    /// Certificates and keys. Absent: plain HTTP, for a loopback address or behind a proxy.
    pub tls: Option<TlsConfig>,
    /// How anomalies are taken and kept.
    pub anomalies: AnomalyConfig,
    /// Who may ask what, and what is recorded of it.
    pub access: AccessConfig,
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

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            metrics_listen: None,
            base_url: None,
            lenient_by_default: false,
            gzip: true,
            group_matching: GroupMatchingKey::default(),
            include_bound: 10_000,
            cursor_retention_seconds: 3600,
            refresh_interval_ms: 500,
            shutdown_grace_seconds: 20,
            limits: Limits::default(),
            tls: None,
            anomalies: AnomalyConfig::default(),
            access: AccessConfig::default(),
            export: ExportConfig::default(),
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
        let mut config = Self::from_toml(&text)?;
        if let Some(folder) = path.parent() {
            if let Some(tls) = &mut config.tls {
                tls.relative_to(folder);
            }
            config.access.relative_to(folder);
        }
        config.access.read_policy()?;
        Ok(config)
    }

    /// Reads and checks the text of a configuration file.
    ///
    /// # Errors
    /// When the text is not TOML, holds an unknown key, or a value is out of its range.
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|source| ConfigError::Syntax {
            message: with_nearest(source.to_string().trim_end()),
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
        in_range(
            "refresh_interval_ms",
            self.refresh_interval_ms,
            10,
            3_600_000,
        )?;
        in_range(
            "shutdown_grace_seconds",
            self.shutdown_grace_seconds,
            0,
            3_600,
        )?;
        self.limits.check()?;
        self.export.check()?;
        self.tls.as_ref().map_or(Ok(()), TlsConfig::check)?;
        self.anomalies.check()?;
        self.access.check()
    }

    /// How the engine is to be opened for this configuration.
    pub fn engine_options(&self) -> EngineOptions {
        EngineOptions {
            lenient_by_default: self.lenient_by_default,
            group_matching: self.group_matching.into(),
            include_bound: self.include_bound,
            answer_bytes: self.limits.answer_bytes,
            search_budget: Duration::from_secs(self.limits.request_timeout_seconds),
            cursor_retention: Duration::from_secs(self.cursor_retention_seconds),
            written: match self.anomalies.writable {
                true => Written::ByStore,
                false => Written::FromLog,
            },
            ..EngineOptions::default()
        }
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

/// Checks one number against its range, both ends included.
pub(super) fn in_range(
    key: &'static str,
    value: u64,
    least: u64,
    most: u64,
) -> Result<(), ConfigError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(ConfigError::OutOfRange {
        key,
        value,
        least,
        most,
    })
}

/// The message of the TOML reader, and the nearest known name when it is about an unknown one.
fn with_nearest(message: &str) -> String {
    let names: Vec<&str> = message
        .lines()
        .find(|line| line.starts_with("unknown "))
        .map(|line| line.split('`').skip(1).step_by(2).collect())
        .unwrap_or_default();
    let found = names
        .split_first()
        .and_then(|(written, known)| nearest(written, known.iter().copied()));
    match found {
        Some(name) => format!("{message}\n{name} was probably meant"),
        None => message.to_owned(),
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
    /// The access policy cannot be used.
    #[error("the access policy {path} of access.policy cannot be used: {detail}", path = path.display())]
    Policy {
        /// The file, or the name of a ready policy.
        path: PathBuf,
        /// Why.
        detail: String,
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
    /// A burst without a rate, or smaller than what a second allows.
    #[error(
        "limits.request_burst_per_client = {burst} must be at least limits.requests_per_second_per_client ({rate}) \
         and at most 60 times it; leave both at 0 for no bound"
    )]
    Burst {
        /// The burst given, in requests.
        burst: u32,
        /// The rate given, in requests per second.
        rate: u32,
    },
    /// The `[tls]` table asks for client certificates without saying whose.
    #[error(
        "tls.client_certificates = \"{presence}\" needs tls.client_ca; name the bundle of authorities, or give \"none\""
    )]
    NoClientAuthority {
        /// The value of `client_certificates`.
        presence: &'static str,
    },
    /// The `[tls]` table names authorities or lists that nothing would use.
    #[error(
        "tls.{key} has no effect with tls.client_certificates = \"none\"; take one of them out"
    )]
    UnusedClientSetting {
        /// The key that would be ignored.
        key: &'static str,
    },
    /// The base URL has not the form it must have.
    #[error(transparent)]
    BaseUrl(#[from] BaseUrlError),
    /// The shape of functional identifiers does not say where the number goes.
    #[error("anomalies.identifier_shape: {0}")]
    IdentifierShape(#[from] ShapeError),
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXAMPLE: &str = include_str!("../../docs/rorqual.example.toml");

    /// The example with its commented keys and tables switched on: `# key = value` becomes `key = value`.
    fn example_switched_on() -> String {
        let is_name = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        };
        let is_table = |text: &str| {
            text.strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(is_name)
        };
        EXAMPLE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest)
                    if is_table(rest)
                        || rest.split_once(" = ").is_some_and(|(key, _)| is_name(key)) =>
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
            metrics_listen: Some("127.0.0.1:9464".to_owned()),
            tls: Some(TlsConfig::example()),
            access: AccessConfig {
                policy: Some("access.toml".into()),
                audit_log: Some("audit.ndjson".into()),
                ..AccessConfig::default()
            },
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
    fn an_unknown_key_is_refused_with_the_nearest_one() {
        for (text, meant) in [
            ("[limits]\nurl_byte = 1", "url_bytes"),
            ("lisen = \"127.0.0.1:1\"", "listen"),
            (
                "[tls]\ncertificate = \"a\"\nkey = \"b\"\nclient_cas = \"c\"",
                "client_ca",
            ),
            (
                "[tls]\ncertificate = \"a\"\nkey = \"b\"\nclient_certificates = \"require\"",
                "required",
            ),
        ] {
            let error = ServerConfig::from_toml(text).unwrap_err().to_string();
            assert!(
                error.ends_with(&format!("{meant} was probably meant")),
                "{error}"
            );
        }
        let error = ServerConfig::from_toml("frobnicate = 1").unwrap_err();
        assert!(!error.to_string().contains("probably"), "{error}");
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
            (
                "[limits]\nmax_resets_per_second = 0",
                "limits.max_resets_per_second",
            ),
            (
                "[limits]\nrequest_burst_per_client = 5",
                "limits.requests_per_second_per_client",
            ),
            (
                "[limits]\nrequests_per_second_per_client = 5",
                "limits.request_burst_per_client",
            ),
            ("[tls]\ncertificate = \"a\"\nkey = \"b\"", "tls.client_ca"),
            (
                "[tls]\ncertificate = \"a\"\nkey = \"b\"\nclient_certificates = \"none\"\ncrls = [\"c\"]",
                "tls.crls",
            ),
            (
                "[anomalies]\nidentifier_shape = \"ANO\"",
                "anomalies.identifier_shape",
            ),
            (
                "[anomalies]\nlog_segment_bytes = 1",
                "anomalies.log_segment_bytes",
            ),
        ] {
            let error = ServerConfig::from_toml(text).unwrap_err().to_string();
            assert!(error.contains(named), "{text}: {error}");
        }
    }
}
