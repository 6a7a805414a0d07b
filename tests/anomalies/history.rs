//! A long random history against a plain map: writes of every kind, folds, rebuilds, restarts and swaps, and after each
//! step searches whose answers the map knows.
//!
//! A history is drawn from a seed, which a failure shows; `RORQUAL_SEED=…` repeats it, `RORQUAL_STEPS=…` makes it
//! longer.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::channel;

use fastrand::Rng;
use rorqual::anomaly::fold::{FoldReport, fold};
use rorqual::anomaly::store::{Change, Done, Made, Outcome, Store};
use rorqual::{Engine, ResourceType};
use serde_json::{Value, json};

use crate::directory::{Directory, MOST_OFFERS, ORGANIZATIONS, offer_identifier};
use crate::model::{DRAWN, Expected, Model, WORDS};
use crate::place::{Place, all, ask, behind, in_mode, small_segments};
use crate::task::{
    Focus, body, coded_status, create, create_unless, identifier, patch, text, to_status, updated,
    version, write,
};

/// A search of which some pages were read.
struct Begun {
    search: Expected,
    /// The map as it was.
    model: Model,
    generation: String,
    next: Option<String>,
    found: Vec<Value>,
    total: Value,
}

struct History {
    rng: Rng,
    place: Place,
    engine: Arc<Engine>,
    store: Option<Store>,
    model: Model,
    /// The directory of the generation that the next refresh makes live.
    published: Directory,
    /// How many versions of each Task the live generation knows, and how many the published one does.
    in_live: BTreeMap<String, usize>,
    in_published: BTreeMap<String, usize>,
    /// The generations that were live since the last start.
    known: BTreeSet<String>,
    begun: Vec<Begun>,
    /// What was assigned last.
    last_identifier: String,
    last_updated: String,
    /// What happened, for whoever looks at a failure.
    told: Vec<String>,
}

fn counts(model: &Model) -> BTreeMap<String, usize> {
    let count = |(id, versions): (&String, &Vec<_>)| (id.clone(), versions.len());
    model.tasks.iter().map(count).collect()
}

impl History {
    fn begin(seed: u64) -> History {
        let mut rng = Rng::with_seed(seed);
        let directory = Directory::draw(&mut rng);
        let place = Place::of(&directory.lines());
        let (engine, store) = place.open(small_segments());
        let tasks = directory.tasks.iter().map(|body| {
            let id = text(&body["id"]).to_owned();
            let read = engine.read(ResourceType::Task, &id).expect("it was built");
            (id, vec![(read.version, body.clone())])
        });
        let model = Model {
            tasks: tasks.collect(),
            directory: directory.clone(),
        };
        History {
            known: BTreeSet::from([engine.generation_id()]),
            in_live: counts(&model),
            in_published: counts(&model),
            rng,
            place,
            engine,
            store: Some(store),
            model,
            published: directory,
            begun: Vec::new(),
            last_identifier: String::new(),
            // What is older than this is from the past, and what is later from a clock ahead of ours.
            last_updated: chrono_text(chrono::Utc::now().timestamp_millis()),
            told: Vec::new(),
        }
    }

    fn store(&self) -> &Store {
        self.store.as_ref().expect("open between restarts")
    }

    fn step(&mut self) {
        let draw = self.rng.u32(..100);
        match draw {
            0..18 => self.create(),
            18..40 => self.patch(),
            40..46 => self.transaction(),
            46..51 => self.burst(),
            51..57 => self.refused(),
            57..61 => self.conditional(),
            61..66 => self.fold(),
            66..69 => self.fold_by_hand(),
            69..72 => self.refresh(),
            72..75 => self.rebuild(),
            75..79 => self.restart(),
            79..82 => self.join(),
            82..89 => self.begin_paging(),
            89..97 => self.go_on_paging(),
            _ => self.read_beside(),
        }
        self.spot_check();
    }

    fn tell(&mut self, step: impl Into<String>) {
        self.told.push(step.into());
    }

    // What is written.

