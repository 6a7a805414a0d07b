//! What folds leave on disk: every generation that was built from an extract, and so many folded ones; and what a delta
//! keeps of them.

use fastrand::Rng;
use rorqual::index::generation::{GENERATIONS, Generation};
use rorqual::index::manifest::Manifest;

use crate::directory::Directory;
use crate::place::{Place, small_segments};
use crate::task::{Focus, body, create, write};

#[test]
fn folds_prune_folds_and_a_build_prunes_all() {
    let mut directory = Directory::draw(&mut Rng::with_seed(5));
    directory.tasks.clear();
    let place = Place::of(&directory.lines());
    let built = Generation::current(&place.index).expect("a live generation");
    let (engine, store) = place.open(small_segments());
    let new = body("02", &Focus::literal("HealthcareService", "offer-0"));
    let mut folded = Vec::new();
    for _ in 0..4 {
        assert!(store.write(write(vec![create(&new)])).is_ok());
        let report = store.fold().expect("a fold");
        let path = Generation::path_of(&place.index, &report.generation);
        let manifest = Manifest::read(&path).expect("a manifest");
        let before = folded.last().unwrap_or(&built);
        assert_eq!(manifest.folded_from.as_ref(), Some(before));
        folded.push(report.generation);
    }
    let kept = || {
        let folder = place.index.join(GENERATIONS);
        let entries = std::fs::read_dir(folder).expect("a folder of generations");
        let mut ids: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        ids.sort();
        ids
    };
    // The live one, one older fold, and the build of the night.
    assert_eq!(kept(), [&built, &folded[2], &folded[3]].map(String::clone));
    drop((engine, store));
    let next = place.build(&directory.lines()).generation;
    assert_eq!(kept(), [&folded[3], &next].map(String::clone));
}

#[test]
fn a_delta_keeps_the_anomalies_of_folds_and_of_the_log() {
    let directory = Directory::draw(&mut Rng::with_seed(6));
    let place = Place::of(&directory.lines());
    let before = directory.tasks.len() as u64;
    let (engine, store) = place.open(small_segments());
    let new = body("02", &Focus::literal("HealthcareService", "offer-0"));
    assert!(store.write(write(vec![create(&new)])).is_ok());
    store.fold().expect("a fold");
    let folded = Generation::current(&place.index).expect("a live generation");
    assert!(store.write(write(vec![create(&new), create(&new)])).is_ok());
    drop((engine, store));

    let offer = directory
        .lines()
        .into_iter()
        .find(|line| line.contains("HealthcareService"));
    let report = place.delta(&[offer.expect("an offer")]);
    let delta = report.delta.expect("a delta");
    assert_eq!((delta.from, delta.changed, delta.new), (folded, 1, 0));
    assert_eq!(report.anomalies.log_records, 1);
    let path = Generation::path_of(&place.index, &report.generation);
    let manifest = Manifest::read(&path).expect("a manifest");
    assert_eq!(manifest.counts["Task"], before + 3);
    assert_eq!(
        (manifest.folded_from, manifest.anomalies.sequence),
        (None, 2)
    );
    place.is_sound();
    // Again, with nothing new: the same anomalies.
    let again = place.delta(&[]);
    assert_eq!(again.types["Task"].indexed, before + 3);
    place.is_sound();
}
