//! Conditions of access rules: what they may ask, and how they are answered.

use std::fmt;

use rorqual_schema::Node;

use crate::facts::ServiceKind;
use crate::values::{codes_of, extensions};

/// When something is shown. Built by [`crate::condition_text::parse`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Always,
    Never,
    Sensitive,
    MedicoSocial,
    City,
    /// The resource has region tags, and each is one of these.
    Region(Vec<String>),
    /// The confidentiality level of the element compares so with a number.
    Level(Comparison, u8),
    /// The element has an extension with one of these URLs.
    Has(Vec<String>),
    /// The element has extensions with one of these URLs, and each of their codes is one of those.
    Code(Vec<String>, Vec<String>),
    Not(Box<Condition>),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

/// How a level is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Less,
    AtMost,
    Equal,
    Different,
    AtLeast,
    More,
}

/// What a condition is asked about.
pub(crate) struct Circumstances<'c, 'n> {
    /// The kind of service that leads to the resource.
    pub kind: ServiceKind,
    /// The region codes of the resource.
    pub regions: &'c [&'c str],
    /// The confidentiality level of the element.
    pub level: u8,
    /// The element; none when the question is about a whole document.
    pub element: Option<&'c Node<'n>>,
}

impl Condition {
    /// Whether the condition holds.
    pub fn holds(&self, at: &Circumstances<'_, '_>) -> bool {
        match self {
            Condition::Always => true,
            Condition::Never => false,
            Condition::Sensitive => at.kind.sensitive,
            Condition::MedicoSocial => at.kind.medico_social,
            Condition::City => at.kind.city,
            Condition::Region(codes) => {
                !at.regions.is_empty()
                    && at
                        .regions
                        .iter()
                        .all(|region| codes.iter().any(|code| code == region))
            }
            Condition::Level(comparison, number) => match comparison {
                Comparison::Less => at.level < *number,
                Comparison::AtMost => at.level <= *number,
                Comparison::Equal => at.level == *number,
                Comparison::Different => at.level != *number,
                Comparison::AtLeast => at.level >= *number,
                Comparison::More => at.level > *number,
            },
            Condition::Has(urls) => at
                .element
                .is_some_and(|element| extensions(element, urls).next().is_some()),
            Condition::Code(urls, accepted) => at.element.is_some_and(|element| {
                let mut codes = Vec::new();
                for extension in extensions(element, urls) {
                    codes_of(extension, &mut codes);
                }
                !codes.is_empty()
                    && codes
                        .iter()
                        .all(|code| accepted.iter().any(|known| known == code))
            }),
            Condition::Not(inner) => !inner.holds(at),
            Condition::All(parts) => parts.iter().all(|part| part.holds(at)),
            Condition::Any(parts) => parts.iter().any(|part| part.holds(at)),
        }
    }

    /// Whether the answer depends on the element itself (its level or its extensions), so that no whole document can be asked.
    pub fn is_about_elements(&self) -> bool {
        match self {
            Condition::Level(..) | Condition::Has(_) | Condition::Code(..) => true,
            Condition::Not(inner) => inner.is_about_elements(),
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().any(Condition::is_about_elements)
            }
            _ => false,
        }
    }

    /// The same condition in one form: flat, sorted, without repetition and without constants inside. Conditions that differ only by
    /// order, grouping or repetition come out equal.
    #[must_use]
    pub fn normal(self) -> Condition {
        match self {
            Condition::Not(inner) => match inner.normal() {
                Condition::Always => Condition::Never,
                Condition::Never => Condition::Always,
                Condition::Not(twice) => *twice,
                other => Condition::Not(Box::new(other)),
            },
            Condition::All(parts) => joined(parts, true),
            Condition::Any(parts) => joined(parts, false),
            Condition::Region(codes) => Condition::Region(sorted(codes)),
            Condition::Code(urls, codes) => Condition::Code(sorted(urls), sorted(codes)),
            Condition::Has(urls) => Condition::Has(sorted(urls)),
            other => other,
        }
    }
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts.dedup();
    texts
}

fn joined(parts: Vec<Condition>, all: bool) -> Condition {
    let (neutral, decisive) = if all {
        (Condition::Always, Condition::Never)
    } else {
        (Condition::Never, Condition::Always)
    };
    let mut flat = Vec::new();
    for part in parts {
        match part.normal() {
            Condition::All(inner) if all => flat.extend(inner),
            Condition::Any(inner) if !all => flat.extend(inner),
            part if part == decisive => return decisive,
            part if part == neutral => {}
            part => flat.push(part),
        }
    }
    flat.sort_by_cached_key(ToString::to_string);
    flat.dedup();
    if flat.len() > 1 {
        return if all {
            Condition::All(flat)
        } else {
            Condition::Any(flat)
        };
    }
    flat.pop().unwrap_or(neutral)
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::Equal => "=",
            Comparison::Different => "!=",
            Comparison::AtLeast => ">=",
            Comparison::More => ">",
        })
    }
}

impl fmt::Display for Condition {
    /// Unambiguous, for the digest of a rule set; every list and text is delimited.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Always => f.write_str("always"),
            Condition::Never => f.write_str("never"),
            Condition::Sensitive => f.write_str("sensitive"),
            Condition::MedicoSocial => f.write_str("medico-social"),
            Condition::City => f.write_str("city"),
            Condition::Region(codes) => write!(f, "region in {codes:?}"),
            Condition::Level(comparison, number) => write!(f, "level {comparison} {number}"),
            Condition::Has(urls) => write!(f, "has({urls:?})"),
            Condition::Code(urls, codes) => write!(f, "code({urls:?}) in {codes:?}"),
            Condition::Not(inner) => write!(f, "not({inner})"),
            Condition::All(parts) => list(f, "all", parts),
            Condition::Any(parts) => list(f, "any", parts),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, name: &str, parts: &[Condition]) -> fmt::Result {
    write!(f, "{name}(")?;
    for part in parts {
        write!(f, "{part};")?;
    }
    f.write_str(")")
}
