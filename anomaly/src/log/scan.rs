//! Going through the records of one segment, and finding the next sound one after a bad one.

use std::io;

use super::damage::Fault;
use super::options::MAX_RECORD_BYTES;
use super::record::{self, ALIGNMENT, RECORD_HEADER_BYTES, RecordHead};
use super::storage::StorageFile;
use super::window::Window;

/// An interrupted write is whole in units of this or a multiple; what it left out of a growing file reads as zeros.
const SECTOR: u64 = 512;

/// A place in a segment and what is due there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position {
    /// In bytes from the beginning of the file.
    pub offset: u64,
    /// The record that is due.
    pub expected: u64,
    /// The checksum that it must repeat; `None` after damage, when that is not known.
    pub chain: Option<u32>,
}

/// A sound record.
pub(super) struct Record<'a> {
    pub offset: u64,
    pub head: RecordHead,
    pub payload: &'a [u8],
}

/// What stands at a position.
pub(super) enum Step<'a> {
    Record(Record<'a>),
    /// The segment ends, right after a record.
    End,
    Bad(Fault),
}

pub(super) struct Scanner<F> {
    window: Window<F>,
    seed: u32,
    pub at: Position,
}

impl<F: StorageFile> Scanner<F> {
    pub fn new(window: Window<F>, seed: u32, at: Position) -> Self {
        Self { window, seed, at }
    }

    /// Where the segment ends.
    pub fn end(&self) -> u64 {
        self.window.end()
    }

    /// What the checksums of this segment's records start from.
    pub fn seed(&self) -> u32 {
        self.seed
    }

    /// The record at the position, which moves behind it; it stays before anything bad.
    pub fn step(&mut self) -> io::Result<Step<'_>> {
        let Position {
            offset,
            expected,
            chain,
        } = self.at;
        if offset >= self.window.end() {
            return Ok(Step::End);
        }
        let head = match self.sound(offset)? {
            Ok(head) => head,
            Err(fault) => return Ok(Step::Bad(fault)),
        };
        if head.sequence != expected {
            let got = head.sequence;
            return Ok(Step::Bad(Fault::RecordSequence { got }));
        }
        if chain.is_some_and(|chain| chain != head.previous) {
            return Ok(Step::Bad(Fault::RecordChain));
        }
        self.pass(offset, &head);
        let payload = self
            .window
            .slice(offset + RECORD_HEADER_BYTES as u64, u64::from(head.length))?;
        Ok(Step::Record(Record {
            offset,
            head,
            payload,
        }))
    }

    /// Moves to the next sound record that can come later in the log than the one due, and below `limit`. The position
    /// stays where it is if there is none.
    pub fn seek(&mut self, limit: Option<u64>) -> io::Result<Option<Position>> {
        let bad = self.at;
        // No more records can have been lost than would have fitted.
        let most = self.end().saturating_sub(bad.offset) / RECORD_HEADER_BYTES as u64;
        let plausible = |sequence: u64| {
            sequence > bad.expected
                && sequence - bad.expected <= most
                && limit.is_none_or(|limit| sequence < limit)
        };
        let mut offset = bad.offset;
        loop {
            offset += ALIGNMENT as u64;
            let bytes = self.window.slice(offset, RECORD_HEADER_BYTES as u64)?;
            let Some(head) = RecordHead::decode(bytes) else {
                return Ok(None);
            };
            if plausible(head.sequence) && self.sound(offset)?.is_ok() {
                self.at = Position {
                    offset,
                    expected: head.sequence,
                    chain: None,
                };
                return Ok(Some(self.at));
            }
        }
    }

    /// Whether what begins at `bad` can be an interrupted commit although [`Scanner::seek`] found a sound record later.
    ///
    /// The disk may have written the sectors of one commit in any order, so a bad record may be followed by sound ones
    /// of the same commit; but never by one of a later commit, which is written only once this one is on disk. And a
    /// sector that was not written is zero, whereas one that has rotted hardly ever is.
    pub fn torn_since(&mut self, bad: Position) -> io::Result<bool> {
        let found = self.at;
        if !self.has_unwritten_sector(bad.offset, found.offset)? {
            return Ok(false);
        }
        let torn = loop {
            match self.step()? {
                Step::Record(record) if record.head.commit_first() > bad.expected => break false,
                Step::Record(_) => {}
                Step::End => break true,
                Step::Bad(fault) if !fault.can_be_torn() => break false,
                Step::Bad(_) => {
                    if self.seek(None)?.is_none() {
                        break true;
                    }
                }
            }
        };
        self.at = found;
        Ok(torn)
    }

    fn has_unwritten_sector(&mut self, from: u64, to: u64) -> io::Result<bool> {
        let mut offset = from;
        while offset < to {
            let next = (offset / SECTOR + 1) * SECTOR;
            let bytes = self.window.slice(offset, next.min(to) - offset)?;
            if bytes.iter().all(|byte| *byte == 0) {
                return Ok(true);
            }
            offset = next;
        }
        Ok(false)
    }

    fn sound(&mut self, offset: u64) -> io::Result<Result<RecordHead, Fault>> {
        let bytes = self.window.slice(offset, RECORD_HEADER_BYTES as u64)?;
        let Some(head) = RecordHead::decode(bytes) else {
            return Ok(Err(Fault::RecordShort));
        };
        if head.length > MAX_RECORD_BYTES {
            return Ok(Err(Fault::RecordChecksum));
        }
        let length = head.record_bytes();
        if length > self.window.end().saturating_sub(offset) {
            return Ok(Err(Fault::RecordShort));
        }
        let bytes = self.window.slice(offset, length)?;
        if bytes.len() as u64 != length {
            return Ok(Err(Fault::RecordShort));
        }
        // No record has the number 0, so zeros are no record whatever their checksum.
        if head.sequence == 0 || record::checksum(self.seed, bytes) != head.checksum {
            return Ok(Err(Fault::RecordChecksum));
        }
        Ok(Ok(head))
    }

    fn pass(&mut self, offset: u64, head: &RecordHead) {
        self.at = Position {
            offset: offset + head.record_bytes(),
            expected: head.sequence.saturating_add(1),
            chain: Some(head.checksum),
        };
    }
}
