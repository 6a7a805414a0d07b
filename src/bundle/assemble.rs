//! A searchset Bundle as a list of pieces: small framing, and stored resources borrowed from the map.
//!
//! An entry is two pieces: what ends the one before and begins this one, and the slice `Type/id","resource":{…}`
//! of the bodies file, or its compressed form. Nothing of a resource is copied, parsed or compressed; of one that is cut
//! down, short parts are copied into the framing.

use bytes::Bytes;
use rorqual_schema::ResourceType;
use serde_json::json;

use super::gzip::GzipBody;
use super::plain::PlainBody;
use super::subset::spans::{Cutter, Piece};
use super::subset::{Subset, SubsetError};
use crate::index::bodies::Bodies;
use crate::index::map::Ahead;
use crate::index::snapshot::Snapshot;
use crate::outcome::{Issue, named_outcome, operation_outcome};

/// Why an entry is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// It matches.
    Match,
    /// It was drawn in by an include.
    Include,
}

/// One resource of a page.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its type.
    pub kind: ResourceType,
    /// Its ordinal.
    pub ordinal: u32,
    /// Why it is there.
    pub mode: Mode,
    /// Its distance in metres from the point of a proximity search.
    pub distance: Option<f64>,
    /// Its score in a full-text search, in (0,1].
    pub score: Option<f32>,
}

/// What frames the entries.
pub struct Frame<'a> {
    /// Base of `fullUrl`, without a final slash.
    pub base_url: &'a str,
    /// `Bundle.id`.
    pub id: String,
    /// `Bundle.meta.lastUpdated`.
    pub last_updated: &'a str,
    /// `Bundle.total`, unless `_total=none`.
    pub total: Option<u64>,
    /// Relation and URL.
    pub links: Vec<(&'static str, String)>,
    /// What remains of each match, when elements or a summary are asked for.
    pub match_subset: Option<Subset>,
    /// What remains of included resources, by type.
    pub include_subsets: Vec<(ResourceType, Subset)>,
    /// Said in an `outcome` entry.
    pub warnings: &'a [Issue],
    /// The name of the request, which that entry tells.
    pub request: Option<&'a str>,
}

/// How the bytes of an answer are written (RFC 9110, section 8.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coding {
    /// As they are.
    #[default]
    Identity,
    /// As one gzip stream.
    Gzip,
}

/// The pieces of an answer in its coding.
enum Pieces {
    Plain(PlainBody),
    Gzip {
        stream: Box<GzipBody>,
        /// Where an entry is put together before it is compressed.
        entry: Vec<u8>,
    },
}

impl Pieces {
    fn new(coding: Coding, entries: usize) -> Pieces {
        match coding {
            Coding::Identity => Pieces::Plain(PlainBody::with_capacity(entries)),
            Coding::Gzip => Pieces::Gzip {
                stream: Box::new(GzipBody::with_capacity(entries)),
                entry: Vec::new(),
            },
        }
    }

    /// Framing: too short to be worth a compressor.
    fn text(&mut self, text: &[u8]) {
        match self {
            Pieces::Plain(body) => body.text(text),
            Pieces::Gzip { stream, .. } => stream.text(text),
        }
    }

    /// What stands between entries, over and over.
    fn framing(&mut self, framing: &Bytes) {
        match self {
            Pieces::Plain(body) => body.framing(framing),
            Pieces::Gzip { stream, .. } => stream.text(framing),
        }
    }

    /// The stored entry of an ordinal.
    fn stored(&mut self, bodies: &Bodies, ordinal: u32) {
        let whole = || bodies.entry(ordinal).unwrap_or_default();
        match self {
            Pieces::Plain(body) => body.stored(whole()),
            Pieces::Gzip { stream, .. } => match bodies.deflated_entry(ordinal) {
                Some((before, deflated)) => {
                    stream.text(before);
                    stream.stored(deflated);
                }
                // What was written since the index was built is in memory only.
                None => {
                    let whole = whole();
                    let (before, body) = whole.split_at(bodies.body_start(&whole).unwrap_or(0));
                    stream.text(before);
                    stream.made(body);
                }
            },
        }
    }

