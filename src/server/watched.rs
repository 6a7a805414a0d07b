//! The stream of a connection, of which every byte is noticed; bare refusals of hyper get a body on their way out.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::Activity;
use super::standalone;

/// A stream that tells its activity of every byte.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    /// What is left to send in the place of a bare refusal.
    instead: Option<Bytes>,
    /// Bytes written since others had their turn.
    written: usize,
}

/// Bytes that one connection writes before others have their turn: a long answer is copied by the megabyte as long as the
/// client takes it, and whoever is on the same thread waits.
const TURN_BYTES: usize = 512 * 1024;

impl<S> Watched<S> {
    /// Watches `stream`.
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self {
            stream,
            activity,
            instead: None,
            written: 0,
        }
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    fn told(&mut self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(count)) if count > 0 => {
                self.written += count;
                self.activity.sent();
            }
            Poll::Pending => self.written = 0,
            _ => {}
        }
        written
    }

    /// Whether it is the turn of others now; the task is woken once they had it.
    fn gives_way(&mut self, cx: &mut Context<'_>) -> bool {
        if self.written < TURN_BYTES {
            return false;
        }
        self.written = 0;
        pin!(tokio::task::yield_now()).poll(cx).is_pending()
    }

    /// Sends a body with a bare refusal; `None` when `bytes` are none. They count as written only when
    /// all that replaces them is, so hyper offers the same ones again until then.
    fn replaced(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Option<Poll<io::Result<usize>>> {
        if self.instead.is_none() {
            self.instead = standalone::instead_of(bytes);
        }
        while let Some(left) = self.instead.as_mut().filter(|left| !left.is_empty()) {
            match Pin::new(&mut self.stream).poll_write(cx, left) {
                Poll::Ready(Ok(0)) => {
                    return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into())));
                }
                Poll::Ready(Ok(count)) => {
                    left.advance(count);
                    self.activity.sent();
                }
                other => return Some(other),
            }
        }
        self.instead.take().map(|_| Poll::Ready(Ok(bytes.len())))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.written = 0;
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.activity.received();
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(replaced) = self.replaced(cx, bytes) {
            return replaced;
        }
        if self.gives_way(cx) {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.told(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = pieces.iter().find(|piece| !piece.is_empty());
        if let Some(replaced) = first.and_then(|piece| self.replaced(cx, piece)) {
            return replaced;
        }
        if self.gives_way(cx) {
            return Poll::Pending;
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, pieces);
        self.told(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
