//! Builds that are killed at any instant, and builds that meet another one at work.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::extract::{lines, ndjson};
use crate::index::{Live, answers, assert_no_debris, assert_sound, current, generations};
use crate::process::{Finished, build, command};

/// Builds to kill, at instants spread over the length of one.
const KILLS: u32 = 24;

/// A step of SplitMix64 (Steele, Lea, Flood 2014).
fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

fn spawn(source: &Path, index: &Path) -> Child {
    command(&[source], index)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts")
}

#[test]
fn killed_at_any_instant_it_leaves_one_whole_index_live() {
    let seed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(1, |now| now.as_nanos() as u64);
    println!("seed {seed}");
    let mut state = seed;
    let live = Live::new();
    let mut sources = Vec::new();
    let mut expected = Vec::new();
    let mut length = Duration::ZERO;
    for mark in ["pair", "impair"] {
        let source = live.file(&format!("{mark}.ndjson"), &ndjson(&lines(400, mark)));
        let began = Instant::now();
        build(&[&source], &live.index).exits(0);
        length = began.elapsed();
        sources.push(source);
        expected.push(answers(&live.index));
    }
    assert_ne!(
        expected[0], expected[1],
        "the two extracts must be told apart"
    );
    let mut holds = 1;
    let (mut killed, mut in_the_middle, mut went_live) = (0, 0, 0);
    for round in 0.. {
        if killed == KILLS {
            break;
        }
        assert!(round < 20 * KILLS, "builds end before they are killed");
        let next = 1 - holds;
        let before = current(&live.index);
        let earlier = staged(&live.index);
        let mut child = spawn(&sources[next], &live.index);
        // Once in each stretch of a build and a little beyond its end, at a random place within it.
        let within = (random(&mut state) % 1_000) as f64 / 1_000.0;
        std::thread::sleep(length.mul_f64(1.1 * (f64::from(killed) + within) / f64::from(KILLS)));
        // SIGKILL: nothing of the process runs after it.
        child.kill().expect("a child of this test");
        let ended = child.wait().expect("a child of this test");
        match ended.code() {
            None => killed += 1,
            // The machine is faster than it was: the next one is met earlier.
            Some(code) => {
                assert_eq!(code, 0);
                length = length.mul_f64(0.95);
            }
        }
        in_the_middle += u32::from(!staged(&live.index).is_subset(&earlier));

        assert_sound(&live.index);
        let now = current(&live.index);
        if now != before {
            holds = next;
            went_live += 1;
        }
        assert!(
            answers(&live.index) == expected[holds],
            "seed {seed}, round {round}: {before} was live, {now} is"
        );
        if round % 4 == 3 {
            holds = 1 - holds;
            let began = Instant::now();
            build(&[&sources[holds]], &live.index).exits(0);
            length = began.elapsed();
            assert_no_debris(&live.index);
            assert_eq!(
                generations(&live.index).len(),
                2,
                "the live one and one older"
            );
            assert!(
                answers(&live.index) == expected[holds],
                "seed {seed}, round {round}"
            );
        }
    }
    println!("{killed} killed, {in_the_middle} of them in the middle; {went_live} went live");
    assert!(
        in_the_middle >= 5,
        "only {in_the_middle} were killed in the middle of a build"
    );
}

/// The folders of unfinished builds.
fn staged(index: &Path) -> BTreeSet<String> {
    fs::read_dir(index)
        .expect("a readable index")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("building-"))
        .collect()
}

#[test]
fn a_second_build_is_refused_and_does_not_disturb_the_first() {
    let live = Live::new();
    let (first, second) = (lines(50, "premier"), lines(40, "second"));
    let source = live.file("second.ndjson", &ndjson(&second));
    let mut at_work = command(&["-"], &live.index)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut input = at_work.stdin.take().expect("a pipe to standard input");
    let text = ndjson(&first);
    let (begin, end) = text.split_at(text.len() / 2);
    input.write_all(begin).expect("the command reads its input");
    // It holds the lock once its folder is there.
    let is_staged = || !staged(&live.index).is_empty();
    for turn in 0.. {
        if is_staged() {
            break;
        }
        // The bound only ends a test that would hang.
        assert!(turn < 6_000, "the command does not begin");
        assert_eq!(at_work.try_wait().expect("a child of this test"), None);
        std::thread::sleep(Duration::from_millis(5));
    }
    let path = live.index.to_string_lossy().into_owned();
    build(&[&source], &live.index).fails_saying(&[
        "another build or fold is at work in",
        &path,
        "wait for it to end",
    ]);
    assert!(
        is_staged(),
        "the refused build must not clear the folder of the one at work"
    );

    input.write_all(end).expect("the command reads its input");
    drop(input);
    let output = at_work.wait_with_output().expect("the command ends");
    let report = Finished::new(output).exits(0).report();
    assert_eq!(report["types"]["HealthcareService"]["indexed"], 50);
    assert_eq!(report["generation"], current(&live.index));
    assert_sound(&live.index);
    assert_no_debris(&live.index);

    build(&[&source], &live.index).exits(0);
    assert_eq!(
        answers(&live.index)[0]["total"],
        40,
        "the lock is free again"
    );
}

#[test]
fn a_generation_that_never_went_live_is_cleared() {
    let live = Live::new();
    let id = current(&live.index);
    // Interrupted between the renames: the generation is in place, CURRENT names the one before.
    let folder = live.index.join("generations");
    let newer = folder.join("29990101T000000000Z-ffffff");
    fs::create_dir_all(newer.join("Location/text")).expect("a writable index");
    fs::write(newer.join("manifest.json"), b"{}").expect("a writable index");
    File::create(live.index.join("CURRENT.next"))
        .and_then(|mut file| file.write_all(b"29990101T000000000Z-ffffff\n"))
        .expect("a writable index");
    fs::create_dir(live.index.join("building-29990101T000000000Z-ffffff"))
        .expect("a writable index");
    assert_sound(&live.index);

    let source = live.file("after.ndjson", &ndjson(&lines(10, "après")));
    build(&[source], &live.index).exits(0);
    assert!(
        !newer.exists(),
        "the generation that never went live is still there"
    );
    assert_no_debris(&live.index);
    assert_eq!(generations(&live.index), [id, current(&live.index)]);
    assert_eq!(answers(&live.index)[0]["total"], 10);
}
