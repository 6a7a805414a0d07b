//! What happens on one connection, and when it has been quiet for too long.
//!
//! hyper's own time-outs cover the head of an HTTP/1.1 request only: not a client that never says
//! which protocol it speaks, nor one that stops reading its answer. So bytes are watched here, below
//! the protocol, and the same clocks serve HTTP/1.1, HTTP/2 and, later, TLS. Being on the way of all
//! bytes, the watch also gives a body to the bare refusals of hyper (see `standalone`).

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::config::Limits;
use super::standalone;

/// The clocks of one connection; times are milliseconds since it was opened.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    /// The last byte either way, or the last beginning or end of a request.
    moved: AtomicU64,
    /// When the head being received began, plus one; 0 between heads.
    head_since: AtomicU64,
    /// Requests begun whose response is not handed over yet.
    running: AtomicUsize,
    head_timeout: u64,
    stall_timeout: u64,
    keep_alive: u64,
}

/// What to do with a connection now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing; look again after this time at the latest.
    Wait(Duration),
    /// End it politely: no further request.
    Close,
    /// Drop it.
    Cut,
}

impl Activity {
    /// Clocks that start now; the head of the first request is awaited from now on.
    pub(super) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            opened: Instant::now(),
            moved: AtomicU64::new(0),
            head_since: AtomicU64::new(1),
            running: AtomicUsize::new(0),
            head_timeout: limits.header_read_timeout_seconds.saturating_mul(1000),
            stall_timeout: limits.stall_timeout_seconds.saturating_mul(1000),
            keep_alive: limits.keep_alive_seconds.saturating_mul(1000),
        })
    }

    /// Judges the connection as it is now; `closing` once [`Verdict::Close`] was given.
    pub(super) fn verdict(&self, closing: bool) -> Verdict {
        self.verdict_at(self.now(), closing)
    }

    fn verdict_at(&self, now: u64, closing: bool) -> Verdict {
        let moved = self.moved.load(Relaxed);
        let head_since = self.head_since.load(Relaxed);
        let (due, late) = if self.running.load(Relaxed) > 0 || closing {
            (moved.saturating_add(self.stall_timeout), Verdict::Cut)
        } else if head_since > 0 {
            (head_since.saturating_add(self.head_timeout), Verdict::Cut)
        } else {
            (moved.saturating_add(self.keep_alive), Verdict::Close)
        };
        if now >= due {
            return late;
        }
        // An idle connection may begin a head at any time, whose term ends sooner than the one awaited.
        // Looking again after a head's time finds it without a wake-up for each request.
        Verdict::Wait(Duration::from_millis((due - now).min(self.head_timeout)))
    }

    fn received(&self) {
        let now = self.now();
        self.moved.store(now, Relaxed);
        if self.running.load(Relaxed) == 0 {
            // Only the first byte of a head starts its clock, so sending slowly wins nothing.
            let _ = self
                .head_since
                .compare_exchange(0, now + 1, Relaxed, Relaxed);
        }
    }

    fn sent(&self) {
        self.moved.store(self.now(), Relaxed);
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The mark of a running request; the request ends when it is dropped.
#[derive(Debug)]
pub(super) struct Running(Arc<Activity>);

impl Running {
    /// Marks the beginning of a request.
    pub(super) fn start(activity: &Arc<Activity>) -> Self {
        activity.running.fetch_add(1, Relaxed);
        activity.head_since.store(0, Relaxed);
        activity.sent();
        Self(Arc::clone(activity))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.sent();
        self.0.running.fetch_sub(1, Relaxed);
    }
}

/// A stream that tells its activity of every byte.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    activity: Arc<Activity>,
    /// What is left to send in the place of a bare refusal.
    instead: Option<Bytes>,
}

impl<S> Watched<S> {
    /// Watches `stream`.
    pub(super) fn new(stream: S, activity: Arc<Activity>) -> Self {
        Self {
            stream,
            activity,
            instead: None,
        }
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    fn told(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(written, Poll::Ready(Ok(count)) if count > 0) {
            self.activity.sent();
        }
        written
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

#[cfg(test)]
mod tests {
    use super::*;

    fn fresh() -> Arc<Activity> {
        Activity::new(&Limits {
            header_read_timeout_seconds: 10,
            stall_timeout_seconds: 30,
            keep_alive_seconds: 75,
            ..Limits::default()
        })
    }

    const FAR: u64 = 1_000_000;

    #[test]
    fn a_connection_that_never_asks_is_cut() {
        let activity = fresh();
        assert_eq!(
            activity.verdict_at(0, false),
            Verdict::Wait(Duration::from_secs(10))
        );
        activity.received();
        assert_eq!(
            activity.verdict_at(10_001, false),
            Verdict::Cut,
            "bytes do not stretch the time of a head"
        );
    }

    #[test]
    fn a_running_request_is_cut_only_when_nothing_moves() {
        let activity = fresh();
        let running = Running::start(&activity);
        assert!(matches!(
            activity.verdict_at(29_000, false),
            Verdict::Wait(_)
        ));
        assert_eq!(activity.verdict_at(FAR, false), Verdict::Cut);
        activity.moved.store(FAR - 1, Relaxed);
        assert!(matches!(activity.verdict_at(FAR, false), Verdict::Wait(_)));
        drop(running);
        assert_eq!(
            activity.verdict_at(FAR, false),
            Verdict::Close,
            "afterwards it is merely idle"
        );
    }

    #[test]
    fn an_idle_connection_is_closed_and_then_cut() {
        let activity = fresh();
        drop(Running::start(&activity));
        assert_eq!(
            activity.verdict_at(1_000, false),
            Verdict::Wait(Duration::from_secs(10))
        );
        assert_eq!(activity.verdict_at(76_000, false), Verdict::Close);
        assert_eq!(activity.verdict_at(76_000, true), Verdict::Cut);
    }

    #[test]
    fn a_second_head_has_its_own_time() {
        let activity = fresh();
        drop(Running::start(&activity));
        activity.received();
        assert_eq!(activity.verdict_at(FAR, false), Verdict::Cut);
    }
}
