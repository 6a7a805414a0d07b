//! Reading a file through a buffer of bounded size.

use std::io;

use super::storage::StorageFile;

/// How much is read at once, if no record is longer.
const CHUNK: usize = 256 * 1024;

/// Part of a file in memory. Nothing beyond `end` is ever shown, so a file that grows meanwhile looks the same.
pub(super) struct Window<F> {
    file: F,
    end: u64,
    start: u64,
    held: Vec<u8>,
}

impl<F: StorageFile> Window<F> {
    pub fn new(file: F, end: u64) -> Self {
        Self {
            file,
            end,
            start: 0,
            held: Vec::new(),
        }
    }

    /// Where the file ends, as far as this window goes.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The `length` bytes at `offset`, or those of them that there are before the end.
    ///
    /// The buffer grows to `length` only after that was held against the end of the file.
    pub fn slice(&mut self, offset: u64, length: u64) -> io::Result<&[u8]> {
        let until = offset.saturating_add(length).min(self.end);
        if until <= offset {
            return Ok(&[]);
        }
        if offset < self.start || until > self.start + self.held.len() as u64 {
            self.load(offset, until)?;
        }
        let from = to_index(offset.saturating_sub(self.start))?;
        let to = to_index(until.saturating_sub(self.start))?.min(self.held.len());
        Ok(self.held.get(from..to).unwrap_or_default())
    }

    fn load(&mut self, offset: u64, until: u64) -> io::Result<()> {
        let wanted = to_index(until - offset)?
            .max(CHUNK)
            .min(usize::try_from(self.end - offset).unwrap_or(usize::MAX));
        // Not to keep the room of one long record for the rest of the file.
        if self.held.capacity() > wanted.saturating_mul(4) {
            self.held = Vec::new();
        }
        self.held.resize(wanted, 0);
        self.start = offset;
        let read = match self.file.read_at(offset, &mut self.held) {
            Ok(read) => read,
            Err(error) => {
                self.held.clear();
                return Err(error);
            }
        };
        self.held.truncate(read);
        if read < wanted {
            // Somebody cut the file: it ends here.
            self.end = offset + read as u64;
        }
        Ok(())
    }
}

fn to_index(value: u64) -> io::Result<usize> {
    usize::try_from(value).map_err(|_| io::ErrorKind::FileTooLarge.into())
}
