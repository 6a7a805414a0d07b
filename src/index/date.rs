//! Date values: half-open ranges of microseconds since 1970 UTC, sorted by start and by end.
//!
//! Sections: `<name>.low` and `<name>.low_high` (i64) with `<name>.low_ordinals` (u32), ascending by start;
//! `<name>.high` (i64) with `<name>.high_ordinals` (u32), ascending by end. Each prefix of R4 is then one or
//! two slices of these columns; of long columns `<name>.low_blocks` and `<name>.high_blocks` have the bitmaps of
//! [`super::blocks`].

use std::sync::OnceLock;

use roaring::RoaringBitmap;
use rorqual_schema::{DateRange, Prefix};

use super::FormatError;
use super::blocks::{Blocks, write_blocks};
use super::interner::Places;
use super::map::Column;
use super::pack::{Pack, PackWriter};
use super::postings::from_unordered;
use super::sort::write_ranks_of;

/// Gathers date values while an index is built.
#[derive(Default)]
pub struct DateCollector {
    pub(super) values: Vec<(u32, DateRange)>,
}

impl DateCollector {
    /// Notes one value of a slot.
    pub fn add(&mut self, slot: u32, range: DateRange) {
        self.values.push((slot, range));
    }

    /// Bytes of memory that values noted take.
    pub fn weight(&self) -> usize {
        size_of::<(u32, DateRange)>() * self.values.capacity()
    }

    /// Writes the index under `name`; `ranked` adds the columns that `_sort` reads.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn write(
        &self,
        pack: &mut PackWriter,
        name: &str,
        places: &Places<'_>,
        ranked: bool,
    ) -> Result<(), FormatError> {
        let mut values = self.placed(places);
        if ranked {
            write_ranks_of(
                pack,
                name,
                places.count(),
                values.iter().map(|&(low, _, ordinal)| (low, ordinal)),
            )?;
        }
        pack.column(
            &format!("{name}.low"),
            &values.iter().map(|value| value.0).collect::<Vec<_>>(),
        )?;
        pack.column(
            &format!("{name}.low_high"),
            &values.iter().map(|value| value.1).collect::<Vec<_>>(),
        )?;
        let ordinals: Vec<u32> = values.iter().map(|value| value.2).collect();
        pack.column(&format!("{name}.low_ordinals"), &ordinals)?;
        write_blocks(pack, &format!("{name}.low_blocks"), &ordinals)?;
        values.sort_unstable_by_key(|&(low, high, ordinal)| (high, low, ordinal));
        pack.column(
            &format!("{name}.high"),
            &values.iter().map(|value| value.1).collect::<Vec<_>>(),
        )?;
        let ordinals: Vec<u32> = values.iter().map(|value| value.2).collect();
        pack.column(&format!("{name}.high_ordinals"), &ordinals)?;
        write_blocks(pack, &format!("{name}.high_blocks"), &ordinals)
    }

    /// Start, end and ordinal of each value, ascending, without repeats. Values are sorted before they are placed: a slot may
    /// have many places.
    fn placed(&self, places: &Places<'_>) -> Vec<(i64, i64, u32)> {
        let mut known: Vec<(i64, i64, u32)> = self
            .values
            .iter()
            .map(|(slot, range)| (range.low, range.high, *slot))
            .collect();
        known.sort_unstable();
        let mut values = Vec::with_capacity(known.len());
        let mut ordinals: Vec<u32> = Vec::new();
        for same in known.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
            ordinals.clear();
            for (_, _, slot) in same {
                ordinals.extend_from_slice(places.of(*slot));
            }
            ordinals.sort_unstable();
            ordinals.dedup();
            for (low, high, _) in same.iter().take(1) {
                values.extend(ordinals.iter().map(|&ordinal| (*low, *high, ordinal)));
            }
        }
        values
    }

    /// The slots that hold any value.
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.values.iter().map(|(slot, _)| *slot)
    }
}

/// Opened date values.
pub struct DateIndex {
    low: Column<i64>,
    low_high: Column<i64>,
    low_ordinals: Column<u32>,
    high: Column<i64>,
    high_ordinals: Column<u32>,
    /// Ready-made bitmaps of the two columns of ordinals, where they are long.
    blocks: Option<[Blocks; 2]>,
    /// The distinct starts, ascending: what ranks stand for. Needed only where ranks of several indexes meet.
    starts: OnceLock<Vec<i64>>,
}

