//! Stored resources, as received, in ordinal order.
//!
//! `bodies.dat` joins records of the form `Type/id","resource":{…}`: what stands between the base of a `fullUrl`
//! and the end of the resource in a Bundle entry, so that an entry is one slice of the map. The pack's section
//! `bodies.offsets` (u64, one more than there are resources) delimits them. Beside each body stands its compressed form
//! ([`super::deflated`]), and where its members are ([`super::spans`]).

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3;

use super::FormatError;
use super::deflated::{Deflated, DeflatedBodies, DeflatedColumns, Deflater, Sum};
use super::manifest::FileRecord;
use super::map::{Ahead, Column, Region};
use super::pack::{Pack, PackWriter};
use super::spans::{SpanColumns, Spans, TakenSpans};

/// What stands between the id and the resource.
pub const BETWEEN: &[u8] = b"\",\"resource\":";

/// Name of the stored resources in a type's folder.
pub const BODIES: &str = "bodies.dat";
/// Name of their compressed form in a type's folder.
pub const DEFLATED: &str = "bodies.deflate";
/// Name of the pack of where their members are, in a type's folder.
pub const SPANS: &str = "bodies.spans";

/// Writes `bodies.dat`, `bodies.deflate` and `bodies.spans`, and notes what the pack tells of them.
pub struct BodyWriter {
    files: BodyFiles,
    deflater: Deflater,
    layout: BodyLayout,
}

/// Writes `bodies.dat`, `bodies.deflate` and `bodies.spans` only: of bodies whose lengths are known, a [`BodyLayout`] is made
/// apart.
pub struct BodyFiles {
    kind: &'static str,
    plain: SealedWriter,
    deflated: SealedWriter,
    spans: SpanColumns,
    spans_path: PathBuf,
}

/// What the pack tells of the bodies of a type: where each ends, plain and compressed, and the sums.
pub struct BodyLayout {
    kind: &'static str,
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

/// Name in the type's folder, and record, of each file of bodies.
pub type BodyRecords = [(&'static str, FileRecord); 3];

/// What was written of the bodies of a type: the records of the files, and what the pack tells of them.
pub struct WrittenBodies {
    /// Name in the type's folder, and record.
    pub files: BodyRecords,
    layout: BodyLayout,
}

impl WrittenBodies {
    /// Writes the sections that delimit the bodies and their members.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn write(&self, pack: &mut PackWriter) -> Result<(), FormatError> {
        self.layout.write(pack)
    }
}

impl BodyLayout {
    /// No body yet, for resources of type `kind`.
    pub fn new(kind: &'static str) -> BodyLayout {
        BodyLayout {
            kind,
            offsets: vec![0],
            deflated: DeflatedColumns::default(),
        }
    }

    /// Notes the next resource: the length of its body and its CRC-32, and the length of its compressed record.
    pub fn push(&mut self, id: &str, body: usize, checksum: u32, compressed: usize) {
        let end = self.offsets.last().copied().unwrap_or(0);
        self.offsets
            .push(end + (length_before(self.kind, id) + body) as u64);
        self.deflated.push(compressed, checksum);
    }

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

/// How many bytes stand before the body in a record.
pub fn length_before(kind: &str, id: &str) -> usize {
    before(kind, id).iter().map(|piece| piece.len()).sum()
}

/// The record of a resource in `bodies.deflate`; it stays in the deflater until the next one.
///
/// # Errors
/// [`FormatError::Compression`].
pub fn compressed<'d>(
    deflater: &'d mut Deflater,
    kind: &str,
    id: &str,
    body: &[u8],
    sum: Sum,
) -> Result<&'d [u8], FormatError> {
    deflater.record(&before(kind, id), body, sum)
}

impl BodyFiles {
    /// Creates the files in `folder` for resources of type `kind`.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn create(folder: &Path, kind: &'static str) -> Result<BodyFiles, FormatError> {
        Ok(BodyFiles {
            kind,
            plain: SealedWriter::create(folder.join(BODIES))?,
            deflated: SealedWriter::create(folder.join(DEFLATED))?,
            spans: SpanColumns::default(),
            spans_path: folder.join(SPANS),
        })
    }

