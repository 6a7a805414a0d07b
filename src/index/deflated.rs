//! Stored resources in compressed form, made so that any of them, in any order, join to one gzip stream.
//!
//! Each body is deflated on its own (RFC 1951) and ended by a flush: whole bytes, no reference to what stood before, and
//! not the last block. Before its blocks stands whatever else an answer needs of it, so that an entry is found in one place
//! of the map: a head of four u32 (the length of the plain body, its CRC-32, the factor by which the checksum of what stands
//! before it is multiplied when it is appended, and the length of what follows the head), then `Type/id","resource":` as it
//! is. `bodies.deflate` joins these records in ordinal order; the pack delimits them (`deflated.offsets`) and holds the
//! CRC-32 of each plain body once more for who reads those in order (`deflated.checksums`).

use std::path::Path;

use bytes::Bytes;
use zlib_rs::crc32::{crc32, crc32_combine_gen};
use zlib_rs::{Deflate, DeflateFlush};

use super::FormatError;
use super::map::{Ahead, Column, Region, prefetch};
use super::pack::{Pack, PackWriter};

/// How hard stored resources are compressed: once, for as often as they are sent.
const STORED_LEVEL: i32 = 6;
/// How hard is compressed what is made for one answer.
const PASSING_LEVEL: i32 = 1;
/// Bits of the window of RFC 1951: 32 KiB.
const WINDOW_BITS: u8 = 15;

/// The shifts of short texts: framing is made for each answer.
const SHIFTS: [u32; 512] = {
    let mut shifts = [0; 512];
    let mut length = 0;
    while length < shifts.len() {
        shifts[length] = crc32_combine_gen(length as u64);
        length += 1;
    }
    shifts
};

/// What appending bytes to others does to their common CRC-32.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sum {
    /// CRC-32 of the bytes.
    pub checksum: u32,
    /// x^(8·length) modulo the polynomial of the CRC.
    pub shift: u32,
}

impl Sum {
    /// The sum of no bytes.
    pub const NOTHING: Sum = Sum {
        checksum: 0,
        // x^0, with its bits reflected.
        shift: 1 << 31,
    };

    /// The sum of some bytes.
    pub fn of(bytes: &[u8]) -> Sum {
        Sum {
            checksum: crc32(0, bytes),
            shift: match SHIFTS.get(bytes.len()) {
                Some(shift) => *shift,
                None => crc32_combine_gen(bytes.len() as u64),
            },
        }
    }

    /// The CRC-32 of what had `checksum` with these bytes behind it.
    pub fn after(self, checksum: u32) -> u32 {
        product(self.shift, checksum) ^ self.checksum
    }
}

/// The CRC-32 of what had `checksum` with `bytes` behind it: for texts that are at hand, quicker than by their sum.
pub fn continued(checksum: u32, bytes: &[u8]) -> u32 {
    crc32(checksum, bytes)
}

/// The polynomial of the CRC, its bits reflected.
const POLYNOMIAL: u32 = 0xedb8_8320;

/// Times x: the bits are reflected, so the highest power is the lowest bit.
const fn times_x(polynomial: u32) -> u32 {
    (polynomial >> 1) ^ (POLYNOMIAL & 0_u32.wrapping_sub(polynomial & 1))
}

/// What four bits that are shifted out come to.
const REDUCED: [u32; 16] = {
    let mut reduced = [0; 16];
    let mut bits = 0;
    while bits < reduced.len() {
        reduced[bits] = times_x(times_x(times_x(times_x(bits as u32))));
        bits += 1;
    }
    reduced
};

/// The product of two polynomials modulo that of the CRC. Four bits at a time and without a branch: the bits of a checksum
/// are as good as random, so that a branch on each is guessed wrong every other time.
fn product(a: u32, b: u32) -> u32 {
    let mut multiples = [0_u32; 16];
    let mut power = b;
    for lowest in [8, 4, 2, 1] {
        for other in (0..16).filter(|other| other & lowest != 0) {
            multiples[other] ^= power;
        }
        power = times_x(power);
    }
    (0..8).fold(0_u32, |sum, place| {
        let times = multiples[(a >> (4 * place)) as usize & 15];
        (sum >> 4) ^ REDUCED[sum as usize & 15] ^ times
    })
}

