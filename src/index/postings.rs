//! Postings: which ordinals hold each term of a dictionary.
//!
//! Compressed sparse rows: `<name>.starts` (u64, one more than there are terms) into `<name>.ordinals`
//! (u32, ascending within a term). Terms held by many also have a roaring bitmap ready in `<name>.bitmaps`,
//! found through `<name>.bitmap_terms` (u32, ascending) and `<name>.bitmap_offsets` (u64).
//! Neighbouring terms' ordinals are neighbours too, so a range of terms is one slice.

use std::ops::Range;

use roaring::RoaringBitmap;

use super::FormatError;
use super::map::{Ahead, Column, Region};
use super::pack::{Pack, PackWriter};

/// From how many ordinals on a term gets a ready-made bitmap: below, building one from the slice is as quick.
const BITMAP_FROM: usize = 256;

/// Writes the postings of `terms` terms from (term, ordinal) pairs packed as `term << 32 | ordinal`, in any order, repeats
/// allowed.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write_postings(
    pack: &mut PackWriter,
    name: &str,
    terms: usize,
    pairs: &[u64],
) -> Result<(), FormatError> {
    let (starts, ordinals) = rows(terms, pairs);
    let (mut bitmap_terms, mut bitmap_offsets, mut bitmaps) = (Vec::new(), vec![0u64], Vec::new());
    for (term, range) in starts.windows(2).enumerate() {
        let slice = &ordinals[range[0] as usize..range[1] as usize];
        if slice.len() >= BITMAP_FROM {
            bitmap_terms.push(term as u32);
            write_bitmap(slice, &mut bitmaps);
            bitmap_offsets.push(bitmaps.len() as u64);
        }
    }
    pack.column(&format!("{name}.starts"), &starts)?;
    pack.column(&format!("{name}.ordinals"), &ordinals)?;
    pack.column(&format!("{name}.bitmap_terms"), &bitmap_terms)?;
    pack.column(&format!("{name}.bitmap_offsets"), &bitmap_offsets)?;
    pack.section(&format!("{name}.bitmaps"), &bitmaps)
}

/// Where each term's row starts, and one more, and the rows: ascending, without repeats. Pairs are dealt to their rows by
/// counting, and mostly come in the order of their ordinals: little is left to sort.
fn rows(terms: usize, pairs: &[u64]) -> (Vec<u64>, Vec<u32>) {
    let mut starts = vec![0u64; terms + 1];
    for pair in pairs {
        starts[(pair >> 32) as usize] += 1;
    }
    let mut end = 0;
    for start in &mut starts {
        end += *start;
        *start = end;
    }
    let mut ordinals = vec![0u32; pairs.len()];
    // Backwards, so that a row keeps the order of its pairs and what was its end becomes its start.
    for &pair in pairs.iter().rev() {
        let start = &mut starts[(pair >> 32) as usize];
        *start -= 1;
        ordinals[*start as usize] = pair as u32;
    }
    let mut kept = 0;
    for term in 0..terms {
        let (first, start, end) = (kept, starts[term] as usize, starts[term + 1] as usize);
        if !ordinals[start..end].is_sorted() {
            ordinals[start..end].sort_unstable();
        }
        for at in start..end {
            let ordinal = ordinals[at];
            if kept == first || ordinals[kept - 1] != ordinal {
                ordinals[kept] = ordinal;
                kept += 1;
            }
        }
        starts[term] = first as u64;
    }
    ordinals.truncate(kept);
    starts[terms] = kept as u64;
    (starts, ordinals)
}

/// Where each of `rows` rows starts among entries whose row numbers ascend, and one more for the end: the index of compressed
/// sparse rows.
pub fn row_starts(rows: usize, ascending: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut entries = ascending.peekable();
    let mut at = 0;
    (0..=rows as u64)
        .map(|row| {
            while entries.next_if(|&entry| entry < row).is_some() {
                at += 1;
            }
            at
        })
        .collect()
}

