//! Reading the log beside its writer, to fold it.

use std::io;
use std::ops::ControlFlow;

use super::error::LogError;
use super::name;
use super::recover::extents;
use super::storage::{Storage, StorageFile};
use super::walk::{Extent, OnDamage, Range, failure, walk};

/// The log as it stood at one moment, without the right to write it.
///
/// It needs no lock. A commit under way at that moment may be seen in part or not at all: the numbers it gives are
/// contiguous, and whatever was acknowledged before is among them. What it shows of such a commit may not be durable yet;
/// an opening of the log on the same running system finds it again.
pub struct LogReader<S: Storage> {
    storage: S,
    extents: Vec<Extent>,
}

impl<S: Storage> LogReader<S> {
    /// Notes which segments there are and how long they are.
    ///
    /// # Errors
    /// [`LogError::Io`] when the folder or a file cannot be examined.
    pub fn open(storage: S) -> Result<Self, LogError> {
        let names = storage
            .list()
            .map_err(failure(&storage, "list", "the files"))?;
        let mut seen = Vec::new();
        // The names come first: a segment before the last of them is then known to be complete.
        for extent in extents(&names) {
            let name = name::segment(extent.first);
            let length = storage.open(&name).and_then(|file| file.length());
            match length {
                Ok(length) => seen.push(Extent {
                    end: Some(length),
                    ..extent
                }),
                // Folded and removed just now: whoever still needs it will be told that it is missing.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failure(&storage, "examine", &name)(error)),
            }
        }
        Ok(Self {
            storage,
            extents: seen,
        })
    }

    /// Gives the records above `after` to `visit`, in order, until it breaks off or the log ends. An unfinished commit at
    /// the very end is passed over in silence.
    ///
    /// # Errors
    /// [`LogError::Corrupt`] at a damaged place that puts a record above `after` in doubt, or when a segment with such a
    /// record is missing; [`LogError::Version`]; [`LogError::Vanished`] when a segment was folded and removed meanwhile;
    /// [`LogError::Io`].
    pub fn replay<B>(
        &self,
        after: u64,
        visit: impl FnMut(u64, &[u8]) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, LogError> {
        let range = Range {
            after,
            floor: after,
        };
        let walked = walk(&self.storage, &self.extents, range, OnDamage::Stop, visit)?;
        Ok(walked.map_continue(|_| ()))
    }
}
