//! The members that a subset keeps, as ranges of the stored entry: by the places recorded when the index was built.
//!
//! A range goes as far as what is kept is contiguous, commas included, so that an entry is a few ranges with the tag
//! between them. The result is that of [`Subset::apply`], byte for byte; where it cannot be had from what is recorded,
//! there is none, and the text has to be read.

use std::collections::HashMap;
use std::ops::Range;

use ahash::RandomState;

use super::Subset;
use crate::index::spans::{META, Shape, Spans, TagPlace};

/// Bytes of a member beside its name and its value: two quotes and a colon.
const AROUND_NAME: usize = 3;

/// The tag behind others of the list, and as the only one.
const NEXT_TAG: &str = concat!(",", tag!());
const ONLY_TAG: &str = concat!(",\"tag\":[", tag!(), "]");

/// A piece of an entry that was cut down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Bytes of the stored entry.
    Kept(Range<usize>),
    /// What is written in between.
    Made(&'static str),
}

/// Cuts resources of one directory down to one subset.
pub struct Cutter<'s> {
    subset: &'s Subset,
    /// What is kept of each shape that was met; `None` where its names cannot be read.
    plans: HashMap<u32, Option<Plan>, RandomState>,
    pieces: Vec<Piece>,
}

/// What is kept of the resources of a shape.
struct Plan {
    members: Vec<Planned>,
    /// What is written into `meta`.
    tag: &'static str,
    /// How many bytes before its end.
    before_end: usize,
}

struct Planned {
    /// Bytes of the member before its value.
    head: usize,
    kept: bool,
    is_meta: bool,
}

impl Plan {
    fn new(subset: &Subset, shape: &Shape<'_>) -> Option<Plan> {
        let planned = |name: &[u8]| {
            let text = std::str::from_utf8(name).ok()?;
            Some(Planned {
                head: name.len() + AROUND_NAME,
                kept: subset.keeps(text),
                is_meta: text == META,
            })
        };
        let (tag, before_end) = match shape.place {
            TagPlace::InList => (NEXT_TAG, 2),
            TagPlace::AfterMembers => (ONLY_TAG, 1),
        };
        Some(Plan {
            members: shape.names().map(planned).collect::<Option<_>>()?,
            tag,
            before_end,
        })
    }
}

impl<'s> Cutter<'s> {
    /// Cuts down to `subset`.
    pub fn new(subset: &'s Subset) -> Cutter<'s> {
        Cutter {
            subset,
            plans: HashMap::default(),
            pieces: Vec::new(),
        }
    }

    /// The subset.
    pub fn subset(&self) -> &'s Subset {
        self.subset
    }

    /// The stored entry of an ordinal, whose resource begins at `start`, cut down. `spans` must always be those of one
    /// directory. `None` when nothing fitting is recorded of it.
    pub fn cut(
        &mut self,
        spans: &Spans,
        ordinal: u32,
        entry: &[u8],
        start: usize,
    ) -> Option<&[Piece]> {
        let record = spans.of(ordinal)?;
        let plan = self
            .plans
            .entry(record.shape)
            .or_insert_with(|| Plan::new(self.subset, &spans.shape(record.shape)?))
            .as_ref()?;
        self.pieces.clear();
        let end = entry.len().checked_sub(1)?;
        if entry.get(start) != Some(&b'{') || entry.get(end) != Some(&b'}') {
            return None;
        }
        let mut lengths = record.lengths();
        // What is kept and not yet a piece: it reaches to the end of the last member kept.
        let mut run = 0..start + 1;
        let mut any = false;
        // Where the next member begins.
        let mut at = start + 1;
        for member in &plan.members {
            let ends = at
                .checked_add(member.head)?
                .checked_add(lengths.next()? as usize)?;
            if member.kept {
                let sound = entry.get(at) == Some(&b'"')
                    && matches!(entry.get(ends), Some(b',' | b'}'))
                    && ends <= end;
                if !sound {
                    return None;
                }
                // The comma before it goes along, but for the first that is kept.
                let from = if any { at - 1 } else { at };
                if run.end != from {
                    self.pieces.push(Piece::Kept(run.clone()));
                    run.start = from;
                }
                run.end = ends;
                any = true;
                if member.is_meta {
                    let place = ends.checked_sub(plan.before_end)?;
                    self.pieces.push(Piece::Kept(run.start..place));
                    self.pieces.push(Piece::Made(plan.tag));
                    run.start = place;
                }
            }
            at = ends + 1;
        }
        if at != entry.len() || lengths.next().is_some() {
            return None;
        }
        if run.end == end {
            run.end = entry.len();
            self.pieces.push(Piece::Kept(run));
        } else {
            self.pieces.push(Piece::Kept(run));
            self.pieces.push(Piece::Made("}"));
        }
        Some(&self.pieces)
    }
}

