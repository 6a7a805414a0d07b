//! What a delta leaves as it was: the files of the live generation that the next one shares, because a build would write them
//! again byte for byte.

use rorqual::index::FormatError;
use rorqual::index::column::Collector;
use rorqual::index::overlay::WRITTEN;
use rorqual::index::runs::{Gathering as _, Runs};
use rorqual_schema::{Hop, Parameter, ParameterType, ResourceType, Schema};

use crate::gather::Provenance;
use crate::order::Order;
use crate::resources::Resources;

/// Which files are those of the live generation, by type.
pub struct Unchanged {
    resources: Vec<bool>,
    packs: Vec<bool>,
}

impl Unchanged {
    /// Nothing is as it was.
    pub fn nothing() -> Unchanged {
        Unchanged {
            resources: vec![false; ResourceType::COUNT],
            packs: vec![false; ResourceType::COUNT],
        }
    }

    /// Compares what a generation is made from with the live one it starts from, whose resources come first in `resources`, by
    /// ordinal.
    ///
    /// # Errors
    /// [`FormatError`] when what was gathered cannot be read.
    pub fn find(
        schema: &Schema,
        directories: &[Runs],
        resources: &[Resources],
        order: &Order,
    ) -> Result<Unchanged, FormatError> {
        let by_identifier = |kind: ResourceType| {
            let parameters = schema.parameters(kind).iter().enumerate();
            let named = |(number, parameter): (usize, &Parameter)| {
                if parameter.kind != ParameterType::Reference {
                    return Ok(false);
                }
                match &*directories[kind.index()].values(number, parameter)? {
                    Collector::Reference(references) => Ok(references.has_logical()),
                    _ => Ok(false),
                }
            };
            parameters.map(named).collect::<Result<Vec<bool>, _>>()
        };
        let by_identifier = ResourceType::ALL.iter().map(|&kind| by_identifier(kind));
        let seen = ResourceType::ALL
            .map(|kind| Seen::of(kind, &resources[kind.index()], &order.slots[kind.index()]));
        let depends = Depends {
            schema,
            by_identifier: by_identifier.collect::<Result<_, FormatError>>()?,
            seen: &seen,
        };
        Ok(Unchanged {
            resources: seen.iter().map(|seen| seen.resources).collect(),
            packs: ResourceType::ALL
                .map(|kind| depends.pack_stays(kind))
                .to_vec(),
        })
    }

    /// Whether a type has the resources it had, each with its content and its ordinal: its bodies, its full text and what was
    /// gathered of it depend on nothing else.
    pub fn resources(&self, kind: ResourceType) -> bool {
        self.resources[kind.index()]
    }

    /// Whether its index is as it was, too: that depends on what its references lead to as well.
    pub fn pack(&self, kind: ResourceType) -> bool {
        self.packs[kind.index()]
    }
}

/// What stayed of one type.
struct Seen {
    /// Each resource and its ordinal.
    resources: bool,
    /// Each id and its ordinal.
    ids: bool,
}

impl Seen {
    /// Anomalies are not taken up: of them nothing stays.
    fn of(kind: ResourceType, resources: &Resources, slots: &[u32]) -> Seen {
        let stored = |provenance: &Provenance| *provenance == Provenance::Before;
        let before = resources.provenances().partition_point(stored);
        let as_many = kind != WRITTEN && slots.len() == before;
        let id = |slot: u32| resources.id(slot);
        Seen {
            resources: as_many && slots.iter().copied().eq(0..before as u32),
            ids: as_many && slots.iter().zip(0..).all(|(&slot, at)| id(slot) == id(at)),
        }
    }
}

/// What an index depends on.
struct Depends<'a> {
    schema: &'a Schema,
    /// Whether a reference of a parameter names its target by an identifier, by type and parameter.
    by_identifier: Vec<Vec<bool>>,
    seen: &'a [Seen],
}

impl Depends<'_> {
    fn pack_stays(&self, kind: ResourceType) -> bool {
        self.seen[kind.index()].resources
            && self.references_stay(kind)
            && self.precomputed_stays(kind)
    }

    /// Whether every reference of the type leads to the ordinals that it led to.
    fn references_stay(&self, kind: ResourceType) -> bool {
        let parameters = self.schema.parameters(kind).iter().enumerate();
        parameters.into_iter().all(|(number, parameter)| {
            if parameter.kind != ParameterType::Reference {
                return true;
            }
            let by_identifier = self.by_identifier[kind.index()][number];
            parameter.targets.iter().all(|target| {
                let seen = &self.seen[target.index()];
                // An identifier is content of the target.
                seen.ids && (seen.resources || !by_identifier)
            })
        })
    }

    /// Whether criteria of other types kept at the level of this one are what they were.
    fn precomputed_stays(&self, kind: ResourceType) -> bool {
        self.schema.parameters(kind).iter().all(|from| {
            let above = from.precomputed.contains(&Hop::Above);
            from.precomputed.is_empty()
                || from.targets.iter().all(|&target| {
                    self.seen[target.index()].resources && (!above || self.references_stay(target))
                })
        })
    }
}
