//! The shape of a policy file, key by key; what the keys mean is checked in `compile`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::names::did_you_mean;
use crate::policy_error::PolicyError;

/// A whole policy.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PolicyFile {
    /// Name of the ready policy whose lines and profiles come with this file's own; only `national` is known.
    pub base: Option<String>,
    /// Profile of a client that shows no certificate.
    pub without_certificate: Option<String>,
    /// Must be true for `without_certificate` to count.
    pub open_data: bool,
    /// Who gets which profile; the first that matches.
    pub certificates: Vec<CertificateEntry>,
    /// Named lists of elements.
    pub lines: BTreeMap<String, LineEntry>,
    /// The profiles.
    pub profiles: BTreeMap<String, ProfileEntry>,
}

/// One `[[certificates]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CertificateEntry {
    pub profile: String,
    /// The whole subject.
    pub subject: Option<String>,
    /// Patterns for some of its attributes.
    pub attributes: Option<BTreeMap<String, String>>,
    /// SHA-256 of the certificate.
    pub fingerprints: Option<Vec<String>>,
}

/// One `[lines.…]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct LineEntry {
    /// For people.
    pub title: String,
    /// For people.
    pub note: String,
    /// Element paths.
    pub elements: Vec<String>,
}

/// One `[profiles.…]`. What is absent is nothing, or that of the profile named by `like`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProfileEntry {
    pub title: Option<String>,
    /// For people.
    pub note: Option<String>,
    pub like: Option<String>,
    pub types: Option<Vec<String>>,
    pub interactions: Option<Vec<String>>,
    pub operations: Option<Vec<String>>,
    pub parameters: Option<ParametersEntry>,
    pub tasks: Option<Vec<String>>,
    /// Type to condition.
    pub documents: BTreeMap<String, String>,
    /// Types whose elements are shown when no rule names them.
    pub rest: Option<Vec<String>>,
    /// Line or element path to condition.
    pub see: BTreeMap<String, String>,
}

/// `parameters` of a profile.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ParametersEntry {
    pub allow: Vec<String>,
    pub deny: Vec<String>,
}

impl ProfileEntry {
    /// This profile with what it leaves out taken from another.
    pub fn over(mut self, other: ProfileEntry) -> ProfileEntry {
        self.title = self.title.or(other.title);
        self.types = self.types.or(other.types);
        self.interactions = self.interactions.or(other.interactions);
        self.operations = self.operations.or(other.operations);
        self.parameters = self.parameters.or(other.parameters);
        self.tasks = self.tasks.or(other.tasks);
        self.rest = self.rest.or(other.rest);
        for (key, condition) in other.documents {
            self.documents.entry(key).or_insert(condition);
        }
        for (key, condition) in other.see {
            self.see.entry(key).or_insert(condition);
        }
        self
    }
}

/// The table `[access]` of a server's configuration, whose other keys are not ours to judge.
#[derive(Deserialize)]
struct Inside {
    access: PolicyFile,
}

/// Reads a policy: the table `[access]` when the text has one, otherwise the whole text.
pub(crate) fn read(text: &str) -> Result<PolicyFile, PolicyError> {
    let table: toml::Table = toml::from_str(text).map_err(|error| refused(&error))?;
    if table.contains_key("access") {
        let inside: Inside = toml::from_str(text).map_err(|error| refused(&error))?;
        return Ok(inside.access);
    }
    toml::from_str(text).map_err(|error| refused(&error))
}

fn refused(error: &toml::de::Error) -> PolicyError {
    let mut message = error.to_string().trim_end().to_owned();
    // "unknown field `x`, expected one of `a`, `b`": the nearest of them is worth a word of its own.
    if let Some((_, named)) = message.split_once("unknown field ") {
        let mut names = named.split('`').skip(1).step_by(2);
        if let Some(written) = names.next() {
            let hint = did_you_mean(written, names);
            message.push_str(&hint);
        }
    }
    PolicyError::Syntax { message }
}
