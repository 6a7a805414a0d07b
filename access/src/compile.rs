//! From a policy file to a policy: every name resolved, every text read, every fault said.

use std::collections::{BTreeMap, BTreeSet};

use rorqual_schema::ResourceType;

use crate::certificate::{DistinguishedName, NameError, attribute_name};
use crate::condition::Condition;
use crate::element_path::ElementPath;
use crate::names::did_you_mean;
use crate::policy::{CertificatePattern, CertificateRule, Policy, Profile, ready_file};
use crate::policy_error::PolicyError;
use crate::policy_file::{CertificateEntry, LineEntry, PolicyFile, ProfileEntry};
use crate::rights::{INTERACTIONS, OPERATIONS, ParameterPattern, Rights};
use crate::rule_error::RuleError;
use crate::rules::{DataRules, ElementRule};
use crate::{condition_text, element_path};

/// Checks a file and builds the policy it describes.
pub(crate) fn compile(mut file: PolicyFile) -> Result<Policy, PolicyError> {
    if let Some(base) = file.base.take() {
        join(&mut file, ready_file(&base, "base")?)?;
    }
    let lines = compiled_lines(&file.lines)?;
    let mut profiles = Vec::new();
    for name in file.profiles.keys() {
        well_named(name, || format!("profiles.{name}"))?;
        let entry = resolved(name, &file.profiles)?;
        profiles.push(profile(name, &entry, &lines)?);
    }
    let find = |place: String, name: &str| {
        profiles
            .iter()
            .position(|profile: &Profile| profile.name == name)
            .ok_or_else(|| unknown(place, name, "profile", file.profiles.keys()))
    };
    let mut certificates = Vec::new();
    for (number, entry) in file.certificates.iter().enumerate() {
        certificates.push(CertificateRule {
            pattern: certificate(number, entry)?,
            written: written(entry),
            profile: find(format!("certificates[{number}].profile"), &entry.profile)?,
        });
    }
    let without_certificate = match &file.without_certificate {
        Some(name) => Some(find("without_certificate".to_owned(), name)?),
        None => None,
    };
    if without_certificate.is_some() != file.open_data {
        return Err(PolicyError::OpenData);
    }
    Ok(Policy {
        profiles,
        certificates,
        without_certificate,
    })
}

/// Adds the lines and profiles of the base policy. Nothing of it can be replaced under its own name, so that `2` is always the
/// national profile 2.
fn join(file: &mut PolicyFile, base: PolicyFile) -> Result<(), PolicyError> {
    for (name, line) in base.lines {
        if file.lines.insert(name.clone(), line).is_some() {
            return Err(PolicyError::Twice {
                place: format!("lines.{name}"),
            });
        }
    }
    for (name, profile) in base.profiles {
        if file.profiles.insert(name.clone(), profile).is_some() {
            return Err(PolicyError::Twice {
                place: format!("profiles.{name}"),
            });
        }
    }
    Ok(())
}

fn compiled_lines(
    lines: &BTreeMap<String, LineEntry>,
) -> Result<BTreeMap<&str, Vec<ElementPath>>, PolicyError> {
    let mut compiled = BTreeMap::new();
    for (name, line) in lines {
        well_named(name, || format!("lines.{name}"))?;
        if line.elements.is_empty() {
            return Err(PolicyError::EmptyLine { line: name.clone() });
        }
        let paths = line.elements.iter().map(|text| {
            element_path::parse(text).map_err(in_place(|| format!("lines.{name}.elements")))
        });
        compiled.insert(name.as_str(), paths.collect::<Result<_, _>>()?);
    }
    Ok(compiled)
}

