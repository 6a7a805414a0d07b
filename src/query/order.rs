//! The order of matches: `_sort`, nearest first, best first, or the order of the index.

use std::cmp::Ordering;

use roaring::RoaringBitmap;
use rorqual_schema::{Hop, Position, ResourceType};

use self::best::Best;
use self::walk::Walk;
use super::parse::{NearSearch, SortBy, SortKey};
use super::score::Scores;
use crate::index::blocks::Blocks;
use crate::index::column::{ParameterIndex, Values};
use crate::index::positions::{PositionIndex, distance};
use crate::index::snapshot::Snapshot;
use crate::index::sort::{Ranks, SortValue};

mod best;
mod walk;

/// What orders the matches of a request.
pub struct Order<'g> {
    keys: Vec<Key<'g>>,
}

enum Key<'g> {
    Ranks {
        ranks: &'g Ranks,
        /// The ordinals in the order of their values, where a column has them.
        rows: Option<&'g [u32]>,
        /// The ready-made bitmaps of `rows`.
        blocks: Option<&'g Blocks>,
        descending: bool,
    },
    /// The parts of a type rank their values each on their own: there the values themselves are compared.
    Values {
        snapshot: &'g Snapshot,
        kind: ResourceType,
        parameter: usize,
        descending: bool,
    },
    Chained {
        references: References<'g>,
        ranks: &'g Ranks,
        descending: bool,
    },
    Distance {
        distances: Distances<'g>,
        descending: bool,
    },
    Score {
        scores: &'g Scores,
        descending: bool,
    },
}

/// The key of a resource without a value: last in both directions.
const ABSENT: u64 = u64::MAX;

fn directed(value: Option<u64>, descending: bool) -> u64 {
    match value {
        None => ABSENT,
        Some(value) if descending => ABSENT - 1 - value,
        Some(value) => value,
    }
}

/// What ascends as a score gets worse.
fn worse(score: Option<f32>) -> Option<u64> {
    score.map(|score| (1.0 - f64::from(score)).max(0.0).to_bits())
}

