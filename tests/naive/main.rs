//! The engine against a naive reference that scans and compares: generated data, generated queries.
//!
//! Each run takes a new seed and prints it; `RORQUAL_SEED=n` replays it, `RORQUAL_QUERIES=n` asks
//! more or fewer questions. The reference shares no code with the engine or the schema crate.

mod compare;
mod data;
mod engine;
mod kinds;
mod mirror;
mod queries;
mod random;
mod reference;

use compare::Comparison;
use mirror::{Fault, Mirror};
use queries::{Feature, generate, refused, url};
use random::Random;
use reference::Reference;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the engine offers beyond the parameters of the type searched.
const FEATURES: &[Feature] = EVERYTHING;

/// Everything the reference knows, whether or not the engine offers it yet.
const EVERYTHING: &[Feature] = &[
    Feature::Groups,
    Feature::Chains,
    Feature::Has,
    Feature::Hierarchy,
    Feature::Near,
    Feature::Filter,
    Feature::ChainedSort,
    Feature::Content,
    Feature::Elements,
    Feature::SortNear,
];

/// Data sets of one run.
const DATA_SETS: u64 = 8;
/// Queries of one run, over all data sets.
const QUERIES: u64 = 20_800;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

fn first_seed() -> u64 {
    setting("RORQUAL_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.map_or(1, |now| now.as_nanos() as u64 % 1_000_000_000)
    })
}

fn load(seed: u64, features: &[Feature]) -> (data::Extract, Reference) {
    let extract = data::generate(seed);
    let reference = Reference::load(&extract.records, features.contains(&Feature::Groups));
    (extract, reference)
}

/// No order of a conjunction, and no switch between bitmaps and candidates, changes what is found.
#[test]
fn no_choice_of_the_planner_changes_an_answer() {
    let seed = first_seed();
    let (extract, reference) = load(seed, FEATURES);
    let built = engine::Built::new(&extract);
    let mut r = Random::new(!seed);
    let mut differing_plans = 0;
    for _ in 0..2_000 {
        let query = generate(&mut r, &reference, FEATURES);
        let address = url(&mut r, &query);
        let answers = built.with_every_choice(&address);
        let Some((choices, first)) = answers.first() else {
            continue;
        };
        differing_plans += 1;
        for (other, found) in &answers {
            assert_eq!(
                found, first,
                "RORQUAL_SEED={seed}: {address}: {other:?} differs from {choices:?}"
            );
        }
    }
    assert!(
        differing_plans > 1_000,
        "only {differing_plans} searches were planned"
    );
}

#[test]
fn agrees_on_twenty_thousand_queries() {
    agrees(DATA_SETS, QUERIES, FEATURES, &|_, extract, _| {
        engine::Built::new(extract)
    });
}

/// Anomalies written since the index was built are found, sorted, counted, paged and drawn in like those of the extract.
#[test]
fn agrees_when_anomalies_were_written_since() {
    agrees(4, 6_000, FEATURES, &|seed, _, reference| {
        engine::Built::written_to(reference, &mut Random::new(seed ^ 0x5eed))
    });
}

fn agrees(
    data_sets: u64,
    queries: u64,
    features: &[Feature],
    build: &dyn Fn(u64, &data::Extract, &Reference) -> engine::Built,
) {
    let each = setting("RORQUAL_QUERIES")
        .unwrap_or(queries)
        .div_ceil(data_sets);
    let first = first_seed();
    let (mut asked, mut found) = (0, 0);
    // Searches that use one of the special parts, and how many of them found something.
    let mut special: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for seed in first..first + data_sets {
        println!("seed {seed}: {each} queries");
        let (extract, reference) = load(seed, features);
        let built = build(seed, &extract, &reference);
        let comparison = Comparison::new(&built, &reference);
        let mut r = Random::new(!seed);
        for _ in 0..each {
            let query = generate(&mut r, &reference, features);
            let address = url(&mut r, &query);
            asked += 1;
            match comparison.check(&query, &address) {
                Ok(matches) => {
                    found += u64::from(matches > 0);
                    for part in query.special_parts() {
                        let counts = special.entry(part).or_default();
                        counts.0 += 1;
                        counts.1 += u64::from(matches > 0);
                    }
                }
                Err(reason) => {
                    let (_, small, small_reason) = comparison.shrink(&query);
                    panic!(
                        "RORQUAL_SEED={seed}\n{address}\n  {reason}\nshrunk to {small}\n  {small_reason}"
                    );
                }
            }
        }
    }
    println!("{asked} queries agree, {found} of them found something; {special:?}");
    for (part, (asked, found)) in special {
        assert!(
            found * 4 > asked || asked < 200,
            "too few queries with {part} find anything: {found} of {asked}"
        );
    }
    assert!(
        found * 3 > asked,
        "too few queries find anything: {found} of {asked}"
    );
}

#[test]
fn refuses_what_it_must() {
    let seed = first_seed();
    println!("seed {seed}");
    let (extract, reference) = load(seed, FEATURES);
    let built = engine::Built::new(&extract);
    let mut r = Random::new(!seed);
    for _ in 0..1_000 {
        let address = refused(&mut r, &reference, FEATURES);
        let status = built.ask(&address).err().map(|refusal| refusal.status);
        assert!(
            status.is_some_and(|status| (400..500).contains(&status)),
            "RORQUAL_SEED={seed}: {address} gave {status:?}"
        );
    }
}

#[test]
fn the_comparison_accepts_right_answers_and_catches_every_fault() {
    let seed = first_seed();
    println!("seed {seed}");
    let (_, reference) = load(seed, EVERYTHING);
    let mut r = Random::new(!seed);
    let mut found = 0;
    let queries: Vec<_> = (0..600)
        .map(|_| {
            let query = generate(&mut r, &reference, EVERYTHING);
            let address = url(&mut r, &query);
            (query, address)
        })
        .collect();
    let right = Mirror {
        reference: &reference,
        fault: Fault::None,
    };
    for (query, address) in &queries {
        match Comparison::new(&right, &reference).check(query, address) {
            Ok(matches) => found += usize::from(matches > 0),
            Err(reason) => panic!("RORQUAL_SEED={seed}: {address} {reason}"),
        }
    }
    assert!(
        found * 3 > queries.len(),
        "too few queries find anything: {found}"
    );
    for fault in Fault::WRONG {
        let wrong = Mirror {
            reference: &reference,
            fault,
        };
        let comparison = Comparison::new(&wrong, &reference);
        assert!(
            queries
                .iter()
                .any(|(query, address)| comparison.check(query, address).is_err()),
            "RORQUAL_SEED={seed}: {fault:?} goes unseen"
        );
    }
}
