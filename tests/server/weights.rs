//! Light searches and others: told apart before they run, and none of the light ones waits for a turn.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rorqual::bundle::assemble::Coding;
use rorqual::weight::Weight;
use rorqual::{Engine, EngineOptions, Handling, ResourceType, SearchRequest};

use crate::client::Server;

/// A search of some milliseconds: many texts are looked for anywhere in names.
fn long_search() -> String {
    let looked_for = |number: usize| format!("name%20co%20%22{}%22", "abcdefghij".repeat(number));
    let all: Vec<String> = (1..60).map(|number| looked_for(number % 9 + 1)).collect();
    format!("/fhir/HealthcareService?_filter={}", all.join("%20or%20"))
}

#[test]
fn light_searches_are_answered_while_others_have_every_turn() {
    let server = Server::of_fixtures(|config| {
        config.limits.max_concurrent_searches = 1;
        config.limits.max_waiting_searches = 0;
    });
    let (refused, asked) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let enough = || refused.load(Relaxed) >= 50 || asked.load(Relaxed) >= 50_000;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let (mut client, search) = (server.connect(), long_search());
                while !enough() {
                    match client.get(&search).status {
                        200 => {}
                        503 => _ = refused.fetch_add(1, Relaxed),
                        status => panic!("{status}"),
                    }
                }
            });
        }
        let mut client = server.connect();
        while !enough() {
            for light in [
                "/fhir/Location?status=active&_count=5",
                "/fhir/HealthcareService?specialty=013&_include=HealthcareService:location&_count=20",
                "/fhir/HealthcareService?_summary=count",
            ] {
                let answer = client.get(light);
                assert_eq!(answer.status, 200, "{light}: {}", answer.text());
                asked.fetch_add(1, Relaxed);
            }
        }
    });
    assert!(refused.load(Relaxed) >= 50, "the turns were not taken");
}

#[test]
fn what_a_search_takes_is_told_by_what_it_asks() {
    let server = Server::of_fixtures(|_| {});
    let options = EngineOptions::default();
    let engine = Engine::open_with(server.index(), options).expect("the index opens");
    let weight = |kind, query: &str| {
        let request = SearchRequest {
            kind,
            query,
            base_url: "http://localhost/fhir",
            handling: Handling::Default,
            permits: None,
            coding: Coding::Identity,
            name: None,
        };
        engine.full().weight(&request).expect("a search")
    };
    use ResourceType::{HealthcareService, Location, Task};
    for (kind, query) in [
        (Location, ""),
        (Location, "_summary=count"),
        (Task, "business-status=02"),
        (
            HealthcareService,
            "specialty=013&_include=HealthcareService:location",
        ),
        (
            HealthcareService,
            "location.address-postalcode=35&specialty=013",
        ),
        (HealthcareService, "_has:Task:focus:business-status=02"),
        (
            HealthcareService,
            "_lastUpdated=ge2000&_sort=-_lastUpdated&_count=20",
        ),
        (HealthcareService, "_filter=not%20(specialty%20eq%20013)"),
    ] {
        assert_eq!(weight(kind, query), Weight::Light, "{query}");
    }
    for (kind, query) in [
        (HealthcareService, "name:contains=a"),
        (HealthcareService, "_content=soins"),
        (Location, "near=48.1|-1.6|5|km"),
    ] {
        assert!(weight(kind, query) > Weight::Light, "{query}");
    }
}
