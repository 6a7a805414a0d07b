//! A search parameter is one JSON file: invented here, it works in every way; one of a known code replaces it.

use rorqual::server::ServerConfig;
use serde_json::{Value, json};

use crate::built::{Built, ids};
use crate::http::Server;

const FLOOR: &str = "urn:test:floor";

/// A SearchParameter resource.
fn parameter(code: &str, base: &str, kind: &str, expression: &str) -> String {
    json!({
        "resourceType": "SearchParameter", "id": code, "url": format!("urn:test:parameter:{code}"),
        "name": code, "status": "active", "description": format!("Invented {code}."),
        "code": code, "base": [base], "type": kind, "expression": expression,
    })
    .to_string()
}

fn lines() -> Vec<String> {
    let place = |id: &str, floor: Option<i64>, name: &str, alias: &str| {
        let mut out = json!({"resourceType": "Location", "id": id, "name": name, "alias": [alias], "status": "active"});
        if let Some(floor) = floor {
            out["extension"] = json!([{"url": FLOOR, "valueInteger": floor}]);
        }
        out.to_string()
    };
    let offer = |id: &str, name: &str, comment: &str, place: &str| {
        json!({"resourceType": "HealthcareService", "id": id, "name": name, "comment": comment,
            "location": [{"reference": format!("Location/{place}")}]})
        .to_string()
    };
    vec![
        place("cellar", Some(-1), "Cave", "Nord"),
        place("ground", Some(0), "Accueil", "Sud"),
        place("third", Some(3), "Consultations", "Nord"),
        place("unknown", None, "Annexe", "Est"),
        offer("below", "Imagerie", "Urgences", "cellar"),
        offer("above", "Urgences", "Imagerie", "third"),
        offer("aside", "Accueil", "Annexe", "unknown"),
    ]
}

/// An index whose schema has `floor` and `storey-name` in addition, and another `name` of offers.
fn built() -> Built {
    let built = Built::empty();
    let floor = format!("Location.extension.where(url='{FLOOR}').value.as(integer)");
    built.write(
        "schema/floor.json",
        &parameter("floor", "Location", "number", &floor),
    );
    let alias = parameter("storey-name", "Location", "string", "Location.alias");
    built.write("schema/storey-name.json", &alias);
    let name = parameter(
        "name",
        "HealthcareService",
        "string",
        "HealthcareService.comment",
    );
    let folder = built.write("schema/name.json", &name);
    let folder = folder.parent().map(std::path::Path::to_owned);
    built.rebuild_with(&lines(), |options| options.schema = folder);
    built
}

#[test]
fn it_searches_sorts_chains_and_filters() {
    let built = built();
    let engine = built.engine();
    for (search, expected) in [
        ("Location?floor=3", &["third"][..]),
        ("Location?floor=ge0&_sort=floor", &["ground", "third"]),
        ("Location?floor=0,-1&_sort=_id", &["cellar", "ground"]),
        ("Location?floor:missing=true", &["unknown"]),
        (
            "Location?floor:missing=false&_sort=-floor",
            &["third", "ground", "cellar"],
        ),
        (
            "Location?_sort=floor",
            &["cellar", "ground", "third", "unknown"],
        ),
        ("Location?storey-name=nord&_sort=_id", &["cellar", "third"]),
        ("Location?storey-name:exact=Sud", &["ground"]),
        ("Location?storey-name:contains=ST", &["unknown"]),
        ("HealthcareService?location.floor=lt0", &["below"]),
        ("HealthcareService?location.floor:missing=true", &["aside"]),
        (
            "Location?_has:HealthcareService:location:name=imagerie&floor=gt1",
            &["third"],
        ),
        (
            "Location?_filter=floor%20gt%200%20or%20storey-name%20eq%20sud&_sort=_id",
            &["ground", "third"],
        ),
    ] {
        assert_eq!(ids(&engine, search), expected, "{search}");
    }
    built.is_sound();
}

#[test]
fn one_of_a_known_code_replaces_it() {
    let built = built();
    let engine = built.engine();
    assert_eq!(ids(&engine, "HealthcareService?name=imagerie"), ["above"]);
    assert_eq!(ids(&engine, "HealthcareService?name=accueil"), [""; 0]);
    // On other types the code means what it meant.
    let plain = Built::of(&lines());
    assert_eq!(
        ids(&plain.engine(), "HealthcareService?name=imagerie"),
        ["below"]
    );
    let error = plain
        .engine()
        .search("Location?floor=3")
        .err()
        .expect("not a parameter here");
    assert_eq!(error.status(), 400);
    assert!(
        error
            .to_string()
            .contains("floor is not a parameter of Location"),
        "{error}"
    );
}

#[test]
fn its_values_are_checked_like_any_other() {
    let built = built();
    for search in [
        "Location?floor=high",
        "Location?floor:exact=3",
        "Location?storey-name=",
        "Location?flor=3",
    ] {
        let error = built
            .engine()
            .search(search)
            .err()
            .unwrap_or_else(|| panic!("{search}"));
        assert_eq!(error.status(), 400, "{search}: {error}");
    }
    let near = built
        .engine()
        .search("Location?flor=3")
        .err()
        .expect("unknown");
    assert!(near.to_string().contains("nearest: floor"), "{near}");
}

#[test]
fn the_capability_statement_announces_it() {
    let built = built();
    let server = Server::start(&built.index, ServerConfig::default());
    let statement = server.get("/fhir/metadata");
    assert_eq!(statement.status, 200);
    let of = |kind: &str, code: &str| -> Vec<Value> {
        let resources = statement.json["rest"][0]["resource"]
            .as_array()
            .expect("resources");
        let resource = resources
            .iter()
            .find(|one| one["type"] == kind)
            .expect("the type");
        let list = resource["searchParam"]
            .as_array()
            .expect("parameters")
            .iter();
        list.filter(|one| one["name"] == code).cloned().collect()
    };
    let floor = of("Location", "floor");
    assert_eq!(floor.len(), 1);
    assert_eq!(floor[0]["type"], "number");
    assert_eq!(floor[0]["definition"], "urn:test:parameter:floor");
    let said = floor[0]["documentation"].as_str().expect("a documentation");
    assert!(said.starts_with("Invented floor"), "{said}");
    let name = of("HealthcareService", "name");
    assert_eq!(name.len(), 1, "replaced, not added");
    assert_eq!(name[0]["definition"], "urn:test:parameter:name");
    assert_eq!(server.get("/fhir/Location?floor=3").json["total"], 1);
}

#[test]
fn the_next_build_without_it_forgets_it() {
    let built = built();
    let engine = built.engine();
    assert_eq!(ids(&engine, "Location?floor=3"), ["third"]);
    built.rebuild(&lines());
    assert!(engine.refresh().expect("the new generation opens"));
    let error = engine
        .search("Location?floor=3")
        .err()
        .expect("not a parameter any more");
    assert_eq!(error.status(), 400);
    assert_eq!(ids(&engine, "HealthcareService?name=imagerie"), ["below"]);
}
