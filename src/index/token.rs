//! Token values: `code` in any system, `system|code`, `system|`, `|code`, and `:of-type`.
//!
//! A term is `code NUL system`, so that one code under every system is a run of neighbours. Systems have a
//! dictionary of their own for `system|`. Identifiers with a type add `type-system NUL type-code NUL value`.

use std::ops::Range;

use roaring::RoaringBitmap;
use rorqual_schema::{SystemMatch, Token, TokenQuery};

use super::FormatError;
use super::dictionary::{Dictionary, write_dictionary};
use super::interner::{Interner, Pairs, Places};
use super::pack::{Pack, PackWriter};
use super::postings::{Postings, write_postings};
use super::sort::write_ranks;

const SEPARATOR: u8 = 0;

/// Gathers token values while an index is built.
#[derive(Default)]
pub struct TokenCollector {
    pub(super) terms: Interner,
    pub(super) pairs: Pairs,
    pub(super) typed: Interner,
    pub(super) typed_pairs: Pairs,
    pub(super) scratch: Vec<u8>,
}

impl TokenCollector {
    /// Notes one value of a slot.
    pub fn add(&mut self, slot: u32, token: &Token<'_>) {
        join(
            &mut self.scratch,
            &[token.code.as_bytes(), token.system.as_bytes()],
        );
        let term = self.terms.intern(&self.scratch);
        self.pairs.push(term, slot);
        if let Some((system, code)) = &token.identifier_type {
            join(
                &mut self.scratch,
                &[system.as_bytes(), code.as_bytes(), token.code.as_bytes()],
            );
            let term = self.typed.intern(&self.scratch);
            self.typed_pairs.push(term, slot);
        }
    }

    /// Bytes of memory that values noted take.
    pub fn weight(&self) -> usize {
        let terms = self.terms.weight() + self.pairs.weight();
        terms + self.typed.weight() + self.typed_pairs.weight()
    }

    /// The slots that hold each `code` value: (code, system, slot), for resolving logical references.
    pub fn each(&self, mut visit: impl FnMut(&[u8], &[u8], u32)) {
        let keys = self.terms.keys();
        for (term, slot) in self.pairs.iter() {
            let (code, system) = split(keys[term as usize]);
            visit(code, system, slot);
        }
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
        let used = self.pairs.used(self.terms.len(), places);
        let (keys, ranks) = self.terms.sorted(|term| used[term as usize]);
        let mut pairs = self.pairs.placed(&ranks, places);
        write_dictionary(pack, &format!("{name}.terms"), &keys)?;
        if ranked {
            write_ranks(pack, name, places.count(), &pairs)?;
        }
        let mut systems = Interner::default();
        let system_of: Vec<u32> = keys
            .iter()
            .map(|key| systems.intern(split(key).1))
            .collect();
        let (system_keys, system_ranks) = systems.sorted(|_| true);
        write_postings(pack, &format!("{name}.terms"), keys.len(), &pairs)?;
        // In place: there may be many millions of them.
        for pair in &mut pairs {
            let system = system_ranks[system_of[(*pair >> 32) as usize] as usize];
            *pair = u64::from(system) << 32 | *pair & u64::from(u32::MAX);
        }
        write_dictionary(pack, &format!("{name}.systems"), &system_keys)?;
        write_postings(pack, &format!("{name}.systems"), system_keys.len(), &pairs)?;
        drop(pairs);
        let used = self.typed_pairs.used(self.typed.len(), places);
        let (keys, ranks) = self.typed.sorted(|term| used[term as usize]);
        let pairs = self.typed_pairs.placed(&ranks, places);
        write_dictionary(pack, &format!("{name}.typed"), &keys)?;
        write_postings(pack, &format!("{name}.typed"), keys.len(), &pairs)
    }

    /// The slots that hold any value.
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.pairs.iter().map(|(_, slot)| slot)
    }
}

fn join(out: &mut Vec<u8>, parts: &[&[u8]]) {
    out.clear();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.push(SEPARATOR);
        }
        out.extend_from_slice(part);
    }
}

/// Splits a term into code and system.
pub fn split(key: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(SEPARATOR, key) {
        Some(at) => (&key[..at], &key[at + 1..]),
        None => (key, &[]),
    }
}

/// Opened token values.
pub struct TokenIndex {
    terms: Dictionary,
    postings: Postings,
    systems: Dictionary,
    system_postings: Postings,
    typed: Dictionary,
    typed_postings: Postings,
}

/// Which terms of which dictionary a token selects.
pub enum TokenTerms {
    /// A run of code terms.
    Codes(Range<usize>),
    /// A run of systems.
    Systems(Range<usize>),
    /// A run of typed identifiers.
    Typed(Range<usize>),
}

impl TokenIndex {
    /// Opens what [`TokenCollector::write`] wrote.
    ///
    /// # Errors
    /// [`FormatError`] when a section is missing or inconsistent.
    pub fn open(pack: &Pack, name: &str) -> Result<TokenIndex, FormatError> {
        Ok(TokenIndex {
            terms: Dictionary::open(pack, &format!("{name}.terms"))?,
            postings: Postings::open(pack, &format!("{name}.terms"))?,
            systems: Dictionary::open(pack, &format!("{name}.systems"))?,
            system_postings: Postings::open(pack, &format!("{name}.systems"))?,
            typed: Dictionary::open(pack, &format!("{name}.typed"))?,
            typed_postings: Postings::open(pack, &format!("{name}.typed"))?,
        })
    }

