//! What the log does when nothing goes wrong.

use std::ops::ControlFlow;

use rorqual_anomaly::log::simulated::SimulatedDisk;
use rorqual_anomaly::log::{Committed, Log, LogError, LogOptions, MAX_RECORD_BYTES};

use crate::ledger::{SMALL, commit_each, open, payload, replay};

#[test]
fn records_come_back_in_order_with_their_bytes() {
    let disk = SimulatedDisk::new(1);
    let (mut log, recovery) = open(disk.clone(), 0);
    assert_eq!(
        (recovery.records, recovery.segments, recovery.last),
        (0, 0, 0)
    );
    let payloads: Vec<_> = (1..=50)
        .map(payload)
        .chain([Vec::new(), vec![0; 700]])
        .collect();
    for (at, payload) in payloads.iter().enumerate() {
        assert_eq!(log.append(payload).unwrap(), at as u64 + 1);
        if at % 7 == 0 {
            log.commit().unwrap();
        }
    }
    log.commit().unwrap();
    let expected: Vec<_> = (1..).zip(payloads.clone()).collect();
    assert_eq!(replay(&log, 0).unwrap(), expected);
    assert_eq!(replay(&log, 17).unwrap(), expected[17..]);
    assert_eq!(replay(&log, 52).unwrap(), []);
    let status = log.status();
    assert!(status.segments > 2, "{status:?}");
    assert_eq!((status.first, status.last), (1, 52));
    drop(log);

    let (log, recovery) = open(disk, 0);
    assert_eq!((recovery.records, recovery.last), (52, 52));
    assert_eq!(recovery.segments, status.segments);
    let bytes: usize = payloads.iter().map(Vec::len).sum();
    assert_eq!(recovery.bytes, bytes as u64);
    assert_eq!(recovery.torn_tail, None);
    assert_eq!(replay(&log, 0).unwrap(), expected);
    assert_eq!(log.status(), status);
}

#[test]
fn what_is_not_committed_is_not_there() {
    let disk = SimulatedDisk::new(1);
    let (mut log, _) = open(disk.clone(), 0);
    commit_each(&mut log, &[b"kept"]);
    log.append(b"never committed").unwrap();
    assert_eq!(replay(&log, 0).unwrap(), [(1, b"kept".to_vec())]);
    drop(log);
    let (mut log, _) = open(disk, 0);
    assert_eq!(replay(&log, 0).unwrap(), [(1, b"kept".to_vec())]);
    assert_eq!(log.append(b"next").unwrap(), 2);
}

#[test]
fn a_commit_says_what_it_made_durable() {
    let (mut log, _) = open(SimulatedDisk::new(1), 0);
    let nothing = Committed {
        first: 1,
        last: 0,
        bytes: 0,
    };
    assert_eq!(log.commit().unwrap(), nothing);
    log.append(b"12345678").unwrap();
    log.append(b"123456789").unwrap();
    let committed = log.commit().unwrap();
    // 24 bytes before each payload, and padding to a multiple of 8.
    assert_eq!(
        committed,
        Committed {
            first: 1,
            last: 2,
            bytes: 32 + 40
        }
    );
    assert_eq!(log.status().bytes, 40 + 32 + 40);
    assert_eq!(log.commit().unwrap().bytes, 0);
}

#[test]
fn segments_stay_within_their_size_unless_one_commit_is_longer() {
    let disk = SimulatedDisk::new(1);
    let (mut log, _) = open(disk.clone(), 0);
    for number in 0..60 {
        log.append(&payload(number)).unwrap();
        log.commit().unwrap();
    }
    let sizes = |disk: &SimulatedDisk| -> Vec<usize> {
        let names = disk
            .names()
            .into_iter()
            .filter(|name| name.ends_with(".log"));
        names.map(|name| disk.bytes(&name).unwrap().len()).collect()
    };
    assert!(
        sizes(&disk)
            .iter()
            .all(|size| *size as u64 <= SMALL.segment_bytes)
    );
    commit_each(&mut log, &[&[7; 10_000], b"after"]);
    let sizes = sizes(&disk);
    assert_eq!(
        sizes.iter().filter(|size| **size > 10_000).count(),
        1,
        "{sizes:?}"
    );
    assert_eq!(replay(&log, 60).unwrap().len(), 2);
}

#[test]
fn replay_stops_where_it_is_told_to() {
    let (mut log, _) = open(SimulatedDisk::new(1), 0);
    commit_each(&mut log, &[b"a", b"b", b"c"]);
    let flow = log
        .replay(1, |sequence, payload| {
            ControlFlow::Break((sequence, payload.to_vec()))
        })
        .unwrap();
    assert_eq!(flow, ControlFlow::Break((2, b"b".to_vec())));
}

