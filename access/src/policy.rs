//! Access policies: the profiles, who gets which, and the views they need.

use rorqual_schema::{ResourceType, Schema};

use crate::certificate::DistinguishedName;
use crate::compile::compile;
use crate::names::did_you_mean;
use crate::policy_error::PolicyError;
use crate::policy_file::read;
use crate::rights::{Ask, Refusal, Rights};
use crate::rules::{DataRules, ViewId};

/// The text of the ready policies, by name.
pub(crate) const READY: [(&str, &str); 1] =
    [("national", include_str!("../policies/national.toml"))];

/// An access policy, read from a file and checked whole.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) profiles: Vec<Profile>,
    pub(crate) certificates: Vec<CertificateRule>,
    /// Place in `profiles`.
    pub(crate) without_certificate: Option<usize>,
}

/// What one group of clients may do and see.
#[derive(Clone, Debug)]
pub struct Profile {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) rights: Rights,
    pub(crate) rules: DataRules,
}

/// Who is calling, as the TLS layer has verified it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caller<'a> {
    /// The subject of the client certificate as RFC 4514 writes it.
    pub subject: Option<&'a str>,
    /// SHA-256 of the client certificate in DER form.
    pub fingerprint: Option<&'a [u8; 32]>,
}

/// One view to build, and the profiles that share it.
#[derive(Clone, Debug)]
pub struct View<'p> {
    /// Its name.
    pub id: &'p ViewId,
    /// The rules that make it.
    pub rules: &'p DataRules,
    /// The names of the profiles that see it.
    pub profiles: Vec<&'p str>,
}

#[derive(Clone, Debug)]
pub(crate) struct CertificateRule {
    pub pattern: CertificatePattern,
    /// The pattern for people, as written.
    pub written: String,
    /// Place in `profiles`.
    pub profile: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum CertificatePattern {
    Subject(DistinguishedName),
    Attributes(Vec<(String, String)>),
    Fingerprints(Vec<[u8; 32]>),
}

impl Policy {
    /// Reads and checks a policy: a file of its own, or the table `[access]` of a server's configuration.
    ///
    /// # Errors
    /// The first fault found; a policy is used whole or not at all.
    pub fn from_toml(text: &str) -> Result<Policy, PolicyError> {
        compile(read(text)?)
    }

    /// A ready policy by its name; `national` holds the profiles 0 to 5 of the national access matrix and gives them to nobody.
    ///
    /// # Errors
    /// [`PolicyError::Unknown`] when there is none of that name.
    pub fn ready(name: &str) -> Result<Policy, PolicyError> {
        compile(ready_file(name, "the name of the policy")?)
    }

    /// The profile of a caller: that of the first certificate rule that matches. Without a certificate it is the one the operator named
    /// for open data, if any; a certificate that no rule knows gets nothing, and so does a subject that cannot be read.
    pub fn profile_for(&self, caller: &Caller<'_>) -> Option<&Profile> {
        let place = if caller.subject.is_none() && caller.fingerprint.is_none() {
            self.without_certificate
        } else {
            let subject = caller.subject.map(DistinguishedName::parse);
            let subject = match subject {
                None => None,
                Some(Ok(name)) => Some(name),
                Some(Err(_)) => return None,
            };
            self.certificates
                .iter()
                .find(|rule| rule.pattern.matches(subject.as_ref(), caller.fingerprint))
                .map(|rule| rule.profile)
        };
        self.profiles.get(place?)
    }

    /// Who gets which profile: the patterns for certificates as written, in the order in which they are tried.
    pub fn certificates(&self) -> impl Iterator<Item = (&str, &Profile)> {
        self.certificates
            .iter()
            .filter_map(|rule| Some((rule.written.as_str(), self.profiles.get(rule.profile)?)))
    }

    /// The profile of those who show no certificate, if they have one.
    pub fn without_certificate(&self) -> Option<&Profile> {
        self.profiles.get(self.without_certificate?)
    }

    /// The profile of that name.
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|profile| profile.name == name)
    }

    /// Every profile, in the order of their names.
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// The views that the profiles need, each once, in the order of their ids.
    pub fn views(&self) -> Vec<View<'_>> {
        let mut views: Vec<View<'_>> = Vec::new();
        for profile in &self.profiles {
            match views.iter_mut().find(|view| view.id == profile.view()) {
                Some(view) => view.profiles.push(&profile.name),
                None => views.push(View {
                    id: profile.view(),
                    rules: &profile.rules,
                    profiles: vec![&profile.name],
                }),
            }
        }
        views.sort_by(|a, b| a.id.cmp(b.id));
        views
    }

    /// Checks that every search parameter named by a profile is one of the schema: a misspelled `deny` would deny nothing.
    ///
    /// # Errors
    /// [`PolicyError::Unknown`] for the first that is not.
    pub fn check_parameters(&self, schema: &Schema) -> Result<(), PolicyError> {
        for profile in &self.profiles {
            let patterns = profile.rights.allow.iter().chain(&profile.rights.deny);
            for pattern in patterns {
                let Some(code) = &pattern.code else {
                    continue;
                };
                let kinds = match pattern.kind {
                    Some(kind) => vec![kind],
                    None => ResourceType::ALL.to_vec(),
                };
                if kinds.iter().any(|kind| schema.find(*kind, code).is_some()) {
                    continue;
                }
                let mut known: Vec<&str> = kinds
                    .iter()
                    .flat_map(|kind| schema.parameters(*kind))
                    .map(|parameter| parameter.code.as_str())
                    .collect();
                known.sort_unstable();
                known.dedup();
                return Err(PolicyError::Unknown {
                    place: format!("profiles.{}.parameters", profile.name),
                    name: code.clone(),
                    what: "search parameter",
                    hint: did_you_mean(code, known.iter().copied()),
                    known: known.join(", "),
                });
            }
        }
        Ok(())
    }
}

pub(crate) fn ready_file(
    name: &str,
    place: &str,
) -> Result<crate::policy_file::PolicyFile, PolicyError> {
    let names = READY.iter().map(|(name, _)| *name);
    match READY.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => read(text),
        None => Err(PolicyError::Unknown {
            place: place.to_owned(),
            name: name.to_owned(),
            what: "ready policy",
            hint: did_you_mean(name, names.clone()),
            known: names.collect::<Vec<_>>().join(", "),
        }),
    }
}

impl Profile {
    /// The name under which the policy and the audit log know it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is, for people; may be empty.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Whether the profile may do this.
    ///
    /// # Errors
    /// Why not, in words for the client.
    pub fn may(&self, ask: Ask<'_>) -> Result<(), Refusal> {
        self.rights.may(ask)
    }

    /// The view of the directory that the profile sees; profiles with equal data rules have the same.
    pub fn view(&self) -> &ViewId {
        self.rules.view()
    }

    /// The rules that make the view.
    pub fn rules(&self) -> &DataRules {
        &self.rules
    }
}

impl CertificatePattern {
    fn matches(&self, subject: Option<&DistinguishedName>, print: Option<&[u8; 32]>) -> bool {
        match self {
            CertificatePattern::Subject(name) => subject == Some(name),
            CertificatePattern::Attributes(patterns) => subject.is_some_and(|subject| {
                patterns
                    .iter()
                    .all(|(attribute, pattern)| subject.has(attribute, pattern))
            }),
            CertificatePattern::Fingerprints(known) => {
                print.is_some_and(|print| known.contains(print))
            }
        }
    }
}
