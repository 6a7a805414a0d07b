//! Whatever bytes lie under the name of a segment: no panic, no record that was not written, memory in proportion.

use proptest::prelude::*;
use rorqual_anomaly::log::simulated::SimulatedDisk;
use rorqual_anomaly::log::{Log, MAX_RECORD_BYTES};

use crate::ledger::{FIRST, Found, SECOND, SMALL, read, replay, two_segments};

/// Opens and reads in every way; what is found must be among `written`.
fn assert_harmless(disk: &SimulatedDisk, floor: u64, written: &[Found]) {
    let (seen, _) = read(disk, floor);
    assert!(seen.iter().all(|record| written.contains(record)));
    if let Ok((mut log, recovery)) = Log::open(disk.clone(), SMALL, floor) {
        let found = replay(&log, floor).unwrap();
        assert!(found.iter().all(|record| written.contains(record)));
        assert_eq!(recovery.records, found.len() as u64);
        if log.status().writable() {
            let sequence = log.append(b"goes on").unwrap();
            assert!(found.iter().all(|(number, _)| *number < sequence) && sequence > floor);
            log.commit().unwrap();
        }
    }
}

/// A change to the bytes of a file.
#[derive(Clone, Debug)]
enum Edit {
    Set { at: usize, bytes: Vec<u8> },
    Cut { at: usize },
    Remove { at: usize, length: usize },
    Repeat { at: usize, length: usize, to: usize },
}

impl Edit {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let within = |at: usize| at % (bytes.len() + 1);
        match self {
            Self::Set { at, bytes: new } => {
                let at = within(*at);
                for (old, new) in bytes.iter_mut().skip(at).zip(new) {
                    *old = *new;
                }
            }
            Self::Cut { at } => bytes.truncate(within(*at)),
            Self::Remove { at, length } => {
                let at = within(*at);
                bytes.drain(at..bytes.len().min(at + length));
            }
            Self::Repeat { at, length, to } => {
                let (at, to) = (within(*at), within(*to));
                let piece = bytes[at..bytes.len().min(at + length)].to_vec();
                bytes.splice(to..to, piece);
            }
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let place = any::<u16>().prop_map(usize::from);
    // Numbers at aligned places are what headers are made of.
    let number = prop_oneof![
        any::<u32>(),
        0..64_u32,
        Just(u32::MAX),
        Just(MAX_RECORD_BYTES)
    ];
    prop_oneof![
        (place.clone(), prop::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(at, bytes)| Edit::Set { at, bytes }),
        (place.clone(), number).prop_map(|(at, number)| Edit::Set {
            at: at & !3,
            bytes: number.to_le_bytes().to_vec()
        }),
        place.clone().prop_map(|at| Edit::Cut { at }),
        (place.clone(), 1..300_usize).prop_map(|(at, length)| Edit::Remove { at, length }),
        (place.clone(), 1..300_usize, place).prop_map(|(at, length, to)| Edit::Repeat {
            at: at & !7,
            length: length & !7,
            to: to & !7
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes(
        bytes in prop::collection::vec(any::<u8>(), 0..3000),
        follows in any::<bool>(),
        floor in prop_oneof![Just(0), any::<u64>().prop_map(|floor| floor / 2)],
    ) {
        let disk = SimulatedDisk::new(1);
        let written = if follows { two_segments(&disk) } else { Vec::new() };
        disk.put(FIRST, bytes);
        assert_harmless(&disk, floor, &written);
        // A window of 256 KiB, or less for a short file: never what a length field claims.
        prop_assert!(disk.largest_read() <= 256 * 1024);
    }

    #[test]
    fn edited_segments(edits in prop::collection::vec((any::<bool>(), edit()), 1..6)) {
        let disk = SimulatedDisk::new(1);
        let written = two_segments(&disk);
        for (first, edit) in edits {
            let name = if first { FIRST } else { SECOND };
            let mut bytes = disk.bytes(name).unwrap();
            edit.apply(&mut bytes);
            disk.put(name, bytes);
        }
        assert_harmless(&disk, 0, &written);
    }
}

#[test]
fn a_length_is_held_against_the_file_before_anything_is_read() {
    let disk = SimulatedDisk::new(1);
    let written = two_segments(&disk);
    let whole = disk.bytes(SECOND).unwrap();
    for length in [MAX_RECORD_BYTES, MAX_RECORD_BYTES + 1, u32::MAX, 1 << 20] {
        let mut bytes = whole.clone();
        bytes[44..48].copy_from_slice(&length.to_le_bytes());
        let disk = disk.copy();
        disk.put(SECOND, bytes);
        assert_harmless(&disk, 0, &written);
        assert!(
            disk.largest_read() < whole.len() + 4096,
            "{}",
            disk.largest_read()
        );
    }
}
