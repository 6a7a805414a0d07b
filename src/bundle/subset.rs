//! `_elements` and `_summary`: a resource with some of its top-level elements left out.
//!
//! What is kept is kept byte for byte: the members of the stored text are cut out and joined, and no value is read
//! but `meta.tag`, which says that the resource is incomplete, so that nobody stores it back as the whole
//! (FHIR R4, code `SUBSETTED`).
//!
//! Where the places of members are recorded, [`spans`] has the same result without reading the text.

use std::borrow::Cow;
use std::fmt;

use rorqual_schema::{ResourceType, top_level_elements};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use thiserror::Error;

use crate::query::parse::request::{ElementName, Summary};

const TAG_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
const TAG_CODE: &str = "SUBSETTED";
/// The tag as it is written; a macro, so that what goes around it is joined when this is compiled.
macro_rules! tag {
    () => {
        r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}"#
    };
}
const TAG: &str = tag!();

pub mod spans;

/// Members that every subset keeps.
const ALWAYS: [&str; 3] = ["resourceType", "id", "meta"];

/// Which top-level elements of the resources of one type are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subset {
    keep: Keep,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Keep {
    /// These, beyond [`ALWAYS`].
    Only(Vec<Cow<'static, str>>),
    /// All but the generated narrative.
    AllButText,
}

/// Why a subset of a stored resource could not be made. The text was read when it was indexed, so the index is damaged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SubsetError {
    /// A part of the stored resource is not the JSON that it must be.
    #[error(
        "a stored resource cannot be cut down: {part} is not {expected} ({source}); \
         run `rorqual verify`, then build the index again"
    )]
    Unreadable {
        /// The part: `the resource`, `meta` or `meta.tag`.
        part: &'static str,
        /// What it must be: `an object` or `a list`.
        expected: &'static str,
        /// What was met instead.
        source: serde_json::Error,
    },
}

impl Subset {
    /// What a request shows of the resources of type `kind`, searched or included; nothing when it shows them whole.
    ///
    /// - A name without a type concerns every type, a name with a type that type only; a type that no name concerns
    ///   is whole. The names given, and the mandatory elements, are kept.
    /// - `_summary=true` keeps the elements that FHIR R4 marks as summary (`implicitRules` is one; `contained`,
    ///   `extension` and `text` are not), `text` the narrative and the mandatory elements, `data` all but the narrative.
    ///   `false` is the whole; `count` shows no resource, so there is nothing to leave out.
    /// - With both parameters, names add to what `true` and `text` keep. `data` only takes away: beside names, the
    ///   names decide.
    ///
    /// `resourceType`, `id` and `meta` are always kept.
    pub fn new(
        kind: ResourceType,
        summary: Option<Summary>,
        elements: &[ElementName],
    ) -> Option<Subset> {
        let mut named = elements
            .iter()
            .filter(|name| name.kind.is_none_or(|only| only == kind))
            .map(|name| Cow::Owned(name.element.clone()))
            .peekable();
        let table = top_level_elements(kind);
        let listed: &[&'static str] = match summary {
            Some(Summary::True) => &table.summary,
            Some(Summary::Text) => &["text"],
            _ if named.peek().is_some() => &[],
            Some(Summary::Data) => {
                return Some(Subset {
                    keep: Keep::AllButText,
                });
            }
            Some(Summary::Count | Summary::False) | None => return None,
        };
        let mut only: Vec<Cow<'static, str>> = listed
            .iter()
            .chain(&table.mandatory)
            .map(|element| Cow::Borrowed(*element))
            .chain(named)
            .collect();
        only.sort_unstable();
        only.dedup();
        Some(Subset {
            keep: Keep::Only(only),
        })
    }

    /// The resource reduced to what is kept, in the order of `body`, with the tag `SUBSETTED` in `meta`; the tag is
    /// there even when this resource had nothing to lose, as the client asked for a part.
    ///
    /// `body` is the JSON of one resource of the type given to [`Subset::new`]. A primitive element takes the member
    /// that holds its id and extensions (`_name` for `name`) along.
    ///
    /// # Errors
    /// [`SubsetError`] when the resource or its `meta` is not an object, or `meta.tag` is not a list.
    pub fn apply(&self, body: &[u8]) -> Result<Vec<u8>, SubsetError> {
        let resource: Members<'_> =
            serde_json::from_slice(body).map_err(unreadable("the resource", "an object"))?;
        let mut out = Vec::with_capacity(body.len() + TAG.len() + 20);
        let mut object = ObjectWriter::begin(&mut out);
        // A meta that has to be made goes where FHIR has it, after the id.
        let has_meta = resource.find("meta").is_some();
        let meta_after = resource
            .0
            .iter()
            .rposition(|member| matches!(&*member.name, "id" | "resourceType"));
        if !has_meta && meta_after.is_none() {
            object.member("\"meta\"", &tagged_meta(None)?);
        }
        for (at, member) in resource.0.iter().enumerate() {
            if member.name == "meta" {
                object.member(member.key, &tagged_meta(Some(member.value))?);
            } else if self.keeps(&member.name) {
                object.member(member.key, member.value);
            }
            if !has_meta && meta_after == Some(at) {
                object.member("\"meta\"", &tagged_meta(None)?);
            }
        }
        object.end();
        Ok(out)
    }

