//! The generation on disk: one file per structure, its writer beside its reader.
//!
//! Reading order: [`map`] (bytes of a file), [`pack`] (named sections), [`dictionary`] and [`postings`]
//! (terms to ordinals), then one module per search parameter type ([`token`], [`string`], [`date`] (with [`blocks`]),
//! [`number`], [`quantity`], [`reference`]), [`bodies`] with their compressed form ([`deflated`]) and the places of their members ([`spans`]),
//! [`positions`], [`text`], [`lines`] (repeating groups),
//! [`runs`] and [`gathered`] (what a build gathered, cut where memory ends), [`text_runs`],
//! [`directory`] (all of one resource type) and [`generation`] (the whole).

pub mod blocks;
pub mod bodies;
pub mod candidate;
pub mod column;
pub mod date;
pub mod deflated;
pub mod dictionary;
pub mod directory;
pub mod gathered;
pub mod generation;
pub mod interner;
pub mod kept;
pub mod lines;
pub mod link;
pub mod manifest;
pub mod map;
pub mod number;
pub mod overlay;
pub mod pack;
pub mod positions;
pub mod postings;
pub mod quantity;
pub mod read_only;
pub mod reference;
pub mod runs;
pub mod segment;
pub mod snapshot;
pub mod sort;
pub mod spans;
pub mod string;
pub mod text;
pub mod text_merge;
pub mod text_runs;
pub mod token;
pub mod words;
pub mod workplace;

mod error;

pub use error::FormatError;

/// Version of the on-disk format. A reader refuses any other.
pub const FORMAT_VERSION: u32 = 5;

/// Reads a whole file and answers its length and checksum, as a manifest records them.
///
/// # Errors
/// [`FormatError::Io`], [`FormatError::Damaged`] when it is missing.
pub fn checksum_file(path: &std::path::Path) -> Result<manifest::FileRecord, FormatError> {
    use std::io::Read;
    let io = |source| FormatError::reading(path, source);
    let mut file = std::fs::File::open(path).map_err(io)?;
    let (mut hash, mut length) = (xxhash_rust::xxh3::Xxh3::new(), 0u64);
    let mut buffer = vec![0u8; 1 << 20];
    loop {
        let read = file.read(&mut buffer).map_err(io)?;
        if read == 0 {
            return Ok(manifest::FileRecord::new(length, hash.digest()));
        }
        hash.update(&buffer[..read]);
        length += read as u64;
    }
}
