//! String values: starts-with and contains on folded text, `:exact` on stored text.

use std::ops::Range;

use roaring::RoaringBitmap;
use rorqual_schema::fold;

use super::FormatError;
use super::dictionary::{Dictionary, write_dictionary};
use super::interner::{Interner, Pairs, Places};
use super::pack::{Pack, PackWriter};
use super::postings::{Postings, from_unordered, write_postings};
use super::sort::{Ranks, write_ranks};

/// Gathers string values while an index is built.
#[derive(Default)]
pub struct StringCollector {
    pub(super) stored: Interner,
    pub(super) pairs: Pairs,
}

impl StringCollector {
    /// Notes one value of a slot, as stored.
    pub fn add(&mut self, slot: u32, text: &str) {
        let term = self.stored.intern(text.as_bytes());
        self.pairs.push(term, slot);
    }

    /// Bytes of memory that values noted take.
    pub fn weight(&self) -> usize {
        self.stored.weight() + self.pairs.weight()
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
        let used = self.pairs.used(self.stored.len(), places);
        let (keys, ranks) = self.stored.sorted(|term| used[term as usize]);
        let pairs = self.pairs.placed(&ranks, places);
        // Folding once per distinct text, not once per value.
        let mut folded = Interner::default();
        let folded_of: Vec<u32> = keys
            .iter()
            .map(|key| folded.intern(fold(&String::from_utf8_lossy(key)).as_bytes()))
            .collect();
        let (folded_keys, folded_ranks) = folded.sorted(|_| true);
        let folded_pairs: Vec<u64> = pairs
            .iter()
            .map(|&pair| {
                let rank = folded_ranks[folded_of[(pair >> 32) as usize] as usize];
                u64::from(rank) << 32 | pair & u64::from(u32::MAX)
            })
            .collect();
        if ranked {
            write_ranks(pack, name, places.count(), &folded_pairs)?;
        }
        write_dictionary(pack, &format!("{name}.exact"), &keys)?;
        write_postings(pack, &format!("{name}.exact"), keys.len(), &pairs)?;
        write_dictionary(pack, &format!("{name}.folded"), &folded_keys)?;
        write_postings(
            pack,
            &format!("{name}.folded"),
            folded_keys.len(),
            &folded_pairs,
        )
    }

    /// The slots that hold any value.
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.pairs.iter().map(|(_, slot)| slot)
    }
}

/// Opened string values.
pub struct StringIndex {
    exact: Dictionary,
    exact_postings: Postings,
    folded: Dictionary,
    folded_postings: Postings,
}

impl StringIndex {
    /// Opens what [`StringCollector::write`] wrote.
    ///
    /// # Errors
    /// [`FormatError`] when a section is missing or inconsistent.
    pub fn open(pack: &Pack, name: &str) -> Result<StringIndex, FormatError> {
        Ok(StringIndex {
            exact: Dictionary::open(pack, &format!("{name}.exact"))?,
            exact_postings: Postings::open(pack, &format!("{name}.exact"))?,
            folded: Dictionary::open(pack, &format!("{name}.folded"))?,
            folded_postings: Postings::open(pack, &format!("{name}.folded"))?,
        })
    }

    /// The folded text that a rank of `_sort` stands for.
    pub fn text_of_rank(&self, rank: u32) -> Option<&[u8]> {
        ((rank as usize) < self.folded.len()).then(|| self.folded.key(rank as usize))
    }

    /// Ordinals by folded text, one for each that they have.
    pub fn folded_rows(&self) -> &[u32] {
        self.folded_postings.all()
    }

    /// An upper bound of how many ordinals have a value that starts with `folded` text.
    pub fn count_starting(&self, folded: &str) -> u64 {
        self.folded_postings
            .count(self.folded.prefix_range(folded.as_bytes()))
    }

    /// Ordinals with a value that starts with `folded` text.
    pub fn starting(&self, folded: &str) -> RoaringBitmap {
        self.folded_postings
            .bitmap_of_range(self.folded.prefix_range(folded.as_bytes()))
    }

    /// The ranks of the texts that start with `folded` text.
    pub fn ranks_starting(&self, folded: &str) -> Range<usize> {
        self.folded.prefix_range(folded.as_bytes())
    }

    /// Whether some value of an ordinal has one of these ranks, by the ranks of its least and its greatest value; `None` when
    /// one between them may, which these do not tell.
    pub fn starts(ranks: &Ranks, starting: &Range<usize>, ordinal: u32) -> Option<bool> {
        let rank = |greatest| ranks.rank(ordinal, greatest).map(|rank| rank as usize);
        let (Some(least), Some(greatest)) = (rank(false), rank(true)) else {
            return Some(false);
        };
        if starting.contains(&least) || starting.contains(&greatest) {
            return Some(true);
        }
        let around = least < starting.start && greatest >= starting.end;
        (!around).then_some(false)
    }

    /// Ordinals with a value equal to the stored text.
    pub fn equal(&self, text: &str) -> RoaringBitmap {
        self.exact
            .find(text.as_bytes())
            .map(|term| self.exact_postings.bitmap(term))
            .unwrap_or_default()
    }

    /// Ordinals with a value that contains `folded` text.
    pub fn containing(&self, folded: &str) -> RoaringBitmap {
        self.union(self.folded.containing(folded.as_bytes()))
    }

    /// Ordinals with a value that ends with `folded` text.
    pub fn ending(&self, folded: &str) -> RoaringBitmap {
        let mut terms = self.folded.containing(folded.as_bytes());
        terms.retain(|&term| self.folded.key(term).ends_with(folded.as_bytes()));
        self.union(terms)
    }

    fn union(&self, terms: Vec<usize>) -> RoaringBitmap {
        let ordinals: Vec<u32> = terms
            .into_iter()
            .flat_map(|term| self.folded_postings.of(term).iter().copied())
            .collect();
        from_unordered(&ordinals)
    }
}
