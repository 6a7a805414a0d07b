//! A consumer that keeps a copy by deltas, through fifty rebuilds, and ends with exactly the directory's content.
//!
//! It does what docs/export.md tells consumers to do. Deltas convey no withdrawal: it counts what it holds, and fetches
//! everything again when the directory holds less.

use std::collections::BTreeMap;

use rorqual::Engine;
use rorqual::export::Jobs;
use serde_json::Value;

use crate::directory::Directory;
use crate::made::{Contents, Made, WHOLE, contents, done};

#[derive(Default)]
struct Consumer {
    copy: Contents,
    since: Option<String>,
    deltas: usize,
    complete: usize,
}

impl Consumer {
    fn synchronise(&mut self, engine: &Engine) {
        if let Some(since) = self.since.take() {
            self.deltas += 1;
            let (changed, selected, until) = fetch(engine, &format!("{WHOLE}&_since={since}"));
            self.copy.extend(changed);
            if count(&self.copy) == selected {
                self.since = Some(until);
                return;
            }
        }
        self.complete += 1;
        let (all, selected, until) = fetch(engine, WHOLE);
        assert_eq!(count(&all), selected);
        self.copy = all;
        self.since = Some(until);
    }
}

fn fetch(engine: &Engine, query: &str) -> (Contents, BTreeMap<String, u64>, String) {
    let job = done(&Jobs::default(), engine.full(), query);
    let export = job.outcome().expect("done").expect("made");
    let selected = export.selected().iter();
    let selected = selected
        .map(|(kind, count)| (kind.name().to_owned(), *count))
        .collect();
    (
        contents(&job),
        selected,
        export.transaction_time().to_owned(),
    )
}

fn count(copy: &Contents) -> BTreeMap<String, u64> {
    let mut counts: BTreeMap<String, u64> = rorqual::export::EXPORTED
        .iter()
        .map(|kind| (kind.name().to_owned(), 0))
        .collect();
    for resource in copy.values() {
        let kind = resource["resourceType"].as_str().expect("a type");
        *counts.entry(kind.to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn a_copy_follows_fifty_rebuilds() {
    let mut directory = Directory::new(30, 1);
    let made = Made::of(&directory.extract());
    let engine = made.engine();
    let mut consumer = Consumer::default();
    consumer.synchronise(&engine);
    assert_eq!(consumer.copy, directory.resources);
    let mut withdrawn = 0;
    for round in 1..=50 {
        let before = directory.resources.len();
        directory.change();
        // The extract is older than the build, as always: what is dated between the two comes with the next.
        made.rebuild(&directory.extract());
        assert!(engine.refresh().expect("the new generation opens"));
        withdrawn += usize::from(directory.resources.len() < before);
        // Some rounds are missed.
        if round % 7 != 3 {
            consumer.synchronise(&engine);
            assert!(consumer.copy == directory.resources, "after round {round}");
        }
    }
    consumer.synchronise(&engine);
    assert_eq!(consumer.copy, directory.resources);
    assert!(withdrawn > 3, "{withdrawn} rounds with a withdrawal");
    let complete = consumer.complete;
    assert!(
        complete > 1 && complete < consumer.deltas,
        "{complete} complete, {} deltas",
        consumer.deltas
    );
}

#[test]
fn a_delta_holds_what_changed_and_no_more() {
    let mut directory = Directory::new(30, 2);
    let rounds = |directory: &mut Directory, count: usize| {
        (0..count).for_each(|_| directory.change());
        let latest = directory.resources.values();
        let latest = latest
            .filter_map(|one| one["meta"]["lastUpdated"].as_str())
            .max();
        latest.expect("something is dated").to_owned()
    };
    let until = rounds(&mut directory, 5);
    let made = Made::of(&directory.extract());
    let (_, _, since) = fetch(&made.engine(), WHOLE);
    assert_eq!(
        since,
        until.replace('Z', ".000Z"),
        "the last change, not the build"
    );
    let last = rounds(&mut directory, 5);
    assert!(last > until);
    made.rebuild(&directory.extract());
    let expected = |from: &str| -> Contents {
        let changed = |one: &&Value| {
            one["meta"]["lastUpdated"]
                .as_str()
                .is_some_and(|at| at >= from)
        };
        let all = directory.resources.iter();
        all.filter(|(_, one)| changed(one))
            .map(|(key, one)| (key.clone(), one.clone()))
            .collect()
    };
    let (found, _, next) = fetch(&made.engine(), &format!("{WHOLE}&_since={since}"));
    assert_eq!(found, expected(&until));
    assert!(
        found.len() < directory.resources.len() / 2,
        "{} changed",
        found.len()
    );
    // From then on, only what changed at that very instant is told again.
    let (again, _, same) = fetch(&made.engine(), &format!("{WHOLE}&_since={next}"));
    assert_eq!((again, same), (expected(&last), next));
}
