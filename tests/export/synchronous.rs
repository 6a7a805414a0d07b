//! Extraction by searches: paging with all includes while generations change, and deltas by `_lastUpdated`.

use std::collections::BTreeSet;

use rorqual::Engine;
use serde_json::Value;

use crate::directory::Directory;
use crate::made::{Made, instant, key};

const INCLUDES: &str = "_include=HealthcareService:organization&_include:iterate=Organization:partof\
    &_include=HealthcareService:location&_revinclude=PractitionerRole:service&_include=PractitionerRole:practitioner";

/// A page: the keys of its matches, of what they bring along, and the next search.
struct Page {
    matches: Vec<String>,
    included: BTreeSet<String>,
    total: u64,
    next: Option<String>,
}

fn page(engine: &Engine, search: &str) -> Page {
    let answer = engine
        .search(search)
        .unwrap_or_else(|error| panic!("{search}: {error:?}"));
    let bundle: Value = serde_json::from_slice(&answer.to_vec()).expect("a Bundle");
    let entries = bundle["entry"].as_array().map_or(&[][..], Vec::as_slice);
    let of = |mode: &'static str| {
        let entries = entries
            .iter()
            .filter(move |entry| entry["search"]["mode"] == mode);
        entries
            .map(|entry| key(&entry["resource"]))
            .collect::<Vec<_>>()
    };
    let included = of("include");
    let distinct: BTreeSet<String> = included.iter().cloned().collect();
    assert_eq!(distinct.len(), included.len(), "included twice on a page");
    let links = bundle["link"].as_array().expect("links");
    let next = links
        .iter()
        .find(|link| link["relation"] == "next")
        .map(|link| {
            let url = link["url"].as_str().expect("a URL");
            let base = rorqual::engine::DEFAULT_BASE_URL;
            url.strip_prefix(base).expect("ours")[1..].to_owned()
        });
    Page {
        matches: of("match"),
        included: distinct,
        total: bundle["total"].as_u64().expect("a total"),
        next,
    }
}

/// All matches of a search, each once, and whatever came along.
fn walk(engine: &Engine, search: &str, mut between: impl FnMut(&Page)) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut next = Some(search.to_owned());
    let mut total = None;
    while let Some(search) = next {
        let page = page(engine, &search);
        assert_eq!(*total.get_or_insert(page.total), page.total);
        for one in &page.matches {
            assert!(found.insert(one.clone()), "{one} twice");
        }
        between(&page);
        next = page.next;
    }
    assert_eq!(found.len() as u64, total.unwrap_or(0));
    found
}

#[test]
fn a_walk_is_of_one_state_while_generations_change_underneath() {
    let mut directory = Directory::new(40, 3);
    let made = Made::of(&directory.extract());
    let engine = made.engine();
    for count in [7, 3] {
        let began = directory.clone();
        let mut swaps = 0;
        let found = walk(
            &engine,
            &format!("HealthcareService?{INCLUDES}&_count={count}"),
            |page| {
                // The includes of a page are those of its matches, whole, as they were at the beginning.
                let expected: BTreeSet<String> = page
                    .matches
                    .iter()
                    .flat_map(|offer| began.belongings(offer))
                    .collect();
                assert_eq!(page.included, expected);
                directory.change();
                directory.change();
                made.rebuild(&directory.extract());
                assert!(engine.refresh().expect("the new generation opens"));
                swaps += 1;
            },
        );
        assert_eq!(found, began.offers().cloned().collect());
        assert!(swaps >= 5, "{swaps} swaps");
        assert_ne!(directory.resources, began.resources);
    }
}

#[test]
fn deltas_find_offers_by_their_own_change_by_those_above_and_by_any_part() {
    let mut directory = Directory::new(40, 4);
    for _ in 0..30 {
        directory.change();
    }
    let engine = Made::of(&directory.extract()).engine();
    let mut kinds = BTreeSet::new();
    for since in [0, 1, 10, 20, 25, 28, 29, 30, 31] {
        let at = instant(since);
        let offers = |wanted: &dyn Fn(&String) -> bool| -> BTreeSet<String> {
            directory
                .offers()
                .filter(|offer| wanted(offer))
                .cloned()
                .collect()
        };
        let own = |offer: &String| directory.changed(offer, since);
        let above = |offer: &String| {
            directory
                .above(offer)
                .iter()
                .any(|key| directory.changed(key, since))
        };
        let any = |offer: &String| {
            own(offer)
                || directory
                    .belongings(offer)
                    .iter()
                    .any(|key| directory.changed(key, since))
        };
        let part = format!(
            "_lastUpdated ge {at} or organization._lastUpdated:above ge {at} or location._lastUpdated ge {at} \
             or _has:PractitionerRole:service:_lastUpdated ge {at} \
             or _has:PractitionerRole:service:practitioner._lastUpdated ge {at}"
        );
        for (name, criterion, expected) in [
            ("own", format!("_lastUpdated=ge{at}"), offers(&own)),
            (
                "above",
                format!("organization._lastUpdated:above=ge{at}"),
                offers(&above),
            ),
            (
                "above, older spelling",
                format!("organization:above._lastUpdated=ge{at}"),
                offers(&above),
            ),
            (
                "own or above",
                format!(
                    "_filter=(_lastUpdated ge {at} or organization._lastUpdated:above ge {at})"
                ),
                offers(&|offer| own(offer) || above(offer)),
            ),
            ("any part", format!("_filter={part}"), offers(&any)),
        ] {
            let criterion = criterion.replace(' ', "%20");
            let search = format!("HealthcareService?{criterion}&{INCLUDES}&_count=9");
            let found = walk(&engine, &search, |page| {
                let expected: BTreeSet<String> = page
                    .matches
                    .iter()
                    .flat_map(|offer| directory.belongings(offer))
                    .collect();
                assert_eq!(page.included, expected, "{name} since {at}");
            });
            assert_eq!(found, expected, "{name} since {at}");
            if !found.is_empty() && found.len() < directory.offers().count() {
                kinds.insert(name);
            }
        }
    }
    assert_eq!(
        kinds.len(),
        5,
        "only {kinds:?} told some offers from others"
    );
}