#[test]
fn no_number_is_used_twice() {
    let disk = SimulatedDisk::new(1);
    let (mut log, _) = open(disk.clone(), 0);
    commit_each(&mut log, &[b"a", b"b"]);
    drop(log);
    // The floor is above all that is in the log, as after a restore of the log alone.
    let (mut log, recovery) = open(disk.clone(), 10);
    assert_eq!((recovery.records, recovery.last), (0, 10));
    assert_eq!(log.append(b"c").unwrap(), 11);
    log.commit().unwrap();
    drop(log);
    // The floor is below.
    let (mut log, recovery) = open(disk.clone(), 10);
    assert_eq!((recovery.records, recovery.last), (1, 11));
    assert_eq!(log.append(b"d").unwrap(), 12);
    log.commit().unwrap();
    assert_eq!(log.release(10).unwrap(), 1);
    drop(log);
    let (log, _) = open(disk, 11);
    assert_eq!(replay(&log, 11).unwrap(), [(12, b"d".to_vec())]);
}

#[test]
fn opening_an_empty_log_again_and_again_changes_nothing() {
    let disk = SimulatedDisk::new(1);
    for floor in [0, 0, 7, 7] {
        let (log, recovery) = open(disk.clone(), floor);
        assert_eq!((recovery.records, recovery.last), (0, floor));
        assert_eq!(log.status().last, floor);
    }
    assert_eq!(
        disk.names(),
        ["00000000000000000001.log", "00000000000000000008.log"]
    );
}

#[test]
fn only_whole_segments_are_released() {
    let disk = SimulatedDisk::new(1);
    let (mut log, _) = open(disk.clone(), 0);
    for _ in 0..3 {
        commit_each(&mut log, &[b"one", b"two", b"three"]);
        log.rotate().unwrap();
    }
    assert_eq!(log.status().segments, 4);
    log.rotate().unwrap();
    assert_eq!(
        log.status().segments,
        4,
        "an empty segment is not left behind"
    );
    assert_eq!(log.release(5).unwrap(), 1);
    assert_eq!(log.status().first, 4);
    assert_eq!(log.release(5).unwrap(), 0);
    assert_eq!(log.release(u64::MAX).unwrap(), 2);
    let status = log.status();
    assert_eq!((status.segments, status.first, status.last), (1, 10, 9));
    drop(log);
    let (mut log, recovery) = open(disk.after_power_cut(0), 9);
    assert_eq!((recovery.records, recovery.last), (0, 9));
    assert_eq!(log.append(b"four").unwrap(), 10);
}

#[test]
fn what_waits_for_a_commit_goes_along_to_a_new_segment() {
    let disk = SimulatedDisk::new(1);
    let (mut log, _) = open(disk.clone(), 0);
    commit_each(&mut log, &[b"before"]);
    log.append(b"waiting").unwrap();
    log.rotate().unwrap();
    log.append(b"too").unwrap();
    log.commit().unwrap();
    assert_eq!(log.release(1).unwrap(), 1);
    drop(log);
    let (log, _) = open(disk, 1);
    let expected = [(2, b"waiting".to_vec()), (3, b"too".to_vec())];
    assert_eq!(replay(&log, 1).unwrap(), expected);
}

#[test]
fn too_long_a_payload_is_refused_and_harms_nothing() {
    let options = LogOptions {
        segment_bytes: 3000,
        max_record_bytes: 10,
    };
    let (mut log, _) = Log::open(SimulatedDisk::new(1), options, 0).unwrap();
    let error = log.append(&[0; 11]).unwrap_err();
    assert!(
        matches!(
            error,
            LogError::TooLarge {
                bytes: 11,
                limit: 10
            }
        ),
        "{error}"
    );
    assert_eq!(log.append(&[0; 10]).unwrap(), 1);
    log.commit().unwrap();

    let options = LogOptions {
        max_record_bytes: MAX_RECORD_BYTES + 1,
        ..options
    };
    let error = Log::open(SimulatedDisk::new(1), options, 0).err().unwrap();
    assert!(matches!(error, LogError::Options { .. }), "{error}");
}

#[test]
fn the_last_number_of_all_is_not_given() {
    let (mut log, _) = open(SimulatedDisk::new(1), u64::MAX - 2);
    assert_eq!(log.append(b"last").unwrap(), u64::MAX - 1);
    let error = log.append(b"one too many").unwrap_err();
    assert!(matches!(error, LogError::Exhausted { .. }), "{error}");
    log.commit().unwrap();
    assert_eq!(replay(&log, 0).unwrap().len(), 1);
}

#[test]
fn there_is_one_writer() {
    let disk = SimulatedDisk::new(1);
    let (log, _) = open(disk.clone(), 0);
    let error = Log::open(disk.clone(), SMALL, 0).err().unwrap();
    assert!(matches!(error, LogError::Locked { .. }), "{error}");
    drop(log);
    open(disk, 0);
}
