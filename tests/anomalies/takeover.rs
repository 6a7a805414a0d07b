//! Another generation goes live than the one that is, and every anomaly goes with it.

use std::collections::BTreeMap;
use std::path::Path;

use fastrand::Rng;
use index_builder::report::Report;
use index_builder::{BuildOptions, build};
use rorqual::Engine;
use rorqual::anomaly::fold::fold;
use rorqual::anomaly::store::{Change, Store};
use rorqual::anomaly::takeover::{TakeoverError, TakeoverOptions, publish, rollback};
use rorqual::index::kept::{Standing, kept};
use serde_json::Value;

use crate::directory::Directory;
use crate::place::{Place, all, small_segments};
use crate::task::{Focus, body, create, to_status, write};

const OPTIONS: TakeoverOptions = TakeoverOptions {
    keep: 3,
    without_views: false,
};

/// Three offers' worth of anomalies, written to a store; their ids.
fn report(store: &Store, offers: &[&str]) -> Vec<String> {
    let focus = |offer: &&str| create(&body("02", &Focus::literal("HealthcareService", offer)));
    let done = store.write(write(offers.iter().map(focus).collect()));
    let done = done.unwrap_or_else(|failed| panic!("{:?}", failed.refusal));
    done.into_iter().map(|one| one.id).collect()
}

fn close(store: &Store, id: &str) {
    let change = Change::Patch {
        id: id.to_owned(),
        patch: to_status("08"),
        if_match: None,
    };
    let done = store.write(write(vec![change]));
    assert!(done.is_ok(), "a patch");
}

/// Every anomaly by its id.
fn anomalies(engine: &Engine) -> BTreeMap<String, Value> {
    let found = all(engine, "Task?_count=7");
    let id = |task: &Value| task["id"].as_str().expect("an id").to_owned();
    found.into_iter().map(|task| (id(&task), task)).collect()
}

fn names(engine: &Engine) -> Vec<String> {
    let offers = all(engine, "HealthcareService?_sort=_id&_count=50");
    let name = |offer: &Value| offer["name"].as_str().expect("a name").to_owned();
    offers.iter().map(name).collect()
}

/// The anomalies that a search by what they are about finds, through the index of references.
fn about(engine: &Engine, offer: &str) -> u64 {
    let search = format!("HealthcareService?_id={offer}&_revinclude=Task:focus");
    let answer = engine.search(&search).expect("a sound search");
    let bundle: Value = serde_json::from_slice(&answer.to_vec()).expect("a Bundle");
    crate::place::in_mode(&bundle, "include").count() as u64
}

fn candidate(place: &Place, directory: &Directory, keep: usize) -> Report {
    let extract = place.index.with_file_name("candidate.ndjson");
    std::fs::write(&extract, directory.lines().join("\n")).expect("a writable folder");
    let options = BuildOptions {
        extract: vec![extract],
        index: place.index.clone(),
        candidate: true,
        keep,
        ..BuildOptions::default()
    };
    build(&options).unwrap_or_else(|error| panic!("{error}"))
}

fn standing(index: &Path, id: &str) -> Option<Standing> {
    let all = kept(index).unwrap_or_else(|error| panic!("{error}"));
    all.into_iter()
        .find(|one| one.generation == id)
        .map(|one| one.standing)
}

