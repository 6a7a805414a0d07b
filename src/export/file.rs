//! One file of an export: a range of a bitmap, read from the map as often and from wherever it is asked for.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use roaring::RoaringBitmap;
use rorqual_schema::ResourceType;

use super::fault::ExportError;
use super::form::{Framing, OutputForm};
use crate::bundle::gzip::GzipBody;
use crate::index::bodies::Bodies;
use crate::index::snapshot::Snapshot;

/// Resources between two noted places of a file: a part of it is found after reading past half as many on average.
const STRIDE: u64 = 256;

/// A file of an export.
#[derive(Debug)]
pub struct ExportFile {
    snapshot: Arc<Snapshot>,
    form: OutputForm,
    kind: ResourceType,
    name: String,
    ordinals: Arc<RoaringBitmap>,
    first: u32,
    last: u32,
    count: u64,
    framing: Framing,
    layout: OnceLock<Layout>,
}

/// Where the resources of a file are.
#[derive(Debug)]
struct Layout {
    /// Bytes of the whole file.
    length: u64,
    /// Of every [`STRIDE`]th resource: where what stands before it begins, and its ordinal.
    places: Vec<(u64, u32)>,
}

/// What the files of one type have in common.
pub(super) struct Slices<'a> {
    pub(super) snapshot: &'a Arc<Snapshot>,
    pub(super) form: OutputForm,
    pub(super) kind: ResourceType,
    pub(super) ordinals: Arc<RoaringBitmap>,
    /// Resources in one file.
    pub(super) size: u32,
    /// The job's id, the instant and the base URL that a Bundle tells.
    pub(super) job: &'a str,
    pub(super) instant: &'a str,
    pub(super) base_url: &'a str,
}

impl Slices<'_> {
    /// The files, one after the other; none when there is nothing.
    pub(super) fn files(&self) -> Vec<Arc<ExportFile>> {
        let total = self.ordinals.len();
        let size = u64::from(self.size.max(1));
        let at = |rank: u64| self.ordinals.select(u32::try_from(rank).ok()?);
        (0..total.div_ceil(size))
            .filter_map(|slice| {
                let (start, end) = (slice * size, (slice * size + size).min(total));
                Some(Arc::new(self.file(
                    slice + 1,
                    at(start)?,
                    at(end - 1)?,
                    end - start,
                )))
            })
            .collect()
    }

    fn file(&self, number: u64, first: u32, last: u32, count: u64) -> ExportFile {
        let stem = format!("{}-{number}", self.kind.name());
        ExportFile {
            snapshot: self.snapshot.clone(),
            form: self.form,
            kind: self.kind,
            name: format!("{stem}.{}", self.form.extension()),
            ordinals: self.ordinals.clone(),
            first,
            last,
            count,
            framing: match self.form {
                OutputForm::Ndjson => Framing::ndjson(),
                OutputForm::Json => {
                    Framing::bundle(&format!("{}-{stem}", self.job), self.instant, self.base_url)
                }
            },
            layout: OnceLock::new(),
        }
    }
}

impl ExportFile {
    /// Its name, the last segment of its URL: type, number and form, such as `Location-2.ndjson`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The type of its resources.
    pub fn kind(&self) -> ResourceType {
        self.kind
    }

    /// How many resources it holds, at least one.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// How they are written.
    pub fn form(&self) -> OutputForm {
        self.form
    }

    /// Its length in bytes. The first call reads past all its resources.
    ///
    /// # Errors
    /// [`ExportError::Damaged`].
    pub fn length(&self) -> Result<u64, ExportError> {
        Ok(self.layout()?.length)
    }

    /// Reads the whole file.
    pub fn read(self: &Arc<Self>) -> FileReader {
        FileReader {
            file: self.clone(),
            next: Some(self.first),
            skip: 0,
            left: u64::MAX,
        }
    }

    /// Reads the bytes from `start` to before `end`, both at most the length. The first call reads past all resources.
    ///
    /// # Errors
    /// [`ExportError::Damaged`].
    pub fn read_part(self: &Arc<Self>, start: u64, end: u64) -> Result<FileReader, ExportError> {
        let places = &self.layout()?.places;
        let before = places.partition_point(|(offset, _)| *offset <= start);
        let place = before.checked_sub(1).and_then(|place| places.get(place));
        let (offset, ordinal) = place.copied().unwrap_or((0, self.first));
        Ok(FileReader {
            file: self.clone(),
            next: Some(ordinal),
            skip: start.saturating_sub(offset),
            left: end.saturating_sub(start),
        })
    }

    fn bodies(&self) -> &Bodies {
        self.snapshot.generation().directory(self.kind).bodies()
    }

    /// What is written of a resource.
    fn item(&self, ordinal: u32) -> Result<Bytes, ExportError> {
        let found = match self.form {
            OutputForm::Ndjson => self.bodies().body(ordinal),
            OutputForm::Json => self.bodies().entry(ordinal),
        };
        found.ok_or(ExportError::Damaged {
            kind: self.kind,
            ordinal,
        })
    }

    /// What stands before a resource.
    fn before(&self, ordinal: u32) -> &Bytes {
        match ordinal == self.first {
            true => &self.framing.head,
            false => &self.framing.separator,
        }
    }

