//! What the log tells about itself.

use super::damage::Damage;

/// What a commit made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The number of the first record.
    pub first: u64,
    /// The number of the last record; `first - 1` when there was nothing to commit.
    pub last: u64,
    /// Bytes written.
    pub bytes: u64,
}

/// How the log stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogStatus {
    /// How many segments there are.
    pub segments: usize,
    /// How long they are together, in bytes.
    pub bytes: u64,
    /// The number that the oldest segment begins with: `last + 1` when there is no record in the log.
    pub first: u64,
    /// The last durable record, or the last number that was folded if that is higher; 0 when there never was any.
    pub last: u64,
    /// The first failure of a write or sync: since then none is taken.
    pub poisoned: Option<String>,
    /// The first damaged place found when the log was opened: it takes no writes.
    pub damaged: Option<Damage>,
}

impl LogStatus {
    /// Whether the log takes writes.
    #[must_use]
    pub fn writable(&self) -> bool {
        self.poisoned.is_none() && self.damaged.is_none()
    }
}

/// What opening a log found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// Records above the floor that can be read.
    pub records: u64,
    /// How long their payloads are together, in bytes.
    pub bytes: u64,
    /// How many segments there were.
    pub segments: usize,
    /// The highest number of a record found, or the floor if that is higher.
    pub last: u64,
    /// What an interrupted commit left behind, if any.
    pub torn_tail: Option<TornTail>,
    /// Damaged places that put records above the floor in doubt, in order, at most [`MAX_DAMAGE`] of them. If there is
    /// any, nothing was changed on disk and the log takes no writes.
    pub damage: Vec<Damage>,
    /// How many damaged places there are.
    pub damaged_places: u64,
    /// Why the disk could not be brought in order: the log can be read and takes no writes.
    pub failure: Option<String>,
}

/// How many damaged places are told one by one.
pub const MAX_DAMAGE: usize = 32;

/// The end of the last segment, where a commit was under way when the writer ended: it was never acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// The segment, as a file name.
    pub file: String,
    /// Where the commit's first bad record began, in bytes.
    pub offset: u64,
    /// How many bytes followed.
    pub bytes: u64,
    /// The file beside the segment that keeps these bytes; `None` when they were left where they are, because the log
    /// takes no writes.
    pub kept: Option<String>,
}
