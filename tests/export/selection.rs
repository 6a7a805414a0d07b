//! Which resources an export holds.

use rorqual::Engine;
use rorqual::export::Jobs;
use serde_json::{Value, json};

use crate::made::{Made, WHOLE, contents, done, exported, instant, resource, to};

/// Two offers of two regions, what belongs to them, and one of each that belongs to none. `un` hangs below two
/// organisations that stand above each other in a circle.
fn directory() -> Vec<Value> {
    let at = instant(0);
    let region = |code: &str| json!([{"system": "https://mos.esante.gouv.fr/NOS/TRE_R30-RegionOM/FHIR/TRE-R30-RegionOM", "code": code}]);
    let offer = |id: &str, code: &str| {
        let mut offer = resource(
            "HealthcareService",
            id,
            &at,
            json!({
                "name": format!("Offre {id}"),
                "providedBy": to(&format!("Organization/oi-{id}")),
                "location": [to(&format!("Location/{id}")), to("Location/commun"), to("Location/absent")],
            }),
        );
        offer["meta"]["tag"] = region(code);
        offer
    };
    let organization = |id: &str, above: Option<&str>| {
        let above = above.map(|above| json!({"partOf": to(&format!("Organization/{above}"))}));
        resource(
            "Organization",
            id,
            &at,
            above.unwrap_or_else(|| json!({"name": id})),
        )
    };
    let role = |id: &str, offer: &str, person: &str| {
        resource(
            "PractitionerRole",
            id,
            &at,
            json!({
                "code": [{"coding": [{"code": id}]}],
                "practitioner": to(&format!("Practitioner/{person}")),
                "healthcareService": [to(&format!("HealthcareService/{offer}"))],
            }),
        )
    };
    let mut all = vec![
        offer("un", "11"),
        offer("deux", "27"),
        organization("oi-un", Some("eg-un")),
        organization("eg-un", Some("ej-un")),
        organization("ej-un", Some("eg-un")),
        organization("oi-deux", None),
        organization("seule", Some("ej-un")),
        role("role-un", "un", "anne"),
        role("role-deux", "deux", "boris"),
        role("role-commun", "un", "boris"),
        resource(
            "PractitionerRole",
            "role-seul",
            &at,
            json!({"practitioner": to("Practitioner/chloe")}),
        ),
    ];
    all.extend(
        ["un", "deux", "commun", "seul"]
            .map(|id| resource("Location", id, &at, json!({"status": "active"}))),
    );
    all.extend(
        ["anne", "boris", "chloe"]
            .map(|id| resource("Practitioner", id, &at, json!({"active": true}))),
    );
    all.push(resource(
        "Task",
        "t",
        &at,
        json!({
            "status": "in-progress", "intent": "order", "focus": to("HealthcareService/un"),
        }),
    ));
    all
}

/// The ids that an export holds, by type in the order of the files: `S`, `O`, `L`, `R`, `P` and the ids after it.
fn held(engine: &Engine, query: &str) -> String {
    let found = exported(engine, query);
    let mut out = Vec::new();
    for (letter, kind) in [
        ("S", "HealthcareService/"),
        ("O", "Organization/"),
        ("L", "Location/"),
        ("R", "PractitionerRole/"),
        ("P", "Practitioner/"),
    ] {
        let ids: Vec<&str> = found
            .keys()
            .filter_map(|key| key.strip_prefix(kind))
            .collect();
        if !ids.is_empty() {
            out.push(format!("{letter} {}", ids.join(" ")));
        }
    }
    assert!(
        !found.keys().any(|key| key.starts_with("Task/")),
        "{query}: anomalies are exported"
    );
    out.join(", ")
}

#[test]
fn offers_bring_what_belongs_to_them() {
    let engine = Made::of(&directory()).engine();
    let attached = "S deux un, O eg-un ej-un oi-deux oi-un, L commun deux un, \
                    R role-commun role-deux role-un, P anne boris";
    for query in [
        "",
        "_type=HealthcareService",
        "includeAssociatedData=_myCompleteExtract",
        "_outputFormat=application/json&_type=HealthcareService",
        "_typeFilter=HealthcareService%3Fname%3Doffre",
    ] {
        assert_eq!(held(&engine, query), attached, "{query}");
    }
    let un = "S un, O eg-un ej-un oi-un, L commun un, R role-commun role-un, P anne boris";
    let region = "_typeFilter=HealthcareService%3F_tag%3Dhttps%3A%2F%2Fmos.esante.gouv.fr%2FNOS%2FTRE_R30-RegionOM%2FFHIR%2FTRE-R30-RegionOM%7C11";
    assert_eq!(held(&engine, region), un);
    assert_eq!(
        held(&engine, &format!("{WHOLE}&{region}")),
        un,
        "a limit of offers limits all"
    );
    assert_eq!(
        held(&engine, "_typeFilter=HealthcareService%3F_tag%3D99"),
        ""
    );
    let both =
        "_typeFilter=HealthcareService%3F_tag%3D11&_typeFilter=HealthcareService%3F_tag%3D27";
    assert_eq!(
        held(&engine, both),
        attached,
        "several filters are alternatives"
    );
    // Any search will do, those that reach anomalies included.
    let reported = "_typeFilter=HealthcareService%3F_has%3ATask%3Afocus%3A_id%3Dt";
    assert_eq!(held(&engine, reported), un);
}

