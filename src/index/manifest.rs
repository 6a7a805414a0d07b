//! The manifest of a generation: what it is, what it was made from, and how each file can be checked.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{FORMAT_VERSION, FormatError};

/// Name of the manifest in a generation's folder.
pub const MANIFEST: &str = "manifest.json";
/// Name of the file with the manifest's own xxh3-64 in hexadecimal; only verification reads it.
pub const MANIFEST_CHECKSUM: &str = "manifest.xxh3";

/// `manifest.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Version of the on-disk format.
    pub format_version: u32,
    /// The generation's id: the instant of its build and a random suffix.
    pub generation: String,
    /// When the build began, RFC 3339 UTC.
    pub created: String,
    /// Version of the program that built it.
    pub built_by: String,
    /// [`rorqual_schema::Schema::digest`] of the schema stored beside.
    pub schema_digest: String,
    /// What was read: paths as given to the build.
    pub sources: Vec<String>,
    /// Resources by type.
    pub counts: BTreeMap<String, u64>,
    /// Literal references without a target, by type.
    pub dangling: BTreeMap<String, u64>,
    /// Every other file, by path within the generation.
    pub files: BTreeMap<String, FileRecord>,
}

/// Length and checksum of one file.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct FileRecord {
    /// Length in bytes.
    pub length: u64,
    /// xxh3-64 in hexadecimal.
    pub xxh3: String,
}

impl FileRecord {
    /// A record from a length and an xxh3-64.
    pub fn new(length: u64, checksum: u64) -> FileRecord {
        FileRecord {
            length,
            xxh3: format!("{checksum:016x}"),
        }
    }
}

impl Manifest {
    /// Reads the manifest of a generation's folder.
    ///
    /// # Errors
    /// [`FormatError`] when it is absent, unreadable or of another format version.
    pub fn read(generation: &Path) -> Result<Manifest, FormatError> {
        /// Read first, so that a manifest of another version is named as such whatever else it holds.
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Version {
            format_version: u32,
        }
        let path = generation.join(MANIFEST);
        let text = std::fs::read(&path).map_err(|source| FormatError::reading(&path, source))?;
        let damaged = |error: serde_json::Error| FormatError::Damaged {
            path: path.clone(),
            detail: error.to_string(),
        };
        let Version {
            format_version: found,
        } = serde_json::from_slice(&text).map_err(damaged)?;
        if found != FORMAT_VERSION {
            return Err(FormatError::Version {
                path,
                expected: FORMAT_VERSION,
                found,
            });
        }
        serde_json::from_slice(&text).map_err(damaged)
    }
}
