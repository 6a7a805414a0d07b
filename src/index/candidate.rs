//! Candidates: generations that are whole, and wait to be compared before they go live.
//!
//! ```text
//! DIR/candidates/<id>.json    says that DIR/generations/<id>/ is one, and what its build has to tell
//! ```
//!
//! The mark is beside the generation, not in it: a generation never changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::FormatError;
use super::generation::sync_directory;
use super::manifest::write_synced;

/// Name of the folder of marks in an index directory.
pub const CANDIDATES: &str = "candidates";

/// What the build of a candidate has to tell. Serialised keys are stable.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    /// The generation that was live when the candidate was built: it holds the anomalies of that one. Absent: none was.
    #[serde(default)]
    pub live: Option<String>,
    /// Records of the extract that were read, refused ones included.
    pub read: u64,
    /// Records that were refused.
    pub rejected: u64,
    /// Records that were refused, by type; those whose type is not known are not among them.
    #[serde(default)]
    pub rejected_by_type: BTreeMap<String, u64>,
}

impl Candidate {
    /// Marks a generation as a candidate; what is half written lies in `staging` only.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn write(&self, index: &Path, id: &str, staging: &Path) -> Result<(), FormatError> {
        let folder = index.join(CANDIDATES);
        fs::create_dir_all(&folder).map_err(|source| FormatError::io(&folder, source))?;
        let place = place_of(index, id);
        let text = serde_json::to_vec_pretty(self).map_err(|error| FormatError::Damaged {
            path: place.clone(),
            detail: error.to_string(),
        })?;
        let staged = staging.join("candidate.json");
        write_synced(&staged, &text)?;
        fs::rename(&staged, &place).map_err(|source| FormatError::io(&place, source))?;
        sync_directory(&folder)?;
        sync_directory(index)
    }

    /// Reads the mark of a generation; `None` when it is no candidate.
    ///
    /// # Errors
    /// [`FormatError`] when the mark is unreadable.
    pub fn read(index: &Path, id: &str) -> Result<Option<Candidate>, FormatError> {
        let path = place_of(index, id);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(FormatError::io(&path, source)),
        };
        let read = serde_json::from_slice(&text);
        read.map(Some).map_err(|error| FormatError::Damaged {
            path,
            detail: error.to_string(),
        })
    }
}

/// The ids of the candidates of an index directory, oldest first.
///
/// # Errors
/// [`FormatError::Io`].
pub fn all(index: &Path) -> Result<Vec<String>, FormatError> {
    let folder = index.join(CANDIDATES);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(FormatError::io(&folder, source)),
    };
    let mut ids = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|source| FormatError::io(&folder, source))?;
        if let Some(id) = entry.file_name().to_string_lossy().strip_suffix(".json") {
            ids.push(id.to_owned());
        }
    }
    ids.sort();
    Ok(ids)
}

/// Removes the mark of a generation, if it has one.
///
/// # Errors
/// [`FormatError::Io`].
pub(super) fn forget(index: &Path, id: &str) -> Result<(), FormatError> {
    let path = place_of(index, id);
    match fs::remove_file(&path) {
        Ok(()) => sync_directory(&index.join(CANDIDATES)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(FormatError::io(&path, source)),
    }
}

fn place_of(index: &Path, id: &str) -> PathBuf {
    index.join(CANDIDATES).join(format!("{id}.json"))
}