impl<'g> Order<'g> {
    /// The order of a request: its `_sort`, else nearest first for a proximity search, else best first for a full-text
    /// one, else the order of the index.
    pub fn new(
        snapshot: &'g Snapshot,
        kind: ResourceType,
        sort: &[SortKey],
        near: Option<&'g NearSearch>,
        scores: Option<&'g Scores>,
    ) -> Order<'g> {
        let whole = snapshot.part_count(kind) == 1;
        let ranks = |kind, number| {
            let parameter = snapshot.directory(kind, 0).parameter(number);
            parameter.and_then(|parameter| parameter.ranks.as_ref())
        };
        let by_distance = |descending| {
            let distances = Distances::new(snapshot, kind, near?)?;
            Some(Key::Distance {
                distances,
                descending,
            })
        };
        let ranked = |parameter: &'g ParameterIndex, descending| {
            Some(Key::Ranks {
                ranks: parameter.ranks.as_ref()?,
                rows: parameter.ascending_rows(),
                blocks: parameter.ascending_blocks(),
                descending,
            })
        };
        let key = |key: &SortKey| match key.by {
            SortBy::Parameter(number) if whole => {
                let parameter = snapshot.directory(kind, 0).parameter(number)?;
                ranked(parameter, key.descending)
            }
            SortBy::Parameter(parameter) => Some(Key::Values {
                snapshot,
                kind,
                parameter,
                descending: key.descending,
            }),
            SortBy::Chained {
                reference,
                target,
                parameter,
            } => {
                let precomputed =
                    snapshot
                        .directory(kind, 0)
                        .precomputed(reference, Hop::Direct, parameter);
                let precomputed = precomputed
                    .filter(|_| whole)
                    .and_then(|index| ranked(index, key.descending));
                if precomputed.is_some() {
                    return precomputed;
                }
                Some(Key::Chained {
                    references: References {
                        snapshot,
                        kind,
                        parameter: reference,
                        target,
                    },
                    ranks: ranks(target, parameter)?,
                    descending: key.descending,
                })
            }
            SortBy::Distance(_) => by_distance(key.descending),
            SortBy::Score => Some(Key::Score {
                scores: scores?,
                descending: key.descending,
            }),
        };
        let keys = if sort.is_empty() {
            let by_score = || {
                scores.map(|scores| Key::Score {
                    scores,
                    descending: false,
                })
            };
            by_distance(false).or_else(by_score).into_iter().collect()
        } else {
            sort.iter().filter_map(key).collect()
        };
        Order { keys }
    }

    /// The ordinals of one page: `count` of the matches from `offset` on.
    ///
    /// Ties keep the order of the index in both directions, resources without a value come last in both.
    pub fn page(&self, matches: &RoaringBitmap, offset: u64, count: usize) -> Vec<u32> {
        let end = offset.saturating_add(count as u64).min(matches.len()) as usize;
        let start = (offset.min(matches.len()) as usize).min(end);
        if let Some(page) = self.walked(matches, start, end) {
            return page;
        }
        match self.keys.as_slice() {
            [] => match u32::try_from(start)
                .ok()
                .and_then(|start| matches.select(start))
            {
                Some(first) => matches.range(first..).take(end - start).collect(),
                None => Vec::new(),
            },
            keys if keys.iter().any(|key| matches!(key, Key::Values { .. })) => {
                let mut best: Best<(Vec<Compared<'_>>, u32)> = Best::of(matches.len(), end);
                for ordinal in matches {
                    let compared = keys.iter().map(|key| key.compared(ordinal)).collect();
                    best.push((compared, ordinal));
                }
                ordinals(best.window(start))
            }
            // One key is by far the commonest.
            [
                Key::Ranks {
                    ranks, descending, ..
                },
            ] => {
                let mut best: Best<u64> = Best::of(matches.len(), end);
                for ordinal in matches {
                    let rank = match ranks.rank(ordinal, *descending) {
                        None => u32::MAX,
                        Some(rank) if *descending => u32::MAX - 1 - rank,
                        Some(rank) => rank,
                    };
                    best.push(u64::from(rank) << 32 | u64::from(ordinal));
                }
                let window = best.window(start);
                window.into_iter().map(|item| item as u32).collect()
            }
            [Key::Score { scores, descending }] => {
                let mut best: Best<(u64, u32)> = Best::of(matches.len(), end);
                let mut score = scores.in_turn();
                for ordinal in matches {
                    best.push((directed(worse(score(ordinal)), *descending), ordinal));
                }
                ordinals(best.window(start))
            }
            [key] => {
                let mut best: Best<(u64, u32)> = Best::of(matches.len(), end);
                for ordinal in matches {
                    best.push((key.ascending(ordinal), ordinal));
                }
                ordinals(best.window(start))
            }
            [first, rest @ ..] => {
                let mut best: Best<(Vec<u64>, u32)> = Best::of(matches.len(), end);
                for ordinal in matches {
                    let first = first.ascending(ordinal);
                    // Most are out by their first key, and the others are never looked up.
                    let bound = best.bound().and_then(|(keys, _)| keys.first());
                    if bound.is_some_and(|bound| first > *bound) {
                        continue;
                    }
                    let rest = rest.iter().map(|key| key.ascending(ordinal));
                    best.push((std::iter::once(first).chain(rest).collect(), ordinal));
                }
                ordinals(best.window(start))
            }
        }
    }

    /// The page as a walk through the column of the first key has it, where there is one and that is worth it.
    fn walked(&self, matches: &RoaringBitmap, start: usize, end: usize) -> Option<Vec<u32>> {
        let (
            Key::Ranks {
                ranks,
                rows: Some(rows),
                blocks,
                descending,
            },
            rest,
        ) = self.keys.split_first()?
        else {
            return None;
        };
        let settle = |group: &mut Vec<u32>| {
            group.sort_unstable();
            group.dedup();
            if !rest.is_empty() && group.len() > 1 {
                group.sort_by_cached_key(|&ordinal| -> Vec<u64> {
                    rest.iter().map(|key| key.ascending(ordinal)).collect()
                });
            }
        };
        let walk = Walk {
            rows,
            blocks: *blocks,
            ranks,
            descending: *descending,
        };
        walk.page(matches, start, end, &settle, rest.is_empty())
    }
}

fn ordinals<K>(items: Vec<(K, u32)>) -> Vec<u32> {
    items.into_iter().map(|(_, ordinal)| ordinal).collect()
}

