//! What can go wrong with the log, and what to do then.

use std::io;

use super::damage::Damage;

/// Why the log did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The file system refused something.
    #[error(
        "cannot {action} {file} in {place}: {source}; see to the disk and to the rights on the folder, then start again"
    )]
    Io {
        /// What was being done: `read`, `write`, `synchronise`, …
        action: &'static str,
        /// The file concerned.
        file: String,
        /// Where the log is.
        place: String,
        /// What the system said.
        source: io::Error,
    },
    /// Another writer has the log.
    #[error(
        "the log in {place} is being written by {holder}; stop that one first, or give this one another index directory"
    )]
    Locked {
        /// Where the log is.
        place: String,
        /// Who has it.
        holder: String,
    },
    /// A segment has a format that this program does not read.
    #[error(
        "{file} in {place} has format version {got} and this program reads version {expected}; fold the log with the program that wrote it, or run that one"
    )]
    Version {
        /// The segment.
        file: String,
        /// Where the log is.
        place: String,
        /// The version that this program reads.
        expected: u32,
        /// The version of the file.
        got: u32,
    },
    /// A reader came to a damaged place.
    #[error(
        "{damage} (in {place}). Restore the file from a backup; failing that, fold what can still be read, move the file out of the folder and start again"
    )]
    Corrupt {
        /// The place.
        damage: Box<Damage>,
        /// Where the log is.
        place: String,
    },
    /// A write is refused because the log was found damaged when it was opened.
    #[error(
        "the log in {place} takes no writes: {damage}. Restore the file from a backup and start again; failing that, fold what can still be read, move the file out of the folder and start again"
    )]
    ReadOnly {
        /// The first damaged place.
        damage: Box<Damage>,
        /// Where the log is.
        place: String,
    },
    /// A write is refused because an earlier one failed: what is on disk is no longer known.
    #[error(
        "the log in {place} takes no writes since one failed ({cause}); see to the disk, then start again"
    )]
    Poisoned {
        /// The first failure.
        cause: String,
        /// Where the log is.
        place: String,
    },
    /// A payload is longer than the log was told to take.
    #[error("a record of {bytes} bytes is too long: at most {limit} are taken; send less at once")]
    TooLarge {
        /// Its length in bytes.
        bytes: u64,
        /// The most that is taken.
        limit: u32,
    },
    /// Too many records were appended without a commit.
    #[error("{records} records wait for one commit; commit before appending more")]
    CommitFull {
        /// How many wait.
        records: u32,
    },
    /// A segment was removed while it was being read, because what it holds has been folded.
    #[error("{file} in {place} was folded and removed while being read; read the log again")]
    Vanished {
        /// The segment.
        file: String,
        /// Where the log is.
        place: String,
    },
    /// The options contradict the format.
    #[error(
        "max_record_bytes is {got}, which exceeds what the format allows; set it to {limit} or less"
    )]
    Options {
        /// The value given.
        got: u32,
        /// The most that the format allows.
        limit: u32,
    },
    /// There is no number left for a record.
    #[error(
        "the log in {place} has used its last record number; this index directory takes no more writes"
    )]
    Exhausted {
        /// Where the log is.
        place: String,
    },
}

impl LogError {
    /// In a few words, without the advice: for [`LogError::Poisoned`].
    pub(super) fn cause(&self) -> String {
        match self {
            Self::Io {
                action,
                file,
                source,
                ..
            } => format!("cannot {action} {file}: {source}"),
            other => other.to_string(),
        }
    }
}
