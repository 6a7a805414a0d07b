//! Files cut at every byte, every bit flipped, files gone or exchanged: nothing wrong is ever given out, and loss is told.

use rorqual_anomaly::log::simulated::SimulatedDisk;
use rorqual_anomaly::log::{Damage, FORMAT_VERSION, Fault, Log, LogError, Recovery};

use crate::ledger::{
    FIRST, Found, SECOND, SMALL, commit_each, open, payload, read, replay, two_segments,
};

/// What a changed log tells, and gives; on the way, that readers agree and that a damaged log stays as it is.
fn examine(disk: &SimulatedDisk) -> (Recovery, Vec<Found>) {
    let before: Vec<_> = disk.names().iter().map(|name| disk.bytes(name)).collect();
    let (read, read_outcome) = read(disk, 0);
    let (mut log, recovery) = Log::open(disk.clone(), SMALL, 0).unwrap();
    let found = replay(&log, 0).unwrap();
    assert_eq!(found.len() as u64, recovery.records);
    assert_eq!(recovery.failure, None);
    if recovery.damage.is_empty() {
        read_outcome.unwrap();
        assert_eq!(read, found);
        commit_each(&mut log, &[b"goes on"]);
    } else {
        assert!(found.starts_with(&read));
        let first = &recovery.damage[0];
        match read_outcome.unwrap_err() {
            LogError::Corrupt { damage, .. } => assert_eq!(damage.as_ref(), first),
            other => panic!("{other}"),
        }
        let error = log.append(b"refused").unwrap_err();
        assert!(matches!(error, LogError::ReadOnly { .. }), "{error}");
        let said = error.to_string();
        for part in [&first.file, &format!("byte {}", first.offset), "backup"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(log.commit().is_err() && log.rotate().is_err() && log.release(9).is_err());
        assert_eq!(log.status().damaged.as_ref(), Some(first));
        let after: Vec<_> = disk.names().iter().map(|name| disk.bytes(name)).collect();
        assert_eq!(after, before);
    }
    (recovery, found)
}

/// Where each record of a segment begins, and where the segment ends.
fn boundaries(numbers: impl Iterator<Item = u64>) -> Vec<usize> {
    let mut at = vec![40];
    for number in numbers {
        let length = (24 + payload(number).len()).next_multiple_of(8);
        at.push(at[at.len() - 1] + length);
    }
    at
}

#[test]
fn the_last_segment_cut_at_every_byte() {
    let pristine = SimulatedDisk::new(8);
    let all = two_segments(&pristine);
    let whole = pristine.bytes(SECOND).unwrap();
    let starts = boundaries(6..=9);
    assert_eq!(starts[4], whole.len());
    for length in 0..whole.len() {
        let disk = pristine.copy();
        disk.put(SECOND, whole[..length].to_vec());
        let (recovery, found) = examine(&disk);
        if length < 40 {
            assert_eq!(recovery.damage[0].fault, Fault::HeaderShort);
            assert_eq!(found, all[..5]);
            continue;
        }
        let kept = starts.iter().filter(|start| **start <= length).count() - 1;
        assert_eq!(found, all[..5 + kept], "cut at {length}");
        assert_eq!(recovery.damage, []);
        assert_eq!(
            recovery.torn_tail.is_some(),
            starts[kept] != length,
            "cut at {length}"
        );
    }
}

#[test]
fn an_earlier_segment_cut_at_every_byte() {
    let pristine = SimulatedDisk::new(8);
    let all = two_segments(&pristine);
    let whole = pristine.bytes(FIRST).unwrap();
    let starts = boundaries(1..=5);
    assert_eq!(starts[5], whole.len());
    for length in 0..whole.len() {
        let disk = pristine.copy();
        disk.put(FIRST, whole[..length].to_vec());
        let (recovery, found) = examine(&disk);
        let kept = starts
            .iter()
            .filter(|start| **start <= length)
            .count()
            .saturating_sub(1);
        let lost = kept as u64 + 1..=5;
        let expected: Vec<_> = all
            .iter()
            .filter(|(number, _)| !lost.contains(number))
            .cloned()
            .collect();
        assert_eq!(found, expected, "cut at {length}");
        let damage = recovery.damage.last().unwrap();
        assert_eq!(damage.last, Some(5));
        assert!(damage.first <= kept as u64 + 1);
    }
}

#[test]
fn every_bit_flipped() {
    let pristine = SimulatedDisk::new(8);
    let all = two_segments(&pristine);
    for (file, numbers) in [(FIRST, 1..=5), (SECOND, 6..=9)] {
        let starts = boundaries(numbers.clone());
        let whole = pristine.bytes(file).unwrap();
        for bit in 0..whole.len() * 8 {
            let mut bytes = whole.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let disk = pristine.copy();
            disk.put(file, bytes);
            let (recovery, found) = examine(&disk);
            let hit = starts.iter().filter(|start| **start <= bit / 8).count() as u64;
            if hit == 0 {
                // With another salt no record is sound; with any other head all are.
                let salt = (16..24).contains(&(bit / 8));
                let lost = |number: &u64| salt && numbers.contains(number);
                let kept = all.iter().filter(|(number, _)| !lost(number)).cloned();
                assert_eq!(found, kept.collect::<Vec<_>>(), "bit {bit} of {file}");
                assert_eq!(recovery.damage[0].offset, 0);
                continue;
            }
            let lost = numbers.start() + hit - 1;
            let kept: Vec<_> = all
                .iter()
                .filter(|(number, _)| *number != lost)
                .cloned()
                .collect();
            assert_eq!(found, kept, "bit {bit} of {file}");
            if lost == 9 {
                assert_eq!(recovery.damage, []);
                assert_eq!(recovery.torn_tail.unwrap().offset, starts[3] as u64);
            } else {
                assert_eq!(recovery.torn_tail, None);
                let damage = &recovery.damage[0];
                assert_eq!((damage.first, damage.last), (lost, Some(lost)), "bit {bit}");
                assert_eq!(damage.offset, starts[hit as usize - 1] as u64);
            }
        }
    }
}

#[test]
fn a_missing_segment() {
    let disk = SimulatedDisk::new(8);
    let all = two_segments(&disk);
    disk.take(FIRST);
    let (recovery, found) = examine(&disk);
    assert_eq!(found, all[5..]);
    let expected = Damage {
        file: SECOND.to_owned(),
        offset: 0,
        fault: Fault::Missing,
        first: 1,
        last: Some(5),
    };
    assert_eq!(recovery.damage, [expected]);
    // Nothing is missing when all that it held was folded; a part is, when a part was.
    let (log, _) = open(disk.clone(), 5);
    assert_eq!(replay(&log, 5).unwrap(), all[5..]);
    drop(log);
    let (_, recovery) = Log::open(disk, SMALL, 4).unwrap();
    assert_eq!(
        (recovery.damage[0].first, recovery.damage[0].last),
        (5, Some(5))
    );
}

#[test]
fn damage_below_the_floor_is_past() {
    let disk = SimulatedDisk::new(8);
    let all = two_segments(&disk);
    disk.put(FIRST, b"rubbish".to_vec());
    let mut second = disk.bytes(SECOND).unwrap();
    second[60] ^= 1;
    disk.put(SECOND, second);
    assert_eq!(examine(&disk).0.damaged_places, 2);
    let (mut log, recovery) = open(disk.clone(), 6);
    assert_eq!(recovery.records, 3);
    assert_eq!(replay(&log, 6).unwrap(), all[6..]);
    assert_eq!(
        replay(&log, 0).unwrap(),
        all[6..],
        "what is left of the past"
    );
    commit_each(&mut log, &[b"goes on"]);
    assert_eq!(log.release(6).unwrap(), 1);
    drop(log);
    let (log, _) = open(disk, 6);
    assert_eq!(replay(&log, 9).unwrap(), [(10, b"goes on".to_vec())]);
}

#[test]
fn a_segment_under_another_name() {
    let disk = SimulatedDisk::new(8);
    two_segments(&disk);
    let second = disk.bytes(SECOND).unwrap();
    disk.put("00000000000000000010.log", second);
    let (recovery, found) = examine(&disk);
    assert_eq!(found.len(), 9);
    assert_eq!(
        recovery.damage.last().unwrap().fault,
        Fault::HeaderSequence { got: 6 }
    );
}

#[test]
fn a_segment_of_another_log() {
    let disk = SimulatedDisk::new(8);
    two_segments(&disk);
    let other = SimulatedDisk::new(9);
    two_segments(&other);
    disk.put(SECOND, other.bytes(SECOND).unwrap());
    let (recovery, found) = examine(&disk);
    assert_eq!(recovery.damage[0].fault, Fault::HeaderChain);
    assert_eq!(found.len(), 9);
}

#[test]
fn a_segment_that_repeats_records_of_the_one_before() {
    let disk = SimulatedDisk::new(8);
    let all = two_segments(&disk);
    let other = SimulatedDisk::new(9);
    let (mut log, _) = open(other.clone(), 3);
    commit_each(&mut log, &[b"another 4", b"another 5"]);
    drop(log);
    let name = "00000000000000000004.log";
    disk.put(name, other.bytes(name).unwrap());
    let (recovery, found) = examine(&disk);
    assert_eq!(found, all, "the first is the one that counts");
    let damage = &recovery.damage[0];
    assert_eq!(
        (damage.fault, damage.first, damage.last),
        (Fault::Overlap, 4, Some(5))
    );
}

/// Salts are drawn from the seed, so two disks of one seed make records that are sound in each other's files.
#[test]
fn a_record_exchanged_for_another_sound_one() {
    let log_of = |payloads: &[&[u8]]| {
        let disk = SimulatedDisk::new(8);
        commit_each(&mut open(disk.clone(), 0).0, payloads);
        disk
    };
    let disk = log_of(&[b"one", b"two", b"three", b"four"]);
    let other = log_of(&[b"one", b"TWO", b"three", b"four"]);
    let mut bytes = disk.bytes(FIRST).unwrap();
    let [second, third] = [72..104, 104..136];
    bytes[second.clone()].copy_from_slice(&other.bytes(FIRST).unwrap()[second]);
    disk.put(FIRST, bytes.clone());
    let (recovery, found) = examine(&disk);
    assert_eq!(recovery.damage[0].fault, Fault::RecordChain);
    assert_eq!(recovery.damage[0].offset, 104);
    assert_eq!(
        found.iter().map(|(number, _)| *number).collect::<Vec<_>>(),
        [1, 2, 4]
    );

    // A record taken out: what follows stands where it does not belong.
    let disk = log_of(&[b"one", b"two", b"three", b"four"]);
    let mut bytes = disk.bytes(FIRST).unwrap();
    bytes.drain(third);
    disk.put(FIRST, bytes);
    let (recovery, found) = examine(&disk);
    assert_eq!(recovery.damage[0].fault, Fault::RecordSequence { got: 4 });
    assert!(found.starts_with(&[(1, b"one".to_vec()), (2, b"two".to_vec())]));
}

#[test]
fn another_format_version_is_named() {
    let disk = SimulatedDisk::new(8);
    two_segments(&disk);
    let mut bytes = disk.bytes(SECOND).unwrap();
    bytes[8..12].copy_from_slice(&7_u32.to_le_bytes());
    let checksum = crc32c::crc32c(&bytes[..36]);
    bytes[36..40].copy_from_slice(&checksum.to_le_bytes());
    disk.put(SECOND, bytes);
    let errors = [
        Log::open(disk.clone(), SMALL, 0).err().unwrap(),
        read(&disk, 0).1.unwrap_err(),
    ];
    for error in errors {
        let LogError::Version {
            file,
            expected,
            got,
            ..
        } = &error
        else {
            panic!("{error}");
        };
        assert_eq!(
            (file.as_str(), *expected, *got),
            (SECOND, FORMAT_VERSION, 7)
        );
        assert!(
            error
                .to_string()
                .contains("fold the log with the program that wrote it")
        );
    }
}

#[test]
fn a_log_damaged_all_over_tells_some_places_and_counts_all() {
    let disk = SimulatedDisk::new(8);
    let (mut log, _) = open(disk.clone(), 0);
    let payloads: Vec<_> = (1..=100).map(payload).collect();
    for payload in &payloads {
        commit_each(&mut log, &[payload]);
    }
    drop(log);
    let mut lost = 0;
    for name in disk.names() {
        let mut bytes = disk.bytes(&name).unwrap();
        let mut at = 40;
        let mut odd = true;
        while at + 24 < bytes.len() {
            let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
            if odd {
                bytes[at] ^= 1;
                lost += 1;
            }
            odd = !odd;
            at += (24 + length).next_multiple_of(8);
        }
        disk.put(&name, bytes);
    }
    let (recovery, found) = examine(&disk);
    assert_eq!(recovery.damage.len(), 32);
    assert!(recovery.damaged_places > 32);
    assert_eq!(found.len(), 100 - lost);
    assert!(
        found
            .iter()
            .all(|(number, bytes)| *bytes == payloads[*number as usize - 1])
    );
}
