//! What finding the matches of a criterion will cost, told beforehand from counts alone.
//!
//! The unit is an entry of postings or of a column read, about a nanosecond. The figures decide where a search runs, never
//! what it answers: they need not be exact, and what they leave out is bounded by time when it runs.

use rorqual_schema::{Hop, ResourceType};

use super::criterion::{Criterion, Test};
use super::evaluate::{Evaluator, Level};
use super::leaf;
use crate::index::column::ParameterIndex;

/// A text, number or date costs more than a token, whose postings are bitmaps already: what is found is put in order.
const UNORDERED: u64 = 3;
/// What an entry of texts that begin alike costs beside one of postings that are a bitmap already.
const IN_LISTS: u64 = 8;
/// Entries that are read in the time of asking one test about one ordinal.
const ENTRIES_PER_QUESTION: u64 = 64;
/// Common tokens have bitmaps, of which so many entries are read in the time of one.
const ENTRIES_OF_BITMAP: u64 = 16;
/// From how many ordinals on a token is taken to have a bitmap.
const COMMON: u64 = 4096;
/// Following a reference costs more than reading an entry.
const FOLLOWED: u64 = 5;
/// Reading the ordinals that a reference has from a given resource.
const LOOKUP: u64 = 500;

/// What finding something costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Entries read, about.
    pub entries: u64,
    /// Whether that is all of it; otherwise only finding it tells.
    pub known: bool,
    /// How many resources match at most.
    pub matches: u64,
}

/// Entries read so far.
#[derive(Default)]
struct Reading {
    entries: u64,
    unknown: bool,
}

impl Reading {
    fn add(&mut self, entries: u64) {
        self.entries = self.entries.saturating_add(entries);
    }
}

impl Evaluator<'_> {
    /// What finding the resources of `kind` that satisfy `criterion` costs.
    pub fn cost(&self, kind: ResourceType, criterion: &Criterion) -> Cost {
        let mut reading = Reading::default();
        let mut matches = 0;
        for part in self.snapshot.parts(kind) {
            let level = Level::resources(kind, part.number);
            matches += self.estimate(level, criterion);
            self.read(level, criterion, &mut reading);
        }
        Cost {
            entries: reading.entries,
            known: !reading.unknown,
            matches,
        }
    }

    fn read(&self, level: Level, criterion: &Criterion, reading: &mut Reading) {
        match criterion {
            Criterion::All | Criterion::Nothing => {}
            Criterion::And(parts) => self.read_all_of(level, parts, reading),
            Criterion::Or(parts) => {
                for part in parts {
                    self.read(level, part, reading);
                }
            }
            Criterion::Not(part) => self.read(level, part, reading),
            Criterion::Line { group, inner } => {
                let lines = level.lines(*group);
                self.read(lines, inner, reading);
                reading.add(self.estimate(lines, inner));
            }
            Criterion::Test { parameter, test } => match test {
                Test::Token(_)
                | Test::OfType { .. }
                | Test::StartsWith(_)
                | Test::Equals(_)
                | Test::Date { .. }
                | Test::Number(_)
                | Test::Quantity { .. }
                | Test::Present => {
                    let index = self.parameter(level, *parameter).ok();
                    reading.add(of_values(index, test, self.estimate(level, criterion)));
                }
                Test::Reference(_) | Test::LogicalReference(_) => reading.add(LOOKUP),
                Test::Contains(_)
                | Test::EndsWith(_)
                | Test::Below(_)
                | Test::Near { .. }
                | Test::Content(_) => reading.unknown = true,
            },
            Criterion::Chain {
                parameter,
                target,
                hop,
                inner,
            } => {
                if let Some(kept) = self.estimate_precomputed(level, *parameter, *hop, inner) {
                    return reading.add(match &**inner {
                        Criterion::Test {
                            parameter: end,
                            test,
                        } => {
                            let index = self.directory(level).precomputed(*parameter, *hop, *end);
                            of_values(index, test, kept)
                        }
                        _ => kept,
                    });
                }
                // How deep families go is not told by counts.
                reading.unknown |=
                    *hop == Hop::Above || self.is_precomputed(level, *parameter, *hop, inner);
                self.read_elsewhere(*target, inner, reading);
            }
            Criterion::Has { source, inner, .. } => self.read_elsewhere(*source, inner, reading),
        }
    }

    /// What resources of another type satisfy, and the references between them and ours.
    fn read_elsewhere(&self, kind: ResourceType, inner: &Criterion, reading: &mut Reading) {
        for part in self.snapshot.parts(kind) {
            let there = Level::resources(kind, part.number);
            self.read(there, inner, reading);
            reading.add(self.estimate(there, inner).saturating_mul(FOLLOWED));
        }
    }

    /// A conjunction, as it is evaluated: the rarest part first, then what others imply, and those that can be asked about what
    /// is left of it.
    fn read_all_of(&self, level: Level, parts: &[Criterion], reading: &mut Reading) {
        let (positive, negated) = self.ordered(level, parts);
        let mut left = None;
        for (estimate, part) in positive {
            for implied in self.implied(level, part) {
                if left.is_some_and(|left| left <= self.choices().candidates) {
                    break;
                }
                reading.add(of_token(implied.estimate));
                left = Some(left.unwrap_or(u64::MAX).min(implied.estimate));
            }
            match left {
                None => self.read(level, part, reading),
                Some(left) => self.read_beside(level, part, left, reading),
            }
            left = Some(left.unwrap_or(estimate).min(estimate));
        }
        for part in negated {
            self.read_beside(level, part, left.unwrap_or(u64::MAX), reading);
        }
    }

    /// Whether asking each of so many candidates about a criterion is cheaper than reading all that it selects.
    pub(super) fn worth_asking(
        &self,
        level: Level,
        criterion: &Criterion,
        candidates: u64,
    ) -> bool {
        match self.choices().candidates {
            0 => false,
            few if candidates <= few => true,
            _ => {
                let mut whole = Reading::default();
                self.read(level, criterion, &mut whole);
                let each = self.entries_per_question(level, criterion);
                candidates.saturating_mul(each) <= whole.entries
            }
        }
    }

    /// Entries that are read in the time of asking about one ordinal of a level.
    fn entries_per_question(&self, level: Level, criterion: &Criterion) -> u64 {
        let further = match criterion {
            Criterion::All | Criterion::Nothing | Criterion::Test { .. } => 0,
            Criterion::And(parts) | Criterion::Or(parts) => {
                let each = parts
                    .iter()
                    .map(|part| self.entries_per_question(level, part));
                return each.sum();
            }
            Criterion::Not(inner) => return self.entries_per_question(level, inner),
            Criterion::Line { group, inner } => {
                let inside = level.lines(*group);
                let directory = self.directory(level);
                let lines = directory
                    .group(*group)
                    .map_or(0, |group| group.lines.len() as u64);
                // As many lines as there are at a time; of those inside lines, of the whole owner.
                let at_once = lines.div_ceil(u64::from(directory.len()).max(1));
                at_once.saturating_mul(self.entries_per_question(inside, inner))
            }
            Criterion::Chain { target, inner, .. } => {
                self.entries_per_question(Level::resources(*target, 0), inner)
            }
            Criterion::Has { source, inner, .. } => {
                self.entries_per_question(Level::resources(*source, 0), inner)
            }
        };
        ENTRIES_PER_QUESTION.saturating_add(further)
    }

    fn read_beside(&self, level: Level, part: &Criterion, left: u64, reading: &mut Reading) {
        let mut whole = Reading::default();
        self.read(level, part, &mut whole);
        let asked = left.saturating_mul(self.entries_per_question(level, part));
        if asked < whole.entries && can_be_asked(part) {
            return reading.add(asked);
        }
        reading.add(whole.entries);
        reading.unknown |= whole.unknown;
    }
}

