//! A disk that really fills up under the store: a small tmpfs in a mount namespace of its own.
//!
//! Needs `unshare` and the right to mount: as root, or where user namespaces are allowed. Without it this test fails,
//! since nothing else shows what a full disk does.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use rorqual::anomaly::fold::fold;
use serde_json::json;

use crate::child;
use crate::place::{Place, all, small_segments};
use crate::task::{Focus, body, create, text, write};

const TEST: &str = "full_disk::a_full_disk_refuses_writes_until_there_is_room_and_loses_nothing";
/// Mounts the disk and runs the program given on it.
const ON_A_SMALL_DISK: &str = r#"mount -t tmpfs -o size=8m tmpfs "$DISK" || exit 90; exec "$@""#;

/// Writes until the disk is full, and a little longer; makes room and goes on.
fn fill(disk: &Path) {
    let ballast = disk.join("ballast");
    std::fs::write(&ballast, vec![1; 5 << 20]).expect("there is room in the beginning");
    let organization = json!({
        "resourceType": "Organization", "id": "org-0", "name": "Clinique",
        "meta": {"lastUpdated": "2024-01-02T03:04:05Z"},
    });
    let place = Place::below(disk, &[organization.to_string()]);
    let mut new = body("02", &Focus::literal("Organization", "org-0"));
    // Not a divisor of a page: the disk is full in the middle of a record.
    new["description"] = json!("Étage fermé. ".repeat(700));
    let one = || write(vec![create(&new)]);

    let (engine, store) = place.open(small_segments());
    let mut acknowledged = Vec::new();
    let refusal = loop {
        match store.write(one()) {
            Ok(done) => acknowledged.push(done[0].id.clone()),
            Err(failed) => break failed.refusal,
        }
        assert!(acknowledged.len() < 10_000, "the disk is never full");
    };
    acknowledged.sort();
    assert!(acknowledged.len() > 20, "full at once");
    assert_eq!(refusal.status(), 503, "{refusal:?}");
    let ids = |engine: &rorqual::Engine| {
        let found = all(engine, "Task?_count=1000&_elements=status&_sort=_id");
        found
            .iter()
            .map(|one| text(&one["id"]).to_owned())
            .collect::<Vec<_>>()
    };
    for _ in 0..3 {
        let refusal = store.write(one()).err().expect("refused").refusal;
        assert_eq!(refusal.status(), 503, "{refusal:?}");
        assert_eq!(ids(&engine), acknowledged);
    }
    assert!(!store.status().writable);
    let detail = store.status().detail.expect("a reason");
    assert!(detail.contains("cannot write"), "{detail}");
    let live = engine.generation_id();
    assert!(
        fold(&place.index, 1).is_err(),
        "there is no room for a generation"
    );
    assert!(!engine.refresh().expect("the live generation stays"));
    drop((engine, store));

    // Opened while the disk is still full: what was acknowledged is searched.
    let engine = place.engine();
    let store = rorqual::anomaly::store::Store::open(engine.clone(), small_segments())
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(ids(&engine), acknowledged);
    match store.write(one()) {
        // What was cut off made a little room.
        Ok(done) => acknowledged.push(done[0].id.clone()),
        Err(failed) => assert_eq!(failed.refusal.status(), 503, "{:?}", failed.refusal),
    }
    acknowledged.sort();
    assert_eq!(ids(&engine), acknowledged);
    drop((engine, store));

    std::fs::remove_file(&ballast).expect("it was written");
    let (engine, store) = place.open(small_segments());
    assert_eq!(engine.generation_id(), live);
    assert_eq!(ids(&engine), acknowledged);
    let done = store.write(one());
    acknowledged.push(
        done.unwrap_or_else(|failed| panic!("{:?}", failed.refusal))[0]
            .id
            .clone(),
    );
    acknowledged.sort();
    assert!(
        store
            .fold()
            .unwrap_or_else(|error| panic!("{error}"))
            .folded
    );
    assert_eq!(ids(&engine), acknowledged);
    drop((engine, store));
    place.is_sound();
    let (engine, _store) = place.open(small_segments());
    assert_eq!(ids(&engine), acknowledged);
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room_and_loses_nothing() {
    if let Some(disk) = child::role(TEST) {
        return fill(Path::new(&disk));
    }
    let disk = tempfile::tempdir().expect("a temporary folder");
    let root = std::fs::metadata(disk.path()).expect("a folder").uid() == 0;
    let mut command = Command::new("unshare");
    command.args(if root {
        &["--mount"][..]
    } else {
        &["--user", "--map-root-user", "--mount"]
    });
    command.args(["sh", "-c", ON_A_SMALL_DISK, "sh"]);
    command.arg(std::env::current_exe().expect("a running program"));
    child::play(&mut command, TEST, &disk.path().to_string_lossy());
    let ran = command
        .env("DISK", disk.path())
        .output()
        .expect("unshare runs");
    let (out, err) = (
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr),
    );
    assert_ne!(
        ran.status.code(),
        Some(90),
        "this test needs the right to mount a tmpfs (root, or user namespaces): {err}"
    );
    assert!(ran.status.success(), "{out}\n{err}");
}
