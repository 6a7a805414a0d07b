//! Number values: exact fixed-point decimals in one ascending column.
//!
//! Sections: `<name>.values` (i128, units of 10^-15) and `<name>.ordinals` (u32), ascending by value; with ranks,
//! `<name>.distinct` (i128): the value of each rank. Of long columns `<name>.blocks` has the bitmaps of [`super::blocks`].

use std::ops::Range;

use roaring::RoaringBitmap;
use rorqual_schema::{Decimal, Prefix};

use super::FormatError;
use super::blocks::{Blocks, write_blocks};
use super::interner::Places;
use super::map::Column;
use super::pack::{Pack, PackWriter};
use super::postings::from_unordered;
use super::sort::{Ranks, write_ranks_of};

/// Gathers number values while an index is built.
#[derive(Default)]
pub struct NumberCollector {
    pub(super) values: Vec<(u32, Decimal)>,
}

impl NumberCollector {
    /// Notes one value of a slot.
    pub fn add(&mut self, slot: u32, value: Decimal) {
        self.values.push((slot, value));
    }

    /// Bytes of memory that values noted take.
    pub fn weight(&self) -> usize {
        size_of::<(u32, Decimal)>() * self.values.capacity()
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
        let mut values: Vec<(i128, u32)> = self
            .values
            .iter()
            .flat_map(|(slot, value)| places.of(*slot).iter().map(|&ordinal| (value.0, ordinal)))
            .collect();
        values.sort_unstable();
        values.dedup();
        if ranked {
            write_ranks_of(pack, name, places.count(), values.iter().copied())?;
            let mut distinct: Vec<i128> = values.iter().map(|row| row.0).collect();
            distinct.dedup();
            pack.column(&format!("{name}.distinct"), &distinct)?;
        }
        write_values(pack, name, &values)
    }

    /// The slots that hold any value.
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.values.iter().map(|(slot, _)| *slot)
    }
}

/// Writes ascending (value, ordinal) rows.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write_values(
    pack: &mut PackWriter,
    name: &str,
    ascending: &[(i128, u32)],
) -> Result<(), FormatError> {
    pack.column(
        &format!("{name}.values"),
        &ascending.iter().map(|row| row.0).collect::<Vec<_>>(),
    )?;
    let ordinals: Vec<u32> = ascending.iter().map(|row| row.1).collect();
    pack.column(&format!("{name}.ordinals"), &ordinals)?;
    write_blocks(pack, &format!("{name}.blocks"), &ordinals)
}

/// A comparison with a number: what R4 makes of a prefix and the digits given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NumberTest {
    /// The comparison.
    pub prefix: Prefix,
    /// The number given.
    pub value: Decimal,
    /// Half a unit of the last digit given: how far `eq` and `ne` reach on both sides.
    pub half: Decimal,
}

impl NumberTest {
    /// Whether of several values the least or the greatest passes when any does.
    pub fn is_one_sided(&self) -> bool {
        !matches!(self.prefix, Prefix::Eq | Prefix::Ne | Prefix::Ap)
    }

    /// Whether a value, in units of 1e-15, compares as asked.
    pub fn accepts(&self, value: i128) -> bool {
        let (asked, half) = (self.value.0, self.half.0);
        let equal = || {
            let (low, high) = (asked.saturating_sub(half), asked.saturating_add(half));
            low <= value && value < high
        };
        match self.prefix {
            Prefix::Eq => equal(),
            Prefix::Ne => !equal(),
            Prefix::Gt | Prefix::Sa => value > asked,
            Prefix::Lt | Prefix::Eb => value < asked,
            Prefix::Ge => value >= asked,
            Prefix::Le => value <= asked,
            Prefix::Ap => {
                let tenth = (asked / 10).abs();
                asked.saturating_sub(tenth) <= value && value <= asked.saturating_add(tenth)
            }
        }
    }
}

/// Opened number values.
pub struct NumberIndex {
    values: Column<i128>,
    ordinals: Column<u32>,
    /// The distinct values, ascending: what ranks stand for, where there are ranks.
    distinct: Option<Column<i128>>,
    /// Ready-made bitmaps, where the column is long.
    blocks: Option<Blocks>,
}

impl NumberIndex {
    /// Opens what [`write_values`] wrote.
    ///
    /// # Errors
    /// [`FormatError`] when a section is missing or inconsistent.
    pub fn open(pack: &Pack, name: &str) -> Result<NumberIndex, FormatError> {
        let values: Column<i128> = pack.column(&format!("{name}.values"))?;
        let ordinals: Column<u32> = pack.column(&format!("{name}.ordinals"))?;
        let distinct = format!("{name}.distinct");
        let distinct = pack
            .has(&distinct)
            .then(|| pack.column(&distinct))
            .transpose()?;
        if values.len() != ordinals.len() {
            return Err(FormatError::Layout {
                section: name.to_owned(),
                detail: "its columns differ in length".into(),
            });
        }
        let blocks = Blocks::open(pack, &format!("{name}.blocks"), values.len())?;
        Ok(NumberIndex {
            values,
            ordinals,
            distinct,
            blocks,
        })
    }

    /// The value that a rank of `_sort` stands for, in units of 1e-15.
    pub fn value_of_rank(&self, rank: u32) -> Option<i128> {
        self.distinct.as_ref()?.get(rank as usize).copied()
    }

