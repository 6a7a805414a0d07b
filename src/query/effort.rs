//! What one search may take while it runs: time, so that nobody's request holds a turn for ever.

use std::time::{Duration, Instant};

use super::error::{Fault, SearchError};

/// The time that a search has, from when it is begun.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    until: Option<Instant>,
    budget: Duration,
}

impl Effort {
    /// As long as it takes.
    pub fn unbounded() -> Effort {
        Effort {
            until: None,
            budget: Duration::MAX,
        }
    }

    /// From now on for `budget`.
    pub fn of(budget: Duration) -> Effort {
        Effort {
            until: Instant::now().checked_add(budget),
            budget,
        }
    }

    /// Whether there is time left; asked between two steps, each of which takes milliseconds at most.
    ///
    /// # Errors
    /// [`Fault::Timeout`].
    pub fn check(&self) -> Result<(), SearchError> {
        match self.until {
            Some(until) if Instant::now() >= until => Err(SearchError::from(Fault::Timeout {
                milliseconds: u64::try_from(self.budget.as_millis()).unwrap_or(u64::MAX),
            })),
            _ => Ok(()),
        }
    }
}
