//! All resources of the extract as the server gives them, with the references among them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::served::Served;

/// The elements that includes follow: type, search parameter, element.
const REFERENCES: [(&str, &str, &str); 8] = [
    ("HealthcareService", "organization", "providedBy"),
    ("HealthcareService", "location", "location"),
    ("Location", "organization", "managingOrganization"),
    ("Organization", "partof", "partOf"),
    ("PractitionerRole", "service", "healthcareService"),
    ("PractitionerRole", "practitioner", "practitioner"),
    ("PractitionerRole", "organization", "organization"),
    ("Task", "focus", "focus"),
];

const TYPES: [&str; 6] = [
    "HealthcareService",
    "Location",
    "Organization",
    "Practitioner",
    "PractitionerRole",
    "Task",
];

/// A type and one of its reference parameters.
pub type Edge = (String, String);

/// Every resource, and who refers to whom.
#[derive(Default)]
pub struct Directory {
    /// `Type/id`.
    pub keys: BTreeSet<String>,
    forward: BTreeMap<Edge, BTreeMap<String, BTreeSet<String>>>,
    backward: BTreeMap<Edge, BTreeMap<String, BTreeSet<String>>>,
}

/// Whether includes can follow a parameter of a type.
pub fn is_reference(kind: &str, parameter: &str) -> bool {
    REFERENCES
        .iter()
        .any(|(source, name, _)| (*source, *name) == (kind, parameter))
}

impl Directory {
    /// Fetches everything, page by page.
    pub fn fetch(served: &Served) -> Self {
        let mut resources = Vec::new();
        let mut connection = served.connect();
        for kind in TYPES {
            let mut next = Some(format!("{}/{kind}?_count=1000", served.base_path()));
            while let Some(target) = next.take() {
                let response = connection.send("GET", &target, &[], b"");
                let bundle = response.json().expect("a Bundle");
                assert_eq!(response.status, 200, "{target}: {bundle}");
                let links = bundle["link"].as_array().expect("links");
                next = links
                    .iter()
                    .find(|link| link["relation"] == "next")
                    .and_then(|link| link["url"].as_str())
                    .and_then(|url| url.strip_prefix(served.base_url.as_str()))
                    .map(|rest| format!("{}{rest}", served.base_path()));
                let entries = bundle["entry"].as_array().into_iter().flatten();
                resources.extend(entries.map(|entry| entry["resource"].clone()));
            }
        }
        Self::of(&resources)
    }

    fn of(resources: &[Value]) -> Self {
        let mut directory = Directory {
            keys: resources.iter().map(key).collect(),
            ..Default::default()
        };
        let mut identified: BTreeMap<&str, Vec<(&Value, String)>> = BTreeMap::new();
        for resource in resources {
            for identifier in resource["identifier"].as_array().into_iter().flatten() {
                if let Some(value) = identifier["value"].as_str() {
                    let bearer = (identifier, key(resource));
                    identified.entry(value).or_default().push(bearer);
                }
            }
        }
        for resource in resources {
            for (kind, parameter, element) in REFERENCES {
                if resource["resourceType"] != kind {
                    continue;
                }
                let references = match &resource[element] {
                    Value::Array(several) => several.iter().collect(),
                    Value::Null => Vec::new(),
                    one => vec![one],
                };
                for reference in references {
                    for target in directory.targets(reference, &identified) {
                        directory.join((kind, parameter), &key(resource), &target);
                    }
                }
            }
        }
        directory
    }

    /// What a reference points to: literally, or else by type and identifier.
    fn targets(
        &self,
        reference: &Value,
        identified: &BTreeMap<&str, Vec<(&Value, String)>>,
    ) -> Vec<String> {
        if let Some(literal) = reference["reference"].as_str() {
            return self.keys.get(literal).cloned().into_iter().collect();
        }
        let wanted = &reference["identifier"];
        let Some(value) = wanted["value"].as_str() else {
            return Vec::new();
        };
        let bearers = identified.get(value).into_iter().flatten();
        bearers
            .filter(|(identifier, key)| {
                let kind = key.split('/').next().unwrap_or_default();
                let right_kind = reference["type"].as_str().is_none_or(|named| named == kind);
                let right_system = wanted["system"].as_str().is_none_or(|system| {
                    identifier["system"].as_str().map(scheme_less) == Some(scheme_less(system))
                });
                right_kind && right_system
            })
            .map(|(_, key)| key.clone())
            .collect()
    }

    fn join(&mut self, (kind, parameter): (&str, &str), source: &str, target: &str) {
        let edge = (kind.to_owned(), parameter.to_owned());
        for (table, from, to) in [
            (&mut self.forward, source, target),
            (&mut self.backward, target, source),
        ] {
            table
                .entry(edge.clone())
                .or_default()
                .entry(from.to_owned())
                .or_default()
                .insert(to.to_owned());
        }
    }

    /// What `key` refers to through a parameter of its type.
    pub fn referenced<'a>(&'a self, edge: &Edge, key: &str) -> impl Iterator<Item = &'a String> {
        let found = self.forward.get(edge).and_then(|all| all.get(key));
        found.into_iter().flatten()
    }

    /// What refers to `key` through a parameter of the referring type.
    pub fn referring<'a>(&'a self, edge: &Edge, key: &str) -> impl Iterator<Item = &'a String> {
        let found = self.backward.get(edge).and_then(|all| all.get(key));
        found.into_iter().flatten()
    }
}

fn key(resource: &Value) -> String {
    let part = |name: &str| resource[name].as_str().unwrap_or_default().to_owned();
    format!("{}/{}", part("resourceType"), part("id"))
}

/// Identifier systems are written with `http` and with `https`.
fn scheme_less(system: &str) -> &str {
    system
        .strip_prefix("https://")
        .or_else(|| system.strip_prefix("http://"))
        .unwrap_or(system)
}
