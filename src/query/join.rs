//! Steps along references: adjacency in both directions, families by `partof`, and criteria kept one step away.

use roaring::RoaringBitmap;
use rorqual_schema::{Hop, ResourceType};

use super::criterion::Criterion;
use super::error::SearchError;
use super::evaluate::{Evaluator, Level, misfit};
use super::leaf::any_token;
use crate::index::column::Values;
use crate::index::postings::from_unordered;
use crate::index::reference::ReferenceIndex;

impl<'g> Evaluator<'g> {
    pub(super) fn references(
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
    pub(super) fn precomputed(
        &self,
        level: Level,
        reference: usize,
        hop: Hop,
        inner: &Criterion,
    ) -> Option<Result<RoaringBitmap, SearchError>> {
        match inner {
            Criterion::Test { parameter, test } => {
                let directory = self.directory(level);
                let index = directory.precomputed(reference, hop, *parameter)?;
                Some(self.select(directory, index, test))
            }
            // Some target passes one of the tests: the same as one of the tests is passed by some target.
            Criterion::Or(parts) => {
                let directory = self.directory(level);
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

    /// The ordinals whose reference points into `targets` of `kind`.
    pub(super) fn referring(
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
                .map(|target| incoming.bitmap(target))
                .unwrap_or_default(),
            _ => {
                let mut found = Vec::new();
                for target in targets {
                    found.extend_from_slice(incoming.of(target));
                }
                from_unordered(&found)
            }
        }
    }

    /// A set of `kind` with everything that is part of it, at any depth.
    pub(super) fn with_descendants(
        &self,
        kind: ResourceType,
        set: RoaringBitmap,
    ) -> Result<RoaringBitmap, SearchError> {
        let Some(part_of) = self.snapshot.schema().find(kind, "partof") else {
            return Ok(set);
        };
        let references = self.references(Level::resources(kind, 0), part_of)?;
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
