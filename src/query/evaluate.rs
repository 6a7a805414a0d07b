//! From a criterion to the ordinals that satisfy it.
//!
//! Every leaf answers a bitmap from its structure; conjunctions run from the rarest leaf up, by the counts that the
//! dictionaries hold, and stop as soon as nothing is left.

use std::cmp::Reverse;

use roaring::RoaringBitmap;
use rorqual_schema::{Hop, ResourceType};

use super::cost::entry_cost;
use super::criterion::Criterion;
use super::effort::Effort;
use super::error::{Fault, SearchError};
use super::leaf::any_token;
use crate::index::FormatError;
use crate::index::column::ParameterIndex;
use crate::index::directory::Directory;
use crate::index::postings::from_unordered;
use crate::index::snapshot::Snapshot;

/// Evaluates criteria on one snapshot.
pub struct Evaluator<'g> {
    pub(super) snapshot: &'g Snapshot,
    /// Absolute references of a request are ours under this base only.
    pub(super) base_url: &'g str,
    choices: Choices,
    effort: Effort,
}

/// In which order the parts of a conjunction are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum JoinOrder {
    /// By their estimates, the rarest first.
    #[default]
    RarestFirst,
    /// The commonest first: for tests and comparisons only.
    CommonestFirst,
    /// As the request has them: for tests and comparisons only.
    AsWritten,
}

impl JoinOrder {
    /// Puts parts in this order by what they cost.
    pub(super) fn arrange<T>(self, parts: &mut [T], cost: impl Fn(&T) -> u64) {
        match self {
            JoinOrder::RarestFirst => parts.sort_by_key(cost),
            JoinOrder::CommonestFirst => parts.sort_by_key(|part| Reverse(cost(part))),
            JoinOrder::AsWritten => {}
        }
    }
}

/// What the planner is free to choose; no choice changes an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choices {
    /// The order of conjunctions.
    pub order: JoinOrder,
    /// Up to how many candidates are asked one by one whatever that spares; more of them when it spares much; none at 0.
    pub candidates: u64,
}

impl Default for Choices {
    fn default() -> Self {
        Choices {
            order: JoinOrder::default(),
            candidates: 256,
        }
    }
}

/// Where the parameters of a level are looked up: the resources of one part of a type, or the lines of one of its groups.
#[derive(Clone, Copy)]
pub(super) struct Level {
    pub(super) kind: ResourceType,
    pub(super) part: usize,
    pub(super) group: Option<usize>,
}

impl Level {
    /// The resources of a part of a type.
    pub(super) fn resources(kind: ResourceType, part: usize) -> Level {
        Level {
            kind,
            part,
            group: None,
        }
    }

    /// The lines of a group of this level's resources.
    pub(super) fn lines(self, group: usize) -> Level {
        Level {
            group: Some(group),
            ..self
        }
    }
}