/// A profile with what it takes from those it is like.
fn resolved(
    name: &str,
    profiles: &BTreeMap<String, ProfileEntry>,
) -> Result<ProfileEntry, PolicyError> {
    let mut entry = profiles.get(name).cloned().unwrap_or_default();
    let mut seen = BTreeSet::from([name]);
    let mut like = entry.like.clone();
    while let Some(model) = like {
        let Some((key, other)) = profiles.get_key_value(&model) else {
            return Err(unknown(
                format!("profiles.{name}.like"),
                &model,
                "profile",
                profiles.keys(),
            ));
        };
        if !seen.insert(key) {
            return Err(PolicyError::Circle {
                profile: name.to_owned(),
            });
        }
        like = other.like.clone();
        entry = entry.over(other.clone());
    }
    Ok(entry)
}

fn profile(
    name: &str,
    entry: &ProfileEntry,
    lines: &BTreeMap<&str, Vec<ElementPath>>,
) -> Result<Profile, PolicyError> {
    let place = |key: &str| format!("profiles.{name}.{key}");
    let rights = rights(entry, &place)?;
    let mut documents: [Condition; ResourceType::COUNT] = std::array::from_fn(|_| Condition::Never);
    for (type_name, text) in &entry.documents {
        let place = || place(&format!("documents.{type_name}"));
        let kind = directory_type(type_name, place)?;
        let condition = condition_text::parse(text).map_err(in_place(place))?;
        if condition.is_about_elements() {
            return Err(PolicyError::AboutElements { place: place() });
        }
        documents[kind.index()] = condition;
    }
    let task = &mut documents[ResourceType::Task.index()];
    if !rights.read_tasks {
        *task = Condition::Never;
    } else if !entry.documents.contains_key("Task") {
        return Err(PolicyError::TasksUnseen {
            profile: name.to_owned(),
        });
    }
    let mut rest = [false; ResourceType::COUNT];
    for kind in types(entry.rest.as_deref(), || place("rest"))? {
        rest[kind.index()] = true;
    }
    let mut rules = Vec::new();
    for (key, text) in &entry.see {
        let place = || place(&format!("see.{key}"));
        let condition = condition_text::parse(text).map_err(in_place(place))?;
        let paths = match lines.get(key.as_str()) {
            Some(paths) => paths.clone(),
            None if key.contains('.') => {
                vec![element_path::parse(key).map_err(in_place(place))?]
            }
            None => return Err(unknown(place(), key, "line", lines.keys())),
        };
        rules.extend(paths.into_iter().map(|path| ElementRule {
            path,
            condition: condition.clone(),
        }));
    }
    Ok(Profile {
        name: name.to_owned(),
        title: entry.title.clone().unwrap_or_default(),
        rights,
        rules: DataRules::new(documents, rest, rules),
    })
}

fn rights(entry: &ProfileEntry, place: &dyn Fn(&str) -> String) -> Result<Rights, PolicyError> {
    let words = |key: &str, written: &Option<Vec<String>>, known: &[&'static str], what| {
        let mut found = BTreeSet::new();
        for word in written.iter().flatten() {
            match known.iter().find(|known| *known == word) {
                Some(word) => found.insert(*word),
                None => return Err(unknown(place(key), word, what, known.iter())),
            };
        }
        Ok(found)
    };
    let tasks = words("tasks", &entry.tasks, &["read", "write"], "right on tasks")?;
    let parameters = entry.parameters.clone().unwrap_or_default();
    Ok(Rights {
        types: types(entry.types.as_deref(), || place("types"))?
            .into_iter()
            .collect(),
        interactions: words(
            "interactions",
            &entry.interactions,
            &INTERACTIONS,
            "interaction",
        )?,
        operations: words("operations", &entry.operations, &OPERATIONS, "operation")?,
        allow: patterns(&parameters.allow, || place("parameters.allow"))?,
        deny: patterns(&parameters.deny, || place("parameters.deny"))?,
        read_tasks: tasks.contains("read"),
        write_tasks: tasks.contains("write"),
    })
}

fn types(
    names: Option<&[String]>,
    place: impl Fn() -> String,
) -> Result<Vec<ResourceType>, PolicyError> {
    let mut kinds = Vec::new();
    for name in names.unwrap_or_default() {
        if name == "*" {
            kinds.extend(ResourceType::ALL);
        } else {
            kinds.push(directory_type(name, &place)?);
        }
    }
    Ok(kinds)
}

