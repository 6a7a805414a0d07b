//! A page from the rows of a sorted column: walked from the end that is asked for, until there are enough matches.
//!
//! When most of the directory matches, the first matches stand near the end of the column, and what is further is never
//! looked at. Where none stand near that end, as when a range leaves it out, whole parts of the column are passed over. When
//! there are few matches on the way, the walk gives up early, and the matches are put in order instead.

use roaring::RoaringBitmap;

use crate::index::blocks::Blocks;
use crate::index::sort::Ranks;

/// How many matches are put in order in the time that one row of a walk takes: a walk looks at places all over the
/// directory.
const MATCHES_A_ROW: u64 = 8;
/// After how many rows without a match parts of the column are passed over.
const ROWS_IN_VAIN: u64 = 256;

/// What is walked.
#[derive(Clone, Copy)]
pub(super) struct Walk<'g> {
    /// Ordinals, a row for each value, ascending by value.
    pub(super) rows: &'g [u32],
    /// Their ready-made bitmaps, where the column is long.
    pub(super) blocks: Option<&'g Blocks>,
    /// The ranks of the same values.
    pub(super) ranks: &'g Ranks,
    /// From the greatest value down.
    pub(super) descending: bool,
}

impl Walk<'_> {
    /// The matches from `start` to `end` in the order of the values, those without a value last, those of one value in the
    /// order that `settle` gives them: they come to it in any order, and may come twice. `None` when the matches are put in
    /// order more cheaply, or when those without a value are reached and are not to be in the order of the index
    /// (`plain_rest`).
    pub(super) fn page(
        &self,
        matches: &RoaringBitmap,
        start: usize,
        end: usize,
        settle: &dyn Fn(&mut Vec<u32>),
        plain_rest: bool,
    ) -> Option<Vec<u32>> {
        let most = matches.len() / MATCHES_A_ROW;
        let expected = (end as u64).saturating_mul(self.rows.len() as u64);
        if expected > matches.len().saturating_mul(most) {
            return None;
        }
        let mut page = Page {
            found: Vec::with_capacity(end.saturating_sub(start)),
            passed: 0,
            start,
            end,
        };
        let mut rows = self.rows.iter().copied();
        let mut rows = std::iter::from_fn(|| match self.descending {
            true => rows.next_back(),
            false => rows.next(),
        });
        let (mut group, mut of_group) = (Vec::new(), None);
        for looked in 0.. {
            let Some(ordinal) = rows.next() else { break };
            if looked >= most {
                return None;
            }
            if looked == ROWS_IN_VAIN && of_group.is_none() {
                let none = self.none_at_first(matches);
                // This row is one of them, and those looked at.
                if let Some(more) = none.checked_sub(looked as usize + 1) {
                    rows.by_ref().take(more).for_each(drop);
                    continue;
                }
            }
            if !matches.contains(ordinal) {
                continue;
            }
            let Some(rank) = self.ranks.rank(ordinal, self.descending) else {
                continue;
            };
            // Rows of one value follow each other. One that was passed is that of an ordinal with several values,
            // which came with the one that counts.
            let passed = of_group.is_some_and(|of_group| match self.descending {
                true => rank > of_group,
                false => rank < of_group,
            });
            if passed {
                continue;
            }
            if of_group != Some(rank) {
                settle(&mut group);
                if page.take(&mut group) {
                    return Some(page.found);
                }
                of_group = Some(rank);
            }
            group.push(ordinal);
        }
        settle(&mut group);
        if page.take(&mut group) {
            return Some(page.found);
        }
        if !plain_rest {
            return None;
        }
        let mut without = matches
            .iter()
            .filter(|&ordinal| self.ranks.rank(ordinal, self.descending).is_none());
        while page.passed < end {
            let Some(ordinal) = without.next() else { break };
            group.push(ordinal);
            page.take(&mut group);
        }
        Some(page.found)
    }

    /// How many rows at the end that the walk begins with are surely no matches.
    fn none_at_first(&self, matches: &RoaringBitmap) -> usize {
        let rows = self.rows.len();
        self.blocks.map_or(0, |blocks| match self.descending {
            true => blocks.none_after(rows, matches),
            false => blocks.none_before(rows, matches),
        })
    }
}

struct Page {
    found: Vec<u32>,
    passed: usize,
    start: usize,
    end: usize,
}