impl DateIndex {
    /// Opens what [`DateCollector::write`] wrote.
    ///
    /// # Errors
    /// [`FormatError`] when a section is missing or inconsistent.
    pub fn open(pack: &Pack, name: &str) -> Result<DateIndex, FormatError> {
        let mut index = DateIndex {
            low: pack.column(&format!("{name}.low"))?,
            low_high: pack.column(&format!("{name}.low_high"))?,
            low_ordinals: pack.column(&format!("{name}.low_ordinals"))?,
            high: pack.column(&format!("{name}.high"))?,
            high_ordinals: pack.column(&format!("{name}.high_ordinals"))?,
            blocks: None,
            starts: OnceLock::new(),
        };
        let length = index.low.len();
        if [
            index.low_high.len(),
            index.low_ordinals.len(),
            index.high.len(),
            index.high_ordinals.len(),
        ] != [length; 4]
        {
            return Err(FormatError::Layout {
                section: name.to_owned(),
                detail: "its columns differ in length".into(),
            });
        }
        let low = Blocks::open(pack, &format!("{name}.low_blocks"), length)?;
        let high = Blocks::open(pack, &format!("{name}.high_blocks"), length)?;
        index.blocks = low.zip(high).map(|(low, high)| [low, high]);
        Ok(index)
    }

    /// How many rows start below `bound`.
    fn starting_below(&self, bound: i64) -> usize {
        self.low.partition_point(|&low| low < bound)
    }

    /// How many rows end at `bound` or earlier.
    fn ending_by(&self, bound: i64) -> usize {
        self.high.partition_point(|&high| high <= bound)
    }

    /// Ordinals of the first rows by start.
    fn first_starting(&self, rows: usize) -> RoaringBitmap {
        match &self.blocks {
            Some([low, _]) => low.before(&self.low_ordinals, rows),
            None => from_unordered(&self.low_ordinals[..rows]),
        }
    }

    /// Ordinals of the rows by start, but for the first.
    fn last_starting(&self, but: usize) -> RoaringBitmap {
        match &self.blocks {
            Some([low, _]) => low.from(&self.low_ordinals, but),
            None => from_unordered(&self.low_ordinals[but..]),
        }
    }

    /// Ordinals of the first rows by end.
    fn first_ending(&self, rows: usize) -> RoaringBitmap {
        match &self.blocks {
            Some([_, high]) => high.before(&self.high_ordinals, rows),
            None => from_unordered(&self.high_ordinals[..rows]),
        }
    }

    /// Ordinals of the rows by end, but for the first.
    fn last_ending(&self, but: usize) -> RoaringBitmap {
        match &self.blocks {
            Some([_, high]) => high.from(&self.high_ordinals, but),
            None => from_unordered(&self.high_ordinals[but..]),
        }
    }

    /// Whether any slice of a column is had about as quickly as any other, however long it is.
    pub fn has_blocks(&self) -> bool {
        self.blocks.is_some()
    }

    /// Whether the ready-made bitmaps are those of the columns: for a check of the whole.
    pub fn blocks_agree(&self) -> bool {
        self.blocks.as_ref().is_none_or(|[low, high]| {
            low.agree(&self.low_ordinals) && high.agree(&self.high_ordinals)
        })
    }

    /// Rows, in order of start, whose start lies in the range.
    fn rows_starting_in(&self, range: DateRange) -> std::ops::Range<usize> {
        let start = self.low.partition_point(|&low| low < range.low);
        start..self.low.partition_point(|&low| low < range.high).max(start)
    }

    fn contained(&self, range: DateRange) -> Vec<u32> {
        self.rows_starting_in(range)
            .filter(|&row| self.low_high[row] <= range.high)
            .map(|row| self.low_ordinals[row])
            .collect()
    }

    /// An upper bound of how many ordinals a comparison selects.
    pub fn count(&self, prefix: Prefix, range: DateRange) -> u64 {
        let rows = self.rows();
        let (below, after) = (
            || self.starting_below(range.low),
            || rows - self.ending_by(range.high),
        );
        let count = match prefix {
            Prefix::Eq => self.rows_starting_in(range).len(),
            Prefix::Gt => after(),
            Prefix::Lt => below(),
            Prefix::Ge => after() + self.rows_starting_in(range).len(),
            Prefix::Le => below() + self.rows_starting_in(range).len(),
            Prefix::Sa => rows - self.starting_below(range.high),
            Prefix::Eb => self.ending_by(range.low),
            Prefix::Ne => below() + after(),
            Prefix::Ap => rows,
        };
        count as u64
    }

    /// Ordinals with a stored range that compares as R4's table of prefixes says
    /// (<https://hl7.org/fhir/R4/search.html#prefix>). `Ap` expects the range already widened.
    pub fn select(&self, prefix: Prefix, range: DateRange) -> RoaringBitmap {
        let below = || self.first_starting(self.starting_below(range.low));
        let after = || self.last_ending(self.ending_by(range.high));
        let contained = || from_unordered(&self.contained(range));
        match prefix {
            Prefix::Eq => contained(),
            Prefix::Gt => after(),
            Prefix::Lt => below(),
            Prefix::Ge => after() | contained(),
            Prefix::Le => below() | contained(),
            Prefix::Sa => self.last_starting(self.starting_below(range.high)),
            Prefix::Eb => self.first_ending(self.ending_by(range.low)),
            // Some value is not inside the range: it reaches below or above it.
            Prefix::Ne => below() | after(),
            Prefix::Ap => {
                let rows = 0..self.low.partition_point(|&low| low < range.high);
                let overlapping: Vec<u32> = rows
                    .filter(|&row| self.low_high[row] > range.low)
                    .map(|row| self.low_ordinals[row])
                    .collect();
                from_unordered(&overlapping)
            }
        }
    }

