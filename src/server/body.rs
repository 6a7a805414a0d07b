//! The body of a response: borrowed pieces sent as they are, in one frame of known length.
//!
//! One frame for all pieces, because hyper queues at most 16 frames before it writes, but hands up to
//! 64 pieces of one frame to a single vectored write: a page of 200 offers costs ten system calls
//! instead of forty, and nothing is copied together.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};

use super::activity::Running;
use super::export::FileStream;
use crate::index::map::prefetch;

/// Bytes of a piece that are fetched before it is written; what follows them comes by itself.
const FETCHED_BYTES: usize = 4096;

/// Pieces of a body, read one after the other.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    queue: VecDeque<Bytes>,
    left: usize,
    /// The request they answer: it runs until they are sent, or dropped.
    running: Option<Arc<Running>>,
}

impl Pieces {
    /// The pieces in order; empty ones are dropped.
    pub(super) fn new(pieces: Vec<Bytes>) -> Self {
        let mut queue = VecDeque::from(pieces);
        queue.retain(|piece| !piece.is_empty());
        let left = queue.iter().map(Bytes::len).sum();
        Self {
            queue,
            left,
            running: None,
        }
    }

    /// Their length together, in bytes.
    pub(super) fn len(&self) -> usize {
        self.left
    }

    /// The pieces themselves.
    pub(super) fn into_vec(self) -> Vec<Bytes> {
        self.queue.into()
    }

    /// The pieces still to be read.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.queue.iter().map(Bytes::as_ref)
    }
}

impl Buf for Pieces {
    fn remaining(&self) -> usize {
        self.left
    }

    fn chunk(&self) -> &[u8] {
        self.queue.front().map_or(&[], Bytes::as_ref)
    }

    fn chunks_vectored<'a>(&'a self, out: &mut [IoSlice<'a>]) -> usize {
        let mut filled = 0;
        for (slot, piece) in out.iter_mut().zip(&self.queue) {
            prefetch(piece.get(..FETCHED_BYTES).unwrap_or(piece));
            *slot = IoSlice::new(piece);
            filled += 1;
        }
        filled
    }

    fn advance(&mut self, mut count: usize) {
        // `Buf` asks for a panic past the end; that would be a defect of hyper's, and its connection ends.
        assert!(count <= self.left, "advanced past the end of a body");
        self.left -= count;
        if let Some(running) = &self.running {
            running.progress();
        }
        while let Some(front) = self.queue.front_mut() {
            if count < front.len() {
                front.advance(count);
                return;
            }
            count -= front.len();
            self.queue.pop_front();
        }
    }
}

/// A response body; its pieces hold the mark of the running request.
#[derive(Debug)]
pub(super) struct ReplyBody {
    pieces: Option<Pieces>,
    /// What follows the pieces, made as it is sent.
    stream: Option<FileStream>,
    /// The mark of the running request, for what is streamed.
    running: Option<Arc<Running>>,
}

impl ReplyBody {
    /// A body that is made as it is sent.
    pub(super) fn streamed(stream: FileStream, running: Option<Running>) -> Self {
        Self {
            pieces: None,
            stream: Some(stream),
            running: running.map(Arc::new),
        }
    }

    /// A body of these pieces.
    pub(super) fn new(mut pieces: Pieces, running: Option<Running>) -> Self {
        pieces.running = running.map(Arc::new);
        Self {
            pieces: (pieces.len() > 0).then_some(pieces),
            stream: None,
            running: None,
        }
    }
}

impl Body for ReplyBody {
    type Data = Pieces;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Pieces>>>> {
        if let Some(pieces) = self.pieces.take() {
            return Poll::Ready(Some(Ok(Frame::data(pieces))));
        }
        let Some(stream) = &mut self.stream else {
            return Poll::Ready(None);
        };
        let next = std::task::ready!(stream.poll_next(context));
        if !matches!(next, Some(Ok(_))) {
            self.stream = None;
        }
        let frame = |batch| {
            let mut pieces = Pieces::new(batch);
            pieces.running = self.running.clone();
            Frame::data(pieces)
        };
        Poll::Ready(next.map(|batch| batch.map(frame)))
    }

    fn is_end_stream(&self) -> bool {
        self.pieces.is_none() && self.stream.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let pieces = self.pieces.as_ref().map_or(0, |pieces| pieces.len() as u64);
        match self.stream.as_ref().map(FileStream::left) {
            None => SizeHint::with_exact(pieces),
            Some(Some(left)) => SizeHint::with_exact(pieces + left),
            Some(None) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Pieces {
        Pieces::new(vec![
            Bytes::from_static(b"ab"),
            Bytes::new(),
            Bytes::from_static(b"cde"),
            Bytes::from_static(b"f"),
        ])
    }

    #[test]
    fn pieces_read_as_one_text_whatever_the_steps() {
        for step in 1..=7 {
            let mut pieces = sample();
            let mut read = Vec::new();
            while pieces.has_remaining() {
                let taken = step.min(pieces.chunk().len());
                read.extend_from_slice(&pieces.chunk()[..taken]);
                pieces.advance(taken);
            }
            assert_eq!(read, b"abcdef");
        }
        let mut pieces = sample();
        pieces.advance(4);
        assert_eq!((pieces.remaining(), pieces.chunk()), (2, &b"e"[..]));
        pieces.advance(2);
        assert_eq!((pieces.remaining(), pieces.chunk()), (0, &b""[..]));
    }

    #[test]
    fn a_vectored_write_sees_as_many_pieces_as_it_has_room_for() {
        let pieces = sample();
        let mut slots = [IoSlice::new(&[]); 2];
        assert_eq!(pieces.chunks_vectored(&mut slots), 2);
        assert_eq!((&*slots[0], &*slots[1]), (&b"ab"[..], &b"cde"[..]));
        let mut slots = [IoSlice::new(&[]); 9];
        assert_eq!(pieces.chunks_vectored(&mut slots), 3);
    }

    #[test]
    fn the_length_is_known_before_and_the_end_after() {
        let body = ReplyBody::new(sample(), None);
        assert_eq!(
            (body.size_hint().exact(), body.is_end_stream()),
            (Some(6), false)
        );
        let empty = ReplyBody::new(Pieces::default(), None);
        assert_eq!(
            (empty.size_hint().exact(), empty.is_end_stream()),
            (Some(0), true)
        );
    }
}