    fn focus(&mut self) -> Focus {
        let offers: Vec<String> = self.model.directory.offers.keys().cloned().collect();
        match self.rng.u8(..10) {
            0..5 => Focus::literal("HealthcareService", &offers[self.rng.usize(..offers.len())]),
            5..8 => Focus::Logical(offer_identifier(self.rng.usize(..MOST_OFFERS))),
            8 => Focus::Logical("OF-nowhere".to_owned()),
            _ => Focus::literal(
                "Organization",
                &format!("org-{}", self.rng.usize(..ORGANIZATIONS)),
            ),
        }
    }

    fn new_body(&mut self) -> Value {
        let focus = self.focus();
        let mut new = body(self.status(), &focus);
        new["authoredOn"] = json!(format!(
            "2025-{:02}-{:02}",
            self.rng.u8(1..=12),
            self.rng.u8(1..=28)
        ));
        if self.rng.bool() {
            new["description"] = json!(self.description());
        }
        new
    }

    fn status(&mut self) -> &'static str {
        self.rng.choice(DRAWN).expect("some")
    }

    fn description(&mut self) -> String {
        let words = [(); 2].map(|()| *self.rng.choice(WORDS).expect("some"));
        format!("Le {} et le {}.", words[0], words[1])
    }

    /// Asserts what the server assigned and takes a new Task into the map.
    fn created(&mut self, sent: &Value, done: &Done) {
        assert_eq!(done.made, Made::Created);
        let stored: Value = serde_json::from_slice(&done.resource.body).expect("JSON");
        assert!(!self.model.tasks.contains_key(&done.id), "an id twice");
        assert_eq!(stored["id"], done.id);
        assert_eq!(
            (version(&stored), done.resource.version.as_str()),
            ("1", "1")
        );
        // Eight digits at least: as text they follow each other as the numbers do.
        let own = identifier(&stored).to_owned();
        assert!(
            own > self.last_identifier,
            "{own} after {}",
            self.last_identifier
        );
        self.last_identifier = own;
        self.goes_on(updated(&stored), done);
        let mut rest = stored.clone();
        let whole = rest.as_object_mut().expect("an object");
        for assigned in ["id", "meta", "identifier"] {
            whole.remove(assigned);
        }
        assert_eq!(&rest, sent, "what was sent is kept as it was");
        let versions = vec![("1".to_owned(), stored)];
        self.model.tasks.insert(done.id.clone(), versions);
    }

    /// Asserts that time goes on and that what is told is what is stored.
    fn goes_on(&mut self, instant: &str, done: &Done) {
        assert!(
            instant >= self.last_updated.as_str(),
            "{instant} after {}",
            self.last_updated
        );
        self.last_updated = instant.to_owned();
        let told = done.resource.last_updated_ms.expect("an instant");
        let told = chrono_text(told);
        assert_eq!(told, instant, "what is told is not what is stored");
    }

    /// Asserts that a patch did what it says, and takes the new version into the map.
    fn changed(&mut self, id: &str, expected: impl FnOnce(&mut Value), done: &Done) {
        assert_eq!((done.made, done.id.as_str()), (Made::Changed, id));
        let stored: Value = serde_json::from_slice(&done.resource.body).expect("JSON");
        let before = self.model.version(id).parse::<u64>().unwrap_or(0);
        assert_eq!(version(&stored), (before + 1).to_string());
        assert_eq!(version(&stored), done.resource.version);
        let earlier = updated(self.model.body(id));
        // One whose last version is from a clock ahead of ours goes on from there, and the others do not follow it.
        if earlier > self.last_updated.as_str() {
            assert!(updated(&stored) > earlier, "a Task goes back in time");
        } else {
            self.goes_on(updated(&stored), done);
        }
        let mut wanted = self.model.body(id).clone();
        expected(&mut wanted);
        wanted["meta"] = stored["meta"].clone();
        wanted["lastModified"] = json!(updated(&stored));
        assert_eq!(stored, wanted, "the patch and nothing else");
        let versions = self.model.tasks.get_mut(id).expect("a known Task");
        versions.push((done.resource.version.clone(), stored));
    }

    fn create(&mut self) {
        let new = self.new_body();
        self.tell(format!("create {}", new["focus"]));
        let done = succeeded(self.store().write(write(vec![create(&new)])));
        self.created(&new, &done[0]);
    }

    fn patch(&mut self) {
        let id = self.model.any(&mut self.rng);
        let if_match = self.rng.bool().then(|| self.model.version(&id).to_owned());
        let old = self.model.body(&id).clone();
        self.tell(format!("patch {id} of version {}", self.model.version(&id)));
        let described = old.get("description").is_some();
        match self.rng.u8(..4) {
            0 if described => {
                let change = patched(
                    &id,
                    patch(&[("delete", "Task.description", None)]),
                    if_match,
                );
                let done = succeeded(self.store().write(write(vec![change])));
                self.changed(
                    &id,
                    |body| {
                        body.as_object_mut()
                            .expect("an object")
                            .remove("description");
                    },
                    &done[0],
                );
            }
            1 => {
                let text = self.description();
                let kind = if described { "replace" } else { "add" };
                let value = Some(("valueString", json!(text)));
                let change = patched(&id, patch(&[(kind, "Task.description", value)]), if_match);
                let done = succeeded(self.store().write(write(vec![change])));
                self.changed(&id, |body| body["description"] = json!(text), &done[0]);
            }
            _ => {
                let status = self.status();
                let change = patched(&id, to_status(status), if_match);
                let done = succeeded(self.store().write(write(vec![change])));
                self.changed(&id, with_status(status), &done[0]);
            }
        }
    }

    /// Several changes in one write: all of them, or none.
    fn transaction(&mut self) {
        let ids = [(); 2].map(|()| self.model.any(&mut self.rng));
        let new = [self.new_body(), self.new_body()];
        let status = [self.status(), self.status()];
        let fails = self.rng.u8(..3) == 0;
        let mut changes = vec![
            create(&new[0]),
            patched(&ids[0], to_status(status[0]), None),
            create(&new[1]),
            patched(&ids[1], to_status(status[1]), None),
        ];
        self.tell(format!("transaction with {ids:?}, fails: {fails}"));
        if fails {
            changes.push(patched("no-such-task", to_status("02"), None));
            let failed = self.store().write(write(changes)).err().expect("refused");
            assert_eq!((failed.change, failed.refusal.status()), (4, 404));
            return;
        }
        let done = succeeded(self.store().write(write(changes)));
        assert_eq!(done.len(), 4);
        self.created(&new[0], &done[0]);
        self.changed(&ids[0], with_status(status[0]), &done[1]);
        self.created(&new[1], &done[2]);
        self.changed(&ids[1], with_status(status[1]), &done[3]);
    }

    /// Writes that wait together, so that they share syncs; refused ones among them change nothing for the others.
    fn burst(&mut self) {
        enum Sent {
            Create(Value),
            Patch(String, &'static str),
            Refused(u16),
        }
        let (told, answers) = channel();
        let mut sent = Vec::new();
        let number = self.rng.usize(2..40);
        self.tell(format!("burst of {number}"));
        for place in 0..number {
            let change = match self.rng.u8(..8) {
                0..3 => {
                    let new = self.new_body();
                    let change = create(&new);
                    sent.push(Sent::Create(new));
                    change
                }
                3 => {
                    // Nobody knows which version it will have by then, but none is called so.
                    let id = self.model.any(&mut self.rng);
                    sent.push(Sent::Refused(412));
                    patched(&id, to_status("02"), Some("none".to_owned()))
                }
                _ => {
                    let (id, status) = (self.model.any(&mut self.rng), self.status());
                    sent.push(Sent::Patch(id.clone(), status));
                    patched(&id, to_status(status), None)
                }
            };
            let told = told.clone();
            self.store().submit(write(vec![change]), move |outcome| {
                told.send((place, outcome)).expect("the test listens");
            });
        }
        drop(told);
        let mut outcomes: Vec<_> = answers.iter().collect();
        assert_eq!(outcomes.len(), number, "one answer each");
        outcomes.sort_by_key(|(place, _)| *place);
        for ((_, outcome), sent) in outcomes.into_iter().zip(sent) {
            match sent {
                Sent::Create(new) => self.created(&new, &succeeded(outcome)[0]),
                Sent::Patch(id, status) => {
                    self.changed(&id, with_status(status), &succeeded(outcome)[0]);
                }
                Sent::Refused(status) => {
                    let refusal = outcome.err().expect("refused").refusal;
                    assert_eq!(refusal.status(), status, "{refusal:?}");
                }
            }
        }
    }

    /// Writes that must change nothing, which the searches after each step show.
    fn refused(&mut self) {
        let id = self.model.any(&mut self.rng);
        let (change, status) = match self.rng.u8(..5) {
            0 => {
                let missing = Focus::literal("HealthcareService", "offer-nowhere");
                (create(&body("02", &missing)), 422)
            }
            1 => (patched("no-such-task", to_status("02"), None), 404),
            2 => {
                let stale = Some("4711".to_owned());
                (patched(&id, to_status("02"), stale), 412)
            }
            3 => (patched(&id, to_status("77"), None), 422),
            _ => {
                let nothing = patch(&[(
                    "replace",
                    "Task.owner",
                    Some(("valueReference", json!({"reference": "Organization/org-0"}))),
                )]);
                (patched(&id, nothing, None), 422)
            }
        };
        self.tell(format!("refused with {status}, at {id}"));
        let failed = self.store().write(write(vec![change])).err();
        let refusal = failed.expect("refused").refusal;
        assert_eq!(refusal.status(), status, "{refusal:?}");
    }

    fn conditional(&mut self) {
        let new = self.new_body();
        let id = self.model.any(&mut self.rng);
        let met = self.rng.bool();
        let (system, value) = match met {
            true => {
                let own = &self.model.body(&id)["identifier"][0];
                (text(&own["system"]), text(&own["value"]))
            }
            false => ("urn:rorqual:anomaly", "ANO-none"),
        };
        let condition = format!("identifier={system}%7C{value}");
        self.tell(format!("create unless {condition}"));
        let change = create_unless(&new, Some(condition));
        let done = succeeded(self.store().write(write(vec![change])));
        if !met {
            return self.created(&new, &done[0]);
        }
        assert_eq!((done[0].made, &done[0].id), (Made::Existing, &id));
        let told: Value = serde_json::from_slice(&done[0].resource.body).expect("JSON");
        assert_eq!(&told, self.model.body(&id));
        assert_eq!(done[0].resource.version, self.model.version(&id));
        let instant = done[0].resource.last_updated_ms.expect("an instant");
        assert_eq!(chrono_text(instant), updated(&told), "not its own instant");
    }

    // What happens around the writes.

    fn folded(&mut self, report: &FoldReport) {
        let known = &self.in_published;
        let created = self
            .model
            .tasks
            .keys()
            .filter(|id| !known.contains_key(*id));
        let created = created.count() as u64;
        let grown = |(id, count): (&String, &usize)| self.model.tasks[id].len() > *count;
        let changed = known.iter().filter(|one| grown(*one)).count() as u64;
        assert_eq!(report.folded, created + changed > 0);
        assert_eq!((report.created, report.changed), (created, changed));
        assert_eq!(report.anomalies, self.model.tasks.len() as u64);
        self.in_published = counts(&self.model);
    }

    fn fold(&mut self) {
        self.tell("fold");
        let report = self
            .store()
            .fold()
            .unwrap_or_else(|error| panic!("{error}"));
        self.folded(&report);
        self.is_live();
        assert_eq!(report.generation, self.engine.generation_id());
        self.check_all();
    }

    fn fold_by_hand(&mut self) {
        self.tell("fold by hand");
        let report = fold(&self.place.index, 1).unwrap_or_else(|error| panic!("{error}"));
        self.folded(&report);
        let again = fold(&self.place.index, 1).unwrap_or_else(|error| panic!("{error}"));
        assert!(!again.folded, "there was nothing left to fold");
        if self.rng.bool() {
            self.place.is_sound();
        }
    }

    fn refresh(&mut self) {
        self.tell("refresh");
        let swapped = self.engine.refresh().expect("the generation opens");
        assert_eq!(swapped, self.is_live());
        self.check_all();
    }

    /// What was published is what is searched; answers whether that is news.
    fn is_live(&mut self) -> bool {
        self.in_live = self.in_published.clone();
        self.model.directory = self.published.clone();
        self.known.insert(self.engine.generation_id())
    }

    fn rebuild(&mut self) {
        self.published = Directory::draw(&mut self.rng);
        self.tell(format!(
            "rebuild with {:?}",
            self.published.offers.keys().collect::<Vec<_>>()
        ));
        let report = self.place.build(&self.published.lines());
        let lost = self
            .model
            .tasks
            .keys()
            .filter(|id| match Focus::of(self.model.body(id)) {
                Focus::Literal(kind, id) => {
                    kind == "HealthcareService" && !self.published.offers.contains_key(&id)
                }
                Focus::Logical(_) => false,
            });
        assert_eq!(report.anomalies.without_focus, lost.count() as u64);
        self.in_published = counts(&self.model);
        if self.rng.bool() {
            self.refresh();
        }
    }

    fn restart(&mut self) {
        self.tell("restart");
        self.store = None;
        let (engine, store) = self.place.open(small_segments());
        assert_eq!(store.recovery().torn_tail, None, "it was closed in order");
        self.engine = engine;
        self.store = Some(store);
        self.known.clear();
        self.is_live();
        self.check_all();
    }

    fn join(&mut self) {
        self.tell("join");
        while self.engine.join_segments().expect("segments are sound") {}
        self.check_all();
    }

    /// Another engine over the same folder, which reads the log beside its writer.
    fn read_beside(&mut self) {
        self.tell("read beside");
        let beside = Engine::open(&self.place.index).unwrap_or_else(|error| panic!("{error}"));
        let model = Model {
            directory: self.published.clone(),
            ..self.model.clone()
        };
        for expected in model.searches(&mut self.rng) {
            model.check(&beside, &expected, 1000);
        }
    }

    // What is read.

    fn begin_paging(&mut self) {
        let mut searches = self.model.searches(&mut self.rng);
        searches.retain(|one| one.ids.len() > 2);
        let some = self.rng.usize(..searches.len());
        let search = searches.swap_remove(some);
        let count = self.rng.usize(1..=search.ids.len() / 2);
        let joint = if search.search.contains('?') {
            '&'
        } else {
            '?'
        };
        let first = format!("{}{joint}_count={count}", search.search);
        self.tell(format!("page through {first}"));
        let (page, generation) = ask(&self.engine, &first).expect("a page");
        self.begun.push(Begun {
            search,
            model: self.model.clone(),
            generation,
            next: behind(&page, "next"),
            found: in_mode(&page, "match").cloned().collect(),
            total: page["total"].clone(),
        });
    }

    fn go_on_paging(&mut self) {
        if self.begun.is_empty() {
            return;
        }
        let some = self.rng.usize(..self.begun.len());
        let pages = self.rng.usize(1..6);
        for _ in 0..pages {
            let begun = &mut self.begun[some];
            let Some(next) = begun.next.take() else {
                break;
            };
            let answer = ask(&self.engine, &next);
            if !self.known.contains(&begun.generation) {
                let error = answer.expect_err("its generation is gone");
                assert_eq!(error.status(), 410, "{next}");
                self.begun.swap_remove(some);
                return;
            }
            let (page, generation) = answer.unwrap_or_else(|error| panic!("{next}: {error}"));
            assert_eq!(
                generation, begun.generation,
                "a cursor changed its generation"
            );
            assert_eq!(page["total"], begun.total, "{next}");
            begun.found.extend(in_mode(&page, "match").cloned());
            begun.next = behind(&page, "next");
        }
        let told = format!("went on with {}", self.begun[some].search.search);
        self.tell(told);
        if self.begun[some].next.is_none() {
            let ended = self.begun.swap_remove(some);
            let search = format!("paged: {}", ended.search.search);
            ended
                .model
                .check_found(&search, &ended.found, &ended.search);
        }
    }

    /// Two searches, and one Task in all its versions.
    fn spot_check(&mut self) {
        let searches = self.model.searches(&mut self.rng);
        for _ in 0..2 {
            let expected = self.rng.choice(&searches).expect("some");
            let count = [3, 7, 50, 1000][self.rng.usize(..4)];
            self.model.check(&self.engine, expected, count);
        }
        let id = self.model.any(&mut self.rng);
        self.check_versions(&id);
    }

    fn check_versions(&self, id: &str) {
        let versions = &self.model.tasks[id];
        let present = self
            .engine
            .read(ResourceType::Task, id)
            .expect("a known Task");
        assert_eq!(present.version, self.model.version(id));
        let kept_from = self.in_live.get(id).map_or(0, |count| count - 1);
        for (number, (version, body)) in versions.iter().enumerate() {
            let read = self.engine.read_version(ResourceType::Task, id, version);
            let read = read.map(|read| serde_json::from_slice::<Value>(&read.body).expect("JSON"));
            let wanted = (number >= kept_from).then(|| body.clone());
            assert_eq!(read, wanted, "version {version} of {id}");
        }
        let none = self.engine.read_version(ResourceType::Task, id, "4711");
        assert!(none.is_none(), "a version that never was");
    }

    fn check_all(&mut self) {
        for expected in self.model.searches(&mut self.rng) {
            self.model.check(&self.engine, &expected, 1000);
        }
        for id in self.model.tasks.keys() {
            self.check_versions(id);
        }
        let everything = all(&self.engine, "Task?_count=1000");
        assert_eq!(everything.len(), self.model.tasks.len());
    }
}

