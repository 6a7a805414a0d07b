//! Opening a log: what is there, what an interrupted writer left, where to go on.

use std::convert::Infallible;
use std::ops::ControlFlow;

use super::append::{Log, State};
use super::error::LogError;
use super::name;
use super::options::LogOptions;
use super::pending::Pending;
use super::repair;
use super::status::{Recovery, TornTail};
use super::storage::{LockError, Storage};
use super::walk::{Extent, OnDamage, Range, Walk, failure, walk};

impl<S: Storage> Log<S> {
    /// Takes the log for writing and brings it in order; an empty folder becomes an empty log.
    ///
    /// `floor` is the highest record that is durable elsewhere (0: none). Records up to it are not needed any more, and
    /// the next one is numbered above it and above all that the log holds, so no number is used twice.
    ///
    /// A log that is damaged is opened all the same, for reading: see [`Recovery::damage`]. So is one on a disk that
    /// cannot be written: see [`Recovery::failure`].
    ///
    /// # Errors
    /// [`LogError::Locked`] while there is another writer, [`LogError::Version`] when a segment has another format
    /// version, [`LogError::Options`], and [`LogError::Io`] when a file cannot be read.
    pub fn open(storage: S, options: LogOptions, floor: u64) -> Result<(Self, Recovery), LogError> {
        options.check()?;
        let lock = storage.lock().map_err(|error| match error {
            LockError::Held { holder } => LogError::Locked {
                place: storage.place(),
                holder,
            },
            LockError::Io(source) => failure(&storage, "lock", "the log")(source),
        })?;
        let names = storage
            .list()
            .map_err(failure(&storage, "list", "the files"))?;
        let extents = extents(&names);
        let range = Range {
            after: floor,
            floor,
        };
        let walked = walk(&storage, &extents, range, OnDamage::GoOn, |_, _| {
            ControlFlow::<Infallible>::Continue(())
        })?;
        let walk = match walked {
            ControlFlow::Continue(walk) => walk,
            ControlFlow::Break(never) => match never {},
        };
        let mut recovery = recovery(&walk, extents.len());
        let mut log = Self {
            storage,
            options,
            state: State::Writable,
            segments: walk.segments.clone(),
            active: None,
            floor,
            committed: walk.last,
            pending: Pending::default(),
            _lock: lock,
        };
        if let Some(damage) = walk.damage.first() {
            log.state = State::Damaged(Box::new(damage.clone()));
        } else if let Err(error) = log.bring_in_order(&names, &walk, &mut recovery) {
            let cause = error.cause();
            recovery.failure = Some(cause.clone());
            log.state = State::Poisoned(cause);
        }
        Ok((log, recovery))
    }

    fn bring_in_order(
        &mut self,
        names: &[String],
        walk: &Walk,
        recovery: &mut Recovery,
    ) -> Result<(), LogError> {
        repair::remove_unfinished(&self.storage, names)?;
        if let (Some(torn), Some(last)) = (walk.torn, walk.segments.last()) {
            let kept = repair::cut(&self.storage, names, last, torn)?;
            if let Some(tail) = &mut recovery.torn_tail {
                tail.kept = Some(kept);
            }
        }
        let active = repair::settle(&self.storage, walk)?;
        let next = self.committed.saturating_add(1);
        let active = repair::continue_with(&self.storage, active, &mut self.segments, next)?;
        self.active = Some(active);
        Ok(())
    }
}

/// The segments among `names`, oldest first.
pub(super) fn extents(names: &[String]) -> Vec<Extent> {
    let mut extents: Vec<_> = names
        .iter()
        .filter_map(|name| name::first_of(name))
        .map(|first| Extent { first, end: None })
        .collect();
    extents.sort_unstable_by_key(|extent| extent.first);
    extents
}

fn recovery(walk: &Walk, segments: usize) -> Recovery {
    let torn_tail = walk
        .torn
        .zip(walk.segments.last())
        .map(|(torn, last)| TornTail {
            file: name::segment(last.first),
            offset: torn.offset,
            bytes: torn.bytes,
            kept: None,
        });
    Recovery {
        records: walk.records,
        bytes: walk.bytes,
        segments,
        last: walk.last,
        torn_tail,
        damage: walk.damage.clone(),
        damaged_places: walk.damaged_places,
        failure: None,
    }
}
