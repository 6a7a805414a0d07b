//! A small index to serve: two locations and one resource of some other types.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rorqual::Engine;

/// `Type.ndjson` and its lines. `Location/un` has version 3; its number 1.50 must keep its zero.
const EXTRACT: [(&str, &[&str]); 3] = [
    (
        "Location",
        &[
            r#"{"resourceType":"Location","id":"un","meta":{"versionId":"3","lastUpdated":"2024-01-02T03:04:05.678Z"},"status":"active","name":"Pavillon Est","position":{"longitude":-1.50,"latitude":47.20}}"#,
            r#"{"resourceType":"Location","id":"deux","meta":{"versionId":"1","lastUpdated":"2023-01-02T03:04:05Z"},"status":"inactive","name":"Pavillon Ouest"}"#,
        ],
    ),
    (
        "Organization",
        &[
            r#"{"resourceType":"Organization","id":"un","meta":{"versionId":"1","lastUpdated":"2024-01-02T03:04:05Z"},"name":"Clinique"}"#,
        ],
    ),
    (
        "HealthcareService",
        &[
            r#"{"resourceType":"HealthcareService","id":"un","meta":{"versionId":"1","lastUpdated":"2024-01-02T03:04:05Z"},"name":"Urgences","providedBy":{"reference":"Organization/un"},"location":[{"reference":"Location/un"}]}"#,
        ],
    ),
];

/// An engine on a fresh index of the extract under `folder`.
pub fn engine(folder: &Path) -> Arc<Engine> {
    Arc::new(Engine::open(index(folder)).expect("the index opens"))
}

/// A fresh index of the extract under `folder`.
pub fn index(folder: &Path) -> PathBuf {
    let extract = folder.join("extract");
    fs::create_dir(&extract).expect("a fresh folder");
    for (kind, lines) in EXTRACT {
        fs::write(extract.join(format!("{kind}.ndjson")), lines.join("\n"))
            .expect("a writable folder");
    }
    let index = folder.join("index");
    index_builder::build(&index_builder::BuildOptions {
        extract: vec![extract],
        index: index.clone(),
        ..Default::default()
    })
    .expect("the extract builds");
    index
}