    /// The terms that one token of a query selects. Several runs when case-insensitive systems take part.
    pub fn select(&self, query: &TokenQuery) -> Vec<TokenTerms> {
        let mut key = Vec::new();
        let Some(code) = &query.code else {
            let SystemMatch::Is(system) = &query.system else {
                return Vec::new();
            };
            return run(self.systems.find(system.as_bytes()))
                .map(TokenTerms::Systems)
                .into_iter()
                .collect();
        };
        match &query.system {
            SystemMatch::Is(system) => {
                join(&mut key, &[code.as_bytes(), system.as_bytes()]);
                run(self.terms.find(&key))
                    .map(TokenTerms::Codes)
                    .into_iter()
                    .collect()
            }
            SystemMatch::None => {
                join(&mut key, &[code.as_bytes(), b""]);
                run(self.terms.find(&key))
                    .map(TokenTerms::Codes)
                    .into_iter()
                    .collect()
            }
            SystemMatch::Any => {
                let mut runs = Vec::new();
                for (system, code) in rorqual_schema::token_code_variants(code) {
                    join(
                        &mut key,
                        &[code.as_bytes(), system.unwrap_or("").as_bytes()],
                    );
                    match system {
                        None => runs.push(TokenTerms::Codes(self.terms.prefix_range(&key))),
                        Some(_) => runs.extend(run(self.terms.find(&key)).map(TokenTerms::Codes)),
                    }
                }
                runs
            }
        }
    }

    /// The term of `:of-type`: type system, type code, value.
    pub fn select_of_type(&self, system: &str, code: &str, value: &str) -> Option<TokenTerms> {
        let mut key = Vec::new();
        join(
            &mut key,
            &[system.as_bytes(), code.as_bytes(), value.as_bytes()],
        );
        run(self.typed.find(&key)).map(TokenTerms::Typed)
    }

    /// How many ordinals a run of terms holds: exact for one term, an upper bound for several.
    pub fn count(&self, terms: &TokenTerms) -> u64 {
        match terms {
            TokenTerms::Codes(range) => self.postings.count(range.clone()),
            TokenTerms::Systems(range) => self.system_postings.count(range.clone()),
            TokenTerms::Typed(range) => self.typed_postings.count(range.clone()),
        }
    }

    /// The ordinals of a run of terms.
    pub fn bitmap(&self, terms: &TokenTerms) -> RoaringBitmap {
        match terms {
            TokenTerms::Codes(range) => self.postings.bitmap_of_range(range.clone()),
            TokenTerms::Systems(range) => self.system_postings.bitmap_of_range(range.clone()),
            TokenTerms::Typed(range) => self.typed_postings.bitmap_of_range(range.clone()),
        }
    }

    /// The lists of ordinals of a run of terms, one for each term.
    pub fn lists<'i>(&'i self, terms: &TokenTerms, out: &mut Vec<&'i [u32]>) {
        let (postings, range) = match terms {
            TokenTerms::Codes(range) => (&self.postings, range),
            TokenTerms::Systems(range) => (&self.system_postings, range),
            TokenTerms::Typed(range) => (&self.typed_postings, range),
        };
        out.extend(range.clone().map(|term| postings.of(term)));
    }

    /// Whether an ordinal holds any of a run of terms.
    pub fn holds(&self, terms: &TokenTerms, ordinal: u32) -> bool {
        let (postings, range) = match terms {
            TokenTerms::Codes(range) => (&self.postings, range),
            TokenTerms::Systems(range) => (&self.system_postings, range),
            TokenTerms::Typed(range) => (&self.typed_postings, range),
        };
        range
            .clone()
            .any(|term| postings.of(term).binary_search(&ordinal).is_ok())
    }

    /// The one ordinal that holds a code under no system: how `_id` is looked up.
    pub fn unique(&self, code: &str) -> Option<u32> {
        let mut key = Vec::new();
        join(&mut key, &[code.as_bytes(), b""]);
        self.postings.of(self.terms.find(&key)?).first().copied()
    }

    /// All ordinals that hold a code under no system, ascending: the versions of an id.
    pub fn all(&self, code: &str) -> impl DoubleEndedIterator<Item = u32> + '_ {
        let mut key = Vec::new();
        join(&mut key, &[code.as_bytes(), b""]);
        let ordinals = self.terms.find(&key).map(|term| self.postings.of(term));
        ordinals.unwrap_or(&[]).iter().copied()
    }

    /// The `code NUL system` term that a rank of `_sort` stands for.
    pub fn term_of_rank(&self, rank: u32) -> Option<&[u8]> {
        ((rank as usize) < self.terms.len()).then(|| self.terms.key(rank as usize))
    }

    /// The dictionary of `code NUL system` terms.
    pub fn terms(&self) -> &Dictionary {
        &self.terms
    }

    /// The postings of those terms.
    pub fn postings(&self) -> &Postings {
        &self.postings
    }
}

fn run(term: Option<usize>) -> Option<Range<usize>> {
    term.map(|term| term..term + 1)
}
