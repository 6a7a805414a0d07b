//! A future that is polled only when it was woken itself.
//!
//! A connection waits for its protocol and, beside it, for the few things that end it. Each byte wakes its task, and the
//! others would be asked again every time, taking the lock of each list they wait in.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel};
use std::task::{Context, Poll, Wake, Waker};

/// A future beside others in one task.
#[derive(Debug)]
pub(super) struct Apart<F> {
    future: F,
    mark: Option<(Arc<Mark>, Waker)>,
}

/// Whether it was woken since it was polled, and whom to wake then.
#[derive(Debug)]
struct Mark {
    woken: AtomicBool,
    task: Waker,
}

impl Wake for Mark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, std::sync::atomic::Ordering::Release);
        self.task.wake_by_ref();
    }
}

impl<F: Future + Unpin> Apart<F> {
    /// Sets a future apart.
    pub(super) fn new(future: F) -> Self {
        Self { future, mark: None }
    }
}

impl<F: Future + Unpin> Future for Apart<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let known = self.mark.as_ref();
        if let Some((mark, _)) = known.filter(|(mark, _)| mark.task.will_wake(cx.waker()))
            && !mark.woken.swap(false, AcqRel)
        {
            return Poll::Pending;
        }
        let this = &mut *self;
        if !matches!(&this.mark, Some((mark, _)) if mark.task.will_wake(cx.waker())) {
            let mark = Arc::new(Mark {
                woken: AtomicBool::new(false),
                task: cx.waker().clone(),
            });
            let waker = Waker::from(Arc::clone(&mark));
            this.mark = Some((mark, waker));
        }
        match &this.mark {
            Some((_, waker)) => Pin::new(&mut this.future).poll(&mut Context::from_waker(waker)),
            None => Pin::new(&mut this.future).poll(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::{Cell, RefCell};
    use std::future::poll_fn;

    #[test]
    fn it_is_asked_once_and_then_when_woken() {
        let (asked, inner) = (Cell::new(0), RefCell::new(None));
        let counting = poll_fn(|cx| {
            asked.set(asked.get() + 1);
            *inner.borrow_mut() = Some(cx.waker().clone());
            match asked.get() {
                3 => Poll::Ready(7),
                _ => Poll::Pending,
            }
        });
        let mut apart = Apart::new(counting);
        let mut poll = |waker: &Waker| Pin::new(&mut apart).poll(&mut Context::from_waker(waker));
        let task = Arc::new(Mark {
            woken: AtomicBool::new(false),
            task: Waker::noop().clone(),
        });
        let waker = Waker::from(Arc::clone(&task));
        for _ in 0..5 {
            assert_eq!(poll(&waker), Poll::Pending);
        }
        assert_eq!(asked.get(), 1, "nothing woke it");
        let wake = || inner.borrow().clone().unwrap().wake();
        wake();
        assert!(
            task.woken.load(std::sync::atomic::Ordering::Acquire),
            "the task is told"
        );
        assert_eq!(poll(&waker), Poll::Pending);
        assert_eq!(poll(&waker), Poll::Pending);
        assert_eq!(asked.get(), 2);
        // Another task polls it from now on, and must be the one that is woken.
        let other = Arc::new(Mark {
            woken: AtomicBool::new(false),
            task: Waker::noop().clone(),
        });
        assert_eq!(poll(&Waker::from(Arc::clone(&other))), Poll::Ready(7));
    }
}
