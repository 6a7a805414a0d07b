//! Stored resources, as received, in ordinal order.
//!
//! `bodies.dat` joins records of the form `Type/id","resource":{…}`: what stands between the base of a `fullUrl`
//! and the end of the resource in a Bundle entry, so that an entry is one slice of the map. The pack's section
//! `bodies.offsets` (u64, one more than there are resources) delimits them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3;

use super::FormatError;
use super::map::{Column, Region};
use super::pack::{FileSeal, Pack};

/// What stands between the id and the resource.
pub const BETWEEN: &[u8] = b"\",\"resource\":";

/// Writes `bodies.dat`.
pub struct BodyWriter {
    path: PathBuf,
    kind: &'static str,
    file: BufWriter<File>,
    hash: Xxh3,
    offsets: Vec<u64>,
}

impl BodyWriter {
    /// Creates the file for resources of type `kind`.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn create(path: &Path, kind: &'static str) -> Result<BodyWriter, FormatError> {
        let file = File::create(path).map_err(|source| FormatError::io(path, source))?;
        let file = BufWriter::with_capacity(1 << 20, file);
        Ok(BodyWriter {
            path: path.to_owned(),
            kind,
            file,
            hash: Xxh3::new(),
            offsets: vec![0],
        })
    }

    /// Appends the next resource.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn push(&mut self, id: &str, body: &[u8]) -> Result<(), FormatError> {
        let mut length = 0;
        for piece in [self.kind.as_bytes(), b"/", id.as_bytes(), BETWEEN, body] {
            self.hash.update(piece);
            self.file
                .write_all(piece)
                .map_err(|source| FormatError::io(&self.path, source))?;
            length += piece.len() as u64;
        }
        let end = self.offsets.last().copied().unwrap_or(0) + length;
        self.offsets.push(end);
        Ok(())
    }

    /// Syncs the file; the offsets go into the pack.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn finish(self) -> Result<(FileSeal, Vec<u64>), FormatError> {
        let BodyWriter {
            path,
            file,
            hash,
            offsets,
            ..
        } = self;
        let io = |source| FormatError::io(&path, source);
        let file = file.into_inner().map_err(|error| io(error.into_error()))?;
        file.sync_all().map_err(io)?;
        let length = offsets.last().copied().unwrap_or(0);
        Ok((
            FileSeal {
                length,
                checksum: hash.digest(),
            },
            offsets,
        ))
    }
}

/// Bodies joined in memory, as `bodies.dat` joins them.
pub struct JoinedBodies {
    kind: &'static str,
    data: Vec<u8>,
    offsets: Vec<u64>,
}

impl JoinedBodies {
    /// No body yet, for resources of type `kind`.
    pub fn new(kind: &'static str) -> JoinedBodies {
        JoinedBodies {
            kind,
            data: Vec::new(),
            offsets: vec![0],
        }
    }

    /// Appends the next resource.
    pub fn push(&mut self, id: &str, body: &[u8]) {
        for piece in [self.kind.as_bytes(), b"/", id.as_bytes(), BETWEEN, body] {
            self.data.extend_from_slice(piece);
        }
        self.offsets.push(self.data.len() as u64);
    }

    /// What the pack's section `bodies.offsets` holds.
    pub fn offsets(&self) -> &[u64] {
        &self.offsets
    }
}

/// Opened bodies.
pub struct Bodies {
    kind: &'static str,
    /// The whole file; its slices share one count of references.
    data: Bytes,
    offsets: Column<u64>,
}

impl Bodies {
    /// Maps `bodies.dat` and the offsets in the pack.
    ///
    /// # Errors
    /// [`FormatError`] when a file is missing or the two do not fit.
    pub fn open(path: &Path, pack: &Pack, kind: &'static str) -> Result<Bodies, FormatError> {
        Bodies::new(Region::map_file(path)?.to_bytes(), pack, kind, path)
    }

    /// Bodies that were joined in memory, with their offsets in a pack.
    ///
    /// # Errors
    /// [`FormatError`] when the two do not fit.
    pub fn in_memory(
        bodies: JoinedBodies,
        pack: &Pack,
        kind: &'static str,
    ) -> Result<Bodies, FormatError> {
        Bodies::new(Bytes::from(bodies.data), pack, kind, Path::new("memory"))
    }

    fn new(
        data: Bytes,
        pack: &Pack,
        kind: &'static str,
        path: &Path,
    ) -> Result<Bodies, FormatError> {
        let offsets: Column<u64> = pack.column("bodies.offsets")?;
        if offsets.last() != Some(&(data.len() as u64)) {
            return Err(FormatError::Damaged {
                path: path.to_owned(),
                detail: "its length is not the recorded one".into(),
            });
        }
        Ok(Bodies {
            kind,
            data,
            offsets,
        })
    }

    /// How many resources are stored.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether nothing is stored.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The length of an entry in bytes, without touching it; 0 when there is none.
    pub fn entry_length(&self, ordinal: u32) -> u64 {
        let at = ordinal as usize;
        match (self.offsets.get(at), self.offsets.get(at + 1)) {
            (Some(start), Some(end)) => end.saturating_sub(*start),
            _ => 0,
        }
    }

    /// `Type/id","resource":{…}` of an ordinal.
    pub fn entry(&self, ordinal: u32) -> Option<Bytes> {
        let at = ordinal as usize;
        let (start, end) = (
            *self.offsets.get(at)? as usize,
            *self.offsets.get(at + 1)? as usize,
        );
        (start <= end && end <= self.data.len()).then(|| self.data.slice(start..end))
    }

    /// The id and the resource of an entry: a resource id holds no quote, so the first one ends it.
    fn split<'e>(&self, entry: &'e [u8]) -> Option<(&'e str, usize)> {
        let start = self.kind.len() + 1;
        let end = start + memchr::memchr(b'"', entry.get(start..)?)?;
        Some((
            std::str::from_utf8(&entry[start..end]).ok()?,
            end + BETWEEN.len(),
        ))
    }

    /// The id of an ordinal.
    pub fn id(&self, ordinal: u32) -> Option<String> {
        let entry = self.entry(ordinal)?;
        self.split(&entry).map(|(id, _)| id.to_owned())
    }

    /// The resource of an ordinal, as received.
    pub fn body(&self, ordinal: u32) -> Option<Bytes> {
        let entry = self.entry(ordinal)?;
        let (_, start) = self.split(&entry)?;
        (start <= entry.len()).then(|| entry.slice(start..))
    }
}