#[test]
fn a_type_that_is_named_comes_whole_unless_offers_are_limited() {
    let engine = Made::of(&directory()).engine();
    for (query, expected) in [
        ("_type=Location", "L commun deux seul un"),
        (
            "_type=Organization,Practitioner",
            "O eg-un ej-un oi-deux oi-un seule, P anne boris chloe",
        ),
        (
            "_type=Organization&_type=Practitioner",
            "O eg-un ej-un oi-deux oi-un seule, P anne boris chloe",
        ),
        (
            "_type=Location&_typeFilter=HealthcareService%3F_id%3Ddeux",
            "L commun deux",
        ),
        ("_type=Location&_typeFilter=Location%3F_id%3Dseul", "L seul"),
        (
            WHOLE,
            "S deux un, O eg-un ej-un oi-deux oi-un seule, L commun deux seul un, \
             R role-commun role-deux role-seul role-un, P anne boris chloe",
        ),
        // A filter limits its own type, and situations take their professionals with them.
        (
            "_typeFilter=Organization%3F_id%3Dej-un,PractitionerRole%3F_id%3Drole-un",
            "S deux un, O ej-un, L commun deux un, R role-un, P anne",
        ),
    ] {
        assert_eq!(held(&engine, query), expected, "{query}");
    }
}

#[test]
fn since_leaves_what_changed_at_or_after_an_instant() {
    let mut all = directory();
    let find = |all: &mut Vec<Value>, kind: &str, id: &str, changed: &str| {
        let one = all
            .iter_mut()
            .find(|one| one["resourceType"] == kind && one["id"] == id);
        one.expect("it is there")["meta"]["lastUpdated"] = changed.into();
    };
    find(&mut all, "Location", "commun", "2024-01-01T00:10:00Z");
    find(&mut all, "Location", "seul", "2024-01-01T00:10:00Z");
    find(
        &mut all,
        "Organization",
        "ej-un",
        "2024-01-01T01:20:00.500+01:00",
    );
    // Far after the build: a mistake of its source.
    find(&mut all, "Practitioner", "boris", "2999-01-01T00:00:00Z");
    let undated = all
        .iter_mut()
        .find(|one| one["id"] == "role-deux")
        .expect("it is there");
    undated.as_object_mut().expect("a resource").remove("meta");
    let engine = Made::of(&all).engine();
    for (since, expected) in [
        ("2024-01-01T00:00:01Z", "O ej-un, L commun, P boris"),
        ("2024-01-01T00:10:00Z", "O ej-un, L commun, P boris"),
        ("2024-01-01T01:10:00+01:00", "O ej-un, L commun, P boris"),
        ("2024-01-01T00:10:00.500Z", "O ej-un, L commun, P boris"),
        ("2024-01-01T00:10:01Z", "O ej-un, P boris"),
        ("2024-01-01T00:20:00.500Z", "O ej-un, P boris"),
        ("2024-01-01T00:20:00.501Z", "P boris"),
        ("2999-01-02", ""),
    ] {
        let query = format!("_since={}", since.replace('+', "%2B"));
        assert_eq!(held(&engine, &query), expected, "{since}");
    }
    let since = "2024-01-01T00:10:00Z";
    assert_eq!(
        held(&engine, &format!("{WHOLE}&_since={since}")),
        "O ej-un, L commun seul, P boris"
    );

    let jobs = Jobs::default();
    let job = done(&jobs, engine.full(), &format!("_since={since}"));
    let export = job.outcome().expect("done").expect("made");
    // The latest change known, not the mistake; the count of all, changed or not.
    assert_eq!(export.transaction_time(), "2024-01-01T00:20:00.500Z");
    let counts: Vec<u64> = export.selected().iter().map(|(_, count)| *count).collect();
    assert_eq!(counts, [2, 4, 3, 3, 2]);
}

#[test]
fn an_export_of_a_redacted_view_holds_what_that_view_shows() {
    let made = Made::of_fixtures(Some("national"));
    let engine = made.engine();
    let names: Vec<String> = engine.generation().views().keys().cloned().collect();
    assert!(names.len() > 2, "{names:?}");
    let jobs = Jobs::default();
    let mut smaller = 0;
    let full = contents(&done(&jobs, engine.full(), WHOLE));
    for name in names {
        let view = engine.view(&name).expect("a view");
        let found = contents(&done(&jobs, &view, WHOLE));
        for (key, resource) in &found {
            let (kind, id) = key.split_once('/').expect("a key");
            let kind = rorqual::ResourceType::from_name(kind).expect("a type");
            let shown = view
                .read(kind, id)
                .unwrap_or_else(|| panic!("{name} hides {key}"));
            let shown: Value = serde_json::from_slice(&shown.body).expect("JSON");
            assert_eq!(&shown, resource, "{name} {key}");
        }
        let snapshot = view.snapshot();
        let shown: u64 = rorqual::export::EXPORTED
            .iter()
            .map(|kind| snapshot.len(*kind))
            .sum();
        assert_eq!(found.len() as u64, shown, "{name}");
        smaller += usize::from(found != full);
    }
    assert!(smaller > 0, "no view hides anything");
}