/// A body in compressed form.
#[derive(Clone, Debug)]
pub struct Deflated {
    /// Blocks of RFC 1951, none of them the last.
    pub blocks: Bytes,
    /// How many bytes the plain body has.
    pub length: usize,
    /// The sum of the plain body.
    pub sum: Sum,
}

/// Bytes of the head of a record.
const HEAD_BYTES: usize = 16;
/// Bytes of a record that an answer reads itself: the head, and what stands before the body.
const EXPECTED_BYTES: usize = 128;

/// What a record begins with.
struct Head {
    /// Bytes of the plain body.
    length: u32,
    /// The sum of the plain body.
    sum: Sum,
    /// Bytes of what stands between the head and the blocks.
    before: u32,
}

impl Head {
    fn to_bytes(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        let words = [self.length, self.sum.checksum, self.sum.shift, self.before];
        for (place, word) in bytes.chunks_exact_mut(4).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    fn read(record: &[u8]) -> Option<Head> {
        let head: &[u8; HEAD_BYTES] = record.first_chunk()?;
        let (words, _) = head.as_chunks();
        let &[length, checksum, shift, before] = words else {
            return None;
        };
        Some(Head {
            length: u32::from_le_bytes(length),
            sum: Sum {
                checksum: u32::from_le_bytes(checksum),
                shift: u32::from_le_bytes(shift),
            },
            before: u32::from_le_bytes(before),
        })
    }
}

/// Compresses one body after the other.
pub struct Deflater {
    stream: Deflate,
    out: Vec<u8>,
}

impl Deflater {
    /// For what is stored.
    pub fn for_storage() -> Deflater {
        Deflater::new(STORED_LEVEL)
    }

    /// For what is made for one answer.
    pub fn in_passing() -> Deflater {
        Deflater::new(PASSING_LEVEL)
    }

    fn new(level: i32) -> Deflater {
        Deflater {
            stream: Deflate::new(level, false, WINDOW_BITS),
            out: Vec::new(),
        }
    }

    /// The blocks of these bytes; they stay here until the next ones.
    ///
    /// # Errors
    /// [`FormatError::Compression`] when the compressor refuses, which it has no reason to.
    pub fn deflate(&mut self, bytes: &[u8]) -> Result<&[u8], FormatError> {
        self.out.clear();
        self.append(bytes)
    }

    /// The record of a body with the pieces that stand `before` it; it stays here until the next one.
    ///
    /// # Errors
    /// As [`Deflater::deflate`].
    pub fn record(
        &mut self,
        before: &[&[u8]],
        body: &[u8],
        sum: Sum,
    ) -> Result<&[u8], FormatError> {
        let head = Head {
            length: body.len() as u32,
            sum,
            before: before.iter().map(|piece| piece.len() as u32).sum(),
        };
        self.out.clear();
        self.out.extend(head.to_bytes());
        before
            .iter()
            .for_each(|piece| self.out.extend_from_slice(piece));
        self.append(body)
    }

    /// Appends the blocks of these bytes to what is there, and answers all of it.
    fn append(&mut self, bytes: &[u8]) -> Result<&[u8], FormatError> {
        self.stream.reset();
        let (mut rest, mut filled) = (bytes, self.out.len());
        self.out.resize(filled + bytes.len() / 3 + 64, 0);
        loop {
            let (taken, given) = (self.stream.total_in(), self.stream.total_out());
            let room = self.out.get_mut(filled..).unwrap_or(&mut []);
            self.stream
                .compress(rest, room, DeflateFlush::SyncFlush)
                .map_err(|error| FormatError::Compression {
                    detail: error.as_str(),
                })?;
            let taken = (self.stream.total_in() - taken) as usize;
            rest = rest.get(taken..).unwrap_or(&[]);
            filled += (self.stream.total_out() - given) as usize;
            // All is taken, and the flush complete, once there is room left.
            if filled < self.out.len() {
                break;
            }
            self.out.resize(self.out.len() * 2, 0);
        }
        self.out.truncate(filled);
        Ok(&self.out)
    }
}

/// Where each record ends, and the checksum of its plain body.
#[derive(Default)]
pub struct DeflatedColumns {
    offsets: Vec<u64>,
    checksums: Vec<u32>,
}

impl DeflatedColumns {
    /// Notes the next record: its bytes, and the CRC-32 of its plain body.
    pub fn push(&mut self, length: usize, checksum: u32) {
        if self.offsets.is_empty() {
            self.offsets.push(0);
        }
        let end = self.offsets.last().copied().unwrap_or(0) + length as u64;
        self.offsets.push(end);
        self.checksums.push(checksum);
    }

