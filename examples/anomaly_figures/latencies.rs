//! Latencies, and what is usually asked of them.

use std::time::Duration;

/// What was measured.
#[derive(Default)]
pub struct Latencies(Vec<Duration>);

impl Latencies {
    /// Adds one.
    pub fn push(&mut self, one: Duration) {
        self.0.push(one);
    }

    /// Adds those of another.
    pub fn extend(&mut self, other: Latencies) {
        self.0.extend(other.0);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Median and 99th percentile.
    pub fn middle_and_tail(&mut self) -> (Duration, Duration) {
        self.0.sort_unstable();
        let at = |part: f64| {
            let place = part * self.0.len().saturating_sub(1) as f64;
            self.0.get(place as usize).copied().unwrap_or_default()
        };
        (at(0.5), at(0.99))
    }
}
