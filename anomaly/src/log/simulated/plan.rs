//! Which calls fail, and how.

use std::io;

/// A call that changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Making a file.
    Create,
    /// Writing to a file.
    Write,
    /// Cutting a file.
    Truncate,
    /// Making a file durable.
    Sync,
    /// Renaming a file.
    Rename,
    /// Removing a file.
    Remove,
    /// Making names durable.
    SyncDirectory,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The disk is full. A write writes half of its bytes first; cutting, renaming and removing need no room and succeed.
    NoSpace,
    /// The disk does not answer.
    Broken,
}

impl Failure {
    pub(super) fn error(self) -> io::Error {
        match self {
            Self::NoSpace => io::ErrorKind::StorageFull.into(),
            Self::Broken => io::Error::other("simulated: the disk does not answer"),
        }
    }
}

/// Which calls fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The first call to fail, counted from 0 since the plan was given.
    pub from: u64,
    /// Whether all later ones fail too.
    pub lasting: bool,
    /// How.
    pub failure: Failure,
}

impl Plan {
    pub(super) fn failure(&self, index: u64, call: Call) -> Option<Failure> {
        let due = index == self.from || (self.lasting && index > self.from);
        let spared = self.failure == Failure::NoSpace
            && matches!(call, Call::Truncate | Call::Rename | Call::Remove);
        (due && !spared).then_some(self.failure)
    }
}
