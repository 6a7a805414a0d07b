//! A searchset Bundle as a list of pieces: small framing, and stored resources borrowed from the map.
//!
//! An entry is two pieces: what ends the one before and begins this one, and the slice `Type/id","resource":{…}`
//! of the bodies file. Nothing of a resource is copied or parsed.

use bytes::Bytes;
use rorqual_schema::ResourceType;
use serde_json::json;

use super::subset::{Subset, SubsetError};
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

/// The pieces of a Bundle; joined they are its JSON.
///
/// # Errors
/// [`SubsetError`] when elements are asked for and a stored resource cannot be read.
pub fn bundle(
    snapshot: &Snapshot,
    frame: &Frame<'_>,
    entries: &[Entry],
) -> Result<Vec<Bytes>, SubsetError> {
    let mut head = json!({ "resourceType": "Bundle", "id": frame.id, "meta": { "lastUpdated": frame.last_updated }, "type": "searchset" });
    if let Some(total) = frame.total {
        head["total"] = total.into();
    }
    head["link"] = frame
        .links
        .iter()
        .map(|(relation, url)| json!({ "relation": relation, "url": url }))
        .collect::<Vec<_>>()
        .into();
    let mut open = head.to_string();
    // The object stays open for its entries.
    open.pop();
    let mut pieces = Vec::with_capacity(2 * entries.len() + 2);
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
    let mut last: Option<Mode> = None;
    for entry in entries {
        let (part, own) = snapshot.locate(entry.kind, entry.ordinal);
        let bodies = part.directory.bodies();
        let Some(whole) = bodies.entry(own) else {
            continue;
        };
        let subset = match entry.mode {
            Mode::Match => frame.match_subset.as_ref(),
            Mode::Include => frame
                .include_subsets
                .iter()
                .find(|(kind, _)| *kind == entry.kind)
                .map(|(_, subset)| subset),
        };
        let slice = match (subset, bodies.body(own)) {
            (Some(subset), Some(body)) => {
                let before = whole.len() - body.len();
                Bytes::from([&whole[..before], &subset.apply(&body)?].concat())
            }
            _ => whole,
        };
        match last.take() {
            Some(Mode::Match) => pieces.push(after_match.clone()),
            Some(Mode::Include) => pieces.push(after_include.clone()),
            None => {
                start(&mut pending);
                pending.push_str(&begin);
                pieces.push(Bytes::from(std::mem::take(&mut pending)));
            }
        }
        pieces.push(slice);
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
    pieces.push(Bytes::from(pending));
    Ok(pieces)
}

/// A JSON string without its closing quote.
fn opened_string(text: &str) -> String {
    let mut quoted = json!(text).to_string();
    quoted.pop();
    quoted
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
