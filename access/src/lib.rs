//! Who may ask what of the directory, and what they see of it.
//!
//! A [`Policy`] is a TOML file: profiles, and the certificates that get them. A profile says two things apart:
//!
//! - what it may **do** ([`Profile::may`]): interactions, operations, types, search parameters, anomalies; asked at every request;
//! - what it **sees** ([`Profile::rules`]): documents and elements. Profiles with equal [`DataRules`] share one view, named by a
//!   [`ViewId`]. A view is made when the index is built: each resource is [redacted](DataRules::redact), hidden ones are left out,
//!   and the rest is indexed as if the extract had come like that. What is not in the view cannot leak from it, and nothing is left to
//!   do per request.
//!
//! Conditions ask about the services that lead to a resource: sensitive unit, medico-social, city. A first pass over the extract
//! ([`Survey`]) gives each resource its [`Facts`]; a second redacts. `policies/national.toml` holds the national matrix, profiles 0 to
//! 5. Everything that is not granted is refused, and everything that is not shown by a rule is hidden.
//!
//! Read `policy` first, then `rules` and `redact`; `docs/access.md` is the operator's page.
//!
//! ```
//! use rorqual_access::{Policy, Redacted, Survey};
//! use rorqual_schema::{Node, ResourceType::Organization};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let policy = Policy::ready("national")?;
//! let open_data = policy.profile("0").ok_or("no profile 0")?.rules();
//!
//! let text = br#"{"resourceType":"Organization","id":"12","name":"Clinique des Pins","contact":[{"name":{"text":"La direction"}}]}"#;
//! let resource = Node::parse(text)?;
//! let mut survey = Survey::new();
//! survey.note(Organization, &resource);
//! let directory = survey.finish();
//! let visibility = directory.visibility(open_data);
//!
//! let facts = directory.facts(Organization, "12");
//! let redacted = open_data.redact(Organization, text, &resource, facts, &|target| visibility.holds(&target))?;
//! let Redacted::Partial(bytes) = redacted else { return Err("a contact is restricted unless it says otherwise".into()) };
//! assert!(bytes.starts_with(br#"{"resourceType":"Organization","id":"12","meta":{"tag":[{"system":"http://terminology.hl7.org"#));
//! assert!(bytes.ends_with(br#""code":"SUBSETTED"}]},"name":"Clinique des Pins"}"#));
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod certificate;
mod compile;
mod condition;
mod condition_text;
mod directory;
mod element_path;
mod extension_names;
mod facts;
mod names;
mod policy;
mod policy_error;
mod policy_file;
mod redact;
mod references;
mod rights;
mod rule_error;
mod rules;
mod scanner;
mod span;
mod splice;
mod values;

pub use certificate::NameError;
pub use directory::{Directory, Survey, Visibility};
pub use facts::{Facts, ServiceKind, own_facts};
pub use policy::{Caller, Policy, Profile, View};
pub use policy_error::PolicyError;
pub use redact::{RedactError, Redacted};
pub use references::{Sought, Target, focus_of};
pub use rights::{Ask, Refusal, Rights};
pub use rule_error::RuleError;
pub use rules::{DataRules, ViewId};
pub use values::regions;
