//! Asking single ordinals whether they satisfy a criterion, instead of reading everything that does.
//!
//! Worth it once few candidates are left ([`super::cost`]): a binary search in postings or a look into a column each, down
//! along references and into the lines of repeating groups.

use std::cell::OnceCell;

use roaring::RoaringBitmap;
use rorqual_schema::{Hop, ResourceType};

use super::criterion::{Criterion, Test};
use super::error::SearchError;
use super::evaluate::{Evaluator, Level};
use crate::index::column::{ParameterIndex, Values};
use crate::index::postings::from_ascending;
use crate::index::string::StringIndex;

/// Answers whether an ordinal of a level satisfies a criterion.
pub(super) type Question<'e> = Box<dyn Fn(u32) -> bool + 'e>;

/// Questions between two looks at the clock.
const QUESTIONS_UNLOOKED: usize = 1024;

impl<'g> Evaluator<'g> {
    /// The candidates of which a question is answered so.
    ///
    /// # Errors
    /// When the time is spent.
    pub(super) fn those(
        &self,
        candidates: &RoaringBitmap,
        holds: &Question<'_>,
        answer: bool,
    ) -> Result<RoaringBitmap, SearchError> {
        let mut those = Vec::new();
        for (number, ordinal) in candidates.iter().enumerate() {
            if number.is_multiple_of(QUESTIONS_UNLOOKED) {
                self.effort().check()?;
            }
            if holds(ordinal) == answer {
                those.push(ordinal);
            }
        }
        Ok(from_ascending(&those))
    }

    /// How to ask about ordinals of a level, when there are few enough of them for it to be cheaper than reading all
    /// that a criterion selects.
    pub(super) fn question<'e>(
        &'e self,
        level: Level,
        criterion: &'e Criterion,
        candidates: u64,
    ) -> Option<Question<'e>> {
        self.worth_asking(level, criterion, candidates)
            .then(|| self.ask(level, criterion))?
    }

    fn ask<'e>(&'e self, level: Level, criterion: &'e Criterion) -> Option<Question<'e>> {
        match criterion {
            Criterion::All => Some(Box::new(|_| true)),
            Criterion::Nothing => Some(Box::new(|_| false)),
            Criterion::And(parts) => {
                let each = self.each(level, parts)?;
                Some(Box::new(move |ordinal| each.iter().all(|ask| ask(ordinal))))
            }
            Criterion::Or(parts) => {
                let each = self.each(level, parts)?;
                Some(Box::new(move |ordinal| each.iter().any(|ask| ask(ordinal))))
            }
            Criterion::Not(part) => {
                let ask = self.ask(level, part)?;
                Some(Box::new(move |ordinal| !ask(ordinal)))
            }
            Criterion::Test { parameter, test } => {
                ask_values(self.parameter(level, *parameter).ok()?, test)
            }
            Criterion::Line { group, inner } => {
                let lines = &self.directory(level).group(*group)?.lines;
                let ask = self.ask(level.lines(*group), inner)?;
                let Some(parent) = level.group else {
                    return Some(Box::new(move |ordinal| lines.of(ordinal).any(&ask)));
                };
                // The lines inside a line are among those of its owner.
                let parents = &self.directory(level).group(parent)?.lines;
                Some(Box::new(move |line| {
                    let of_owner = parents.owner(line).map(|owner| lines.of(owner));
                    let mut inside = of_owner
                        .unwrap_or_default()
                        .filter(|&child| lines.parent(child) == Some(line));
                    inside.any(&ask)
                }))
            }
            Criterion::Chain {
                parameter,
                target,
                hop,
                inner,
            } => self.ask_chain(level, *parameter, *target, *hop, inner),
            Criterion::Has { .. } => None,
        }
    }

    fn each<'e>(&'e self, level: Level, parts: &'e [Criterion]) -> Option<Vec<Question<'e>>> {
        parts.iter().map(|part| self.ask(level, part)).collect()
    }

    fn ask_chain<'e>(
        &'e self,
        level: Level,
        parameter: usize,
        target: ResourceType,
        hop: Hop,
        inner: &'e Criterion,
    ) -> Option<Question<'e>> {
        if let Criterion::Test {
            parameter: end,
            test,
        } = inner
            && let Some(kept) = self.directory(level).precomputed(parameter, hop, *end)
            && let Some(ask) = ask_values(kept, test)
        {
            return Some(ask);
        }
        // Ancestors, and types in several parts, take more than a look at what is referred to.
        if hop == Hop::Above || self.snapshot.part_count(target) > 1 {
            return None;
        }
        let references = self.references(level, parameter).ok()?;
        let ask = self.ask(Level::resources(target, 0), inner)?;
        Some(Box::new(move |ordinal| {
            let mut targets = references.targets(ordinal);
            targets.any(|(kind, to)| kind == target && ask(to))
        }))
    }
}

/// How to ask about the values of one parameter.
fn ask_values<'e>(index: &'e ParameterIndex, test: &'e Test) -> Option<Question<'e>> {
    match (test, &index.values) {
        (Test::Token(query), Values::Token(tokens)) => {
            let terms = tokens.select(query);
            Some(Box::new(move |ordinal| {
                terms.iter().any(|terms| tokens.holds(terms, ordinal))
            }))
        }
        (Test::StartsWith(folded), Values::String(strings)) => {
            let ranks = index.ranks.as_ref()?;
            let starting = strings.ranks_starting(folded);
            Some(or_selected(
                move |ordinal| StringIndex::starts(ranks, &starting, ordinal),
                move || strings.starting(folded),
            ))
        }
        (Test::Number(test), Values::Number(numbers)) => {
            let ranks = index.ranks.as_ref()?;
            Some(or_selected(
                move |ordinal| numbers.passes(ranks, *test, ordinal),
                move || numbers.select(numbers.rows(), *test),
            ))
        }
        (
            Test::Quantity {
                test,
                unit: Some(unit),
            },
            Values::Quantity(quantities),
        ) => Some(or_selected(
            quantities.passes(index.ranks.as_ref()?, *test, unit),
            move || quantities.select(*test, Some(unit)),
        )),
        _ => None,
    }
}

/// Asks by what is quick to tell; all that is selected is read once when that does not tell for some ordinal.
fn or_selected<'e>(
    quick: impl Fn(u32) -> Option<bool> + 'e,
    selected: impl Fn() -> RoaringBitmap + 'e,
) -> Question<'e> {
    let all = OnceCell::new();
    Box::new(move |ordinal| {
        quick(ordinal).unwrap_or_else(|| all.get_or_init(&selected).contains(ordinal))
    })
}
