//! Every accepted request finds what the fixtures say, with its includes, in Bundles that are whole.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;

use crate::documents::{Expect, Handling, Request};
use crate::page::{Entry, Page};
use crate::report;
use crate::served::served;

/// Kilometres of the published proximity searches.
const RADIUS_KM: f64 = 15.0;

/// Keys of all matches, in the order of the pages.
pub fn matches(pages: &[Page]) -> Vec<&str> {
    pages.iter().flat_map(|page| page.keys("match")).collect()
}

pub fn every_accepted_search_finds_what_the_fixtures_say() {
    let (mut checked, mut complaints) = (0, Vec::new());
    for search in served().searches() {
        checked += 1;
        let mut complain = |what: String| {
            complaints.push(format!(
                "{}: {what}\n    {}",
                search.request.name(),
                search.request.target
            ));
        };
        let pages = match search.pages {
            Ok(pages) => pages,
            Err(why) => {
                complain(format!("not answered: {why}"));
                continue;
            }
        };
        let found = matches(pages);
        let distinct: BTreeSet<_> = found.iter().copied().collect();
        if distinct.len() != found.len() {
            complain("a match stands on two pages".to_owned());
        }
        for page in pages {
            if page.total != Some(found.len() as u64) {
                complain(format!(
                    "total {:?}, {} matches on all pages",
                    page.total,
                    found.len()
                ));
            }
        }
        let (missing, unwanted): (Vec<_>, Vec<_>) = (
            (search.request.matches.iter())
                .filter(|key| !distinct.contains(key.as_str()))
                .collect(),
            (search.request.near_misses.iter())
                .filter(|key| distinct.contains(key.as_str()))
                .collect(),
        );
        if !missing.is_empty() || !unwanted.is_empty() {
            complain(format!(
                "misses {missing:?}, finds {unwanted:?} that it must not; {} found",
                found.len()
            ));
        }
        if search.request.expect == Expect::Empty && !found.is_empty() {
            complain(format!("finds {} where nothing matches", found.len()));
        }
    }
    report("searches", checked, &complaints);
}

pub fn what_the_fixtures_promise_exists() {
    let served = served();
    let (mut checked, mut complaints) = (0, Vec::new());
    for request in &served.requests {
        for key in request.matches.iter().chain(&request.near_misses) {
            checked += 1;
            if !served.directory.keys.contains(key) {
                complaints.push(format!("{}: {key} is not served", request.name()));
            }
        }
    }
    report("promised resources", checked, &complaints);
}

pub fn bundles_are_whole() {
    let (mut checked, mut complaints) = (0, Vec::new());
    for (request, pages) in served().answered() {
        checked += 1;
        let mut faults: Vec<String> = pages.iter().flat_map(|page| page.faults.clone()).collect();
        for page in pages {
            let matches = page.keys("match").count();
            let strange: BTreeSet<_> = (page.keys("match"))
                .filter(|key| !key.starts_with(&format!("{}/", request.kind())))
                .collect();
            if !strange.is_empty() {
                faults.push(format!("{strange:?} have the mode match"));
            }
            if matches > 200 {
                faults.push(format!("{matches} matches on a page of 200"));
            }
        }
        complaints.extend(
            faults
                .into_iter()
                .map(|fault| format!("{}: {fault}", request.name())),
        );
    }
    report("Bundles", checked, &complaints);
}

pub fn variants_of_one_search_find_the_same() {
    let served = served();
    let all: BTreeMap<String, BTreeSet<&str>> = served
        .answered()
        .map(|(request, pages)| (request.name(), matches(pages).into_iter().collect()))
        .collect();
    let (mut checked, mut complaints) = (0, Vec::new());
    for search in served.searches() {
        let Some(other) = &search.request.same_result_as else {
            continue;
        };
        checked += 1;
        let other = format!("{}/{other}", search.request.scenario);
        let own = search.request.name();
        match (all.get(&own), all.get(&other)) {
            (Some(mine), Some(theirs)) if mine == theirs => {}
            (Some(mine), Some(theirs)) => complaints.push(format!(
                "{own}: {} matches, {other} has {}; they differ in {:?}",
                mine.len(),
                theirs.len(),
                mine.symmetric_difference(theirs)
                    .take(5)
                    .collect::<Vec<_>>()
            )),
            (mine, _) => complaints.push(format!(
                "{}: was not answered",
                if mine.is_none() { own } else { other }
            )),
        }
    }
    report("variants", checked, &complaints);
}

