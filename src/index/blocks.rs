//! Ready-made bitmaps of how far a column of ordinals reaches: up to, and from, each of a few places.
//!
//! A comparison with a date selects the beginning or the end of a sorted column. Where that column is long, one of these
//! bitmaps has nearly all of it, and what is between it and the bound is added row by row. Sections: `<name>.offsets`
//! (u64) into `<name>.bitmaps`, serialised roaring bitmaps: of the rows before each place, then of those from it on. Short
//! columns have none.

use roaring::RoaringBitmap;

use super::FormatError;
use super::map::{Column, Region};
use super::pack::{Pack, PackWriter};
use super::postings::from_unordered;

/// Into how many parts a column is cut.
pub const PARTS: usize = 16;
/// From how many rows on.
const ROWS: usize = 1 << 14;

/// The rows before which the places are.
fn places(rows: usize) -> [usize; PARTS - 1] {
    std::array::from_fn(|at| rows * (at + 1) / PARTS)
}

/// Every bitmap of a column, in the order in which they are stored.
fn bitmaps(ordinals: &[u32]) -> Vec<RoaringBitmap> {
    let mut before = RoaringBitmap::new();
    let mut done = 0;
    let mut all: Vec<RoaringBitmap> = places(ordinals.len())
        .into_iter()
        .map(|place| {
            before |= from_unordered(ordinals.get(done..place).unwrap_or(&[]));
            done = place;
            before.clone()
        })
        .collect();
    let mut from = RoaringBitmap::new();
    let mut done = ordinals.len();
    let mut down: Vec<RoaringBitmap> = places(ordinals.len())
        .into_iter()
        .rev()
        .map(|place| {
            from |= from_unordered(ordinals.get(place..done).unwrap_or(&[]));
            done = place;
            from.clone()
        })
        .collect();
    down.reverse();
    all.append(&mut down);
    all
}

/// Writes the bitmaps of a column, if it is long enough.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write_blocks(
    pack: &mut PackWriter,
    name: &str,
    ordinals: &[u32],
) -> Result<(), FormatError> {
    if ordinals.len() < ROWS {
        return Ok(());
    }
    let (mut offsets, mut bytes) = (vec![0u64], Vec::new());
    for bitmap in bitmaps(ordinals) {
        // Writing into a Vec cannot fail.
        let _ = bitmap.serialize_into(&mut bytes);
        offsets.push(bytes.len() as u64);
    }
    pack.column(&format!("{name}.offsets"), &offsets)?;
    pack.section(&format!("{name}.bitmaps"), &bytes)
}

/// The opened bitmaps of one column.
pub struct Blocks {
    offsets: Column<u64>,
    bitmaps: Region,
}

impl Blocks {
    /// Opens what [`write_blocks`] wrote of a column; `None` when it is too short to have any.
    ///
    /// # Errors
    /// [`FormatError`] when a section is missing or inconsistent.
    pub fn open(pack: &Pack, name: &str, rows: usize) -> Result<Option<Blocks>, FormatError> {
        if rows < ROWS {
            return Ok(None);
        }
        let blocks = Blocks {
            offsets: pack.column(&format!("{name}.offsets"))?,
            bitmaps: pack.region(&format!("{name}.bitmaps"))?,
        };
        let whole = blocks.offsets.len() == 2 * (PARTS - 1) + 1
            && blocks.offsets.last() == Some(&(blocks.bitmaps.as_slice().len() as u64));
        match whole {
            true => Ok(Some(blocks)),
            false => Err(FormatError::Layout {
                section: name.to_owned(),
                detail: "its arrays do not end together".into(),
            }),
        }
    }

    fn bitmap(&self, number: usize) -> Option<RoaringBitmap> {
        let bytes = self.bitmaps.as_slice().get(self.offsets.span(number)?)?;
        RoaringBitmap::deserialize_unchecked_from(bytes).ok()
    }

    /// The ordinals of the rows before `end`; `ordinals` is the column.
    pub fn before(&self, ordinals: &[u32], end: usize) -> RoaringBitmap {
        let nearest = places(ordinals.len())
            .into_iter()
            .enumerate()
            .take_while(|(_, place)| *place <= end)
            .last();
        let ready = nearest.and_then(|(number, place)| Some((self.bitmap(number)?, place)));
        let (found, done) = ready.unwrap_or_default();
        found | from_unordered(ordinals.get(done..end).unwrap_or(&[]))
    }

