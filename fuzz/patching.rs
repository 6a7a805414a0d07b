//! What must hold for any body a client may send as a patch or as a Bundle of requests: shared by the fuzz target `patch`
//! and the bounded run in `anomaly/tests/patch`.
//!
//! Fuzz with `cargo install cargo-fuzz`, then `cargo fuzz run patch` in this folder's parent.

use rorqual_anomaly::Finding;
use rorqual_anomaly::patch::{
    MAX_RESULT_BYTES, Patch, PatchFault, parse_fhirpath_patch, parse_json_patch,
};
use rorqual_anomaly::requests::{Action, Limits, PatchLanguage, parse_requests};
use rorqual_anomaly::task_text::TaskText;

/// A Task whose spelling no printer would choose: a patch must leave it so.
pub const TASK: &str = concat!(
    r#"{"status":"in\u002dprogress","resourceType":"Task","id":"12","meta":{"versionId":"3","tag":[]},"#,
    r#""_description":{"id":"d"},"description":"caf\u00e9 \/ 1","businessStatus":{"text":"x"},"\u0063ode":{"text":"c"},"#,
    r#""focus":{"reference":"Location/1"},"extension":[{"url":"u","valueDecimal":1.500e0}],"#,
    r#""note":[{"text":"one"},{"text":"two"},{"text":"three"}],"input":[{"valueDecimal":0.10}],"priority":"asap"}"#
);

/// A patch is refused with a 4xx that says what is wrong, or it changes the elements it names, wholly or not at all.
pub fn patch(body: &[u8]) {
    for read in [parse_fhirpath_patch(body), parse_json_patch(body)] {
        match read {
            Ok(patch) => applied(&patch),
            Err(faults) => {
                assert!(!faults.is_empty());
                faults.iter().for_each(sound);
            }
        }
    }
}

/// A Bundle is refused with a 4xx, or every entry is read or refused alone; patches in it are read like others.
pub fn requests(body: &[u8]) {
    let limits = Limits { entries: 8 };
    match parse_requests(body, "https://ror.example/fhir", &limits) {
        Err(faults) => {
            assert!(!faults.is_empty());
            faults.iter().for_each(sound);
        }
        Ok(requests) => {
            assert!(requests.entries.len() <= limits.entries);
            for (place, entry) in requests.entries.iter().enumerate() {
                match entry {
                    Err(fault) => {
                        sound(fault);
                        assert_eq!(fault.place(), Some(place));
                    }
                    Ok(entry) => {
                        if let Action::Patch { language, body, .. } = &entry.action {
                            let read = match language {
                                PatchLanguage::FhirPath => parse_fhirpath_patch(body),
                                PatchLanguage::Json => parse_json_patch(body),
                            };
                            if let Ok(patch) = read {
                                applied(&patch);
                            }
                        }
                    }
                }
            }
        }
    }
}

fn sound(fault: &impl Finding) {
    assert!(
        [400, 404, 405, 413, 415, 422].contains(&fault.status()),
        "{fault}"
    );
    let diagnostics = fault.to_string();
    assert!(
        !diagnostics.is_empty() && diagnostics.len() < 2_000,
        "{diagnostics}"
    );
    assert!(!fault.text().is_empty() && !fault.code().is_empty());
}

fn applied(patch: &Patch) {
    let before = TaskText::parse(TASK.as_bytes()).expect("the sample is an object");
    let mut after = before.clone();
    match patch.apply(&mut after) {
        Err(fault) => {
            assert_eq!(after, before, "a patch that fails changes nothing");
            assert!(!matches!(fault, PatchFault::Json(_)));
            sound(&fault);
        }
        Ok(()) => {
            let line = after.to_json();
            assert!(line.len() <= MAX_RESULT_BYTES && !line.contains(&b'\n'));
            let again = TaskText::parse(&line).expect("the result is an object");
            assert_eq!(again.to_json(), line, "the result is compact");
            let untouched = |task: &TaskText| -> Vec<(String, String)> {
                let own = |name: &str| name.strip_prefix('_').unwrap_or(name).to_owned();
                task.members()
                    .filter(|(name, _)| !patch.changes(&own(name)))
                    .map(|(name, value)| (name.to_owned(), value.as_str().to_owned()))
                    .collect()
            };
            assert_eq!(untouched(&after), untouched(&before));
            for fixed in [
                "resourceType",
                "id",
                "meta",
                "focus",
                "extension",
                "priority",
            ] {
                assert!(!patch.changes(fixed));
                assert_eq!(after.get(fixed), before.get(fixed));
            }
        }
    }
}
