//! Cutting pieces out of a text and putting the tag in, every byte that stays as it was.

use std::ops::Range;

use rorqual_schema::Node;

use crate::span::Span;

/// What a partial resource carries in `meta.tag` (FHIR R4, Resource.meta).
const TAG: &str =
    r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}"#;
const TAG_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/v3-ObservationValue";
const TAG_CODE: &str = "SUBSETTED";

/// Changes to a text: ranges that go, each with what comes in their place.
#[derive(Default)]
pub(crate) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets the changes made since there were `len`.
    pub fn rewind(&mut self, len: usize) {
        self.0.truncate(len);
    }

    pub fn replace(&mut self, range: Range<usize>, by: impl Into<String>) {
        self.0.push((range, by.into()));
    }

    /// Cuts those parts of an object or array that are not kept, with the comma and the blanks that belong to them. One part at
    /// least is kept.
    pub fn cut(&mut self, parts: &[Span], kept: &[bool]) {
        let last_kept = kept.iter().rposition(|kept| *kept);
        for (index, part) in parts.iter().enumerate() {
            if kept.get(index).copied().unwrap_or(true) {
                continue;
            }
            match parts.get(index + 1) {
                Some(next) if last_kept > Some(index) => self.replace(part.start..next.start, ""),
                _ => {
                    // The tail: cut once, from the end of the last part kept.
                    let from = last_kept
                        .and_then(|last| parts.get(last))
                        .map_or(part.start, |last| last.end);
                    let to = parts.last().map_or(part.end, |last| last.end);
                    self.replace(from..to, "");
                    return;
                }
            }
        }
    }

    /// The text with the changes made.
    pub fn apply(mut self, text: &[u8]) -> Vec<u8> {
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let mut out = Vec::with_capacity(text.len() + 200);
        let mut at = 0;
        for (range, by) in &self.0 {
            out.extend_from_slice(text.get(at..range.start).unwrap_or_default());
            out.extend_from_slice(by.as_bytes());
            at = range.end;
        }
        out.extend_from_slice(text.get(at..).unwrap_or_default());
        out
    }

    /// Puts the tag into `meta.tag`, unless it is there. `after` is where a missing `meta` goes: the end of a member that stays.
    pub fn tag(&mut self, meta: Option<(&Node<'_>, &Span)>, after: usize) {
        let Some((node, span)) = meta else {
            return self.replace(after..after, format!(r#","meta":{{"tag":[{TAG}]}}"#));
        };
        let Some(members) = node.as_object() else {
            return self.replace(span.value..span.end, format!(r#"{{"tag":[{TAG}]}}"#));
        };
        let tag = members
            .iter()
            .zip(&span.parts)
            .find(|((name, _), _)| name == "tag");
        match tag {
            Some(((_, tags), place)) => self.tag_into(tags, place),
            None => {
                let (at, comma) = match span.parts.last() {
                    Some(last) => (last.end, ","),
                    None => (span.value + 1, ""),
                };
                self.replace(at..at, format!(r#"{comma}"tag":[{TAG}]"#));
            }
        }
    }

    fn tag_into(&mut self, tags: &Node<'_>, place: &Span) {
        let is_tag = |tag: &Node<'_>| {
            tag.get("system").and_then(Node::as_str) == Some(TAG_SYSTEM)
                && tag.get("code").and_then(Node::as_str) == Some(TAG_CODE)
        };
        if tags.items().iter().any(is_tag) {
            return;
        }
        match tags {
            Node::Array(items) if !items.is_empty() => {
                let at = place.parts.last().map_or(place.end, |last| last.end);
                self.replace(at..at, format!(",{TAG}"));
            }
            // One tag where a list is due stays, as the first of the list.
            Node::Object(_) => {
                self.replace(place.value..place.value, "[");
                self.replace(place.end..place.end, format!(",{TAG}]"));
            }
            _ => self.replace(place.value..place.end, format!("[{TAG}]")),
        }
    }
}
