//! The first items of an order, out of many, kept while they pass.

/// From how many items on those beyond what is asked for are put out: below, sorting all is as quick.
const SLACK: usize = 1024;

/// Keeps the least `end` of the items pushed. A push costs a comparison with the worst of them, most of the time.
pub(super) struct Best<T> {
    items: Vec<T>,
    end: usize,
    /// Whether the item before `end` is the worst that still counts.
    bounded: bool,
}

impl<T: Ord> Best<T> {
    /// For the first `end` of about `count` items.
    pub(super) fn of(count: u64, end: usize) -> Best<T> {
        let most = end.saturating_mul(2).saturating_add(SLACK);
        Best {
            items: Vec::with_capacity(most.min(usize::try_from(count).unwrap_or(most))),
            end,
            bounded: false,
        }
    }

    /// The worst item that still counts, once there are enough.
    pub(super) fn bound(&self) -> Option<&T> {
        self.items
            .get(self.end.checked_sub(1)?)
            .filter(|_| self.bounded)
    }

    /// Takes an item, unless there are enough better ones.
    pub(super) fn push(&mut self, item: T) {
        if self.bound().is_some_and(|bound| item >= *bound) {
            return;
        }
        self.items.push(item);
        if self.items.len() >= self.end.saturating_mul(2).saturating_add(SLACK) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.end > 0 && self.end < self.items.len() {
            self.items.select_nth_unstable(self.end - 1);
            self.bounded = true;
        }
        self.items.truncate(self.end);
    }

    /// The items from `start` to `end` of the sorted list, sorting no more than needed.
    pub(super) fn window(mut self, start: usize) -> Vec<T> {
        self.cut();
        let mut items = self.items;
        if start >= items.len() {
            return Vec::new();
        }
        if start > 0 {
            items.select_nth_unstable(start);
            items.drain(..start);
        }
        items.sort_unstable();
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_window_is_a_slice_of_the_sorted_list(items in prop::collection::vec(0u32..500, 0..80), repeats in 1usize..80, a in 0usize..4000, b in 0usize..4000) {
            let mut sorted: Vec<(u32, usize)> = items.repeat(repeats).into_iter().zip(0..).collect();
            let end = a.max(b);
            let start = a.min(b);
            let mut best = Best::of(sorted.len() as u64, end);
            sorted.iter().for_each(|&item| best.push(item));
            sorted.sort();
            let end = end.min(sorted.len());
            prop_assert_eq!(best.window(start), sorted[start.min(end)..end].to_vec());
        }
    }

    #[test]
    fn worse_items_are_not_kept() {
        let mut best = Best::of(100_000, 3);
        (0..100_000u32).for_each(|item| best.push(item));
        assert!(best.items.len() < 2 * SLACK);
        assert_eq!(best.window(1), [1, 2]);
    }
}
