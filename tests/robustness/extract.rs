//! Extracts whose every resource says which edition it belongs to.

use serde_json::{Value, json};

/// How many offers an edition holds: no two editions have as many.
pub fn offers(edition: usize) -> usize {
    37 + 5 * edition
}

/// The lines of an edition: offers, their places and their organisations, every name with the edition in it.
pub fn edition(edition: usize) -> Vec<String> {
    let mut out = vec![
        json!({
            "resourceType": "Organization", "id": "org", "meta": meta(),
            "name": format!("Clinique édition {edition}"),
        })
        .to_string(),
    ];
    for n in 0..offers(edition) {
        out.push(
            json!({
                "resourceType": "HealthcareService", "id": format!("offer-{n}"), "meta": meta(),
                "name": format!("Cardiologie édition {edition}"),
                "providedBy": {"reference": "Organization/org"},
                "location": [{"reference": format!("Location/place-{n}")}],
            })
            .to_string(),
        );
        out.push(
            json!({
                "resourceType": "Location", "id": format!("place-{n}"), "meta": meta(),
                "status": "active", "name": format!("Pavillon édition {edition}"),
                "position": {"latitude": 47.0 + n as f64 / 1_000.0, "longitude": -1.5},
            })
            .to_string(),
        );
    }
    out
}

fn meta() -> Value {
    json!({"lastUpdated": "2026-01-02T03:04:05Z"})
}

/// The edition that a resource says it belongs to.
pub fn edition_of(resource: &Value) -> usize {
    resource["name"]
        .as_str()
        .and_then(|name| name.rsplit(' ').next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| panic!("no edition in {resource}"))
}
