//! Numbers for distinct byte keys while an index is being built, turned into sorted ranks at the end.

use std::cmp::Ordering;

use ahash::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::map::Region;

/// Gives each distinct key a number: those that were taken up first, ascending, then in order of first sight.
#[derive(Default)]
pub struct Interner {
    taken: TakenKeys,
    met: MetKeys,
}

/// Keys met, one behind the other: millions of them would weigh more each as a box of its own.
#[derive(Default)]
struct MetKeys {
    heap: Vec<u8>,
    /// Where each key ends.
    ends: Vec<u64>,
    numbers: HashTable<u32>,
    state: RandomState,
}

impl MetKeys {
    fn key(&self, number: usize) -> &[u8] {
        piece(&self.heap, &self.ends, number)
    }

    fn find(&self, key: &[u8]) -> Option<usize> {
        let same = |number: &u32| self.key(*number as usize) == key;
        let found = self.numbers.find(self.state.hash_one(key), same);
        found.map(|number| *number as usize)
    }

    /// The number of a key, new or known.
    fn intern(&mut self, key: &[u8]) -> usize {
        let (heap, ends, state) = (&mut self.heap, &mut self.ends, &self.state);
        let known = |number: &u32| piece(heap, ends, *number as usize) == key;
        let hash = |number: &u32| state.hash_one(piece(heap, ends, *number as usize));
        match self.numbers.entry(state.hash_one(key), known, hash) {
            Entry::Occupied(known) => *known.get() as usize,
            Entry::Vacant(place) => {
                let number = ends.len();
                place.insert(number as u32);
                heap.extend_from_slice(key);
                ends.push(heap.len() as u64);
                number
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map(|number| self.key(number))
    }
}

/// A key by its number among keys that stand one behind the other.
fn piece<'h>(heap: &'h [u8], ends: &[u64], number: usize) -> &'h [u8] {
    let start = number.checked_sub(1).and_then(|before| ends.get(before));
    let start = start.copied().unwrap_or(0) as usize;
    let end = ends.get(number).copied().unwrap_or(0) as usize;
    heap.get(start..end).unwrap_or(&[])
}

/// Keys taken up from a file: distinct and ascending, where they lie.
#[derive(Default)]
struct TakenKeys {
    heap: Option<Region>,
    /// Where each key ends.
    ends: Vec<u64>,
}

impl TakenKeys {
    fn key(&self, number: usize) -> &[u8] {
        let start = number
            .checked_sub(1)
            .and_then(|before| self.ends.get(before));
        let start = start.copied().unwrap_or(0) as usize;
        let end = self.ends.get(number).copied().unwrap_or(0) as usize;
        let heap = self.heap.as_ref().map_or(&[][..], Region::as_slice);
        heap.get(start..end).unwrap_or(&[])
    }

    fn find(&self, key: &[u8]) -> Option<u32> {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.key(middle).cmp(key) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => return Some(middle as u32),
            }
        }
        None
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.ends.len()).map(|number| self.key(number))
    }
}

impl Interner {
    /// Takes up keys that were written ascending, one behind the other, with their lengths; `None` when they do not fill
    /// `heap`.
    pub fn taking_up(heap: Region, lengths: &[u32]) -> Option<Interner> {
        let mut end = 0;
        let ends = lengths.iter().map(|&length| {
            end += u64::from(length);
            end
        });
        let ends: Vec<u64> = ends.collect();
        (end == heap.len() as u64).then(|| Interner {
            taken: TakenKeys {
                heap: Some(heap),
                ends,
            },
            met: MetKeys::default(),
        })
    }

    /// The number of `key`, new or known.
    pub fn intern(&mut self, key: &[u8]) -> u32 {
        match self.taken.find(key) {
            Some(number) => number,
            None => (self.taken.ends.len() + self.met.intern(key)) as u32,
        }
    }

