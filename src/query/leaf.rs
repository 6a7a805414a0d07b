//! Leaves: what one test selects from the structure of its parameter, and how much that is at most.

use roaring::RoaringBitmap;
use rorqual_schema::{ReferenceQuery, ReferenceTarget, ResourceType};

use super::criterion::{Criterion, Test};
use super::error::SearchError;
use super::evaluate::{Evaluator, Level, damaged, misfit};
use crate::index::blocks::PARTS;
use crate::index::column::{ParameterIndex, Values};
use crate::index::directory::Directory;
use crate::index::postings::{from_unordered, union_of};

impl Evaluator<'_> {
    pub(super) fn test(
        &self,
        level: Level,
        number: usize,
        test: &Test,
    ) -> Result<RoaringBitmap, SearchError> {
        let directory = self.directory(level);
        if let Test::Content(query) = test {
            let found = directory
                .text()
                .and_then(|text| super::content::search(text, query))
                .map_err(damaged)?;
            return Ok(from_unordered(&found));
        }
        self.select(directory, self.parameter(level, number)?, test)
    }

    pub(super) fn select(
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
            (Test::Date { prefix, range }, Values::Date(index)) if index.has_blocks() => {
                Ok(index.select(*prefix, *range))
            }
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
            (Test::Number(number), Values::Number(index)) if index.has_blocks() => {
                Ok(index.select(index.rows(), *number))
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
            (Test::Quantity { test, unit }, Values::Quantity(index))
                if index.has_blocks(unit.as_deref()) =>
            {
                Ok(index.select(*test, unit.as_deref()))
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
            (Test::Near { centre, metres }, Values::Position(index)) => {
                Ok(from_unordered(&index.within(*centre, *metres)))
            }
            _ => Err(misfit()),
        }
    }

    /// The resources that a reference of a request names.
    pub(super) fn targets_of(&self, query: &ReferenceQuery) -> Vec<(ResourceType, u32)> {
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
                self.snapshot
                    .ordinal(kind, &query.id)
                    .map(|ordinal| (kind, ordinal))
            })
            .collect()
    }
}

/// What a comparison selects. When that is most of the `rows` and each ordinal has one row, it is had more cheaply as those
/// present without the rest.
pub(super) fn most_of(
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
pub(super) fn any_token<'i>(
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

/// The rows of a column that are read beside a ready-made bitmap, on average, where a test has such bitmaps.
pub(super) fn rows_between_blocks(index: &ParameterIndex, test: &Test) -> Option<u64> {
    let rows = match (test, &index.values) {
        (Test::Date { .. }, Values::Date(index)) if index.has_blocks() => index.rows(),
        (Test::Number(_), Values::Number(index)) if index.has_blocks() => index.rows().len(),
        (Test::Quantity { unit, .. }, Values::Quantity(index))
            if index.has_blocks(unit.as_deref()) =>
        {
            index.all_rows(unit.as_deref())?
        }
        _ => return None,
    };
    Some(rows as u64 / (2 * PARTS as u64))
}

/// An upper bound of what one test selects; `None` when only evaluating tells.
pub(super) fn estimate(parameter: &ParameterIndex, test: &Test) -> Option<u64> {
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
