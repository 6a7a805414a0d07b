//! What a chain into lines or through several conditions implies, told by postings kept at the level of the resource that
//! refers.
//!
//! That one line of a place satisfies two conditions is found by reading the lines of the whole country. That each of the two
//! holds somewhere in a place of an offer is kept with the offer, and must be so: intersecting that first leaves few offers,
//! which are then asked about their lines.

use roaring::RoaringBitmap;
use rorqual_schema::{Hop, ResourceType};

use super::criterion::Criterion;
use super::error::SearchError;
use super::evaluate::{Evaluator, Level};

/// A condition that whatever satisfies a chain satisfies as well.
#[derive(Clone, Copy)]
pub(super) struct Implied<'c> {
    /// How many ordinals satisfy it at most.
    pub(super) estimate: u64,
    parameter: usize,
    target: ResourceType,
    hop: Hop,
    /// A test of one parameter of the target.
    test: &'c Criterion,
}

impl Implied<'_> {
    /// The condition as a criterion of its own.
    pub(super) fn criterion(&self) -> Criterion {
        Criterion::Chain {
            parameter: self.parameter,
            target: self.target,
            hop: self.hop,
            inner: Box::new(self.test.clone()),
        }
    }
}

impl Evaluator<'_> {
    /// What a criterion implies that is kept at its own level, the rarest first; nothing of what is kept there itself.
    pub(super) fn implied<'c>(&self, level: Level, criterion: &'c Criterion) -> Vec<Implied<'c>> {
        let Criterion::Chain {
            parameter,
            target,
            hop,
            inner,
        } = criterion
        else {
            return Vec::new();
        };
        let mut tests = Vec::new();
        if !matches!(**inner, Criterion::Test { .. }) {
            necessary(inner, &mut tests);
        }
        let implied = tests.into_iter().filter_map(|test| {
            let mut implied = Implied {
                estimate: 0,
                parameter: *parameter,
                target: *target,
                hop: *hop,
                test,
            };
            implied.estimate = self.estimate_precomputed(level, *parameter, implied.hop, test)?;
            Some(implied)
        });
        let mut implied: Vec<Implied<'c>> = implied.collect();
        let order = self.choices().order;
        order.arrange(&mut implied, |implied| implied.estimate);
        implied
    }

    /// The candidates that satisfy what a criterion implies, until few enough are left to be asked about the criterion;
    /// without candidates those of the whole level, if the criterion implies anything.
    pub(super) fn narrowed(
        &self,
        level: Level,
        criterion: &Criterion,
        mut left: Option<RoaringBitmap>,
    ) -> Result<Option<RoaringBitmap>, SearchError> {
        let few = |left: &RoaringBitmap| left.len() <= self.choices().candidates;
        if left.as_ref().is_some_and(few) {
            return Ok(left);
        }
        for implied in self.implied(level, criterion) {
            let Some(found) = self.precomputed(level, implied.parameter, implied.hop, implied.test)
            else {
                continue;
            };
            let found = found?;
            let both = match left {
                Some(left) => left & found,
                None => found,
            };
            let enough = few(&both);
            left = Some(both);
            if enough {
                break;
            }
        }
        Ok(left)
    }
}

/// The tests that a condition cannot do without.
fn necessary<'c>(criterion: &'c Criterion, tests: &mut Vec<&'c Criterion>) {
    match criterion {
        Criterion::Test { .. } => tests.push(criterion),
        Criterion::And(parts) => parts.iter().for_each(|part| necessary(part, tests)),
        Criterion::Line { inner, .. } => necessary(inner, tests),
        // Of several one would do, and what leads further is of another type.
        Criterion::Or(_)
        | Criterion::Not(_)
        | Criterion::Chain { .. }
        | Criterion::Has { .. }
        | Criterion::All
        | Criterion::Nothing => {}
    }
}
