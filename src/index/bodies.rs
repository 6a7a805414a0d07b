//! Stored resources, as received, in ordinal order.
//!
//! `bodies.dat` joins records of the form `Type/id","resource":{…}`: what stands between the base of a `fullUrl`
//! and the end of the resource in a Bundle entry, so that an entry is one slice of the map. The pack's section
//! `bodies.offsets` (u64, one more than there are resources) delimits them. Beside each body stands its compressed form
//! ([`super::deflated`]).

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3;

use super::FormatError;
use super::deflated::{Deflated, DeflatedBodies, DeflatedColumns, Deflater, Sum};
use super::manifest::FileRecord;
use super::map::{Column, Region};
use super::pack::{Pack, PackWriter};

/// What stands between the id and the resource.
pub const BETWEEN: &[u8] = b"\",\"resource\":";

/// Name of the stored resources in a type's folder.
pub const BODIES: &str = "bodies.dat";
/// Name of their compressed form in a type's folder.
pub const DEFLATED: &str = "bodies.deflate";

/// Writes `bodies.dat` and `bodies.deflate`.
pub struct BodyWriter {
    kind: &'static str,
    plain: SealedWriter,
    blocks: SealedWriter,
    deflater: Deflater,
    offsets: Vec<u64>,
    deflated: DeflatedColumns,
}

/// A file that is hashed as it is written.
struct SealedWriter {
    path: PathBuf,
    file: BufWriter<File>,
    hash: Xxh3,
    length: u64,
}

impl SealedWriter {
    fn create(path: PathBuf) -> Result<SealedWriter, FormatError> {
        let file = File::create(&path).map_err(|source| FormatError::io(&path, source))?;
        Ok(SealedWriter {
            path,
            file: BufWriter::with_capacity(1 << 20, file),
            hash: Xxh3::new(),
            length: 0,
        })
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), FormatError> {
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        self.file
            .write_all(bytes)
            .map_err(|source| FormatError::io(&self.path, source))
    }

    fn finish(self) -> Result<FileRecord, FormatError> {
        let io = |source| FormatError::io(&self.path, source);
        let file = self
            .file
            .into_inner()
            .map_err(|error| io(error.into_error()))?;
        file.sync_all().map_err(io)?;
        Ok(FileRecord::new(self.length, self.hash.digest()))
    }
}

/// What was written of the bodies of a type: the records of the files, and what the pack tells of them.
pub struct WrittenBodies {
    /// Name in the type's folder, and record.
    pub files: [(&'static str, FileRecord); 2],
    offsets: Vec<u64>,
    deflated: DeflatedColumns,
}

impl WrittenBodies {
    /// Writes the sections that delimit the bodies.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn write(&self, pack: &mut PackWriter) -> Result<(), FormatError> {
        pack.column("bodies.offsets", &self.offsets)?;
        self.deflated.write(pack)
    }
}

/// What stands before the body in a record.
fn before<'a>(kind: &'a str, id: &'a str) -> [&'a [u8]; 4] {
    [kind.as_bytes(), b"/", id.as_bytes(), BETWEEN]
}

impl BodyWriter {
    /// Creates the files in `folder` for resources of type `kind`.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn create(folder: &Path, kind: &'static str) -> Result<BodyWriter, FormatError> {
        Ok(BodyWriter {
            kind,
            plain: SealedWriter::create(folder.join(BODIES))?,
            blocks: SealedWriter::create(folder.join(DEFLATED))?,
            deflater: Deflater::for_storage(),
            offsets: vec![0],
            deflated: DeflatedColumns::default(),
        })
    }

    /// Appends the next resource, and compresses it.
    ///
    /// # Errors
    /// [`FormatError::Io`], [`FormatError::Compression`].
    pub fn push(&mut self, id: &str, body: &[u8]) -> Result<(), FormatError> {
        self.push_plain(id, body)?;
        let blocks = self.deflater.deflate(body)?;
        self.deflated.push(blocks.len(), Sum::of(body));
        self.blocks.push(blocks)
    }

    /// Appends the next resource with its compressed form, as a [`Deflater`] makes it.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn push_deflated(
        &mut self,
        id: &str,
        body: &[u8],
        blocks: &[u8],
        sum: Sum,
    ) -> Result<(), FormatError> {
        self.push_plain(id, body)?;
        self.deflated.push(blocks.len(), sum);
        self.blocks.push(blocks)
    }

    fn push_plain(&mut self, id: &str, body: &[u8]) -> Result<(), FormatError> {
        for piece in before(self.kind, id) {
            self.plain.push(piece)?;
        }
        self.plain.push(body)?;
        self.offsets.push(self.plain.length);
        Ok(())
    }

    /// Syncs the files; what delimits the resources goes into the pack.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn finish(self) -> Result<WrittenBodies, FormatError> {
        Ok(WrittenBodies {
            files: [
                (BODIES, self.plain.finish()?),
                (DEFLATED, self.blocks.finish()?),
            ],
            offsets: self.offsets,
            deflated: self.deflated,
        })
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
        for piece in before(self.kind, id) {
            self.data.extend_from_slice(piece);
        }
        self.data.extend_from_slice(body);
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
    /// Absent in memory.
    deflated: Option<DeflatedBodies>,
}

impl Bodies {
    /// Maps the files of `folder`, delimited by the pack.
    ///
    /// # Errors
    /// [`FormatError`] when a file is missing or does not fit the pack.
    pub fn open(folder: &Path, pack: &Pack, kind: &'static str) -> Result<Bodies, FormatError> {
        let path = folder.join(BODIES);
        let data = Region::map_file(&path)?.to_bytes();
        let bodies = Bodies::new(data, pack, kind, &path)?;
        let deflated = DeflatedBodies::open(&folder.join(DEFLATED), pack, bodies.len())?;
        Ok(Bodies {
            deflated: Some(deflated),
            ..bodies
        })
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
            deflated: None,
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

    /// Whether resources compressed each on its own take a third of their length at most. Small ones do not: what they
    /// repeat, they repeat of each other.
    pub fn compress_well_apart(&self) -> bool {
        let compressed = self.deflated.as_ref().map(DeflatedBodies::bytes);
        compressed.is_some_and(|bytes| 3 * bytes <= self.data.len())
    }

    /// The resource of an ordinal in compressed form, where that is stored.
    pub fn deflated(&self, ordinal: u32) -> Option<Deflated> {
        self.deflated.as_ref()?.body(ordinal)
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

    /// Where the resource begins in an entry.
    pub fn body_start(&self, entry: &[u8]) -> Option<usize> {
        let (_, start) = self.split(entry)?;
        (start <= entry.len()).then_some(start)
    }

    /// The id of an ordinal.
    pub fn id(&self, ordinal: u32) -> Option<String> {
        let entry = self.entry(ordinal)?;
        self.split(&entry).map(|(id, _)| id.to_owned())
    }

    /// The resource of an ordinal, as received.
    pub fn body(&self, ordinal: u32) -> Option<Bytes> {
        let entry = self.entry(ordinal)?;
        let start = self.body_start(&entry)?;
        Some(entry.slice(start..))
    }
}
