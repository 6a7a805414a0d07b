//! What a comparison has found, for people and for machines.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// A count before and after.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Change {
    /// In the live generation; absent when none is live.
    pub before: Option<u64>,
    /// In the candidate.
    pub after: u64,
}

impl Change {
    /// Why the change is more than passes, if it is: shares in per cent of the count before; a change of `slack` or fewer
    /// passes always, and so does any growth when `grow` is nothing.
    pub(super) fn beyond(&self, shrink: f64, grow: Option<f64>, slack: u64) -> Option<String> {
        let before = self.before?;
        let (difference, most, verb) = match self.after < before {
            true => (before - self.after, shrink, "lost"),
            false => (self.after - before, grow?, "gained"),
        };
        if difference <= slack || difference as f64 * 100.0 <= most * before as f64 {
            return None;
        }
        let share = match before {
            0 => String::new(),
            _ => format!(" ({:.1} %)", 100.0 * difference as f64 / before as f64),
        };
        Some(format!(
            "{before} before, {} now: {verb} {difference}{share}, at most {most} % passes",
            self.after
        ))
    }
}

/// What a canary has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CanaryFound {
    /// Its search.
    pub query: String,
    /// Its total in the live generation; absent without one, or when the search cannot be made there.
    pub before: Option<u64>,
    /// Its total in the candidate; absent when the search cannot be made.
    pub after: Option<u64>,
}

/// The account of one comparison. Serialised keys are stable.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The generation that was compared.
    pub candidate: String,
    /// With this one; absent when none is live.
    pub live: Option<String>,
    /// Resources by type.
    pub types: BTreeMap<String, Change>,
    /// Resources by region and type.
    pub regions: BTreeMap<String, BTreeMap<String, Change>>,
    /// Dangling references per hundred resources, by type: before and after.
    pub dangling_percent: BTreeMap<String, (Option<f64>, f64)>,
    /// The share of the records read that were refused, in per cent; absent when the generation is no candidate.
    pub rejected_percent: Option<f64>,
    /// What the canaries found.
    pub canaries: Vec<CanaryFound>,
    /// What could not be compared, one sentence each.
    pub notes: Vec<String>,
    /// What is not within the tolerances, one sentence each; empty when the candidate may go live.
    pub refusals: Vec<String>,
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.live {
            Some(live) => writeln!(f, "Candidate {} compared with {live}", self.candidate)?,
            None => writeln!(f, "Candidate {}; no generation is live", self.candidate)?,
        }
        let shown = |count: Option<u64>| count.map_or("-".to_owned(), |count| count.to_string());
        for (name, change) in &self.types {
            let dangling = self.dangling_percent.get(name);
            writeln!(
                f,
                "  {name:18} {:>10} -> {:>10}  dangling per hundred {:.2}",
                shown(change.before),
                change.after,
                dangling.map_or(0.0, |(_, after)| *after)
            )?;
        }
        for (code, types) in &self.regions {
            let offers = types
                .get("HealthcareService")
                .copied()
                .unwrap_or(Change::default());
            writeln!(
                f,
                "  region {code}: offers {} -> {}",
                shown(offers.before),
                offers.after
            )?;
        }
        if let Some(rejected) = self.rejected_percent {
            writeln!(f, "  rejected {rejected:.3} % of the records read")?;
        }
        for canary in &self.canaries {
            writeln!(
                f,
                "  {}: {} -> {}",
                canary.query,
                shown(canary.before),
                shown(canary.after)
            )?;
        }
        for note in &self.notes {
            writeln!(f, "  {note}")?;
        }
        if self.refusals.is_empty() {
            return writeln!(f, "  within the tolerances");
        }
        for refusal in &self.refusals {
            writeln!(f, "  refused: {refusal}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beyond(before: u64, after: u64, shrink: f64, grow: f64, slack: u64) -> bool {
        let change = Change {
            before: Some(before),
            after,
        };
        change.beyond(shrink, Some(grow), slack).is_some()
    }

    #[test]
    fn a_change_is_measured_against_what_was_there() {
        assert!(!beyond(1000, 950, 5.0, 0.0, 0), "five per cent is allowed");
        assert!(beyond(1000, 949, 5.0, 100.0, 0));
        assert!(!beyond(1000, 1200, 0.0, 20.0, 0));
        assert!(beyond(1000, 1201, 100.0, 20.0, 0));
        assert!(!beyond(10, 0, 5.0, 5.0, 10), "within the slack");
        assert!(beyond(10, 21, 5.0, 5.0, 10));
        assert!(beyond(0, 11, 5.0, 1e9, 10), "nothing has no share");
        let nothing = Change {
            before: None,
            after: 9,
        };
        assert_eq!(nothing.beyond(0.0, Some(0.0), 0), None);
    }

    #[test]
    fn growth_without_a_bound_passes_and_loss_does_not() {
        let change = |before, after| Change {
            before: Some(before),
            after,
        };
        assert_eq!(change(0, 1_000_000).beyond(5.0, None, 0), None);
        assert_eq!(change(256, 481).beyond(5.0, None, 20), None);
        assert!(change(481, 256).beyond(5.0, None, 20).is_some());
    }
}
