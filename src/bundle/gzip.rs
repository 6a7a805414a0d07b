//! A gzip stream (RFC 1952) put together from pieces, most of them compressed when the index was built.
//!
//! Framing that stands between stored bodies is so short that it goes in uncompressed blocks (RFC 1951, section
//! 3.2.4); what is made for one answer and is longer is compressed in passing.

use std::ops::Range;

use bytes::Bytes;

use crate::index::deflated::{Deflated, Deflater, Sum, continued};

/// No name, no date, no comment; made by an unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// A last block of fixed codes that holds nothing.
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];
/// What a block without compression holds at most.
const BLOCK_BYTES: usize = 0xffff;
/// Bytes before what such a block holds: no flag, then the length and its complement.
const BLOCK_HEAD: usize = 5;
/// From how many bytes on compressing in passing saves more than it costs.
const WORTH_BYTES: usize = 512;

/// A stream in the making.
pub struct GzipBody {
    /// Everything but stored blocks, in one buffer that the pieces share in the end.
    own: Vec<u8>,
    pieces: Vec<Piece>,
    /// Where the text begins that is not yet a block, in `own`.
    text: usize,
    checksum: u32,
    length: u64,
    passing: Option<Deflater>,
}

enum Piece {
    Own(Range<usize>),
    Stored(Bytes),
}

impl GzipBody {
    /// A stream of about as many stored bodies.
    pub fn with_capacity(bodies: usize) -> GzipBody {
        let mut own = Vec::with_capacity(1024 + 192 * bodies);
        own.extend(HEADER);
        let mut body = GzipBody {
            own,
            pieces: Vec::with_capacity(2 * bodies + 1),
            text: 0,
            checksum: 0,
            length: 0,
            passing: None,
        };
        body.open();
        body
    }

    /// Appends a body that is stored in compressed form.
    pub fn stored(&mut self, deflated: Deflated) {
        self.close();
        self.checksum = deflated.sum.after(self.checksum);
        self.length += deflated.length as u64;
        self.cut();
        self.pieces.push(Piece::Stored(deflated.blocks));
        self.open();
    }

    /// Appends framing.
    pub fn text(&mut self, text: &[u8]) {
        for part in text.chunks(BLOCK_BYTES) {
            if self.own.len() - self.text + part.len() > BLOCK_BYTES {
                self.close();
                self.open();
            }
            self.own.extend_from_slice(part);
        }
    }

    /// Appends what was made for this answer; what the compressor refuses goes as it is.
    pub fn made(&mut self, plain: &[u8]) {
        if plain.len() < WORTH_BYTES {
            return self.text(plain);
        }
        let passing = self.passing.get_or_insert_with(Deflater::in_passing);
        let Ok(blocks) = passing.deflate(plain).map(Bytes::copy_from_slice) else {
            return self.text(plain);
        };
        self.stored(Deflated {
            blocks,
            length: plain.len(),
            sum: Sum::of(plain),
        });
    }

    /// The end of the stream: what was not taken yet.
    pub fn finish(mut self) -> Vec<Bytes> {
        self.close();
        self.own.extend(LAST_BLOCK);
        self.own.extend(self.checksum.to_le_bytes());
        // RFC 1952: the length modulo 2^32.
        self.own.extend((self.length as u32).to_le_bytes());
        self.given()
    }

    /// What there is of the stream so far, and was not taken yet.
    pub fn take(&mut self) -> Vec<Bytes> {
        self.close();
        let pieces = self.given();
        self.open();
        pieces
    }

    fn given(&mut self) -> Vec<Bytes> {
        self.cut();
        let own = Bytes::from(std::mem::take(&mut self.own));
        let piece = |piece| match piece {
            Piece::Own(range) => own.slice(range),
            Piece::Stored(blocks) => blocks,
        };
        self.pieces.drain(..).map(piece).collect()
    }

    /// Leaves room for the head of a block of text.
    fn open(&mut self) {
        self.own.extend([0; BLOCK_HEAD]);
        self.text = self.own.len();
    }

    /// Makes a block of the text since [`GzipBody::open`], or nothing of no text.
    fn close(&mut self) {
        let head = self.text - BLOCK_HEAD;
        let text = self.own.get(self.text..).unwrap_or(&[]);
        if text.is_empty() {
            self.own.truncate(head);
            return;
        }
        let length = text.len() as u16;
        self.checksum = continued(self.checksum, text);
        self.length += text.len() as u64;
        let [a, b] = length.to_le_bytes();
        let [c, d] = (!length).to_le_bytes();
        if let Some(place) = self.own.get_mut(head..self.text) {
            place.copy_from_slice(&[0, a, b, c, d]);
        }
    }

    /// Ends the piece of our own bytes.
    fn cut(&mut self) {
        let start = self.pieces.iter().rev().find_map(|piece| match piece {
            Piece::Own(range) => Some(range.end),
            Piece::Stored(_) => None,
        });
        let range = start.unwrap_or(0)..self.own.len();
        if !range.is_empty() {
            self.pieces.push(Piece::Own(range));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Read;

    fn read(stream: &[u8]) -> Vec<u8> {
        let mut plain = Vec::new();
        let mut reader = flate2::bufread::GzDecoder::new(stream);
        reader.read_to_end(&mut plain).unwrap();
        assert!(
            reader.into_inner().is_empty(),
            "one member and nothing behind it"
        );
        plain
    }

    proptest! {
        #[test]
        fn whatever_it_is_made_of_it_is_read_back(pieces in prop::collection::vec((0u8..3, "[a-c]{0,900}", 1usize..200), 0..12)) {
            let mut body = GzipBody::with_capacity(4);
            let mut stored = Deflater::for_storage();
            let (mut plain, mut taken) = (Vec::new(), Vec::new());
            for (form, text, repeats) in &pieces {
                let text = text.repeat(*repeats);
                let text = text.as_bytes();
                plain.extend_from_slice(text);
                if text.len() % 5 == 0 {
                    taken.extend(body.take().concat());
                }
                match form {
                    0 => body.text(text),
                    1 => body.made(text),
                    _ => body.stored(Deflated {
                        blocks: Bytes::copy_from_slice(stored.deflate(text).unwrap()),
                        length: text.len(),
                        sum: Sum::of(text),
                    }),
                }
            }
            taken.extend(body.finish().concat());
            prop_assert_eq!(read(&taken), plain);
        }
    }

    #[test]
    fn nothing_is_a_stream_too() {
        assert_eq!(read(&GzipBody::with_capacity(0).finish().concat()), b"");
    }
}