/// What reading the values costs that a test selects, so many ordinals.
fn of_values(index: Option<&ParameterIndex>, test: &Test, ordinals: u64) -> u64 {
    if let Test::Token(_) | Test::OfType { .. } = test {
        return of_token(ordinals);
    }
    match index.and_then(|index| leaf::rows_between_blocks(index, test)) {
        // A bitmap that is ready, and the rows from where it ends.
        Some(rows) => ordinals / ENTRIES_OF_BITMAP + rows.saturating_mul(UNORDERED),
        None => ordinals.saturating_mul(UNORDERED),
    }
}

/// What reading a token of so many ordinals costs.
fn of_token(ordinals: u64) -> u64 {
    ordinals.min(COMMON + ordinals / ENTRIES_OF_BITMAP)
}

/// What reading an entry of a criterion costs beside one of postings that are a bitmap already: texts that begin alike have a
/// list each, and what is in them has to be put in order.
pub(super) fn entry_cost(criterion: &Criterion) -> u64 {
    match criterion {
        Criterion::Test {
            test: Test::StartsWith(_),
            ..
        } => IN_LISTS,
        Criterion::Chain { inner, .. } => entry_cost(inner),
        _ => 1,
    }
}

/// Whether single ordinals can be asked, as a rule.
fn can_be_asked(criterion: &Criterion) -> bool {
    match criterion {
        Criterion::All | Criterion::Nothing => true,
        Criterion::And(parts) | Criterion::Or(parts) => parts.iter().all(can_be_asked),
        Criterion::Not(inner) | Criterion::Line { inner, .. } => can_be_asked(inner),
        Criterion::Chain { inner, hop, .. } => *hop == Hop::Direct && can_be_asked(inner),
        Criterion::Has { .. } => false,
        Criterion::Test { test, .. } => {
            matches!(
                test,
                Test::Token(_)
                    | Test::Number(_)
                    | Test::StartsWith(_)
                    | Test::Quantity { unit: Some(_), .. }
            )
        }
    }
}
