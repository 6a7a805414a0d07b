//! Reading the log as a search or a fold needs it: the versions that a generation does not hold yet.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rorqual_anomaly::log::{Folder, LogError, LogReader};

use super::record::decode;
use crate::index::manifest::AnomalyMark;
use crate::index::overlay::Version;

/// Name of the log's folder in an index directory.
pub const ANOMALIES: &str = "anomalies";

/// Where the log of an index directory is.
pub fn folder_of(index: &Path) -> PathBuf {
    index.join(ANOMALIES)
}

/// Why the log cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The log's own reasons.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A sound record that is none of ours.
    #[error(
        "record {sequence} of the log in {path} is not what this program writes ({detail}); read it with the program that wrote it"
    )]
    Record {
        /// The record's number.
        sequence: u64,
        /// The log's folder.
        path: PathBuf,
        /// What was seen.
        detail: String,
    },
}

/// What the log holds beyond a generation.
#[derive(Debug, Default)]
pub struct Journal {
    /// The versions, in the order of the log.
    pub versions: Vec<Version>,
    /// How many records they are from.
    pub records: u64,
    /// How far a generation that holds all this has the log.
    pub mark: AnomalyMark,
}

impl Journal {
    /// What follows `after`.
    pub fn beyond(after: AnomalyMark) -> Journal {
        Journal {
            mark: after,
            ..Journal::default()
        }
    }

    /// Reads what the log of an index directory holds beyond `after`, beside whoever writes it. An index directory without
    /// a log has nothing beyond.
    ///
    /// # Errors
    /// [`JournalError`] when the log is damaged or cannot be read.
    pub fn read(index: &Path, after: AnomalyMark) -> Result<Journal, JournalError> {
        let path = folder_of(index);
        let storage = match Folder::existing(&path) {
            Ok(storage) => storage,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Journal::beyond(after));
            }
            Err(source) => {
                return Err(JournalError::Log(LogError::Io {
                    action: "open",
                    file: String::new(),
                    place: path.display().to_string(),
                    source,
                }));
            }
        };
        loop {
            match Journal::read_from(storage.clone(), after, &path) {
                // Whoever writes lets go of what a generation holds; what is wanted here is behind that, or missing on
                // the next attempt.
                Err(JournalError::Log(LogError::Vanished { .. })) => {}
                read => return read,
            }
        }
    }

    fn read_from(
        storage: Folder,
        after: AnomalyMark,
        path: &Path,
    ) -> Result<Journal, JournalError> {
        let mut journal = Journal::beyond(after);
        let reader = LogReader::open(storage)?;
        let stopped = reader.replay(after.sequence, |sequence, payload| {
            match journal.take(sequence, payload, path) {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => ControlFlow::Break(error),
            }
        })?;
        match stopped {
            ControlFlow::Continue(()) => Ok(journal),
            ControlFlow::Break(error) => Err(error),
        }
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// [`JournalError::Record`].
    pub fn take(&mut self, sequence: u64, payload: &[u8], path: &Path) -> Result<(), JournalError> {
        let (head, versions) = decode(sequence, payload).map_err(|error| JournalError::Record {
            sequence,
            path: path.to_owned(),
            detail: error.to_string(),
        })?;
        self.versions.extend(versions);
        self.records += 1;
        self.mark = AnomalyMark {
            sequence,
            identifier: self.mark.identifier.max(head.identifier),
            instant: self.mark.instant.max(head.instant),
        };
        Ok(())
    }
}
