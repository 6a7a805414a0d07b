//! An export writes nothing: it is whole on a disk that is full, and what was begun before is as good as what is begun after.
//!
//! Needs `unshare` and the right to mount: as root, or where user namespaces are allowed. Without it this test fails,
//! since nothing else shows what a full disk does.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use index_builder::BuildOptions;
use rorqual::Engine;
use rorqual::export::Jobs;

use crate::directory::Directory;
use crate::made::{Made, WHOLE, contents, done, exported};

const TEST: &str = "full_disk::an_export_needs_no_room_on_the_disk";
/// Names the disk to the process that runs on it.
const DISK: &str = "RORQUAL_TEST_FULL_DISK";
/// Mounts the disk and runs the program given on it.
const ON_A_SMALL_DISK: &str = r#"mount -t tmpfs -o size=16m tmpfs "$0" || exit 90; exec "$@""#;

/// Writes until there is no room for one byte more.
fn fill(disk: &Path) {
    let mut ballast = File::create(disk.join("ballast")).expect("a writable disk");
    for size in [1 << 20, 1 << 12, 1] {
        let block = vec![1; size];
        loop {
            match ballast.write(&block) {
                Ok(written) => assert!(written > 0),
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn on_the_disk(disk: &Path) {
    let directory = Directory::new(60, 6);
    let lines: String = directory
        .extract()
        .iter()
        .map(|one| format!("{one}\n"))
        .collect();
    let extract = disk.join("extract.ndjson");
    std::fs::write(&extract, lines).expect("there is room in the beginning");
    let index = disk.join("index");
    index_builder::build(&BuildOptions {
        extract: vec![extract],
        index: index.clone(),
        ..BuildOptions::default()
    })
    .unwrap_or_else(|error| panic!("{error}"));
    let engine = Engine::open(&index).unwrap_or_else(|error| panic!("{error}"));
    let jobs = Jobs::default();
    let before = done(&jobs, engine.full(), WHOLE);
    fill(disk);
    let refused = std::fs::write(disk.join("one more"), b"byte").expect_err("it is full");
    assert_eq!(refused.kind(), ErrorKind::StorageFull);
    let expected = exported(&Made::of(&directory.extract()).engine(), WHOLE);
    assert!(expected.len() > 60, "{} resources", expected.len());
    assert_eq!(contents(&before), expected);
    let after = done(&jobs, engine.full(), WHOLE);
    assert_eq!(contents(&after), expected);
}

#[test]
fn an_export_needs_no_room_on_the_disk() {
    if let Some(disk) = std::env::var_os(DISK) {
        return on_the_disk(Path::new(&disk));
    }
    let disk = tempfile::tempdir().expect("a temporary folder");
    let root = std::fs::metadata(disk.path()).expect("a folder").uid() == 0;
    let mut command = Command::new("unshare");
    command.args(match root {
        true => &["--mount"][..],
        false => &["--user", "--map-root-user", "--mount"],
    });
    let ran = command
        .args(["sh", "-c", ON_A_SMALL_DISK])
        .arg(disk.path())
        .arg(std::env::current_exe().expect("a running program"))
        .args(["--exact", TEST, "--nocapture", "--test-threads=1"])
        .env(DISK, disk.path())
        .output()
        .expect("unshare runs");
    let out = String::from_utf8_lossy(&ran.stdout);
    let err = String::from_utf8_lossy(&ran.stderr);
    assert_ne!(
        ran.status.code(),
        Some(90),
        "this test needs the right to mount a tmpfs (root, or user namespaces): {err}"
    );
    assert!(ran.status.success(), "{out}\n{err}");
    assert!(out.contains("1 passed"), "{out}");
}
