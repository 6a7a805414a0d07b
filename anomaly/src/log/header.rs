//! The head of a segment: 40 bytes whose layout is the same in every format version.

use super::damage::Fault;
use super::little_endian::{u32_at, u64_at};

/// The first bytes of every segment.
pub const MAGIC: [u8; 8] = *b"RORQ-LOG";
/// The version of the format that this crate writes, and the only one that it reads.
pub const FORMAT_VERSION: u32 = 1;
/// How long the head of a segment is.
pub const HEADER_BYTES: usize = 40;

/// Where the checksum lies: last, over everything before it.
const CHECKSUM_AT: usize = 36;
const SALT_AT: usize = 16;

/// What the head of a segment says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub version: u32,
    /// The checksum of the last record of the segment before, or of its head when it has none; 0 for the very first segment.
    pub previous: u32,
    pub salt: u64,
    /// The number of the first record.
    pub first: u64,
}

impl Header {
    /// The head and its checksum.
    pub fn encode(&self) -> ([u8; HEADER_BYTES], u32) {
        let mut bytes = [0; HEADER_BYTES];
        let (head, checksum) = bytes.split_at_mut(CHECKSUM_AT);
        let fields = MAGIC
            .iter()
            .copied()
            .chain(self.version.to_le_bytes())
            .chain(self.previous.to_le_bytes())
            .chain(self.salt.to_le_bytes())
            .chain(self.first.to_le_bytes());
        for (place, byte) in head.iter_mut().zip(fields) {
            *place = byte;
        }
        let sum = crc32c::crc32c(head);
        checksum.copy_from_slice(&sum.to_le_bytes());
        (bytes, sum)
    }

    /// The head and its checksum. The version is not judged here.
    pub fn decode(bytes: &[u8]) -> Result<(Self, u32), Fault> {
        let head = bytes.get(..HEADER_BYTES).ok_or(Fault::HeaderShort)?;
        if !head.starts_with(&MAGIC) {
            return Err(Fault::HeaderMagic);
        }
        let (covered, _) = head.split_at(CHECKSUM_AT);
        let field = |at| u32_at(head, at).ok_or(Fault::HeaderShort);
        let checksum = field(CHECKSUM_AT)?;
        if crc32c::crc32c(covered) != checksum {
            return Err(Fault::HeaderChecksum);
        }
        let header = Self {
            version: field(8)?,
            previous: field(12)?,
            salt: u64_at(head, SALT_AT).ok_or(Fault::HeaderShort)?,
            first: u64_at(head, 24).ok_or(Fault::HeaderShort)?,
        };
        Ok((header, checksum))
    }

    /// The salt where the rest may be damaged: the records then tell by their checksums whether it is the right one.
    pub fn salt_of_damaged(bytes: &[u8]) -> u64 {
        u64_at(bytes, SALT_AT).unwrap_or(0)
    }
}

/// What the checksums of a segment's records start from.
pub(super) fn seed(salt: u64) -> u32 {
    crc32c::crc32c(&salt.to_le_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_as_written_and_any_flipped_bit_is_seen() {
        let header = Header {
            version: FORMAT_VERSION,
            previous: 0x0102_0304,
            salt: 0x1122_3344_5566_7788,
            first: 77,
        };
        let (bytes, checksum) = header.encode();
        assert_eq!(Header::decode(&bytes).unwrap(), (header, checksum));
        for bit in 0..HEADER_BYTES * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(Header::decode(&flipped).is_err(), "bit {bit}");
        }
    }
}