    /// The number of a key, if it was met.
    pub fn get(&self, key: &[u8]) -> Option<u32> {
        let taken = self.taken.find(key);
        taken.or_else(|| {
            let met = self.met.find(key)?;
            Some((self.taken.ends.len() + met) as u32)
        })
    }

    /// How many distinct keys were met.
    pub fn len(&self) -> usize {
        self.taken.ends.len() + self.met.ends.len()
    }

    /// Whether no key was met.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes over another interner's keys: the answer maps its numbers to ours.
    pub fn absorb(&mut self, other: Interner) -> Vec<u32> {
        let keys = other.taken.iter().chain(other.met.iter());
        keys.map(|key| self.intern(key)).collect()
    }

    /// The keys by number.
    pub fn keys(&self) -> Vec<&[u8]> {
        self.taken.iter().chain(self.met.iter()).collect()
    }

    /// The keys that `used` says are still needed, ascending, and for each number its rank among them
    /// (`u32::MAX` for a key left out).
    pub fn sorted(&self, used: impl Fn(u32) -> bool) -> (Vec<&[u8]>, Vec<u32>) {
        let met = self.met.iter().zip(self.taken.ends.len() as u32..);
        let mut met: Vec<(&[u8], u32)> = met.filter(|(_, number)| used(*number)).collect();
        met.sort_unstable();
        let taken = self.taken.iter().zip(0u32..);
        let mut taken = taken.filter(|(_, number)| used(*number)).peekable();
        let mut met = met.into_iter().peekable();
        let (mut keys, mut ranks) = (Vec::new(), vec![u32::MAX; self.len()]);
        loop {
            let next = match (taken.peek(), met.peek()) {
                (Some((first, _)), Some((second, _))) if first < second => taken.next(),
                (_, Some(_)) => met.next(),
                (_, None) => taken.next(),
            };
            let Some((key, number)) = next else {
                return (keys, ranks);
            };
            ranks[number as usize] = keys.len() as u32;
            keys.push(key);
        }
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever is taken up, met afterwards and dropped: each key has one number, and ranks follow the order of keys.
        #[test]
        fn keys_taken_up_and_keys_met_are_one_order(
            taken in prop::collection::btree_set(prop::collection::vec(0u8..3, 0..4), 0..20),
            met in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 0..20),
            others in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 0..20),
            dropped in 1u32..5,
        ) {
            let lengths: Vec<u32> = taken.iter().map(|key| key.len() as u32).collect();
            let heap = taken.iter().flatten().copied().collect::<Vec<u8>>();
            let heap = Region::in_memory(&heap).unwrap();
            let mut interner = Interner::taking_up(heap, &lengths).unwrap();
            for key in &met {
                interner.intern(key);
            }
            let mut other = Interner::default();
            let numbers: Vec<u32> = others.iter().map(|key| other.intern(key)).collect();
            let map = interner.absorb(other);
            for (key, number) in others.iter().zip(&numbers) {
                prop_assert_eq!(interner.get(key), Some(map[*number as usize]));
            }
            let all: BTreeSet<&[u8]> = taken.iter().chain(&met).chain(&others).map(|key| &key[..]).collect();
            prop_assert_eq!(interner.len(), all.len());
            for (key, number) in interner.keys().into_iter().zip(0u32..) {
                prop_assert_eq!(interner.get(key), Some(number));
            }
            let used = |number: u32| !number.is_multiple_of(dropped) || dropped == 1;
            let (keys, ranks) = interner.sorted(used);
            let kept: Vec<&[u8]> = all.iter().copied().filter(|key| used(interner.get(key).unwrap())).collect();
            prop_assert_eq!(&keys, &kept);
            for (number, rank) in ranks.iter().enumerate() {
                match used(number as u32) {
                    true => prop_assert_eq!(interner.get(keys[*rank as usize]), Some(number as u32)),
                    false => prop_assert_eq!(*rank, u32::MAX),
                }
            }
        }
    }
}
