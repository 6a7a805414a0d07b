//! Numbers for distinct byte keys while an index is being built, turned into sorted ranks at the end.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

use ahash::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::map::{Column, Region};

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

    #[cfg(test)]
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

/// Keys taken up from runs, where they lie: those of a run are distinct and ascending, and so are all of them together.
#[derive(Default)]
struct TakenKeys {
    runs: Vec<RunKeys>,
    /// Which key of which run each is: of several runs with one key the first. Nothing where there is one run only.
    merged: Vec<[u32; 2]>,
}

/// The keys of one run.
struct RunKeys {
    heap: Region,
    /// Where each key ends.
    ends: Vec<u64>,
}

impl TakenKeys {
    fn key(&self, number: usize) -> &[u8] {
        let [run, number] = match self.merged.get(number) {
            Some(&[run, number]) => [run as usize, number as usize],
            None => [0, number],
        };
        let run = self.runs.get(run);
        run.map_or(&[], |run| piece(run.heap.as_slice(), &run.ends, number))
    }

    fn len(&self) -> usize {
        match self.runs.as_slice() {
            [] => 0,
            [only] => only.ends.len(),
            _ => self.merged.len(),
        }
    }

    fn find(&self, key: &[u8]) -> Option<u32> {
        let (mut low, mut high) = (0, self.len());
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
        (0..self.len()).map(|number| self.key(number))
    }

    /// Merges runs; answers the keys, and for each run the number of each of its keys among them.
    fn merging(runs: Vec<RunKeys>) -> (TakenKeys, Vec<Renumbered>) {
        if runs.len() < 2 {
            let same = runs.iter().map(|_| Renumbered::Same).collect();
            let merged = Vec::new();
            return (TakenKeys { runs, merged }, same);
        }
        let key = |[run, number]: [u32; 2]| {
            let run = runs.get(run as usize)?;
            let number = number as usize;
            (number < run.ends.len()).then(|| piece(run.heap.as_slice(), &run.ends, number))
        };
        let mut merged: Vec<[u32; 2]> = Vec::new();
        let mut numbers: Vec<Vec<u32>> = runs
            .iter()
            .map(|run| Vec::with_capacity(run.ends.len()))
            .collect();
        let firsts = (0..runs.len() as u32).filter_map(|run| Some((key([run, 0])?, [run, 0])));
        let mut next: BinaryHeap<Reverse<(&[u8], [u32; 2])>> = firsts.map(Reverse).collect();
        let mut last: Option<&[u8]> = None;
        while let Some(mut top) = next.peek_mut() {
            let Reverse((found, [run, number])) = *top;
            if last != Some(found) {
                merged.push([run, number]);
                last = Some(found);
            }
            if let Some(numbers) = numbers.get_mut(run as usize) {
                numbers.push(merged.len() as u32 - 1);
            }
            let following = [run, number + 1];
            match key(following) {
                Some(key) => *top = Reverse((key, following)),
                None => {
                    PeekMut::pop(top);
                }
            }
        }
        merged.shrink_to_fit();
        let numbers = numbers.into_iter().map(Renumbered::By).collect();
        (TakenKeys { runs, merged }, numbers)
    }
}

/// What numbers that were given in one run are where several runs are one.
pub enum Renumbered {
    /// What they were.
    Same,
    /// By their number in the run.
    By(Vec<u32>),
}

impl Renumbered {
    /// The number of what had `number` in the run; `u32::MAX` when there was nothing of that number.
    pub fn of(&self, number: u32) -> u32 {
        match self {
            Renumbered::Same => number,
            Renumbered::By(numbers) => numbers.get(number as usize).copied().unwrap_or(u32::MAX),
        }
    }
}

impl Interner {
    /// Takes up the keys of runs, each written ascending, one key behind the other, with their lengths. Answers them, and for
    /// each run the numbers of its keys; `None` when keys do not fill their heap.
    pub fn taking_up(runs: Vec<(Region, Column<u32>)>) -> Option<(Interner, Vec<Renumbered>)> {
        let mut taken = Vec::with_capacity(runs.len());
        for (heap, lengths) in runs {
            let mut end = 0;
            let ends = lengths.iter().map(|&length| {
                end += u64::from(length);
                end
            });
            let ends: Vec<u64> = ends.collect();
            if end != heap.len() as u64 {
                return None;
            }
            taken.push(RunKeys { heap, ends });
        }
        let (taken, numbers) = TakenKeys::merging(taken);
        let met = MetKeys::default();
        Some((Interner { taken, met }, numbers))
    }

    /// The number of `key`, new or known.
    pub fn intern(&mut self, key: &[u8]) -> u32 {
        match self.taken.find(key) {
            Some(number) => number,
            None => (self.taken.len() + self.met.intern(key)) as u32,
        }
    }

    /// The number of a key, if it was met.
    #[cfg(test)]
    pub fn get(&self, key: &[u8]) -> Option<u32> {
        let taken = self.taken.find(key);
        taken.or_else(|| {
            let met = self.met.find(key)?;
            Some((self.taken.len() + met) as u32)
        })
    }

