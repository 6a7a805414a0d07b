//! The generations that an index directory keeps: what they are, and which of them go.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::generation::{GENERATIONS, Generation};
use super::manifest::MANIFEST;
use super::{FormatError, candidate};

/// What a generation is to the index directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It answers searches.
    Live,
    /// It was live, and can be again.
    Kept,
    /// It has not been live, and waits for that.
    Candidate,
    /// An interrupted build left it; the next one removes it.
    Debris,
}

/// A generation on disk. Serialised keys are stable.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Kept {
    /// Its id.
    pub generation: String,
    /// What it is to the directory.
    pub standing: Standing,
    /// The build whose directory it holds, which folds and rollbacks share.
    pub base: String,
    /// When its making began, RFC 3339 UTC.
    pub created: String,
    /// What made it, with its version.
    pub built_by: String,
    /// Version of its format on disk; another than [`super::FORMAT_VERSION`] cannot be opened by this program.
    pub format_version: u32,
    /// Resources by type.
    pub counts: BTreeMap<String, u64>,
    /// The names of its redacted views.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<String>,
    /// Why its manifest cannot be read, when it cannot: the other fields are empty then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// The part of a manifest that every format version has.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Told {
    format_version: u32,
    base: Option<String>,
    created: String,
    built_by: String,
    counts: BTreeMap<String, u64>,
    views: Vec<String>,
    folded_from: Option<String>,
}

/// The generations on disk, newest first, whatever their format version.
///
/// # Errors
/// [`FormatError::NoGeneration`] when the folder is no index directory, [`FormatError::Io`].
pub fn kept(index: &Path) -> Result<Vec<Kept>, FormatError> {
    let live = Generation::current(index)?;
    let candidates = candidate::all(index)?;
    let told = |id: String| {
        let standing = match id.as_str() {
            id if id == live => Standing::Live,
            id if candidates.iter().any(|candidate| candidate == id) => Standing::Candidate,
            id if *id > *live => Standing::Debris,
            _ => Standing::Kept,
        };
        let (told, fault) = match told_of(index, &id) {
            Ok(told) => (told, None),
            Err(error) => (Told::default(), Some(error.to_string())),
        };
        Kept {
            base: told.base.unwrap_or_else(|| id.clone()),
            generation: id,
            standing,
            created: told.created,
            built_by: told.built_by,
            format_version: told.format_version,
            counts: told.counts,
            views: told.views,
            fault,
        }
    };
    let ids = generations(index)?;
    Ok(ids.into_iter().rev().map(told).collect())
}

fn told_of(index: &Path, id: &str) -> Result<Told, FormatError> {
    let path = Generation::path_of(index, id).join(MANIFEST);
    let text = fs::read(&path).map_err(|source| FormatError::reading(&path, source))?;
    serde_json::from_slice(&text).map_err(|error| FormatError::Damaged {
        path,
        detail: error.to_string(),
    })
}

/// The ids of the generations on disk, ascending, that is oldest first.
pub(super) fn generations(index: &Path) -> Result<Vec<String>, FormatError> {
    let folder = index.join(GENERATIONS);
    let mut ids = Vec::new();
    for entry in fs::read_dir(&folder).map_err(|source| FormatError::io(&folder, source))? {
        let entry = entry.map_err(|source| FormatError::io(&folder, source))?;
        ids.push(entry.file_name().to_string_lossy().into_owned());
    }
    ids.sort();
    Ok(ids)
}

/// Removes what `keep` does not cover, now that `live` is live.
///
/// `keep` counts builds: folds come by the hour, and must not push yesterday's directory out. A new build lets stay the
/// newest generation of each of so many builds before it. A fold lets stay its build, which shares nearly all of its bytes,
/// and so many folds of it, and leaves other builds alone. Candidates are no matter of this.
///
/// # Errors
/// [`FormatError::Io`].
pub fn prune(index: &Path, live: &str, keep: usize) -> Result<(), FormatError> {
    let candidates = candidate::all(index)?;
    let mut ids = generations(index)?;
    ids.retain(|id| id != live && !candidates.contains(id));
    let told = |id: &str| {
        let told = told_of(index, id).unwrap_or_default();
        (
            told.base.unwrap_or_else(|| id.to_owned()),
            told.folded_from.is_some(),
        )
    };
    let (of, _) = told(live);
    // A fold or a rollback has another generation of its build beside it: the one that it continues.
    let is_build = !ids.iter().any(|id| told(id).0 == of);
    let (mut folds, mut others): (usize, Vec<String>) = (0, Vec::new());
    for id in ids.iter().rev() {
        let (base, is_fold) = told(id);
        let whole = Generation::path_of(index, id).join(MANIFEST).exists();
        let stays = if !whole {
            false
        } else if base == of {
            folds += usize::from(is_fold);
            !is_fold || folds <= keep
        } else if !is_build {
            true
        } else if others.contains(&base) {
            false
        } else {
            others.push(base);
            others.len() <= keep
        };
        if !stays {
            remove(index, id)?;
        }
    }
    Ok(())
}

/// Removes the folder of a generation, its manifest first: one that is half removed is told from one that is damaged.
pub(super) fn remove(index: &Path, id: &str) -> Result<(), FormatError> {
    let path = Generation::path_of(index, id);
    let manifest = path.join(MANIFEST);
    if manifest.exists() {
        fs::remove_file(&manifest).map_err(|source| FormatError::io(&manifest, source))?;
    }
    fs::remove_dir_all(&path).map_err(|source| FormatError::io(&path, source))
}
