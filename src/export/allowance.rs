//! How often something may be asked for: a number at once, then one each second.

use std::time::{Duration, Instant};

/// What is left, at an instant.
#[derive(Debug)]
pub(super) struct Allowance {
    most: u32,
    left: u32,
    /// When what is left was counted.
    counted: Instant,
}

/// What brings one more.
const EACH: Duration = Duration::from_secs(1);

impl Allowance {
    /// `most` at once, at least one.
    pub(super) fn new(most: u32, now: Instant) -> Allowance {
        Allowance {
            most: most.max(1),
            left: most.max(1),
            counted: now,
        }
    }

    /// Takes one, or says in how many seconds there is one again.
    pub(super) fn take(&mut self, now: Instant) -> Result<(), u32> {
        let passed = now.saturating_duration_since(self.counted).as_secs();
        if passed > 0 {
            let more = u32::try_from(passed).unwrap_or(u32::MAX);
            self.left = self.left.saturating_add(more).min(self.most);
            // The rest of a second counts for the next one.
            self.counted += EACH * more;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_at_once_then_one_each_second() {
        let start = Instant::now();
        let after = |milliseconds| start + Duration::from_millis(milliseconds);
        let mut allowance = Allowance::new(3, start);
        for _ in 0..3 {
            assert_eq!(allowance.take(start), Ok(()));
        }
        assert_eq!(allowance.take(after(999)), Err(1));
        assert_eq!(allowance.take(after(1_500)), Ok(()));
        assert_eq!(allowance.take(after(1_900)), Err(1));
        assert_eq!(
            allowance.take(after(2_000)),
            Ok(()),
            "half a second was kept"
        );
        for _ in 0..3 {
            assert_eq!(allowance.take(after(90_000)), Ok(()));
        }
        assert_eq!(
            allowance.take(after(90_000)),
            Err(1),
            "never more than at first"
        );
    }
}
