//! An answer as it is: slices of the map, and what is written around them in one buffer.

use std::ops::Range;

use bytes::Bytes;

/// From how many bytes on a part of an entry is borrowed: a shorter one is copied in less time than its piece takes to be
/// made and sent.
const BORROWED_FROM: usize = 1024;

/// An answer in the making.
pub struct PlainBody {
    /// Everything but borrowed slices, in one buffer that the pieces share in the end.
    own: Vec<u8>,
    pieces: Vec<Piece>,
    /// What of `own` is in pieces.
    taken: usize,
}

enum Piece {
    Own(Range<usize>),
    Borrowed(Bytes),
}

impl PlainBody {
    /// An answer of about as many entries.
    pub fn with_capacity(entries: usize) -> PlainBody {
        PlainBody {
            own: Vec::with_capacity(1024 + 128 * entries),
            pieces: Vec::with_capacity(2 * entries + 1),
            taken: 0,
        }
    }

    /// Appends what is written for this answer.
    pub fn text(&mut self, text: &[u8]) {
        self.own.extend_from_slice(text);
    }

    /// Appends framing that is written over and over: shared, unless there is something before it to join.
    pub fn framing(&mut self, framing: &Bytes) {
        if self.taken == self.own.len() {
            self.pieces.push(Piece::Borrowed(framing.clone()));
        } else {
            self.text(framing);
        }
    }

    /// Appends a slice of the map.
    pub fn stored(&mut self, bytes: Bytes) {
        self.close();
        self.pieces.push(Piece::Borrowed(bytes));
    }

    /// Appends a part of a slice of the map; nothing where the range goes beyond it.
    pub fn part(&mut self, whole: &Bytes, range: Range<usize>) {
        match whole.get(range.clone()) {
            Some(part) if part.len() < BORROWED_FROM => self.text(part),
            Some(_) => self.stored(whole.slice(range)),
            None => {}
        }
    }

    /// The pieces.
    pub fn finish(mut self) -> Vec<Bytes> {
        self.close();
        let own = Bytes::from(self.own);
        let piece = |piece| match piece {
            Piece::Own(range) => own.slice(range),
            Piece::Borrowed(bytes) => bytes,
        };
        self.pieces.into_iter().map(piece).collect()
    }

    /// Makes a piece of what was written since the last one.
    fn close(&mut self) {
        let range = self.taken..self.own.len();
        if !range.is_empty() {
            self.taken = range.end;
            self.pieces.push(Piece::Own(range));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_parts_are_copied_and_long_ones_borrowed() {
        let whole = Bytes::from(vec![b'x'; 3 * BORROWED_FROM]);
        let mut body = PlainBody::with_capacity(1);
        body.text(b"[");
        body.part(&whole, 0..BORROWED_FROM - 1);
        body.text(b",");
        body.part(&whole, 5..5 + BORROWED_FROM);
        body.stored(whole.slice(..1));
        body.part(&whole, 1..usize::MAX);
        body.framing(&Bytes::from_static(b"12"));
        body.text(b"]");
        body.framing(&Bytes::from_static(b"34"));
        let pieces = body.finish();
        let lengths: Vec<usize> = pieces.iter().map(Bytes::len).collect();
        assert_eq!(lengths, [BORROWED_FROM + 1, BORROWED_FROM, 1, 2, 3]);
        assert_eq!(pieces[3..].concat(), b"12]34");
        assert_eq!(pieces[1].as_ptr(), whole[5..].as_ptr());
        assert!(PlainBody::with_capacity(0).finish().is_empty());
    }
}
