//! Streams the sources: bytes in, batches of items out.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::batch::Batcher;
use super::compression::{Compression, Decoded};
use super::discover::{Inputs, Place, Source};
use super::document::DocumentSplitter;
use super::error::InputError;
use super::line_split::LineSplitter;
use super::shape::{self, Shape};
use super::{Held, InputSummary, Item, Limits, SourceSummary};

/// Read at once: large enough to make system calls rare, small enough to stay in the processor's cache.
const PIECE_BYTES: usize = 256 << 10;

impl Inputs {
    /// Streams every item of every source to `sink`, in batches, on the calling thread.
    ///
    /// `consumed` grows by the stored bytes read, for a progress display on another thread. A sink that
    /// breaks ends the reading early, without error.
    ///
    /// # Errors
    /// A source could not be read to its end; items already handed over are not the whole extract.
    pub fn read(
        self,
        limits: &Limits,
        consumed: &AtomicU64,
        sink: &mut dyn FnMut(Vec<Item>) -> ControlFlow<()>,
    ) -> Result<InputSummary, InputError> {
        let mut out = Batcher::new(limits.batch_bytes, sink);
        let mut summary = InputSummary {
            ignored: self.ignored,
            ..InputSummary::default()
        };
        for (source, number) in self.sources.iter().zip(0..) {
            let read = match &source.place {
                Place::StandardInput => {
                    read_stream(io::stdin().lock(), source, None, limits, consumed, &mut out)?
                }
                Place::Path(path) => {
                    let file = File::open(path).map_err(|error| InputError::Unreadable {
                        input: source.label.to_string(),
                        error,
                    })?;
                    // Pipes have no size, and are read once.
                    let number = source.size.map(|_| number);
                    read_stream(file, source, number, limits, consumed, &mut out)?
                }
            };
            summary.add(read, out.stopped());
            if out.stopped() {
                break;
            }
        }
        out.flush();
        summary.stopped = out.stopped();
        Ok(summary)
    }
}

impl InputSummary {
    fn add(&mut self, read: SourceSummary, stopped: bool) {
        self.raw_bytes += read.raw_bytes;
        self.decompressed_bytes += read.decompressed_bytes;
        self.records += read.records;
        self.rejects += read.rejects;
        if read.records + read.rejects == 0 && !stopped {
            self.warnings
                .push(format!("{} holds no resource at all", read.name));
        }
        self.sources.push(read);
    }
}

/// Reads one source to its end, or until the sink breaks. `number` is that of a file that can be read again.
pub(super) fn read_stream<R: Read>(
    stored: R,
    source: &Source,
    number: Option<u32>,
    limits: &Limits,
    consumed: &AtomicU64,
    out: &mut Batcher<'_>,
) -> Result<SourceSummary, InputError> {
    let (records, rejects) = (out.records, out.rejects);
    let input = source.name();
    let position = Rc::new(Cell::new(0));
    let counted = Counted {
        stored,
        consumed,
        position: Rc::clone(&position),
    };
    let mut text = Text {
        decoded: Decoded::open(counted, source.named.compression, input)?,
        position,
        input,
        buffer: vec![0; PIECE_BYTES],
        total: 0,
    };

    // The first piece is filled whole, so that what is recognised does not hang on how bytes arrive.
    let filled = text.fill()?;
    let beginning = text.buffer.get(..filled).unwrap_or_default();
    if matches!(beginning, [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) {
        return Err(InputError::Utf16 {
            input: input.to_owned(),
        });
    }
    let first = beginning.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(beginning);
    let shape = shape::recognise(first, source.named.shape, input)?;
    let plain = text.decoded.compression() == Compression::None;
    let held = number.filter(|_| plain).map(|source| Held {
        source,
        offset: (beginning.len() - first.len()) as u64,
    });
    let mut splitter = Splitter::new(shape, source, held, limits);
    splitter.push(first, out)?;
    while !out.stopped() {
        let read = text.read_some()?;
        if read == 0 {
            splitter.finish(out)?;
            break;
        }
        splitter.push(text.buffer.get(..read).unwrap_or_default(), out)?;
    }
    Ok(SourceSummary {
        name: input.to_owned(),
        shape,
        compression: text.decoded.compression(),
        raw_bytes: text.position.get(),
        decompressed_bytes: text.total,
        records: out.records - records,
        rejects: out.rejects - rejects,
    })
}

enum Splitter {
    Lines(LineSplitter),
    Documents(Box<DocumentSplitter>),
}

impl Splitter {
    fn new(shape: Shape, source: &Source, held: Option<Held>, limits: &Limits) -> Self {
        let label = Arc::clone(&source.label);
        match shape {
            Shape::Ndjson => Splitter::Lines(LineSplitter::new(label, limits.resource_bytes, held)),
            Shape::Documents => Splitter::Documents(Box::new(DocumentSplitter::new(
                label,
                limits.resource_bytes,
            ))),
        }
    }

    fn push(&mut self, piece: &[u8], out: &mut Batcher<'_>) -> Result<(), InputError> {
        match self {
            Splitter::Lines(lines) => {
                lines.push(piece, out);
                Ok(())
            }
            Splitter::Documents(documents) => documents.push(piece, out),
        }
    }

    fn finish(&mut self, out: &mut Batcher<'_>) -> Result<(), InputError> {
        match self {
            Splitter::Lines(lines) => {
                lines.finish(out);
                Ok(())
            }
            Splitter::Documents(documents) => documents.finish(out),
        }
    }
}

/// The decompressed text of a source, one buffer at a time.
struct Text<'a, R: Read> {
    decoded: Decoded<Counted<'a, R>>,
    position: Rc<Cell<u64>>,
    input: &'a str,
    buffer: Vec<u8>,
    total: u64,
}

impl<R: Read> Text<'_, R> {
    /// Fills the buffer as far as the text goes.
    fn fill(&mut self) -> Result<usize, InputError> {
        let mut filled = 0;
        while filled < self.buffer.len() {
            match self.read_at(filled)? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }

    /// Whatever comes next, 0 at the end.
    fn read_some(&mut self) -> Result<usize, InputError> {
        self.read_at(0)
    }

    fn read_at(&mut self, start: usize) -> Result<usize, InputError> {
        let room = self.buffer.get_mut(start..).unwrap_or_default();
        loop {
            match self.decoded.read(room) {
                Ok(read) => {
                    self.total += read as u64;
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(self.decoded.explain(error, self.position.get(), self.input));
                }
            }
        }
    }
}

/// Counts stored bytes as they are read, for the progress display and for error messages.
struct Counted<'a, R> {
    stored: R,
    consumed: &'a AtomicU64,
    position: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stored.read(buffer)?;
        self.position.set(self.position.get() + read as u64);
        self.consumed.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}
