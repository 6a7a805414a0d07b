//! Reading a search request: a type and a query string become a [`Request`], or every fault found in them.
//!
//! All spellings are decided here: escapes, modifiers, prefixes, lists, chains, the published slips, leniency. The index
//! is never looked at. Reading order: [`request`] (what comes out), `decode` (text to pairs), `path` (names to
//! parameters), `leaf` (values to tests), `correlation` (tests of one group), then one file for each kind of control,
//! and `filter` for the language of `_filter`.

pub mod asked;
mod content;
mod controls;
mod correlation;
mod decode;
mod elements;
mod filter;
mod include;
mod leaf;
mod near;
mod notes;
mod path;
mod reference;
pub mod request;
mod sort;
#[cfg(test)]
mod tests;

use rorqual_schema::{Hop, Position, ResourceType, Schema};

pub use self::request::{
    DEFAULT_COUNT, ElementName, Include, MAXIMUM_COUNT, NearChain, NearSearch, Request, SortBy,
    SortKey, Summary, TotalMode,
};

use self::controls::Controls;
use self::correlation::Entry;
use self::decode::Pair;
use self::leaf::{Operator, Values};
use self::notes::Notes;
use self::path::{Found, Step};
use crate::query::criterion::Criterion;
use crate::query::error::{Fault, SearchError};

/// Parameters of one request.
const MAXIMUM_PARAMETERS: usize = 500;

/// How strictly the client wants its request read (`Prefer: handling=…`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Handling {
    /// No wish: as [`ParseOptions::lenient_by_default`] says, and published slips are understood.
    #[default]
    Default,
    /// Unknown parameters and published slips are refused.
    Strict,
    /// Unknown parameters are dropped with a warning.
    Lenient,
}

/// What several parameters of one repeating group mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum GroupMatching {
    /// One and the same line must satisfy all of them.
    #[default]
    SameLine,
    /// Each is satisfied on its own, as plain R4 has it.
    Independent,
}

/// What the engine offers beyond a type's own parameters; what is off is refused, never ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// Chains: `organization.type=…`.
    pub chains: bool,
    /// Reverse chains: `_has:Type:reference:parameter=…`.
    pub has: bool,
    /// `_filter`.
    pub filter: bool,
    /// `near` and `near-insee-code`.
    pub near: bool,
    /// `_content`.
    pub content: bool,
    /// `_elements`, and the kinds of `_summary` that leave elements out.
    pub elements: bool,
    /// `:above` and `:below`.
    pub hierarchy: bool,
}

impl Features {
    /// Everything.
    pub const ALL: Features = Features {
        chains: true,
        has: true,
        filter: true,
        near: true,
        content: true,
        elements: true,
        hierarchy: true,
    };
    /// A type's own parameters only.
    pub const NONE: Features = Features {
        chains: false,
        has: false,
        filter: false,
        near: false,
        content: false,
        elements: false,
        hierarchy: false,
    };
}

impl Default for Features {
    fn default() -> Self {
        Features::ALL
    }
}

/// How requests are read.
#[derive(Clone, Copy, Debug)]
pub struct ParseOptions<'a> {
    /// The wish of the client.
    pub handling: Handling,
    /// Whether a client without a wish is read leniently.
    pub lenient_by_default: bool,
    /// Our base URL: absolute references under it are ours.
    pub base_url: &'a str,
    /// The present, in microseconds since 1970 UTC: what the prefix `ap` of dates is measured from.
    pub now: i64,
    /// What several parameters of one repeating group mean.
    pub group_matching: GroupMatching,
    /// What the engine offers.
    pub features: Features,
}

/// Reads a search on a type. `raw_query` is what follows the `?` of the URL, or a posted form, still percent-encoded.
///
/// # Errors
/// All the faults found; see [`Fault`].
pub fn parse(
    schema: &Schema,
    kind: ResourceType,
    raw_query: &str,
    options: &ParseOptions<'_>,
) -> Result<Request, SearchError> {
    let mut reader = Reader {
        schema,
        kind,
        options,
        notes: Notes::new(options),
        near: None,
        comparisons: 0,
    };
    let pairs = decode::pairs(raw_query, &mut reader.notes);
    if pairs.len() > MAXIMUM_PARAMETERS {
        return Err(SearchError::from(Fault::TooCostly {
            parameter: None,
            what: "parameters",
            got: pairs.len(),
            limit: MAXIMUM_PARAMETERS,
        }));
    }
    let mut controls = Controls::default();
    let mut entries = Vec::new();
    let mut content = false;
    let mut canonical = decode::Writer::default();
    for pair in &pairs {
        let read = if controls::is_control(&pair.name) {
            reader.control(pair, &mut controls, &mut canonical)
        } else if pair.name == "_filter" {
            reader.filter(pair, &mut canonical).map(|criterion| {
                entries.push(Entry::alone(criterion));
            })
        } else {
            content |= pair.name == "_content";
            reader
                .criterion(pair, &mut canonical)
                .map(|entry| entries.push(entry))
        };
        if let Err(fault) = read {
            reader.notes.refuse_or_drop(fault);
        }
        if reader.notes.overrun() {
            break;
        }
    }
    let criterion = correlation::joined(schema, options.group_matching, entries);
    reader.finish(controls, criterion, content, canonical)
}

