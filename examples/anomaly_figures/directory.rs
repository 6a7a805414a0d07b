//! A directory of offers to report anomalies about, and the anomalies.

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use index_builder::BuildOptions;
use rorqual::anomaly::draft::Draft;
use rorqual::anomaly::store::{Change, Store, StoreOptions};
use rorqual::engine::{DEFAULT_BASE_URL, Written};
use rorqual::{Engine, EngineOptions};

/// Builds an index of so many offers, a tenth of them in each of ten specialties.
pub fn build(index: &Path, offers: u64) -> Result<(), Box<dyn Error>> {
    let mut lines = String::new();
    lines.push_str(
        "{\"resourceType\":\"Organization\",\"id\":\"org\",\"meta\":{\"lastUpdated\":\"2026-01-01T00:00:00Z\"},\"name\":\"Centre hospitalier\"}\n",
    );
    for number in 0..offers {
        writeln!(
            lines,
            r#"{{"resourceType":"HealthcareService","id":"{number}","meta":{{"lastUpdated":"2026-01-01T00:00:00Z"}},"identifier":[{{"system":"urn:offers","value":"OF-{number}"}}],"name":"Consultation {number}","specialty":[{{"coding":[{{"system":"urn:specialties","code":"{}"}}]}}],"providedBy":{{"reference":"Organization/org"}}}}"#,
            number % 10
        )?;
    }
    let extract = index.with_extension("ndjson");
    std::fs::write(&extract, lines)?;
    index_builder::build(&BuildOptions {
        extract: vec![extract],
        index: index.to_owned(),
        ..BuildOptions::default()
    })?;
    Ok(())
}

/// Opens an index and its store; nothing is folded unless asked for.
pub fn open(index: &Path) -> Result<(Arc<Engine>, Store), Box<dyn Error>> {
    let options = EngineOptions {
        written: Written::ByStore,
        ..EngineOptions::default()
    };
    let engine = Arc::new(Engine::open_with(index, options)?);
    let store = Store::open(engine.clone(), unfolded())?;
    Ok((engine, store))
}

/// A store that folds only when told.
pub fn unfolded() -> StoreOptions {
    StoreOptions {
        fold_versions: 0,
        fold_age: Duration::ZERO,
        ..StoreOptions::default()
    }
}

/// The body of an anomaly about an offer: what a client sends, with `assigned` where the server's own members go.
pub fn body(offer: u64, assigned: &str) -> String {
    let status = offer % 11 + 1;
    format!(
        r#"{{"resourceType":"Task",{assigned}"status":"in-progress","intent":"order","businessStatus":{{"coding":[{{"system":"https://mos.esante.gouv.fr/NOS/TRE_R352-StatutMetierAnomalie/FHIR/TRE-R352-StatutMetierAnomalie","code":"{status:02}"}}]}},"code":{{"coding":[{{"system":"https://mos.esante.gouv.fr/NOS/TRE_R350-ThematiqueAnomalie/FHIR/TRE-R350-ThematiqueAnomalie","code":"06"}}]}},"reasonCode":{{"coding":[{{"system":"https://mos.esante.gouv.fr/NOS/TRE_R349-ActionAnomalie/FHIR/TRE-R349-ActionAnomalie","code":"COR"}}]}},"description":"Le numéro de téléphone de l'accueil n'est plus le bon.","focus":{{"reference":"HealthcareService/{offer}"}},"authoredOn":"2026-03-04","lastModified":"2026-03-04","input":[{{"type":{{"coding":[{{"system":"https://interop.esante.gouv.fr/ig/fhir/ror/CodeSystem/input-task-ror-codesystem","code":"systemRequester"}}]}},"valueString":"IHM"}}]}}"#
    )
}

/// A create, as a server submits it: read and checked.
pub fn create(offer: u64) -> Result<Change, Box<dyn Error>> {
    let draft = Draft::read(body(offer, "").as_bytes(), DEFAULT_BASE_URL)
        .map_err(|refusal| format!("{refusal:?}"))?;
    Ok(Change::Create {
        draft,
        full_url: None,
        unless: None,
    })
}