pub fn proximity_gives_distances_nearest_first() {
    let (mut checked, mut complaints) = (0, Vec::new());
    for (request, pages) in served().answered() {
        let places: Vec<&Entry> = (pages.iter())
            .flat_map(|page| &page.entries)
            .filter(|entry| entry.kind() == "Location")
            .collect();
        let near = request.query().contains("near");
        checked += usize::from(near);
        let name = request.name();
        for place in &places {
            if place.distance.is_some() != (near && place.has_position) {
                complaints.push(format!(
                    "{name}: {} has the distance {:?}",
                    place.key, place.distance
                ));
            }
        }
        let distances: Vec<f64> = places
            .iter()
            .filter(|place| place.mode == "match")
            .filter_map(|place| place.distance)
            .collect();
        if !distances.is_sorted() {
            complaints.push(format!("{name}: not nearest first"));
        }
        if distances.iter().any(|distance| *distance > RADIUS_KM) {
            complaints.push(format!("{name}: {distances:?} go beyond {RADIUS_KM} km"));
        }
    }
    report("proximity searches", checked, &complaints);
}

pub fn full_text_is_scored_best_first() {
    let (mut checked, mut complaints) = (0, Vec::new());
    for (request, pages) in served().answered() {
        if !request.query().starts_with("_content=") {
            continue;
        }
        checked += 1;
        let scores: Vec<Option<f64>> = (pages.iter())
            .flat_map(|page| &page.entries)
            .filter(|entry| entry.mode == "match")
            .map(|entry| entry.score)
            .collect();
        let in_range = |score: &Option<f64>| score.is_some_and(|score| score > 0.0 && score <= 1.0);
        if !scores.iter().all(in_range) || !scores.iter().rev().is_sorted() {
            complaints.push(format!("{}: scores {scores:?}", request.name()));
        }
    }
    report("full-text searches", checked, &complaints);
}

pub fn sorted_searches_are_sorted() {
    let (mut checked, mut complaints) = (0, Vec::new());
    for (request, pages) in served().answered() {
        if !request.query().contains("_sort=_lastUpdated") {
            continue;
        }
        checked += 1;
        let instants: Vec<_> = (pages.iter())
            .flat_map(|page| &page.entries)
            .filter(|entry| entry.mode == "match")
            .map(|entry| {
                let written = entry.last_updated.as_deref().unwrap_or_default();
                DateTime::parse_from_rfc3339(written).ok()
            })
            .collect();
        if instants.iter().any(Option::is_none) || !instants.is_sorted() {
            complaints.push(format!("{}: not in the order asked for", request.name()));
        }
    }
    report("sorted searches", checked, &complaints);
}

pub fn chosen_elements_come_alone() {
    const ALWAYS: [&str; 3] = ["resourceType", "id", "meta"];
    let (mut checked, mut complaints) = (0, Vec::new());
    for (request, pages) in served().answered() {
        if !request.query().contains("_elements=identifier") {
            continue;
        }
        checked += 1;
        let entries = pages.iter().flat_map(|page| &page.entries);
        for entry in entries.filter(|entry| entry.mode == "match") {
            let surplus: Vec<_> = (entry.elements.iter())
                .filter(|name| *name != "identifier" && !ALWAYS.contains(&name.as_str()))
                .collect();
            let lacks = !entry.elements.iter().any(|name| name == "identifier");
            if !surplus.is_empty() || lacks || !entry.subsetted {
                complaints.push(format!(
                    "{}: {} has also {surplus:?}, lacks its identifier: {lacks}, says so: {}",
                    request.name(),
                    entry.key,
                    entry.subsetted
                ));
                break;
            }
        }
    }
    report("searches for elements", checked, &complaints);
}

pub fn reads_give_the_resource_itself() {
    let served = served();
    let mut connection = served.connect();
    let (mut checked, mut complaints) = (0, Vec::new());
    let reads = |request: &&Request| {
        request.is_sendable_get()
            && request.handling == Handling::Accept
            && (request.expect == Expect::Read || request.path() == "/metadata")
    };
    for request in served.requests.iter().filter(reads) {
        checked += 1;
        let response = served.send(&mut connection, "GET", request, &request.target, &[], b"");
        let (kind, id) = match request.path() {
            "/metadata" => ("CapabilityStatement", None),
            path => (request.kind(), path.split('/').nth(2)),
        };
        let right = response.json().is_ok_and(|resource| {
            resource["resourceType"] == kind && (id.is_none() || resource["id"].as_str() == id)
        });
        let versioned = id.is_none() || response.header("etag").is_some();
        if response.status != 200 || !right || !versioned {
            complaints.push(format!(
                "{}: status {}, the {kind} asked for: {right}, with an ETag: {versioned}",
                request.name(),
                response.status
            ));
        }
    }
    report("reads", checked, &complaints);
}