    fn layout(&self) -> Result<&Layout, ExportError> {
        if let Some(layout) = self.layout.get() {
            return Ok(layout);
        }
        let mut length = 0;
        let mut places = Vec::with_capacity((self.count / STRIDE + 1) as usize);
        for (number, ordinal) in (0..).zip(self.ordinals.range(self.first..=self.last)) {
            if number % STRIDE == 0 {
                places.push((length, ordinal));
            }
            length += (self.before(ordinal).len() + self.item(ordinal)?.len()) as u64;
        }
        length += self.framing.tail.len() as u64;
        Ok(self.layout.get_or_init(|| Layout { length, places }))
    }
}

/// A file being read, in order.
#[derive(Debug)]
pub struct FileReader {
    file: Arc<ExportFile>,
    /// The next resource; nothing at the end.
    next: Option<u32>,
    /// Bytes to leave out before the first.
    skip: u64,
    /// Bytes to give at most.
    left: u64,
}

impl FileReader {
    /// The next pieces, up to about `most` bytes and at least one; nothing at the end.
    ///
    /// # Errors
    /// [`ExportError::Damaged`]: what was given so far is not the whole file.
    pub fn next(&mut self, most: usize) -> Result<Option<Vec<Bytes>>, ExportError> {
        let file = self.file.clone();
        let mut out = Batch {
            pieces: Vec::new(),
            bytes: 0,
        };
        while let Some(start) = self.next {
            for ordinal in file.ordinals.range(start..=file.last) {
                if self.left == 0 || out.bytes >= most {
                    self.next = Some(ordinal);
                    return Ok(self.given(out));
                }
                self.give(&mut out, file.before(ordinal).clone());
                let item = file.item(ordinal)?;
                let item = match file.form {
                    OutputForm::Ndjson => on_one_line(item),
                    OutputForm::Json => item,
                };
                self.give(&mut out, item);
            }
            self.next = None;
            self.give(&mut out, file.framing.tail.clone());
        }
        Ok(self.given(out))
    }

    /// Puts the next resources of a file read whole into a gzip stream, about `most` bytes of them and at least one: as they
    /// were compressed when the index was built, or, where that gains little, compressed together. Answers whether there may
    /// be more to come.
    ///
    /// # Errors
    /// [`ExportError::Damaged`]: what was given so far is not the whole file.
    pub fn compress(&mut self, most: usize, stream: &mut GzipBody) -> Result<bool, ExportError> {
        let Some(start) = self.next else {
            return Ok(false);
        };
        let file = self.file.clone();
        if !file.bodies().compress_well_apart() {
            let together = self.next(most)?.map(|pieces| pieces.concat());
            together.iter().for_each(|bytes| stream.made(bytes));
            return Ok(together.is_some());
        }
        let mut bytes = 0;
        for ordinal in file.ordinals.range(start..=file.last) {
            if bytes >= most {
                self.next = Some(ordinal);
                return Ok(true);
            }
            stream.text(file.before(ordinal));
            let item = file.item(ordinal)?;
            bytes += item.len();
            let start = match file.form {
                OutputForm::Ndjson => 0,
                OutputForm::Json => file.bodies().body_start(&item).unwrap_or(0),
            };
            stream.text(item.get(..start).unwrap_or(&[]));
            let broken = file.form == OutputForm::Ndjson && is_over_lines(&item);
            match file.bodies().deflated(ordinal).filter(|_| !broken) {
                Some(deflated) => stream.stored(deflated),
                None if broken => stream.made(&on_one_line(item)),
                None => stream.made(item.get(start..).unwrap_or(&[])),
            }
        }
        self.next = None;
        stream.text(&file.framing.tail);
        Ok(true)
    }

    fn given(&mut self, batch: Batch) -> Option<Vec<Bytes>> {
        if self.left == 0 {
            self.next = None;
        }
        (!batch.pieces.is_empty()).then_some(batch.pieces)
    }

    fn give(&mut self, out: &mut Batch, mut piece: Bytes) {
        let skipped = self.skip.min(piece.len() as u64);
        self.skip -= skipped;
        let taken = (piece.len() as u64 - skipped).min(self.left);
        self.left -= taken;
        if taken > 0 {
            let start = skipped as usize;
            piece = piece.slice(start..start + taken as usize);
            out.bytes += piece.len();
            out.pieces.push(piece);
        }
    }
}

struct Batch {
    pieces: Vec<Bytes>,
    bytes: usize,
}

/// A resource that was received over several lines, on one: outside of strings, where JSON allows none, a line break
/// means what a blank does. Its length stays.
fn on_one_line(body: Bytes) -> Bytes {
    if !is_over_lines(&body) {
        return body;
    }
    let mut line = body.to_vec();
    for byte in &mut line {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    Bytes::from(line)
}

fn is_over_lines(body: &[u8]) -> bool {
    memchr::memchr2(b'\n', b'\r', body).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_over_lines_is_one_line_of_the_same_length() {
        let body = Bytes::from_static(b"{\r\n \"a\": \"\\n\"\n}");
        let line = on_one_line(body.clone());
        assert_eq!(line.as_ref(), b"{   \"a\": \"\\n\" }");
        assert_eq!(line.len(), body.len());
    }
}
