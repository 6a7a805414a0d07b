//! A disk that fills up in mid-build: a small tmpfs in a mount namespace of its own, so a true ENOSPC.
//!
//! Needs `unshare` and the right to mount: as root, or where user namespaces are allowed. Without it these
//! tests fail, since nothing else shows what a full disk does.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::extract::{lines, ndjson};
use crate::index::{answers, assert_no_debris, assert_sound, tree};
use crate::process::{Finished, PROGRAM, finish};

/// Builds `small`, then `large` as `HOW` says, then `small` again on a disk of `SIZE`; copies the index out after each step.
const STEPS: &str = r#"
mount -t tmpfs -o size="$SIZE" tmpfs "$DISK" || exit 90
"$PROGRAM" --extract "$SMALL" --index "$DISK/index" --json >"$OUT/first.out" 2>"$OUT/first.err"
echo $? >"$OUT/first.code"
cp -a "$DISK/index" "$OUT/first" || exit 91
"$PROGRAM" "$HOW" "$LARGE" --index "$DISK/index" --json >"$OUT/full.out" 2>"$OUT/full.err"
echo $? >"$OUT/full.code"
cp -a "$DISK/index" "$OUT/full" || exit 92
"$PROGRAM" --extract "$SMALL" --index "$DISK/index" --json --keep 0 >"$OUT/after.out" 2>"$OUT/after.err"
echo $? >"$OUT/after.code"
cp -a "$DISK/index" "$OUT/after" || exit 93
"#;

/// What the three builds left.
struct Disk {
    folder: TempDir,
}

impl Disk {
    /// Runs the builds with a disk of `kilobytes`; `how` is `--extract` or `--delta`.
    fn run(kilobytes: usize, how: &str, small: &[u8], large: &[u8]) -> Disk {
        let disk = Disk {
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        for name in ["disk", "out"] {
            fs::create_dir(disk.path(name)).expect("a writable folder");
        }
        fs::write(disk.path("small.ndjson"), small).expect("a writable folder");
        fs::write(disk.path("large.ndjson"), large).expect("a writable folder");
        let root = fs::metadata(disk.folder.path()).expect("a folder").uid() == 0;
        let mut command = Command::new("unshare");
        command.args(if root {
            &["--mount"][..]
        } else {
            &["--user", "--map-root-user", "--mount"]
        });
        command
            .args(["sh", "-c", STEPS])
            .env("SIZE", format!("{kilobytes}k"))
            .env("HOW", how)
            .env("PROGRAM", PROGRAM)
            .env("DISK", disk.path("disk"))
            .env("OUT", disk.path("out"))
            .env("SMALL", disk.path("small.ndjson"))
            .env("LARGE", disk.path("large.ndjson"));
        let ran = finish(&mut command);
        assert_eq!(
            ran.code,
            Some(0),
            "this test needs the right to mount a tmpfs (root, or user namespaces): {}",
            ran.err
        );
        disk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn step(&self, name: &str) -> (Finished, PathBuf) {
        let out = self.path("out");
        let read = |ending: &str| {
            fs::read_to_string(out.join(format!("{name}.{ending}"))).expect("what the step said")
        };
        let finished = Finished {
            code: read("code").trim().parse().ok(),
            out: read("out"),
            err: read("err"),
        };
        (finished, out.join(name))
    }
}

fn without_locks_and_rejects(index: &Path) -> Vec<String> {
    tree(index)
        .into_keys()
        .filter(|name| !name.starts_with("rejects"))
        .collect()
}

#[test]
fn wherever_it_happens_the_live_index_stays_and_the_sentence_says_what_to_do() {
    let small = ndjson(&lines(20, "petit"));
    let large = ndjson(&lines(3_000, "grand"));
    // From hardly more than the live index to hardly less than the build needs: the spool, the bodies, the
    // structures and the full text each meet the full disk.
    let mut places = BTreeSet::new();
    let builds = [2_048, 3_072, 4_096, 5_120, 6_144, 7_168, 8_192].map(|size| (size, "--extract"));
    let deltas = [2_048, 4_096, 6_144].map(|size| (size, "--delta"));
    for (kilobytes, how) in builds.into_iter().chain(deltas) {
        let disk = Disk::run(kilobytes, how, &small, &large);
        let (first, before) = disk.step("first");
        first.exits(0);
        let (full, left) = disk.step("full");
        let said = full.fails_saying(&[
            "/index/building-",
            "No space left on device",
            "free some space",
            "the live index is untouched",
        ]);
        let place = said
            .err
            .split("/building-")
            .nth(1)
            .and_then(|rest| rest.split_once('/'));
        places.insert(
            place
                .and_then(|(_, file)| file.split([':', '-']).next())
                .map(str::to_owned),
        );
        // Nothing of the failed build is left, not even its folder.
        assert_eq!(
            without_locks_and_rejects(&left),
            without_locks_and_rejects(&before),
            "{kilobytes}"
        );
        assert_sound(&left);
        assert_eq!(answers(&left), answers(&before), "{kilobytes}");
        // The room it took is free again.
        let (after, last) = disk.step("after");
        after.exits(0);
        assert_no_debris(&last);
        assert_eq!(answers(&last), answers(&before), "{kilobytes}");
    }
    println!("{places:?}");
    assert!(
        places.len() >= 3,
        "the disk was always full at the same place: {places:?}"
    );
}