impl Key<'_> {
    /// A number that ascends in the order asked for.
    fn ascending(&self, ordinal: u32) -> u64 {
        match self {
            Key::Ranks {
                ranks, descending, ..
            } => directed(ranks.rank(ordinal, *descending).map(u64::from), *descending),
            // Only compared with keys like itself, by value.
            Key::Values { .. } => ABSENT,
            Key::Chained {
                references,
                ranks,
                descending,
            } => {
                let found = references
                    .of(ordinal)
                    .filter_map(|to| ranks.rank(to, *descending))
                    .map(u64::from);
                directed(
                    if *descending {
                        found.max()
                    } else {
                        found.min()
                    },
                    *descending,
                )
            }
            // The bits of a positive float ascend as the float does.
            Key::Distance {
                distances,
                descending,
            } => directed(distances.of(ordinal).map(f64::to_bits), *descending),
            Key::Score { scores, descending } => directed(worse(scores.of(ordinal)), *descending),
        }
    }
}

impl<'g> Key<'g> {
    /// What compares in the order asked for, where parts are compared by their values.
    fn compared(&self, ordinal: u32) -> Compared<'g> {
        let Key::Values {
            snapshot,
            kind,
            parameter,
            descending,
        } = self
        else {
            // Directed already: ascending whatever was asked, and the absent last.
            return Compared {
                value: Some(SortValue::Integer(i128::from(self.ascending(ordinal)))),
                descending: false,
            };
        };
        let (part, own) = snapshot.locate(*kind, ordinal);
        let index = part.directory.parameter(*parameter);
        let rank = index
            .and_then(|index| index.ranks.as_ref())
            .and_then(|ranks| ranks.rank(own, *descending));
        Compared {
            value: index
                .zip(rank)
                .and_then(|(index, rank)| index.sort_value(rank)),
            descending: *descending,
        }
    }
}

/// A value in the direction asked for: absent ones come last in both.
#[derive(PartialEq, Eq)]
struct Compared<'g> {
    value: Option<SortValue<'g>>,
    descending: bool,
}

impl Ord for Compared<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.value, &other.value) {
            (Some(ours), Some(other)) if self.descending => other.cmp(ours),
            (Some(ours), Some(other)) => ours.cmp(other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
    }
}

impl PartialOrd for Compared<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What the resources of a type refer to through one parameter, of one type.
struct References<'g> {
    snapshot: &'g Snapshot,
    kind: ResourceType,
    parameter: usize,
    target: ResourceType,
}

impl References<'_> {
    fn of(&self, ordinal: u32) -> impl Iterator<Item = u32> {
        let (part, own) = self.snapshot.locate(self.kind, ordinal);
        let index = part.directory.parameter(self.parameter);
        let references = match index.map(|index| &index.values) {
            Some(Values::Reference(references)) => Some(references),
            _ => None,
        };
        references
            .into_iter()
            .flat_map(move |references| references.targets(own))
            .filter(|(kind, _)| *kind == self.target)
            .map(|(_, to)| to)
    }
}

/// Distances from the points of a proximity search.
pub struct Distances<'g> {
    centres: &'g [Position],
    places: &'g PositionIndex,
    chain: Option<References<'g>>,
}

impl<'g> Distances<'g> {
    /// The distances that a proximity search over `kind` measures.
    pub fn new(
        snapshot: &'g Snapshot,
        kind: ResourceType,
        near: &'g NearSearch,
    ) -> Option<Distances<'g>> {
        let chain = near.chain.as_ref().map(|chain| References {
            snapshot,
            kind,
            parameter: chain.reference,
            target: chain.target,
        });
        // What is written to has no position of its own: places are in the generation.
        let at = chain.as_ref().map_or(kind, |chain| chain.target);
        match &snapshot.directory(at, 0).parameter(near.parameter)?.values {
            Values::Position(places) => Some(Distances {
                centres: &near.centres,
                places,
                chain,
            }),
            _ => None,
        }
    }

    /// The distance in metres of the place nearest to a resource of the searched type; `None` without position.
    pub fn of(&self, ordinal: u32) -> Option<f64> {
        match &self.chain {
            None => self.of_place(ordinal),
            Some(references) => references
                .of(ordinal)
                .filter_map(|place| self.of_place(place))
                .min_by(f64::total_cmp),
        }
    }

    /// The distance in metres of a place itself.
    pub fn of_place(&self, place: u32) -> Option<f64> {
        let at = self.places.of(place)?;
        self.centres
            .iter()
            .map(|&centre| distance(centre, at))
            .min_by(f64::total_cmp)
    }
}