#[test]
fn a_rollback_brings_the_directory_back_and_keeps_every_anomaly() {
    let mut rng = Rng::with_seed(5);
    let (old, new) = (Directory::draw(&mut rng), Directory::draw(&mut rng));
    let place = Place::of(&old.lines());
    let first = Engine::open(&place.index)
        .expect("an index")
        .generation_id();
    let (engine, store) = place.open(small_segments());
    let before = names(&engine);
    let [early] = &report(&store, &["offer-0"])[..] else {
        panic!("one anomaly")
    };
    place.build(&new.lines());
    engine.refresh().expect("a sound generation");
    assert_ne!(names(&engine), before, "the two editions differ");
    // Some in the live generation, some in the log alone, one changed in each.
    let middle = report(&store, &["offer-0", "offer-0"]);
    close(&store, early);
    store.fold().expect("a fold");
    let late = report(&store, &["offer-0"]);
    close(&store, &middle[0]);
    let written = anomalies(&engine);
    assert_eq!(written.len(), 2 + 4, "two came with the extract");

    let rolled = rollback(&place.index, &first, OPTIONS).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(rolled.from, first);
    assert_eq!(rolled.anomalies, 6);
    assert!(engine.refresh().expect("a sound generation"));
    place.is_sound();
    assert_eq!(names(&engine), before);
    assert_eq!(anomalies(&engine), written);
    assert_eq!(about(&engine, "offer-0"), 4);
    // The store goes on where it was: numbers do not repeat, and a fold changes nothing that is seen.
    let after = report(&store, &["offer-0"]);
    assert!(!written.contains_key(&after[0]), "an id was given twice");
    store.fold().expect("a fold");
    assert_eq!(anomalies(&engine).len(), 7);
    assert!(anomalies(&engine).contains_key(&late[0]));
    drop(store);

    // And forward again, from a log that was released meanwhile.
    let written = anomalies(&Engine::open(&place.index).expect("an index"));
    let back = rolled.before.expect("something was live");
    rollback(&place.index, &back, OPTIONS).unwrap_or_else(|error| panic!("{error}"));
    let engine = Engine::open(&place.index).expect("an index");
    assert_ne!(names(&engine), before);
    assert_eq!(anomalies(&engine), written);
    place.is_sound();
}

#[test]
fn a_rollback_names_what_it_cannot_do() {
    let place = Place::of(&Directory::draw(&mut Rng::with_seed(1)).lines());
    let live = Engine::open(&place.index)
        .expect("an index")
        .generation_id();
    let waiting = candidate(&place, &Directory::draw(&mut Rng::with_seed(2)), 1).generation;
    let refused = |id: &str| match rollback(&place.index, id, OPTIONS) {
        Err(error) => error,
        Ok(report) => panic!("{id} went live: {report:?}"),
    };
    assert!(matches!(refused(&live), TakeoverError::Live { .. }));
    assert!(matches!(refused(&waiting), TakeoverError::NeverLive { .. }));
    for unknown in [
        "",
        "..",
        "20200101T000000000Z-000000",
        &format!("../{live}"),
    ] {
        let error = refused(unknown);
        assert!(matches!(error, TakeoverError::Unknown { .. }), "{error}");
    }
    assert_eq!(standing(&place.index, &live), Some(Standing::Live));
    assert_eq!(standing(&place.index, &waiting), Some(Standing::Candidate));
}

#[test]
fn a_candidate_waits_through_folds_and_goes_live_with_what_was_written_meanwhile() {
    let mut rng = Rng::with_seed(5);
    let (old, new) = (Directory::draw(&mut rng), Directory::draw(&mut rng));
    let place = Place::of(&old.lines());
    let (engine, store) = place.open(small_segments());
    let first = report(&store, &["offer-0", "offer-0"]);
    let before = names(&engine);
    let waiting = candidate(&place, &new, 1).generation;
    assert!(!engine.refresh().expect("a live index"), "it went live");
    // What follows is not in it: folded into another generation, and gone from the log.
    close(&store, &first[0]);
    report(&store, &["offer-0"]);
    store.fold().expect("a fold");
    close(&store, &first[1]);
    assert_eq!(standing(&place.index, &waiting), Some(Standing::Candidate));
    let written = anomalies(&engine);

    let went = publish(&place.index, &waiting, OPTIONS).unwrap_or_else(|error| panic!("{error}"));
    assert_ne!(went.generation, waiting);
    assert_eq!(went.from, waiting);
    assert!(engine.refresh().expect("a sound generation"));
    assert_ne!(names(&engine), before);
    assert_eq!(anomalies(&engine), written);
    assert_eq!(about(&engine, "offer-0"), 3);
    assert_eq!(
        standing(&place.index, &waiting),
        None,
        "its files are shared"
    );
    place.is_sound();
    // It counts as a build: so many before it stay as asked, whatever the folds in between.
    let again = candidate(&place, &old, 1).generation;
    report(&store, &["offer-0"]);
    store.fold().expect("a fold");
    let options = TakeoverOptions { keep: 1, ..OPTIONS };
    publish(&place.index, &again, options).unwrap_or_else(|error| panic!("{error}"));
    let all = kept(&place.index).expect("an index");
    let standings: Vec<Standing> = all.iter().map(|one| one.standing).collect();
    assert_eq!(standings, [Standing::Live, Standing::Kept]);
    assert_eq!(all[0].base, again);
    assert_eq!(all[1].base, waiting);
}

