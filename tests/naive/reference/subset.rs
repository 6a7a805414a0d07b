//! What `_elements` and `_summary` leave of a resource.

use crate::kinds::Kind;
use crate::queries::{Query, Summary};
use serde_json::{Value as Json, json};

/// The elements of a summary that all types have, but `id` and `meta`, which are always there.
const IN_ALL: &[&str] = &["implicitRules"];

/// The elements that FHIR R4 marks as summary and that records of a type may hold.
fn summary(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::HealthcareService => &[
            "identifier",
            "active",
            "providedBy",
            "category",
            "type",
            "specialty",
            "location",
            "name",
            "comment",
            "photo",
        ],
        Kind::Location => &[
            "identifier",
            "status",
            "operationalStatus",
            "name",
            "description",
            "mode",
            "type",
            "physicalType",
            "managingOrganization",
        ],
        Kind::Organization => &["identifier", "active", "type", "name", "partOf"],
        Kind::Practitioner => &[
            "identifier",
            "active",
            "name",
            "telecom",
            "address",
            "gender",
            "birthDate",
        ],
        Kind::PractitionerRole => &[
            "identifier",
            "active",
            "period",
            "practitioner",
            "organization",
            "code",
            "specialty",
            "location",
            "telecom",
        ],
        Kind::Task => &[
            "status",
            "statusReason",
            "businessStatus",
            "intent",
            "code",
            "description",
            "focus",
            "for",
            "executionPeriod",
            "lastModified",
            "requester",
            "owner",
        ],
    }
}

/// The record as an entry must show it when it is cut down, `None` when it must be whole.
///
/// A bare name speaks of the matches only; `Type.element` of that type wherever it stands.
pub fn cut(query: &Query, kind: Kind, is_match: bool, record: &Json) -> Option<Json> {
    let concerns = |only: &Option<Kind>| only.map_or(is_match, |only| only == kind);
    let names: Vec<&str> = query
        .elements
        .iter()
        .filter(|(only, _)| concerns(only))
        .map(|(_, name)| *name)
        .collect();
    let kept = |element: &str| {
        let mandatory = kind == Kind::Task && ["status", "intent"].contains(&element);
        let always = ["resourceType", "id", "meta"].contains(&element) || mandatory;
        let named = names.contains(&element);
        match query.summary {
            Some(Summary::True) => {
                always || named || IN_ALL.contains(&element) || summary(kind).contains(&element)
            }
            Some(Summary::Text) => always || named || element == "text",
            Some(Summary::Data) if names.is_empty() => element != "text",
            _ => always || named,
        }
    };
    if names.is_empty() && matches!(query.summary, None | Some(Summary::Count)) {
        return None;
    }
    let mut shown = record.clone();
    if let Some(members) = shown.as_object_mut() {
        members.retain(|name, _| kept(name.strip_prefix('_').unwrap_or(name)));
    }
    let mut tags = record["meta"]["tag"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    tags.push(json!({
        "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
        "code": "SUBSETTED",
    }));
    shown["meta"]["tag"] = Json::Array(tags);
    Some(shown)
}
