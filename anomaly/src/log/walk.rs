//! Going through all segments in order: what is sound is given out, what is not is told.
//!
//! Opening, replaying and reading all go this one way, so they agree on what the log holds.

use std::io;
use std::ops::ControlFlow;

use super::damage::{Damage, Fault};
use super::error::LogError;
use super::header::{self, FORMAT_VERSION, HEADER_BYTES, Header};
use super::name;
use super::scan::{Position, Scanner, Step};
use super::status::MAX_DAMAGE;
use super::storage::{Storage, StorageFile};
use super::window::Window;

/// A segment to go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// Its first record, from its name.
    pub first: u64,
    /// How far to read, in bytes; `None`: to its end.
    pub end: Option<u64>,
}

/// A segment that was gone through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub first: u64,
    /// Its last record; `first - 1` when it has none.
    pub last: u64,
    /// In bytes, without a torn tail.
    pub length: u64,
}

impl Segment {
    /// A segment of which only the head is written.
    pub fn empty(first: u64) -> Self {
        Self {
            first,
            last: first.saturating_sub(1),
            length: HEADER_BYTES as u64,
        }
    }
}

/// What to do at a damaged place that matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnDamage {
    /// Note it and go on behind it.
    GoOn,
    /// Stop with [`LogError::Corrupt`].
    Stop,
}

/// Where an interrupted commit begins in the last segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Torn {
    pub offset: u64,
    pub bytes: u64,
}

/// The last segment, as a writer must know it to go on with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pub seed: u32,
    /// What the next record must repeat.
    pub chain: u32,
    /// Where the last commit begins; the whole file when there is none.
    pub commit_at: u64,
}

/// All that was learnt on the way.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub segments: Vec<Segment>,
    /// Places that put records in doubt that matter: the first [`MAX_DAMAGE`] of them.
    pub damage: Vec<Damage>,
    pub damaged_places: u64,
    pub torn: Option<Torn>,
    /// `None` when there is no segment, or its end cannot be continued.
    pub tail: Option<Tail>,
    /// Records given out and the bytes of their payloads.
    pub records: u64,
    pub bytes: u64,
    /// The highest record given out, or the number that they had to be above.
    pub last: u64,
}

/// Which records a walk is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// Records above this number are given out; segments without any are not read.
    pub after: u64,
    /// Damage to records up to this number does not matter: they are durable elsewhere.
    pub floor: u64,
}

/// Gives every sound record in `range` to `visit`, in order.
///
/// `Break` is what `visit` broke off with, when it did; the walk is then incomplete.
pub(super) fn walk<S: Storage, B>(
    storage: &S,
    extents: &[Extent],
    range: Range,
    on_damage: OnDamage,
    visit: impl FnMut(u64, &[u8]) -> ControlFlow<B>,
) -> Result<ControlFlow<B, Walk>, LogError> {
    let mut walker = Walker {
        storage,
        range,
        on_damage,
        visit,
        done: Walk {
            last: range.after,
            ..Walk::default()
        },
        expected: range.after.saturating_add(1),
        chain: None,
    };
    let nexts = extents.iter().skip(1).map(|next| Some(next.first));
    for (extent, next) in extents.iter().zip(nexts.chain([None])) {
        if let ControlFlow::Break(value) = walker.segment(*extent, next)? {
            return Ok(ControlFlow::Break(value));
        }
    }
    Ok(ControlFlow::Continue(walker.done))
}

/// Turns a failure to `action` a file into an error that says where.
pub(super) fn failure<S: Storage>(
    storage: &S,
    action: &'static str,
    file: &str,
) -> impl FnOnce(io::Error) -> LogError {
    let (file, place) = (file.to_owned(), storage.place());
    move |source| LogError::Io {
        action,
        file,
        place,
        source,
    }
}

struct Walker<'a, S, V> {
    storage: &'a S,
    range: Range,
    on_damage: OnDamage,
    visit: V,
    done: Walk,
    /// The record that is due next.
    expected: u64,
    /// The last checksum, which the next segment must repeat; `None` where it is not known.
    chain: Option<u32>,
}

