//! Sort columns: for each ordinal the rank of its least and of its greatest value.
//!
//! Sections: `<name>.least` and `<name>.greatest` (u32 per ordinal, [`ABSENT`] without a value); the second is
//! left out when no ordinal has two values. Ranks stand for values of any type, so `_sort` compares integers.

use super::FormatError;
use super::map::Column;
use super::pack::{Pack, PackWriter};

/// The rank of a resource without a value: after every other.
pub const ABSENT: u32 = u32::MAX;

/// What a rank stands for. Ranks of one index compare as integers; those of several indexes compare by their values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortValue<'i> {
    /// An instant in microseconds, a number in units of 1e-15, or a place in an order.
    Integer(i128),
    /// A term: `code NUL system`, or a folded text.
    Term(&'i [u8]),
    /// A canonical unit and a number of it; without unit first.
    Quantity(Option<&'i [u8]>, i128),
}

/// Writes the columns from pairs packed as `rank << 32 | ordinal`.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write_ranks(
    pack: &mut PackWriter,
    name: &str,
    count: usize,
    pairs: &[u64],
) -> Result<(), FormatError> {
    write_columns(
        pack,
        name,
        count,
        pairs.iter().map(|&pair| ((pair >> 32) as u32, pair as u32)),
    )
}

/// Writes the columns from (value, ordinal) rows that ascend by value.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write_ranks_of<V: PartialEq>(
    pack: &mut PackWriter,
    name: &str,
    count: usize,
    ascending: impl Iterator<Item = (V, u32)>,
) -> Result<(), FormatError> {
    let mut last: Option<(V, u32)> = None;
    let ranked = ascending.map(|(value, ordinal)| {
        let rank = match last.take() {
            Some((previous, rank)) if previous == value => rank,
            Some((_, rank)) => rank + 1,
            None => 0,
        };
        last = Some((value, rank));
        (rank, ordinal)
    });
    write_columns(pack, name, count, ranked)
}

fn write_columns(
    pack: &mut PackWriter,
    name: &str,
    count: usize,
    ranked: impl Iterator<Item = (u32, u32)>,
) -> Result<(), FormatError> {
    let mut least = vec![ABSENT; count];
    let mut greatest = vec![ABSENT; count];
    for (rank, ordinal) in ranked {
        let at = ordinal as usize;
        least[at] = least[at].min(rank);
        greatest[at] = if greatest[at] == ABSENT {
            rank
        } else {
            greatest[at].max(rank)
        };
    }
    pack.column(&format!("{name}.least"), &least)?;
    if least != greatest {
        pack.column(&format!("{name}.greatest"), &greatest)?;
    }
    Ok(())
}

/// Opened sort columns of one parameter.
pub struct Ranks {
    least: Column<u32>,
    greatest: Option<Column<u32>>,
}

impl Ranks {
    /// Opens what [`write_ranks`] wrote.
    ///
    /// # Errors
    /// [`FormatError`] when a section is missing or inconsistent.
    pub fn open(pack: &Pack, name: &str) -> Result<Ranks, FormatError> {
        let greatest = format!("{name}.greatest");
        Ok(Ranks {
            least: pack.column(&format!("{name}.least"))?,
            greatest: pack
                .has(&greatest)
                .then(|| pack.column(&greatest))
                .transpose()?,
        })
    }

    /// The rank by which an ordinal is sorted: of its least value ascending, of its greatest descending.
    pub fn rank(&self, ordinal: u32, descending: bool) -> Option<u32> {
        let column = match (&self.greatest, descending) {
            (Some(greatest), true) => greatest,
            _ => &self.least,
        };
        column
            .get(ordinal as usize)
            .copied()
            .filter(|&rank| rank != ABSENT)
    }

    /// How many ordinals the columns cover.
    pub fn len(&self) -> usize {
        self.least.len()
    }

    /// Whether the columns cover nothing.
    pub fn is_empty(&self) -> bool {
        self.least.is_empty()
    }
}
