//! Folds and rebuilds that are killed at any instant, beside writers: what was acknowledged is there, once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use rorqual::Engine;
use rorqual::anomaly::fold::fold;
use rorqual::anomaly::store::{Change, Store};
use rorqual::engine::Written;
use serde_json::{Value, json};

use crate::child;
use crate::directory::Directory;
use crate::place::{Place, all, build_from, small_segments};
use crate::task::{Focus, body, create, identifier, patch, text, version, write};

const TEST: &str = "interrupted::folds_and_rebuilds_killed_at_any_instant_lose_nothing";
/// Threads that write in the child.
const WRITERS: usize = 2;

/// Processes to kill.
fn rounds() -> usize {
    let set = std::env::var("RORQUAL_FOLD_KILLS").ok();
    set.and_then(|set| set.parse().ok()).unwrap_or(60)
}

/// Writes, folds and rebuilds until it is killed; tells each acknowledgement.
fn work(index: &Path, extracts: &[PathBuf], seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let options = rorqual::EngineOptions {
        written: Written::ByStore,
        ..rorqual::EngineOptions::default()
    };
    let engine = Arc::new(Engine::open_with(index, options).expect("the live index opens"));
    let store = Store::open(engine.clone(), small_segments()).expect("the log opens");
    child::tell("ready");
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            let (mut rng, store) = (rng.fork(), &store);
            scope.spawn(move || {
                let mut own = Vec::new();
                loop {
                    write_one(store, &mut own, &mut rng);
                }
            });
        }
        loop {
            match rng.u8(..4) {
                0 => {
                    let extract = &extracts[rng.usize(..extracts.len())];
                    build_from(index.to_owned(), extract.clone());
                    engine.refresh().expect("the new generation opens");
                }
                1 => {
                    fold(index, 1).expect("a fold");
                    engine.refresh().expect("the new generation opens");
                }
                _ => {
                    store.fold().expect("a fold");
                }
            }
        }
    });
}

/// Creates a Task, or changes one that this thread created.
fn write_one(store: &Store, own: &mut Vec<(String, u64)>, rng: &mut Rng) {
    let some = (!own.is_empty() && rng.bool()).then(|| rng.usize(..own.len()));
    let change = match some {
        None => {
            let mut new = body("02", &Focus::literal("HealthcareService", "offer-0"));
            new["description"] = json!("version 1");
            create(&new)
        }
        Some(some) => {
            let (id, last) = &own[some];
            let value = json!(format!("version {}", last + 1));
            Change::Patch {
                id: id.clone(),
                patch: patch(&[("replace", "Task.description", Some(("valueString", value)))]),
                if_match: Some(last.to_string()),
            }
        }
    };
    let outcome = store.write(write(vec![change]));
    let done = outcome.unwrap_or_else(|failed| panic!("{:?}", failed.refusal));
    let (id, version) = (done[0].id.clone(), &done[0].resource.version);
    child::tell(&format!("{id} {version}"));
    let version = version.parse().expect("a number");
    match some {
        None => own.push((id, version)),
        Some(some) => own[some].1 = version,
    }
}

/// Asserts that a ledger of acknowledged versions is kept, and brings it to what is there.
fn is_kept(engine: &Engine, ledger: &mut BTreeMap<String, u64>, told: &BTreeMap<String, u64>) {
    ledger.extend(told.iter().map(|(id, version)| (id.clone(), *version)));
    let (mut shown, mut identifiers) = (BTreeMap::new(), BTreeSet::new());
    for one in all(engine, "Task?_count=1000") {
        let present = version(&one).parse::<u64>().expect("a number");
        assert_eq!(text(&one["description"]), format!("version {present}"));
        assert!(
            identifiers.insert(identifier(&one).to_owned()),
            "given twice"
        );
        let doubled = shown.insert(text(&one["id"]).to_owned(), present);
        assert!(doubled.is_none(), "{} twice", one["id"]);
    }
    let mut ahead = 0;
    for (id, acknowledged) in ledger.iter() {
        let present = *shown.get(id).unwrap_or_else(|| panic!("Task/{id} is lost"));
        assert!(
            present >= *acknowledged,
            "Task/{id} went back from {acknowledged} to {present}"
        );
        ahead += present - acknowledged;
    }
    let new = shown.keys().filter(|id| !ledger.contains_key(*id)).count() as u64;
    // What was being written when the process ended may be there or not: one write of each thread.
    assert!(
        ahead + new <= WRITERS as u64,
        "{ahead} and {new} unheard of"
    );
    *ledger = shown;
}

