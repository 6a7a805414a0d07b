//! Records that wait for a commit.

use super::record::{self, RecordHead};

/// Records joined as they will be written, but for what depends on the segment they go to.
#[derive(Debug, Default)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    records: u32,
}

impl Pending {
    pub fn records(&self) -> u32 {
        self.records
    }

    pub fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// `false`, and nothing done, when there are too many records for one commit.
    pub fn push(&mut self, sequence: u64, length: u32, payload: &[u8]) -> bool {
        let Some(records) = self.records.checked_add(1) else {
            return false;
        };
        record::begin(&mut self.bytes, sequence, length, payload);
        self.records = records;
        true
    }

    /// Completes the records for a segment whose salt gives `seed`, where `chain` is the last checksum; returns what to
    /// write and the checksum of the last record.
    pub fn seal(&mut self, seed: u32, mut chain: u32) -> (&[u8], u32) {
        let mut rest = self.bytes.as_mut_slice();
        let mut position = 0;
        while let Some(head) = RecordHead::decode(rest) {
            let length = usize::try_from(head.record_bytes()).unwrap_or(usize::MAX);
            let Some((record, behind)) = rest.split_at_mut_checked(length) else {
                break;
            };
            chain = record::seal(record, seed, chain, position);
            position += 1;
            rest = behind;
        }
        (&self.bytes, chain)
    }

    /// Forgets the records; the room of a usual commit is kept.
    pub fn clear(&mut self) {
        const USUAL: usize = 1 << 20;
        self.bytes.clear();
        self.bytes.shrink_to(USUAL);
        self.records = 0;
    }
}