    /// Writes the sections into the pack.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn write(&self, pack: &mut PackWriter) -> Result<(), FormatError> {
        pack.column("deflated.offsets", &self.offsets)?;
        pack.column("deflated.checksums", &self.checksums)
    }
}

/// The compressed bodies of a type, opened.
pub struct DeflatedBodies {
    data: Bytes,
    offsets: Column<u64>,
}

impl DeflatedBodies {
    /// Maps `bodies.deflate`, delimited by the pack.
    ///
    /// # Errors
    /// [`FormatError`] when the file or a section is missing, or they do not fit.
    pub fn open(path: &Path, pack: &Pack, count: usize) -> Result<DeflatedBodies, FormatError> {
        let opened = DeflatedBodies {
            data: Region::map_file(path)?.to_bytes(),
            offsets: pack.column("deflated.offsets")?,
        };
        let end = opened.offsets.last().copied().unwrap_or(0);
        if end != opened.data.len() as u64 || opened.offsets.len().saturating_sub(1) != count {
            return Err(FormatError::Damaged {
                path: path.to_owned(),
                detail: "its length is not the recorded one".into(),
            });
        }
        Ok(opened)
    }

    /// How many bytes all records take together.
    pub fn bytes(&self) -> usize {
        self.data.len()
    }

    /// Has what of a record is read soon fetched meanwhile.
    pub fn expect(&self, ordinal: u32, ahead: Ahead) {
        match ahead {
            Ahead::Place => self.offsets.expect(ordinal as usize + 1),
            Ahead::Content => {
                let start = self.offsets.get(ordinal as usize);
                let record = start.and_then(|&start| self.data.get(start as usize..));
                let beginning = record.and_then(|record| record.get(..EXPECTED_BYTES));
                prefetch(beginning.unwrap_or(&[]));
            }
        }
    }

    /// The compressed body of an ordinal, and what stands before it in an entry.
    pub fn entry(&self, ordinal: u32) -> Option<(&[u8], Deflated)> {
        let place = self.offsets.span(ordinal as usize)?;
        let record = self.data.get(place.clone())?;
        let head = Head::read(record)?;
        let blocks = HEAD_BYTES.checked_add(head.before as usize)?;
        let before = record.get(HEAD_BYTES..blocks)?;
        let deflated = Deflated {
            blocks: self.data.slice(place.start + blocks..place.end),
            length: head.length as usize,
            sum: head.sum,
        };
        Some((before, deflated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn inflated(blocks: &[u8]) -> Vec<u8> {
        use std::io::Read;
        // The empty last block that a stream ends with.
        let mut stream = blocks.to_vec();
        stream.extend([0x03, 0x00]);
        let mut plain = Vec::new();
        flate2::read::DeflateDecoder::new(stream.as_slice())
            .read_to_end(&mut plain)
            .unwrap();
        plain
    }

    proptest! {
        #[test]
        fn bodies_join_in_any_order(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2000), 0..6), repeats in 1usize..40) {
            let mut stored = Deflater::for_storage();
            let mut passing = Deflater::in_passing();
            let (mut plain, mut blocks, mut checksum) = (Vec::new(), Vec::new(), 0);
            for (number, body) in bodies.iter().enumerate() {
                let body = body.repeat(repeats);
                let deflater = if number % 2 == 0 { &mut stored } else { &mut passing };
                blocks.extend_from_slice(deflater.deflate(&body).unwrap());
                checksum = Sum::of(&body).after(checksum);
                plain.extend(body);
            }
            prop_assert_eq!(inflated(&blocks), &plain[..]);
            prop_assert_eq!(checksum, crc32(0, &plain));
        }
    }

    proptest! {
        #[test]
        fn sums_are_joined_as_the_library_joins_them(a in any::<u32>(), checksum in any::<u32>(), length in 0u64..10_000_000) {
            let sum = Sum { checksum, shift: crc32_combine_gen(length) };
            let expected = zlib_rs::crc32::crc32_combine_op(a, checksum, sum.shift);
            prop_assert_eq!(sum.after(a), expected);
        }
    }

    #[test]
    fn nothing_is_the_sum_of_nothing() {
        assert_eq!(Sum::of(b""), Sum::NOTHING);
        assert_eq!(Sum::NOTHING.after(17), 17);
    }
}
