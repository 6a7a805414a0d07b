//! The one writer: append, commit, rotate, release.

use std::ops::ControlFlow;

use super::damage::Damage;
use super::error::LogError;
use super::header::HEADER_BYTES;
use super::name;
use super::options::LogOptions;
use super::pending::Pending;
use super::segment::{self, Active};
use super::status::{Committed, LogStatus};
use super::storage::{Storage, StorageFile};
use super::walk::{Extent, OnDamage, Range, Segment, failure, walk};

/// A log and the right to write it.
///
/// Records get their numbers from [`Log::append`] and are durable after [`Log::commit`]. The first write or sync that
/// fails ends all writing: what the disk then holds is unknown until the log is opened again.
pub struct Log<S: Storage> {
    pub(super) storage: S,
    pub(super) options: LogOptions,
    pub(super) state: State,
    /// All segments, oldest first; the last is the one written, when there is an `active` one.
    pub(super) segments: Vec<Segment>,
    pub(super) active: Option<Active<S::File>>,
    /// Records up to this one are durable elsewhere.
    pub(super) floor: u64,
    /// The last durable record, or the floor.
    pub(super) committed: u64,
    pub(super) pending: Pending,
    pub(super) _lock: S::Lock,
}

/// Whether the log takes writes.
#[derive(Debug)]
pub(super) enum State {
    Writable,
    Poisoned(String),
    Damaged(Box<Damage>),
}

impl<S: Storage> Log<S> {
    /// Gives `payload` the next number and keeps it in memory until the next [`Log::commit`].
    ///
    /// # Errors
    /// [`LogError::TooLarge`], [`LogError::CommitFull`] and [`LogError::Exhausted`] leave the log as it was;
    /// [`LogError::Poisoned`] and [`LogError::ReadOnly`] say that it takes no writes.
    pub fn append(&mut self, payload: &[u8]) -> Result<u64, LogError> {
        self.writable()?;
        let limit = self.options.max_record_bytes;
        let length = u32::try_from(payload.len())
            .ok()
            .filter(|length| *length <= limit)
            .ok_or(LogError::TooLarge {
                bytes: payload.len() as u64,
                limit,
            })?;
        let records = self.pending.records();
        // The very last number is never given, so that there is always one above.
        let sequence = self
            .committed
            .checked_add(u64::from(records) + 1)
            .filter(|sequence| *sequence < u64::MAX)
            .ok_or_else(|| LogError::Exhausted {
                place: self.storage.place(),
            })?;
        if !self.pending.push(sequence, length, payload) {
            return Err(LogError::CommitFull { records });
        }
        Ok(sequence)
    }

    /// Makes everything appended since the last commit durable: one write and one sync, and a new segment before when
    /// the present one is full.
    ///
    /// # Errors
    /// [`LogError::Io`] the first time that the disk refuses; none of the records is acknowledged then, and some may be
    /// found by the next opening. [`LogError::Poisoned`] ever after; [`LogError::ReadOnly`] when the log is damaged.
    pub fn commit(&mut self) -> Result<Committed, LogError> {
        self.writable()?;
        let first = self.committed.saturating_add(1);
        let bytes = self.pending.bytes();
        if bytes == 0 {
            let last = self.committed;
            return Ok(Committed { first, last, bytes });
        }
        let length = self.segments.last().map_or(0, |segment| segment.length);
        if length.saturating_add(bytes) > self.options.segment_bytes {
            self.rotate()?;
        }
        let written = self.write();
        self.poison_on_error(written)?;
        let last = self.committed + u64::from(self.pending.records());
        if let Some(segment) = self.segments.last_mut() {
            segment.length += bytes;
            segment.last = last;
        }
        self.committed = last;
        self.pending.clear();
        Ok(Committed { first, last, bytes })
    }

    /// Begins a new segment, so that the present one can be released; nothing happens if it has no record yet.
    ///
    /// Records that wait for a commit go to the new segment.
    ///
    /// # Errors
    /// As [`Log::commit`].
    pub fn rotate(&mut self) -> Result<(), LogError> {
        self.writable()?;
        let empty = |segment: &Segment| segment.length <= HEADER_BYTES as u64;
        let Some(active) = &self.active else {
            return Err(self.closed());
        };
        if self.segments.last().is_some_and(empty) {
            return Ok(());
        }
        let first = self.committed.saturating_add(1);
        let created = segment::create(&self.storage, first, active.chain);
        self.active = Some(self.poison_on_error(created)?);
        self.segments.push(Segment::empty(first));
        Ok(())
    }

