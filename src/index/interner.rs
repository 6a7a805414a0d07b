//! Numbers for distinct byte keys while an index is being built, turned into sorted ranks at the end.

use std::collections::HashMap;

use ahash::RandomState;

/// Gives each distinct key a number, in order of first sight.
#[derive(Default)]
pub struct Interner {
    numbers: HashMap<Box<[u8]>, u32, RandomState>,
}

impl Interner {
    /// An empty interner with room for so many keys.
    pub fn with_capacity(keys: usize) -> Interner {
        Interner {
            numbers: HashMap::with_capacity_and_hasher(keys, RandomState::default()),
        }
    }

    /// The number of `key`, new or known.
    pub fn intern(&mut self, key: &[u8]) -> u32 {
        if let Some(&number) = self.numbers.get(key) {
            return number;
        }
        let number = self.numbers.len() as u32;
        self.numbers.insert(key.into(), number);
        number
    }

    /// The number of a key, if it was met.
    pub fn get(&self, key: &[u8]) -> Option<u32> {
        self.numbers.get(key).copied()
    }

    /// How many distinct keys were met.
    pub fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Whether no key was met.
    pub fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    /// Takes over another interner's keys: the answer maps its numbers to ours.
    pub fn absorb(&mut self, other: Interner) -> Vec<u32> {
        let mut map = vec![0; other.numbers.len()];
        for (key, number) in other.numbers {
            let next = self.numbers.len() as u32;
            map[number as usize] = *self.numbers.entry(key).or_insert(next);
        }
        map
    }

    /// The keys by number.
    pub fn keys(&self) -> Vec<&[u8]> {
        let mut keys: Vec<&[u8]> = vec![&[]; self.numbers.len()];
        for (key, &number) in &self.numbers {
            keys[number as usize] = key;
        }
        keys
    }

    /// The keys that `used` says are still needed, ascending, and for each number its rank among them
    /// (`u32::MAX` for a key left out).
    pub fn sorted(&self, used: impl Fn(u32) -> bool) -> (Vec<&[u8]>, Vec<u32>) {
        let mut keys: Vec<(&[u8], u32)> = self
            .numbers
            .iter()
            .filter(|(_, number)| used(**number))
            .map(|(key, &number)| (&**key, number))
            .collect();
        keys.sort_unstable();
        let mut ranks = vec![u32::MAX; self.numbers.len()];
        for (rank, (_, number)) in keys.iter().enumerate() {
            ranks[*number as usize] = rank as u32;
        }
        (keys.into_iter().map(|(key, _)| key).collect(), ranks)
    }
}

/// A growing list of (term number, slot) pairs; a slot is a resource or a line in order of arrival.
#[derive(Default)]
pub struct Pairs {
    pairs: Vec<(u32, u32)>,
}

impl Pairs {
    /// Notes that `slot` holds `term`.
    pub fn push(&mut self, term: u32, slot: u32) {
        self.pairs.push((term, slot));
    }

    /// Takes over pairs of another collector whose terms map through `terms` and whose slots begin at `shift`.
    pub fn absorb(&mut self, other: Pairs, terms: &[u32], shift: u32) {
        self.pairs.extend(
            other
                .pairs
                .into_iter()
                .map(|(term, slot)| (terms[term as usize], slot + shift)),
        );
    }

    /// The pairs as noted: (term number, slot).
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        self.pairs.iter().copied()
    }

    /// Which terms are still held by a slot that `places` keeps.
    pub fn used(&self, terms: usize, places: &Places<'_>) -> Vec<bool> {
        let mut used = vec![false; terms];
        for &(term, slot) in &self.pairs {
            if !places.of(slot).is_empty() {
                used[term as usize] = true;
            }
        }
        used
    }

    /// The pairs as `rank << 32 | ordinal`, unsorted, without those whose slot was dropped.
    pub fn placed(&self, ranks: &[u32], places: &Places<'_>) -> Vec<u64> {
        self.pairs
            .iter()
            .flat_map(|&(term, slot)| {
                let rank = u64::from(ranks[term as usize]) << 32;
                places
                    .of(slot)
                    .iter()
                    .map(move |&ordinal| rank | u64::from(ordinal))
            })
            .collect()
    }
}

/// Where each slot ends up: its ordinals. None when its resource was replaced; several when values are kept at the level
/// of another resource that several lead to.
pub enum Places<'a> {
    /// One ordinal for each slot.
    One {
        /// The ordinal of each slot, `u32::MAX` when dropped.
        ordinals: &'a [u32],
        /// How many ordinals there are.
        count: usize,
    },
    /// Several ordinals for each slot.
    Many {
        /// For each slot, and one more, where its ordinals start.
        starts: &'a [u64],
        /// The ordinals.
        ordinals: &'a [u32],
        /// How many ordinals there are.
        count: usize,
    },
}

impl Places<'_> {
    /// The ordinals of a slot.
    pub fn of(&self, slot: u32) -> &[u32] {
        let at = slot as usize;
        match self {
            Places::One { ordinals, .. } => match ordinals.get(at) {
                Some(ordinal) if *ordinal != u32::MAX => std::slice::from_ref(ordinal),
                _ => &[],
            },
            Places::Many {
                starts, ordinals, ..
            } => match (starts.get(at), starts.get(at + 1)) {
                (Some(&start), Some(&end)) => {
                    ordinals.get(start as usize..end as usize).unwrap_or(&[])
                }
                _ => &[],
            },
        }
    }

    /// How many ordinals there are.
    pub fn count(&self) -> usize {
        match self {
            Places::One { count, .. } | Places::Many { count, .. } => *count,
        }
    }
}
