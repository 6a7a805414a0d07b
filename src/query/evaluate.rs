//! From a criterion to the ordinals that satisfy it.
//!
//! Every leaf answers a bitmap from its structure; conjunctions run from the rarest leaf up, by the counts that the
//! dictionaries hold, and stop as soon as nothing is left.

use roaring::RoaringBitmap;
use rorqual_schema::{Hop, ReferenceQuery, ReferenceTarget, ResourceType};

use super::criterion::{Criterion, Test};
use super::error::{Fault, SearchError};
use crate::index::FormatError;
use crate::index::column::{ParameterIndex, Values};
use crate::index::directory::Directory;
use crate::index::generation::Generation;
use crate::index::postings::{from_unordered, union_of};
use crate::index::reference::ReferenceIndex;

/// Evaluates criteria on one generation.
pub struct Evaluator<'g> {
    generation: &'g Generation,
    /// Absolute references of a request are ours under this base only.
    base_url: &'g str,
    choices: Choices,
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

/// What the planner is free to choose; no choice changes an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choices {
    /// The order of conjunctions.
    pub order: JoinOrder,
    /// Up to how many candidates are asked one by one.
    pub candidates: u64,
}

impl Default for Choices {
    fn default() -> Self {
        // A binary search costs about what reading sixty entries of a bitmap does.
        Choices {
            order: JoinOrder::default(),
            candidates: 256,
        }
    }
}

/// Where the parameters of a level are looked up: the resources of a type, or the lines of one of its groups.
#[derive(Clone, Copy)]
pub(super) struct Level {
    pub(super) kind: ResourceType,
    pub(super) group: Option<usize>,
}

