//! Anomalies written after the build: to the engine with views as they are, to the other side as the independent routine
//! redacts them, through the log both times.

use std::collections::HashSet;
use std::path::Path;

use rorqual::Engine;
use rorqual::anomaly::fold::fold;
use rorqual::anomaly::journal::folder_of;
use rorqual::anomaly::record::{RecordHead, encode};
use rorqual::index::overlay::Version;
use rorqual_anomaly::log::{Folder, Log, LogOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::directory::{Directory, Name};
use crate::kinds::Kind;
use crate::random::Random;
use crate::reference::Reference;
use crate::sides::{Pair, Rules, build, open, pairs, records};

/// The versions written together: id and body.
type Record = Vec<(String, Vec<u8>)>;

/// An engine that is written to, and what each profile must see of it.
pub struct Writing {
    r: Random,
    rules: Rules,
    directory: Directory,
    engine: Engine,
    folder: TempDir,
    pairs: Vec<Pair>,
    /// What each pair sees, in their order.
    seen: Vec<HashSet<Name>>,
    /// The bodies that are there now, for requests.
    bodies: Vec<Value>,
    whole: Reference,
    /// What is still to be written, the versions of one id in order.
    waiting: Vec<Value>,
    instant: i64,
}

impl Writing {
    /// An extract of which some anomalies are left to be written, or changed.
    pub fn new(seed: u64) -> Writing {
        let mut r = Random::new(seed ^ 0x0317);
        let whole = Reference::load(&records(&mut r, seed), true);
        let rules = Rules::new(&mut r);
        let (mut base, mut waiting) = (Vec::new(), Vec::new());
        for resource in &whole.resources {
            let last = resource.body.clone();
            let version = |r: &mut Random, number: usize| other_version(r, &last, number);
            if resource.kind == Kind::Task && r.chance(60) {
                waiting.extend((0..1 + r.below(3)).map(|number| version(&mut r, number)));
                continue;
            }
            if resource.kind == Kind::Task && r.chance(50) {
                waiting.push(version(&mut r, 7));
            }
            base.push(last);
        }
        let folder = tempfile::tempdir().expect("a temporary directory");
        build(folder.path(), base.iter(), Some(&rules.text));
        let engine = open(folder.path());
        let directory = Directory::new(base.iter());
        let pairs = pairs(&engine, &rules, &directory);
        let seen = pairs
            .iter()
            .map(|pair| directory.seen(rules.profile(&pair.profile)))
            .collect();
        Writing {
            r,
            rules,
            directory,
            engine,
            folder,
            pairs,
            seen,
            bodies: base,
            whole,
            waiting,
            instant: 1_790_000_000_000,
        }
    }

    pub fn pairs(&self) -> &[Pair] {
        &self.pairs
    }

    pub fn whole(&self) -> &Reference {
        &self.whole
    }

    /// Writes half of what waits, several records at a time and several versions in a record.
    pub fn write_some(&mut self) {
        let half = self.waiting.len().div_ceil(2);
        let mut now: Vec<Value> = self.waiting.drain(..half).collect();
        while !now.is_empty() {
            let mut own = Vec::new();
            let mut shown: Vec<Vec<Record>> = vec![Vec::new(); self.pairs.len()];
            for _ in 0..1 + self.r.below(3) {
                let count = (1 + self.r.below(3)).min(now.len());
                let record: Vec<Value> = now.drain(..count).collect();
                if record.is_empty() {
                    continue;
                }
                let (whole, of_pairs) = self.judge(&record);
                own.push(whole);
                for (shown, of_pair) in shown.iter_mut().zip(of_pairs) {
                    shown.extend((!of_pair.is_empty()).then_some(of_pair));
                }
            }
            self.instant += 1000;
            write(&self.engine, &own, self.instant);
            for (pair, shown) in self.pairs.iter().zip(shown) {
                write(&pair.other, &shown, self.instant);
                if self.r.chance(30) {
                    while pair.other.join_segments().expect("segments are joined") {}
                }
            }
            if self.r.chance(30) {
                while self.engine.join_segments().expect("segments are joined") {}
            }
        }
        self.tell();
    }

    /// What is written of a record, whole and as each pair may see it.
    fn judge(&mut self, record: &[Value]) -> (Record, Vec<Record>) {
        let text = |body: &Value| body.to_string().into_bytes();
        let mut whole = Vec::new();
        let mut of_pairs = vec![Vec::new(); self.pairs.len()];
        for body in record {
            let name = self.directory.put(body);
            self.bodies
                .retain(|other| !(other["resourceType"] == "Task" && other["id"] == *name.1));
            self.bodies.push(body.clone());
            whole.push((name.1.clone(), text(body)));
            for (number, pair) in self.pairs.iter().enumerate() {
                let profile = self.rules.profile(&pair.profile);
                let seen = &mut self.seen[number];
                if self.directory.sees_task(profile, seen, &name) {
                    seen.insert(name.clone());
                    let shown = self
                        .directory
                        .shown(profile, seen, &name)
                        .expect("it is seen");
                    of_pairs[number].push((name.1.clone(), text(&shown)));
                }
            }
        }
        (whole, of_pairs)
    }

    /// Brings the log of each index into a new generation.
    pub fn fold(&mut self) {
        let bring = |folder: &Path, engine: &Engine| {
            let report = fold(&folder.join("index"), 1).expect("the log is folded");
            engine.refresh().expect("the new generation opens");
            report.folded
        };
        assert!(
            bring(self.folder.path(), &self.engine),
            "there was something to fold"
        );
        for pair in &self.pairs {
            bring(pair.folder.path(), &pair.other);
        }
    }

    /// What there is now, for requests to be drawn around.
    fn tell(&mut self) {
        self.whole = Reference::load(&self.bodies, true);
        for (pair, seen) in self.pairs.iter_mut().zip(&self.seen) {
            let profile = self.rules.profile(&pair.profile);
            let mut names: Vec<&Name> = seen.iter().collect();
            names.sort();
            let shown = |name| self.directory.shown(profile, seen, name);
            let bodies: Vec<Value> = names.into_iter().filter_map(shown).collect();
            pair.redacted = Reference::load(&bodies, true);
        }
    }
}

/// Another version of a Task: what a change may change, so neither its focus nor its tags.
fn other_version(r: &mut Random, last: &Value, number: usize) -> Value {
    let mut body = last.clone();
    body["meta"]["versionId"] = json!((number + 2).to_string());
    body["meta"]["lastUpdated"] = json!(format!("2026-07-{:02}T10:00:00Z", 1 + r.below(28)));
    body["description"] =
        json!(*r.pick(&["Numéro obsolète", "Places à vérifier", "Adresse erronée"]));
    if r.chance(40) {
        let status = *r.pick(&["01", "02", "08"]);
        body["businessStatus"] = json!({"coding": [{"code": status}]});
    }
    body
}

/// Writes records, as (id, body) pairs each, to the log of an index and to its engine.
fn write(engine: &Engine, records: &[Record], instant: i64) {
    if records.is_empty() {
        return;
    }
    let storage = Folder::create(folder_of(engine.index())).expect("a folder for the log");
    let mark = engine.generation().manifest().anomalies;
    let (mut log, _) =
        Log::open(storage, LogOptions::default(), mark.sequence).expect("the log opens");
    let mut versions = Vec::new();
    for record in records {
        let head = RecordHead {
            instant,
            identifier: 0,
        };
        let payload = encode(head, record).expect("JSON");
        let sequence = log.append(&payload).expect("the log takes it");
        versions.extend(record.iter().map(|(id, body)| Version {
            sequence,
            instant,
            id: id.clone(),
            body: body.clone(),
        }));
    }
    log.commit().expect("the log is synced");
    engine.write(&versions).expect("versions are written");
}
