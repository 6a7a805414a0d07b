//! The CapabilityStatement of this very server, from the schema of the live generation.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat};
use rorqual_schema::{Parameter, ParameterType, ResourceType, Schema};
use serde_json::{Value, json};

use super::features::{RESULT_PARAMETERS, modifiers, offers, prefixes};
use super::writing::AnomalyConfig;
use crate::Engine;
use crate::index::overlay::WRITTEN;

/// The statement of the live generation, made once for each.
#[derive(Debug)]
pub(super) struct CapabilityCache {
    writes: Option<Writes>,
    made: Mutex<Option<(String, Bytes)>>,
}

/// What is announced of writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writes {
    /// A change must name the version it is meant for.
    pub(super) require_if_match: bool,
}

impl CapabilityCache {
    /// A cache for a server that takes writes as configured, or none.
    pub(super) fn new(anomalies: Option<&AnomalyConfig>) -> Self {
        Self {
            writes: anomalies.map(|anomalies| Writes {
                require_if_match: anomalies.require_if_match,
            }),
            made: Mutex::new(None),
        }
    }

    /// The statement for `engine` as it is now.
    pub(super) fn get(&self, engine: &Engine, base_url: &str) -> Bytes {
        let generation = engine.generation_id();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, body)) = made.as_ref()
            && *of == generation
        {
            return body.clone();
        }
        let published = engine.generation_published();
        let statement = statement(&engine.schema(), base_url, published, self.writes);
        let body = Bytes::from(statement.to_string());
        *made = Some((generation, body.clone()));
        body
    }
}