impl Page {
    /// Empties the group into the page; whether that is full.
    fn take(&mut self, group: &mut Vec<u32>) -> bool {
        for ordinal in group.drain(..) {
            if (self.start..self.end).contains(&self.passed) {
                self.found.push(ordinal);
            }
            self.passed += 1;
        }
        self.passed >= self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::blocks::write_blocks;
    use crate::index::pack::PackWriter;
    use crate::index::sort::write_ranks_of;
    use proptest::prelude::*;

    const COUNT: usize = 400;

    proptest! {
        #[test]
        fn a_walk_is_a_slice_of_the_sorted_matches(
            values in prop::collection::vec(prop::collection::vec(0u32..60, 0..3), COUNT),
            several in any::<bool>(),
            out in prop::collection::vec(0u32..COUNT as u32, 0..40),
            descending in any::<bool>(),
            start in 0usize..30,
            count in 0usize..30,
        ) {
            let mut pairs: Vec<(u32, u32)> = values
                .iter()
                .zip(0u32..)
                .flat_map(|(values, ordinal)| {
                    let most = if several { values.len() } else { 1 };
                    values.iter().take(most).map(move |&value| (value, ordinal))
                })
                .collect();
            // Rows of one value in any order, as those of dates are.
            pairs.sort_by_key(|&(value, ordinal)| (value, ordinal.wrapping_mul(0x9e37_79b1)));
            let mut pack = PackWriter::in_memory().unwrap();
            write_ranks_of(&mut pack, "p", COUNT, pairs.iter().copied()).unwrap();
            let ranks = Ranks::open(&pack.into_pack().unwrap(), "p").unwrap();
            let rows: Vec<u32> = pairs.iter().map(|pair| pair.1).collect();

            let mut matches: RoaringBitmap = (0..COUNT as u32).collect();
            out.iter().for_each(|&ordinal| { matches.remove(ordinal); });
            let mut sorted: Vec<(bool, i64, u32)> = matches
                .iter()
                .map(|ordinal| {
                    let rank = ranks.rank(ordinal, descending).map(i64::from);
                    let directed = rank.map_or(0, |rank| if descending { -rank } else { rank });
                    (rank.is_none(), directed, ordinal)
                })
                .collect();
            sorted.sort();
            let end = (start + count).min(matches.len() as usize);
            let expected: Vec<u32> = sorted[start..end.max(start)].iter().map(|row| row.2).collect();

            let walk = Walk { rows: &rows, blocks: None, ranks: &ranks, descending };
            let settle = |group: &mut Vec<u32>| {
                group.sort_unstable();
                group.dedup();
            };
            let found = walk.page(&matches, start, end.max(start), &settle, true);
            if let Some(found) = &found {
                prop_assert_eq!(found, &expected);
            }
            // It is not given up for a short page.
            prop_assert!(found.is_some() || end > 8 || several);
        }
    }

    #[test]
    fn a_walk_that_takes_too_long_is_given_up() {
        let pairs: Vec<(u32, u32)> = (0..COUNT as u32).map(|at| (at, at)).collect();
        let mut pack = PackWriter::in_memory().unwrap();
        write_ranks_of(&mut pack, "p", COUNT, pairs.into_iter()).unwrap();
        let ranks = Ranks::open(&pack.into_pack().unwrap(), "p").unwrap();
        let rows: Vec<u32> = (0..COUNT as u32).collect();
        let walk = |descending| Walk {
            rows: &rows,
            blocks: None,
            ranks: &ranks,
            descending,
        };
        let upper: RoaringBitmap = (COUNT as u32 / 2..COUNT as u32).collect();
        let settle = |_: &mut Vec<u32>| {};
        assert_eq!(walk(false).page(&upper, 0, 2, &settle, true), None);
        let last = COUNT as u32 - 1;
        assert_eq!(
            walk(true).page(&upper, 0, 2, &settle, true),
            Some(vec![last, last - 1])
        );
        assert_eq!(walk(true).page(&upper, 0, 150, &settle, true), None);
    }

    #[test]
    fn what_a_range_leaves_out_is_passed_over() {
        let count = 40_000u32;
        let ordinal = |row: u32| (row * 7) % count;
        let rows: Vec<u32> = (0..count).map(ordinal).collect();
        let mut pack = PackWriter::in_memory().unwrap();
        let ascending = (0..count).map(|row| (row, ordinal(row)));
        write_ranks_of(&mut pack, "p", rows.len(), ascending).unwrap();
        write_blocks(&mut pack, "b", &rows).unwrap();
        let pack = pack.into_pack().unwrap();
        let ranks = Ranks::open(&pack, "p").unwrap();
        let blocks = Blocks::open(&pack, "b", rows.len()).unwrap();
        let settle = |_: &mut Vec<u32>| {};
        let middle: RoaringBitmap = (10_000..30_000).map(ordinal).collect();
        let walk = |descending, blocks| Walk {
            rows: &rows,
            blocks,
            ranks: &ranks,
            descending,
        };
        for (descending, first) in [(false, [10_000, 10_001]), (true, [29_999, 29_998])] {
            let without = walk(descending, None).page(&middle, 0, 2, &settle, true);
            assert_eq!(without, None);
            let found = walk(descending, blocks.as_ref()).page(&middle, 0, 2, &settle, true);
            assert_eq!(found, Some(first.map(ordinal).to_vec()));
        }
    }
}
