//! How heavy a search is, told before it runs: what is light need not wait behind what is heavy.

use crate::SearchError;
use crate::bundle::assemble::Coding;
use crate::index::snapshot::Snapshot;
use crate::query::evaluate::Evaluator;
use crate::query::parse::{Request, Summary};
use crate::view::{SearchRequest, View};

/// Up to how much work, in about nanoseconds, a search is light.
const LIGHT: u64 = 1_000_000;
/// From how much work on it is heavy.
const HEAVY: u64 = 5_000_000;

/// Laying out a match of a page.
const MATCH: u64 = 150;
/// What the includes of a match bring along, laid out too.
const ALONG: u64 = 1_000;
/// Cutting elements out of a resource; as many again come along as there are matches, or more.
const CUT: u64 = 400;
/// What is cut out is compressed anew.
const CUT_AND_COMPRESSED: u64 = 8_000;
/// Putting a match in order by its ranks, by its distance, by its score.
const SORTED: u64 = 12;
const BY_DISTANCE: u64 = 100;
const BY_SCORE: u64 = 150;

/// What a search will take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// A fraction of a millisecond.
    Light,
    /// Milliseconds, or it cannot be told.
    Ordinary,
    /// More than that.
    Heavy,
}

impl Weight {
    /// What `request`, read from `asked`, will take on `snapshot`.
    pub(crate) fn of(snapshot: &Snapshot, request: &Request, asked: &SearchRequest<'_>) -> Weight {
        let cost = Evaluator::new(snapshot, asked.base_url).cost(request.kind, &request.criterion);
        let page = cost.matches.min(u64::from(request.count));
        let mut work = cost.entries;
        let mut add =
            |times: u64, each: u64| work = work.saturating_add(times.saturating_mul(each));
        if !request.count_only {
            add(page, MATCH);
            if !request.includes.is_empty() {
                add(page, ALONG);
            }
            if !request.sort.is_empty() {
                add(cost.matches, SORTED);
            }
            if request.near.is_some() {
                add(cost.matches, BY_DISTANCE);
            }
            if request.content {
                add(cost.matches, BY_SCORE);
            }
            let whole = matches!(request.summary, None | Some(Summary::False));
            if !whole || !request.elements.is_empty() {
                let along = if request.includes.is_empty() { 1 } else { 5 };
                let cut = match asked.coding {
                    Coding::Identity => CUT,
                    Coding::Gzip => CUT_AND_COMPRESSED,
                };
                add(page, cut * along);
            }
        }
        // Estimates of matches are upper bounds, so what cannot be told is not called heavy.
        if !cost.known || (LIGHT..HEAVY).contains(&work) {
            Weight::Ordinary
        } else if work < LIGHT {
            Weight::Light
        } else {
            Weight::Heavy
        }
    }
}

impl View {
    /// How heavy a search is.
    ///
    /// # Errors
    /// [`SearchError`] with every fault found in the request.
    pub fn weight(&self, request: &SearchRequest<'_>) -> Result<Weight, SearchError> {
        let asked = self.asked(request)?;
        Ok(Weight::of(asked.snapshot(), asked.request(), request))
    }
}
