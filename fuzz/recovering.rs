//! What must hold for any bytes that may lie in the log of anomalies: shared by the fuzz target `log` and the bounded run
//! in `tests/hostile`.
//!
//! Fuzz with `cargo install cargo-fuzz`, then `cargo fuzz run log` in this folder's parent.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use rorqual::anomaly::record::{RecordHead, decode, encode};
use rorqual_anomaly::log::simulated::SimulatedDisk;
use rorqual_anomaly::log::{Log, LogOptions, LogReader};

/// More than any file here is long: nobody has a reason to ask for so much at once.
const MOST_READ: usize = 1 << 20;

/// A sound log of two segments: the names of its files with their bytes, and its records.
struct Sound {
    disk: SimulatedDisk,
    records: Vec<(u64, Vec<u8>)>,
}

static SOUND: LazyLock<Sound> = LazyLock::new(|| {
    let disk = SimulatedDisk::new(7);
    let (mut log, _) =
        Log::open(disk.clone(), LogOptions::default(), 0).expect("an empty disk opens");
    let mut records = Vec::new();
    for number in 1..=8u64 {
        let payload = record_of(number);
        let sequence = log.append(&payload).expect("a small record");
        records.push((sequence, payload));
        if number % 2 == 0 {
            log.commit().expect("nothing fails on this disk");
        }
        if number == 6 {
            log.rotate().expect("nothing fails on this disk");
        }
    }
    drop(log);
    Sound { disk, records }
});

fn record_of(number: u64) -> Vec<u8> {
    let head = RecordHead {
        instant: 1_700_000_000_000 + number as i64,
        identifier: number,
    };
    let body = format!("{{\"resourceType\":\"Task\",\"id\":\"t{number}\"}}");
    encode(head, &[(format!("t{number}"), body.into_bytes())]).expect("a sound body")
}

/// What a log gives when it is opened for writing, and when it is read beside its writer.
fn found(disk: &SimulatedDisk) -> [Vec<(u64, Vec<u8>)>; 2] {
    let mut both = [Vec::new(), Vec::new()];
    let [opened, beside] = &mut both;
    if let Ok(reader) = LogReader::open(disk.clone()) {
        let _ = reader.replay(0, |sequence, payload| {
            beside.push((sequence, payload.to_vec()));
            ControlFlow::<()>::Continue(())
        });
    }
    if let Ok((mut log, recovery)) = Log::open(disk.clone(), LogOptions::default(), 0) {
        let _ = log.replay(0, |sequence, payload| {
            opened.push((sequence, payload.to_vec()));
            ControlFlow::<()>::Continue(())
        });
        assert_eq!(recovery.records, opened.len() as u64);
        if log.status().writable() {
            // No number is given twice, whatever lay there.
            let sequence = log.append(b"{}").expect("a small record");
            assert!(opened.iter().all(|(number, _)| *number < sequence));
            log.commit().expect("nothing fails on this disk");
        }
    }
    for one in &both {
        assert!(
            one.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "out of order"
        );
    }
    assert!(
        disk.largest_read() <= MOST_READ,
        "a length that was believed"
    );
    both
}

/// Any bytes as the only segment: no panic, and no more memory than they are long.
pub fn segment(bytes: &[u8]) {
    let disk = SimulatedDisk::new(1);
    disk.put("00000000000000000001.log", bytes.to_vec());
    found(&disk);
}

/// A sound log of which some bytes were changed: whatever it gives was written like that. Each four bytes of `edits` are a
/// place (two bytes), what the byte there is changed by, and what is done besides.
pub fn damaged(edits: &[u8]) {
    let disk = SOUND.disk.copy();
    let names: Vec<String> = disk.names();
    let names: Vec<&String> = names.iter().filter(|name| name.ends_with(".log")).collect();
    for edit in edits.chunks_exact(4) {
        let &[low, high, change, more] = edit else {
            continue;
        };
        let Some(name) = names.get(usize::from(more) % names.len()) else {
            continue;
        };
        let mut bytes = disk.bytes(name).unwrap_or_default();
        let place = usize::from(u16::from_le_bytes([low, high])) % (bytes.len() + 1);
        match more / 64 {
            0 | 1 => {
                if let Some(byte) = bytes.get_mut(place) {
                    *byte ^= change;
                }
            }
            2 => bytes.truncate(place),
            _ => {
                let piece = bytes.iter().skip(place).take(usize::from(change)).copied();
                let piece: Vec<u8> = piece.collect();
                bytes.extend(piece);
            }
        }
        disk.put(name, bytes);
    }
    for one in found(&disk) {
        for record in one {
            assert!(SOUND.records.contains(&record), "never written: {record:?}");
        }
    }
}

/// The payload of a record is read, and then says the same when it is written again, or it is refused.
pub fn record(payload: &[u8]) {
    let Ok((head, versions)) = decode(5, payload) else {
        return;
    };
    assert!(versions.iter().all(|version| version.sequence == 5));
    assert!(
        versions
            .iter()
            .all(|version| version.instant == head.instant)
    );
    let pairs: Vec<(String, Vec<u8>)> = versions
        .iter()
        .map(|version| (version.id.clone(), version.body.clone()))
        .collect();
    let again = encode(head, &pairs).expect("what was read can be written");
    assert_eq!(decode(5, &again).expect("and read again"), (head, versions));
}