    /// Has what an answer reads of the entries behind the first fetched meanwhile.
    fn expect(&self, snapshot: &Snapshot, entries: &[Entry]) {
        let Pieces::Gzip { .. } = self else {
            // Of a plain entry nothing is read here.
            return;
        };
        for (steps, ahead) in Ahead::STEPS {
            if let Some(entry) = entries.get(steps) {
                let (part, own) = snapshot.locate(entry.kind, entry.ordinal);
                part.directory.bodies().expect_deflated(own, ahead);
            }
        }
    }

    /// What a subset leaves of the stored entry of an ordinal.
    fn cut(
        &mut self,
        cutter: &mut Cutter<'_>,
        bodies: &Bodies,
        ordinal: u32,
    ) -> Result<(), SubsetError> {
        let whole = &bodies.entry(ordinal).unwrap_or_default();
        let start = bodies.body_start(whole).unwrap_or(0);
        let subset = cutter.subset();
        let cut = bodies
            .spans()
            .and_then(|spans| cutter.cut(spans, ordinal, whole, start));
        let Some(cut) = cut else {
            let (before, body) = whole.split_at(start);
            let body = subset.apply(body)?;
            match self {
                Pieces::Plain(pieces) => {
                    pieces.text(before);
                    pieces.text(&body);
                }
                Pieces::Gzip { stream, .. } => stream.made(&[before, &body].concat()),
            }
            return Ok(());
        };
        match self {
            Pieces::Plain(body) => {
                for piece in cut {
                    match piece {
                        Piece::Kept(range) => body.part(whole, range.clone()),
                        Piece::Made(text) => body.text(text.as_bytes()),
                    }
                }
            }
            Pieces::Gzip { stream, entry } => {
                entry.clear();
                for piece in cut {
                    entry.extend_from_slice(match piece {
                        Piece::Kept(range) => whole.get(range.clone()).unwrap_or(&[]),
                        Piece::Made(text) => text.as_bytes(),
                    });
                }
                stream.made(entry);
            }
        }
        Ok(())
    }

    fn finish(self) -> Vec<Bytes> {
        match self {
            Pieces::Plain(body) => body.finish(),
            Pieces::Gzip { stream, .. } => stream.finish(),
        }
    }
}

