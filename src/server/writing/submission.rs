//! From checked changes to the store, and back once they are durable and seen.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::anomaly::refusal::WriteRefusal;
use crate::anomaly::store::{Change, Done, Outcome, Store, Write};
use crate::server::access::Caller;
use crate::server::refusal::Refusal;
use crate::server::search_pool::PoolFault;
use crate::server::service::{Service, defect, pool_refusal};

/// An outcome that is awaited.
pub(super) type Waiting = oneshot::Receiver<Outcome>;

/// Why a write was not done.
pub(super) struct Denied {
    /// The number of the change at fault, from 0.
    pub(super) change: usize,
    /// Why.
    pub(super) refusal: Refusal,
}

/// Hands changes to the store, to be done together or not at all. Waits while the store has too many to do already:
/// not to be called on the reactor.
pub(super) fn submit(
    store: &Store,
    changes: Vec<Change>,
    base_url: String,
    caller: &Caller,
) -> Waiting {
    let (reply, waiting) = oneshot::channel();
    store.submit(
        Write {
            changes,
            base_url,
            view: caller.restricted(),
        },
        move |outcome| {
            // A client that went away no longer waits; what it asked for is done all the same.
            let _ = reply.send(outcome);
        },
    );
    waiting
}

impl Service {
    /// Until when a request that begins now is to be answered.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.limits().request_timeout_seconds)
    }

    /// Waits until the store has done what was submitted, or refused it.
    pub(super) async fn confirmed(
        &self,
        id: &str,
        waiting: Waiting,
        deadline: Instant,
    ) -> Result<Vec<Done>, Denied> {
        let first = |refusal| Denied { change: 0, refusal };
        match tokio::time::timeout_at(deadline, waiting).await {
            Ok(Ok(Ok(done))) => Ok(done),
            Ok(Ok(Err(failed))) => Err(Denied {
                change: failed.change,
                refusal: told(id, failed.refusal),
            }),
            Ok(Err(_)) => Err(first(defect(id, "the store gave no answer to a write"))),
            Err(_) => Err(first(self.unconfirmed())),
        }
    }

    /// Why a check that leads to a write has no result.
    pub(super) fn unchecked(&self, id: &str, fault: PoolFault) -> Refusal {
        match fault {
            // It runs on, and may come to be written.
            PoolFault::Late(_) => self.unconfirmed(),
            other => pool_refusal(id, other),
        }
    }

    fn unconfirmed(&self) -> Refusal {
        Refusal::Unconfirmed {
            seconds: self.limits().request_timeout_seconds,
        }
    }
}

/// What the client is told of a refusal of the store; the server's own log gets what is not for clients.
pub(super) fn told(id: &str, refusal: WriteRefusal) -> Refusal {
    match refusal {
        WriteRefusal::Defect { detail } => defect(id, &detail),
        WriteRefusal::Unavailable { detail, begun } => {
            tracing::debug!(request = id, detail, "a write was turned away");
            Refusal::Write(WriteRefusal::Unavailable { detail, begun })
        }
        other => Refusal::Write(other),
    }
}
