//! A search request once read: what to find, in which order, and what to show of it.

use rorqual_schema::{Position, ResourceType};

use crate::outcome::Issue;
use crate::query::criterion::Criterion;

/// The page size when `_count` is not given.
pub const DEFAULT_COUNT: u32 = 200;
/// The largest page; more is capped.
pub const MAXIMUM_COUNT: u32 = 1_000;

/// A search request once read.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The type searched.
    pub kind: ResourceType,
    /// What to find.
    pub criterion: Criterion,
    /// Matches on a page, at most [`MAXIMUM_COUNT`]; 0 only with `count_only`.
    pub count: u32,
    /// `_count=0` or `_summary=count`: the total alone is asked for.
    pub count_only: bool,
    /// The page asked for (`_cursor`), as given out in a link.
    pub cursor: Option<String>,
    /// The keys of the order, first things first; empty for the default order.
    pub sort: Vec<SortKey>,
    /// The first proximity criterion, plain or one reference away: it decides the default order and the distances.
    pub near: Option<NearSearch>,
    /// A plain `_content` is present: the best matches come first by default, with a score.
    pub content: bool,
    /// What comes along with the matches.
    pub includes: Vec<Include>,
    /// Whether the total is shown.
    pub total: TotalMode,
    /// `_summary`.
    pub summary: Option<Summary>,
    /// `_elements`.
    pub elements: Vec<ElementName>,
    /// `_pretty=true`.
    pub pretty: bool,
    /// What the client should know about how the request was read.
    pub warnings: Vec<Issue>,
    /// The request as executed, percent-encoded: aliases resolved, defaults written out, dropped parameters left out,
    /// `_cursor` left out. Reading it gives the same request.
    pub canonical_query: String,
}

/// A proximity search: the points that distances are measured from.
#[derive(Clone, Debug, PartialEq)]
pub struct NearSearch {
    /// The points; a distance is the one to the nearest. Never empty, and one for the ordinary request.
    pub centres: Vec<Position>,
    /// The parameter that holds the positions, of the type searched or of the chain's target.
    pub parameter: usize,
    /// The reference to follow first, if any.
    pub chain: Option<NearChain>,
}

/// The reference between the type searched and the places of a chained proximity search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearChain {
    /// The reference, a parameter of the type searched.
    pub reference: usize,
    /// The type it leads to.
    pub target: ResourceType,
}

/// One key of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// What is compared.
    pub by: SortBy,
    /// The greatest first.
    pub descending: bool,
}

/// What a key of an order compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortBy {
    /// A parameter of the type searched.
    Parameter(usize),
    /// A parameter of the resources that a reference leads to.
    Chained {
        /// The reference, a parameter of the type searched.
        reference: usize,
        /// The type it leads to.
        target: ResourceType,
        /// The parameter of `target`.
        parameter: usize,
    },
    /// The distance from the points of [`Request::near`], which is then there; the number is its `parameter`.
    Distance(usize),
    /// The score of `_content`, the best first unless `descending`.
    Score,
}

/// An `_include` or `_revinclude`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Include {
    /// `_revinclude`: the resources that refer, instead of those referred to.
    pub reverse: bool,
    /// `:iterate`: applies to what was included, too.
    pub iterate: bool,
    /// The type that holds the reference; nothing for `*`.
    pub source: Option<ResourceType>,
    /// The reference, a parameter of `source`; nothing for `*` and `Type:*`.
    pub parameter: Option<usize>,
    /// The type the reference must lead to, when one is named.
    pub target: Option<ResourceType>,
}

/// Whether a total is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum TotalMode {
    /// The exact number of matches; also for `_total=estimate`, as the exact one costs nothing.
    #[default]
    Accurate,
    /// No total.
    None,
}

/// A value of `_summary`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Summary {
    /// The elements that FHIR marks as summary.
    True,
    /// The text, id, meta and mandatory elements.
    Text,
    /// All but the text.
    Data,
    /// The total alone.
    Count,
    /// Everything.
    False,
}

/// A name in `_elements`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ElementName {
    /// The only type concerned, when one is written.
    pub kind: Option<ResourceType>,
    /// The top-level element.
    pub element: String,
}