#[test]
fn a_candidate_goes_live_as_it_is_when_nothing_else_did() {
    let mut rng = Rng::with_seed(5);
    let (old, new) = (Directory::draw(&mut rng), Directory::draw(&mut rng));
    let place = Place::of(&old.lines());
    let (engine, store) = place.open(small_segments());
    let replaced = candidate(&place, &old, 1).generation;
    let waiting = candidate(&place, &new, 1).generation;
    assert_eq!(
        standing(&place.index, &replaced),
        None,
        "one candidate at a time"
    );
    report(&store, &["offer-0"]);
    let written = anomalies(&engine);
    let went = publish(&place.index, &waiting, OPTIONS).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(went.generation, waiting);
    assert!(engine.refresh().expect("a sound generation"));
    assert_eq!(anomalies(&engine), written);
    assert_eq!(standing(&place.index, &waiting), Some(Standing::Live));
    let again = publish(&place.index, &waiting, OPTIONS);
    assert!(
        matches!(again, Err(TakeoverError::Live { .. })),
        "{again:?}"
    );
}

#[test]
fn the_first_index_can_be_a_candidate_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let index = folder.path().join("index");
    let extract = folder.path().join("extract.ndjson");
    let directory = Directory::draw(&mut Rng::with_seed(3));
    std::fs::write(&extract, directory.lines().join("\n")).expect("a writable folder");
    let options = BuildOptions {
        extract: vec![extract],
        index: index.clone(),
        candidate: true,
        ..BuildOptions::default()
    };
    let waiting = build(&options).expect("a build").generation;
    assert!(Engine::open(&index).is_err(), "nothing is live yet");
    publish(&index, &waiting, OPTIONS).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(
        Engine::open(&index).expect("an index").generation_id(),
        waiting
    );
}

#[test]
fn folds_by_the_hour_do_not_push_the_build_of_yesterday_out() {
    let mut rng = Rng::with_seed(5);
    let (old, new) = (Directory::draw(&mut rng), Directory::draw(&mut rng));
    let place = Place::of(&old.lines());
    let first = Engine::open(&place.index)
        .expect("an index")
        .generation_id();
    place.build(&new.lines());
    let second = Engine::open(&place.index)
        .expect("an index")
        .generation_id();
    let mut folds = Vec::new();
    for _ in 0..4 {
        let (_, store) = place.open(small_segments());
        report(&store, &["offer-0"]);
        drop(store);
        folds.push(fold(&place.index, 1).expect("a fold").generation);
    }
    let ids: Vec<String> = kept(&place.index)
        .expect("an index")
        .into_iter()
        .map(|one| one.generation)
        .collect();
    assert_eq!(
        ids,
        [folds[3].clone(), folds[2].clone(), second.clone(), first]
    );
    let all = kept(&place.index).expect("an index");
    assert_eq!(all[0].base, second, "the build that the folds share");
    // The next build keeps the last state of the one before, and no more of it.
    place.build(&old.lines());
    let ids: Vec<String> = kept(&place.index)
        .expect("an index")
        .into_iter()
        .map(|one| one.generation)
        .skip(1)
        .collect();
    assert_eq!(ids, [folds[3].clone()]);
}
