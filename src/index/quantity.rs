//! Quantity values: per dimension in its base unit, and as written for comparisons without a unit.
//!
//! Sections: `<name>.units` (dictionary of dimensions, and of units outside the table), `<name>.unit_starts`
//! (u64) into the rows of `<name>.canonical`; `<name>.written` holds every value as written, whatever its unit;
//! `<name>.rank_units` (u32, one up, 0 without) and `<name>.rank_values` (i128) say what each rank of `_sort` is.

use roaring::RoaringBitmap;
use rorqual_schema::{Decimal, QuantityValue};

use super::FormatError;
use super::dictionary::{Dictionary, write_dictionary};
use super::interner::{Interner, Places};
use super::map::Column;
use super::number::{NumberIndex, NumberTest, write_values};
use super::pack::{Pack, PackWriter};
use super::sort::{Ranks, write_ranks_of};

/// Gathers quantity values while an index is built.
#[derive(Default)]
pub struct QuantityCollector {
    pub(super) units: Interner,
    pub(super) values: Vec<Row>,
}

/// One gathered value.
pub(super) struct Row {
    pub(super) slot: u32,
    /// `u32::MAX` for a value without unit.
    pub(super) unit: u32,
    pub(super) canonical: Decimal,
    pub(super) written: Decimal,
}

/// The dictionary key of what a unit measures: its dimension, or the unit itself outside the table of units.
pub fn unit_key(unit: &str) -> Vec<u8> {
    match rorqual_schema::unit(unit) {
        Some((dimension, _)) => {
            let mut key = b"dimension ".to_vec();
            key.extend_from_slice(format!("{:05}", dimension.0).as_bytes());
            key
        }
        None => [b"unit ".as_slice(), unit.as_bytes()].concat(),
    }
}

impl QuantityCollector {
    /// Notes one value of a slot.
    pub fn add(&mut self, slot: u32, quantity: &QuantityValue<'_>) {
        let unit = quantity
            .unit
            .as_ref()
            .map_or(u32::MAX, |unit| self.units.intern(&unit_key(unit)));
        let canonical = quantity
            .canonical
            .map_or(quantity.value, |(_, value)| value);
        self.values.push(Row {
            slot,
            unit,
            canonical,
            written: quantity.value,
        });
    }

    /// Bytes of memory that values noted take.
    pub fn weight(&self) -> usize {
        self.units.weight() + size_of::<Row>() * self.values.capacity()
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
        // Units of what was dropped go with it: a delta ends where a rebuild does.
        let mut used = vec![false; self.units.len()];
        for row in self
            .values
            .iter()
            .filter(|row| !places.of(row.slot).is_empty())
        {
            if let Some(used) = used.get_mut(row.unit as usize) {
                *used = true;
            }
        }
        let (units, ranks) = self.units.sorted(|unit| used[unit as usize]);
        let mut canonical = Vec::new();
        let mut written = Vec::new();
        let mut order = Vec::new();
        for row in &self.values {
            let rank = ranks.get(row.unit as usize).copied();
            for &ordinal in places.of(row.slot) {
                written.push((row.written.0, ordinal));
                order.push(((rank.map_or(0, |rank| rank + 1), row.canonical.0), ordinal));
                canonical.extend(rank.map(|rank| (rank, row.canonical.0, ordinal)));
            }
        }
        canonical.sort_unstable();
        canonical.dedup();
        written.sort_unstable();
        written.dedup();
        if ranked {
            order.sort_unstable();
            write_ranks_of(pack, name, places.count(), order.iter().copied())?;
            order.dedup_by_key(|(value, _)| *value);
            let of_rank: Vec<u32> = order.iter().map(|((unit, _), _)| *unit).collect();
            pack.column(&format!("{name}.rank_units"), &of_rank)?;
            let of_rank: Vec<i128> = order.iter().map(|((_, value), _)| *value).collect();
            pack.column(&format!("{name}.rank_values"), &of_rank)?;
        }
        let starts: Vec<u64> = (0..=units.len() as u32)
            .map(|unit| canonical.partition_point(|&(rank, _, _)| rank < unit) as u64)
            .collect();
        write_dictionary(pack, &format!("{name}.units"), &units)?;
        pack.column(&format!("{name}.unit_starts"), &starts)?;
        let rows: Vec<(i128, u32)> = canonical
            .into_iter()
            .map(|(_, value, ordinal)| (value, ordinal))
            .collect();
        write_values(pack, &format!("{name}.canonical"), &rows)?;
        write_values(pack, &format!("{name}.written"), &written)
    }

    /// The slots that hold any value.
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.values.iter().map(|row| row.slot)
    }
}

/// A column that is written only where values are sorted.
fn optional<T: bytemuck::AnyBitPattern>(pack: &Pack, name: &str) -> Result<Column<T>, FormatError> {
    match pack.has(name) {
        true => pack.column(name),
        false => Ok(Column::empty()),
    }
}

/// Opened quantity values.
pub struct QuantityIndex {
    units: Dictionary,
    unit_starts: Column<u64>,
    canonical: NumberIndex,
    written: NumberIndex,
    /// For each rank of `_sort` its unit, one up, 0 without: absent where nothing is sorted.
    rank_units: Column<u32>,
    rank_values: Column<i128>,
}

