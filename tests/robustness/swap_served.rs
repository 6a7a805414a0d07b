//! Generations change under a server, on connections that stay open.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rorqual::server::ServerConfig;
use serde_json::Value;

use crate::built::{Built, link, matches};
use crate::extract::{edition, edition_of, offers};
use crate::http::{Client, Server};
use crate::swap::StopOnDrop;

/// A server that looks for a new generation often.
fn serve(built: &Built, retention_seconds: u64) -> Server {
    let config = ServerConfig {
        refresh_interval_ms: 10,
        cursor_retention_seconds: retention_seconds,
        ..ServerConfig::default()
    };
    Server::start(&built.index, config)
}

/// The edition of a whole page, and how many matches it holds.
fn edition_answered(bundle: &Value) -> (usize, usize) {
    let editions: BTreeSet<usize> = matches(bundle).map(edition_of).collect();
    assert_eq!(
        editions.len(),
        1,
        "one answer of several editions: {editions:?}"
    );
    let edition = *editions.first().expect("an edition");
    assert_eq!(bundle["total"], offers(edition));
    (edition, matches(bundle).count())
}

/// Asks until the edition answers; the server picks it up by itself.
fn wait_for(client: &mut Client, wanted: usize) {
    // The bound only ends a test that would hang: a swap takes some hundredths of a second.
    for _ in 0..10_000 {
        let response = client.get("/fhir/HealthcareService?_count=1");
        assert_eq!(response.status, 200);
        if edition_answered(&response.json).0 == wanted {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    panic!("the server does not pick up edition {wanted}");
}

#[test]
fn no_request_is_lost_and_each_answer_is_of_one_generation() {
    let built = Built::of(&edition(0));
    let server = serve(&built, 900);
    let (stop, seen) = (AtomicBool::new(false), Mutex::new(BTreeSet::new()));
    std::thread::scope(|scope| {
        let searching: Vec<_> = (0..3)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = server.connect();
                    let mut latest = 0;
                    while !stop.load(Ordering::Relaxed) {
                        let response = client.get("/fhir/HealthcareService?_count=1000&_include=*");
                        assert_eq!(response.status, 200, "{}", response.json);
                        let (edition, found) = edition_answered(&response.json);
                        assert_eq!(found, offers(edition));
                        assert!(edition >= latest, "{edition} was answered after {latest}");
                        latest = edition;
                        seen.lock()
                            .expect("no thread fails while it writes")
                            .insert(edition);
                        let statement = client.get("/fhir/metadata");
                        assert_eq!(statement.status, 200);
                        let read = client.get("/fhir/Organization/org");
                        assert_eq!(read.status, 200);
                        assert!(edition_of(&read.json) >= latest);
                    }
                })
            })
            .collect();
        // Whatever ends this test, the searching threads end too.
        let _stop = StopOnDrop(&stop);
        let mut client = server.connect();
        for number in 1..=5 {
            built.rebuild_with(&edition(number), |options| options.keep = 0);
            wait_for(&mut client, number);
            let failed = searching.iter().any(|thread| thread.is_finished());
            assert!(!failed, "a request failed");
        }
    });
    let seen = seen.into_inner().expect("no thread fails while it writes");
    assert!(
        seen.len() >= 3,
        "the searches saw too few generations: {seen:?}"
    );
}

#[test]
fn a_cursor_goes_on_to_the_end_across_swaps() {
    let built = Built::of(&edition(0));
    let server = serve(&built, 900);
    let mut client = server.connect();
    let mut page = client.get("/fhir/HealthcareService?_count=10").json;
    let mut ids = Vec::new();
    let mut swaps = 0;
    loop {
        assert_eq!(edition_answered(&page).0, 0);
        ids.extend(matches(&page).map(|one| one["id"].as_str().expect("an id").to_owned()));
        let Some(next) = link(&page, "next") else {
            break;
        };
        swaps += 1;
        built.rebuild_with(&edition(swaps), |options| options.keep = 0);
        wait_for(&mut client, swaps);
        let response = client.get(server.target(&next));
        assert_eq!(response.status, 200, "{}", response.json);
        page = response.json;
    }
    assert_eq!(swaps, 3);
    assert_eq!(ids.len(), offers(0));
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), offers(0));
}

#[test]
fn a_retired_cursor_is_410_and_an_altered_one_400() {
    let built = Built::of(&edition(0));
    let server = serve(&built, 0);
    let mut client = server.connect();
    let page = client.get("/fhir/HealthcareService?_count=10").json;
    let next = link(&page, "next").expect("a next page");
    let next = server.target(&next);
    assert_eq!(client.get(next).status, 200);

    let altered = client.get(&next.replace("_cursor=", "_cursor=AAAA"));
    assert_eq!(altered.status, 400);
    assert_eq!(altered.json["resourceType"], "OperationOutcome");
    assert_eq!(altered.json["issue"][0]["code"], "invalid");

    built.rebuild(&edition(1));
    wait_for(&mut client, 1);
    let retired = client.get(next);
    assert_eq!(retired.status, 410);
    let issue = &retired.json["issue"][0];
    assert_eq!(
        (&issue["severity"], &issue["code"]),
        (&"error".into(), &"not-found".into())
    );
    let said = issue["diagnostics"].as_str().expect("what to do");
    assert!(said.contains("start again without it"), "{said}");
}

#[test]
fn a_broken_new_generation_is_not_served() {
    let built = Built::of(&edition(0));
    let server = serve(&built, 900);
    let mut client = server.connect();
    built.rebuild(&edition(1));
    wait_for(&mut client, 1);
    // The name of a generation that is not there, then the right one again.
    let good = built.current();
    std::fs::write(built.index.join("CURRENT"), "20000101T000000000Z-000000\n")
        .expect("a writable index");
    for _ in 0..50 {
        let response = client.get("/fhir/HealthcareService?_count=1");
        assert_eq!(
            (response.status, edition_answered(&response.json).0),
            (200, 1)
        );
        std::thread::sleep(Duration::from_millis(2));
    }
    std::fs::write(built.index.join("CURRENT"), format!("{good}\n")).expect("a writable index");
    built.rebuild(&edition(2));
    wait_for(&mut client, 2);
}
