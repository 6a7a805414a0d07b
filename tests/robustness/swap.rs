//! Generations change under an engine that is being searched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rorqual::{Engine, EngineOptions};
use serde_json::Value;

use crate::built::{Built, ask, link, matches};
use crate::extract::{edition, edition_of, offers};

const REBUILDS: usize = 5;

/// Asserts that an answer is wholly of one edition: every resource of it, the total that goes with it, each id once.
fn edition_answered(bundle: &Value) -> usize {
    let editions: BTreeSet<usize> = bundle["entry"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| edition_of(&entry["resource"]))
        .collect();
    assert_eq!(
        editions.len(),
        1,
        "one answer of several editions: {editions:?}"
    );
    let edition = *editions.first().expect("an edition");
    assert_eq!(bundle["total"], offers(edition));
    edition
}

fn all_ids(bundle: &Value) -> BTreeSet<&str> {
    matches(bundle)
        .map(|resource| resource["id"].as_str().expect("an id"))
        .collect()
}

/// The search behind a link.
fn behind(url: &str) -> &str {
    url.strip_prefix(rorqual::engine::DEFAULT_BASE_URL)
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or_else(|| panic!("a link leaves the server: {url}"))
}

/// Walks from a page to the last one; the ids of all their matches, in order.
fn walk(engine: &Engine, mut page: Value, expected: (usize, &str)) -> Vec<String> {
    let mut ids = Vec::new();
    loop {
        assert_eq!(edition_answered(&page), expected.0);
        ids.extend(matches(&page).map(|one| one["id"].as_str().expect("an id").to_owned()));
        let Some(next) = link(&page, "next") else {
            break;
        };
        let (following, generation) =
            ask(engine, behind(&next)).unwrap_or_else(|error| panic!("{next}: {error:?}"));
        assert_eq!(generation, expected.1, "a cursor changed its generation");
        page = following;
    }
    ids
}