impl<'g> Evaluator<'g> {
    /// An evaluator on `generation` for requests made under `base_url`.
    pub fn new(generation: &'g Generation, base_url: &'g str) -> Evaluator<'g> {
        Evaluator {
            generation,
            base_url,
            choices: Choices::default(),
        }
    }

    /// The same evaluator with other choices.
    pub fn with_choices(self, choices: Choices) -> Evaluator<'g> {
        Evaluator { choices, ..self }
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
        self.evaluate(Level { kind, group: None }, criterion)
    }

    pub(super) fn evaluate(
        &self,
        level: Level,
        criterion: &Criterion,
    ) -> Result<RoaringBitmap, SearchError> {
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
            Criterion::Chain {
                parameter,
                target,
                climb,
                inner,
            } => {
                let hop = if *climb { Hop::Above } else { Hop::Direct };
                if let Some(found) = self.precomputed(level, *parameter, hop, inner) {
                    return found;
                }
                let mut found = self.evaluate(
                    Level {
                        kind: *target,
                        group: None,
                    },
                    inner,
                )?;
                if *climb {
                    found = self.with_descendants(*target, found)?;
                }
                Ok(self.referring(self.references(level, *parameter)?, *target, &found))
            }
            Criterion::Has {
                source,
                parameter,
                inner,
            } => {
                let from = Level {
                    kind: *source,
                    group: None,
                };
                let found = self.evaluate(from, inner)?;
                let references = self.references(from, *parameter)?;
                let mut targets = Vec::new();
                for ordinal in &found {
                    targets.extend(
                        references
                            .targets(ordinal)
                            .filter(|(kind, _)| *kind == level.kind)
                            .map(|(_, to)| to),
                    );
                }
                Ok(from_unordered(&targets))
            }
            Criterion::Line { group, inner } => {
                let lines = self.evaluate(
                    Level {
                        kind: level.kind,
                        group: Some(*group),
                    },
                    inner,
                )?;
                let index = self
                    .generation
                    .directory(level.kind)
                    .group(*group)
                    .ok_or_else(misfit)?;
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
        let directory = self.generation.directory(level.kind);
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

    /// Positive parts from the rarest up, then negated ones as differences. Once few candidates are left, a part whose
    /// postings can be asked about single ordinals is asked, instead of being read whole.
    fn all_of(&self, level: Level, parts: &[Criterion]) -> Result<RoaringBitmap, SearchError> {
        let (positive, negated) = self.ordered(level, parts);
        let mut left: Option<RoaringBitmap> = None;
        for (_, part) in positive {
            let both = match left {
                Some(left) => match self.checks(level, part, left.len()) {
                    Some(holds) => left.iter().filter(|&ordinal| holds(ordinal)).collect(),
                    None => left & self.evaluate(level, part)?,
                },
                None => self.evaluate(level, part)?,
            };
            if both.is_empty() {
                return Ok(both);
            }
            left = Some(both);
        }
        let mut left = left.unwrap_or_else(|| self.everything(level));
        for part in negated {
            left = match self.checks(level, part, left.len()) {
                Some(holds) => left.iter().filter(|&ordinal| !holds(ordinal)).collect(),
                None => left - self.evaluate(level, part)?,
            };
        }
        Ok(left)
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
        match self.choices.order {
            JoinOrder::RarestFirst => positive.sort_by_key(|(estimate, _)| *estimate),
            JoinOrder::CommonestFirst => {
                positive.sort_by_key(|(estimate, _)| std::cmp::Reverse(*estimate))
            }
            JoinOrder::AsWritten => {}
        }
        (positive, negated)
    }

    /// A way to ask whether single ordinals satisfy a criterion, when there are few enough of them to be worth it.
    fn checks<'e>(
        &'e self,
        level: Level,
        criterion: &Criterion,
        candidates: u64,
    ) -> Option<Box<dyn Fn(u32) -> bool + 'e>> {
        if candidates > self.choices.candidates {
            return None;
        }
        let (index, query) = match criterion {
            Criterion::Test {
                parameter,
                test: Test::Token(query),
            } => (self.parameter(level, *parameter).ok()?, query),
            Criterion::Chain {
                parameter,
                climb,
                inner,
                ..
            } => match &**inner {
                Criterion::Test {
                    parameter: end,
                    test: Test::Token(query),
                } => {
                    let hop = if *climb { Hop::Above } else { Hop::Direct };
                    let directory = self.generation.directory(level.kind);
                    (directory.precomputed(*parameter, hop, *end)?, query)
                }
                _ => return None,
            },
            _ => return None,
        };
        let Values::Token(tokens) = &index.values else {
            return None;
        };
        let terms = tokens.select(query);
        Some(Box::new(move |ordinal| {
            terms.iter().any(|terms| tokens.holds(terms, ordinal))
        }))
    }

    /// An upper bound of how many ordinals satisfy a criterion, from counts alone.
    pub(super) fn estimate(&self, level: Level, criterion: &Criterion) -> u64 {
        let everything = || u64::from(self.generation.directory(level.kind).len());
        match criterion {
            Criterion::Nothing => 0,
            Criterion::And(parts) => parts
                .iter()
                .map(|part| self.estimate(level, part))
                .min()
                .unwrap_or_else(everything),
            Criterion::Or(parts) => parts.iter().map(|part| self.estimate(level, part)).sum(),
            Criterion::Test { parameter, test } => match self.parameter(level, *parameter) {
                Ok(index) => estimate(index, test).unwrap_or_else(everything),
                Err(_) => everything(),
            },
            Criterion::Line { group, inner } => self.estimate(
                Level {
                    kind: level.kind,
                    group: Some(*group),
                },
                inner,
            ),
            Criterion::Chain {
                parameter,
                climb,
                inner,
                ..
            } => {
                let hop = if *climb { Hop::Above } else { Hop::Direct };
                self.estimate_precomputed(level, *parameter, hop, inner)
                    .unwrap_or_else(everything)
            }
            Criterion::All | Criterion::Not(_) | Criterion::Has { .. } => everything(),
        }
    }

    fn estimate_precomputed(
        &self,
        level: Level,
        reference: usize,
        hop: Hop,
        inner: &Criterion,
    ) -> Option<u64> {
        match inner {
            Criterion::Test { parameter, test } => {
                let directory = self.generation.directory(level.kind);
                estimate(directory.precomputed(reference, hop, *parameter)?, test)
            }
            Criterion::Or(parts) => {
                let each = parts
                    .iter()
                    .map(|part| self.estimate_precomputed(level, reference, hop, part));
                each.sum::<Option<u64>>()
            }
            _ => None,
        }
    }

    /// Whether a chain's criterion is kept at the level of this type.
    pub(super) fn is_precomputed(
        &self,
        level: Level,
        reference: usize,
        hop: Hop,
        inner: &Criterion,
    ) -> bool {
        match inner {
            Criterion::Test { parameter, .. } => self
                .generation
                .directory(level.kind)
                .precomputed(reference, hop, *parameter)
                .is_some(),
            Criterion::Or(parts) => parts
                .iter()
                .all(|part| self.is_precomputed(level, reference, hop, part)),
            _ => false,
        }
    }

    /// The code of a parameter.
    pub(super) fn code(&self, kind: ResourceType, parameter: usize) -> String {
        let known = self.generation.schema().parameters(kind).get(parameter);
        known.map_or_else(String::new, |parameter| parameter.code.clone())
    }

    /// What a level is called: a type, or a group of it.
    pub(super) fn place(&self, level: Level) -> String {
        let group = level
            .group
            .and_then(|group| self.generation.schema().groups(level.kind).get(group));
        match group {
            Some(group) => format!("{}.{}", level.kind, group.name),
            None => level.kind.name().to_owned(),
        }
    }

    fn parameter(&self, level: Level, number: usize) -> Result<&'g ParameterIndex, SearchError> {
        let directory = self.generation.directory(level.kind);
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

    fn references(
        &self,
        level: Level,
        parameter: usize,
    ) -> Result<&'g ReferenceIndex, SearchError> {
        match &self.parameter(level, parameter)?.values {
            Values::Reference(index) => Ok(index),
            _ => Err(misfit()),
        }
    }

    /// A chain whose criterion is kept at the level of this type: a test, or any of several. `None` when it is not, so
    /// that the chain has to be followed.
    fn precomputed(
        &self,
        level: Level,
        reference: usize,
        hop: Hop,
        inner: &Criterion,
    ) -> Option<Result<RoaringBitmap, SearchError>> {
        match inner {
            Criterion::Test { parameter, test } => {
                let directory = self.generation.directory(level.kind);
                let index = directory.precomputed(reference, hop, *parameter)?;
                Some(self.select(directory, index, test))
            }
            // Some target passes one of the tests: the same as one of the tests is passed by some target.
            Criterion::Or(parts) => {
                let directory = self.generation.directory(level.kind);
                let end = |number| directory.precomputed(reference, hop, number);
                if let Some(found) = any_token(parts, &end) {
                    return Some(Ok(found));
                }
                let mut any = RoaringBitmap::new();
                for part in parts {
                    match self.precomputed(level, reference, hop, part)? {
                        Ok(found) => any |= found,
                        Err(error) => return Some(Err(error)),
                    }
                }
                Some(Ok(any))
            }
            _ => None,
        }
    }

    fn test(&self, level: Level, number: usize, test: &Test) -> Result<RoaringBitmap, SearchError> {
        let directory = self.generation.directory(level.kind);
        if let Test::Content(query) = test {
            let found = super::content::search(directory.text(), query).map_err(damaged)?;
            return Ok(from_unordered(
                &found.into_iter().map(|hit| hit.0).collect::<Vec<_>>(),
            ));
        }
        self.select(directory, self.parameter(level, number)?, test)
    }

    fn select(
        &self,
        directory: &Directory,
        parameter: &ParameterIndex,
        test: &Test,
    ) -> Result<RoaringBitmap, SearchError> {
        match (test, &parameter.values) {
            (Test::Present, _) => parameter.present(directory.pack()).map_err(damaged),
            (Test::Token(query), Values::Token(index)) => {
                let mut found = RoaringBitmap::new();
                for terms in index.select(query) {
                    found |= index.bitmap(&terms);
                }
                Ok(found)
            }
            (
                Test::OfType {
                    system,
                    code,
                    value,
                },
                Values::Token(index),
            ) => Ok(index
                .select_of_type(system, code, value)
                .map(|terms| index.bitmap(&terms))
                .unwrap_or_default()),
            (Test::StartsWith(folded), Values::String(index)) => Ok(index.starting(folded)),
            (Test::Equals(text), Values::String(index)) => Ok(index.equal(text)),
            (Test::Contains(folded), Values::String(index)) => Ok(index.containing(folded)),
            (Test::EndsWith(folded), Values::String(index)) => Ok(index.ending(folded)),
            (Test::Date { prefix, range }, Values::Date(index)) => {
                let rest = || index.select_rest(*prefix, *range);
                let selected = index.count(*prefix, *range);
                let found = || index.select(*prefix, *range);
                most_of(
                    directory,
                    parameter,
                    selected,
                    Some(index.rows()),
                    &rest,
                    &found,
                )
            }
            (Test::Number(number), Values::Number(index)) => {
                let rest = || Some(index.select_rest(index.rows(), *number));
                let selected = index.count(index.rows(), *number);
                let found = || index.select(index.rows(), *number);
                most_of(
                    directory,
                    parameter,
                    selected,
                    Some(index.rows().len()),
                    &rest,
                    &found,
                )
            }
            (Test::Quantity { test, unit }, Values::Quantity(index)) => {
                let unit = unit.as_deref();
                let rest = || Some(index.select_rest(*test, unit));
                let found = || index.select(*test, unit);
                most_of(
                    directory,
                    parameter,
                    index.count(*test, unit),
                    index.all_rows(unit),
                    &rest,
                    &found,
                )
            }
            (Test::Reference(query), Values::Reference(index)) => {
                let mut found = RoaringBitmap::new();
                for (kind, ordinal) in self.targets_of(query) {
                    found |= self.referring(index, kind, &std::iter::once(ordinal).collect());
                }
                Ok(found)
            }
            (Test::Below(query), Values::Reference(index)) => {
                let mut found = RoaringBitmap::new();
                for (kind, ordinal) in self.targets_of(query) {
                    let family = self.with_descendants(kind, std::iter::once(ordinal).collect())?;
                    found |= self.referring(index, kind, &family);
                }
                Ok(found)
            }
            (Test::LogicalReference(query), Values::Reference(index)) => {
                let identifiers = index.identifiers();
                let mut found = RoaringBitmap::new();
                for terms in identifiers.select(query) {
                    found |= identifiers.bitmap(&terms);
                }
                Ok(found)
            }
            (Test::Near { centre, metres }, Values::Position(index)) => Ok(from_unordered(
                &index
                    .within(*centre, *metres)
                    .into_iter()
                    .map(|hit| hit.0)
                    .collect::<Vec<_>>(),
            )),
            _ => Err(misfit()),
        }
    }

    /// The resources that a reference of a request names.
    fn targets_of(&self, query: &ReferenceQuery) -> Vec<(ResourceType, u32)> {
        if query
            .base
            .as_deref()
            .is_some_and(|base| base.trim_end_matches('/') != self.base_url.trim_end_matches('/'))
        {
            return Vec::new();
        }
        let kinds: &[ResourceType] = match &query.target {
            ReferenceTarget::Any => &ResourceType::ALL,
            ReferenceTarget::Type(kind) => std::slice::from_ref(kind),
            ReferenceTarget::Unknown(_) => &[],
        };
        kinds
            .iter()
            .filter_map(|&kind| {
                self.generation
                    .directory(kind)
                    .ordinal(&query.id)
                    .map(|ordinal| (kind, ordinal))
            })
            .collect()
    }

    /// The ordinals whose reference points into `targets` of `kind`.
    fn referring(
        &self,
        references: &ReferenceIndex,
        kind: ResourceType,
        targets: &RoaringBitmap,
    ) -> RoaringBitmap {
        let Some(incoming) = references.incoming(kind) else {
            return RoaringBitmap::new();
        };
        match targets.len() {
            0 => RoaringBitmap::new(),
            1 => targets
                .min()
                .map(|target| incoming.bitmap(target as usize))
                .unwrap_or_default(),
            _ => {
                let mut found = Vec::new();
                for target in targets {
                    found.extend_from_slice(incoming.of(target as usize));
                }
                from_unordered(&found)
            }
        }
    }

    /// A set of `kind` with everything that is part of it, at any depth.
    fn with_descendants(
        &self,
        kind: ResourceType,
        set: RoaringBitmap,
    ) -> Result<RoaringBitmap, SearchError> {
        let Some(part_of) = self.generation.schema().find(kind, "partof") else {
            return Ok(set);
        };
        let references = self.references(Level { kind, group: None }, part_of)?;
        let mut family = set.clone();
        let mut fresh = set;
        // A cycle ends the descent: nothing in it is new the second time.
        while !fresh.is_empty() {
            fresh = self.referring(references, kind, &fresh) - &family;
            family |= &fresh;
        }
        Ok(family)
    }
}

