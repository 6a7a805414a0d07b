//! A small directory with a sensitive unit, a policy, and a server that holds the clients of the test infrastructure to it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use rorqual::server::ServerConfig;
use rorqual_dev_pki::Credential;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::client::{Client, Response, Server};
use crate::tls::client::{Stream, TLS13, chain, config, connect};
use crate::tls::files::Files;

/// Words that stand in what only profiles 1 and 4 may see. They must be in no byte that others get.
pub const HIDDEN: [&str; 4] = ["closed", "Fermée", "52/666", "tel666"];

/// Clients 0 to 3 have those profiles. Client 4 may ask about offers and places only, and not by everything; client 5 reports
/// anomalies, and does not see the values of those there are.
pub const POLICY: &str = r#"
base = "national"

[[certificates]]
profile = "0"
attributes = { CN = "rorqual-profile-0" }
[[certificates]]
profile = "1"
attributes = { CN = "rorqual-profile-1" }
[[certificates]]
profile = "2"
attributes = { CN = "rorqual-profile-2" }
[[certificates]]
profile = "3"
attributes = { CN = "*-profile-3", O = "*" }
[[certificates]]
profile = "narrow"
attributes = { CN = "rorqual-profile-4" }
[[certificates]]
profile = "reporter"
attributes = { CN = "rorqual-profile-5" }

[profiles.narrow]
like = "2"
types = ["HealthcareService", "Location"]
parameters.allow = ["*"]
parameters.deny = ["Location.address-city", "*.identifier"]

[profiles.reporter]
like = "2"
interactions = ["read", "search", "create", "patch", "batch", "transaction"]
operations = ["$explain"]
tasks = ["read", "write"]
documents.Task = "always"
see.task-as-such = "always"
see.task-values = "never"
"#;

fn service(id: &str, name: &str, sensitive: bool, number: &str, place: &str) -> Value {
    let sensitivity = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-sensitive-unit";
    json!({
        "resourceType": "HealthcareService", "id": id,
        "meta": {"versionId": "1", "lastUpdated": "2026-01-02T03:04:05Z"},
        "extension": [{"url": sensitivity, "valueBoolean": sensitive}],
        "identifier": [{"value": number}],
        "providedBy": {"reference": "Organization/carrier"},
        "name": name,
        "location": [{"reference": format!("Location/{place}")}, {"reference": "Location/shared"}],
    })
}

/// Two open offers and a closed one, with its own place.
fn extract() -> Vec<Value> {
    let place = |id: &str, name: &str, city: &str, phone: &str| {
        json!({"resourceType": "Location", "id": id, "name": name, "address": {"city": city},
            "telecom": [{"system": "phone", "value": phone}]})
    };
    vec![
        service("open", "Urgences", false, "52/1", "own"),
        service("wide", "Maternité", false, "52/2", "own"),
        service("closed", "Unité Fermée", true, "52/666", "closed"),
        place("own", "Pavillon Est", "Nantes", "0251"),
        place("shared", "Hall", "Nantes", "tel666"),
        place("closed", "Aile Fermée", "Rezé", "tel666"),
        json!({"resourceType": "Organization", "id": "carrier", "name": "Clinique des Pins",
            "identifier": [{"system": "urn:example:structures", "value": "44"}]}),
        json!({"resourceType": "Practitioner", "id": "closed", "name": [{"family": "Fermée"}]}),
        json!({"resourceType": "PractitionerRole", "id": "closed", "practitioner": {"reference": "Practitioner/closed"},
            "healthcareService": [{"reference": "HealthcareService/closed"}]}),
    ]
}

/// Builds the directory under a folder, with the views of a policy.
pub fn index(policy: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let lines: Vec<String> = extract().iter().map(Value::to_string).collect();
    let (source, rules) = (
        folder.path().join("extract.ndjson"),
        folder.path().join("access.toml"),
    );
    fs::write(&source, lines.join("\n")).expect("a writable folder");
    fs::write(&rules, policy).expect("a writable folder");
    index_builder::build(&index_builder::BuildOptions {
        extract: vec![source],
        index: folder.path().join("index"),
        access: Some(rules),
        ..Default::default()
    })
    .expect("the extract builds");
    folder
}

/// A server with profiles, and the certificates of its clients.
pub struct Place {
    pub files: Files,
    pub server: Server,
}

impl Place {
    pub fn new() -> Place {
        Place::with(|_| {})
    }

    /// The same, its configuration changed.
    pub fn with(change: impl FnOnce(&mut ServerConfig)) -> Place {
        Place::on(index(POLICY), POLICY, change)
    }

    /// A server with that policy on an index that may have been built with another.
    pub fn on(folder: TempDir, policy: &str, change: impl FnOnce(&mut ServerConfig)) -> Place {
        let files = Files::new();
        files.replace("access.toml", policy);
        let server = Server::start_on(folder, |config| {
            config.tls = Some(files.table());
            config.access.policy = Some(files.path("access.toml"));
            config.refresh_interval_ms = 20;
            change(config);
        });
        Place { files, server }
    }

    /// Where the policy is.
    pub fn policy(&self) -> PathBuf {
        self.files.path("access.toml")
    }

    /// A connection of the client with that number.
    pub fn client(&self, number: usize) -> Client<Stream> {
        self.come(Some(&self.files.pki.profiles[number]))
    }

    /// A connection with a certificate, or without one.
    pub fn come(&self, who: Option<&Credential>) -> Client<Stream> {
        let presented = who.and_then(chain);
        let config = Arc::new(config(&self.files, presented, &TLS13));
        connect(&self.server, &config).expect("a connection")
    }

    /// One GET of the client with that number.
    pub fn get(&self, number: usize, target: &str) -> Response {
        self.client(number).get(target)
    }
}

/// Fails when an answer holds something that is hidden from its client.
pub fn tells_nothing(answer: &Response, asked: &str) {
    let text = answer.text();
    let without_question = text.replace(asked, "");
    for word in HIDDEN {
        assert!(
            !without_question.contains(word),
            "{word} for {asked}: {text}"
        );
    }
}