#[test]
fn searches_in_the_middle_of_swaps_are_each_of_one_generation() {
    let built = Built::of(&edition(0));
    let engine = built.engine();
    let (stop, seen) = (AtomicBool::new(false), Mutex::new(BTreeMap::new()));
    let searches = [
        "HealthcareService?_count=1000",
        "HealthcareService?_content=cardiologie&_count=1000&_include=HealthcareService:location",
        "HealthcareService?organization.name=clinique&location.near=47.0%7C-1.5%7C500&_count=1000&_include=*",
        "Location?_has:HealthcareService:location:name=cardiologie&_count=1000&_sort=-_id",
        "Location?near=47.0%7C-1.5%7C500&_count=1000",
    ];
    std::thread::scope(|scope| {
        // Whatever ends this test, the searching threads end too.
        let _stop = StopOnDrop(&stop);
        let mut searching = Vec::new();
        for first in 0..3 {
            let (engine, stop, seen) = (&engine, &stop, &seen);
            searching.push(scope.spawn(move || {
                let mut turn = first;
                while !stop.load(Ordering::Relaxed) {
                    let search = searches[turn % searches.len()];
                    turn += 1;
                    let (bundle, generation) =
                        ask(engine, search).unwrap_or_else(|error| panic!("{search}: {error:?}"));
                    let edition = edition_answered(&bundle);
                    assert_eq!(all_ids(&bundle).len(), offers(edition), "{search}");
                    let mut seen = seen.lock().expect("no thread fails while it writes");
                    let known = seen.entry(generation).or_insert(edition);
                    assert_eq!(*known, edition, "one generation answered for two editions");
                }
            }));
        }
        searching.push(scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let (page, generation) =
                    ask(&engine, "HealthcareService?_count=7&_sort=_id").expect("a sound search");
                let edition = edition_answered(&page);
                let mut ids = walk(&engine, page, (edition, &generation));
                assert_eq!(ids.len(), offers(edition));
                assert!(ids.is_sorted());
                ids.dedup();
                assert_eq!(ids.len(), offers(edition), "a page repeats a match");
            }
        }));
        for number in 1..=REBUILDS {
            // The files of the generation before go at once.
            built.rebuild_with(&edition(number), |options| options.keep = 0);
            assert!(engine.refresh().expect("the new generation opens"));
            assert!(!engine.refresh().expect("nothing new"), "refreshed twice");
            // Goes on only once somebody has searched in the new one.
            while !seen
                .lock()
                .expect("no thread fails while it writes")
                .contains_key(&built.current())
            {
                assert!(
                    !searching.iter().any(|thread| thread.is_finished()),
                    "a search failed"
                );
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
    let seen = seen.into_inner().expect("no thread fails while it writes");
    assert!(seen.len() >= REBUILDS, "{seen:?}");
}

/// Sets a flag when it goes.
pub struct StopOnDrop<'a>(pub &'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn cursors_keep_answering_from_the_generation_they_began_with() {
    let built = Built::of(&edition(0));
    let engine = built.engine();
    let searches = [
        "HealthcareService?_count=4&_sort=-_id",
        "HealthcareService?_count=3&_content=cardiologie&_include=HealthcareService:location",
        "Location?_count=5&near=47.0%7C-1.5%7C500",
    ];
    let mut begun = Vec::new();
    for number in 0..=REBUILDS {
        if number > 0 {
            built.rebuild_with(&edition(number), |options| options.keep = 0);
            assert!(engine.refresh().expect("the new generation opens"));
        }
        for search in searches {
            let (page, generation) = ask(&engine, search).expect("a sound search");
            assert_eq!(edition_answered(&page), number);
            begun.push((page, number, generation));
        }
    }
    assert_eq!(
        built.generations(),
        [built.current()],
        "the files of the others are gone"
    );
    for (page, number, generation) in begun {
        let ids = walk(&engine, page, (number, &generation));
        assert_eq!(ids.len(), offers(number), "not exactly to the end");
        assert_eq!(
            ids.iter().collect::<BTreeSet<_>>().len(),
            offers(number),
            "a match twice"
        );
    }
}

#[test]
fn every_link_of_a_page_keeps_its_generation() {
    let built = Built::of(&edition(0));
    let engine = built.engine();
    let (first, generation) = ask(&engine, "HealthcareService?_count=5").expect("a sound search");
    let (second, _) =
        ask(&engine, behind(&link(&first, "next").expect("a next page"))).expect("a page");
    built.rebuild(&edition(1));
    assert!(engine.refresh().expect("the new generation opens"));
    for relation in ["self", "first", "previous", "next", "last"] {
        let url = link(&second, relation).unwrap_or_else(|| panic!("no {relation}"));
        let (page, answered) =
            ask(&engine, behind(&url)).unwrap_or_else(|error| panic!("{relation}: {error:?}"));
        assert_eq!(answered, generation, "{relation}");
        assert_eq!(edition_answered(&page), 0, "{relation}");
        match relation {
            "self" => assert_eq!(page["entry"], second["entry"]),
            "first" | "previous" => assert_eq!(page["entry"], first["entry"]),
            _ => assert_ne!(page["entry"], second["entry"]),
        }
    }
}

#[test]
fn once_retired_a_cursor_is_gone() {
    let built = Built::of(&edition(0));
    let options = EngineOptions {
        cursor_retention: Duration::ZERO,
        ..EngineOptions::default()
    };
    let engine = Engine::open_with(&built.index, options).expect("the index opens");
    let (page, _) = ask(&engine, "HealthcareService?_count=5").expect("a sound search");
    let next = link(&page, "next").expect("a next page");
    ask(&engine, behind(&next)).expect("its generation is live");
    built.rebuild(&edition(1));
    assert!(engine.refresh().expect("the new generation opens"));
    let error = engine
        .search(behind(&next))
        .err()
        .expect("a retired cursor");
    assert_eq!(error.status(), 410);
    assert!(
        error.to_string().contains("start again without it"),
        "{error}"
    );
    assert_eq!(error.issues()[0].code, "not-found");
    assert_eq!(error.issues()[0].expression, ["http._cursor"]);
    // Without it, the search goes on in the new generation.
    let (page, _) = ask(&engine, "HealthcareService?_count=5").expect("a sound search");
    assert_eq!(edition_answered(&page), 1);
}

#[test]
fn an_engine_opened_later_knows_a_retired_cursor_from_an_altered_one() {
    let built = Built::of(&edition(0));
    let (page, _) = ask(&built.engine(), "HealthcareService?_count=5").expect("a sound search");
    let next = link(&page, "next").expect("a next page");
    // The key outlives the process, so another one reads the cursor of a live generation.
    let engine = built.engine();
    let (second, _) = ask(&engine, behind(&next)).expect("the same generation is live");
    assert_eq!(edition_answered(&second), 0);
    built.rebuild(&edition(1));
    let later = built.engine();
    let error = later.search(behind(&next)).err().expect("a retired cursor");
    assert_eq!(error.status(), 410, "{error}");
    let altered = behind(&next).replace("_cursor=", "_cursor=A");
    let error = later.search(&altered).err().expect("an altered cursor");
    assert_eq!(error.status(), 400, "{error}");
}

#[test]
fn an_altered_cursor_is_refused() {
    let built = Built::of(&edition(0));
    let engine = built.engine();
    let (page, _) = ask(&engine, "HealthcareService?_count=5").expect("a sound search");
    let next = link(&page, "next").expect("a next page");
    let next = behind(&next);
    let (search, token) = next.split_once("_cursor=").expect("a cursor");
    let refused = |request: &str| {
        let error = engine
            .search(request)
            .err()
            .unwrap_or_else(|| panic!("{request} was answered"));
        assert_eq!(error.status(), 400, "{request}: {error}");
        assert_eq!(error.issues()[0].expression, ["http._cursor"], "{request}");
    };
    for at in 0..token.len() {
        let mut altered = token.as_bytes().to_vec();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let altered = String::from_utf8(altered).expect("letters");
        refused(&format!("{search}_cursor={altered}"));
        refused(&format!("{search}_cursor={}", &token[..at]));
    }
    refused(&format!("HealthcareService?_count=6&_cursor={token}"));
    refused(&format!(
        "HealthcareService?name=a&_count=5&_cursor={token}"
    ));
    refused(&format!("Location?_count=5&_cursor={token}"));
    refused(&format!("{search}_cursor={token}{token}"));
    refused(&format!("{search}_cursor=1"));
    engine.search(next).expect("the cursor as given out");
}
