//! A small index to serve: two locations, two anomalies with the same identifier, one resource of some other types.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rorqual::Engine;

/// `Type.ndjson` and its lines. `Location/un` has version 3; its number 1.50 must keep its zero.
const EXTRACT: [(&str, &[&str]); 4] = [
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
            r#"{"resourceType":"Organization","id":"un","meta":{"versionId":"1","lastUpdated":"2024-01-02T03:04:05Z"},"identifier":[{"system":"urn:test:finess","value":"440000001"}],"name":"Clinique"}"#,
        ],
    ),
    (
        "HealthcareService",
        &[
            r#"{"resourceType":"HealthcareService","id":"un","meta":{"versionId":"1","lastUpdated":"2024-01-02T03:04:05Z"},"name":"Urgences","providedBy":{"reference":"Organization/un"},"location":[{"reference":"Location/un"}]}"#,
        ],
    ),
    (
        "Task",
        &[
            r#"{"resourceType":"Task","id":"old-1","meta":{"versionId":"4","lastUpdated":"2024-01-02T03:04:05Z"},"identifier":[{"system":"urn:test:anomaly","value":"OLD"}],"status":"in-progress","intent":"order","businessStatus":{"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_R352-StatutMetierAnomalie/FHIR/TRE-R352-StatutMetierAnomalie","code":"10"}]},"code":{"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_R350-ThematiqueAnomalie/FHIR/TRE-R350-ThematiqueAnomalie","code":"01"}]},"reasonCode":{"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_R349-ActionAnomalie/FHIR/TRE-R349-ActionAnomalie","code":"AJO"}]},"focus":{"reference":"Location/deux"},"authoredOn":"2024-01-02","lastModified":"2024-01-02","input":[{"type":{"coding":[{"system":"https://interop.esante.gouv.fr/ig/fhir/ror/CodeSystem/input-task-ror-codesystem","code":"systemRequester"}]},"valueString":"IHM"}]}"#,
            r#"{"resourceType":"Task","id":"old-2","meta":{"versionId":"1","lastUpdated":"2024-01-02T03:04:05Z"},"identifier":[{"system":"urn:test:anomaly","value":"OLD"}],"status":"in-progress","intent":"order","businessStatus":{"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_R352-StatutMetierAnomalie/FHIR/TRE-R352-StatutMetierAnomalie","code":"10"}]},"code":{"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_R350-ThematiqueAnomalie/FHIR/TRE-R350-ThematiqueAnomalie","code":"01"}]},"reasonCode":{"coding":[{"system":"https://mos.esante.gouv.fr/NOS/TRE_R349-ActionAnomalie/FHIR/TRE-R349-ActionAnomalie","code":"AJO"}]},"focus":{"reference":"Location/deux"},"authoredOn":"2024-01-02","lastModified":"2024-01-02","input":[{"type":{"coding":[{"system":"https://interop.esante.gouv.fr/ig/fhir/ror/CodeSystem/input-task-ror-codesystem","code":"systemRequester"}]},"valueString":"IHM"}]}"#,
        ],
    ),
];

/// An engine on a fresh index of the extract under `folder`.
pub fn engine(folder: &Path) -> Arc<Engine> {
    Arc::new(Engine::open(index(folder)).expect("the index opens"))
}

/// A fresh index of the fixtures under `folder`: what is served at length.
pub fn index_of_fixtures(folder: &Path) -> PathBuf {
    built(
        folder,
        Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/extract"),
    )
}

/// A fresh index of the extract under `folder`.
pub fn index(folder: &Path) -> PathBuf {
    let extract = folder.join("extract");
    fs::create_dir(&extract).expect("a fresh folder");
    for (kind, lines) in EXTRACT {
        fs::write(extract.join(format!("{kind}.ndjson")), lines.join("\n"))
            .expect("a writable folder");
    }
    built(folder, extract)
}

fn built(folder: &Path, extract: PathBuf) -> PathBuf {
    let index = folder.join("index");
    index_builder::build(&index_builder::BuildOptions {
        extract: vec![extract],
        index: index.clone(),
        ..Default::default()
    })
    .expect("the extract builds");
    index
}
