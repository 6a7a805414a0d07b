//! What the planner knows beforehand: upper bounds from counts alone, and the names of what it works on.

use rorqual_schema::{Hop, ResourceType};

use super::criterion::Criterion;
use super::evaluate::{Evaluator, Level};
use super::leaf;

impl Evaluator<'_> {
    /// An upper bound of how many ordinals satisfy a criterion, from counts alone.
    pub(super) fn estimate(&self, level: Level, criterion: &Criterion) -> u64 {
        let everything = || u64::from(self.directory(level).len());
        match criterion {
            Criterion::Nothing => 0,
            Criterion::And(parts) => parts
                .iter()
                .map(|part| self.estimate(level, part))
                .min()
                .unwrap_or_else(everything),
            Criterion::Or(parts) => parts.iter().map(|part| self.estimate(level, part)).sum(),
            Criterion::Test { parameter, test } => match self.parameter(level, *parameter) {
                Ok(index) => leaf::estimate(index, test).unwrap_or_else(everything),
                Err(_) => everything(),
            },
            Criterion::Line { group, inner } => self.estimate(level.lines(*group), inner),
            Criterion::Chain {
                parameter,
                hop,
                inner,
                ..
            } => self
                .estimate_precomputed(level, *parameter, *hop, inner)
                .unwrap_or_else(everything),
            Criterion::All | Criterion::Not(_) | Criterion::Has { .. } => everything(),
        }
    }

    pub(super) fn estimate_precomputed(
        &self,
        level: Level,
        reference: usize,
        hop: Hop,
        inner: &Criterion,
    ) -> Option<u64> {
        match inner {
            Criterion::Test { parameter, test } => {
                let directory = self.directory(level);
                leaf::estimate(directory.precomputed(reference, hop, *parameter)?, test)
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
                .directory(level)
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
        let known = self.snapshot.schema().parameters(kind).get(parameter);
        known.map_or_else(String::new, |parameter| parameter.code.clone())
    }

    /// What a level is called: a type, or a group of it.
    pub(super) fn place(&self, level: Level) -> String {
        let group = level
            .group
            .and_then(|group| self.snapshot.schema().groups(level.kind).get(group));
        match group {
            Some(group) => format!("{}.{}", level.kind, group.name),
            None => level.kind.name().to_owned(),
        }
    }
}
