//! A term dictionary: distinct byte keys in ascending order, found by binary search in the map.
//!
//! Sections: `<name>.offsets` (u64, one more than there are keys) into `<name>.heap` (the keys, joined).
//! Keys that share a prefix are neighbours, so a prefix is a range of term numbers and, through
//! [`Postings`](super::postings::Postings), one contiguous run of ordinals.

use std::ops::Range;

use super::FormatError;
use super::map::{Column, Region};
use super::pack::{Pack, PackWriter};

/// Writes keys, which must come in ascending order without repeats.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write_dictionary<K: AsRef<[u8]>>(
    pack: &mut PackWriter,
    name: &str,
    keys: &[K],
) -> Result<(), FormatError> {
    debug_assert!(
        keys.windows(2)
            .all(|pair| pair[0].as_ref() < pair[1].as_ref())
    );
    let mut offsets = Vec::with_capacity(keys.len() + 1);
    let mut end = 0u64;
    offsets.push(end);
    for key in keys {
        end += key.as_ref().len() as u64;
        offsets.push(end);
    }
    pack.column(&format!("{name}.offsets"), &offsets)?;
    pack.pieces(&format!("{name}.heap"), |put| {
        keys.iter().try_for_each(|key| put(key.as_ref()))
    })
}

/// An opened term dictionary.
pub struct Dictionary {
    offsets: Column<u64>,
    heap: Region,
}

impl Dictionary {
    /// Opens the sections `<name>.offsets` and `<name>.heap`.
    ///
    /// # Errors
    /// [`FormatError`] when a section is missing or inconsistent.
    pub fn open(pack: &Pack, name: &str) -> Result<Dictionary, FormatError> {
        let offsets: Column<u64> = pack.column(&format!("{name}.offsets"))?;
        let heap = pack.region(&format!("{name}.heap"))?;
        if offsets.last() != Some(&(heap.len() as u64)) {
            return Err(FormatError::Layout {
                section: name.to_owned(),
                detail: "offsets do not end at the heap's end".into(),
            });
        }
        Ok(Dictionary { offsets, heap })
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The key of a term number; empty beyond the last.
    pub fn key(&self, term: usize) -> &[u8] {
        let offsets = &*self.offsets;
        match (offsets.get(term), offsets.get(term + 1)) {
            (Some(&start), Some(&end)) => self
                .heap
                .as_slice()
                .get(start as usize..end as usize)
                .unwrap_or(&[]),
            _ => &[],
        }
    }

    /// The term number of a key.
    pub fn find(&self, key: &[u8]) -> Option<usize> {
        let term = self.lower_bound(key);
        (term < self.len() && self.key(term) == key).then_some(term)
    }

    /// The first term number whose key is not below `key`.
    pub fn lower_bound(&self, key: &[u8]) -> usize {
        self.partition_point(|candidate| candidate < key)
    }

    /// The term numbers of all keys that start with `prefix`.
    pub fn prefix_range(&self, prefix: &[u8]) -> Range<usize> {
        let start = self.lower_bound(prefix);
        let end =
            self.partition_point(|candidate| candidate < prefix || candidate.starts_with(prefix));
        start..end.max(start)
    }

    fn partition_point(&self, below: impl Fn(&[u8]) -> bool) -> usize {
        let heap = self.heap.as_slice();
        let offsets = &*self.offsets;
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            let key = heap
                .get(offsets[middle] as usize..offsets[middle + 1] as usize)
                .unwrap_or(&[]);
            if below(key) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        low
    }

    /// The term numbers whose key contains `needle`, ascending. One pass over the heap with a
    /// substring searcher, instead of one comparison per key.
    pub fn containing(&self, needle: &[u8]) -> Vec<usize> {
        if needle.is_empty() {
            return (0..self.len()).collect();
        }
        let (offsets, heap) = (&*self.offsets, self.heap.as_slice());
        let finder = memchr::memmem::Finder::new(needle);
        let mut terms = Vec::new();
        let (mut at, mut term) = (0usize, 0usize);
        while let Some(found) = heap.get(at..).and_then(|rest| finder.find(rest)) {
            let start = at + found;
            // The key that holds the hit: the last one that starts at or before it.
            term += offsets[term..].partition_point(|&offset| offset as usize <= start) - 1;
            let end = offsets[term + 1] as usize;
            if start + needle.len() <= end {
                terms.push(term);
                at = end;
                term += 1;
            } else {
                // The hit straddles two keys: go on one byte further.
                at = start + 1;
            }
            if term >= self.len() {
                break;
            }
        }
        terms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn agrees_with_a_sorted_set(keys in prop::collection::btree_set("[abc]{0,5}", 0..60), probe in "[abc]{0,3}") {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("d.pack");
            let sorted: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes()).collect();
            let mut writer = PackWriter::create(&path).unwrap();
            write_dictionary(&mut writer, "d", &sorted).unwrap();
            writer.finish().unwrap();
            let dictionary = Dictionary::open(&Pack::open(&path).unwrap(), "d").unwrap();
            prop_assert_eq!(dictionary.len(), keys.len());
            prop_assert_eq!(dictionary.find(probe.as_bytes()).is_some(), keys.contains(&probe));
            let expected: BTreeSet<usize> =
                keys.iter().enumerate().filter(|(_, key)| key.starts_with(&probe)).map(|(term, _)| term).collect();
            prop_assert_eq!(dictionary.prefix_range(probe.as_bytes()).collect::<BTreeSet<_>>(), expected);
            let expected: Vec<usize> =
                keys.iter().enumerate().filter(|(_, key)| key.contains(&probe)).map(|(term, _)| term).collect();
            prop_assert_eq!(dictionary.containing(probe.as_bytes()), expected);
        }
    }
}