impl<'g> Evaluator<'g> {
    /// An evaluator on `snapshot` for requests made under `base_url`.
    pub fn new(snapshot: &'g Snapshot, base_url: &'g str) -> Evaluator<'g> {
        Evaluator {
            snapshot,
            base_url,
            choices: Choices::default(),
            effort: Effort::unbounded(),
        }
    }

    /// The same evaluator, held to an effort.
    pub fn within(self, effort: Effort) -> Evaluator<'g> {
        Evaluator { effort, ..self }
    }

    /// The same evaluator with other choices.
    pub fn with_choices(self, choices: Choices) -> Evaluator<'g> {
        Evaluator { choices, ..self }
    }

    pub(super) fn effort(&self) -> &Effort {
        &self.effort
    }

    pub(super) fn choices(&self) -> Choices {
        self.choices
    }

    /// The ordinals of `kind` that satisfy `criterion`.
    ///
    /// # Errors
    /// [`SearchError`] when the index is damaged or the criterion does not fit the type.
    pub fn matches(
        &self,
        kind: ResourceType,
        criterion: &Criterion,
    ) -> Result<RoaringBitmap, SearchError> {
        let mut all = RoaringBitmap::new();
        for part in self.snapshot.parts(kind) {
            let found = self.evaluate(Level::resources(kind, part.number), criterion)?;
            let found = self.snapshot.seen(kind, part, found);
            if part.number == 0 {
                all = found;
            } else {
                all |= found;
            }
        }
        Ok(all)
    }

    /// The directory of a level.
    pub(super) fn directory(&self, level: Level) -> &'g Directory {
        self.snapshot.directory(level.kind, level.part)
    }

    pub(super) fn evaluate(
        &self,
        level: Level,
        criterion: &Criterion,
    ) -> Result<RoaringBitmap, SearchError> {
        self.effort.check()?;
        match criterion {
            Criterion::All => Ok(self.everything(level)),
            Criterion::Nothing => Ok(RoaringBitmap::new()),
            Criterion::And(parts) => self.all_of(level, parts),
            Criterion::Or(parts) => {
                let own = |number| self.parameter(level, number).ok();
                if let Some(found) = any_token(parts, &own) {
                    return Ok(found);
                }
                let mut any = RoaringBitmap::new();
                for part in parts {
                    any |= self.evaluate(level, part)?;
                }
                Ok(any)
            }
            Criterion::Not(part) => Ok(self.everything(level) - self.evaluate(level, part)?),
            Criterion::Test { parameter, test } => self.test(level, *parameter, test),
            Criterion::Chain { .. } => self.all_of(level, std::slice::from_ref(criterion)),
            Criterion::Has {
                source,
                parameter,
                inner,
            } => {
                let mut targets = Vec::new();
                for part in self.snapshot.parts(*source) {
                    let from = Level::resources(*source, part.number);
                    let found = self.evaluate(from, inner)?;
                    let references = self.references(from, *parameter)?;
                    for ordinal in self.snapshot.seen(*source, part, found) {
                        let of_part = references.targets(ordinal - part.start);
                        targets.extend(
                            of_part
                                .filter(|(kind, _)| *kind == level.kind)
                                .map(|(_, to)| to),
                        );
                    }
                }
                Ok(from_unordered(&targets))
            }
            Criterion::Line { group, inner } => {
                let lines = self.evaluate(level.lines(*group), inner)?;
                let index = self.directory(level).group(*group).ok_or_else(misfit)?;
                // A line inside a line answers the lines that hold it; outside, the resources.
                Ok(if level.group.is_some() {
                    index.lines.parents(&lines)
                } else {
                    index.lines.owners(&lines)
                })
            }
        }
    }

    fn everything(&self, level: Level) -> RoaringBitmap {
        let directory = self.directory(level);
        let count = match level.group {
            None => directory.len(),
            Some(group) => directory
                .group(group)
                .map_or(0, |group| group.lines.len() as u32),
        };
        let mut all = RoaringBitmap::new();
        all.insert_range(0..count);
        all
    }

    /// Positive parts from the rarest up, then negated ones as differences. Once few candidates are left, a part
    /// that can be asked about single ordinals is asked, instead of being read whole.
    fn all_of(&self, level: Level, parts: &[Criterion]) -> Result<RoaringBitmap, SearchError> {
        let (positive, negated) = self.ordered(level, parts);
        let mut left: Option<RoaringBitmap> = None;
        for (_, part) in positive {
            let both = match self.narrowed(level, part, left)? {
                Some(left) => match self.question(level, part, left.len()) {
                    Some(holds) => self.those(&left, &holds, true)?,
                    None => left & self.whole(level, part)?,
                },
                None => self.whole(level, part)?,
            };
            if both.is_empty() {
                return Ok(both);
            }
            left = Some(both);
        }
        let mut left = left.unwrap_or_else(|| self.everything(level));
        for part in negated {
            left = match self.question(level, part, left.len()) {
                Some(holds) => self.those(&left, &holds, false)?,
                None => left - self.evaluate(level, part)?,
            };
        }
        Ok(left)
    }

    /// All that satisfies one part of a conjunction.
    fn whole(&self, level: Level, part: &Criterion) -> Result<RoaringBitmap, SearchError> {
        match part {
            Criterion::Chain {
                parameter,
                target,
                hop,
                inner,
            } => self.chain(level, *parameter, *target, *hop, inner),
            _ => self.evaluate(level, part),
        }
    }

    /// What refers to something that satisfies a condition.
    fn chain(
        &self,
        level: Level,
        parameter: usize,
        target: ResourceType,
        hop: Hop,
        inner: &Criterion,
    ) -> Result<RoaringBitmap, SearchError> {
        if let Some(found) = self.precomputed(level, parameter, hop, inner) {
            return found;
        }
        let mut found = self.matches(target, inner)?;
        if hop == Hop::Above {
            found = self.with_descendants(target, found)?;
        }
        Ok(self.referring(self.references(level, parameter)?, target, &found))
    }

    /// The parts of a conjunction as they are taken: positive ones with their estimates, and what is negated.
    pub(super) fn ordered<'c>(
        &self,
        level: Level,
        parts: &'c [Criterion],
    ) -> (Vec<(u64, &'c Criterion)>, Vec<&'c Criterion>) {
        let (mut negated, mut positive) = (Vec::new(), Vec::new());
        for part in parts {
            match part {
                Criterion::Not(part) => negated.push(&**part),
                Criterion::All => {}
                part => positive.push((self.estimate(level, part), part)),
            }
        }
        let cost = |(estimate, part): &(u64, &Criterion)| estimate.saturating_mul(entry_cost(part));
        self.choices.order.arrange(&mut positive, cost);
        (positive, negated)
    }

    pub(super) fn parameter(
        &self,
        level: Level,
        number: usize,
    ) -> Result<&'g ParameterIndex, SearchError> {
        let directory = self.directory(level);
        let index = match level.group {
            None => directory.parameter(number),
            Some(group) => directory.group(group).and_then(|group| {
                group
                    .parameters
                    .iter()
                    .find(|(own, _)| *own == number)
                    .map(|(_, index)| index)
            }),
        };
        index.ok_or_else(misfit)
    }
}

/// The tree asks a structure for what it does not hold: a defect of ours, never of the request.
pub(super) fn misfit() -> SearchError {
    SearchError::from(Fault::Internal {
        detail: "a criterion does not fit the parameter it tests".to_owned(),
    })
}

/// A structure that cannot be read.
pub fn damaged(error: FormatError) -> SearchError {
    SearchError::from(Fault::DamagedIndex {
        detail: error.to_string(),
    })
}