#[cfg(test)]
mod tests {
    use super::super::TAG;
    use super::*;
    use crate::index::pack::PackWriter;
    use crate::index::spans::SpanColumns;
    use crate::query::parse::request::Summary;
    use proptest::prelude::*;
    use rorqual_schema::ResourceType;

    fn recorded(bodies: &[&str]) -> Spans {
        let mut columns = SpanColumns::default();
        bodies.iter().for_each(|body| columns.push(body.as_bytes()));
        let mut pack = PackWriter::in_memory().unwrap();
        columns.write(&mut pack).unwrap();
        Spans::open(&pack.into_pack().unwrap(), bodies.len()).unwrap()
    }

    const BODY: &str = r#"{"resourceType":"Location","id":"1","meta":{"source":"s","tag":[{"code":"x"}]},"text":{"div":"<a>"},"status":"active","mode":"kind"}"#;

    #[test]
    fn what_is_contiguous_is_one_piece() {
        let spans = recorded(&[BODY]);
        let subset = Subset::new(ResourceType::Location, Some(Summary::Data), &[]).unwrap();
        let entry = format!("Location/1\",\"resource\":{BODY}");
        let mut cutter = Cutter::new(&subset);
        let start = entry.len() - BODY.len();
        let pieces = cutter.cut(&spans, 0, entry.as_bytes(), start).unwrap();
        let at = |text| entry.find(text).unwrap();
        assert_eq!(
            pieces,
            [
                Piece::Kept(0..at("]},\"text")),
                Piece::Made(NEXT_TAG),
                Piece::Kept(at("]},\"text")..at(",\"text")),
                Piece::Kept(at(",\"status")..entry.len()),
            ]
        );
    }

    #[test]
    fn the_tag_is_written_as_when_the_text_is_read() {
        assert_eq!(NEXT_TAG, format!(",{TAG}"));
        assert_eq!(ONLY_TAG, format!(",\"tag\":[{TAG}]"));
    }

    proptest! {
        #[test]
        fn no_record_makes_it_panic(
            records in prop::collection::vec(any::<u8>(), 0..24),
            shape in "[\\x01\\x02]((resourceType|id|meta|text|status|mode|)\\x00){0,7}",
            entry in "[\\{\\},\"a]{0,20}",
        ) {
            let mut pack = PackWriter::in_memory().unwrap();
            pack.column("spans.starts", &[0u64, records.len() as u64]).unwrap();
            pack.section("spans.records", &records).unwrap();
            pack.column("spans.shape_starts", &[0u64, shape.len() as u64]).unwrap();
            pack.section("spans.shapes", shape.as_bytes()).unwrap();
            let spans = Spans::open(&pack.into_pack().unwrap(), 1).unwrap();
            let subset = Subset::new(ResourceType::Location, Some(Summary::Data), &[]).unwrap();
            for entry in [BODY, &entry] {
                let mut cutter = Cutter::new(&subset);
                for piece in cutter.cut(&spans, 0, entry.as_bytes(), 0).unwrap_or_default() {
                    if let Piece::Kept(range) = piece {
                        prop_assert!(entry.as_bytes().get(range.clone()).is_some(), "{range:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn records_of_another_body_are_told() {
        let spans = recorded(&[BODY]);
        let subset = Subset::new(ResourceType::Location, Some(Summary::Text), &[]).unwrap();
        let mut cutter = Cutter::new(&subset);
        assert!(cutter.cut(&spans, 0, BODY.as_bytes(), 0).is_some());
        let longer = BODY.replace("active", "inactive");
        let shifted = BODY.replace("\"s\"", "\"so\"").replace("<a>", "<>");
        for other in ["", "{", "{}", "}", &BODY[1..], &longer, &shifted] {
            assert_eq!(cutter.cut(&spans, 0, other.as_bytes(), 0), None, "{other}");
        }
        assert_eq!(cutter.cut(&spans, 0, BODY.as_bytes(), 1), None);
        assert_eq!(cutter.cut(&spans, 0, BODY.as_bytes(), 1000), None);
        assert_eq!(cutter.cut(&spans, 1, BODY.as_bytes(), 0), None);
    }
}
