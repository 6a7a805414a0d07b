//! What a delta shares with the live generation: the files that a rebuild would write again byte for byte, and no others.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use serde_json::{Value, json};

use crate::delta::{assert_same, delta};
use crate::extract::ndjson;
use crate::index::current;
use crate::process::build;

/// One resource of each kind and its neighbours: an offer that names its organisation by an identifier, another by its id.
fn directory() -> BTreeMap<&'static str, Value> {
    let of = |kind: &str, id: &str, more: Value| {
        let mut resource = json!({
            "resourceType": kind, "id": id,
            "meta": {"lastUpdated": "2026-01-05T08:00:00+01:00"},
        });
        for (name, value) in more.as_object().expect("members") {
            resource[name] = value.clone();
        }
        resource
    };
    BTreeMap::from([
        (
            "group",
            of(
                "Organization",
                "group",
                json!({"name": "Groupe", "identifier": [{"system": "urn:n", "value": "1"}]}),
            ),
        ),
        (
            "clinic",
            of(
                "Organization",
                "clinic",
                json!({"name": "Clinique", "identifier": [{"system": "urn:n", "value": "2"}],
                    "partOf": {"reference": "Organization/group"}}),
            ),
        ),
        (
            "first",
            of(
                "HealthcareService",
                "first",
                json!({"name": "Urgences", "providedBy": {"reference": "Organization/group"},
                    "location": [{"reference": "Location/north"}]}),
            ),
        ),
        (
            "second",
            of(
                "HealthcareService",
                "second",
                json!({"name": "Imagerie", "providedBy": {"identifier": {"system": "urn:n", "value": "2"}},
                    "location": [{"reference": "Location/south"}]}),
            ),
        ),
        (
            "north",
            of(
                "Location",
                "north",
                json!({"name": "Nord", "position": {"latitude": 47.2, "longitude": -1.5}}),
            ),
        ),
        (
            "south",
            of(
                "Location",
                "south",
                json!({"name": "Sud", "position": {"latitude": 47.1, "longitude": -1.5}}),
            ),
        ),
        (
            "person",
            of(
                "Practitioner",
                "person",
                json!({"identifier": [{"value": "81"}]}),
            ),
        ),
        (
            "role",
            of(
                "PractitionerRole",
                "role",
                json!({"practitioner": {"reference": "Practitioner/person"},
                    "healthcareService": [{"reference": "HealthcareService/first"}]}),
            ),
        ),
    ])
}

fn lines(resources: &BTreeMap<&str, Value>) -> Vec<u8> {
    let lines: Vec<String> = resources.values().map(Value::to_string).collect();
    ndjson(&lines)
}

/// The same file in two generations?
fn is_shared(index: &Path, before: &str, name: &str) -> bool {
    let inode = |generation: &str| {
        let path = index.join("generations").join(generation).join(name);
        fs::metadata(path).expect("a file of a generation").ino()
    };
    inode(before) == inode(&current(index))
}

/// Applies a change, asserts that what comes out is a rebuild, and that these and no other types share their bodies and packs.
fn check(what: &str, change: impl Fn(&mut BTreeMap<&str, Value>), bodies: &[&str], packs: &[&str]) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str| folder.path().join(name);
    let before = directory();
    let mut after = directory();
    change(&mut after);
    let gone: Vec<String> = before
        .iter()
        .filter(|(name, _)| !after.contains_key(*name))
        .map(|(_, of)| {
            format!(
                "{}/{}",
                of["resourceType"].as_str().unwrap_or_default(),
                of["id"].as_str().unwrap_or_default()
            )
        })
        .collect();
    let changed: BTreeMap<&str, Value> = after
        .iter()
        .filter(|(name, resource)| before.get(*name) != Some(*resource))
        .map(|(name, resource)| (*name, resource.clone()))
        .collect();
    fs::write(file("before.ndjson"), lines(&before)).expect("a writable folder");
    fs::write(file("after.ndjson"), lines(&after)).expect("a writable folder");
    fs::write(file("changed.ndjson"), lines(&changed)).expect("a writable folder");
    fs::write(file("gone.txt"), gone.join("\n")).expect("a writable folder");
    let (made, rebuilt) = (file("made"), file("rebuilt"));
    build(&[file("before.ndjson")], &made).exits(0);
    build(&[file("after.ndjson")], &rebuilt).exits(0);
    let live = current(&made);
    let changes = (!changed.is_empty()).then(|| file("changed.ndjson"));
    delta(changes.as_deref(), Some(&file("gone.txt")), &made).exits(0);
    assert_same(&made, &rebuilt, what);
    for kind in [
        "HealthcareService",
        "Location",
        "Organization",
        "Practitioner",
        "PractitionerRole",
        "Task",
    ] {
        for (name, shared) in [
            ("bodies.dat", bodies),
            ("bodies.deflate", bodies),
            ("index.pack", packs),
        ] {
            let name = format!("{kind}/{name}");
            assert_eq!(
                is_shared(&made, &live, &name),
                shared.contains(&kind),
                "{what}: {name}"
            );
        }
    }
}

/// Another content, later.
fn set(resources: &mut BTreeMap<&str, Value>, name: &str, member: &str, value: Value) {
    let resource = resources
        .get_mut(name)
        .expect("a resource of the directory");
    resource["meta"]["lastUpdated"] = json!("2026-02-01T08:00:00+01:00");
    resource[member] = value;
}

#[test]
fn an_offer_that_keeps_its_place_changes_offers_only() {
    let others = [
        "Location",
        "Organization",
        "Practitioner",
        "PractitionerRole",
    ];
    let change =
        |all: &mut BTreeMap<&str, Value>| set(all, "first", "name", json!("Urgences de nuit"));
    check("the name of an offer", change, &others, &others);
}

#[test]
fn a_place_changes_what_offers_are_found_by() {
    let others = [
        "HealthcareService",
        "Organization",
        "Practitioner",
        "PractitionerRole",
    ];
    let change = |all: &mut BTreeMap<&str, Value>| set(all, "north", "name", json!("Aile nord"));
    check("the name of a place", change, &others, &others[1..]);
}

#[test]
fn a_place_that_goes_changes_what_offers_lead_to() {
    let others = [
        "HealthcareService",
        "Organization",
        "Practitioner",
        "PractitionerRole",
    ];
    let change = |all: &mut BTreeMap<&str, Value>| {
        all.remove("north");
    };
    check("a withdrawn place", change, &others, &others[1..]);
}

#[test]
fn an_identifier_changes_what_leads_to_it() {
    let others = [
        "HealthcareService",
        "Location",
        "Practitioner",
        "PractitionerRole",
    ];
    let change = |all: &mut BTreeMap<&str, Value>| {
        let other = json!([{"system": "urn:n", "value": "3"}]);
        set(all, "clinic", "identifier", other);
    };
    check(
        "the identifier of an organisation",
        change,
        &others,
        &others[1..],
    );
}

#[test]
fn an_offer_that_moves_moves_what_follows_it() {
    // Its role and its place follow the offer; the other offer is first now.
    let change = |all: &mut BTreeMap<&str, Value>| {
        set(all, "first", "providedBy", json!({"display": "inconnu"}));
    };
    let stay = ["Organization", "Practitioner", "PractitionerRole"];
    check(
        "an offer without its organisation",
        change,
        &stay,
        &["Organization", "Practitioner"],
    );
}

#[test]
fn nothing_changed_is_everything_shared() {
    let all = [
        "HealthcareService",
        "Location",
        "Organization",
        "Practitioner",
        "PractitionerRole",
    ];
    check("nothing", |_| {}, &all, &all);
}
