//! The `[tls]` table of the configuration.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::server::config::{ConfigError, in_range};

/// Certificates, keys, and whom to let in. Relative paths of a configuration file are relative to its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// The server's certificate and its intermediates, in PEM, its own first.
    pub certificate: PathBuf,
    /// The private key of that certificate, in PEM: PKCS #8, PKCS #1 or SEC 1, not encrypted.
    pub key: PathBuf,
    /// Whether clients must present a certificate.
    #[serde(default)]
    pub client_certificates: ClientCertificates,
    /// Authorities of the clients, in PEM: roots, and intermediates that clients may leave out of their chain.
    #[serde(default)]
    pub client_ca: Option<PathBuf>,
    /// Revocation lists of these authorities, PEM or DER; without any, revocation is not looked at.
    #[serde(default)]
    pub crls: Vec<PathBuf>,
    /// Which certificates of a client's chain a list must cover; what no list covers is refused.
    #[serde(default)]
    pub revocation: Revocation,
    /// What a list whose next update is past is worth.
    #[serde(default)]
    pub expired_crls: ExpiredCrls,
    /// Time in which a handshake must be done, in seconds (1 to 120).
    #[serde(default = "TlsConfig::default_handshake")]
    pub handshake_timeout_seconds: u64,
    /// How often the files are looked at for changes, in milliseconds (50 to 3,600,000); SIGHUP asks for it at once.
    #[serde(default = "TlsConfig::default_reload")]
    pub reload_interval_ms: u64,
    /// Days before an expiry from which the log warns of it, once a day (0 to 3,650).
    #[serde(default = "TlsConfig::default_warning")]
    pub expiry_warning_days: u64,
}

/// Values of `tls.client_certificates`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificates {
    /// No certificate, no handshake.
    #[default]
    Required,
    /// A client may come without; one that presents a certificate must present a good one.
    Optional,
    /// Clients are not asked for any.
    None,
}

impl ClientCertificates {
    /// The value as written in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::None => "none",
        }
    }
}

/// Values of `tls.revocation`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Revocation {
    /// Every certificate below the root.
    #[default]
    Chain,
    /// The client's own certificate only.
    Leaf,
}

/// Values of `tls.expired_crls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExpiredCrls {
    /// Nothing: the clients it covers are refused until a newer list comes.
    #[default]
    Refuse,
    /// As much as before: who is on it is refused, the others are let in.
    Accept,
}

impl TlsConfig {
    /// A table with these two files and the default of every other key.
    pub fn new(certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self {
            certificate: certificate.into(),
            key: key.into(),
            client_certificates: ClientCertificates::default(),
            client_ca: None,
            crls: Vec::new(),
            revocation: Revocation::default(),
            expired_crls: ExpiredCrls::default(),
            handshake_timeout_seconds: Self::default_handshake(),
            reload_interval_ms: Self::default_reload(),
            expiry_warning_days: Self::default_warning(),
        }
    }

    /// The table as `docs/rorqual.example.toml` shows it.
    #[cfg(test)]
    pub(in crate::server) fn example() -> Self {
        Self {
            client_ca: Some("client-ca.pem".into()),
            crls: vec!["root.crl".into(), "intermediate.crl".into()],
            ..Self::new("server.pem", "server.key")
        }
    }

    fn default_handshake() -> u64 {
        10
    }

    fn default_reload() -> u64 {
        5_000
    }

    fn default_warning() -> u64 {
        30
    }

    /// Checks ranges, and that no key contradicts another; reads no file.
    pub(in crate::server) fn check(&self) -> Result<(), ConfigError> {
        in_range(
            "tls.handshake_timeout_seconds",
            self.handshake_timeout_seconds,
            1,
            120,
        )?;
        in_range(
            "tls.reload_interval_ms",
            self.reload_interval_ms,
            50,
            3_600_000,
        )?;
        in_range(
            "tls.expiry_warning_days",
            self.expiry_warning_days,
            0,
            3_650,
        )?;
        if self.client_certificates == ClientCertificates::None {
            let unused = if self.client_ca.is_some() {
                "client_ca"
            } else if !self.crls.is_empty() {
                "crls"
            } else {
                return Ok(());
            };
            return Err(ConfigError::UnusedClientSetting { key: unused });
        }
        if self.client_ca.is_none() {
            return Err(ConfigError::NoClientAuthority {
                presence: self.client_certificates.name(),
            });
        }
        Ok(())
    }

    /// Takes relative paths as relative to `folder`.
    pub(in crate::server) fn relative_to(&mut self, folder: &Path) {
        let fixed = [&mut self.certificate, &mut self.key];
        for path in fixed
            .into_iter()
            .chain(&mut self.client_ca)
            .chain(&mut self.crls)
        {
            // Joining an absolute path gives that path.
            *path = folder.join(&*path);
        }
    }

    /// Every file the table names.
    pub(super) fn files(&self) -> impl Iterator<Item = &Path> {
        [&self.certificate, &self.key]
            .into_iter()
            .chain(&self.client_ca)
            .chain(&self.crls)
            .map(PathBuf::as_path)
    }

    pub(super) fn handshake_timeout(&self) -> Duration {
        Duration::from_secs(self.handshake_timeout_seconds)
    }

    pub(super) fn reload_interval(&self) -> Duration {
        Duration::from_millis(self.reload_interval_ms.max(50))
    }

    pub(super) fn expiry_warning(&self) -> Duration {
        Duration::from_secs(self.expiry_warning_days.saturating_mul(86_400))
    }
}