impl QuantityIndex {
    /// Opens what [`QuantityCollector::write`] wrote.
    ///
    /// # Errors
    /// [`FormatError`] when a section is missing or inconsistent.
    pub fn open(pack: &Pack, name: &str) -> Result<QuantityIndex, FormatError> {
        let index = QuantityIndex {
            units: Dictionary::open(pack, &format!("{name}.units"))?,
            unit_starts: pack.column(&format!("{name}.unit_starts"))?,
            canonical: NumberIndex::open(pack, &format!("{name}.canonical"))?,
            written: NumberIndex::open(pack, &format!("{name}.written"))?,
            rank_units: optional(pack, &format!("{name}.rank_units"))?,
            rank_values: optional(pack, &format!("{name}.rank_values"))?,
        };
        let whole = index.unit_starts.len() == index.units.len() + 1
            && index.rank_units.len() == index.rank_values.len()
            && index.unit_starts.last() == Some(&(index.canonical.rows().len() as u64))
            && index.unit_starts.is_sorted();
        if !whole {
            return Err(FormatError::Layout {
                section: name.to_owned(),
                detail: "its units do not cover its rows".into(),
            });
        }
        Ok(index)
    }

    /// The unit and the number of it that a rank of `_sort` stands for.
    pub fn value_of_rank(&self, rank: u32) -> Option<(Option<&[u8]>, i128)> {
        let (unit, value) = (
            *self.rank_units.get(rank as usize)? as usize,
            *self.rank_values.get(rank as usize)?,
        );
        let unit = unit
            .checked_sub(1)
            .filter(|unit| *unit < self.units.len())
            .map(|unit| self.units.key(unit));
        Some((unit, value))
    }

    /// The column, its rows and the comparison in their unit. A comparison in a unit that nothing here is
    /// comparable with has no rows. `None`: the comparison overflows every stored value's range.
    fn plan(
        &self,
        test: NumberTest,
        unit: Option<&str>,
    ) -> (&NumberIndex, std::ops::Range<usize>, NumberTest) {
        let Some(unit) = unit else {
            return (&self.written, self.written.rows(), test);
        };
        let rows = self.units.find(&unit_key(unit)).map_or(0..0, |rank| {
            self.unit_starts[rank] as usize..self.unit_starts[rank + 1] as usize
        });
        let factor = rorqual_schema::unit(unit).map_or(1, |(_, factor)| factor);
        let scale = |decimal: Decimal| Decimal(decimal.0.saturating_mul(factor));
        (
            &self.canonical,
            rows,
            NumberTest {
                value: scale(test.value),
                half: scale(test.half),
                ..test
            },
        )
    }

    /// An upper bound of how many ordinals a comparison selects.
    pub fn count(&self, test: NumberTest, unit: Option<&str>) -> u64 {
        let (column, rows, test) = self.plan(test, unit);
        column.count(rows, test)
    }

    /// Whether every value is in the dimension of `unit` (or no unit is asked), so that the rows compared are all rows;
    /// and how many they are.
    pub fn all_rows(&self, unit: Option<&str>) -> Option<usize> {
        let test = NumberTest {
            prefix: rorqual_schema::Prefix::Eq,
            value: Decimal(0),
            half: Decimal(0),
        };
        let (_, rows, _) = self.plan(test, unit);
        (rows.len() == self.written.rows().len()).then_some(rows.len())
    }

    /// Whether what a comparison in `unit` selects is the beginning or the end of a column with ready-made bitmaps, unless it
    /// is an interval.
    pub fn has_blocks(&self, unit: Option<&str>) -> bool {
        let column = match unit {
            Some(_) => &self.canonical,
            None => &self.written,
        };
        column.has_blocks() && self.all_rows(unit) == Some(column.rows().len())
    }

    /// As [`NumberIndex::blocks_agree`].
    pub fn blocks_agree(&self) -> bool {
        self.canonical.blocks_agree() && self.written.blocks_agree()
    }

    /// As [`NumberIndex::select_rest`].
    pub fn select_rest(&self, test: NumberTest, unit: Option<&str>) -> RoaringBitmap {
        let (column, rows, test) = self.plan(test, unit);
        column.select_rest(rows, test)
    }

    /// How to tell whether some value of an ordinal compares as asked in `unit`, by the ranks of its least and its greatest
    /// value; that answers `None` when one between them may, which these do not tell.
    pub fn passes(
        &self,
        ranks: &Ranks,
        test: NumberTest,
        unit: &str,
    ) -> impl Fn(u32) -> Option<bool> {
        let key = unit_key(unit);
        let (_, _, test) = self.plan(test, Some(unit));
        move |ordinal| {
            let rank = |greatest| ranks.rank(ordinal, greatest);
            let (Some(least), Some(greatest)) = (rank(false), rank(true)) else {
                return Some(false);
            };
            let [first, last] = [least, greatest].map(|rank| {
                let (unit, value) = self.value_of_rank(rank)?;
                (unit == Some(&key[..])).then_some(value)
            });
            let mut known = [first, last].into_iter().flatten();
            if known.any(|value| test.accepts(value)) {
                return Some(true);
            }
            let bounded = first.is_some() && last.is_some() && test.is_one_sided();
            (least == greatest || bounded).then_some(false)
        }
    }

    /// Ordinals with a value that compares as asked: converted within the unit's dimension, or as written
    /// when no unit is given.
    pub fn select(&self, test: NumberTest, unit: Option<&str>) -> RoaringBitmap {
        let (column, rows, test) = self.plan(test, unit);
        column.select(rows, test)
    }
}