/// Milliseconds since 1970 as FHIR writes an instant, in UTC.
fn chrono_text(milliseconds: i64) -> String {
    let instant = chrono::DateTime::from_timestamp_millis(milliseconds).expect("an instant");
    instant.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

fn succeeded(outcome: Outcome) -> Vec<Done> {
    outcome.unwrap_or_else(|failed| panic!("change {}: {:?}", failed.change, failed.refusal))
}

fn with_status(status: &'static str) -> impl Fn(&mut Value) {
    move |body| body["businessStatus"] = coded_status(status)
}

/// A patch of a Task.
fn patched(id: &str, patch: rorqual_anomaly::patch::Patch, if_match: Option<String>) -> Change {
    Change::Patch {
        id: id.to_owned(),
        patch,
        if_match,
    }
}

/// A number that the environment may set.
fn set(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn run(seed: u64) {
    let steps = set("RORQUAL_STEPS").unwrap_or(160);
    let seed = set("RORQUAL_SEED").unwrap_or(seed);
    println!("RORQUAL_SEED={seed} RORQUAL_STEPS={steps}");
    let mut history = History::begin(seed);
    for number in 0..steps {
        let step = catch_unwind(AssertUnwindSafe(|| history.step()));
        if let Err(failure) = step {
            for (number, told) in history.told.iter().enumerate() {
                println!("{number}: {told}");
            }
            println!("step {number} failed: RORQUAL_SEED={seed} RORQUAL_STEPS={steps}");
            resume_unwind(failure);
        }
    }
    assert!(history.model.tasks.len() > 20, "a history of nothing");
    history.restart();
    history.place.is_sound();
}

#[test]
fn a_history_known_to_be_varied_agrees_with_a_map() {
    run(20_260_305);
}

#[test]
fn another_history_agrees_with_a_map() {
    run(7);
}

#[test]
fn histories_never_seen_before_agree_with_a_map() {
    for _ in 0..3 {
        run(fastrand::u64(..));
    }
}
