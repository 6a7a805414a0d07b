//! A disk that fails at any one call, or from one call on: what was acknowledged stays, what was refused is told so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::channel;

use rorqual::Engine;
use rorqual::anomaly::refusal::WriteRefusal;
use rorqual::anomaly::store::{Change, Outcome, Store, StoreOptions};
use rorqual_anomaly::log::LogOptions;
use rorqual_anomaly::log::simulated::{Failure, Plan, SimulatedDisk};
use serde_json::{Value, json};

use crate::place::{Place, all, small_segments};
use crate::task::{Focus, body, create, identifier, patch, text, version, write};

/// What clients were told: each Task by its mark, a number that no other has.
#[derive(Clone, Default)]
struct Ledger {
    /// Marks of acknowledged Tasks, with their versions.
    acknowledged: BTreeMap<u64, u64>,
    /// Marks that were refused because of the disk, with the version that the write would have made.
    refused: BTreeMap<u64, u64>,
    /// Those among them of which nobody knows whether the log holds them.
    begun: BTreeSet<u64>,
    ids: BTreeMap<u64, String>,
    last_identifier: String,
}

/// Small enough that most records begin a segment.
fn options() -> StoreOptions {
    StoreOptions {
        log: LogOptions {
            segment_bytes: 3 << 10,
            ..LogOptions::default()
        },
        ..small_segments()
    }
}

fn opened(place: &Place, disk: &SimulatedDisk) -> (Arc<Engine>, Store) {
    let engine = place.engine();
    let store = Store::open_on(engine.clone(), disk.clone(), options())
        .unwrap_or_else(|error| panic!("{error}"));
    (engine, store)
}

fn marked(mark: u64) -> Value {
    let mut new = body("02", &Focus::literal("Organization", "org-0"));
    new["description"] = json!(format!("marque {mark} version 1"));
    new
}

fn next_version(ledger: &Ledger, mark: u64) -> Change {
    let next = ledger.acknowledged[&mark] + 1;
    let value = json!(format!("marque {mark} version {next}"));
    Change::Patch {
        id: ledger.ids[&mark].clone(),
        patch: patch(&[("replace", "Task.description", Some(("valueString", value)))]),
        if_match: None,
    }
}

impl Ledger {
    /// Notes what a write of one change came to; whether it was acknowledged.
    fn note(&mut self, mark: u64, outcome: Outcome) -> bool {
        let made = self.acknowledged.get(&mark).map_or(1, |last| last + 1);
        match outcome {
            Ok(done) => {
                let stored: Value = serde_json::from_slice(&done[0].resource.body).expect("JSON");
                assert_eq!(version(&stored), made.to_string());
                if made == 1 {
                    let own = identifier(&stored);
                    assert!(own > self.last_identifier.as_str(), "{own} again");
                    self.last_identifier = own.to_owned();
                }
                self.ids.insert(mark, done[0].id.clone());
                self.acknowledged.insert(mark, made);
                true
            }
            Err(failed) => {
                assert_eq!(failed.refusal.status(), 503, "{:?}", failed.refusal);
                let WriteRefusal::Unavailable { begun, .. } = failed.refusal else {
                    panic!("{:?}", failed.refusal);
                };
                self.begun.extend(begun.then_some(mark));
                self.refused.insert(mark, made);
                false
            }
        }
    }

    fn may_hold(&self, mark: u64, version: u64) -> bool {
        self.begun.contains(&mark) && self.refused.get(&mark) == Some(&version)
    }

    /// Asserts that the searches show what was acknowledged, and beyond that nothing but writes of which their client was
    /// told so, if `unacknowledged` ones may be there.
    fn is_shown(&mut self, engine: &Engine, unacknowledged: bool) {
        let mut shown = BTreeMap::new();
        for one in all(engine, "Task?_count=1000") {
            let mark = text(&one["description"])
                .split(' ')
                .nth(1)
                .and_then(|mark| mark.parse::<u64>().ok())
                .expect("a mark");
            let present = version(&one).parse::<u64>().expect("a number");
            assert_eq!(
                text(&one["description"]),
                format!("marque {mark} version {present}")
            );
            let doubled = shown.insert(mark, (present, text(&one["id"]).to_owned()));
            assert!(doubled.is_none(), "mark {mark} twice");
        }
        for (mark, acknowledged) in &self.acknowledged {
            let (present, id) = shown
                .get(mark)
                .unwrap_or_else(|| panic!("mark {mark} is lost"));
            assert_eq!(id, &self.ids[mark]);
            let tail = unacknowledged && self.may_hold(*mark, *present);
            assert!(
                present == acknowledged || tail,
                "mark {mark}: version {acknowledged} was acknowledged, {present} is shown"
            );
        }
        for (mark, (present, id)) in shown {
            let tail = unacknowledged && self.may_hold(mark, present);
            assert!(
                self.acknowledged.contains_key(&mark) || tail,
                "mark {mark} is shown and was refused"
            );
            // Once shown it stays.
            self.acknowledged.insert(mark, present);
            self.ids.insert(mark, id);
        }
        self.refused.clear();
        self.begun.clear();
    }
}

