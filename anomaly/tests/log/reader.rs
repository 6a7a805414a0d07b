//! Readers beside the writer.

use std::ops::ControlFlow;

use rorqual_anomaly::log::simulated::SimulatedDisk;
use rorqual_anomaly::log::{LogError, LogReader};

use crate::ledger::{FIRST, SECOND, commit_each, open, read, two_segments};

#[test]
fn a_reader_needs_no_lock_and_sees_the_log_as_it_was_when_opened() {
    let disk = SimulatedDisk::new(1);
    let (mut log, _) = open(disk.clone(), 0);
    commit_each(&mut log, &[b"a", b"b"]);
    let reader = LogReader::open(disk.clone()).unwrap();
    commit_each(&mut log, &[b"c"]);
    log.rotate().unwrap();
    commit_each(&mut log, &[b"d"]);
    let count = |reader: &LogReader<SimulatedDisk>| {
        let mut count = 0;
        let flow = reader.replay(0, |_, _| {
            count += 1;
            ControlFlow::<()>::Continue(())
        });
        assert!(flow.unwrap().is_continue());
        count
    };
    assert_eq!(count(&reader), 2);
    assert_eq!(count(&LogReader::open(disk).unwrap()), 4);
    let flow = reader
        .replay(0, |sequence, _| ControlFlow::Break(sequence))
        .unwrap();
    assert_eq!(flow, ControlFlow::Break(1));
}

#[test]
fn a_reader_of_nothing_finds_nothing() {
    let (found, outcome) = read(&SimulatedDisk::new(1), 0);
    outcome.unwrap();
    assert_eq!(found, []);
}

#[test]
fn a_segment_released_under_a_reader_is_named() {
    let disk = SimulatedDisk::new(1);
    two_segments(&disk);
    let reader = LogReader::open(disk.clone()).unwrap();
    let (mut log, _) = open(disk.clone(), 5);
    log.release(5).unwrap();
    let visit = |_, _: &[u8]| ControlFlow::<()>::Continue(());
    match reader.replay(0, visit).unwrap_err() {
        LogError::Vanished { file, .. } => assert_eq!(file, FIRST),
        other => panic!("{other}"),
    }
    // A new reader that still wants them is told which are gone; one that does not, reads on.
    assert!(matches!(
        read(&disk, 4).1.unwrap_err(),
        LogError::Corrupt { .. }
    ));
    assert_eq!(read(&disk, 5).0.len(), 4);
}

#[test]
fn a_damaged_place_says_where_it_is_and_what_to_do() {
    let disk = SimulatedDisk::new(1);
    let all = two_segments(&disk);
    let mut bytes = disk.bytes(SECOND).unwrap();
    bytes[50] ^= 4;
    disk.put(SECOND, bytes);
    let (found, outcome) = read(&disk, 0);
    assert_eq!(found, all[..5]);
    let said = outcome.unwrap_err().to_string();
    for part in [SECOND, "byte 40", "record 6 is in doubt", "backup"] {
        assert!(said.contains(part), "{said}");
    }
    // Whoever does not need that record is not disturbed.
    let (found, outcome) = read(&disk, 6);
    outcome.unwrap();
    assert_eq!(found, all[6..]);
}