    /// Removes the segments, from the oldest on, whose every record has the number `through` or a lower one; returns how
    /// many. The one being written stays: [`Log::rotate`] first to have it go too.
    ///
    /// Call it only once what these records say is durable elsewhere, and give at least `through` as the floor from then on.
    ///
    /// # Errors
    /// [`LogError::Io`] when a file cannot be removed: those before it are gone, and it can be tried again. As
    /// [`Log::commit`] when the folder cannot be synchronised.
    pub fn release(&mut self, through: u64) -> Result<usize, LogError> {
        self.writable()?;
        self.floor = self.floor.max(through.min(self.committed));
        let settled = self
            .segments
            .iter()
            .take(self.segments.len().saturating_sub(1))
            .take_while(|segment| segment.last <= through)
            .count();
        let mut removed = 0;
        let mut outcome = Ok(());
        for segment in self.segments.iter().take(settled) {
            let name = name::segment(segment.first);
            match self.storage.remove(&name) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    outcome = Err(failure(&self.storage, "remove", &name)(error));
                    break;
                }
                _ => removed += 1,
            }
        }
        if removed > 0 {
            self.segments.drain(..removed);
            let synced = self.storage.sync_directory().map_err(failure(
                &self.storage,
                "synchronise the folder of",
                "removed segments",
            ));
            self.poison_on_error(synced)?;
        }
        outcome.map(|()| removed)
    }

    /// Gives the durable records above `after` to `visit`, in order, until it breaks off.
    ///
    /// Records up to the floor, and up to what was released, are given as far as they are still there and sound. On a log
    /// found damaged when it was opened, it gives what is sound before and behind the damage.
    ///
    /// # Errors
    /// [`LogError::Io`] when a file cannot be read; [`LogError::Corrupt`] when a file has changed since it was opened.
    pub fn replay<B>(
        &self,
        after: u64,
        visit: impl FnMut(u64, &[u8]) -> ControlFlow<B>,
    ) -> Result<ControlFlow<B>, LogError> {
        let extents: Vec<_> = self
            .segments
            .iter()
            .map(|segment| Extent {
                first: segment.first,
                end: Some(segment.length),
            })
            .collect();
        let on_damage = match self.state {
            State::Damaged(_) => OnDamage::GoOn,
            State::Writable | State::Poisoned(_) => OnDamage::Stop,
        };
        let range = Range {
            after,
            floor: self.floor.max(after),
        };
        Ok(walk(&self.storage, &extents, range, on_damage, visit)?.map_continue(|_| ()))
    }

    /// How the log stands.
    #[must_use]
    pub fn status(&self) -> LogStatus {
        let (poisoned, damaged) = match &self.state {
            State::Writable => (None, None),
            State::Poisoned(cause) => (Some(cause.clone()), None),
            State::Damaged(damage) => (None, Some(damage.as_ref().clone())),
        };
        LogStatus {
            segments: self.segments.len(),
            bytes: self.segments.iter().map(|segment| segment.length).sum(),
            first: self
                .segments
                .first()
                .map_or(self.committed.saturating_add(1), |oldest| oldest.first),
            last: self.committed,
            poisoned,
            damaged,
        }
    }

    fn write(&mut self) -> Result<(), LogError> {
        let Some(active) = &mut self.active else {
            return Err(self.closed());
        };
        let Some(segment) = self.segments.last() else {
            return Err(self.closed());
        };
        let (bytes, chain) = self.pending.seal(active.seed, active.chain);
        active
            .file
            .write_at(segment.length, bytes)
            .map_err(failure(&self.storage, "write", &active.name))?;
        active
            .file
            .sync()
            .map_err(failure(&self.storage, "synchronise", &active.name))?;
        active.chain = chain;
        Ok(())
    }

    fn writable(&self) -> Result<(), LogError> {
        match &self.state {
            State::Writable => Ok(()),
            State::Poisoned(_) | State::Damaged(_) => Err(self.closed()),
        }
    }

    fn closed(&self) -> LogError {
        let place = self.storage.place();
        match &self.state {
            State::Damaged(damage) => LogError::ReadOnly {
                damage: damage.clone(),
                place,
            },
            State::Poisoned(cause) => LogError::Poisoned {
                cause: cause.clone(),
                place,
            },
            State::Writable => LogError::Poisoned {
                cause: "no segment is open".to_owned(),
                place,
            },
        }
    }

    fn poison_on_error<T>(&mut self, outcome: Result<T, LogError>) -> Result<T, LogError> {
        if let Err(error) = &outcome {
            self.state = State::Poisoned(error.cause());
            self.pending.clear();
        }
        outcome
    }
}
