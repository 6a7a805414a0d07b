//! `keep`: exactly so many older generations stay, the newest ones.

use std::fs;

use index_builder::BuildError;
use rorqual::index::FormatError;
use rorqual::index::workplace::Workplace;

use crate::built::{Built, ids};
use crate::extract::edition;

#[test]
fn exactly_as_many_older_generations_stay_as_asked() {
    for keep in [0, 1, 2] {
        let built = Built::empty();
        let mut all = Vec::new();
        for number in 0..5 {
            let report = built.rebuild_with(&edition(number), |options| options.keep = keep);
            all.push(report.generation);
            let first = all.len().saturating_sub(keep + 1);
            assert_eq!(
                built.generations(),
                all[first..],
                "keep {keep}, build {number}"
            );
            assert_eq!(built.current(), all[number]);
        }
        built.is_sound();
    }
}

#[test]
fn keeping_fewer_than_before_removes_the_rest() {
    let built = Built::empty();
    let mut all = Vec::new();
    for number in 0..4 {
        let report = built.rebuild_with(&edition(number), |options| options.keep = 9);
        all.push(report.generation);
    }
    assert_eq!(built.generations(), all);
    let last = built
        .rebuild_with(&edition(4), |options| options.keep = 1)
        .generation;
    assert_eq!(built.generations(), [all[3].clone(), last]);
}

#[test]
fn an_older_generation_can_be_made_live_by_hand() {
    let built = Built::of(&edition(0));
    let first = built.current();
    built.rebuild(&edition(1));
    fs::write(built.index.join("CURRENT"), format!("{first}\n")).expect("a writable index");
    built.is_sound();
    let names = ids(
        &built.engine(),
        "HealthcareService?_content=%C3%A9dition&_count=1000",
    );
    assert_eq!(names.len(), crate::extract::offers(0));
}

#[test]
fn what_lies_between_the_two_renames_is_cleared_by_the_next_build() {
    let built = Built::of(&edition(0));
    let first = built.current();
    built.rebuild(&edition(1));
    // As if the second build had been interrupted after the first rename.
    let unpublished = built.live();
    fs::write(built.index.join("CURRENT"), format!("{first}\n")).expect("a writable index");
    fs::write(built.index.join("CURRENT.next"), "half").expect("a writable index");
    fs::create_dir_all(built.index.join("building-x/generation/Task")).expect("a writable index");
    built.is_sound();
    let last = built.rebuild(&edition(2)).generation;
    assert!(!unpublished.exists());
    assert!(!built.index.join("building-x").exists());
    assert!(!built.index.join("CURRENT.next").exists());
    assert_eq!(built.generations(), [first, last]);
    built.is_sound();
}

#[test]
fn a_failed_build_prunes_nothing() {
    let built = Built::of(&edition(0));
    built.rebuild(&edition(1));
    let before = (built.generations(), built.current());
    let source = built.write("bad.ndjson", "{\n");
    let error = built
        .build(vec![source], |options| options.keep = 0)
        .expect_err("nothing usable");
    assert!(
        matches!(
            error,
            BuildError::TooManyRejects {
                rejected: 1,
                read: 1,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!((built.generations(), built.current()), before);
}

#[test]
fn one_build_at_a_time() {
    let built = Built::of(&edition(0));
    let before = built.current();
    let source = built.write("next.ndjson", &crate::built::joined(&edition(1)));
    let at_work =
        Workplace::enter(&built.index, "29990101T000000000Z-000000").expect("a free index");
    let error = built
        .build(vec![source.clone()], |_| {})
        .expect_err("another is at work");
    assert!(
        matches!(&error, BuildError::Index(FormatError::Busy { index }) if *index == built.index),
        "{error}"
    );
    let sentence = error.to_string();
    assert!(
        sentence.contains(&built.index.display().to_string()),
        "{sentence}"
    );
    assert!(sentence.contains("wait for it to end"), "{sentence}");
    assert!(
        at_work.staging().exists(),
        "the one at work lost its folder"
    );
    assert_eq!(built.current(), before);
    drop(at_work);
    built
        .build(vec![source], |_| {})
        .unwrap_or_else(|error| panic!("{error}"));
    assert_ne!(built.current(), before);
    built.is_sound();
}
