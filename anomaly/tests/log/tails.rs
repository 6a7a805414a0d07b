//! What an interrupted commit leaves: short, zeroed or rubbish, it is kept aside, cut off and reported.

use rorqual_anomaly::log::simulated::SimulatedDisk;
use rorqual_anomaly::log::{Fault, Log, LogError, TornTail};

use crate::ledger::{Found, SECOND, SMALL, commit_each, open, payload, read, replay, two_segments};

/// Replaces the end of the last segment, from `offset` on, and checks that it is cut off.
fn assert_cut(offset: usize, tail: &[u8], kept_records: u64) {
    let disk = SimulatedDisk::new(3);
    let mut expected = two_segments(&disk);
    expected.truncate(kept_records as usize);
    let mut bytes = disk.bytes(SECOND).unwrap();
    bytes.truncate(offset);
    bytes.extend_from_slice(tail);
    disk.put(SECOND, bytes);

    let (found, outcome) = read(&disk, 0);
    assert_eq!(found, expected, "a reader sees no tail");
    outcome.unwrap();

    let (mut log, recovery) = open(disk.clone(), 0);
    let kept = format!("{SECOND}.tail-{offset}");
    assert_eq!(
        recovery.torn_tail,
        Some(TornTail {
            file: SECOND.to_owned(),
            offset: offset as u64,
            bytes: tail.len() as u64,
            kept: Some(kept.clone()),
        })
    );
    assert_eq!(disk.bytes(&kept).unwrap(), tail);
    assert_eq!(replay(&log, 0).unwrap(), expected);
    commit_each(&mut log, &[b"goes on"]);
    drop(log);

    // All of that was durable.
    let disk = disk.after_power_cut(1);
    assert_eq!(disk.bytes(&kept).unwrap(), tail);
    let (log, recovery) = open(disk, 0);
    assert_eq!(recovery.torn_tail, None);
    expected.push((kept_records + 1, b"goes on".to_vec()));
    assert_eq!(replay(&log, 0).unwrap(), expected);
}

fn last_record_at() -> (usize, Vec<u8>) {
    let disk = SimulatedDisk::new(3);
    two_segments(&disk);
    let bytes = disk.bytes(SECOND).unwrap();
    let length = (24 + payload(9).len()).next_multiple_of(8);
    let offset = bytes.len() - length;
    (offset, bytes[offset..].to_vec())
}

#[test]
fn a_short_tail() {
    let (offset, record) = last_record_at();
    for length in [1, 8, 23, 24, 25, record.len() - 1] {
        assert_cut(offset, &record[..length], 8);
    }
}

#[test]
fn a_zeroed_tail() {
    let (offset, record) = last_record_at();
    for length in [1, 7, 8, 24, 4096] {
        assert_cut(offset, &vec![0; length], 8);
    }
    // Begun, then zeros.
    let mut begun = record[..40].to_vec();
    begun.resize(record.len(), 0);
    assert_cut(offset, &begun, 8);
    // Behind a sound last record.
    assert_cut(offset + record.len(), &[0; 512], 9);
}

#[test]
fn a_rubbish_tail() {
    let (offset, record) = last_record_at();
    let mut draw = fastrand::Rng::with_seed(5);
    for length in [1, 24, 100, 5000] {
        let rubbish: Vec<u8> = std::iter::repeat_with(|| draw.u8(..))
            .take(length)
            .collect();
        assert_cut(offset, &rubbish, 8);
        assert_cut(offset + record.len(), &rubbish, 9);
    }
    assert_cut(offset, &[0xff; 64], 8);
}

/// A commit of many records that spans sectors, some of which were not written.
fn long_commit(seed: u64) -> (SimulatedDisk, Vec<Found>) {
    let disk = SimulatedDisk::new(seed);
    let (mut log, _) = open(disk.clone(), 0);
    commit_each(&mut log, &[b"acknowledged"]);
    for number in 0..20 {
        log.append(&payload(number + 1000)).unwrap();
    }
    log.commit().unwrap();
    let found = replay(&log, 0).unwrap();
    (disk, found)
}

#[test]
fn sound_records_behind_an_unwritten_sector_of_the_same_commit_belong_to_the_tail() {
    let (disk, found) = long_commit(4);
    let name = "00000000000000000001.log";
    let mut bytes = disk.bytes(name).unwrap();
    assert!(bytes.len() > 2048);
    bytes[512..1024].fill(0);
    disk.put(name, bytes.clone());
    let (reached, outcome) = read(&disk, 0);
    outcome.unwrap();
    assert!(
        reached.len() < 15 && found.starts_with(&reached),
        "{}",
        reached.len()
    );
    let (log, recovery) = open(disk, 0);
    let torn = recovery.torn_tail.unwrap();
    assert!(torn.offset < 1024 && torn.offset + torn.bytes == bytes.len() as u64);
    assert_eq!(replay(&log, 0).unwrap(), reached);
}

