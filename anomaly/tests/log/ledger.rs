//! What the tests know about a log, told apart from what the log says.

use std::convert::Infallible;
use std::ops::ControlFlow;

use rorqual_anomaly::log::simulated::SimulatedDisk;
use rorqual_anomaly::log::{Log, LogError, LogOptions, LogReader, Recovery, Storage};

/// A record as given out: its number and its payload.
pub type Found = (u64, Vec<u8>);

/// Segments small enough that a few records fill one.
pub const SMALL: LogOptions = LogOptions {
    segment_bytes: 3000,
    max_record_bytes: 1 << 20,
};

/// Opens a log that must be sound.
pub fn open<S: Storage>(storage: S, floor: u64) -> (Log<S>, Recovery) {
    let (log, recovery) = Log::open(storage, SMALL, floor).unwrap();
    assert_eq!(recovery.damage, []);
    assert_eq!(recovery.failure, None);
    assert!(log.status().writable());
    (log, recovery)
}

/// Appends and commits each payload for itself.
pub fn commit_each<S: Storage>(log: &mut Log<S>, payloads: &[&[u8]]) {
    for payload in payloads {
        let sequence = log.append(payload).unwrap();
        let committed = log.commit().unwrap();
        assert_eq!((committed.first, committed.last), (sequence, sequence));
    }
}

/// Everything above `after` that the log gives.
pub fn replay<S: Storage>(log: &Log<S>, after: u64) -> Result<Vec<Found>, LogError> {
    let mut found = Vec::new();
    log.replay(after, collect(&mut found))?;
    assert_ascending(&found);
    Ok(found)
}

/// Everything above `after` that a reader gives, and how that ended.
pub fn read(disk: &SimulatedDisk, after: u64) -> (Vec<Found>, Result<(), LogError>) {
    let mut found = Vec::new();
    let outcome = LogReader::open(disk.clone())
        .and_then(|reader| reader.replay(after, collect(&mut found)))
        .map(|_| ());
    assert_ascending(&found);
    (found, outcome)
}

fn collect(into: &mut Vec<Found>) -> impl FnMut(u64, &[u8]) -> ControlFlow<Infallible> {
    |sequence, payload| {
        into.push((sequence, payload.to_vec()));
        ControlFlow::Continue(())
    }
}

fn assert_ascending(found: &[Found]) {
    assert!(found.is_sorted_by(|one, next| one.0 < next.0));
}

/// A payload that can be told from any other, of a length that depends on `number`.
pub fn payload(number: u64) -> Vec<u8> {
    let length = (number * 37 % 200) as usize;
    let mut payload = format!("payload {number} ").into_bytes();
    payload.extend((0..length).map(|at| b'a' + ((at as u64 + number) % 26) as u8));
    payload
}

/// A log of nine records in two segments, and what it holds: a commit of one, one of three, then single ones.
pub fn two_segments(disk: &SimulatedDisk) -> Vec<Found> {
    let (mut log, _) = open(disk.clone(), 0);
    for sequence in 1..=9 {
        assert_eq!(log.append(&payload(sequence)).unwrap(), sequence);
        if sequence != 2 && sequence != 3 {
            log.commit().unwrap();
        }
        if sequence == 5 {
            log.rotate().unwrap();
        }
    }
    assert_eq!(log.status().segments, 2);
    (1..=9)
        .map(|sequence| (sequence, payload(sequence)))
        .collect()
}

/// The two segments of [`two_segments`].
pub const FIRST: &str = "00000000000000000001.log";
pub const SECOND: &str = "00000000000000000006.log";