fn segments(index: &Path) -> usize {
    let files = std::fs::read_dir(index.join("anomalies")).expect("the log");
    let names = files.map(|file| file.expect("an entry").file_name());
    let segment = |name: &std::ffi::OsString| name.to_string_lossy().ends_with(".log");
    names.filter(segment).count()
}

#[test]
fn folds_and_rebuilds_killed_at_any_instant_lose_nothing() {
    if let Some(argument) = child::role(TEST) {
        let given: Value = serde_json::from_str(&argument).expect("JSON");
        let extracts = given["extracts"].as_array().expect("paths").iter();
        let extracts: Vec<PathBuf> = extracts.map(|path| text(path).into()).collect();
        let seed = given["seed"].as_u64().expect("a seed");
        return work(Path::new(text(&given["index"])), &extracts, seed);
    }
    let seed = std::env::var("RORQUAL_SEED").ok();
    let seed = seed
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(|| fastrand::u64(..));
    println!("RORQUAL_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let (mut place, mut ledger, mut extracts) = (None, BTreeMap::new(), Vec::new());
    let (mut folded, mut acknowledged) = (0, 0);
    for round in 0..rounds() {
        // Afresh from time to time, so that a round stays short.
        if round % 20 == 0 {
            ledger = BTreeMap::new();
            let mut directory = Directory::draw(&mut rng);
            directory.tasks.clear();
            let new = Place::of(&directory.lines());
            extracts = (0..3)
                .map(|number| {
                    let mut edition = Directory::draw(&mut rng);
                    edition.tasks.clear();
                    let path = new.index.with_file_name(format!("edition-{number}.ndjson"));
                    std::fs::write(&path, edition.lines().join("\n")).expect("a writable folder");
                    path
                })
                .collect();
            place = Some(new);
        }
        let place = place.as_ref().expect("made in the first round");
        let before = Engine::open(&place.index)
            .expect("the live index opens")
            .generation_id();
        let argument = json!({"index": place.index, "extracts": extracts, "seed": rng.u64(..)});
        let mut child = child::command(TEST, &argument.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("this program starts");
        let mut lines = child::lines(&mut child);
        assert_eq!(
            lines.next().as_deref(),
            Some("ready"),
            "round {round}: it never opened"
        );
        let listening = std::thread::spawn(move || lines.collect::<Vec<String>>());
        std::thread::sleep(Duration::from_micros(rng.u64(..350_000)));
        assert!(
            child.try_wait().expect("a child").is_none(),
            "round {round}: it ended by itself"
        );
        child.kill().expect("a child of this test");
        child.wait().expect("a child of this test");
        let mut told = BTreeMap::new();
        for line in listening.join().expect("it listens to the end") {
            let (id, version) = line.split_once(' ').expect("an id and a version");
            let version = version.parse::<u64>().expect("a number");
            let last = told.insert(id.to_owned(), version);
            assert_eq!(last.unwrap_or(0) + 1, version, "round {round}");
            acknowledged += 1;
        }
        // A reader beside, before anybody has repaired anything.
        let beside = Engine::open(&place.index).expect("the live index opens");
        is_kept(&beside, &mut ledger.clone(), &told);
        folded += u64::from(beside.generation_id() != before);
        let (engine, store) = place.open(small_segments());
        is_kept(&engine, &mut ledger, &told);
        if round % 5 == 4 {
            store.fold().unwrap_or_else(|error| panic!("{error}"));
            is_kept(&engine, &mut ledger, &BTreeMap::new());
            drop(store);
            place.is_sound();
            // What earlier, interrupted folds left went with this one.
            assert_eq!(segments(&place.index), 1, "folded segments stay");
            let engine = place.engine();
            is_kept(&engine, &mut ledger, &BTreeMap::new());
            let debris = std::fs::read_dir(&place.index).expect("the index");
            let debris = debris.map(|entry| entry.expect("an entry").file_name());
            let staging =
                |name: &std::ffi::OsString| name.to_string_lossy().starts_with("building-");
            assert_eq!(
                debris.filter(staging).count(),
                0,
                "an unfinished generation stays"
            );
        }
    }
    println!("{acknowledged} writes acknowledged, {folded} rounds ended in another generation");
    assert!(folded > 0, "no fold ever came to its end");
    assert!(acknowledged > 0, "nothing was ever acknowledged");
}