    /// How many distinct keys were met.
    pub fn len(&self) -> usize {
        self.taken.len() + self.met.ends.len()
    }

    /// Whether no key was met.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of memory that keys met take; those taken up lie in their files.
    pub fn weight(&self) -> usize {
        let MetKeys {
            heap,
            ends,
            numbers,
            ..
        } = &self.met;
        heap.capacity() + size_of::<u64>() * ends.capacity() + numbers.allocation_size()
    }

    /// The keys by number.
    pub fn keys(&self) -> Vec<&[u8]> {
        self.taken.iter().chain(self.met.iter()).collect()
    }

    /// The keys that `used` says are still needed, ascending, and for each number its rank among them
    /// (`u32::MAX` for a key left out).
    pub fn sorted(&self, used: impl Fn(u32) -> bool) -> (Vec<&[u8]>, Vec<u32>) {
        let met = self.met.iter().zip(self.taken.len() as u32..);
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

/// A growing list of (term number, slot) pairs; a slot is a resource or a line in order of arrival. Those taken up from runs
/// stay where they lie.
#[derive(Default)]
pub struct Pairs {
    taken: Vec<RunPairs>,
    noted: Vec<(u32, u32)>,
}

/// The pairs of one run.
struct RunPairs {
    pairs: Column<[u32; 2]>,
    terms: Renumbered,
    shift: u32,
}

impl Pairs {
    /// Notes that `slot` holds `term`.
    pub fn push(&mut self, term: u32, slot: u32) {
        self.noted.push((term, slot));
    }

    /// Takes up the pairs of a run, whose terms are renumbered and whose slots begin at `shift`.
    pub fn take_up(&mut self, pairs: Column<[u32; 2]>, terms: Renumbered, shift: u32) {
        self.taken.push(RunPairs {
            pairs,
            terms,
            shift,
        });
    }

    /// Bytes of memory that pairs noted take.
    pub fn weight(&self) -> usize {
        size_of::<(u32, u32)>() * self.noted.capacity()
    }

    /// The pairs as noted: (term number, slot).
    pub fn iter(&self) -> impl Iterator<Item = (u32, u32)> {
        let taken = self.taken.iter().flat_map(|run| {
            let pairs = run.pairs.iter();
            pairs.map(|&[term, slot]| (run.terms.of(term), slot + run.shift))
        });
        taken.chain(self.noted.iter().copied())
    }

    /// Which terms are still held by a slot that `places` keeps.
    pub fn used(&self, terms: usize, places: &Places<'_>) -> Vec<bool> {
        let mut used = vec![false; terms];
        self.iter().for_each(|(term, slot)| {
            if !places.of(slot).is_empty() {
                used[term as usize] = true;
            }
        });
        used
    }

    /// The pairs as `rank << 32 | ordinal`, unsorted, without those whose slot was dropped.
    pub fn placed(&self, ranks: &[u32], places: &Places<'_>) -> Vec<u64> {
        let mut placed = Vec::new();
        self.iter().for_each(|(term, slot)| {
            let rank = u64::from(ranks[term as usize]) << 32;
            let ordinals = places.of(slot).iter();
            placed.extend(ordinals.map(|&ordinal| rank | u64::from(ordinal)));
        });
        placed
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

    type Keys = BTreeSet<Vec<u8>>;

    fn some_keys() -> impl Strategy<Value = Keys> {
        prop::collection::btree_set(prop::collection::vec(0u8..3, 0..4), 0..20)
    }

    fn written(keys: &Keys) -> (Region, Column<u32>) {
        let lengths: Vec<u32> = keys.iter().map(|key| key.len() as u32).collect();
        let heap: Vec<u8> = keys.iter().flatten().copied().collect();
        let lengths = Region::in_memory(bytemuck::cast_slice(&lengths)).unwrap();
        (
            Region::in_memory(&heap).unwrap(),
            Column::new(lengths, "lengths").unwrap(),
        )
    }

    proptest! {
        /// Whatever runs are taken up, met afterwards and dropped: each key has one number, and ranks follow the order of keys.
        #[test]
        fn keys_of_runs_and_keys_met_are_one_order(
            runs in prop::collection::vec(some_keys(), 0..5),
            met in prop::collection::vec(prop::collection::vec(0u8..3, 0..4), 0..20),
            dropped in 1u32..5,
        ) {
            let written = runs.iter().map(written).collect();
            let (mut interner, numbers) = Interner::taking_up(written).unwrap();
            for key in &met {
                interner.intern(key);
            }
            for (run, numbers) in runs.iter().zip(&numbers) {
                for (key, number) in run.iter().zip(0..) {
                    prop_assert_eq!(interner.get(key), Some(numbers.of(number)));
                }
            }
            let all: BTreeSet<&[u8]> = runs.iter().flatten().chain(&met).map(|key| &key[..]).collect();
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
