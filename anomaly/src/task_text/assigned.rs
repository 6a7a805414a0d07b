//! What the server assigns to a Task: its ids, its version and its instants.

use super::exact_json::{ExactJson, Member};
use super::{TaskText, members};

/// What a stored version of a Task gets from the server, whatever the client sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assigned<'a> {
    /// `Task.id`.
    pub id: &'a str,
    /// `Task.meta.versionId`.
    pub version_id: &'a str,
    /// `Task.meta.lastUpdated`, a FHIR instant.
    pub last_updated: &'a str,
    /// System and value of the functional identifier, in the place of every identifier there was; an empty system is left
    /// out. `None` leaves the identifiers as they are: those of a Task that is patched.
    pub identifier: Option<(&'a str, &'a str)>,
    /// Canonical URL for `Task.meta.profile`, set only when the client named no profile.
    pub profile: Option<&'a str>,
}

/// The members of Meta in the order of its R4 definition.
const META: [&str; 8] = [
    "id",
    "extension",
    "versionId",
    "lastUpdated",
    "source",
    "profile",
    "security",
    "tag",
];

fn meta_rank(name: &str) -> usize {
    let element = name.strip_prefix('_').unwrap_or(name);
    META.iter()
        .position(|known| *known == element)
        .unwrap_or(META.len())
}

impl TaskText {
    /// Sets what the server assigns; the rest of `meta` (profile, tags, security labels) stays as it was written.
    pub fn assign(&mut self, assigned: &Assigned<'_>) {
        self.set("id", ExactJson::string(assigned.id));
        let mut meta = self
            .get("meta")
            .and_then(ExactJson::members)
            .unwrap_or_default();
        let named = meta.iter().any(|member| {
            member.name() == "profile" && member.value().items().is_some_and(|all| !all.is_empty())
        });
        let mut set = |name, value| members::set(&mut meta, meta_rank, name, value);
        set("versionId", ExactJson::string(assigned.version_id));
        set("lastUpdated", ExactJson::string(assigned.last_updated));
        if let Some(profile) = assigned.profile
            && !named
        {
            set("profile", ExactJson::array(&[ExactJson::string(profile)]));
        }
        self.set("meta", ExactJson::object(&meta));
        if let Some((system, value)) = assigned.identifier {
            let mut identifier = Vec::new();
            if !system.is_empty() {
                identifier.push(Member::new("system", ExactJson::string(system)));
            }
            identifier.push(Member::new("value", ExactJson::string(value)));
            self.set(
                "identifier",
                ExactJson::array(&[ExactJson::object(&identifier)]),
            );
        }
    }

    /// Sets `Task.lastModified` to the instant of a write, a FHIR instant.
    pub fn refresh_last_modified(&mut self, instant: &str) {
        self.set("lastModified", ExactJson::string(instant));
    }

    /// `Task.meta.versionId`, when there is one.
    pub fn version_id(&self) -> Option<String> {
        self.get("meta")?.member("versionId")?.text()
    }
}