/// Writes one after the other, then some that wait together; from the first refusal on all are refused.
fn play(store: &Store, ledger: &mut Ledger) {
    let mut refused = false;
    let mut note = |ledger: &mut Ledger, mark, outcome| {
        let acknowledged = ledger.note(mark, outcome);
        assert!(!(refused && acknowledged), "a write taken after one failed");
        refused = !acknowledged;
    };
    for mark in 0..5 {
        let outcome = store.write(write(vec![create(&marked(mark))]));
        note(ledger, mark, outcome);
        if mark % 2 == 1 && ledger.acknowledged.contains_key(&0) {
            let outcome = store.write(write(vec![next_version(ledger, 0)]));
            note(ledger, 0, outcome);
        }
        if mark == 2 {
            // Nothing is folded from this disk; the log begins a new segment all the same.
            store.fold().unwrap_or_else(|error| panic!("{error}"));
        }
    }
    let (told, answers) = channel();
    for mark in 5..9 {
        let told = told.clone();
        store.submit(write(vec![create(&marked(mark))]), move |outcome| {
            told.send((mark, outcome)).expect("the test listens");
        });
    }
    drop(told);
    for (mark, outcome) in answers {
        // Those of one batch are refused together, in the order in which they were sent.
        note(ledger, mark, outcome);
    }
}

/// Opens what is left of a disk, and goes on: with what was acknowledged, and with new writes.
fn recovers(place: &Place, disk: &SimulatedDisk, ledger: &Ledger) {
    let mut ledger = ledger.clone();
    for round in 0..2 {
        let (engine, store) = opened(place, disk);
        let recovery = store.recovery();
        assert_eq!(recovery.damage, [], "damage without a fault");
        assert_eq!(recovery.failure, None);
        assert!(store.status().writable);
        ledger.is_shown(&engine, true);
        let mark = 100 + round;
        let outcome = store.write(write(vec![create(&marked(mark))]));
        assert!(ledger.note(mark, outcome));
        let outcome = store.write(write(vec![next_version(&ledger, mark)]));
        assert!(ledger.note(mark, outcome));
        ledger.is_shown(&engine, false);
    }
}

fn place() -> Place {
    let organization = json!({
        "resourceType": "Organization", "id": "org-0", "name": "Clinique",
        "meta": {"lastUpdated": "2024-01-02T03:04:05Z"},
    });
    Place::of(&[organization.to_string()])
}

/// Runs with a plan for the disk; what was told, and how many calls there were and how many of them failed.
fn run(place: &Place, plan: Plan) -> (Ledger, SimulatedDisk, u64, u64) {
    let disk = SimulatedDisk::new(plan.from);
    disk.plan(Some(plan));
    let mut ledger = Ledger::default();
    let (engine, store) = opened(place, &disk);
    play(&store, &mut ledger);
    assert_eq!(
        store.status().writable,
        ledger.refused.is_empty(),
        "what the status says is what happens"
    );
    let (calls, failed) = (disk.calls(), disk.failed());
    let mut seen = ledger.clone();
    // Searches go on, and show what was acknowledged and nothing else.
    seen.is_shown(&engine, false);
    drop((store, engine));
    disk.plan(None);
    (ledger, disk, calls, failed)
}

fn any_call_failing(failure: Failure, lasting: bool) {
    let place = place();
    let plan = |from| Plan {
        from,
        lasting,
        failure,
    };
    let (whole, _, calls, _) = run(&place, plan(u64::MAX));
    assert_eq!(whole.acknowledged.len(), 9);
    assert!(calls > 40, "{calls} calls are few");
    let mut refusing = 0;
    for from in 0..calls {
        let (ledger, disk, _, failed) = run(&place, plan(from));
        assert_eq!(failed > 0, !ledger.refused.is_empty(), "call {from}");
        refusing += u64::from(failed > 0);
        // The process alone has ended, or the power with it.
        recovers(&place, &disk.copy(), &ledger);
        recovers(&place, &disk.after_power_cut(from), &ledger);
    }
    assert!(refusing > calls / 2, "few of the calls can fail");
}

#[test]
fn one_call_that_fails_ends_the_writes_and_loses_nothing() {
    any_call_failing(Failure::Broken, false);
}

#[test]
fn a_disk_that_stays_broken_ends_the_writes_and_loses_nothing() {
    any_call_failing(Failure::Broken, true);
}

#[test]
fn a_full_disk_ends_the_writes_and_loses_nothing() {
    any_call_failing(Failure::NoSpace, true);
}

#[test]
fn a_disk_that_is_full_for_one_call_ends_the_writes_and_loses_nothing() {
    any_call_failing(Failure::NoSpace, false);
}

#[test]
fn power_cut_after_any_acknowledgement_loses_nothing() {
    let place = place();
    for seed in 0..40 {
        let disk = SimulatedDisk::new(seed);
        let (_engine, store) = opened(&place, &disk);
        let mut ledger = Ledger::default();
        for mark in 0..seed % 7 {
            let outcome = store.write(write(vec![create(&marked(mark))]));
            assert!(ledger.note(mark, outcome));
        }
        // The store is still open: nothing was closed in order.
        recovers(&place, &disk.after_power_cut(seed), &ledger);
    }
}
