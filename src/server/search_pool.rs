//! Where searches run that are not light: on threads of their own, as many at once as there are cores.
//!
//! A light search ([`Weight::Light`], told by counts before it runs) is some microseconds of computation and is carried
//! out where it arrives: handing it over would cost more than the search. It has no turn to wait for, so that nothing
//! else delays it. Any other could hold a worker of the runtime for long, and with all workers held nobody would
//! accept connections, answer health checks or see a time budget end. So it goes to tokio's blocking threads,
//! behind a semaphore: more searches at once than cores only take turns and make each other late. Heavy ones have
//! turns of their own, half as many, so that cores are left for the others; what turns out heavier than was
//! told is begun anew among its like. A search whose client has been told 503 keeps its turn until it ends, so that
//! time-outs cannot pile work up.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::limits::Limits;
use crate::weight::Weight;

/// The turns of searches.
#[derive(Debug)]
pub(super) struct SearchPool {
    turns: Arc<Semaphore>,
    heavy_turns: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
    budget: Duration,
}

/// Why a search has no result.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum PoolFault {
    /// Too many are waiting already.
    Busy,
    /// The time budget, of this many seconds, was spent, waiting included.
    Late(u64),
    /// It panicked, with this message.
    Panicked(String),
}

impl SearchPool {
    /// A pool within the limits.
    pub(super) fn new(limits: &Limits) -> Self {
        let turns = limits.concurrent_searches();
        Self {
            turns: Arc::new(Semaphore::new(turns)),
            heavy_turns: Arc::new(Semaphore::new(turns.div_ceil(2))),
            waiting: AtomicUsize::new(0),
            most_waiting: limits.max_waiting_searches,
            budget: Duration::from_secs(limits.request_timeout_seconds),
        }
    }

    /// When what begins now must be done.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.budget
    }

    /// Runs `work` when its turn comes and gives its result, within the time budget.
    pub(super) async fn run<T, W>(&self, work: W) -> Result<T, PoolFault>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        self.run_until(self.deadline(), Weight::Ordinary, work)
            .await
    }

    /// Runs `work` of some weight when its turn comes and gives its result, if that is there before the deadline.
    pub(super) async fn run_until<T, W>(
        &self,
        deadline: Instant,
        weight: Weight,
        work: W,
    ) -> Result<T, PoolFault>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        let turns = match weight {
            Weight::Light | Weight::Ordinary => &self.turns,
            Weight::Heavy => &self.heavy_turns,
        };
        tokio::time::timeout_at(deadline, self.run_in_turn(turns, work))
            .await
            .unwrap_or(Err(PoolFault::Late(self.budget.as_secs())))
    }

    async fn run_in_turn<T, W>(&self, turns: &Arc<Semaphore>, work: W) -> Result<T, PoolFault>
    where
        T: Send + 'static,
        W: FnOnce() -> T + Send + 'static,
    {
        let turn = match Arc::clone(turns).try_acquire_owned() {
            Ok(turn) => turn,
            Err(_) => {
                let _place =
                    WaitingPlace::take(&self.waiting, self.most_waiting).ok_or(PoolFault::Busy)?;
                // The semaphore is never closed.
                Arc::clone(turns)
                    .acquire_owned()
                    .await
                    .map_err(|_| PoolFault::Busy)?
            }
        };
        let running = tokio::task::spawn_blocking(move || {
            let result = caught(work);
            drop(turn);
            result
        });
        match running.await {
            Ok(result) => result.map_err(PoolFault::Panicked),
            Err(error) => Err(PoolFault::Panicked(error.to_string())),
        }
    }
}

/// One of the places in the queue, given back when dropped, also by a request that goes away.
struct WaitingPlace<'a>(&'a AtomicUsize);

impl<'a> WaitingPlace<'a> {
    fn take(waiting: &'a AtomicUsize, most: usize) -> Option<Self> {
        waiting
            .fetch_update(Relaxed, Relaxed, |count| {
                (count < most).then_some(count + 1)
            })
            .ok()
            .map(|_| Self(waiting))
    }
}

