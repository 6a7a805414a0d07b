//! Carrying out a search as one of some weight: where it turns out to be heavier, it is given up and begun again elsewhere.

use std::time::Duration;

use crate::SearchError;
use crate::query::effort::Effort;
use crate::view::{Answer, SearchRequest, View};
use crate::weight::Weight;

/// The time after which a search is not of this weight; `None`: it is as heavy as there is.
fn most_time(weight: Weight) -> Option<Duration> {
    match weight {
        Weight::Light => Some(Duration::from_millis(3)),
        Weight::Ordinary => Some(Duration::from_millis(50)),
        Weight::Heavy => None,
    }
}

/// The next heavier weight.
fn heavier(weight: Weight) -> Weight {
    match weight {
        Weight::Light => Weight::Ordinary,
        Weight::Ordinary | Weight::Heavy => Weight::Heavy,
    }
}

/// What came of trying to carry out a search as one of some weight.
pub(super) enum Attempt {
    /// It was carried out, or refused.
    Done(Result<Answer, SearchError>),
    /// It is heavier than that: as heavy as this, at least.
    Heavier(Weight),
}

/// Carries out a search that is of this weight or lighter, within the time that such a one has.
pub(super) fn attempt(view: &View, request: &SearchRequest<'_>, weight: Weight) -> Attempt {
    let asked = match view.asked(request) {
        Ok(asked) => asked,
        Err(error) => return Attempt::Done(Err(error)),
    };
    let found = Weight::of(asked.snapshot(), asked.request(), request);
    if found > weight {
        return Attempt::Heavier(found);
    }
    let budget = view.search_budget();
    let most = most_time(weight).filter(|most| *most < budget);
    match view.page(request, &asked, Effort::of(most.unwrap_or(budget))) {
        Err(error) if most.is_some() && error.out_of_time() => Attempt::Heavier(heavier(weight)),
        done => Attempt::Done(done),
    }
}
