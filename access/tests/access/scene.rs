//! Small hand-made resources, and the shortest way to redact one.

use rorqual_access::{DataRules, Facts, Policy, Redacted, ServiceKind, Target};
use rorqual_schema::{Node, ResourceType};
use serde_json::{Value, json};

pub const GUIDE: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/";

/// The URL of a code system of the NOS by its name.
pub fn nos(name: &str) -> String {
    format!(
        "https://mos.esante.gouv.fr/NOS/{name}/FHIR/{}",
        name.replacen('_', "-", 1)
    )
}

pub fn concept(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": nos(system), "code": code}]})
}

/// An extension of the guide holding a code.
pub fn coded(name: &str, system: &str, code: &str) -> Value {
    json!({"url": format!("{GUIDE}{name}"), "valueCodeableConcept": concept(system, code)})
}

/// A telecom whose value names it; level 0 says none.
pub fn telecom(level: u8, value: &str) -> Value {
    match level {
        0 => json!({"system": "phone", "value": value}),
        _ => json!({
            "extension": [coded("ror-telecom-confidentiality-level", "TRE_R283-NiveauConfidentialite", &level.to_string())],
            "system": "phone",
            "value": value,
        }),
    }
}

/// A contact of a service with telecoms of those levels; level 0 says none.
pub fn service_contact(level: u8, name: &str, telecoms: &[(u8, &str)]) -> Value {
    let mut parts = vec![json!({"url": "name", "valueHumanName": {"text": name}})];
    if level > 0 {
        parts.push(coded(
            "ror-confidentiality-level",
            "TRE_R283-NiveauConfidentialite",
            &level.to_string(),
        ));
    }
    for (level, value) in telecoms {
        let mut inner = vec![json!({"url": "telecomAddress", "valueString": value})];
        if *level > 0 {
            inner.push(coded(
                "ror-telecom-confidentiality-level",
                "TRE_R283-NiveauConfidentialite",
                &level.to_string(),
            ));
        }
        parts.push(json!({
            "url": format!("{GUIDE}ror-healthcareservice-contact-telecom"),
            "extension": inner,
        }));
    }
    json!({"url": format!("{GUIDE}ror-healthcareservice-contact"), "extension": parts})
}

pub fn kind(sensitive: bool, medico_social: bool, city: bool) -> Facts {
    Facts::of(ServiceKind {
        sensitive,
        medico_social,
        city,
    })
}

pub fn national() -> Policy {
    Policy::ready("national").expect("the ready policy")
}

/// The rules of a policy whose one profile `x` has those data keys.
pub fn rules(data: &str) -> DataRules {
    let text = format!("[profiles.x]\n{data}");
    let policy = Policy::from_toml(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    policy.profile("x").expect("there").rules().clone()
}

pub fn everything(_: Target<'_>) -> bool {
    true
}

pub fn redact_text(
    rules: &DataRules,
    text: &str,
    facts: Facts,
    visible: &dyn Fn(Target<'_>) -> bool,
) -> Redacted {
    let node = Node::parse(text.as_bytes()).expect("JSON");
    let kind = node.get("resourceType").and_then(Node::as_str);
    let kind = kind.and_then(ResourceType::from_name).expect("a type");
    rules
        .redact(kind, text.as_bytes(), &node, facts, visible)
        .expect("redacted")
}

/// What is seen of a resource: nothing when it is hidden.
pub fn seen(rules: &DataRules, resource: &Value, facts: Facts) -> Option<Value> {
    seen_where(rules, resource, facts, &everything)
}

pub fn seen_where(
    rules: &DataRules,
    resource: &Value,
    facts: Facts,
    visible: &dyn Fn(Target<'_>) -> bool,
) -> Option<Value> {
    match redact_text(rules, &resource.to_string(), facts, visible) {
        Redacted::Hidden => None,
        Redacted::Whole => Some(resource.clone()),
        Redacted::Partial(bytes) => Some(serde_json::from_slice(&bytes).expect("still JSON")),
    }
}

pub fn is_subsetted(resource: &Value) -> bool {
    resource["meta"]["tag"].as_array().is_some_and(|tags| {
        tags.iter().any(|tag| {
            tag["code"] == "SUBSETTED"
                && tag["system"] == "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"
        })
    })
}
