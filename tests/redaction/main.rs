//! Access profiles leak nothing: every byte that a view answers is that of an index built from an extract that was redacted
//! beforehand, by a routine of the tests that shares no code with the engine.
//!
//! Each run takes a new seed and prints it; `RORQUAL_SEED=n` replays it, `RORQUAL_REQUESTS=n` asks more or fewer requests.

mod answers;
mod directory;
mod policies;
mod policy;
mod requests;
mod seasoning;
mod sides;
mod written;

// Generated extracts and requests are those that the engine is held to without profiles.
#[allow(dead_code)]
#[path = "../naive/data/mod.rs"]
mod data;
#[allow(dead_code)]
#[path = "../naive/kinds.rs"]
mod kinds;
#[allow(dead_code)]
#[path = "../../access/tests/access/naive.rs"]
mod naive;
#[allow(dead_code)]
#[path = "../naive/queries/mod.rs"]
mod queries;
#[allow(dead_code)]
#[path = "../naive/random.rs"]
mod random;
#[allow(dead_code, unused_imports)]
#[path = "../naive/reference/mod.rs"]
mod reference;

use std::time::{SystemTime, UNIX_EPOCH};

use random::Random;
use requests::Asker;
use sides::{Pair, Scene};
use written::Writing;

/// Extracts of one run, each with five profiles of the national policy and as many random ones.
const EXTRACTS: u64 = 4;
/// Requests of one run, each put to both sides.
const REQUESTS: u64 = 20_800;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn first_seed() -> u64 {
    setting("RORQUAL_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(1, |now| now.as_nanos() as u64 % 1_000_000_000)
    })
}

/// Puts requests to both sides of each pair until there were enough, and fails on the first that is answered differently.
fn agree(seed: u64, pairs: &[Pair], asker: &Asker, requests: u64) -> Tally {
    let mut tally = Tally::default();
    for (number, pair) in pairs.iter().enumerate() {
        let mut r = Random::new(!seed.wrapping_add(number as u64));
        let share = requests.div_ceil(pairs.len() as u64);
        let own = asker.of(pair);
        while tally.asked < share * (number as u64 + 1) {
            let ask = own.next(&mut r);
            let outcome = answers::compare(pair, &ask).unwrap_or_else(|difference| {
                panic!(
                    "RORQUAL_SEED={seed}, profile {}:\n{}\n{ask:?}\n{difference}",
                    pair.profile, pair.told
                )
            });
            tally.asked += outcome.asked;
            tally.found += u64::from(outcome.found);
            tally.differs += u64::from(outcome.differs_from_full);
        }
    }
    tally
}

/// How much was asked, and how telling it was.
#[derive(Debug, Default)]
struct Tally {
    /// Requests put to both sides, pages counted each.
    asked: u64,
    /// How many of the first pages held something.
    found: u64,
    /// How many of them are not what somebody who sees everything gets.
    differs: u64,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.asked += other.asked;
        self.found += other.found;
        self.differs += other.differs;
    }

    /// A comparison of nothing with nothing proves nothing.
    fn is_telling(&self) {
        println!("{self:?}");
        assert!(
            self.found * 5 > self.asked,
            "too few requests find anything: {self:?}"
        );
        assert!(
            self.differs * 5 > self.asked,
            "too few answers are redacted: {self:?}"
        );
    }
}

#[test]
fn every_answer_is_that_of_an_extract_redacted_beforehand() {
    let each = setting("RORQUAL_REQUESTS")
        .unwrap_or(REQUESTS)
        .div_ceil(EXTRACTS);
    let first = first_seed();
    let mut tally = Tally::default();
    for seed in first..first + EXTRACTS {
        println!("RORQUAL_SEED={seed}: {each} requests");
        let scene = Scene::new(seed);
        let pairs = scene.pairs();
        tally.add(agree(seed, &pairs, &Asker::of_everything(&scene), each));
    }
    tally.is_telling();
}

/// Anomalies written since the build, in one process and after a fold, are redacted like those of the extract.
#[test]
fn anomalies_written_since_are_redacted_alike() {
    let each = setting("RORQUAL_REQUESTS")
        .unwrap_or(REQUESTS / 4)
        .div_ceil(6);
    let first = first_seed();
    let mut tally = Tally::default();
    for seed in first..first + 2 {
        println!("RORQUAL_SEED={seed}: {each} requests after each step");
        let mut writing = Writing::new(seed);
        for step in 0..3 {
            if step < 2 {
                writing.write_some();
            } else {
                writing.fold();
            }
            println!("step {step}");
            let asker = Asker::of_anomalies(&writing);
            tally.add(agree(seed + step, writing.pairs(), &asker, each));
        }
    }
    tally.is_telling();
}

/// Every read of every id that there is, seen or hidden: hidden ids read as ids that do not exist.
#[test]
fn every_id_reads_as_it_would_of_an_extract_redacted_beforehand() {
    let seed = first_seed();
    println!("RORQUAL_SEED={seed}");
    let scene = Scene::new(seed);
    let (mut hidden, mut redacted) = (0, 0);
    for pair in scene.pairs() {
        for (kind, id) in scene.ids() {
            let full = scene
                .engine()
                .read(kind, &id)
                .expect("it is in the extract");
            let answer = answers::read(&pair, kind, &id).unwrap_or_else(|difference| {
                panic!(
                    "RORQUAL_SEED={seed}, profile {}: {}\n{difference}",
                    pair.profile, pair.told
                )
            });
            match answer {
                None => hidden += 1,
                Some(body) => redacted += u64::from(body != full.body),
            }
        }
    }
    println!("{hidden} hidden, {redacted} redacted");
    assert!(
        hidden > 300 && redacted > 300,
        "{hidden} hidden, {redacted} redacted"
    );
}