impl<S: Storage, B, V: FnMut(u64, &[u8]) -> ControlFlow<B>> Walker<'_, S, V> {
    /// Goes through one segment, which ends before record `next` when there is another one behind it.
    fn segment(&mut self, extent: Extent, next: Option<u64>) -> Result<ControlFlow<B>, LogError> {
        let first = extent.first;
        let name = name::segment(first);
        let file = self.storage.open(&name).map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound {
                LogError::Vanished {
                    file: name.clone(),
                    place: self.storage.place(),
                }
            } else {
                failure(self.storage, "open", &name)(error)
            }
        })?;
        let end = match extent.end {
            Some(end) => end,
            None => file
                .length()
                .map_err(failure(self.storage, "examine", &name))?,
        };
        self.done.tail = None;
        if let Some(last) = next
            .map(|next| next - 1)
            .filter(|last| *last <= self.range.after)
        {
            // Nothing asked for is in it.
            self.done.segments.push(Segment {
                first,
                last,
                length: end,
            });
            self.chain = None;
            return Ok(ControlFlow::Continue(()));
        }
        self.meet(&name, first)?;
        let mut window = Window::new(file, end);
        let read = failure(self.storage, "read", &name);
        let head = window.slice(0, HEADER_BYTES as u64).map_err(read)?;
        let (seed, chain, fault) = match Header::decode(head) {
            Ok((header, checksum)) => {
                if header.version != FORMAT_VERSION {
                    return Err(LogError::Version {
                        file: name,
                        place: self.storage.place(),
                        expected: FORMAT_VERSION,
                        got: header.version,
                    });
                }
                let fault = if header.first != first {
                    Some(Fault::HeaderSequence { got: header.first })
                } else if self.chain.is_some_and(|chain| chain != header.previous) {
                    Some(Fault::HeaderChain)
                } else {
                    None
                };
                (header::seed(header.salt), Some(checksum), fault)
            }
            // The salt may be the right one all the same: then the records are sound.
            Err(fault) => (
                header::seed(Header::salt_of_damaged(head)),
                None,
                Some(fault),
            ),
        };
        if let (Some(fault), Some(next)) = (fault, next) {
            self.damaged(&name, 0, fault, first, Some(next - 1))?;
        }
        let start = Position {
            offset: HEADER_BYTES as u64,
            expected: first,
            chain,
        };
        let scanner = Scanner::new(window, seed, start);
        let flow = self.records(&name, scanner, next, fault.is_none())?;
        if let (Some(fault), None, true) = (fault, next, flow.is_continue()) {
            // How far the doubt goes is known when its records were all sound; without any, some may have been there.
            let last = self.expected - 1;
            let known = self.chain.is_some() && last >= first;
            self.damaged(&name, 0, fault, first, known.then_some(last))?;
        }
        Ok(flow)
    }

    /// Compares where a segment begins with where the one before ended.
    fn meet(&mut self, name: &str, first: u64) -> Result<(), LogError> {
        let before = self.done.segments.last();
        if first > self.expected {
            self.damaged(name, 0, Fault::Missing, self.expected, Some(first - 1))?;
            self.chain = None;
        } else if before.is_some_and(|before| before.last >= first) {
            self.damaged(name, 0, Fault::Overlap, first, Some(self.expected - 1))?;
            self.chain = None;
        }
        Ok(())
    }

    /// Goes through the records. Where the head is not sound the whole segment is in doubt anyway, and what is bad among
    /// its records is not told apart.
    fn records(
        &mut self,
        name: &str,
        mut scanner: Scanner<S::File>,
        next: Option<u64>,
        head_is_sound: bool,
    ) -> Result<ControlFlow<B>, LogError> {
        let storage = self.storage;
        let read = |error| failure(storage, "read", name)(error);
        let first = scanner.at.expected;
        let mut commit_at = 0;
        let mut ends_well = true;
        loop {
            let fault = match scanner.step().map_err(read)? {
                Step::Record(record) => {
                    let sequence = record.head.sequence;
                    if record.head.position == 0 {
                        commit_at = record.offset;
                    }
                    // Records that an overlapping segment repeats were given out already.
                    if sequence > self.done.last {
                        self.done.last = sequence;
                        self.done.records += 1;
                        self.done.bytes += record.payload.len() as u64;
                        if let ControlFlow::Break(value) = (self.visit)(sequence, record.payload) {
                            return Ok(ControlFlow::Break(value));
                        }
                    }
                    continue;
                }
                Step::End => break,
                Step::Bad(fault) => fault,
            };
            let bad = scanner.at;
            let can_be_torn = next.is_none() && head_is_sound && fault.can_be_torn();
            match scanner.seek(next).map_err(read)? {
                Some(_) if can_be_torn && scanner.torn_since(bad).map_err(read)? => {
                    scanner.at = bad;
                    self.torn(&scanner);
                    break;
                }
                Some(found) => {
                    if head_is_sound {
                        let last = found.expected - 1;
                        self.damaged(name, bad.offset, fault, bad.expected, Some(last))?;
                    }
                }
                None if can_be_torn => {
                    self.torn(&scanner);
                    break;
                }
                None => {
                    if head_is_sound {
                        let last = next.map(|next| next - 1);
                        self.damaged(name, bad.offset, fault, bad.expected, last)?;
                    }
                    ends_well = false;
                    break;
                }
            }
        }
        let Position {
            offset,
            expected,
            chain,
        } = scanner.at;
        self.done.segments.push(Segment {
            first,
            last: expected - 1,
            length: offset,
        });
        self.expected = self.expected.max(expected);
        if !(ends_well && head_is_sound)
            && let Some(next) = next
        {
            self.expected = self.expected.max(next);
        }
        self.chain = chain.filter(|_| ends_well);
        if let (Some(chain), true) = (self.chain, head_is_sound) {
            self.done.tail = Some(Tail {
                seed: scanner.seed(),
                chain,
                commit_at,
            });
        }
        Ok(ControlFlow::Continue(()))
    }

    fn torn(&mut self, scanner: &Scanner<S::File>) {
        let offset = scanner.at.offset;
        self.done.torn = Some(Torn {
            offset,
            bytes: scanner.end().saturating_sub(offset),
        });
    }

    fn damaged(
        &mut self,
        file: &str,
        offset: u64,
        fault: Fault,
        first: u64,
        last: Option<u64>,
    ) -> Result<(), LogError> {
        let damage = Damage {
            file: file.to_owned(),
            offset,
            fault,
            first,
            last,
        };
        if damage.settled_by(self.range.floor) {
            return Ok(());
        }
        match self.on_damage {
            OnDamage::Stop => Err(LogError::Corrupt {
                damage: Box::new(damage),
                place: self.storage.place(),
            }),
            OnDamage::GoOn => {
                self.done.damaged_places += 1;
                if self.done.damage.len() < MAX_DAMAGE {
                    self.done.damage.push(damage);
                }
                Ok(())
            }
        }
    }
}