#[test]
fn without_an_unwritten_sector_it_is_damage() {
    let (disk, found) = long_commit(4);
    let name = "00000000000000000001.log";
    let mut bytes = disk.bytes(name).unwrap();
    bytes[600] ^= 1;
    disk.put(name, bytes);
    let (log, recovery) = Log::open(disk, SMALL, 0).unwrap();
    assert_eq!(recovery.torn_tail, None);
    let damage = recovery.damage.first().unwrap();
    assert_eq!(damage.fault, Fault::RecordChecksum);
    assert_eq!(Some(damage.first), damage.last);
    let mut expected = found;
    expected.retain(|(sequence, _)| *sequence != damage.first);
    assert_eq!(replay(&log, 0).unwrap(), expected);
}

#[test]
fn an_unwritten_sector_before_a_later_commit_is_damage() {
    let (disk, _) = long_commit(4);
    let (mut log, _) = open(disk.clone(), 0);
    commit_each(&mut log, &[b"later"]);
    drop(log);
    let name = "00000000000000000001.log";
    let mut bytes = disk.bytes(name).unwrap();
    bytes[512..1024].fill(0);
    disk.put(name, bytes.clone());
    let (mut log, recovery) = Log::open(disk.clone(), SMALL, 0).unwrap();
    assert_eq!(recovery.torn_tail, None);
    assert!(recovery.damaged_places >= 1);
    assert!(matches!(
        log.append(b"no").unwrap_err(),
        LogError::ReadOnly { .. }
    ));
    assert_eq!(
        replay(&log, 0).unwrap().last(),
        Some(&(22, b"later".to_vec()))
    );
    assert_eq!(disk.bytes(name).unwrap(), bytes, "nothing was changed");
}

#[test]
fn tails_of_several_crashes_at_one_place_are_all_kept() {
    let (offset, record) = last_record_at();
    let disk = SimulatedDisk::new(3);
    two_segments(&disk);
    let whole = disk.bytes(SECOND).unwrap();
    for (length, suffix) in [(30, ""), (31, ".1"), (32, ".2")] {
        disk.put(SECOND, whole[..offset + length].to_vec());
        let (_, recovery) = open(disk.clone(), 0);
        let kept = recovery.torn_tail.unwrap().kept.unwrap();
        assert_eq!(kept, format!("{SECOND}.tail-{offset}{suffix}"));
        assert_eq!(disk.bytes(&kept).unwrap(), record[..length]);
    }
}

#[test]
fn unfinished_files_are_removed_and_others_left_alone() {
    let disk = SimulatedDisk::new(3);
    two_segments(&disk);
    disk.put("00000000000000000010.log.new", b"half a head".to_vec());
    disk.put(&format!("{SECOND}.tail-40.new"), b"half a tail".to_vec());
    disk.put("notes.new", b"not ours".to_vec());
    drop(open(disk.clone(), 0));
    assert_eq!(
        disk.after_power_cut(0).names(),
        ["00000000000000000001.log", SECOND, "notes.new"]
    );
}

/// Wherever the power goes during the opening, the bytes cut off are in the segment or beside it.
#[test]
fn the_copy_is_on_disk_before_the_tail_is_cut() {
    let pristine = SimulatedDisk::new(3);
    two_segments(&pristine);
    let mut bytes = pristine.bytes(SECOND).unwrap();
    let tail: Vec<u8> = (0..2000).map(|at| (at % 251) as u8).collect();
    bytes.extend_from_slice(&tail);
    pristine.put(SECOND, bytes.clone());
    pristine.keep_sync_points();
    drop(open(pristine.clone(), 0));
    let points = pristine.take_sync_points();
    assert!(points.len() >= 4);
    let mut kept_aside = 0;
    for point in points {
        for seed in 0..200 {
            let disk = point.after_power_cut(seed);
            if disk.bytes(SECOND).unwrap() == bytes {
                continue;
            }
            let names = disk.names();
            let copy = names.iter().find(|name| name.contains(".tail-")).unwrap();
            assert_eq!(disk.bytes(copy).unwrap(), tail, "seed {seed}");
            kept_aside += 1;
        }
    }
    assert!(kept_aside > 0);
}