impl Drop for WaitingPlace<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Runs `work`, a panic given as its message. What it shares is read-only, so a panic leaves nothing half-done.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned());
        text.or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without text".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn pool(at_once: usize, waiting: usize) -> Arc<SearchPool> {
        Arc::new(SearchPool::new(&Limits {
            max_concurrent_searches: at_once,
            max_waiting_searches: waiting,
            request_timeout_seconds: 1,
            ..Limits::default()
        }))
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_time()
            .build()
            .unwrap()
            .block_on(future)
    }

    #[test]
    fn a_panic_is_a_result_and_the_turn_comes_back() {
        block_on(async {
            let pool = pool(1, 0);
            for _ in 0..3 {
                let fault = pool.run(|| -> u8 { panic!("on purpose") }).await;
                assert_eq!(fault, Err(PoolFault::Panicked("on purpose".into())));
            }
            assert_eq!(pool.run(|| 7).await, Ok(7));
        });
    }

    #[test]
    fn beyond_the_queue_it_is_busy_at_once() {
        block_on(async {
            let pool = pool(1, 1);
            let (release, held) = mpsc::channel::<()>();
            let (begun, begin) = tokio::sync::oneshot::channel();
            let first = tokio::spawn({
                let pool = Arc::clone(&pool);
                async move {
                    pool.run(move || {
                        begun.send(()).unwrap();
                        held.recv().unwrap();
                    })
                    .await
                }
            });
            begin.await.unwrap();
            let mut second = Box::pin(pool.run(|| 2));
            let polled =
                std::future::poll_fn(|cx| std::task::Poll::Ready(second.as_mut().poll(cx))).await;
            assert!(polled.is_pending(), "the second waits");
            assert_eq!(pool.run(|| 3).await, Err(PoolFault::Busy));
            drop(second);
            release.send(()).unwrap();
            first.await.unwrap().unwrap();
            assert_eq!(pool.run(|| 4).await, Ok(4), "both places are free again");
        });
    }

    #[test]
    fn others_do_not_wait_for_heavy_ones() {
        block_on(async {
            let pool = pool(4, 0);
            let mut heavy = Vec::new();
            let (release, held) = tokio::sync::watch::channel(());
            for _ in 0..2 {
                let (pool, mut held) = (Arc::clone(&pool), held.clone());
                let (begun, begin) = tokio::sync::oneshot::channel();
                heavy.push(tokio::spawn(async move {
                    let deadline = Instant::now() + Duration::from_secs(600);
                    let work = move || {
                        begun.send(()).unwrap();
                        // Until the other end is gone.
                        let runtime = tokio::runtime::Builder::new_current_thread();
                        let runtime = { runtime }.build().unwrap();
                        while runtime.block_on(held.changed()).is_ok() {}
                    };
                    pool.run_until(deadline, Weight::Heavy, work).await
                }));
                begin.await.unwrap();
            }
            let soon = pool.deadline();
            let third = pool.run_until(soon, Weight::Heavy, || 3).await;
            assert_eq!(
                third,
                Err(PoolFault::Busy),
                "half of the turns are for heavy ones"
            );
            assert_eq!(
                pool.run(|| 4).await,
                Ok(4),
                "and none of the others is taken"
            );
            drop(release);
            for one in heavy {
                one.await.unwrap().unwrap();
            }
        });
    }

    #[test]
    fn a_late_search_is_given_up_and_keeps_its_turn() {
        block_on(async {
            let pool = pool(1, 1);
            let (release, held) = mpsc::channel::<()>();
            assert_eq!(
                pool.run(move || held.recv().unwrap()).await,
                Err(PoolFault::Late(1))
            );
            assert_eq!(pool.turns.available_permits(), 0);
            release.send(()).unwrap();
            assert_eq!(pool.run(|| 5).await, Ok(5));
        });
    }
}