fn patterns(
    texts: &[String],
    place: impl Fn() -> String,
) -> Result<Vec<ParameterPattern>, PolicyError> {
    let mut patterns = Vec::new();
    for text in texts {
        let (kind, code) = text.split_once('.').unwrap_or((text, "*"));
        let kind = if kind == "*" {
            None
        } else {
            Some(directory_type(kind, &place)?)
        };
        let code = (code != "*").then(|| code.to_owned());
        patterns.push(ParameterPattern { kind, code });
    }
    Ok(patterns)
}

fn directory_type(name: &str, place: impl Fn() -> String) -> Result<ResourceType, PolicyError> {
    let known = ResourceType::ALL.map(ResourceType::name);
    ResourceType::from_name(name).ok_or_else(|| {
        unknown(
            place(),
            name,
            "resource type of the directory",
            known.iter(),
        )
    })
}

/// A pattern in one line.
fn written(entry: &CertificateEntry) -> String {
    let mut parts = Vec::new();
    if let Some(subject) = &entry.subject {
        parts.push(format!("subject {subject}"));
    }
    let attributes = entry.attributes.iter().flatten();
    parts.extend(attributes.map(|(name, pattern)| format!("{name} = {pattern}")));
    let prints = entry.fingerprints.iter().flatten();
    parts.extend(prints.map(|print| format!("fingerprint {print}")));
    parts.join(", ")
}

fn certificate(number: usize, entry: &CertificateEntry) -> Result<CertificatePattern, PolicyError> {
    let subject = |source| PolicyError::Subject { number, source };
    match (&entry.subject, &entry.attributes, &entry.fingerprints) {
        (Some(name), None, None) => DistinguishedName::parse(name)
            .map(CertificatePattern::Subject)
            .map_err(subject),
        (None, Some(attributes), None) if !attributes.is_empty() => {
            let mut patterns = Vec::new();
            for (name, pattern) in attributes {
                let name = attribute_name(name).ok_or_else(|| {
                    subject(NameError {
                        name: name.clone(),
                        fault: "an attribute is a word or a number such as 2.5.4.3".to_owned(),
                    })
                })?;
                if pattern.is_empty() {
                    return Err(PolicyError::Certificate { number });
                }
                patterns.push((name, pattern.clone()));
            }
            Ok(CertificatePattern::Attributes(patterns))
        }
        (None, None, Some(prints)) if !prints.is_empty() => {
            let prints = prints.iter().map(|written| {
                fingerprint(written).ok_or_else(|| PolicyError::Fingerprint {
                    number,
                    written: written.chars().take(200).collect(),
                })
            });
            Ok(CertificatePattern::Fingerprints(
                prints.collect::<Result<_, _>>()?,
            ))
        }
        _ => Err(PolicyError::Certificate { number }),
    }
}

fn fingerprint(written: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = written
        .chars()
        .filter(|c| *c != ':' && !c.is_whitespace())
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte * 16 + digit))
        .collect();
    (digits.len() == 64).then_some(())?;
    bytes.try_into().ok()
}

fn well_named(name: &str, place: impl Fn() -> String) -> Result<(), PolicyError> {
    let fits = (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    if fits {
        Ok(())
    } else {
        Err(PolicyError::BadName { place: place() })
    }
}

fn in_place(place: impl Fn() -> String) -> impl Fn(RuleError) -> PolicyError {
    move |source| PolicyError::Rule {
        place: place(),
        source,
    }
}

fn unknown<T: AsRef<str>>(
    place: String,
    name: &str,
    what: &'static str,
    known: impl Iterator<Item = T>,
) -> PolicyError {
    let known: Vec<T> = known.collect();
    PolicyError::Unknown {
        place,
        name: name.to_owned(),
        what,
        hint: did_you_mean(name, known.iter().map(AsRef::as_ref)),
        known: known
            .iter()
            .map(AsRef::as_ref)
            .collect::<Vec<_>>()
            .join(", "),
    }
}