    fn keeps(&self, member: &str) -> bool {
        let element = member.strip_prefix('_').unwrap_or(member);
        match &self.keep {
            Keep::AllButText => element != "text",
            Keep::Only(names) => {
                ALWAYS.contains(&element)
                    || names
                        .binary_search_by(|name| name.as_ref().cmp(element))
                        .is_ok()
            }
        }
    }
}

/// The names in `elements` that mean nothing: `Type.element` when that type has no such element, a bare name when no
/// type of the directory has it. Each comes as written, with the nearest known names, best first, three at most; for a
/// bare name those of the type `searched` are preferred. `resourceType` is allowed: it is always shown.
pub fn unknown_elements(
    searched: ResourceType,
    elements: &[ElementName],
) -> Vec<(String, Vec<String>)> {
    elements
        .iter()
        .filter_map(|name| {
            let written = name.element.as_str();
            if written == "resourceType" {
                return None;
            }
            if let Some(kind) = name.kind {
                let table = top_level_elements(kind);
                return (!table.has(written)).then(|| {
                    let nearest = table.nearest(written);
                    let nearest = nearest.iter().map(|near| format!("{kind}.{near}"));
                    (format!("{kind}.{written}"), nearest.collect())
                });
            }
            let known = |kind| top_level_elements(kind).has(written);
            (!ResourceType::ALL.into_iter().any(known)).then(|| {
                // `sort_by_key` is stable: the type searched first, then the others in their order.
                let mut kinds = ResourceType::ALL;
                kinds.sort_by_key(|kind| *kind != searched);
                let nearest = kinds
                    .into_iter()
                    .map(|kind| top_level_elements(kind).nearest(written))
                    .find(|nearest| !nearest.is_empty());
                (written.to_owned(), nearest.unwrap_or_default())
            })
        })
        .collect()
}

/// The text of `meta` with the tag, which is added unless it is there. A `null` counts as absent.
fn tagged_meta(meta: Option<&str>) -> Result<Cow<'_, str>, SubsetError> {
    let Some(meta) = meta.filter(|text| *text != "null") else {
        return Ok(Cow::Owned(format!("{{\"tag\":[{TAG}]}}")));
    };
    let members: Members<'_> =
        serde_json::from_str(meta).map_err(unreadable("meta", "an object"))?;
    let tags = match members.find("tag") {
        None | Some("null") => format!("[{TAG}]"),
        Some(tags) => {
            let list: Vec<&RawValue> =
                serde_json::from_str(tags).map_err(unreadable("meta.tag", "a list"))?;
            if list.iter().any(|tag| is_subsetted(tag.get())) {
                return Ok(Cow::Borrowed(meta));
            }
            let opened = tags.strip_suffix(']').unwrap_or(tags).trim_end();
            let comma = if list.is_empty() { "" } else { "," };
            format!("{opened}{comma}{TAG}]")
        }
    };
    let mut out = Vec::with_capacity(meta.len() + TAG.len() + 10);
    let mut object = ObjectWriter::begin(&mut out);
    for member in members.0.iter().filter(|member| member.name != "tag") {
        object.member(member.key, member.value);
    }
    object.member("\"tag\"", &tags);
    object.end();
    // All of it came from `str`s.
    Ok(Cow::Owned(String::from_utf8_lossy(&out).into_owned()))
}

fn is_subsetted(tag: &str) -> bool {
    // Most tags are told apart without reading them, unless they are spelt with escapes.
    if !tag.contains(TAG_CODE) && !tag.contains('\\') {
        return false;
    }
    let Ok(members) = serde_json::from_str::<Members<'_>>(tag) else {
        return false;
    };
    let is = |name, wanted| {
        let value = members.find(name).map(serde_json::from_str::<Cow<'_, str>>);
        matches!(value, Some(Ok(text)) if text == wanted)
    };
    is("system", TAG_SYSTEM) && is("code", TAG_CODE)
}

fn unreadable(
    part: &'static str,
    expected: &'static str,
) -> impl FnOnce(serde_json::Error) -> SubsetError {
    move |source| SubsetError::Unreadable {
        part,
        expected,
        source,
    }
}

/// One member of an object.
struct Member<'a> {
    /// The name, read.
    name: Cow<'a, str>,
    /// The name as written, quotes included.
    key: &'a str,
    /// The value as written, without the blanks around it.
    value: &'a str,
}

/// The members of an object, in the order of the text.
struct Members<'a>(Vec<Member<'a>>);

impl<'a> Members<'a> {
    fn find(&self, name: &str) -> Option<&'a str> {
        let found = self.0.iter().find(|member| member.name == name)?;
        Some(found.value)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(24);
                while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    let key = key.get();
                    let plain = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
                    let name = match plain {
                        Some(name) if !name.contains('\\') => Cow::Borrowed(name),
                        _ => {
                            let read = serde_json::from_str::<String>(key);
                            Cow::Owned(read.map_err(serde::de::Error::custom)?)
                        }
                    };
                    let value = value.get();
                    members.push(Member { name, key, value });
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

/// Joins members into an object.
struct ObjectWriter<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl<'o> ObjectWriter<'o> {
    fn begin(out: &'o mut Vec<u8>) -> ObjectWriter<'o> {
        out.push(b'{');
        ObjectWriter { out, first: true }
    }

    /// `key` with its quotes, `value` as JSON.
    fn member(&mut self, key: &str, value: &str) {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        self.out.extend_from_slice(key.as_bytes());
        self.out.push(b':');
        self.out.extend_from_slice(value.as_bytes());
    }

    fn end(self) {
        self.out.push(b'}');
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
