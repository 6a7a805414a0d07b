//! The national profiles over the whole small extract: nothing of what a profile must not see is anywhere in its view.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::rc::Rc;

use rorqual_access::{Redacted, Survey};
use rorqual_schema::{Node, ResourceType};
use serde_json::Value;

use crate::scene::national;

fn extract() -> Vec<(ResourceType, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/extract");
    let mut lines = Vec::new();
    for kind in ResourceType::ALL {
        let file =
            std::fs::File::open(folder.join(format!("{kind}.ndjson.zst"))).expect("the extract");
        let reader = BufReader::new(zstd::Decoder::new(file).expect("zstd"));
        for line in reader.split(b'\n') {
            let line = line.expect("readable");
            if !line.is_empty() {
                lines.push((kind, line));
            }
        }
    }
    lines
}

type View = BTreeMap<(ResourceType, String), (Rc<Value>, bool)>;

/// The views of the profiles asked for, the resources that are no usable JSON left out; each resource with whether it is whole.
fn views(profiles: &[&str]) -> (View, Vec<View>) {
    let lines = extract();
    let mut survey = Survey::new();
    let mut kept: BTreeMap<(ResourceType, String), &[u8]> = BTreeMap::new();
    for (kind, line) in &lines {
        let Ok(node) = Node::parse(line) else {
            continue;
        };
        let id = node.get("id").and_then(Node::as_str);
        let fits = node.get("resourceType").and_then(Node::as_str) == Some(kind.name());
        if let (Some(id), true) = (id, fits) {
            survey.note(*kind, &node);
            kept.insert((*kind, id.to_owned()), line);
        }
    }
    let directory = survey.finish();
    let parsed = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).expect("JSON");
    let whole: View = kept
        .iter()
        .map(|(key, line)| (key.clone(), (Rc::new(parsed(line)), true)))
        .collect();
    let policy = national();
    let views = profiles.iter().map(|name| {
        let rules = policy.profile(name).expect("there").rules();
        let visibility = directory.visibility(rules);
        let mut view = View::new();
        for ((kind, id), line) in &kept {
            let node = Node::parse(line).expect("parsed before");
            let facts = directory.facts(*kind, id);
            match rules.redact(*kind, line, &node, facts, &|target| {
                visibility.holds(&target)
            }) {
                Ok(Redacted::Hidden) => {}
                Ok(Redacted::Whole) => {
                    let key = (*kind, id.clone());
                    let received = Rc::clone(&whole[&key].0);
                    view.insert(key, (received, true));
                }
                Ok(Redacted::Partial(bytes)) => {
                    let again = Node::parse(&bytes).expect("still JSON");
                    let again = rules.redact(*kind, &bytes, &again, facts, &|target| {
                        visibility.holds(&target)
                    });
                    assert_eq!(again, Ok(Redacted::Whole), "{kind}/{id}, profile {name}");
                    view.insert((*kind, id.clone()), (Rc::new(parsed(&bytes)), false));
                }
                Err(error) => panic!("{kind}/{id}: {error}"),
            }
        }
        view
    });
    let views = views.collect();
    (whole, views)
}

/// Every text in a value, with the names on the way to it.
fn walk<'v>(
    value: &'v Value,
    way: &mut Vec<&'v str>,
    visit: &mut dyn FnMut(&[&'v str], &'v Value),
) {
    visit(way, value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, way, visit)),
        Value::Object(members) => {
            for (name, value) in members {
                way.push(name);
                walk(value, way, visit);
                way.pop();
            }
        }
        _ => {}
    }
}

/// The levels, ids referred to and extension URLs found in a view.
#[derive(Default)]
struct Found {
    levels: BTreeSet<String>,
    references: BTreeSet<String>,
    urls: BTreeSet<String>,
    statuses: BTreeSet<String>,
}

