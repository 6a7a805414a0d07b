//! Bodies of Tasks, patches of them, and what a test reads from one.

use std::collections::BTreeSet;

use rorqual::anomaly::draft::Draft;
use rorqual::anomaly::store::{Change, Write};
use rorqual::engine::DEFAULT_BASE_URL;
use rorqual_anomaly::patch::{Patch, parse_fhirpath_patch};
use serde_json::{Value, json};

use crate::directory::{Directory, OFFERS};

/// System of the business statuses.
pub const STATUSES: &str = "https://mos.esante.gouv.fr/NOS/TRE_R352-StatutMetierAnomalie/FHIR/TRE-R352-StatutMetierAnomalie";
const THEMES: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_R350-ThematiqueAnomalie/FHIR/TRE-R350-ThematiqueAnomalie";
const ACTIONS: &str =
    "https://mos.esante.gouv.fr/NOS/TRE_R349-ActionAnomalie/FHIR/TRE-R349-ActionAnomalie";
const INPUTS: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/CodeSystem/input-task-ror-codesystem";

/// What a Task points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Focus {
    /// A type and an id.
    Literal(String, String),
    /// An offer, by its identifier.
    Logical(String),
}

impl Focus {
    pub fn literal(kind: &str, id: &str) -> Focus {
        Focus::Literal(kind.to_owned(), id.to_owned())
    }

    fn json(&self) -> Value {
        match self {
            Focus::Literal(kind, id) => json!({"reference": format!("{kind}/{id}")}),
            Focus::Logical(value) => json!({
                "type": "HealthcareService", "identifier": {"system": OFFERS, "value": value},
            }),
        }
    }

    /// The focus of a body.
    pub fn of(body: &Value) -> Focus {
        match body["focus"]["reference"].as_str() {
            Some(reference) => {
                let (kind, id) = reference.split_once('/').expect("Type/id");
                Focus::literal(kind, id)
            }
            None => Focus::Logical(text(&body["focus"]["identifier"]["value"]).to_owned()),
        }
    }

    /// The offers that it leads to in a directory.
    pub fn offers(&self, directory: &Directory) -> BTreeSet<String> {
        match self {
            Focus::Literal(kind, id)
                if kind == "HealthcareService" && directory.offers.contains_key(id) =>
            {
                BTreeSet::from([id.clone()])
            }
            Focus::Literal(..) => BTreeSet::new(),
            Focus::Logical(value) => directory.identified(value),
        }
    }
}

/// The smallest Task that is taken.
pub fn body(status: &str, focus: &Focus) -> Value {
    let coded = |system: &str, code: &str| json!({"coding": [{"system": system, "code": code}]});
    json!({
        "resourceType": "Task",
        "status": "in-progress",
        "intent": "order",
        "businessStatus": coded(STATUSES, status),
        "code": coded(THEMES, "06"),
        "reasonCode": coded(ACTIONS, "COR"),
        "focus": focus.json(),
        "authoredOn": "2025-03-04",
        "lastModified": "2025-03-04",
        "input": [{"type": coded(INPUTS, "systemRequester"), "valueString": "IHM"}],
    })
}

/// A create.
pub fn create(body: &Value) -> Change {
    create_unless(body, None)
}

/// A create with a condition.
pub fn create_unless(body: &Value, unless: Option<String>) -> Change {
    let draft = Draft::read(body.to_string().as_bytes(), DEFAULT_BASE_URL)
        .unwrap_or_else(|refusal| panic!("{refusal:?}: {body}"));
    Change::Create {
        draft,
        full_url: None,
        unless,
    }
}

/// One step of a patch: operation, path, value under its name.
pub type Step<'s> = (&'s str, &'s str, Option<(&'s str, Value)>);

/// A FHIRPath Patch as a body.
pub fn parameters(steps: &[Step<'_>]) -> Value {
    let operation = |(kind, path, value): &Step<'_>| {
        let mut part = vec![json!({"name": "type", "valueCode": kind})];
        if *kind == "add" {
            let (whole, name) = path.rsplit_once('.').expect("Task.element");
            part.push(json!({"name": "path", "valueString": whole}));
            part.push(json!({"name": "name", "valueString": name}));
        } else {
            part.push(json!({"name": "path", "valueString": path}));
        }
        if let Some((name, value)) = value {
            part.push(json!({"name": "value", *name: value}));
        }
        json!({"name": "operation", "part": part})
    };
    json!({
        "resourceType": "Parameters",
        "parameter": steps.iter().map(operation).collect::<Vec<_>>(),
    })
}

/// A FHIRPath Patch, read.
pub fn patch(steps: &[Step<'_>]) -> Patch {
    let body = parameters(steps);
    parse_fhirpath_patch(body.to_string().as_bytes())
        .unwrap_or_else(|faults| panic!("{faults:?}: {body}"))
}

/// The patch that the sources publish: another business status.
pub fn to_status(status: &str) -> Patch {
    patch(&[(
        "replace",
        "Task.businessStatus",
        Some(("valueCodeableConcept", coded_status(status))),
    )])
}

/// A business status.
pub fn coded_status(status: &str) -> Value {
    json!({"coding": [{"system": STATUSES, "code": status}]})
}

/// Changes as one write.
pub fn write(changes: Vec<Change>) -> Write {
    Write {
        changes,
        base_url: DEFAULT_BASE_URL.to_owned(),
        view: None,
    }
}

/// A text of a body.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

/// The business status of a body.
pub fn status_of(body: &Value) -> &str {
    text(&body["businessStatus"]["coding"][0]["code"])
}

/// `meta.lastUpdated` of a body.
pub fn updated(body: &Value) -> &str {
    text(&body["meta"]["lastUpdated"])
}

/// `meta.versionId` of a body.
pub fn version(body: &Value) -> &str {
    text(&body["meta"]["versionId"])
}

/// The functional identifier of a body.
pub fn identifier(body: &Value) -> &str {
    text(&body["identifier"][0]["value"])
}
