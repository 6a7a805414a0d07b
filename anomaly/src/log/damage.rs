//! A place where the log does not hold what was written there.

use std::fmt;

/// What is wrong at a damaged place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The file ends within its head.
    HeaderShort,
    /// The file does not begin as a segment does.
    HeaderMagic,
    /// The checksum of the head is wrong.
    HeaderChecksum,
    /// The head names another first record than the file name does.
    HeaderSequence {
        /// The first record as the head says.
        got: u64,
    },
    /// The head does not continue the segment before.
    HeaderChain,
    /// The file ends within a record.
    RecordShort,
    /// The checksum of a record is wrong.
    RecordChecksum,
    /// A sound record stands where another was due.
    RecordSequence {
        /// The record that stands there.
        got: u64,
    },
    /// A sound record does not continue the one before.
    RecordChain,
    /// No segment holds some records.
    Missing,
    /// A segment begins with a record that an earlier one holds too.
    Overlap,
}

impl Fault {
    /// Whether an interrupted write can leave this behind; the others come from something else having changed the files.
    pub(super) fn can_be_torn(self) -> bool {
        matches!(self, Self::RecordShort | Self::RecordChecksum)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderShort => f.write_str("the file ends within its head"),
            Self::HeaderMagic => f.write_str("the file does not begin as a segment does"),
            Self::HeaderChecksum => f.write_str("the checksum of the head is wrong"),
            Self::HeaderSequence { got } => {
                write!(f, "the head names {got} as the first record")
            }
            Self::HeaderChain => f.write_str("the head does not continue the segment before"),
            Self::RecordShort => f.write_str("the file ends within a record"),
            Self::RecordChecksum => f.write_str("the checksum of the record is wrong"),
            Self::RecordSequence { got } => write!(f, "record {got} stands there instead"),
            Self::RecordChain => f.write_str("the record does not continue the one before"),
            Self::Missing => f.write_str("no segment before this one holds some records"),
            Self::Overlap => f.write_str("an earlier segment holds some of the same records"),
        }
    }
}

/// A damaged place, and the records that it puts in doubt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The segment, as a file name.
    pub file: String,
    /// Where in it, in bytes from its beginning.
    pub offset: u64,
    /// What is wrong there.
    pub fault: Fault,
    /// The first record in doubt.
    pub first: u64,
    /// The last record in doubt, where something after it tells; less than `first` when no record is.
    pub last: Option<u64>,
}

impl Damage {
    /// Whether all that is in doubt has the number `floor` or a lower one: it was folded, so it is needed no more.
    #[must_use]
    pub fn settled_by(&self, floor: u64) -> bool {
        self.last.is_some_and(|last| last <= floor)
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            file,
            offset,
            fault,
            first,
            last,
        } = self;
        write!(f, "{file} is damaged at byte {offset}: {fault}; ")?;
        match last {
            Some(last) if last < first => f.write_str("no record is lost by it"),
            Some(last) if last == first => write!(f, "record {first} is in doubt"),
            Some(last) => write!(f, "records {first} to {last} are in doubt"),
            None => write!(f, "records from {first} on are in doubt"),
        }
    }
}
