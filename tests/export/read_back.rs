//! An export read back as an extract gives an index that answers as the first one does.

use std::collections::{BTreeMap, BTreeSet};

use rorqual::export::Jobs;
use rorqual::{Engine, ResourceType};
use rorqual_schema::{ParameterType, Schema};
use serde_json::Value;

use crate::documents::{Expect, requests};
use crate::made::{Made, WHOLE, done, texts};

/// What a search finds on all its pages: matches in their order, and what comes along, with distances and scores.
type Found = (u64, Vec<Value>, BTreeMap<String, Value>);

fn found(engine: &Engine, search: &str) -> Result<Found, String> {
    let mut total = 0;
    let (mut matches, mut included) = (Vec::new(), BTreeMap::new());
    let mut next = Some(search.to_owned());
    while let Some(search) = next {
        let answer = engine
            .search(&search)
            .map_err(|error| format!("{error:?}"))?;
        total = answer.total;
        let bundle: Value = serde_json::from_slice(&answer.to_vec()).expect("a Bundle");
        for entry in bundle["entry"].as_array().into_iter().flatten() {
            let url = entry["fullUrl"].as_str().unwrap_or_default().to_owned();
            match entry["search"]["mode"].as_str() {
                Some("match") => matches.push(entry.clone()),
                Some("include") => drop(included.insert(url, entry.clone())),
                _ => {}
            }
        }
        let links = bundle["link"].as_array().expect("links");
        next = links
            .iter()
            .find(|link| link["relation"] == "next")
            .map(|link| {
                let url = link["url"].as_str().expect("a URL");
                url[rorqual::engine::DEFAULT_BASE_URL.len() + 1..].to_owned()
            });
    }
    Ok((total, matches, included))
}

/// The documented searches, except those that concern anomalies: exports leave them out.
fn documented() -> BTreeSet<String> {
    let searches = requests()
        .into_iter()
        .filter(|one| one.is_sendable_get() && one.is_accepted())
        .filter(|one| matches!(one.expect, Expect::Found | Expect::Empty))
        .map(|one| one.target.trim_start_matches('/').to_owned());
    searches
        .filter(|search| !search.contains("Task") && !search.contains("focus"))
        .collect()
}

/// Each parameter of each type: with and without a value, and sorted by, in both directions.
fn systematic() -> Vec<String> {
    let schema = Schema::embedded().expect("the embedded schema");
    let mut out = Vec::new();
    for kind in rorqual::export::EXPORTED {
        for parameter in schema.parameters(kind) {
            let (kind, code) = (kind.name(), &parameter.code);
            if matches!(parameter.kind, ParameterType::Special) || code.starts_with("_content") {
                continue;
            }
            out.extend(
                ["true", "false"]
                    .map(|missing| format!("{kind}?{code}:missing={missing}&_count=1000")),
            );
            if !matches!(parameter.kind, ParameterType::Reference) {
                out.extend(["", "-"].map(|sign| format!("{kind}?_sort={sign}{code}&_count=1000")));
            }
        }
    }
    out
}

fn read_back(engine: &Engine, query: &str) -> Engine {
    let job = done(&Jobs::default(), engine.full(), query);
    let made = Made::empty();
    made.rebuild_from("export.ndjson", &texts(&job).concat());
    let engine = made.engine();
    // The engine holds its files open; the folder may go.
    drop(made);
    engine
}

fn compare(first: &Engine, second: &Engine, searches: impl IntoIterator<Item = String>) -> usize {
    let mut told = 0;
    let mut checked = 0;
    for search in searches {
        let (one, two) = (found(first, &search), found(second, &search));
        // Some parameters cannot be sorted by: then both say so.
        told += usize::from(one.as_ref().is_ok_and(|(total, ..)| *total > 0));
        assert!(
            one == two,
            "{search}: {:?} before, {:?} after",
            one.map(|one| one.0),
            two.map(|two| two.0)
        );
        checked += 1;
    }
    assert!(
        told * 3 > checked,
        "{told} of {checked} searches found anything"
    );
    checked
}

#[test]
fn the_whole_directory_read_back_answers_everything_identically() {
    let made = Made::of_fixtures(None);
    let engine = made.engine();
    for form in ["ndjson", "application/json"] {
        let query = format!("{WHOLE}&_outputFormat={form}");
        let second = match form {
            "ndjson" => read_back(&engine, &query),
            _ => {
                let job = done(&Jobs::default(), engine.full(), &query);
                let made = Made::empty();
                // Bundles one after the other are what a folder of files is.
                made.rebuild_from("export.json", &texts(&job).join("\n"));
                made.engine()
            }
        };
        for kind in rorqual::export::EXPORTED {
            assert_eq!(second.snapshot().len(kind), engine.snapshot().len(kind));
        }
        assert_eq!(second.snapshot().len(ResourceType::Task), 0);
        let documented = compare(&engine, &second, documented());
        assert!(documented > 120, "{documented}");
        if form == "ndjson" {
            let systematic = compare(&engine, &second, systematic());
            assert!(systematic > 150, "{systematic}");
        }
    }
}

#[test]
fn what_belongs_to_offers_read_back_answers_searches_of_offers_identically() {
    let engine = Made::of_fixtures(None).engine();
    let second = read_back(&engine, "");
    let smaller = second.snapshot().len(ResourceType::Location)
        < engine.snapshot().len(ResourceType::Location);
    assert!(smaller, "the extract has places without offers");
    let offers = documented()
        .into_iter()
        .filter(|search| search.starts_with("HealthcareService"));
    assert!(compare(&engine, &second, offers) > 60);
}