/// What a comparison selects. When that is most of the `rows` and each ordinal has one row, it is had more cheaply as those
/// present without the rest.
fn most_of(
    directory: &Directory,
    parameter: &ParameterIndex,
    selected: u64,
    rows: Option<usize>,
    rest: &dyn Fn() -> Option<RoaringBitmap>,
    found: &dyn Fn() -> RoaringBitmap,
) -> Result<RoaringBitmap, SearchError> {
    if let Some(rows) = rows.filter(|&rows| 2 * selected > rows as u64) {
        let present = parameter.present(directory.pack()).map_err(damaged)?;
        if present.len() == rows as u64
            && let Some(rest) = rest()
        {
            return Ok(present - rest);
        }
    }
    Ok(found())
}

/// A list of tokens at once: their postings are joined in one pass, so that fifty values cost what their matches do.
/// `None` when something else is among the parts.
fn any_token<'i>(
    parts: &[Criterion],
    index: &dyn Fn(usize) -> Option<&'i ParameterIndex>,
) -> Option<RoaringBitmap> {
    let mut lists = Vec::new();
    for part in parts {
        let Criterion::Test {
            parameter,
            test: Test::Token(query),
        } = part
        else {
            return None;
        };
        let Values::Token(tokens) = &index(*parameter)?.values else {
            return None;
        };
        for terms in tokens.select(query) {
            tokens.lists(&terms, &mut lists);
        }
    }
    Some(union_of(&lists))
}

/// An upper bound of what one test selects; `None` when only evaluating tells.
fn estimate(parameter: &ParameterIndex, test: &Test) -> Option<u64> {
    match (test, &parameter.values) {
        (Test::Token(query), Values::Token(index)) => Some(
            index
                .select(query)
                .iter()
                .map(|terms| index.count(terms))
                .sum(),
        ),
        (
            Test::OfType {
                system,
                code,
                value,
            },
            Values::Token(index),
        ) => Some(
            index
                .select_of_type(system, code, value)
                .map_or(0, |terms| index.count(&terms)),
        ),
        (Test::StartsWith(folded), Values::String(index)) => Some(index.count_starting(folded)),
        (Test::Equals(_), Values::String(_)) => Some(1),
        (Test::Date { prefix, range }, Values::Date(index)) => Some(index.count(*prefix, *range)),
        (Test::Number(number), Values::Number(index)) => Some(index.count(index.rows(), *number)),
        (Test::Quantity { test, unit }, Values::Quantity(index)) => {
            Some(index.count(*test, unit.as_deref()))
        }
        _ => None,
    }
}

/// The tree asks a structure for what it does not hold: a defect of ours, never of the request.
fn misfit() -> SearchError {
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
