//! What can be wrong with the files of a generation.

use std::path::{Path, PathBuf};

/// A file of the index could not be written or read as what it should be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The operating system refused an operation on a file.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file was written by another version of Rorqual.
    #[error(
        "{path} has format version {found}, this program reads {expected}; rebuild the index with the index-builder of this release"
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// The version this program reads.
        expected: u32,
        /// The version found.
        found: u32,
    },
    /// The file is incomplete or altered.
    #[error("{path} is damaged: {detail}; restore it from a copy or rebuild the index")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was seen.
        detail: String,
    },
    /// What a build reads twice was not the same the second time.
    #[error("{path} changed while it was read; build again once nothing writes to it any more")]
    Altered {
        /// The file.
        path: PathBuf,
    },
    /// A section does not hold what its name promises.
    #[error("section {section} cannot be read: {detail}; rebuild the index")]
    Layout {
        /// The section.
        section: String,
        /// What was seen.
        detail: String,
    },
    /// A resource cannot be compressed.
    #[error("a resource cannot be compressed: {detail}; this is a defect, please report it")]
    Compression {
        /// The compressor's reason.
        detail: &'static str,
    },
    /// The full-text index refused an operation.
    #[error("full-text index {path}: {detail}")]
    Text {
        /// Its folder.
        path: PathBuf,
        /// tantivy's reason.
        detail: String,
    },
    /// No generation is live in the directory.
    #[error(
        "{path} holds no index yet (no CURRENT file); build one with: index-builder --extract PATH --index {path}"
    )]
    NoGeneration {
        /// The index directory.
        path: PathBuf,
    },
    /// The log of anomalies beside the generation cannot be read.
    #[error("the log of anomalies cannot be read: {detail}")]
    Anomalies {
        /// Why, and what to do.
        detail: String,
    },
    /// Another program makes a generation in the directory.
    #[error("another build or fold is at work in {index}; wait for it to end, then run this again")]
    Busy {
        /// The index directory.
        index: PathBuf,
    },
    /// The schema stored with the generation cannot be used.
    #[error("{path}: {detail}; rebuild the index")]
    Schema {
        /// The schema file.
        path: PathBuf,
        /// Why.
        detail: String,
    },
    /// More resources, terms or values than the format can number.
    #[error("too many {what}: the format numbers at most {limit}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: u64,
    },
}

impl FormatError {
    /// An I/O failure on `path`.
    pub fn io(path: &Path, source: std::io::Error) -> FormatError {
        FormatError::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// A failure to read `path`, a file that every whole generation holds.
    pub fn reading(path: &Path, source: std::io::Error) -> FormatError {
        match source.kind() {
            std::io::ErrorKind::NotFound => FormatError::Damaged {
                path: path.to_owned(),
                detail: "it is missing".to_owned(),
            },
            _ => FormatError::io(path, source),
        }
    }
}
