//! Parameters that shape the answer: `_count`, `_total`, `_summary`, `_format`, `_pretty`, `_cursor`, and the lists that are
//! read once all is known.

use super::Reader;
use super::decode::{Pair, Writer};
use super::request::{MAXIMUM_COUNT, Summary, TotalMode};
use crate::query::error::Fault;
use crate::query::parse::leaf::malformed;

/// What the controls of a request say.
#[derive(Default)]
pub(super) struct Controls {
    pub(super) count: Option<u32>,
    pub(super) total: Option<TotalMode>,
    pub(super) summary: Option<Summary>,
    pub(super) pretty: Option<bool>,
    pub(super) cursor: Option<String>,
    format: Option<String>,
    /// Values of `_sort`.
    pub(super) sort: Vec<String>,
    /// Values of `_elements`.
    pub(super) elements: Vec<String>,
    /// Values of `_include` and `_revinclude`.
    pub(super) includes: Vec<WrittenInclude>,
}

/// An include as written.
pub(super) struct WrittenInclude {
    /// The name as written, for messages.
    pub(super) name: String,
    /// `_revinclude`.
    pub(super) reverse: bool,
    /// `:iterate`.
    pub(super) iterate: bool,
    pub(super) value: String,
}

/// The proper name of a control, old spellings included.
fn proper(name: &str) -> Option<&'static str> {
    Some(match name {
        "_count" => "_count",
        "_total" => "_total",
        "_summary" => "_summary",
        "_format" => "_format",
        "_pretty" => "_pretty",
        "_cursor" => "_cursor",
        "_sort" => "_sort",
        "_elements" => "_elements",
        "_include" | "__include" => "_include",
        "_revinclude" | "_revincluded" => "_revinclude",
        _ => return None,
    })
}

/// Whether a name, modifier included, is that of a control.
pub(super) fn is_control(name: &str) -> bool {
    proper(split_modifier(name).0).is_some()
}

fn split_modifier(name: &str) -> (&str, Option<&str>) {
    match name.split_once(':') {
        Some((name, modifier)) => (name, Some(modifier)),
        None => (name, None),
    }
}

impl Reader<'_> {
    /// Reads a control.
    pub(super) fn control(
        &mut self,
        pair: &Pair,
        controls: &mut Controls,
        out: &mut Writer,
    ) -> Result<(), Fault> {
        let (written, modifier) = split_modifier(&pair.name);
        let name = proper(written).unwrap_or_default();
        if name != written {
            let fault = "the name is misspelt";
            self.notes.slip(&pair.name, written, name, fault)?;
        }
        let iterate = match (name, modifier) {
            (_, None) => false,
            ("_include" | "_revinclude", Some("iterate" | "recurse")) => true,
            ("_include" | "_revinclude", Some(modifier)) => {
                return Err(refused(name, modifier, ":iterate"));
            }
            (_, Some(modifier)) => return Err(refused(name, modifier, "no modifier")),
        };
        let value = pair.value.as_str();
        if value.is_empty() {
            return Err(malformed(&pair.name, value, "the value is missing"));
        }
        match name {
            "_count" => {
                let digits = value.bytes().all(|b| b.is_ascii_digit());
                if !digits {
                    let fault = format!("write a number from 0 to {MAXIMUM_COUNT}");
                    return Err(malformed(name, value, fault));
                }
                // Too many digits for a number is more than the largest page, too.
                let count = value.parse().unwrap_or(MAXIMUM_COUNT).min(MAXIMUM_COUNT);
                once(&mut controls.count, count, name, value)
            }
            "_total" => {
                let total = match value {
                    "accurate" | "estimate" => TotalMode::Accurate,
                    "none" => TotalMode::None,
                    _ => return Err(malformed(name, value, "write accurate, estimate or none")),
                };
                out.push(name, value);
                once(&mut controls.total, total, name, value)
            }
            "_summary" => {
                let summary = match value {
                    "true" => Summary::True,
                    "text" => Summary::Text,
                    "data" => Summary::Data,
                    "count" => Summary::Count,
                    "false" => Summary::False,
                    _ => {
                        let fault = "write true, text, data, count or false";
                        return Err(malformed(name, value, fault));
                    }
                };
                let whole = matches!(summary, Summary::Count | Summary::False);
                if !whole && !self.options.features.elements {
                    return Err(Fault::NotOffered {
                        parameter: name.to_owned(),
                        what: "an answer with some elements left out",
                    });
                }
                out.push(name, value);
                once(&mut controls.summary, summary, name, value)
            }
            "_pretty" => {
                let pretty = match value {
                    "true" => true,
                    "false" => false,
                    _ => return Err(malformed(name, value, "write true or false")),
                };
                out.push(name, value);
                once(&mut controls.pretty, pretty, name, value)
            }
            "_format" => {
                if !is_json(value) {
                    return Err(Fault::Format {
                        value: value.to_owned(),
                    });
                }
                out.push(name, value);
                once(&mut controls.format, value.to_owned(), name, value)
            }
            "_cursor" => once(&mut controls.cursor, value.to_owned(), name, value),
            "_sort" => {
                controls.sort.push(value.to_owned());
                Ok(())
            }
            "_elements" => {
                controls.elements.push(value.to_owned());
                Ok(())
            }
            _ => {
                controls.includes.push(WrittenInclude {
                    name: pair.name.clone(),
                    reverse: name == "_revinclude",
                    iterate,
                    value: value.to_owned(),
                });
                Ok(())
            }
        }
    }
}

fn refused(name: &str, modifier: &str, supported: &str) -> Fault {
    Fault::UnsupportedModifier {
        parameter: name.to_owned(),
        modifier: modifier.to_owned(),
        supported: supported.to_owned(),
    }
}

/// Keeps the value of a control that can have one only; the same value twice does no harm.
fn once<T: PartialEq>(
    place: &mut Option<T>,
    value: T,
    name: &str,
    written: &str,
) -> Result<(), Fault> {
    match place {
        Some(known) if *known != value => Err(malformed(
            name,
            written,
            "another value is given beside it; write one",
        )),
        _ => {
            *place = Some(value);
            Ok(())
        }
    }
}

/// The names of FHIR JSON. A plus that was sent raw is a blank here.
fn is_json(value: &str) -> bool {
    let (media, _) = value.split_once(';').unwrap_or((value, ""));
    let media = media.trim().to_ascii_lowercase();
    matches!(
        media.as_str(),
        "json"
            | "application/json"
            | "text/json"
            | "application/fhir+json"
            | "application/fhir json"
    )
}
