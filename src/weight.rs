//! How heavy a search is, told before it runs: what is light need not wait behind what is heavy.

use std::time::Duration;

use crate::SearchError;
use crate::bundle::assemble::Coding;
use crate::index::snapshot::Snapshot;
use crate::query::effort::Effort;
use crate::query::evaluate::Evaluator;
use crate::query::parse::{Request, Summary};
use crate::view::{Answer, SearchRequest, View};

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
    /// The time after which a search is not of this weight; `None`: it is as heavy as there is.
    fn most_time(self) -> Option<Duration> {
        match self {
            Weight::Light => Some(Duration::from_millis(3)),
            Weight::Ordinary => Some(Duration::from_millis(50)),
            Weight::Heavy => None,
        }
    }

    /// The next heavier one.
    fn heavier(self) -> Weight {
        match self {
            Weight::Light => Weight::Ordinary,
            Weight::Ordinary | Weight::Heavy => Weight::Heavy,
        }
    }

    /// What `request`, read from `asked`, will take on `snapshot`.
    fn of(snapshot: &Snapshot, request: &Request, asked: &SearchRequest<'_>) -> Weight {
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

/// What came of trying to carry out a search as one of some weight.
pub(crate) enum Attempt {
    /// It was carried out, or refused.
    Done(Result<Answer, SearchError>),
    /// It is heavier than that: as heavy as this, at least.
    Heavier(Weight),
}

/// Carries out a search that is of this weight or lighter, within the time that such a one has.
pub(crate) fn attempt(view: &View, request: &SearchRequest<'_>, weight: Weight) -> Attempt {
    let asked = match view.asked(request) {
        Ok(asked) => asked,
        Err(error) => return Attempt::Done(Err(error)),
    };
    let found = Weight::of(asked.snapshot(), asked.request(), request);
    if found > weight {
        return Attempt::Heavier(found);
    }
    let budget = view.search_budget();
    let most = weight.most_time().filter(|most| *most < budget);
    match view.page(request, &asked, Effort::of(most.unwrap_or(budget))) {
        Err(error) if most.is_some() && error.out_of_time() => Attempt::Heavier(weight.heavier()),
        done => Attempt::Done(done),
    }
}