/// The CapabilityStatement (FHIR R4) of a server of `schema` at `base_url`; `published_ms` is when its
/// data went live, in milliseconds since 1970. Without `writes` anomalies are only read.
pub(super) fn statement(
    schema: &Schema,
    base_url: &str,
    published_ms: i64,
    writes: Option<Writes>,
) -> Value {
    let date = DateTime::from_timestamp_millis(published_ms).unwrap_or_default();
    let result_parameters: Vec<Value> = RESULT_PARAMETERS
        .iter()
        .map(|parameter| json!({"name": parameter.name, "type": parameter.kind, "documentation": parameter.documentation}))
        .collect();
    let resources: Vec<Value> = ResourceType::ALL
        .into_iter()
        .map(|kind| match (kind, writes) {
            (WRITTEN, Some(writes)) => written(resource(schema, kind), writes),
            _ => resource(schema, kind),
        })
        .collect();
    let description = match writes {
        Some(_) => "Directory of health offers (ROR), and anomalies reported about it",
        None => "Directory of health offers (ROR), read-only",
    };
    let mut statement = json!({
        "resourceType": "CapabilityStatement",
        "name": "RorqualServer",
        "title": "Rorqual: search of the directory of health offers (ROR)",
        "status": "active",
        "date": date.to_rfc3339_opts(SecondsFormat::Secs, true),
        "kind": "instance",
        "software": {"name": "Rorqual", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {"description": description, "url": base_url},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [{
            "mode": "server",
            "documentation": "Searches by GET or by a posted form. An unknown parameter is refused, unless Prefer: handling=lenient asks for a warning instead.",
            "security": {"cors": false},
            "resource": resources,
            "interaction": [{"code": "batch"}],
            "searchParam": result_parameters,
            "operation": super::export::operations(base_url),
        }],
    });
    if writes.is_some()
        && let Some(fields) = statement.as_object_mut()
    {
        fields.insert("patchFormat".to_owned(), json!(PATCH_FORMATS));
        fields["rest"][0]["interaction"] = json!([{"code": "batch"}, {"code": "transaction"}]);
    }
    statement
}

/// What a change of an anomaly may be written in.
const PATCH_FORMATS: [&str; 2] = ["application/fhir+json", "application/json-patch+json"];

/// Adds to the description of anomalies that they can be written.
fn written(mut resource: Value, writes: Writes) -> Value {
    resource["interaction"] = json!([
        {"code": "read"},
        {"code": "vread", "documentation": "Earlier versions are kept until the log that holds them is folded"},
        {"code": "search-type"},
        {"code": "create"},
        {"code": "patch", "documentation": "FHIRPath Patch or JSON Patch of elements of the first level"},
    ]);
    resource["versioning"] = json!(match writes.require_if_match {
        true => "versioned-update",
        false => "versioned",
    });
    resource["readHistory"] = json!(true);
    resource["updateCreate"] = json!(false);
    resource["conditionalCreate"] = json!(true);
    resource["conditionalUpdate"] = json!(false);
    resource["conditionalDelete"] = json!("not-supported");
    resource
}

fn resource(schema: &Schema, kind: ResourceType) -> Value {
    let offered: Vec<&Parameter> = schema
        .parameters(kind)
        .iter()
        .filter(|parameter| offers(parameter.kind, &parameter.code))
        .collect();
    let parameters: Vec<Value> = offered
        .iter()
        .map(|parameter| search_parameter(parameter))
        .collect();
    let mut out = json!({
        "type": kind.name(),
        "supportedProfile": [format!("https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-{}", kind.name().to_ascii_lowercase())],
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "readHistory": false,
        "conditionalRead": "full-support",
    });
    // FHIR allows no empty lists.
    let lists = [
        ("searchInclude", includes(schema, kind)),
        ("searchRevInclude", reverse_includes(schema, kind)),
        ("searchParam", parameters),
    ];
    if let Some(fields) = out.as_object_mut() {
        for (name, list) in lists {
            if !list.is_empty() {
                fields.insert(name.to_owned(), Value::Array(list));
            }
        }
    }
    out
}

fn search_parameter(parameter: &Parameter) -> Value {
    let mut documentation = parameter
        .description
        .trim()
        .trim_end_matches('.')
        .to_owned();
    for (title, list) in [
        ("Modifiers", modifiers(parameter.kind)),
        ("Prefixes", prefixes(parameter.kind)),
    ] {
        if !list.is_empty() {
            let stop = if documentation.is_empty() { "" } else { ". " };
            documentation = format!("{documentation}{stop}{title}: {list}");
        }
    }
    json!({
        "name": parameter.code,
        "definition": parameter.url,
        "type": parameter.kind.name(),
        "documentation": documentation,
    })
}

/// One `Type:parameter` for each reference of the type, after `*` for all of them.
fn includes(schema: &Schema, kind: ResourceType) -> Vec<Value> {
    let mut out: Vec<Value> = references(schema, kind)
        .map(|parameter| json!(format!("{}:{}", kind.name(), parameter.code)))
        .collect();
    if !out.is_empty() {
        out.insert(0, json!("*"));
    }
    out
}

/// One `Source:parameter` for each reference, of any type, that may point here.
fn reverse_includes(schema: &Schema, kind: ResourceType) -> Vec<Value> {
    ResourceType::ALL
        .into_iter()
        .flat_map(|source| references(schema, source).map(move |parameter| (source, parameter)))
        .filter(|(_, parameter)| parameter.targets.contains(&kind))
        .map(|(source, parameter)| json!(format!("{}:{}", source.name(), parameter.code)))
        .collect()
}

fn references(schema: &Schema, kind: ResourceType) -> impl Iterator<Item = &Parameter> {
    schema
        .parameters(kind)
        .iter()
        .filter(|parameter| parameter.kind == ParameterType::Reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "http://127.0.0.1:8080/fhir";

    fn made() -> (Schema, Value) {
        let schema = Schema::embedded().unwrap();
        let writes = Writes {
            require_if_match: false,
        };
        let statement = statement(&schema, BASE, 1_704_164_645_678, Some(writes));
        (schema, statement)
    }

    fn texts(list: &Value) -> Vec<&str> {
        list.as_array()
            .unwrap()
            .iter()
            .map(|value| value.as_str().unwrap())
            .collect()
    }

    #[test]
    fn it_describes_this_server() {
        let (_, statement) = made();
        assert_eq!(statement["kind"], "instance");
        assert_eq!(statement["fhirVersion"], "4.0.1");
        assert_eq!(statement["date"], "2024-01-02T03:04:05Z");
        assert_eq!(statement["implementation"]["url"], BASE);
    }

    #[test]
    fn writes_are_announced_where_there_are_any() {
        let (schema, statement) = made();
        let codes = |list: &Value| -> Vec<String> {
            let list = list.as_array().unwrap().iter();
            list.map(|one| one["code"].as_str().unwrap().to_owned())
                .collect()
        };
        let of = |statement: &Value, kind: &str| {
            let resources = statement["rest"][0]["resource"].as_array().unwrap();
            let found = resources.iter().find(|one| one["type"] == kind);
            found.unwrap().clone()
        };
        let task = of(&statement, "Task");
        let offered = ["read", "vread", "search-type", "create", "patch"];
        assert_eq!(codes(&task["interaction"]), offered);
        assert_eq!(task["versioning"], "versioned");
        assert_eq!(task["conditionalCreate"], true);
        let location = of(&statement, "Location");
        assert_eq!(codes(&location["interaction"]), ["read", "search-type"]);
        assert_eq!(location["readHistory"], false);
        let system = codes(&statement["rest"][0]["interaction"]);
        assert_eq!(system, ["batch", "transaction"]);
        assert_eq!(statement["patchFormat"].as_array().unwrap().len(), 2);

        let strict = Writes {
            require_if_match: true,
        };
        let strict = super::statement(&schema, BASE, 0, Some(strict));
        assert_eq!(of(&strict, "Task")["versioning"], "versioned-update");

        let read_only = super::statement(&schema, BASE, 0, None);
        let task = of(&read_only, "Task");
        assert_eq!(codes(&task["interaction"]), ["read", "search-type"]);
        assert!(read_only.get("patchFormat").is_none());
        assert_eq!(codes(&read_only["rest"][0]["interaction"]), ["batch"]);
    }

    #[test]
    fn every_offered_parameter_is_announced_once_with_its_definition() {
        let (schema, statement) = made();
        for (kind, resource) in ResourceType::ALL
            .into_iter()
            .zip(statement["rest"][0]["resource"].as_array().unwrap())
        {
            assert_eq!(resource["type"], kind.name());
            let announced: Vec<&str> = resource["searchParam"]
                .as_array()
                .unwrap()
                .iter()
                .map(|p| p["name"].as_str().unwrap())
                .collect();
            let offered: Vec<&str> = schema
                .parameters(kind)
                .iter()
                .filter(|p| offers(p.kind, &p.code))
                .map(|p| p.code.as_str())
                .collect();
            assert_eq!(announced, offered);
            assert!(announced.contains(&"_id") && announced.contains(&"_lastUpdated"));
            for parameter in resource["searchParam"].as_array().unwrap() {
                assert!(!parameter["definition"].as_str().unwrap().is_empty());
                assert!(!parameter["documentation"].as_str().unwrap().is_empty());
            }
        }
    }

    #[test]
    fn what_searches_do_not_understand_is_not_announced() {
        let (schema, statement) = made();
        let text = statement.to_string();
        for kind in ResourceType::ALL {
            for parameter in schema
                .parameters(kind)
                .iter()
                .filter(|p| !offers(p.kind, &p.code))
            {
                assert!(
                    !text.contains(&format!("\"name\":\"{}\"", parameter.code)),
                    "{}",
                    parameter.code
                );
            }
        }
    }

    #[test]
    fn includes_follow_the_references_both_ways() {
        let (_, statement) = made();
        let resources = &statement["rest"][0]["resource"];
        let offer = &resources[ResourceType::ALL
            .iter()
            .position(|kind| *kind == ResourceType::HealthcareService)
            .unwrap()];
        assert!(texts(&offer["searchInclude"]).contains(&"HealthcareService:organization"));
        assert!(texts(&offer["searchInclude"]).contains(&"HealthcareService:location"));
        assert!(texts(&offer["searchRevInclude"]).contains(&"PractitionerRole:service"));
        assert!(texts(&offer["searchRevInclude"]).contains(&"Task:focus"));
        assert!(
            !texts(&offer["searchRevInclude"])
                .iter()
                .any(|name| name.contains(','))
        );
        let organization = &resources[ResourceType::ALL
            .iter()
            .position(|kind| *kind == ResourceType::Organization)
            .unwrap()];
        assert!(texts(&organization["searchRevInclude"]).contains(&"Organization:partof"));
    }
}
