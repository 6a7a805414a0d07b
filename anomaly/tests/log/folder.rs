//! The log in a real folder.

use std::fs;
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use rorqual_anomaly::log::{Folder, Log, LogError, LogReader, Storage, StorageFile};

use crate::ledger::{SMALL, commit_each, open, payload, replay};

#[test]
fn a_log_in_a_folder() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("anomalies");
    let (mut log, _) = open(Folder::create(&path).unwrap(), 0);
    let payloads: Vec<_> = (1..=60).map(payload).collect();
    for payload in &payloads {
        commit_each(&mut log, &[payload]);
    }
    assert!(log.status().segments > 1);
    drop(log);

    // An interrupted commit.
    let last = fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let last = last
        .filter(|path| path.extension().is_some_and(|end| end == "log"))
        .max()
        .unwrap();
    let length = fs::metadata(&last).unwrap().len();
    fs::OpenOptions::new()
        .write(true)
        .open(&last)
        .unwrap()
        .set_len(length + 30)
        .unwrap();

    let (mut log, recovery) = open(Folder::existing(&path).unwrap(), 0);
    let torn = recovery.torn_tail.unwrap();
    assert_eq!((torn.offset, torn.bytes), (length, 30));
    assert_eq!(fs::read(path.join(torn.kept.unwrap())).unwrap(), [0; 30]);
    assert_eq!(fs::metadata(&last).unwrap().len(), length);
    let found = replay(&log, 0).unwrap();
    assert_eq!(found, (1..).zip(payloads).collect::<Vec<_>>());
    assert!(log.release(60).unwrap() >= 1);
    drop(log);
    let (_, recovery) = open(Folder::existing(&path).unwrap(), 60);
    assert_eq!((recovery.segments, recovery.last), (1, 60));
}

#[test]
fn the_lock_says_who_holds_it_and_goes_with_its_holder() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::create(place.path()).unwrap();
    let (log, _) = open(folder.clone(), 0);
    match Log::open(folder.clone(), SMALL, 0).err().unwrap() {
        error @ LogError::Locked { .. } => {
            let said = error.to_string();
            assert!(
                said.contains(&format!("process {}", std::process::id())),
                "{said}"
            );
            assert!(said.contains(&folder.place()), "{said}");
        }
        other => panic!("{other}"),
    }
    assert!(LogReader::open(folder.clone()).is_ok());
    drop(log);
    open(folder, 0);
}

#[test]
fn a_folder_must_be_one() {
    let place = tempfile::tempdir().unwrap();
    let kind = |outcome: io::Result<Folder>| outcome.unwrap_err().kind();
    let missing = place.path().join("missing");
    assert_eq!(kind(Folder::existing(&missing)), io::ErrorKind::NotFound);
    assert_eq!(
        kind(Folder::create(missing.join("deeper"))),
        io::ErrorKind::NotFound
    );
    let file = place.path().join("file");
    fs::write(&file, b"").unwrap();
    assert_eq!(kind(Folder::create(&file)), io::ErrorKind::NotADirectory);
}

#[test]
fn files_of_a_folder_keep_the_promises_of_the_storage() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::create(place.path()).unwrap();
    let file = folder.create_new("one").unwrap();
    file.write_at(3, b"abc").unwrap();
    file.sync().unwrap();
    assert_eq!(file.length().unwrap(), 6);
    let mut bytes = [9; 8];
    assert_eq!(StorageFile::read_at(&file, 1, &mut bytes).unwrap(), 5);
    assert_eq!(bytes, *b"\0\0abc\x09\x09\x09");
    file.truncate(4).unwrap();
    assert_eq!(file.length().unwrap(), 4);
    let taken = folder.create_new("one").unwrap_err();
    assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
    folder.rename("one", "two").unwrap();
    assert_eq!(folder.list().unwrap(), ["two"]);
    assert!(folder.open("two").unwrap().write_at(0, b"x").is_err());
    folder
        .open_writable("two")
        .unwrap()
        .write_at(0, b"x")
        .unwrap();
    folder.remove("two").unwrap();
    folder.sync_directory().unwrap();
    assert_eq!(
        folder.open("two").unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
    assert_ne!(folder.salt().unwrap(), folder.salt().unwrap());
}

/// The reader must find, at each moment, all that was acknowledged before it opened, in order and without damage.
#[test]
fn readers_beside_a_busy_writer() {
    let place = tempfile::tempdir().unwrap();
    let folder = Folder::create(place.path()).unwrap();
    let (mut log, _) = open(folder.clone(), 0);
    let acknowledged = AtomicU64::new(0);
    let done = AtomicU64::new(0);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut rounds = 0;
                while done.load(Ordering::SeqCst) == 0 || rounds == 0 {
                    let least = acknowledged.load(Ordering::SeqCst);
                    let mut last = 0;
                    let reader = LogReader::open(folder.clone()).unwrap();
                    let flow = reader
                        .replay(0, |sequence, found| {
                            assert_eq!(sequence, last + 1);
                            assert_eq!(found, payload(sequence));
                            last = sequence;
                            ControlFlow::<()>::Continue(())
                        })
                        .unwrap();
                    assert!(flow.is_continue() && last >= least);
                    rounds += 1;
                }
            });
        }
        for round in 0..60 {
            for _ in 0..round % 20 + 1 {
                let number = log.status().last + 1;
                let waiting = log.append(&payload(number)).unwrap();
                assert_eq!(waiting, number);
                acknowledged.store(log.commit().unwrap().last, Ordering::SeqCst);
            }
        }
        done.store(1, Ordering::SeqCst);
    });
}

#[test]
fn a_log_can_move_to_the_thread_that_writes() {
    fn assert_send<T: Send>() {}
    assert_send::<Log<Folder>>();
    assert_send::<LogReader<Folder>>();
}
