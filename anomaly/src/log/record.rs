//! One record: 24 bytes that say what it is, its payload, zeros up to a multiple of 8.
//!
//! A record can be judged alone, because its checksum starts from the salt of its file and covers everything else, and in
//! its place, because it repeats the checksum of the record before. The first makes it possible to find the next good
//! record after a bad one; the second, to see that a good record is not where it belongs.

use super::little_endian::{u32_at, u64_at};

/// How long a record is before its payload.
pub const RECORD_HEADER_BYTES: usize = 24;
/// Records begin at multiples of this.
pub const ALIGNMENT: usize = 8;

const CHECKSUM_BYTES: usize = 4;

/// The first 24 bytes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordHead {
    /// CRC32C over the salt and the whole record but these four bytes.
    pub checksum: u32,
    /// Bytes of payload.
    pub length: u32,
    pub sequence: u64,
    /// The checksum of the record before, or of the segment's head.
    pub previous: u32,
    /// How many records of the same commit come before this one.
    pub position: u32,
}

impl RecordHead {
    /// `None` when there are fewer than 24 bytes.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            checksum: u32_at(bytes, 0)?,
            length: u32_at(bytes, 4)?,
            sequence: u64_at(bytes, 8)?,
            previous: u32_at(bytes, 16)?,
            position: u32_at(bytes, 20)?,
        })
    }

    /// How long the record is with its padding.
    pub fn record_bytes(&self) -> u64 {
        record_bytes(self.length)
    }

    /// The number of the first record of the same commit.
    pub fn commit_first(&self) -> u64 {
        self.sequence.saturating_sub(u64::from(self.position))
    }
}

/// How long a record with a payload of `length` bytes is, with its padding.
pub(super) fn record_bytes(length: u32) -> u64 {
    (RECORD_HEADER_BYTES as u64 + u64::from(length)).next_multiple_of(ALIGNMENT as u64)
}

/// The checksum that `record`, whole and with its padding, must have in a file whose salt gives `seed`.
pub(super) fn checksum(seed: u32, record: &[u8]) -> u32 {
    crc32c::crc32c_append(seed, record.get(CHECKSUM_BYTES..).unwrap_or_default())
}

/// Appends to `into` a record that lacks only what [`seal`] sets.
///
/// The caller has seen to it that the length fits.
pub(super) fn begin(into: &mut Vec<u8>, sequence: u64, length: u32, payload: &[u8]) {
    let end = into.len() + record_bytes(length) as usize;
    into.extend_from_slice(&[0; CHECKSUM_BYTES]);
    into.extend_from_slice(&length.to_le_bytes());
    into.extend_from_slice(&sequence.to_le_bytes());
    into.extend_from_slice(&[0; 8]);
    into.extend_from_slice(payload);
    into.resize(end, 0);
}

/// Completes a record once it is known which file and which commit it goes to; returns its checksum.
pub(super) fn seal(record: &mut [u8], seed: u32, previous: u32, position: u32) -> u32 {
    let places = previous
        .to_le_bytes()
        .into_iter()
        .chain(position.to_le_bytes());
    for (place, byte) in record.iter_mut().skip(16).zip(places) {
        *place = byte;
    }
    let checksum = checksum(seed, record);
    for (place, byte) in record.iter_mut().zip(checksum.to_le_bytes()) {
        *place = byte;
    }
    checksum
}