/// The pieces of a Bundle in a coding; joined they are its JSON, or the stream that it is read from.
///
/// # Errors
/// [`SubsetError`] when elements are asked for and a stored resource cannot be read.
pub fn bundle(
    snapshot: &Snapshot,
    frame: &Frame<'_>,
    entries: &[Entry],
    coding: Coding,
) -> Result<Vec<Bytes>, SubsetError> {
    let open = opened_bundle(frame);
    let mut pieces = Pieces::new(coding, entries.len());
    let mut pending = open;
    let begin = format!(
        "{{\"fullUrl\":{}",
        opened_string(&format!("{}/", frame.base_url))
    );
    let mut first = true;
    let mut start = |pending: &mut String| {
        pending.push_str(if first { ",\"entry\":[" } else { "," });
        first = false;
    };
    // The framing between two plain entries is made once and shared.
    let between = |mode| Bytes::from(format!("{},{begin}", ending(mode)));
    let (after_match, after_include) = (between(Mode::Match), between(Mode::Include));
    let mut match_cutter = frame.match_subset.as_ref().map(Cutter::new);
    let mut include_cutters: Vec<(ResourceType, Cutter<'_>)> = frame
        .include_subsets
        .iter()
        .map(|(kind, subset)| (*kind, Cutter::new(subset)))
        .collect();
    let mut last: Option<Mode> = None;
    for (number, entry) in entries.iter().enumerate() {
        pieces.expect(snapshot, entries.get(number..).unwrap_or(&[]));
        let (part, own) = snapshot.locate(entry.kind, entry.ordinal);
        let bodies = part.directory.bodies();
        if !bodies.holds(own) {
            continue;
        }
        match last.take() {
            Some(Mode::Match) => pieces.framing(&after_match),
            Some(Mode::Include) => pieces.framing(&after_include),
            None => {
                start(&mut pending);
                pending.push_str(&begin);
                pieces.text(pending.as_bytes());
                pending.clear();
            }
        }
        let cutter = match entry.mode {
            Mode::Match => match_cutter.as_mut(),
            Mode::Include => include_cutters
                .iter_mut()
                .find(|(kind, _)| *kind == entry.kind)
                .map(|(_, cutter)| cutter),
        };
        match cutter {
            Some(cutter) => pieces.cut(cutter, bodies, own)?,
            None => pieces.stored(bodies, own),
        }
        if entry.distance.is_some() || entry.score.is_some() {
            pending.push_str(&special_ending(entry));
        } else {
            last = Some(entry.mode);
        }
    }
    if let Some(mode) = last {
        pending.push_str(ending(mode));
    }
    if !frame.warnings.is_empty() {
        start(&mut pending);
        let outcome = match frame.request {
            Some(request) => named_outcome(frame.warnings, request),
            None => operation_outcome(frame.warnings),
        };
        pending.push_str(&format!(
            "{{\"fullUrl\":\"urn:uuid:{}\",\"resource\":",
            frame.id
        ));
        pending.push_str(&String::from_utf8_lossy(&outcome));
        pending.push_str(",\"search\":{\"mode\":\"outcome\"}}");
    }
    pending.push_str(if first { "}" } else { "]}" });
    pieces.text(pending.as_bytes());
    Ok(pieces.finish())
}

/// The Bundle up to its entries; the object stays open for them. Written by hand: of a small answer, a tree of values is
/// a good part of the work.
fn opened_bundle(frame: &Frame<'_>) -> String {
    let mut open = String::with_capacity(256 * (1 + frame.links.len()));
    open.push_str("{\"resourceType\":\"Bundle\",\"id\":");
    open.push_str(&quoted(&frame.id));
    open.push_str(",\"meta\":{\"lastUpdated\":");
    open.push_str(&quoted(frame.last_updated));
    open.push_str("},\"type\":\"searchset\"");
    if let Some(total) = frame.total {
        open.push_str(",\"total\":");
        open.push_str(&total.to_string());
    }
    open.push_str(",\"link\":[");
    for (number, (relation, url)) in frame.links.iter().enumerate() {
        if number > 0 {
            open.push(',');
        }
        open.push_str("{\"relation\":");
        open.push_str(&quoted(relation));
        open.push_str(",\"url\":");
        open.push_str(&quoted(url));
        open.push('}');
    }
    open.push(']');
    open
}

/// A JSON string.
fn quoted(text: &str) -> String {
    // Text can always be written.
    serde_json::to_string(text).unwrap_or_default()
}

/// A JSON string without its closing quote.
fn opened_string(text: &str) -> String {
    let mut opened = quoted(text);
    opened.pop();
    opened
}

fn ending(mode: Mode) -> &'static str {
    match mode {
        Mode::Match => ",\"search\":{\"mode\":\"match\"}}",
        Mode::Include => ",\"search\":{\"mode\":\"include\"}}",
    }
}

/// The end of an entry that tells its distance or score
/// (<http://hl7.org/fhir/StructureDefinition/location-distance>, in km rounded to three decimals).
fn special_ending(entry: &Entry) -> String {
    let mut search = serde_json::Map::new();
    if let Some(metres) = entry.distance {
        let kilometres = metres.round() / 1000.0;
        search.insert(
            "extension".to_owned(),
            json!([{
                "url": "http://hl7.org/fhir/StructureDefinition/location-distance",
                "valueDistance": { "value": kilometres, "unit": "km", "system": "http://unitsofmeasure.org", "code": "km" }
            }]),
        );
    }
    let mode = match entry.mode {
        Mode::Match => "match",
        Mode::Include => "include",
    };
    search.insert("mode".to_owned(), mode.into());
    if let Some(score) = entry.score {
        // Four decimals say all there is to say, and never round a positive score to zero.
        let rounded = (f64::from(score) * 1e4).round().max(1.0) / 1e4;
        search.insert("score".to_owned(), rounded.into());
    }
    format!(",\"search\":{}}}", serde_json::Value::Object(search))
}
