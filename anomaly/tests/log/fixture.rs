//! A log of format version 1 as it was written once: it must be readable for ever.
//!
//! When the format changes, this fixture stays as it is and one of the new version joins it.

use std::fs;
use std::path::Path;

use rorqual_anomaly::log::simulated::SimulatedDisk;
use rorqual_anomaly::log::{FORMAT_VERSION, Folder, LogReader};

use crate::ledger::{FIRST, SECOND, open, replay, two_segments};

fn fixture(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/log/version-1")
        .join(file);
    fs::read(path).unwrap()
}

#[test]
fn version_1_is_read() {
    let place = tempfile::tempdir().unwrap();
    for file in [FIRST, SECOND] {
        fs::write(place.path().join(file), fixture(file)).unwrap();
    }
    let folder = Folder::existing(place.path()).unwrap();
    let mut found = Vec::new();
    let reader = LogReader::open(folder.clone()).unwrap();
    let _ = reader
        .replay(0, |sequence, payload| {
            found.push((sequence, payload.to_vec()));
            std::ops::ControlFlow::<()>::Continue(())
        })
        .unwrap();
    let expected = two_segments(&SimulatedDisk::new(0));
    assert_eq!(found, expected);
    let (log, recovery) = open(folder, 0);
    assert_eq!(
        (recovery.records, recovery.segments, recovery.torn_tail),
        (9, 2, None)
    );
    assert_eq!(replay(&log, 0).unwrap(), expected);
}

/// The bytes that are written today, for the same salts, are those of the fixture.
#[test]
fn version_1_is_what_is_written() {
    assert_eq!(
        FORMAT_VERSION, 1,
        "keep this fixture, and add one of the new version"
    );
    let disk = SimulatedDisk::new(0);
    two_segments(&disk);
    for file in [FIRST, SECOND] {
        assert_eq!(disk.bytes(file).unwrap(), fixture(file), "{file}");
    }
}
