//! A spool: a temporary file where a worker keeps bodies and texts until their order is known.

use std::fs::File;
use std::io::{BufWriter, ErrorKind, Write};
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rorqual::index::FormatError;

/// Most bytes that are read at once of a long range: as many as stay in the cache of a core while they are hashed.
pub const CHUNK: u64 = 256 << 10;

/// A piece of a spool.
#[derive(Clone, Copy)]
pub struct Piece {
    offset: u64,
    length: u32,
}

impl Piece {
    /// So many bytes from `offset` on.
    pub fn new(offset: u64, length: u32) -> Piece {
        Piece { offset, length }
    }

    /// Where it starts.
    pub fn start(self) -> u64 {
        self.offset
    }

    /// Where what follows it starts.
    pub fn end(self) -> u64 {
        self.offset + u64::from(self.length)
    }

    /// How many bytes it has.
    pub fn length(self) -> usize {
        self.length as usize
    }
}

/// A spool being filled.
pub struct SpoolWriter {
    path: PathBuf,
    file: BufWriter<Arc<File>>,
    end: u64,
}

impl SpoolWriter {
    /// Creates the file.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn create(path: &Path) -> Result<SpoolWriter, FormatError> {
        let file = File::options()
            .read(true)
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|source| FormatError::io(path, source))?;
        Ok(SpoolWriter {
            path: path.to_owned(),
            file: BufWriter::with_capacity(1 << 20, Arc::new(file)),
            end: 0,
        })
    }

    /// Appends bytes. The length of the piece is right below 4 GiB, which the limit on a resource's length ensures.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn push(&mut self, bytes: &[u8]) -> Result<Piece, FormatError> {
        self.file
            .write_all(bytes)
            .map_err(|source| FormatError::io(&self.path, source))?;
        let piece = Piece {
            offset: self.end,
            length: bytes.len() as u32,
        };
        self.end += bytes.len() as u64;
        Ok(piece)
    }

    /// Ends the filling.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn finish(self) -> Result<Spool, FormatError> {
        let path = self.path;
        let file = self
            .file
            .into_inner()
            .map_err(|error| FormatError::io(&path, error.into_error()))?;
        Ok(Spool { path, file })
    }

    /// What will read it: not before it is filled.
    pub fn reader(&self) -> Spool {
        Spool {
            path: self.path.clone(),
            file: self.file.get_ref().clone(),
        }
    }
}

/// A filled spool. Read with positioned reads rather than a map, so that its pages are not resident memory. Cloning shares
/// the file.
#[derive(Clone)]
pub struct Spool {
    path: PathBuf,
    file: Arc<File>,
}

impl Spool {
    /// A file that holds pieces already. It is only read.
    ///
    /// # Errors
    /// [`FormatError::Io`], [`FormatError::Damaged`] when it is missing.
    pub fn open(path: &Path) -> Result<Spool, FormatError> {
        Ok(Spool {
            path: path.to_owned(),
            file: Arc::new(File::open(path).map_err(|source| FormatError::reading(path, source))?),
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn remove(self) -> Result<(), FormatError> {
        std::fs::remove_file(&self.path).map_err(|source| FormatError::io(&self.path, source))
    }

    /// Reads a piece into `buffer`, replacing what it held.
    ///
    /// # Errors
    /// [`FormatError::Io`], [`FormatError::Altered`] when the file has become shorter.
    pub fn read(&self, piece: Piece, buffer: &mut Vec<u8>) -> Result<(), FormatError> {
        buffer.resize(piece.length as usize, 0);
        self.read_at(piece.offset, buffer)
    }

    /// Fills `buffer` from what stands at `offset`.
    ///
    /// # Errors
    /// As [`Spool::read`].
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), FormatError> {
        self.file
            .read_exact_at(buffer, offset)
            .map_err(|source| match source.kind() {
                ErrorKind::UnexpectedEof => FormatError::Altered {
                    path: self.path.clone(),
                },
                _ => FormatError::io(&self.path, source),
            })
    }

    /// Visits the bytes of a range in order, at most [`CHUNK`] at a time, read into `buffer`.
    ///
    /// # Errors
    /// [`FormatError::Io`], or what `visit` answers.
    pub fn visit(
        &self,
        range: Range<u64>,
        buffer: &mut Vec<u8>,
        mut visit: impl FnMut(&[u8]) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        let mut at = range.start;
        while at < range.end {
            let length = (range.end - at).min(CHUNK);
            self.read(Piece::new(at, length as u32), buffer)?;
            visit(buffer)?;
            at += length;
        }
        Ok(())
    }
}
