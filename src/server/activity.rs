//! What happens on one connection, and when it has been quiet for too long.
//!
//! hyper's own time-outs cover the head of an HTTP/1.1 request only: not a client that never says
//! which protocol it speaks, nor one that stops reading its answer. So bytes are watched (`watched`), below
//! the protocol, and the same clocks serve HTTP/1.1 and HTTP/2, in the clear and inside TLS.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::Notify;

use super::limits::Limits;

/// The clocks of one connection; times are milliseconds since it was opened.
#[derive(Debug)]
pub(super) struct Activity {
    opened: Instant,
    /// The last byte either way, or the last beginning or end of a request; of HTTP/2, whose control frames are bytes
    /// too, the last progress of a request.
    moved: AtomicU64,
    /// When the head being received began, plus one; 0 between heads.
    head_since: AtomicU64,
    /// Requests begun whose response is not sent yet.
    running: AtomicUsize,
    /// Requests begun since the connection was opened.
    begun: AtomicU64,
    /// Whether it speaks HTTP/2, whose control frames may come at any time without beginning a request.
    multiplexed: AtomicBool,
    /// Whether requests are given up faster than allowed.
    abused: AtomicBool,
    resets: DefaultDirectRateLimiter,
    /// Wakes who judges.
    look: Notify,
    head_timeout: u64,
    stall_timeout: u64,
    keep_alive: u64,
    max_age: u64,
    max_requests: u64,
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
            begun: AtomicU64::new(0),
            multiplexed: AtomicBool::new(false),
            abused: AtomicBool::new(false),
            resets: RateLimiter::direct(Quota::per_second(
                NonZeroU32::new(limits.max_resets_per_second).unwrap_or(NonZeroU32::MIN),
            )),
            look: Notify::new(),
            head_timeout: limits.header_read_timeout_seconds.saturating_mul(1000),
            stall_timeout: limits.stall_timeout_seconds.saturating_mul(1000),
            keep_alive: limits.keep_alive_seconds.saturating_mul(1000),
            max_age: limits.max_connection_seconds.saturating_mul(1000),
            max_requests: match limits.max_requests_per_connection {
                0 => u64::MAX,
                set => set,
            },
        })
    }

    /// Judges the connection as it is now; `closing` once [`Verdict::Close`] was given.
    pub(super) fn verdict(&self, closing: bool) -> Verdict {
        self.verdict_at(self.now(), closing)
    }

    /// Done when the connection should be judged before the time that was given.
    pub(super) async fn worth_a_look(&self) {
        self.look.notified().await;
    }

    fn verdict_at(&self, now: u64, closing: bool) -> Verdict {
        if self.abused.load(Relaxed) {
            return Verdict::Cut;
        }
        if !closing && (self.begun.load(Relaxed) >= self.max_requests || now >= self.max_age) {
            return Verdict::Close;
        }
        let moved = self.moved.load(Relaxed);
        let head_since = self.head_since.load(Relaxed);
        let stalled = moved.saturating_add(self.stall_timeout);
        // However slowly a client takes what it asked for, it has an end.
        let last = self
            .max_age
            .saturating_add(self.stall_timeout.saturating_mul(4));
        let (due, late) = if closing {
            (stalled.min(last), Verdict::Cut)
        } else if self.running.load(Relaxed) > 0 {
            (stalled, Verdict::Cut)
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
        let left = (due - now).min(self.head_timeout);
        let left = if closing {
            left
        } else {
            left.min(self.max_age - now)
        };
        Verdict::Wait(Duration::from_millis(left))
    }

    /// A byte came.
    pub(super) fn received(&self) {
        if self.multiplexed.load(Relaxed) {
            // Anything may come, acknowledgements and pings included: it need not begin a head, and none of it makes the
            // connection less idle or an answer less stuck.
            return;
        }
        let now = self.now();
        self.moved.store(now, Relaxed);
        if self.running.load(Relaxed) == 0 {
            // Only the first byte of a head starts its clock, so sending slowly wins nothing.
            let _ = self
                .head_since
                .compare_exchange(0, now + 1, Relaxed, Relaxed);
        }
    }

    /// A byte was written.
    pub(super) fn sent(&self) {
        if !self.multiplexed.load(Relaxed) {
            self.progress();
        }
    }

    fn progress(&self) {
        self.moved.store(self.now(), Relaxed);
    }

    /// A request was given up by the client before its answer.
    fn abandoned(&self) {
        if self.resets.check().is_err() {
            self.abused.store(true, Relaxed);
            self.look.notify_one();
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// The mark of a running request; the request ends when it is dropped.
#[derive(Debug)]
pub(super) struct Running(Arc<Activity>);

impl Running {
    /// Marks the beginning of a request, of HTTP/2 if `multiplexed`.
    pub(super) fn start(activity: &Arc<Activity>, multiplexed: bool) -> Self {
        if multiplexed {
            activity.multiplexed.store(true, Relaxed);
        }
        if activity.begun.fetch_add(1, Relaxed) + 1 >= activity.max_requests {
            activity.look.notify_one();
        }
        activity.running.fetch_add(1, Relaxed);
        activity.head_since.store(0, Relaxed);
        activity.progress();
        Self(Arc::clone(activity))
    }

    /// Its client gave it up before it was whole: counted as a request begun for nothing.
    pub(super) fn given_up(&self) {
        self.0.abandoned();
    }

    /// Some of its answer was taken for sending.
    pub(super) fn progress(&self) {
        self.0.progress();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.progress();
        self.0.running.fetch_sub(1, Relaxed);
    }
}

/// The mark of a request whose answer is not ready; one that is dropped before [`Answering::done`] was given up.
#[derive(Debug)]
pub(super) struct Answering(Option<Arc<Activity>>);

impl Answering {
    /// An answer is being made.
    pub(super) fn start(activity: &Arc<Activity>) -> Self {
        Self(Some(Arc::clone(activity)))
    }

    /// The answer is ready.
    pub(super) fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(activity) = &self.0 {
            activity.abandoned();
        }
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
        let running = Running::start(&activity, false);
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
        drop(Running::start(&activity, false));
        assert_eq!(
            activity.verdict_at(1_000, false),
            Verdict::Wait(Duration::from_secs(10))
        );
        assert_eq!(activity.verdict_at(76_000, false), Verdict::Close);
        assert_eq!(activity.verdict_at(76_000, true), Verdict::Cut);
    }

    #[test]
    fn frames_between_requests_begin_no_head_and_do_not_keep_a_connection() {
        let activity = fresh();
        drop(Running::start(&activity, true));
        activity.received();
        assert!(matches!(
            activity.verdict_at(20_000, false),
            Verdict::Wait(_)
        ));
        assert_eq!(activity.verdict_at(76_000, false), Verdict::Close);
    }

    #[test]
    fn a_connection_ends_after_its_requests_and_its_age() {
        let activity = Activity::new(&Limits {
            max_requests_per_connection: 2,
            max_connection_seconds: 100,
            keep_alive_seconds: 1_000,
            stall_timeout_seconds: 30,
            ..Limits::default()
        });
        drop(Running::start(&activity, false));
        assert!(matches!(
            activity.verdict_at(9_000, false),
            Verdict::Wait(_)
        ));
        assert_eq!(activity.verdict_at(100_000, false), Verdict::Close);
        let second = Running::start(&activity, false);
        assert_eq!(
            activity.verdict_at(9_000, false),
            Verdict::Close,
            "its last request runs, no further one is taken"
        );
        activity.moved.store(219_000, Relaxed);
        assert!(matches!(
            activity.verdict_at(219_000, true),
            Verdict::Wait(_)
        ));
        assert_eq!(
            activity.verdict_at(220_000, true),
            Verdict::Cut,
            "even if bytes still move"
        );
        drop(second);
    }

    #[test]
    fn requests_given_up_too_fast_end_a_connection() {
        let activity = Activity::new(&Limits {
            max_resets_per_second: 5,
            ..Limits::default()
        });
        for _ in 0..100 {
            Answering::start(&activity).done();
        }
        for _ in 0..5 {
            drop(Answering::start(&activity));
        }
        assert!(matches!(activity.verdict_at(0, false), Verdict::Wait(_)));
        drop(Answering::start(&activity));
        assert_eq!(activity.verdict_at(0, false), Verdict::Cut);
    }

    #[test]
    fn a_second_head_has_its_own_time() {
        let activity = fresh();
        drop(Running::start(&activity, false));
        activity.received();
        assert_eq!(activity.verdict_at(FAR, false), Verdict::Cut);
    }
}
