//! Every call that changes something fails once, or from then on: what was acknowledged stays, writing ends, reading does not.

use rorqual_anomaly::log::simulated::{Failure, Plan, SimulatedDisk};
use rorqual_anomaly::log::{Log, LogError};

use crate::ledger::{Found, SMALL, open, payload, replay};

/// What a writer did before and after its first failure.
#[derive(Default)]
struct Story {
    acknowledged: Vec<Found>,
    /// Appended to a commit that failed.
    in_doubt: Vec<Found>,
    released: u64,
}

/// Writes, rotates and releases until it is done or something fails; then checks that nothing more can be written.
fn write(disk: &SimulatedDisk) -> Story {
    let mut story = Story::default();
    let Ok((mut log, recovery)) = Log::open(disk.clone(), SMALL, 0) else {
        return story;
    };
    if let Some(cause) = recovery.failure {
        assert_poisoned(&mut log, &cause);
        return story;
    }
    let outcome = work(&mut log, &mut story);
    let removal = matches!(
        &outcome,
        Err(LogError::Io {
            action: "remove",
            ..
        })
    );
    match outcome {
        Ok(()) => assert!(log.status().writable()),
        // Nothing is uncertain about a file that could not be removed.
        Err(error) if removal => {
            assert!(log.status().writable(), "{error}");
            let sequence = log.append(b"goes on").unwrap();
            if log.commit().is_ok() {
                story.acknowledged.push((sequence, b"goes on".to_vec()));
            } else {
                story.in_doubt.push((sequence, b"goes on".to_vec()));
            }
        }
        Err(error) => {
            let cause = log.status().poisoned.unwrap();
            match error {
                LogError::Io {
                    action,
                    file,
                    source,
                    ..
                } => {
                    assert_eq!(cause, format!("cannot {action} {file}: {source}"));
                }
                other => panic!("{other}"),
            }
            disk.plan(None);
            assert_poisoned(&mut log, &cause);
        }
    }
    let found = replay(&log, story.released).unwrap();
    assert_eq!(
        found,
        above(&story.acknowledged, story.released),
        "what can be read is what was acknowledged"
    );
    story
}

fn work(log: &mut Log<SimulatedDisk>, story: &mut Story) -> Result<(), LogError> {
    let mut number = 0;
    for batch in [1, 3, 8, 2, 9, 1, 1] {
        for _ in 0..batch {
            number += 1;
            let payload = payload(number);
            story.in_doubt.push((log.append(&payload)?, payload));
        }
        log.commit()?;
        story.acknowledged.append(&mut story.in_doubt);
        if number == 14 {
            log.rotate()?;
            story.released = 12;
            log.release(12)?;
        }
    }
    Ok(())
}

fn assert_poisoned(log: &mut Log<SimulatedDisk>, cause: &str) {
    for outcome in [
        log.append(b"refused").map(|_| ()),
        log.commit().map(|_| ()),
        log.rotate(),
        log.release(u64::MAX).map(|_| ()),
        log.commit().map(|_| ()),
    ] {
        match outcome.unwrap_err() {
            LogError::Poisoned { cause: said, .. } => assert_eq!(said, cause),
            other => panic!("{other}"),
        }
    }
}

fn above(found: &[Found], floor: u64) -> Vec<Found> {
    found
        .iter()
        .filter(|(number, _)| *number > floor)
        .cloned()
        .collect()
}

/// A new writer finds what was acknowledged, perhaps some of what was in doubt, and goes on.
fn assert_recovers(disk: SimulatedDisk, story: &Story) {
    let (mut log, _) = open(disk.clone(), story.released);
    let found = replay(&log, story.released).unwrap();
    let mut possible = above(&story.acknowledged, story.released);
    assert!(found.starts_with(&possible));
    possible.extend_from_slice(&story.in_doubt);
    assert!(possible.starts_with(&found));
    let sequence = log.append(b"goes on").unwrap();
    assert_eq!(
        sequence,
        found.last().map_or(story.released, |(last, _)| *last) + 1
    );
    log.commit().unwrap();
    drop(log);
    for seed in 0..4 {
        let (log, recovery) = open(disk.after_power_cut(seed), story.released);
        assert_eq!(recovery.torn_tail, None);
        assert_eq!(recovery.records, found.len() as u64 + 1);
        assert!(replay(&log, story.released).unwrap().starts_with(&found));
    }
}

#[test]
fn every_call_fails() {
    let disk = SimulatedDisk::new(6);
    disk.plan(None);
    let story = write(&disk);
    assert_eq!(story.acknowledged.len(), 25);
    let calls = disk.calls();
    assert!(calls >= 20, "{calls}");
    let mut failed = 0;
    for failure in [Failure::Broken, Failure::NoSpace] {
        for lasting in [false, true] {
            for from in 0..calls {
                let disk = SimulatedDisk::new(6);
                disk.plan(Some(Plan {
                    from,
                    lasting,
                    failure,
                }));
                let story = write(&disk);
                failed += u64::from(story.acknowledged.len() < 25);
                disk.plan(None);
                // The process starts again on a disk that works; or the power goes first.
                assert_recovers(disk.copy(), &story);
                for seed in 0..6 {
                    assert_recovers(disk.after_power_cut(seed), &story);
                }
            }
        }
    }
    // Removals alone may fail without an end to writing.
    assert!(failed > 3 * calls, "{failed} of {calls}");
}

/// Opening, too, may meet a disk that refuses every call in turn: the log can still be read.
#[test]
fn every_call_of_an_opening_fails() {
    let torn = SimulatedDisk::new(6);
    let story = write(&torn);
    let name = torn
        .names()
        .into_iter()
        .rfind(|name| name.ends_with(".log"))
        .unwrap();
    let mut bytes = torn.bytes(&name).unwrap();
    bytes.extend_from_slice(b"begun");
    torn.put(&name, bytes);
    torn.put("00000000000000000099.log.new", b"left".to_vec());

    let disk = torn.copy();
    disk.plan(None);
    drop(open(disk.clone(), story.released));
    let calls = disk.calls();
    assert!(calls >= 8, "{calls}");
    for failure in [Failure::Broken, Failure::NoSpace] {
        for lasting in [false, true] {
            for from in 0..calls {
                let disk = torn.copy();
                disk.plan(Some(Plan {
                    from,
                    lasting,
                    failure,
                }));
                let (mut log, recovery) = Log::open(disk.clone(), SMALL, story.released).unwrap();
                assert_eq!(recovery.failure.is_some(), disk.failed() > 0);
                let found = replay(&log, story.released).unwrap();
                assert_eq!(found, above(&story.acknowledged, story.released));
                disk.plan(None);
                if let Some(cause) = recovery.failure {
                    assert_poisoned(&mut log, &cause);
                }
                drop(log);
                assert_recovers(disk.copy(), &story);
                for seed in 0..6 {
                    assert_recovers(disk.after_power_cut(seed), &story);
                }
            }
        }
    }
}
