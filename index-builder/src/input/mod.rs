//! Reading the extract: from paths or standard input to the text of one resource at a time.
//!
//! [`Inputs::discover`] turns the paths of the command line into a checked list of sources, and
//! [`Inputs::read`] streams them. Nothing here parses a resource: NDJSON is cut at line ends and a
//! Bundle is cut at the `resource` of each entry, so a record holds the very bytes that were received
//! and memory never holds more than one batch and one resource.
//!
//! Two kinds of trouble are kept apart. A record that is unusable by itself is an [`Item::Reject`] and
//! reading goes on. Trouble that hides an unknown part of the extract (an unreadable file, a cut
//! archive, a Bundle without its end) is an [`InputError`]: the build must not go live without it.

mod batch;
mod capture;
mod compression;
mod discover;
mod document;
mod error;
mod line_split;
mod read;
mod shape;
#[cfg(test)]
mod tests;
mod value_scan;

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

pub use self::compression::Compression;
pub use self::discover::{Ignored, Inputs, Source};
pub use self::error::InputError;
pub use self::shape::Shape;

use crate::rejects::RejectReason;

/// Where a record came from. Cheap to clone: the name is shared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The path as given, or `standard input`.
    pub source: Arc<str>,
    /// Line in the decompressed text, from 1; for a Bundle, the line where the entry starts.
    pub line: u64,
    /// Index in `Bundle.entry`, from 0; `None` outside a Bundle.
    pub entry: Option<u64>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.line)?;
        match self.entry {
            Some(entry) => write!(f, " (entry[{entry}])"),
            None => Ok(()),
        }
    }
}

/// The text of one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Position among all items of the whole input, from 0; never repeats, always grows.
    pub sequence: u64,
    /// Where it was read.
    pub origin: Origin,
    /// Exactly the JSON text received: no byte-order mark, no blanks or line end around it.
    pub bytes: Vec<u8>,
    /// Where these bytes stand, when they do so in a file that can be read again.
    pub held: Option<Held>,
}

/// A place in a file of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The number of the file in [`Inputs::sources`].
    pub source: u32,
    /// Bytes before it.
    pub offset: u64,
}

/// One thing found in the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A text to parse.
    Record(Record),
    /// Something that cannot be a resource, found before parsing.
    Reject {
        /// Position among all items, shared with [`Record::sequence`].
        sequence: u64,
        /// Where it was read.
        origin: Origin,
        /// What is wrong with it.
        reason: RejectReason,
        /// The first bytes of the rejected text (at most [`EXCERPT_BYTES`]); empty when there are none.
        excerpt: Vec<u8>,
    },
}

/// How much of an over-long text is kept to recognise it by.
pub const EXCERPT_BYTES: usize = 512;

/// Bounds on the memory that reading takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Longest text of one resource, in bytes; a longer one is skipped and rejected. Default 16 MiB.
    pub resource_bytes: usize,
    /// A batch is handed over once its texts reach this size, in bytes. Default 1 MiB.
    pub batch_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            resource_bytes: 16 << 20,
            batch_bytes: 1 << 20,
        }
    }
}

/// What was read from one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceSummary {
    /// The path as given, or `standard input`.
    pub name: String,
    /// How the text was cut into resources.
    pub shape: Shape,
    /// How the bytes were compressed.
    pub compression: Compression,
    /// Bytes as stored.
    pub raw_bytes: u64,
    /// Bytes of text, after decompression.
    pub decompressed_bytes: u64,
    /// Texts handed over as records.
    pub records: u64,
    /// Texts rejected before parsing.
    pub rejects: u64,
}

/// What was read in all.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InputSummary {
    /// Bytes as stored, all sources together.
    pub raw_bytes: u64,
    /// Bytes of text, after decompression.
    pub decompressed_bytes: u64,
    /// Texts handed over as records.
    pub records: u64,
    /// Texts rejected before parsing.
    pub rejects: u64,
    /// Each source that was read, in reading order.
    pub sources: Vec<SourceSummary>,
    /// What discovery left out, and why.
    pub ignored: Vec<Ignored>,
    /// Oddities that did not stop the reading, one sentence each.
    pub warnings: Vec<String>,
    /// The sink asked to stop before the end; the counts cover what was read until then.
    pub stopped: bool,
}