/// A request being read.
struct Reader<'a> {
    schema: &'a Schema,
    /// The type searched.
    kind: ResourceType,
    options: &'a ParseOptions<'a>,
    notes: Notes,
    near: Option<(Vec<Step>, NearSearch)>,
    /// Comparisons of `_filter` read so far.
    comparisons: usize,
}

impl Reader<'_> {
    /// Reads a parameter that says which resources to find.
    fn criterion(&mut self, pair: &Pair, out: &mut decode::Writer) -> Result<Entry, Fault> {
        let found = self.resolve(self.kind, &pair.name)?;
        self.offered(&pair.name, &found)?;
        if let Some(fault) = found.slip {
            self.notes
                .slip(&pair.name, &pair.name, &found.canonical, fault)?;
        }
        let splits = found.alternatives.iter().all(|end| {
            let parameter = path::parameter(self.schema, end.kind, end.parameter);
            parameter.is_none_or(|parameter| parameter.multiple_or)
        });
        let values = Values::plain(&pair.name, &pair.value, splits)?;
        self.notes.count_values(&pair.name, values.len())?;
        let mut entry = Entry::default();
        let mut text = None;
        for end in found.alternatives {
            let leaf = self.leaf(&pair.name, &end, found.modifier.as_deref(), &values)?;
            if !leaf.centres.is_empty() {
                self.note_near(&end.steps, end.parameter, &leaf.centres);
            }
            text.get_or_insert(leaf.canonical);
            entry.push(self.schema, end, leaf.criterion, leaf.joins);
        }
        out.push(&found.canonical, &text.unwrap_or_default());
        Ok(entry)
    }

    /// Refuses what the engine does not offer.
    fn offered(&self, name: &str, found: &Found) -> Result<(), Fault> {
        let features = self.options.features;
        let steps = || found.alternatives.iter().flat_map(|end| &end.steps);
        let off = |what| {
            Err(Fault::NotOffered {
                parameter: name.to_owned(),
                what,
            })
        };
        if !features.has && steps().any(|step| matches!(step, Step::Reverse { .. })) {
            return off("a search through _has");
        }
        if !features.chains && steps().any(|step| matches!(step, Step::Forward { .. })) {
            return off("a chain through a reference");
        }
        let climbs = steps().any(Step::climbs);
        if !features.hierarchy && (climbs || found.modifier.as_deref() == Some("below")) {
            return off("a search along the hierarchy (:above, :below)");
        }
        Ok(())
    }

    /// Keeps the points of the first proximity criterion, and of those on the same path.
    fn note_near(&mut self, steps: &[Step], parameter: usize, centres: &[Position]) {
        if let Some((known, near)) = &mut self.near {
            if known.as_slice() == steps {
                near.centres.extend_from_slice(centres);
            }
            return;
        }
        let chain = match steps {
            [] => None,
            [
                Step::Forward {
                    parameter,
                    target,
                    hop: Hop::Direct,
                },
            ] => Some(NearChain {
                reference: *parameter,
                target: *target,
            }),
            _ => return,
        };
        let near = NearSearch {
            centres: centres.to_vec(),
            parameter,
            chain,
        };
        self.near = Some((steps.to_vec(), near));
    }

    /// The request, or the faults.
    fn finish(
        mut self,
        controls: Controls,
        criterion: Criterion,
        content: bool,
        mut canonical: decode::Writer,
    ) -> Result<Request, SearchError> {
        let sort = self.sort(&controls, content, &mut canonical);
        let includes = self.includes(&controls, &mut canonical);
        let elements = self.elements(&controls, &mut canonical);
        let count = controls.count.unwrap_or(DEFAULT_COUNT);
        canonical.push("_count", &count.to_string());
        let warnings = self.notes.finish().map_err(SearchError::new)?;
        Ok(Request {
            kind: self.kind,
            criterion,
            count,
            count_only: count == 0 || controls.summary == Some(Summary::Count),
            cursor: controls.cursor,
            sort,
            near: self.near.map(|(_, near)| near),
            content,
            includes,
            total: controls.total.unwrap_or_default(),
            summary: controls.summary,
            elements,
            pretty: controls.pretty.unwrap_or(false),
            warnings,
            canonical_query: canonical.text(),
        })
    }
}

/// The operator of everything outside `_filter`.
const PLAIN: Operator = Operator::Plain;