    /// Whether some value of an ordinal compares as asked, by the ranks of its least and its greatest value; `None` when one
    /// between them may, which these do not tell.
    pub fn passes(&self, ranks: &Ranks, test: NumberTest, ordinal: u32) -> Option<bool> {
        let value = |greatest| self.value_of_rank(ranks.rank(ordinal, greatest)?);
        let (Some(least), Some(greatest)) = (value(false), value(true)) else {
            return Some(false);
        };
        if test.accepts(least) || test.accepts(greatest) {
            return Some(true);
        }
        (least == greatest || test.is_one_sided()).then_some(false)
    }

    /// The runs of rows that a comparison selects, within `rows`.
    fn runs(&self, rows: Range<usize>, test: NumberTest) -> [Range<usize>; 2] {
        let column = &self.values[rows.clone()];
        let below = |bound: i128| rows.start + column.partition_point(|&value| value < bound);
        let up_to = |bound: i128| rows.start + column.partition_point(|&value| value <= bound);
        let (value, half) = (test.value.0, test.half.0);
        let (low, high) = (value.saturating_sub(half), value.saturating_add(half));
        let tenth = (value / 10).abs();
        match test.prefix {
            Prefix::Eq => [below(low)..below(high), 0..0],
            Prefix::Ne => [rows.start..below(low), below(high)..rows.end],
            Prefix::Gt | Prefix::Sa => [up_to(value)..rows.end, 0..0],
            Prefix::Lt | Prefix::Eb => [rows.start..below(value), 0..0],
            Prefix::Ge => [below(value)..rows.end, 0..0],
            Prefix::Le => [rows.start..up_to(value), 0..0],
            Prefix::Ap => [
                below(value.saturating_sub(tenth))..up_to(value.saturating_add(tenth)),
                0..0,
            ],
        }
    }

    /// Ordinals by value, one for each that they have.
    pub fn rows_by_value(&self) -> &[u32] {
        &self.ordinals
    }

    /// All rows.
    pub fn rows(&self) -> Range<usize> {
        0..self.values.len()
    }

    /// An upper bound of how many ordinals a comparison selects among `rows`.
    pub fn count(&self, rows: Range<usize>, test: NumberTest) -> u64 {
        self.runs(rows, test)
            .iter()
            .map(|run| run.len() as u64)
            .sum()
    }

    /// Ordinals with a row among `rows` that a comparison does not select: where each ordinal has one row, the complement
    /// of [`NumberIndex::select`].
    pub fn select_rest(&self, rows: Range<usize>, test: NumberTest) -> RoaringBitmap {
        let [first, second] = self.runs(rows.clone(), test);
        // The runs are in order and apart; the second is empty, wherever it begins, when there is one run only.
        let second = if second.is_empty() {
            rows.end..rows.end
        } else {
            second
        };
        let gaps = [
            rows.start..first.start,
            first.end..second.start,
            second.end..rows.end,
        ];
        union_all(
            gaps.into_iter()
                .filter(|gap| !gap.is_empty())
                .map(|gap| &self.ordinals[gap]),
        )
    }

    /// Ordinals with a value that compares as asked, among `rows`.
    pub fn select(&self, rows: Range<usize>, test: NumberTest) -> RoaringBitmap {
        let [first, second] = self.runs(rows, test);
        let mut found = self.of_rows(first);
        if !second.is_empty() {
            found |= self.of_rows(second);
        }
        found
    }

    fn of_rows(&self, rows: Range<usize>) -> RoaringBitmap {
        match &self.blocks {
            Some(blocks) if rows.start == 0 => blocks.before(&self.ordinals, rows.end),
            Some(blocks) if rows.end == self.ordinals.len() => {
                blocks.from(&self.ordinals, rows.start)
            }
            _ => from_unordered(&self.ordinals[rows]),
        }
    }

    /// The ready-made bitmaps of [`NumberIndex::rows_by_value`], where there are any.
    pub fn blocks(&self) -> Option<&Blocks> {
        self.blocks.as_ref()
    }

    /// Whether the beginning and the end of the column are had about as quickly however long they are.
    pub fn has_blocks(&self) -> bool {
        self.blocks.is_some()
    }

    /// Whether the ready-made bitmaps are those of the column: for a check of the whole.
    pub fn blocks_agree(&self) -> bool {
        let blocks = self.blocks.as_ref();
        blocks.is_none_or(|blocks| blocks.agree(&self.ordinals))
    }
}

fn union_all<'o>(slices: impl Iterator<Item = &'o [u32]>) -> RoaringBitmap {
    slices.fold(RoaringBitmap::new(), |all, slice| {
        all | from_unordered(slice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_column_selects_what_each_of_its_values_says() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut rows: Vec<(i128, u32)> = (0..20_000)
            .map(|_| (i128::from(random.i32(-500..500)), random.u32(0..15_000)))
            .collect();
        rows.sort_unstable();
        rows.dedup();
        let mut pack = PackWriter::in_memory().unwrap();
        write_values(&mut pack, "n", &rows).unwrap();
        let index = NumberIndex::open(&pack.into_pack().unwrap(), "n").unwrap();
        assert!(index.has_blocks() && index.blocks_agree());
        for _ in 0..20 {
            for prefix in [
                Prefix::Eq,
                Prefix::Ne,
                Prefix::Gt,
                Prefix::Lt,
                Prefix::Ge,
                Prefix::Le,
                Prefix::Ap,
            ] {
                let test = NumberTest {
                    prefix,
                    value: Decimal(i128::from(random.i32(-600..600))),
                    half: Decimal(i128::from(random.u8(0..50))),
                };
                let accepted = rows.iter().filter(|row| test.accepts(row.0));
                let expected: RoaringBitmap = accepted.map(|row| row.1).collect();
                assert!(index.select(index.rows(), test) == expected, "{test:?}");
            }
        }
    }
}
