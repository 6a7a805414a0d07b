//! The same id several times: the later `lastUpdated` stays, then the later line, wherever they stand.

use serde_json::json;

use crate::built::{Built, ask, ids, joined, matches};

fn place(id: &str, updated: Option<&str>, name: &str) -> String {
    let mut out = json!({"resourceType": "Location", "id": id, "name": name, "status": "active"});
    if let Some(updated) = updated {
        out["meta"] = json!({"lastUpdated": updated});
    }
    out.to_string()
}

/// Builds from these files, cut into batches of one record for several threads, and asserts which name the only
/// Location has.
fn stays(files: &[&[String]], name: &str) {
    for threads in [1, 4] {
        let built = Built::empty();
        let sources = files
            .iter()
            .enumerate()
            .map(|(number, lines)| built.write(&format!("{number}.ndjson"), &joined(lines)))
            .collect();
        let report = built
            .build(sources, |options| {
                options.threads = threads;
                options.limits.batch_bytes = 1;
            })
            .unwrap_or_else(|error| panic!("{error}"));
        let lines: usize = files.iter().map(|lines| lines.len()).sum();
        let counts = report.types["Location"];
        assert_eq!(counts.read, lines as u64);
        assert_eq!((counts.indexed, counts.replaced), (1, lines as u64 - 1));
        let engine = built.engine();
        let (bundle, _) = ask(&engine, "Location?_count=10").expect("a sound search");
        let names: Vec<_> = matches(&bundle).map(|found| &found["name"]).collect();
        assert_eq!(names, [name], "{threads} threads");
        built.is_sound();
    }
}

#[test]
fn the_later_last_updated_stays_wherever_it_stands() {
    let old = place("a", Some("2025-01-01T00:00:00Z"), "ancien");
    let new = place("a", Some("2025-06-01T00:00:00Z"), "récent");
    let bare = place("a", None, "sans date");
    stays(&[&[old.clone(), new.clone()]], "récent");
    stays(&[&[new.clone(), old.clone()]], "récent");
    stays(
        &[std::slice::from_ref(&new), std::slice::from_ref(&old)],
        "récent",
    );
    stays(&[&[new, bare.clone(), old.clone()]], "récent");
    // A record without lastUpdated is older than any other.
    stays(&[&[old], &[bare]], "ancien");
}

#[test]
fn instants_are_compared_not_texts() {
    let east = place("a", Some("2025-01-01T01:30:00+02:00"), "est");
    let west = place("a", Some("2024-12-31T20:00:00-04:00"), "ouest");
    stays(&[&[west.clone(), east.clone()]], "ouest");
    stays(&[&[east, west]], "ouest");
    let whole = place("a", Some("2025-01-01T00:00:00Z"), "entier");
    let fraction = place("a", Some("2025-01-01T00:00:00.001Z"), "fraction");
    stays(&[&[fraction, whole]], "fraction");
}

#[test]
fn of_the_same_instant_the_later_line_stays() {
    let same = |name| place("a", Some("2025-01-01T00:00:00Z"), name);
    stays(&[&[same("un"), same("deux"), same("trois")]], "trois");
    stays(
        &[
            &[same("un"), same("deux")],
            &[same("trois")],
            &[same("quatre")],
        ],
        "quatre",
    );
    let bare = |name| place("a", None, name);
    stays(&[&[bare("un")], &[bare("deux")]], "deux");
    // The same instant in another offset is the same instant.
    let east = place("a", Some("2025-01-01T02:00:00+02:00"), "est");
    stays(&[&[east.clone(), same("zoulou")]], "zoulou");
    stays(&[&[same("zoulou"), east]], "est");
}

#[test]
fn many_versions_in_one_shuffled_crowd() {
    let mut lines = Vec::new();
    for version in 0..20 {
        for n in 0..50 {
            // Each id has its own order of versions; the greatest day is number 20.
            let day = (version * 7 + n) % 20 + 1;
            let updated = format!("2025-03-{day:02}T10:00:00Z");
            lines.push(place(
                &format!("p{n}"),
                Some(&updated),
                &format!("jour {day}"),
            ));
        }
    }
    let built = Built::empty();
    let report = built.rebuild_with(&lines, |options| {
        options.threads = 3;
        options.limits.batch_bytes = 100;
    });
    assert_eq!(report.types["Location"].replaced, 950);
    let engine = built.engine();
    let (bundle, _) = ask(&engine, "Location?_count=1000").expect("a sound search");
    assert_eq!(bundle["total"], 50);
    assert!(
        matches(&bundle).all(|found| found["name"] == "jour 20"),
        "{bundle}"
    );
    built.is_sound();
}

#[test]
fn the_same_id_of_another_type_is_another_resource() {
    let lines = [
        place("same", None, "lieu"),
        json!({"resourceType": "Organization", "id": "same", "name": "structure"}).to_string(),
        json!({"resourceType": "HealthcareService", "id": "same", "name": "offre",
            "location": [{"reference": "Location/same"}], "providedBy": {"reference": "Organization/same"}})
        .to_string(),
    ];
    let built = Built::empty();
    let report = built.rebuild(&lines);
    assert_eq!(report.total().replaced, 0);
    let engine = built.engine();
    assert_eq!(
        ids(
            &engine,
            "HealthcareService?organization.name=structure&location=same"
        ),
        ["same"]
    );
}

#[test]
fn what_was_replaced_matches_nothing_and_refers_to_nothing() {
    let offer = |updated: &str, name: &str, place: &str| {
        json!({"resourceType": "HealthcareService", "id": "o", "name": name,
            "meta": {"lastUpdated": updated}, "location": [{"reference": place}]})
        .to_string()
    };
    let lines = [
        offer("2025-06-01T00:00:00Z", "récent", "Location/new"),
        offer("2025-01-01T00:00:00Z", "ancien", "Location/old"),
        offer("2024-01-01T00:00:00Z", "plus ancien", "Location/absent"),
        place("new", None, "lieu"),
        place("old", None, "lieu"),
    ];
    let built = Built::empty();
    let report = built.rebuild(&lines);
    let counts = report.types["HealthcareService"];
    assert_eq!((counts.read, counts.indexed, counts.replaced), (3, 1, 2));
    assert_eq!(
        counts.dangling_references, 0,
        "the replaced one's reference counts no more"
    );
    let engine = built.engine();
    assert_eq!(ids(&engine, "HealthcareService?name=ancien"), [""; 0]);
    assert_eq!(ids(&engine, "HealthcareService?_content=plus"), [""; 0]);
    assert_eq!(ids(&engine, "HealthcareService?location=old"), [""; 0]);
    assert_eq!(ids(&engine, "HealthcareService?location=new"), ["o"]);
    assert_eq!(
        ids(
            &engine,
            "Location?_has:HealthcareService:location:name=ancien"
        ),
        [""; 0]
    );
    built.is_sound();
}
