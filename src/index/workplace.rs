//! The index directory while a generation is made: the lock, the staging folder, publishing.
//! What is pruned is decided in [`super::kept`].

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::FormatError;
use super::candidate::{self, Candidate};
use super::generation::{CURRENT, GENERATIONS, Generation, sync_directory};
use super::kept::{self, generations};

const LOCK: &str = "build.lock";
const STAGING: &str = "building-";
/// Key of the page cursors' seal.
const CURSOR_KEY: &str = "cursor.key";
/// Name of the folder of reject files, one for each build that refused records.
pub const REJECTS: &str = "rejects";

/// An id for a generation begun at an instant. Ids sort by it; the suffix tells apart those of one millisecond.
///
/// # Errors
/// [`FormatError::Io`] without a random source.
pub fn generation_id(started: DateTime<Utc>) -> Result<String, FormatError> {
    let mut suffix = [0u8; 3];
    getrandom::fill(&mut suffix).map_err(|error| {
        FormatError::io(Path::new("random source"), std::io::Error::other(error))
    })?;
    let [a, b, c] = suffix;
    Ok(format!(
        "{}-{a:02x}{b:02x}{c:02x}",
        started.format("%Y%m%dT%H%M%S%3fZ")
    ))
}

/// The right to make a generation in a directory, held until dropped.
pub struct Workplace {
    index: PathBuf,
    staging: PathBuf,
    _lock: File,
}

impl Workplace {
    /// Takes the lock, clears what an interrupted build left, and makes a staging folder for `generation`.
    ///
    /// # Errors
    /// [`FormatError::Busy`] when another build or fold holds the lock, [`FormatError::Io`].
    pub fn enter(index: &Path, generation: &str) -> Result<Workplace, FormatError> {
        let io = |path: &Path, source| FormatError::io(path, source);
        fs::create_dir_all(index.join(GENERATIONS)).map_err(|source| io(index, source))?;
        let lock_path = index.join(LOCK);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|source| io(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(FormatError::Busy {
                    index: index.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(io(&lock_path, source)),
        }
        for entry in fs::read_dir(index).map_err(|source| io(index, source))? {
            let path = entry.map_err(|source| io(index, source))?.path();
            if path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with(STAGING))
            {
                fs::remove_dir_all(&path).map_err(|source| io(&path, source))?;
            }
        }
        remove_unpublished(index)?;
        let staging = index.join(format!("{STAGING}{generation}"));
        fs::create_dir(&staging).map_err(|source| io(&staging, source))?;
        Ok(Workplace {
            index: index.to_owned(),
            staging,
            _lock: lock,
        })
    }

    /// The folder in which to build.
    pub fn staging(&self) -> &Path {
        &self.staging
    }

    /// Moves the finished generation into place and makes it live, then prunes what `keep` does not cover: see
    /// [`kept::prune`].
    ///
    /// # Errors
    /// [`FormatError::Io`]; what was live stays live.
    pub fn publish(&self, built: &Path, generation: &str, keep: usize) -> Result<(), FormatError> {
        self.place(built, generation)?;
        self.make_live(generation, keep)
    }

    /// Moves the finished generation into place as a candidate: the live one stays, and so does this one until it goes
    /// live or another candidate takes its place.
    ///
    /// # Errors
    /// [`FormatError::Io`]; what was live stays live.
    pub fn set_aside(
        &self,
        built: &Path,
        generation: &str,
        candidate: &Candidate,
    ) -> Result<(), FormatError> {
        self.place(built, generation)?;
        candidate.write(&self.index, generation, &self.staging)?;
        for other in candidate::all(&self.index)? {
            if other != generation {
                self.drop_candidate(&other)?;
            }
        }
        self.prune_reject_files()
    }

    /// Makes a generation that is in its place the live one, and prunes.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn make_live(&self, generation: &str, keep: usize) -> Result<(), FormatError> {
        self.ensure_cursor_key()?;
        Generation::publish(&self.index, generation)?;
        candidate::forget(&self.index, generation)?;
        self.prune_reject_files()?;
        kept::prune(&self.index, generation, keep)
    }

    /// Removes a candidate that will not go live.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn drop_candidate(&self, generation: &str) -> Result<(), FormatError> {
        // Without its mark the folder is the debris of a build: whatever happens now, the next one clears it.
        candidate::forget(&self.index, generation)?;
        kept::remove(&self.index, generation)
    }

    fn place(&self, built: &Path, generation: &str) -> Result<(), FormatError> {
        let place = Generation::path_of(&self.index, generation);
        fs::rename(built, &place).map_err(|source| FormatError::io(&place, source))?;
        sync_directory(&self.index.join(GENERATIONS))
    }

    /// Reject files tell of past nights; the oldest go.
    fn prune_reject_files(&self) -> Result<(), FormatError> {
        const KEPT: usize = 30;
        let folder = self.index.join(REJECTS);
        if !folder.exists() {
            return Ok(());
        }
        let mut files = Vec::new();
        for entry in fs::read_dir(&folder).map_err(|source| FormatError::io(&folder, source))? {
            files.push(
                entry
                    .map_err(|source| FormatError::io(&folder, source))?
                    .path(),
            );
        }
        // Named by the instant of their build.
        files.sort();
        for path in files.iter().rev().skip(KEPT) {
            fs::remove_file(path).map_err(|source| FormatError::io(path, source))?;
        }
        Ok(())
    }

    /// Cursors are sealed with a key that outlives generations, so that one of a retired generation is told
    /// from an altered one.
    fn ensure_cursor_key(&self) -> Result<(), FormatError> {
        let path = self.index.join(CURSOR_KEY);
        if path.exists() {
            return Ok(());
        }
        let mut key = [0u8; 32];
        getrandom::fill(&mut key)
            .map_err(|error| FormatError::io(&path, std::io::Error::other(error)))?;
        let staged = self.staging.join(CURSOR_KEY);
        let io = |source| FormatError::io(&staged, source);
        fs::write(&staged, key).map_err(io)?;
        File::open(&staged)
            .and_then(|file| file.sync_all())
            .map_err(io)?;
        fs::rename(&staged, &path).map_err(io)?;
        sync_directory(&self.index)
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // Best effort: what stays is cleared by the next build.
        let _ = fs::remove_dir_all(&self.staging);
    }
}

/// Removes generations newer than the live one that are no candidates: a build was interrupted between its two renames.
fn remove_unpublished(index: &Path) -> Result<(), FormatError> {
    let live = match Generation::current(index) {
        Ok(id) => id,
        Err(FormatError::NoGeneration { .. }) => String::new(),
        Err(error) => return Err(error),
    };
    let candidates = candidate::all(index)?;
    let mut ids = generations(index)?;
    for id in &candidates {
        // It went live, or its folder was removed, and then the power was cut.
        if *id == live || !ids.contains(id) {
            candidate::forget(index, id)?;
        }
    }
    ids.retain(|id| *id > live && !candidates.contains(id));
    for id in ids {
        kept::remove(index, &id)?;
    }
    let next = index.join(format!("{CURRENT}.next"));
    if next.exists() {
        fs::remove_file(&next).map_err(|source| FormatError::io(&next, source))?;
    }
    Ok(())
}
