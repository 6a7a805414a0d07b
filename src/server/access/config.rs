//! The table `[access]` of the configuration.

use std::path::{Path, PathBuf};

use rorqual_access::Policy;
use serde::{Deserialize, Serialize};

use crate::server::config::{ConfigError, in_range};

/// Who may ask what, and what is recorded of it. Relative paths of a configuration file are relative to its folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AccessConfig {
    /// The access policy: a TOML file, or `national`. Absent: everybody may ask everything, for local use.
    pub policy: Option<PathBuf>,
    /// What becomes of the four `Ror-…` headers.
    pub ror_headers: RorHeaders,
    /// The file in which each request is recorded, one JSON line each. Absent: none.
    pub audit_log: Option<PathBuf>,
    /// From this length on the record goes on in a new file, in bytes (65,536 to 2^40).
    pub audit_log_bytes: u64,
    /// How many former files of the record stay (0 to 10,000).
    pub audit_log_files: u64,
}

/// What becomes of the headers in which ROR clients say on whose behalf they ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RorHeaders {
    /// A search or read of the directory without them is refused. Anomalies never need them.
    Required,
    /// They are recorded when they are there.
    #[default]
    Optional,
    /// They are not looked at.
    Ignored,
}

impl Default for AccessConfig {
    fn default() -> Self {
        Self {
            policy: None,
            ror_headers: RorHeaders::default(),
            audit_log: None,
            audit_log_bytes: 100 << 20,
            audit_log_files: 30,
        }
    }
}

impl AccessConfig {
    /// Checks ranges; reads no file.
    pub(in crate::server) fn check(&self) -> Result<(), ConfigError> {
        in_range(
            "access.audit_log_bytes",
            self.audit_log_bytes,
            65_536,
            1 << 40,
        )?;
        in_range("access.audit_log_files", self.audit_log_files, 0, 10_000)
    }

    /// Takes relative paths as relative to `folder`.
    pub(in crate::server) fn relative_to(&mut self, folder: &Path) {
        let named = |path: &Path| path.as_os_str() == "national";
        for path in self.policy.iter_mut().filter(|path| !named(path)) {
            *path = folder.join(&*path);
        }
        for path in self.audit_log.iter_mut() {
            *path = folder.join(&*path);
        }
    }

    /// The file of the policy; none when it comes with the program, or there is none.
    pub(in crate::server) fn policy_file(&self) -> Option<&Path> {
        let path = self.policy.as_deref()?;
        (path.as_os_str() != "national").then_some(path)
    }

    /// Reads the policy.
    ///
    /// # Errors
    /// [`ConfigError::Policy`].
    pub fn read_policy(&self) -> Result<Option<Policy>, ConfigError> {
        let Some(path) = &self.policy else {
            return Ok(None);
        };
        let wrong = |detail: String| ConfigError::Policy {
            path: path.clone(),
            detail,
        };
        let policy = match path.to_str() {
            Some("national") => Policy::ready("national"),
            _ => {
                let text =
                    std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
                Policy::from_toml(&text)
            }
        };
        policy.map(Some).map_err(|error| wrong(error.to_string()))
    }
}
