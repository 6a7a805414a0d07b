//! Numbers the items and hands them over in batches.

use std::ops::ControlFlow;

use super::{EXCERPT_BYTES, Held, Item, Origin, Record};
use crate::rejects::RejectReason;

/// What an item weighs in a batch besides its text, so that empty ones cannot pile up unbounded.
const ITEM_WEIGHT: usize = 64;

/// Collects items until a batch is full.
pub(super) struct Batcher<'a> {
    sink: &'a mut dyn FnMut(Vec<Item>) -> ControlFlow<()>,
    batch: Vec<Item>,
    weight: usize,
    full: usize,
    sequence: u64,
    stopped: bool,
    /// Records so far.
    pub(super) records: u64,
    /// Rejects so far.
    pub(super) rejects: u64,
}

impl<'a> Batcher<'a> {
    pub(super) fn new(
        batch_bytes: usize,
        sink: &'a mut dyn FnMut(Vec<Item>) -> ControlFlow<()>,
    ) -> Self {
        Batcher {
            sink,
            batch: Vec::new(),
            weight: 0,
            full: batch_bytes,
            sequence: 0,
            stopped: false,
            records: 0,
            rejects: 0,
        }
    }

    /// The sink wants no more; whatever is still given is dropped.
    pub(super) fn stopped(&self) -> bool {
        self.stopped
    }

    pub(super) fn record(&mut self, origin: Origin, bytes: Vec<u8>, held: Option<Held>) {
        self.records += 1;
        let weight = bytes.len();
        let sequence = self.next();
        self.add(
            Item::Record(Record {
                sequence,
                origin,
                bytes,
                held,
            }),
            weight,
        );
    }

    /// `head` is the rejected text or its beginning; only [`EXCERPT_BYTES`] of it are kept.
    pub(super) fn reject(&mut self, origin: Origin, reason: RejectReason, head: &[u8]) {
        self.rejects += 1;
        let sequence = self.next();
        let excerpt = head.get(..EXCERPT_BYTES).unwrap_or(head).to_vec();
        let weight = excerpt.len();
        self.add(
            Item::Reject {
                sequence,
                origin,
                reason,
                excerpt,
            },
            weight,
        );
    }

    pub(super) fn flush(&mut self) {
        if !self.batch.is_empty() && !self.stopped {
            self.weight = 0;
            // The next batch is likely as long as this one.
            let next = Vec::with_capacity(self.batch.len());
            let batch = std::mem::replace(&mut self.batch, next);
            self.stopped = (self.sink)(batch).is_break();
        }
    }

    fn next(&mut self) -> u64 {
        let sequence = self.sequence;
        self.sequence += 1;
        sequence
    }

    fn add(&mut self, item: Item, weight: usize) {
        if self.stopped {
            return;
        }
        self.batch.push(item);
        self.weight += weight + ITEM_WEIGHT;
        if self.weight >= self.full {
            self.flush();
        }
    }
}