    /// The start that a rank of `_sort` stands for, in microseconds since 1970 UTC.
    pub fn start_of_rank(&self, rank: u32) -> Option<i64> {
        let starts = self.starts.get_or_init(|| {
            let mut starts = self.low.to_vec();
            starts.dedup();
            starts
        });
        starts.get(rank as usize).copied()
    }

    /// The latest start that is not after `bound`; both in microseconds since 1970 UTC.
    pub fn last_start_by(&self, bound: i64) -> Option<i64> {
        let before = self.low.partition_point(|&low| low <= bound);
        self.low.get(before.checked_sub(1)?).copied()
    }

    /// Ordinals by start, one for each value that they have.
    pub fn rows_by_start(&self) -> &[u32] {
        &self.low_ordinals
    }

    /// The ready-made bitmaps of [`DateIndex::rows_by_start`], where there are any.
    pub fn blocks_by_start(&self) -> Option<&Blocks> {
        self.blocks.as_ref().map(|[low, _]| low)
    }

    /// How many rows there are: as many as ordinals when each has one value.
    pub fn rows(&self) -> usize {
        self.low.len()
    }

    /// Ordinals with a row that a comparison does not select: where each ordinal has one row, the complement of
    /// [`DateIndex::select`] among those present. Cheaper than the selection when that is most of the directory.
    /// `None` for the comparisons that never are.
    pub fn select_rest(&self, prefix: Prefix, range: DateRange) -> Option<RoaringBitmap> {
        let before = self.low.partition_point(|&low| low < range.low);
        let rows = |rows: std::ops::Range<usize>, keep: &dyn Fn(i64) -> bool| {
            let kept: Vec<u32> = rows
                .filter(|&row| keep(self.low_high[row]))
                .map(|row| self.low_ordinals[row])
                .collect();
            from_unordered(&kept)
        };
        match prefix {
            Prefix::Gt => Some(self.first_ending(self.ending_by(range.high))),
            Prefix::Lt => Some(self.last_starting(self.starting_below(range.low))),
            // Begins before the value and does not reach above it.
            Prefix::Ge => Some(rows(0..before, &|high| high <= range.high)),
            // Begins in or after the value and reaches above it.
            Prefix::Le => Some(rows(before..self.low.len(), &|high| high > range.high)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLOTS: u32 = 20_000;

    /// What R4 says of one stored range.
    fn holds(prefix: Prefix, stored: DateRange, asked: DateRange) -> bool {
        let contained = stored.low >= asked.low && stored.high <= asked.high;
        let (below, after) = (stored.low < asked.low, stored.high > asked.high);
        match prefix {
            Prefix::Eq => contained,
            Prefix::Ne => below || after,
            Prefix::Gt => after,
            Prefix::Lt => below,
            Prefix::Ge => after || contained,
            Prefix::Le => below || contained,
            Prefix::Sa => stored.low >= asked.high,
            Prefix::Eb => stored.high <= asked.low,
            Prefix::Ap => stored.low < asked.high && stored.high > asked.low,
        }
    }

    #[test]
    fn a_long_column_selects_what_each_of_its_values_says() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut range = |length: i64| {
            let low = random.i64(0..10_000);
            DateRange {
                low,
                high: low + 1 + random.i64(0..length),
            }
        };
        let mut collector = DateCollector::default();
        for slot in 0..SLOTS {
            // Most have one value, some have none or two.
            for _ in 0..[1, 1, 1, 2, 0][slot as usize % 5] {
                collector.add(slot, range(50));
            }
        }
        let ordinals: Vec<u32> = (0..SLOTS).rev().collect();
        let places = Places::One {
            ordinals: &ordinals,
            count: ordinals.len(),
        };
        let mut pack = PackWriter::in_memory().unwrap();
        collector.write(&mut pack, "d", &places, true).unwrap();
        let index = DateIndex::open(&pack.into_pack().unwrap(), "d").unwrap();
        assert!(index.has_blocks() && index.blocks_agree());
        let asked: Vec<DateRange> = (0..20).map(|_| range(3_000)).collect();
        for asked in asked {
            for prefix in [
                Prefix::Eq,
                Prefix::Ne,
                Prefix::Gt,
                Prefix::Lt,
                Prefix::Ge,
                Prefix::Le,
                Prefix::Sa,
                Prefix::Eb,
                Prefix::Ap,
            ] {
                let expected: RoaringBitmap = collector
                    .values
                    .iter()
                    .filter(|(_, stored)| holds(prefix, *stored, asked))
                    .map(|(slot, _)| SLOTS - 1 - slot)
                    .collect();
                let found = index.select(prefix, asked);
                assert!(found == expected, "{prefix:?} {asked:?}");
                assert!(found.len() <= index.count(prefix, asked));
            }
        }
    }
}