    /// The ordinals of the rows from `start` on; `ordinals` is the column.
    pub fn from(&self, ordinals: &[u32], start: usize) -> RoaringBitmap {
        let nearest = places(ordinals.len())
            .into_iter()
            .enumerate()
            .find(|(_, place)| *place >= start);
        let ready =
            nearest.and_then(|(number, place)| Some((self.bitmap(PARTS - 1 + number)?, place)));
        let (found, end) = ready.unwrap_or((RoaringBitmap::new(), ordinals.len()));
        found | from_unordered(ordinals.get(start..end).unwrap_or(&[]))
    }

    /// How many rows at the beginning of a column of `rows` are surely none of `ordinals`.
    pub fn none_before(&self, rows: usize, ordinals: &RoaringBitmap) -> usize {
        let places = places(rows);
        let clear = self.clear(ordinals, |shorter| shorter);
        clear.and_then(|at| places.get(at)).copied().unwrap_or(0)
    }

    /// How many rows at the end of a column of `rows` are surely none of `ordinals`.
    pub fn none_after(&self, rows: usize, ordinals: &RoaringBitmap) -> usize {
        let places = places(rows);
        let last = places.len() - 1;
        let clear = self.clear(ordinals, |shorter| places.len() + last - shorter);
        let place = clear.and_then(|at| places.get(last.checked_sub(at)?));
        place.map_or(0, |place| rows - place)
    }

    /// Which is the longest part without any of `ordinals`, where the shorter ones lie within the longer; `number` gives
    /// the bitmap of each, from the shortest to the longest.
    fn clear(&self, ordinals: &RoaringBitmap, number: impl Fn(usize) -> usize) -> Option<usize> {
        let parts: [usize; PARTS - 1] = std::array::from_fn(number);
        let clear = parts.partition_point(|&number| {
            let bitmap = self.bitmap(number);
            bitmap.is_some_and(|bitmap| bitmap.is_disjoint(ordinals))
        });
        clear.checked_sub(1)
    }

    /// Whether the bitmaps are those of the column: for a check of the whole.
    pub fn agree(&self, ordinals: &[u32]) -> bool {
        let due = bitmaps(ordinals);
        (0..due.len()).all(|number| self.bitmap(number).as_ref() == due.get(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn opened(ordinals: &[u32]) -> Option<Blocks> {
        let mut pack = PackWriter::in_memory().unwrap();
        write_blocks(&mut pack, "b", ordinals).unwrap();
        Blocks::open(&pack.into_pack().unwrap(), "b", ordinals.len()).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn both_ends_are_what_their_rows_hold(seed in any::<u64>(), more in 0usize..5000, spread in 1u32..200_000, ends in prop::collection::vec(0.0..=1.0f64, 12)) {
            let mut random = fastrand::Rng::with_seed(seed);
            let ordinals: Vec<u32> = (0..ROWS + more).map(|_| random.u32(0..spread)).collect();
            let blocks = opened(&ordinals).unwrap();
            prop_assert!(blocks.agree(&ordinals));
            let share = |share: f64| (share * ordinals.len() as f64) as usize;
            let bounds = ends.into_iter().map(share).chain([0, ordinals.len()]).chain(places(ordinals.len()));
            for bound in bounds {
                let expected: RoaringBitmap = ordinals[..bound].iter().copied().collect();
                prop_assert_eq!(blocks.before(&ordinals, bound), expected);
                let expected: RoaringBitmap = ordinals[bound..].iter().copied().collect();
                prop_assert_eq!(blocks.from(&ordinals, bound), expected);
                // What stands in one part of the column only.
                let mut some: RoaringBitmap = ordinals[bound..].iter().copied().collect();
                some -= blocks.before(&ordinals, bound);
                let clear = blocks.none_before(ordinals.len(), &some);
                prop_assert!(ordinals[..clear].iter().all(|ordinal| !some.contains(*ordinal)));
                prop_assert!(clear + ordinals.len() / PARTS + 1 >= bound);
                let mut some: RoaringBitmap = ordinals[..bound].iter().copied().collect();
                some -= blocks.from(&ordinals, bound);
                let clear = blocks.none_after(ordinals.len(), &some);
                prop_assert!(ordinals[ordinals.len() - clear..].iter().all(|ordinal| !some.contains(*ordinal)));
                prop_assert!(clear + ordinals.len() / PARTS + 1 >= ordinals.len() - bound);
            }
        }
    }

    #[test]
    fn a_short_column_has_none_and_a_wrong_one_is_told() {
        let ordinals: Vec<u32> = (0..ROWS as u32).collect();
        assert!(opened(&ordinals[1..]).is_none());
        let blocks = opened(&ordinals).unwrap();
        let mut other = ordinals.clone();
        other.reverse();
        assert!(blocks.agree(&ordinals) && !blocks.agree(&other));
    }
}