/// Appends the serialised roaring bitmap of ordinals in any order, repeats allowed.
fn write_bitmap(ordinals: &[u32], out: &mut Vec<u8>) {
    let mut bitmap = from_unordered(ordinals);
    bitmap.optimize();
    // Writing into a Vec cannot fail.
    let _ = bitmap.serialize_into(out);
}

/// Writes one bitmap as a section of its own.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write_presence(
    pack: &mut PackWriter,
    name: &str,
    ordinals: impl IntoIterator<Item = u32>,
) -> Result<(), FormatError> {
    let ordinals: Vec<u32> = ordinals.into_iter().collect();
    let mut bytes = Vec::new();
    write_bitmap(&ordinals, &mut bytes);
    pack.section(name, &bytes)
}

/// Reads a bitmap written by [`write_presence`].
///
/// # Errors
/// [`FormatError::Layout`] when the bytes are no bitmap.
pub fn read_presence(pack: &Pack, name: &str) -> Result<RoaringBitmap, FormatError> {
    // Checked bit by bit by `rorqual verify`, not on every query.
    RoaringBitmap::deserialize_unchecked_from(pack.region(name)?.as_slice()).map_err(|error| {
        FormatError::Layout {
            section: name.to_owned(),
            detail: error.to_string(),
        }
    })
}

/// Opened postings.
pub struct Postings {
    starts: Column<u64>,
    ordinals: Column<u32>,
    bitmap_terms: Column<u32>,
    bitmap_offsets: Column<u64>,
    bitmaps: Region,
}

impl Postings {
    /// Opens the sections of `name`.
    ///
    /// # Errors
    /// [`FormatError`] when one is missing or inconsistent.
    pub fn open(pack: &Pack, name: &str) -> Result<Postings, FormatError> {
        let postings = Postings {
            starts: pack.column(&format!("{name}.starts"))?,
            ordinals: pack.column(&format!("{name}.ordinals"))?,
            bitmap_terms: pack.column(&format!("{name}.bitmap_terms"))?,
            bitmap_offsets: pack.column(&format!("{name}.bitmap_offsets"))?,
            bitmaps: pack.region(&format!("{name}.bitmaps"))?,
        };
        let ends_agree = postings.starts.last() == Some(&(postings.ordinals.len() as u64))
            && postings.bitmap_offsets.last() == Some(&(postings.bitmaps.len() as u64))
            && postings.bitmap_offsets.len() == postings.bitmap_terms.len() + 1;
        if !ends_agree {
            return Err(FormatError::Layout {
                section: name.to_owned(),
                detail: "its arrays do not end together".into(),
            });
        }
        Ok(postings)
    }