fn found(view: &View) -> Found {
    let mut found = Found::default();
    for (resource, _) in view.values() {
        walk(resource, &mut Vec::new(), &mut |_, value| {
            let Some(url) = value.get("url").and_then(Value::as_str) else {
                if let Some(text) = value.get("reference").and_then(Value::as_str) {
                    found.references.insert(text.to_owned());
                }
                return;
            };
            let short = url.rsplit('/').next().unwrap_or(url);
            found.urls.insert(short.to_owned());
            let code = value["valueCodeableConcept"]["coding"][0]["code"].as_str();
            if let Some(code) = code {
                if short.ends_with("confidentiality-level") {
                    found.levels.insert(code.to_owned());
                }
                if short == "capacityStatus" {
                    found.statuses.insert(code.to_owned());
                }
            }
        });
    }
    found
}

fn is_sensitive(resource: &Value) -> bool {
    resource["extension"].as_array().is_some_and(|extensions| {
        extensions.iter().any(|extension| {
            extension["url"]
                .as_str()
                .is_some_and(|url| url.ends_with("sensitive-unit"))
                && extension["valueBoolean"] == true
        })
    })
}

#[test]
fn no_view_of_the_extract_holds_what_its_profile_must_not_see() {
    let (whole, views) = views(&["0", "1", "2", "3", "4", "5"]);
    assert!(whole.len() > 10_000, "{}", whole.len());
    let all = found(&whole);
    assert!(
        ["1", "2", "3"]
            .iter()
            .all(|level| all.levels.contains(*level))
    );
    let sensitive: BTreeSet<&str> = whole
        .iter()
        .filter(|((kind, _), (resource, _))| {
            *kind == ResourceType::HealthcareService && is_sensitive(resource)
        })
        .map(|((_, id), _)| id.as_str())
        .collect();
    assert!(sensitive.len() > 10);

    assert_eq!(views[1], whole, "profile 1 sees everything");
    let levels = [
        &["1"][..],
        &["1", "2", "3"],
        &["1", "2"],
        &["1", "2"],
        &["1"],
        &["1", "2"],
    ];
    let contents: Vec<Found> = views.iter().map(found).collect();
    for (number, (view, seen)) in views.iter().zip(&contents).enumerate() {
        let seen_levels: Vec<&str> = seen.levels.iter().map(String::as_str).collect();
        assert_eq!(seen_levels, levels[number], "profile {number}");
        if number == 1 {
            continue;
        }
        assert!(view.len() < whole.len());
        let organizations = |view: &View| {
            view.keys()
                .filter(|(kind, _)| *kind == ResourceType::Organization)
                .count()
        };
        assert_eq!(
            organizations(view),
            organizations(&whole),
            "profile {number}"
        );
        assert!(!view.keys().any(|(kind, _)| *kind == ResourceType::Task));
        for hidden in [
            "ror-organization-drop-zone",
            "ror-organization-level-recours-orsan",
        ] {
            assert!(all.urls.contains(hidden));
            assert_eq!(
                seen.urls.contains(hidden),
                number == 4,
                "profile {number}: {hidden}"
            );
        }
        for reference in &seen.references {
            let (kind, id) = reference.split_once('/').expect("relative references");
            let kind = ResourceType::from_name(kind).expect("a type of the directory");
            assert!(
                view.contains_key(&(kind, id.to_owned())),
                "profile {number}: {reference}"
            );
        }
        if number != 4 {
            for id in &sensitive {
                let key = (ResourceType::HealthcareService, (*id).to_owned());
                assert!(!view.contains_key(&key), "profile {number}");
            }
        }
        for (key, (resource, is_whole)) in view {
            let tagged = crate::scene::is_subsetted(resource);
            assert_eq!(tagged, !is_whole, "{key:?}");
            let received = &whole[key].0;
            assert!(*is_whole || resource != received, "{key:?}");
        }
    }
    assert!(
        all.statuses.contains("06") && all.statuses.len() > 4,
        "{:?}",
        all.statuses
    );
    assert!(contents[0].statuses.is_empty());
    assert!(!contents[2].statuses.contains("06"));
    assert_eq!(contents[5].statuses, BTreeSet::from(["01".to_owned()]));
    assert_eq!(contents[4].statuses, all.statuses);
    let untouched = views[2].values().filter(|(_, whole)| *whole).count();
    assert!(
        untouched * 2 > views[2].len(),
        "{untouched} of {}",
        views[2].len()
    );
}
