//! The order of matches: `_sort`, nearest first, best first, or the order of the index.

use std::collections::HashMap;

use ahash::RandomState;
use roaring::RoaringBitmap;
use rorqual_schema::{Hop, Position, ResourceType};

use super::parse::{NearSearch, SortBy, SortKey};
use crate::index::column::Values;
use crate::index::generation::Generation;
use crate::index::positions::{PositionIndex, distance};
use crate::index::reference::ReferenceIndex;
use crate::index::sort::Ranks;

/// Scores of matches by ordinal, in (0,1].
pub type Scores = HashMap<u32, f32, RandomState>;

/// What orders the matches of a request.
pub struct Order<'g> {
    keys: Vec<Key<'g>>,
}

enum Key<'g> {
    Ranks {
        ranks: &'g Ranks,
        descending: bool,
    },
    Chained {
        references: &'g ReferenceIndex,
        target: ResourceType,
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

impl<'g> Order<'g> {
    /// The order of a request: its `_sort`, else nearest first for a proximity search, else best first for a full-text
    /// one, else the order of the index.
    pub fn new(
        generation: &'g Generation,
        kind: ResourceType,
        sort: &[SortKey],
        near: Option<&'g NearSearch>,
        scores: Option<&'g Scores>,
    ) -> Order<'g> {
        let ranks = |kind, number| {
            let parameter = generation.directory(kind).parameter(number);
            parameter.and_then(|parameter| parameter.ranks.as_ref())
        };
        let by_distance = |descending| {
            let distances = Distances::new(generation, kind, near?)?;
            Some(Key::Distance {
                distances,
                descending,
            })
        };
        let key = |key: &SortKey| match key.by {
            SortBy::Parameter(number) => Some(Key::Ranks {
                ranks: ranks(kind, number)?,
                descending: key.descending,
            }),
            SortBy::Chained {
                reference,
                target,
                parameter,
            } => {
                let precomputed =
                    generation
                        .directory(kind)
                        .precomputed(reference, Hop::Direct, parameter);
                if let Some(ranks) = precomputed.and_then(|index| index.ranks.as_ref()) {
                    return Some(Key::Ranks {
                        ranks,
                        descending: key.descending,
                    });
                }
                Some(Key::Chained {
                    references: references(generation, kind, reference)?,
                    target,
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
        match self.keys.as_slice() {
            [] => match u32::try_from(start)
                .ok()
                .and_then(|start| matches.select(start))
            {
                Some(first) => matches.range(first..).take(end - start).collect(),
                None => Vec::new(),
            },
            // One key is by far the commonest.
            [key] => {
                let keyed = matches
                    .iter()
                    .map(|ordinal| (key.ascending(ordinal), ordinal))
                    .collect();
                window(keyed, start, end)
                    .into_iter()
                    .map(|(_, ordinal)| ordinal)
                    .collect()
            }
            keys => {
                let keyed: Vec<(Vec<u64>, u32)> = matches
                    .iter()
                    .map(|ordinal| {
                        (
                            keys.iter().map(|key| key.ascending(ordinal)).collect(),
                            ordinal,
                        )
                    })
                    .collect();
                window(keyed, start, end)
                    .into_iter()
                    .map(|(_, ordinal)| ordinal)
                    .collect()
            }
        }
    }
}

impl Key<'_> {
    /// A number that ascends in the order asked for.
    fn ascending(&self, ordinal: u32) -> u64 {
        let directed = |value: Option<u64>, descending: bool| match value {
            None => ABSENT,
            Some(value) if descending => ABSENT - 1 - value,
            Some(value) => value,
        };
        match self {
            Key::Ranks { ranks, descending } => {
                directed(ranks.rank(ordinal, *descending).map(u64::from), *descending)
            }
            Key::Chained {
                references,
                target,
                ranks,
                descending,
            } => {
                let ends = references
                    .targets(ordinal)
                    .filter(|(kind, _)| kind == target);
                let found = ends
                    .filter_map(|(_, to)| ranks.rank(to, *descending))
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
            Key::Score { scores, descending } => {
                let worse = |score: &f32| (1.0 - f64::from(*score)).max(0.0).to_bits();
                directed(scores.get(&ordinal).map(worse), *descending)
            }
        }
    }
}

fn references(
    generation: &Generation,
    kind: ResourceType,
    number: usize,
) -> Option<&ReferenceIndex> {
    match &generation.directory(kind).parameter(number)?.values {
        Values::Reference(index) => Some(index),
        _ => None,
    }
}

/// Distances from the points of a proximity search.
pub struct Distances<'g> {
    centres: &'g [Position],
    places: &'g PositionIndex,
    chain: Option<(&'g ReferenceIndex, ResourceType)>,
}

impl<'g> Distances<'g> {
    /// The distances that a proximity search over `kind` measures.
    pub fn new(
        generation: &'g Generation,
        kind: ResourceType,
        near: &'g NearSearch,
    ) -> Option<Distances<'g>> {
        let chain = match &near.chain {
            None => None,
            Some(chain) => Some((references(generation, kind, chain.reference)?, chain.target)),
        };
        let at = chain.map_or(kind, |(_, target)| target);
        match &generation.directory(at).parameter(near.parameter)?.values {
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
        match self.chain {
            None => self.of_place(ordinal),
            Some((references, target)) => {
                let places = references
                    .targets(ordinal)
                    .filter(|(kind, _)| *kind == target);
                places
                    .filter_map(|(_, place)| self.of_place(place))
                    .min_by(f64::total_cmp)
            }
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

/// The items from `start` to `end` of the sorted list, sorting no more than needed.
fn window<T: Ord>(mut items: Vec<T>, start: usize, end: usize) -> Vec<T> {
    if start >= end {
        return Vec::new();
    }
    if end < items.len() {
        items.select_nth_unstable(end - 1);
        items.truncate(end);
    }
    if start > 0 {
        items.select_nth_unstable(start);
        items.drain(..start);
    }
    items.sort_unstable();
    items
}

#[cfg(test)]
mod tests {
    use super::window;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_window_is_a_slice_of_the_sorted_list(items in prop::collection::vec(0u32..50, 0..80), a in 0usize..90, b in 0usize..90) {
            let mut sorted: Vec<(u32, usize)> = items.iter().copied().zip(0..).collect();
            let unsorted = sorted.clone();
            sorted.sort();
            let end = a.max(b).min(items.len());
            let start = a.min(b).min(end);
            prop_assert_eq!(window(unsorted, start, end), sorted[start..end].to_vec());
        }
    }
}
