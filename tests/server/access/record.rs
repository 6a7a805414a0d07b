//! The record of requests: what each line holds, what it never holds, and what becomes of it on a full disk.

use std::fs;
use std::path::Path;

use rorqual::server::RorHeaders;
use serde_json::Value;

use super::directory::Place;
use crate::tls::files::wait_until;

fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

const ROR: [(&str, &str); 4] = [
    ("Ror-Profil-Utilisateur-Code", "CU22"),
    ("Ror-Profil-Utilisateur-System", "1.2.250.1.213.1.6.1.66"),
    ("Ror-Role-Metier-Code", "AUTOMATE"),
    ("Ror-Role-Metier-System", "1.2.250.1.213.1.1.4.6"),
];

#[test]
fn each_request_is_a_line_without_bodies() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("audit/requests.ndjson");
    let place = Place::with(|config| config.access.audit_log = Some(path.clone()));
    place
        .client(2)
        .send("GET", "/fhir/HealthcareService?name=Urgences", &ROR, b"");
    place.get(2, "/fhir/HealthcareService/closed");
    place.get(4, "/fhir/Organization");
    place
        .come(Some(&place.files.pki.unlisted_client))
        .get("/fhir/Location");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    place.client(2).send(
        "POST",
        "/fhir/HealthcareService/_search",
        &form,
        b"name=Secretword",
    );
    let task = br#"{"resourceType":"Task","description":"Secretword"}"#;
    let json = [("Content-Type", "application/fhir+json")];
    place.client(5).send("POST", "/fhir/Task", &json, task);
    wait_until("six lines", || lines(&path).len() == 6);
    let lines = lines(&path);
    for line in &lines {
        let instant = line["instant"].as_str().expect("an instant");
        assert!(instant.len() == 24 && instant.ends_with('Z'), "{line}");
        assert!(
            line["client"]
                .as_str()
                .is_some_and(|client| client.contains("CN=")),
            "{line}"
        );
        for key in ["request", "method", "target", "generation"] {
            assert!(
                line[key].as_str().is_some_and(|text| !text.is_empty()),
                "{key}: {line}"
            );
        }
        assert!(
            line["bytes"].is_u64() && line["milliseconds"].is_number(),
            "{line}"
        );
    }
    let told = |line: &Value| {
        (
            line["profile"].clone(),
            line["status"].clone(),
            line["total"].clone(),
        )
    };
    assert_eq!(told(&lines[0]), ("2".into(), 200.into(), 1.into()));
    assert_eq!(lines[0]["target"], "/fhir/HealthcareService?name=Urgences");
    assert_eq!(
        lines[0]["ror"],
        serde_json::json!({"profilUtilisateurCode": "CU22", "profilUtilisateurSystem": "1.2.250.1.213.1.6.1.66",
            "roleMetierCode": "AUTOMATE", "roleMetierSystem": "1.2.250.1.213.1.1.4.6"})
    );
    assert_eq!(told(&lines[1]), ("2".into(), 404.into(), Value::Null));
    assert_eq!(told(&lines[2]), ("narrow".into(), 403.into(), Value::Null));
    assert_eq!(told(&lines[3]), (Value::Null, 403.into(), Value::Null));
    assert_eq!(told(&lines[4]), ("2".into(), 200.into(), 0.into()));
    assert_eq!(lines[5]["method"], "POST");
    assert!(
        !fs::read_to_string(&path)
            .expect("the record")
            .contains("Secretword")
    );
}

#[test]
fn the_record_goes_on_in_another_file_and_the_oldest_go() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("requests.ndjson");
    let place = Place::with(|config| {
        config.access.audit_log = Some(path.clone());
        config.access.audit_log_bytes = 65_536;
        config.access.audit_log_files = 1;
    });
    let mut client = place.client(2);
    let long = format!("/fhir/Location?address-city={}", "a".repeat(3_000));
    for _ in 0..100 {
        assert_eq!(client.get(&long).status, 200);
    }
    let last = "/fhir/Location?address-city=last";
    client.get(last);
    wait_until("the last line", || {
        lines(&path)
            .last()
            .is_some_and(|line| line["target"] == last)
    });
    let files: Vec<_> = fs::read_dir(folder.path())
        .expect("the folder")
        .flatten()
        .collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        assert!(file.metadata().expect("a file").len() <= 65_536);
        lines(&file.path());
    }
}

#[test]
fn a_disk_that_refuses_is_counted_and_nothing_else() {
    let place = Place::with(|config| config.access.audit_log = Some("/dev/full".into()));
    let mut client = place.client(2);
    let first = client.get("/fhir/HealthcareService/open");
    for _ in 0..50 {
        let answer = client.get("/fhir/HealthcareService/open");
        assert_eq!((answer.status, &answer.body), (200, &first.body));
    }
    wait_until("fifty requests counted", || {
        let ready = client.get("/readyz").json();
        ready["requestsNotRecorded"]
            .as_u64()
            .is_some_and(|lost| lost >= 51)
    });
    assert_eq!(client.get("/readyz").status, 200);
}

#[test]
fn ror_headers_are_required_recorded_or_ignored() {
    let place = Place::with(|config| config.access.ror_headers = RorHeaders::Required);
    let mut client = place.client(5);
    for target in ["/fhir/Location", "/fhir/Location/own"] {
        for missing in 0..ROR.len() {
            let mut some = ROR.to_vec();
            let (name, _) = some.remove(missing);
            let answer = client.send("GET", target, &some, b"");
            assert_eq!(answer.status, 400, "{target}");
            assert!(
                answer.text().contains(&name.to_lowercase()),
                "{}",
                answer.text()
            );
        }
        assert_eq!(
            client.send("GET", target, &ROR, b"").status,
            200,
            "{target}"
        );
    }
    // Neither anomalies nor the statement ask for them.
    assert_eq!(client.get("/fhir/Task").status, 200);
    assert_eq!(client.get("/fhir/metadata").status, 200);

    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("requests.ndjson");
    let place = Place::with(|config| {
        config.access.ror_headers = RorHeaders::Ignored;
        config.access.audit_log = Some(path.clone());
    });
    assert_eq!(
        place
            .client(2)
            .send("GET", "/fhir/Location", &ROR, b"")
            .status,
        200
    );
    wait_until("a line", || lines(&path).len() == 1);
    assert_eq!(lines(&path)[0].get("ror"), None);
}
