//! A small extract, the same at each call: organisations, places, offers, persons and roles that refer to each other.

use serde_json::{Value, json};

const CITIES: [(&str, f64, f64); 3] = [
    ("Nantes", 47.218, -1.553),
    ("Angers", 47.473, -0.551),
    ("Laval", 48.070, -0.770),
];

/// The lines of an extract with this many offers, referring types mixed; `mark` stands in every name.
pub fn lines(offers: usize, mark: &str) -> Vec<String> {
    let mut out = Vec::new();
    for n in 0..offers {
        if n % 10 == 0 {
            out.push(organization(n / 10, mark));
        }
        out.push(offer(n, mark));
        out.push(location(n, mark));
        out.push(role(n));
        if n % 5 == 0 {
            out.push(practitioner(n / 5));
        }
    }
    out
}

/// Lines joined as NDJSON, with a final line end.
pub fn ndjson(lines: &[String]) -> Vec<u8> {
    let mut text = lines.join("\n");
    text.push('\n');
    text.into_bytes()
}

/// The same resources as one Bundle, each with its text unchanged.
pub fn bundle(lines: &[String]) -> Vec<u8> {
    let entries: Vec<String> = lines
        .iter()
        .map(|line| format!("{{\"fullUrl\": \"urn:x\",\n \"resource\": {line}}}"))
        .collect();
    format!(
        "{{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[{}]}}",
        entries.join(",\n")
    )
    .into_bytes()
}

/// The type that a line says.
pub fn type_of(line: &str) -> String {
    let value: Value = serde_json::from_str(line).expect("a line of the extract is JSON");
    value["resourceType"]
        .as_str()
        .expect("a line of the extract has a type")
        .to_owned()
}

fn meta(n: usize) -> Value {
    json!({"lastUpdated": format!("2026-01-{:02}T08:00:00+01:00", n % 28 + 1)})
}

fn organization(n: usize, mark: &str) -> String {
    let mut out = json!({
        "resourceType": "Organization", "id": format!("org-{n}"), "meta": meta(n),
        "identifier": [{"value": format!("44{n:07}")}],
        "name": format!("Clinique {mark} {n}"),
    });
    if n > 0 {
        out["partOf"] = json!({"reference": format!("Organization/org-{}", n / 2)});
    }
    out.to_string()
}

fn offer(n: usize, mark: &str) -> String {
    json!({
        "resourceType": "HealthcareService", "id": format!("offer-{n}"), "meta": meta(n),
        "name": format!("Cardiologie {mark} {n}"),
        "providedBy": {"reference": format!("Organization/org-{}", n / 10)},
        "location": [{"reference": format!("Location/place-{n}")}],
    })
    .to_string()
}

fn location(n: usize, mark: &str) -> String {
    let (city, latitude, longitude) = CITIES[n % CITIES.len()];
    json!({
        "resourceType": "Location", "id": format!("place-{n}"), "meta": meta(n),
        "status": "active", "name": format!("Pavillon {mark} {n}"),
        "address": {"city": city, "postalCode": format!("{:05}", 44000 + n % 7)},
        "position": {
            "latitude": latitude + n as f64 / 10_000.0,
            "longitude": longitude - n as f64 / 20_000.0,
        },
    })
    .to_string()
}

fn role(n: usize) -> String {
    json!({
        "resourceType": "PractitionerRole", "id": format!("role-{n}"), "meta": meta(n),
        "practitioner": {"reference": format!("Practitioner/person-{}", n / 5)},
        "healthcareService": [{"reference": format!("HealthcareService/offer-{n}")}],
    })
    .to_string()
}

fn practitioner(n: usize) -> String {
    json!({
        "resourceType": "Practitioner", "id": format!("person-{n}"), "meta": meta(n),
        "identifier": [{"value": format!("810{n:08}")}],
    })
    .to_string()
}
