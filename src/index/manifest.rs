//! The manifest of a generation: what it is, what it was made from, and how each file can be checked.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::generation::sync_directory;
use super::{FORMAT_VERSION, FormatError, checksum_file};

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
    /// The build whose directory it holds: a fold and a rollback link that of another generation. Absent: its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<String>,
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
    /// The generation that it was folded from, when it differs from that one by anomalies only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folded_from: Option<String>,
    /// The generation that a delta was applied to, when it was made from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_from: Option<String>,
    /// The names of its redacted views.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<String>,
    /// How far the log of anomalies is in this generation.
    pub anomalies: AnomalyMark,
    /// Every other file, by path within the generation.
    pub files: BTreeMap<String, FileRecord>,
}

/// How far the log of anomalies is folded into a generation. Nothing that the log assigned is assigned again.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct AnomalyMark {
    /// The last log sequence that the generation holds.
    pub sequence: u64,
    /// The greatest number of a functional identifier given out.
    pub identifier: u64,
    /// When the last record was written, in milliseconds since 1970 UTC; 0 before any.
    pub instant: i64,
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
    /// The id of the build whose directory the generation holds.
    pub fn base(&self) -> &str {
        self.base.as_deref().unwrap_or(&self.generation)
    }

    /// Writes the manifest, the last file of a generation, with its checksum, and syncs the folder.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn write(&self, generation: &Path) -> Result<(), FormatError> {
        let place = generation.join(MANIFEST);
        let text = serde_json::to_vec_pretty(self).map_err(|error| FormatError::Damaged {
            path: place.clone(),
            detail: error.to_string(),
        })?;
        write_synced(&place, &text)?;
        let checksum = checksum_file(&place)?.xxh3;
        write_synced(&generation.join(MANIFEST_CHECKSUM), checksum.as_bytes())?;
        sync_directory(generation)
    }

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

/// Writes a file and syncs it.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), FormatError> {
    let io = |source| FormatError::io(path, source);
    std::fs::write(path, bytes).map_err(io)?;
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(io)
}
