//! Why a build fails.

use std::path::PathBuf;

use rorqual::anomaly::carried::CarryError;
use rorqual::index::FormatError;
use rorqual_access::PolicyError;
use rorqual_schema::{SchemaError, ValueError};

use crate::delta::DeltaError;
use crate::input::InputError;
use crate::rejects::RejectFileError;

/// Why a build failed. The live generation is untouched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The extract could not be read whole.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The index could not be written.
    #[error("{0}{hint}", hint = hint(.0))]
    Index(#[from] FormatError),
    /// The search parameters cannot be used.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// The time zone is not known.
    #[error(transparent)]
    TimeZone(#[from] ValueError),
    /// The reject file could not be written.
    #[error(transparent)]
    RejectFile(#[from] RejectFileError),
    /// The anomalies of the live index cannot be carried over.
    #[error("{0}; the live index is untouched")]
    Carry(#[from] CarryError),
    /// An anomaly of the live index or of the log is no usable resource.
    #[error(
        "the anomaly at {origin} cannot be carried over: {reason}; the live index is untouched. Check it with `rorqual verify`"
    )]
    Anomaly {
        /// Where it was read.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The access policy cannot be read.
    #[error("{path}: {source}; check that the policy of --access exists and is readable", path = path.display())]
    PolicyUnread {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The access policy cannot be used.
    #[error("the access policy cannot be used: {0}")]
    Policy(#[from] PolicyError),
    /// The live index has redacted views, and no policy is given for this one.
    #[error(
        "the live index has redacted views for access profiles; give --access FILE, or --access none to build without them"
    )]
    PolicyDropped,
    /// A resource cannot be redacted.
    #[error("a resource cannot be redacted: {detail}; the live index is untouched")]
    Redaction {
        /// Which and why.
        detail: String,
    },
    /// The delta cannot be applied.
    #[error("{0}; the live index is untouched")]
    Delta(#[from] DeltaError),
    /// Nothing usable was read.
    #[error("the extract holds no usable resource ({rejected} records rejected{}); the live index is untouched", see(.file))]
    Empty {
        /// How many records were rejected.
        rejected: u64,
        /// Where they are listed.
        file: Option<PathBuf>,
    },
    /// More records were rejected than tolerated.
    #[error("{rejected} of {read} records were rejected, more than the {percent} % tolerated{}; the live index is untouched", see(.file))]
    TooManyRejects {
        /// How many records were rejected.
        rejected: u64,
        /// How many were read.
        read: u64,
        /// The share tolerated, in per cent.
        percent: f64,
        /// Where they are listed.
        file: Option<PathBuf>,
    },
    /// A worker ended without an answer.
    #[error(
        "a worker thread stopped unexpectedly; this is a defect of index-builder, please report it with the extract's first lines"
    )]
    Worker,
}

fn see(file: &Option<PathBuf>) -> String {
    file.as_ref()
        .map_or_else(String::new, |file| format!(" (see {})", file.display()))
}

fn hint(error: &FormatError) -> &'static str {
    match error {
        FormatError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            "; free some space (a build needs about three times the extract) and run it again, the live index is untouched"
        }
        _ => "",
    }
}