    /// Appends the next resource with its record as [`compressed`] makes it.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn push(&mut self, id: &str, body: &[u8], compressed: &[u8]) -> Result<(), FormatError> {
        for piece in before(self.kind, id) {
            self.plain.push(piece)?;
        }
        self.plain.push(body)?;
        self.spans.push(body);
        self.deflated.push(compressed)
    }

    /// Appends a piece of another `bodies.dat` of this type: whole records, or what follows the last such piece.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn push_records(&mut self, piece: &[u8]) -> Result<(), FormatError> {
        self.plain.push(piece)
    }

    /// Takes over where the members of resources are that other spans tell of: those of the same records.
    pub fn push_spans(&mut self, taken: &mut TakenSpans, ordinals: Range<u32>) {
        for ordinal in ordinals {
            self.spans.take(taken, ordinal);
        }
    }

    /// Appends a piece of another `bodies.deflate`: the compressed forms of the same records.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn push_compressed(&mut self, piece: &[u8]) -> Result<(), FormatError> {
        self.deflated.push(piece)
    }

    /// Syncs the files.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn finish(self) -> Result<BodyRecords, FormatError> {
        let mut spans = PackWriter::create(&self.spans_path)?;
        self.spans.write(&mut spans)?;
        Ok([
            (BODIES, self.plain.finish()?),
            (DEFLATED, self.deflated.finish()?),
            (SPANS, spans.finish()?.record()),
        ])
    }
}

impl BodyWriter {
    /// Creates the files in `folder` for resources of type `kind`.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn create(folder: &Path, kind: &'static str) -> Result<BodyWriter, FormatError> {
        Ok(BodyWriter {
            files: BodyFiles::create(folder, kind)?,
            deflater: Deflater::for_storage(),
            layout: BodyLayout::new(kind),
        })
    }

    /// Appends the next resource, and compresses it.
    ///
    /// # Errors
    /// [`FormatError::Io`], [`FormatError::Compression`].
    pub fn push(&mut self, id: &str, body: &[u8]) -> Result<(), FormatError> {
        let sum = Sum::of(body);
        let compressed = compressed(&mut self.deflater, self.files.kind, id, body, sum)?;
        self.layout
            .push(id, body.len(), sum.checksum, compressed.len());
        self.files.push(id, body, compressed)
    }

    /// Syncs the files; what delimits the resources goes into the pack.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn finish(self) -> Result<WrittenBodies, FormatError> {
        Ok(WrittenBodies {
            files: self.files.finish()?,
            layout: self.layout,
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
    /// Absent in memory.
    spans: Option<Spans>,
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
        let spans = Spans::open(&Pack::open(&folder.join(SPANS))?, bodies.len())?;
        Ok(Bodies {
            deflated: Some(deflated),
            spans: Some(spans),
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
            spans: None,
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
        let span = self.offsets.span(ordinal as usize);
        span.map_or(0, |span| span.len() as u64)
    }

    /// `Type/id","resource":{…}` of an ordinal.
    pub fn entry(&self, ordinal: u32) -> Option<Bytes> {
        self.place(ordinal).map(|place| self.data.slice(place))
    }

    /// Whether there is an entry of an ordinal, without touching it.
    pub fn holds(&self, ordinal: u32) -> bool {
        self.place(ordinal).is_some()
    }

    fn place(&self, ordinal: u32) -> Option<Range<usize>> {
        let place = self.offsets.span(ordinal as usize)?;
        (place.start <= place.end && place.end <= self.data.len()).then_some(place)
    }

    /// Whether resources compressed each on its own take a third of their length at most. Small ones do not: what they
    /// repeat, they repeat of each other.
    pub fn compress_well_apart(&self) -> bool {
        let compressed = self.deflated.as_ref().map(DeflatedBodies::bytes);
        compressed.is_some_and(|bytes| 3 * bytes <= self.data.len())
    }

    /// The resource of an ordinal in compressed form and what stands before it in an entry, where they are stored.
    pub fn deflated_entry(&self, ordinal: u32) -> Option<(&[u8], Deflated)> {
        self.deflated.as_ref()?.entry(ordinal)
    }

    /// Has what is read soon of the compressed form of a resource fetched meanwhile, where that is stored.
    pub fn expect_deflated(&self, ordinal: u32, ahead: Ahead) {
        if let Some(deflated) = &self.deflated {
            deflated.expect(ordinal, ahead);
        }
    }

    /// The resource of an ordinal in compressed form, where that is stored.
    pub fn deflated(&self, ordinal: u32) -> Option<Deflated> {
        self.deflated_entry(ordinal).map(|(_, deflated)| deflated)
    }

    /// Where the members of the resources are, where that is recorded.
    pub fn spans(&self) -> Option<&Spans> {
        self.spans.as_ref()
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
