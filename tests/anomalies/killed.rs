//! A server that folds, under eight writers, is killed at any instant, again and again: an outside ledger of what was
//! acknowledged is compared with what the next one answers.
//!
//! `RORQUAL_KILLS=2000` kills as many; 200 are usual.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::directory::{Directory, offer_id};
use crate::place::{Place, in_mode};
use crate::server::{Connection, Server};
use crate::task::{Focus, body, identifier, parameters, text, updated, version};

/// Clients that write at once.
const WRITERS: usize = 8;
/// A new index from time to time, so that a round stays short.
const ROUNDS_OF_AN_INDEX: usize = 25;
/// Folds as often as it can.
const CONFIG: &str = "
[anomalies]
fold_versions = 20
log_segment_bytes = 65536
require_if_match = true
";

/// What the clients know, and what was shown to somebody.
#[derive(Default)]
struct Ledger {
    /// By id, the last version and when it was written.
    versions: BTreeMap<String, (u64, String)>,
    /// By functional identifier, the id.
    identifiers: BTreeMap<String, String>,
}

/// One acknowledged write.
struct Acknowledged {
    id: String,
    version: u64,
    updated: String,
    identifier: String,
}

fn rounds() -> usize {
    let set = std::env::var("RORQUAL_KILLS").ok();
    set.and_then(|set| set.parse().ok()).unwrap_or(200)
}

/// Creates and changes until the server ends; what it acknowledged.
fn write(address: &str, mut own: Vec<(String, u64)>, mut rng: Rng) -> Vec<Acknowledged> {
    const JSON: &str = "Content-Type: application/fhir+json\r\n";
    let mut acknowledged = Vec::new();
    let Some(mut connection) = Connection::open(address) else {
        return acknowledged;
    };
    loop {
        let some = (!own.is_empty() && rng.bool()).then(|| rng.usize(..own.len()));
        let (response, expected, next) = match some {
            None => {
                let mut new = body("02", &Focus::literal("HealthcareService", &offer_id(0)));
                new["description"] = json!("version 1");
                let sent = new.to_string();
                let response = connection.send("POST", "/fhir/Task", JSON, sent.as_bytes());
                (response, 201, 1)
            }
            Some(some) => {
                let (id, last) = &own[some];
                let value = json!(format!("version {}", last + 1));
                let patch =
                    parameters(&[("replace", "Task.description", Some(("valueString", value)))]);
                let headers = format!("{JSON}If-Match: W/\"{last}\"\r\n");
                let target = format!("/fhir/Task/{id}");
                let sent = patch.to_string();
                let response = connection.send("PATCH", &target, &headers, sent.as_bytes());
                (response, 200, last + 1)
            }
        };
        let Some(response) = response else {
            return acknowledged;
        };
        let task = response.json();
        assert_eq!(response.status, expected, "{task}");
        assert_eq!(response.header("etag"), format!("W/\"{next}\""));
        assert_eq!(version(&task), next.to_string());
        let id = text(&task["id"]).to_owned();
        match some {
            None => own.push((id.clone(), next)),
            Some(some) => {
                assert_eq!(own[some].0, id);
                own[some].1 = next;
            }
        }
        acknowledged.push(Acknowledged {
            id,
            version: next,
            updated: updated(&task).to_owned(),
            identifier: identifier(&task).to_owned(),
        });
    }
}

/// Everything that a server shows.
fn shown(address: &str) -> Vec<Value> {
    let mut connection = Connection::open(address).expect("it listens");
    let mut found = Vec::new();
    let mut next = Some("/fhir/Task?_count=500".to_owned());
    while let Some(target) = next {
        let response = connection
            .send("GET", &target, "", b"")
            .expect("it goes on");
        assert_eq!(response.status, 200);
        let page = response.json();
        found.extend(in_mode(&page, "match").cloned());
        let links = page["link"].as_array().expect("links");
        next = links
            .iter()
            .find(|link| link["relation"] == "next")
            .map(|link| {
                let url = text(&link["url"]);
                url[url.find("/fhir/").expect("a link of this server")..].to_owned()
            });
        assert!(next.is_some() || page["total"] == found.len());
    }
    found
}

impl Ledger {
    /// Takes what was acknowledged.
    fn note(&mut self, acknowledged: Vec<Acknowledged>) {
        for one in acknowledged {
            let bearer = self.identifiers.insert(one.identifier, one.id.clone());
            assert!(
                bearer.is_none_or(|bearer| bearer == one.id),
                "an identifier was given twice"
            );
            let now = (one.version, one.updated);
            if let Some(before) = self.versions.insert(one.id, now.clone()) {
                assert!(before.0 + 1 == now.0 && before.1 <= now.1);
            }
        }
    }

