//! Memory mapping: the only module with `unsafe`, the views that borrow from a map, and what fetches them into the cache.

use std::fs::File;
use std::marker::PhantomData;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

use bytemuck::AnyBitPattern;
use bytes::Bytes;
use memmap2::{Mmap, MmapMut};

use super::FormatError;

/// A byte range of a mapped file. Cloning shares the map.
#[derive(Clone)]
pub struct Region {
    map: Option<Arc<Mmap>>,
    start: usize,
    end: usize,
}

impl Region {
    /// Maps a whole file read-only.
    ///
    /// # Errors
    /// [`FormatError::Io`] when the file cannot be opened or mapped.
    #[allow(unsafe_code)]
    pub fn map_file(path: &Path) -> Result<Region, FormatError> {
        let io = |source| FormatError::reading(path, source);
        let file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len() as usize;
        if length == 0 {
            return Ok(Region {
                map: None,
                start: 0,
                end: 0,
            });
        }
        // SAFETY: files of a generation are written once, synced, and never modified or truncated after
        // the generation's rename; they are only ever unlinked, which leaves a live map intact.
        let map = unsafe { Mmap::map(&file) }.map_err(io)?;
        Ok(Region {
            map: Some(Arc::new(map)),
            start: 0,
            end: length,
        })
    }

    /// Bytes that live in memory only, on pages of their own so that columns are aligned as in a file.
    ///
    /// # Errors
    /// [`FormatError::Io`] when no memory can be had.
    pub fn in_memory(bytes: &[u8]) -> Result<Region, FormatError> {
        if bytes.is_empty() {
            return Ok(Region {
                map: None,
                start: 0,
                end: 0,
            });
        }
        let io = |source| FormatError::io(Path::new("memory"), source);
        let mut map = MmapMut::map_anon(bytes.len()).map_err(io)?;
        map.copy_from_slice(bytes);
        let map = map.make_read_only().map_err(io)?;
        Ok(Region {
            map: Some(Arc::new(map)),
            start: 0,
            end: bytes.len(),
        })
    }

    /// The bytes of the region.
    pub fn as_slice(&self) -> &[u8] {
        self.map
            .as_ref()
            .map_or(&[], |map| &map[self.start..self.end])
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether the region is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A part of this region; `None` when it reaches outside.
    pub fn part(&self, range: Range<usize>) -> Option<Region> {
        let (start, end) = (
            self.start.checked_add(range.start)?,
            self.start.checked_add(range.end)?,
        );
        (start <= end && end <= self.end).then(|| Region {
            map: self.map.clone(),
            start,
            end,
        })
    }

    /// The region as shared bytes that keep the map alive: no copy.
    pub fn to_bytes(&self) -> Bytes {
        Bytes::from_owner(self.clone())
    }
}

impl AsRef<[u8]> for Region {
    fn as_ref(&self) -> &[u8] {
        self.as_slice()
    }
}

/// Bytes of a line of the processor's cache.
const CACHE_LINE: usize = 64;

/// Asks the processor for bytes that are about to be read, without waiting for them: what is asked for together arrives
/// together, where reading would wait for one place of the map after the other. Nothing happens on processors for which the
/// language has no such instruction.
#[inline]
pub fn prefetch(bytes: &[u8]) {
    for line in bytes.chunks(CACHE_LINE) {
        prefetch_line(line);
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
#[inline]
fn prefetch_line(line: &[u8]) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
    // SAFETY: the instruction is part of every x86-64 processor, reads nothing that the program can see, and never faults.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) }
}

#[cfg(not(target_arch = "x86_64"))]
fn prefetch_line(_: &[u8]) {}

/// What of a structure is fetched before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ahead {
    /// Where the content is.
    Place,
    /// The beginning of the content, whose place has arrived by then.
    Content,
}

impl Ahead {
    /// How many steps of a walk before a resource is come to what of it is fetched. Eight steps take about the time in which
    /// memory answers.
    pub const STEPS: [(usize, Ahead); 2] = [(16, Ahead::Place), (8, Ahead::Content)];
}

/// An array of fixed-size values borrowed from a map. Alignment and length are checked once, at opening.
#[derive(Clone)]
pub struct Column<T> {
    region: Region,
    of: PhantomData<T>,
}

impl<T: AnyBitPattern> Column<T> {
    /// Reads a region as an array of `T`.
    ///
    /// # Errors
    /// [`FormatError::Layout`] when the region is misaligned or not a whole number of values.
    pub fn new(region: Region, name: &str) -> Result<Column<T>, FormatError> {
        if region.is_empty() {
            return Ok(Column::empty());
        }
        match bytemuck::try_cast_slice::<u8, T>(region.as_slice()) {
            Ok(_) => Ok(Column {
                region,
                of: PhantomData,
            }),
            Err(error) => Err(FormatError::Layout {
                section: name.to_owned(),
                detail: error.to_string(),
            }),
        }
    }

    /// Has a value that is read soon fetched meanwhile ([`prefetch`]); nothing beyond the end.
    pub fn expect(&self, at: usize) {
        let start = at.saturating_mul(size_of::<T>());
        let value = start..start.saturating_add(size_of::<T>());
        prefetch(self.region.as_slice().get(value).unwrap_or(&[]));
    }

    /// An array without values, for a structure that a generation does not hold.
    pub fn empty() -> Column<T> {
        Column {
            region: Region {
                map: None,
                start: 0,
                end: 0,
            },
            of: PhantomData,
        }
    }
}

impl Column<u64> {
    /// The range between a value and the next: of offsets, the place of what is numbered so.
    pub fn span(&self, at: usize) -> Option<Range<usize>> {
        Some(*self.get(at)? as usize..*self.get(at + 1)? as usize)
    }
}

impl<T: AnyBitPattern> Deref for Column<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self.region.as_slice() {
            // Nothing is nowhere, so it is not aligned either.
            [] => &[],
            bytes => bytemuck::cast_slice(bytes),
        }
    }
}