    /// How many terms there are.
    pub fn terms(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Has what of a term's ordinals is read soon fetched meanwhile.
    pub fn expect(&self, term: usize, ahead: Ahead) {
        match ahead {
            Ahead::Place => self.starts.expect(term + 1),
            Ahead::Content => {
                if let Some(&start) = self.starts.get(term) {
                    self.ordinals.expect(start as usize);
                }
            }
        }
    }

    /// The ordinals of one term, ascending.
    pub fn of(&self, term: usize) -> &[u32] {
        self.of_range(term..term + 1)
    }

    /// The ordinals of a range of terms, term after term; ascending within each.
    pub fn of_range(&self, terms: Range<usize>) -> &[u32] {
        match (self.starts.get(terms.start), self.starts.get(terms.end)) {
            (Some(&start), Some(&end)) => self
                .ordinals
                .get(start as usize..end as usize)
                .unwrap_or(&[]),
            _ => &[],
        }
    }

    /// The ordinals of all terms, term after term; ascending within each.
    pub fn all(&self) -> &[u32] {
        &self.ordinals
    }

    /// How many ordinals a range of terms holds (each counted once per term): exact for one term.
    pub fn count(&self, terms: Range<usize>) -> u64 {
        self.of_range(terms).len() as u64
    }

    /// The ordinals of one term as a bitmap.
    pub fn bitmap(&self, term: usize) -> RoaringBitmap {
        match self
            .serialized(term)
            .map(RoaringBitmap::deserialize_unchecked_from)
        {
            Some(Ok(bitmap)) => bitmap,
            _ => from_ascending(self.of(term)),
        }
    }

    /// The serialised bitmap of a term, where one was made.
    pub fn serialized(&self, term: usize) -> Option<&[u8]> {
        let at = self.bitmap_terms.binary_search(&(term as u32)).ok()?;
        self.bitmaps.as_slice().get(self.bitmap_offsets.span(at)?)
    }

    /// The ordinals of a range of terms as a bitmap.
    pub fn bitmap_of_range(&self, terms: Range<usize>) -> RoaringBitmap {
        match terms.len() {
            0 => RoaringBitmap::new(),
            1 => self.bitmap(terms.start),
            _ => from_unordered(self.of_range(terms)),
        }
    }
}

/// A bitmap of ascending ordinals.
pub fn from_ascending(ordinals: &[u32]) -> RoaringBitmap {
    RoaringBitmap::from_sorted_iter(ordinals.iter().copied())
        .unwrap_or_else(|_| ordinals.iter().copied().collect())
}

/// Beyond this share of the highest ordinal, setting bits in a flat array beats sorting.
const DENSE: usize = 64;

/// A bitmap of ordinals in any order, repeats allowed.
pub fn from_unordered(ordinals: &[u32]) -> RoaringBitmap {
    let Some(&highest) = ordinals.iter().max() else {
        return RoaringBitmap::new();
    };
    if ordinals.len() * DENSE > highest as usize {
        let mut words = vec![0u64; highest as usize / 64 + 1];
        for &ordinal in ordinals {
            words[ordinal as usize / 64] |= 1 << (ordinal % 64);
        }
        RoaringBitmap::from_lsb0_bytes(0, bytemuck::cast_slice(&words))
    } else {
        let mut sorted = ordinals.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        from_ascending(&sorted)
    }
}

/// A bitmap of several lists of ascending ordinals: the cost is that of their entries, however many lists there are.
pub fn union_of(lists: &[&[u32]]) -> RoaringBitmap {
    match lists {
        [] => RoaringBitmap::new(),
        [only] => from_ascending(only),
        _ => {
            let entries: usize = lists.iter().map(|list| list.len()).sum();
            let highest = lists
                .iter()
                .filter_map(|list| list.last())
                .max()
                .copied()
                .unwrap_or(0);
            if entries * DENSE <= highest as usize {
                return from_unordered(&lists.concat());
            }
            let mut words = vec![0u64; highest as usize / 64 + 1];
            for &ordinal in lists.iter().copied().flatten() {
                words[ordinal as usize / 64] |= 1 << (ordinal % 64);
            }
            RoaringBitmap::from_lsb0_bytes(0, bytemuck::cast_slice(&words))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn every_way_of_reading_agrees(mut pairs in prop::collection::vec((0u64..4, 0u64..3000), 0..4000)) {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("p.pack");
            let packed: Vec<u64> = pairs.iter().map(|(term, ordinal)| term << 32 | ordinal).collect();
            let mut writer = PackWriter::create(&path).unwrap();
            write_postings(&mut writer, "p", 4, &packed).unwrap();
            writer.finish().unwrap();
            let postings = Postings::open(&Pack::open(&path).unwrap(), "p").unwrap();
            pairs.sort();
            for term in 0..4usize {
                let expected: BTreeSet<u32> =
                    pairs.iter().filter(|pair| pair.0 == term as u64).map(|pair| pair.1 as u32).collect();
                prop_assert_eq!(postings.of(term).iter().copied().collect::<BTreeSet<_>>(), expected.clone());
                prop_assert_eq!(postings.count(term..term + 1), expected.len() as u64);
                prop_assert_eq!(postings.bitmap(term).iter().collect::<BTreeSet<_>>(), expected);
            }
            let all: BTreeSet<u32> = pairs.iter().map(|pair| pair.1 as u32).collect();
            prop_assert_eq!(postings.bitmap_of_range(0..4).iter().collect::<BTreeSet<_>>(), all);
        }
    }
}