    /// Asserts that what was acknowledged is shown, once, and takes what is shown beyond that.
    fn is_shown(&mut self, tasks: &[Value]) {
        let (mut ids, mut ahead) = (BTreeSet::new(), 0);
        for task in tasks {
            let (id, present) = (text(&task["id"]), version(task).parse::<u64>());
            let present = present.expect("a number");
            assert!(ids.insert(id), "{id} twice");
            assert_eq!(text(&task["description"]), format!("version {present}"));
            let own = identifier(task).to_owned();
            let bearer = self.identifiers.entry(own).or_insert_with(|| id.to_owned());
            assert_eq!(bearer, id, "an identifier was given twice");
            let known = self.versions.entry(id.to_owned()).or_default();
            assert!(
                present >= known.0,
                "{id} went back from {} to {present}",
                known.0
            );
            assert!(updated(task) >= known.1.as_str(), "{id} went back in time");
            if present == known.0 {
                assert_eq!(updated(task), known.1, "{id}: another version {present}");
            }
            ahead += present - known.0;
            *known = (present, updated(task).to_owned());
        }
        for id in self.versions.keys() {
            assert!(ids.contains(id.as_str()), "{id} is lost");
        }
        // What was on its way when the server ended may be there or not: one write of each client.
        assert!(ahead <= WRITERS as u64, "{ahead} versions unheard of");
    }

    /// The Tasks that one of the writers goes on with: no other touches them.
    fn share(&self, writer: usize) -> Vec<(String, u64)> {
        let all = self.versions.iter().skip(writer).step_by(WRITERS);
        all.map(|(id, (version, _))| (id.clone(), *version))
            .collect()
    }
}

fn current(index: &Path) -> String {
    std::fs::read_to_string(index.join("CURRENT")).expect("a live generation")
}

#[test]
fn a_server_killed_at_any_instant_under_writers_loses_nothing() {
    let seed = std::env::var("RORQUAL_SEED").ok();
    let seed = seed.and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| fastrand::u64(..));
    println!("RORQUAL_SEED={seed}");
    let mut rng = Rng::with_seed(seed);
    let (mut place, mut ledger) = (None, Ledger::default());
    let (mut writes, mut folded, mut starts) = (0, 0, 0);
    for round in 0..rounds() {
        if round % ROUNDS_OF_AN_INDEX == 0 {
            let mut directory = Directory::draw(&mut rng);
            directory.tasks.clear();
            let new = Place::of(&directory.lines());
            std::fs::write(new.index.with_file_name("config.toml"), CONFIG).expect("a folder");
            (place, ledger) = (Some(new), Ledger::default());
        }
        let place = place.as_ref().expect("made in the first round");
        let config = place.index.with_file_name("config.toml");
        let before = current(&place.index);
        let server = Server::start(&place.index, &config);
        if rng.u8(..8) == 0 {
            // It is killed while it starts, or soon after; nobody has asked it for anything.
            std::thread::sleep(Duration::from_micros(rng.u64(..60_000)));
            server.kill();
            starts += 1;
            continue;
        }
        let address = server.address();
        ledger.is_shown(&shown(&address));
        let shares: Vec<_> = (0..WRITERS).map(|writer| ledger.share(writer)).collect();
        let acknowledged = std::thread::scope(|scope| {
            let address = &address;
            let writing: Vec<_> = shares
                .into_iter()
                .map(|share| {
                    let rng = rng.fork();
                    scope.spawn(move || write(address, share, rng))
                })
                .collect();
            std::thread::sleep(Duration::from_micros(rng.u64(..350_000)));
            let said = server.kill();
            assert!(said.is_empty(), "round {round}: {}", said.join("\n"));
            let ended = writing.into_iter().map(|writer| writer.join());
            ended.collect::<Vec<_>>()
        });
        for one in acknowledged {
            let one = one.unwrap_or_else(|failure| std::panic::resume_unwind(failure));
            writes += one.len();
            ledger.note(one);
        }
        folded += usize::from(current(&place.index) != before);
        if (round + 1) % ROUNDS_OF_AN_INDEX == 0 {
            let (engine, store) = place.open(crate::place::small_segments());
            ledger.is_shown(&crate::place::all(&engine, "Task?_count=500"));
            drop(store);
            place.is_sound();
        }
    }
    println!(
        "{writes} writes acknowledged, {folded} rounds in which it folded, {starts} kills of a start"
    );
    assert!(writes > rounds(), "hardly anything was ever acknowledged");
    assert!(folded > rounds() / 20, "it hardly ever folded");
}
