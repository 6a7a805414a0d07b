//! A stand-in for the engine that answers from the reference, rightly or with one known fault, to show
//! that the comparison accepts the first and catches each of the others.

use crate::compare::{BASE, Refusal, Searcher};
use crate::queries::{Criterion, Query};
use crate::reference::{Reference, compare, cut};
use serde_json::{Value as Json, json};

/// What the stand-in does wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Nothing.
    None,
    /// Leaves out the last match, and counts one less.
    Loses,
    /// Counts one more.
    Miscounts,
    /// Begins the second page with the last match of the first.
    Repeats,
    /// Leaves out one include.
    DropsInclude,
    /// Gives a match as an include too.
    RepeatsMatch,
    /// Takes no notice of `_sort`.
    IgnoresSort,
    /// Turns the order of equals round when sorting.
    TurnsTies,
    /// Leads from any page to the first as the previous one.
    ForgetsPrevious,
    /// Serves a body that is not the one stored.
    ChangesBody,
    /// Serves whole what was to be cut down.
    ServesWhole,
    /// Tells no score.
    ForgetsScore,
    /// Tells distances that are two metres too long.
    Stretches,
    /// Finds words in resources that do not hold them all.
    ForgetsWords,
}

impl Fault {
    /// All but the first.
    pub const WRONG: [Fault; 13] = [
        Fault::Loses,
        Fault::Miscounts,
        Fault::Repeats,
        Fault::DropsInclude,
        Fault::RepeatsMatch,
        Fault::IgnoresSort,
        Fault::TurnsTies,
        Fault::ForgetsPrevious,
        Fault::ChangesBody,
        Fault::ServesWhole,
        Fault::ForgetsScore,
        Fault::Stretches,
        Fault::ForgetsWords,
    ];
}

/// The stand-in.
pub struct Mirror<'a> {
    /// Where its answers come from.
    pub reference: &'a Reference,
    /// What it does wrong.
    pub fault: Fault,
}

impl Searcher for Mirror<'_> {
    fn search(&self, query: &Query, address: &str) -> Result<Json, Refusal> {
        let mut matches = self.reference.matches(query);
        if self.fault == Fault::ForgetsWords {
            let mut wider = query.clone();
            wider
                .criteria
                .retain(|criterion| criterion.test.code != "_content");
            matches = self.reference.matches(&wider);
        }
        let mut order: Vec<usize> = matches.iter().copied().collect();
        if self.fault == Fault::Loses {
            order.pop();
        }
        if self.fault == Fault::TurnsTies && !query.sort.is_empty() {
            order.reverse();
        }
        if query.sort.is_empty() {
            let distance = |at: usize| self.reference.nearness(at, query).unwrap_or(f64::MAX);
            order.sort_by(|left, right| distance(*left).total_cmp(&distance(*right)));
        } else if self.fault != Fault::IgnoresSort {
            let keys = |at: usize| self.reference.keys(at, query);
            order.sort_by(|left, right| compare(&keys(*left), &keys(*right), &query.sort));
        }
        let total = order.len() + usize::from(self.fault == Fault::Miscounts);
        let size = if query.only_counts() {
            0
        } else {
            query.count.unwrap_or(200)
        };
        let number: usize = address
            .split_once("_page=")
            .and_then(|(_, number)| number.parse().ok())
            .unwrap_or(0);
        let last = order.len().saturating_sub(1).checked_div(size).unwrap_or(0);
        let mut start = number * size;
        if self.fault == Fault::Repeats && number > 0 {
            start -= 1;
        }
        let end = (start + size).min(order.len());
        let page = order.get(start..end).unwrap_or_default();
        let mut includes: Vec<usize> = if page.is_empty() {
            Vec::new()
        } else {
            self.reference
                .included(query, page, &matches)
                .into_iter()
                .collect()
        };
        match self.fault {
            Fault::DropsInclude => drop(includes.pop()),
            Fault::RepeatsMatch if !includes.is_empty() => includes.extend(page.first()),
            _ => {}
        }
        let mut links = vec![
            self.link(query, "self", number),
            self.link(query, "first", 0),
            self.link(query, "last", last),
        ];
        if number < last {
            links.push(self.link(query, "next", number + 1));
        }
        if number > 0 {
            let back = if self.fault == Fault::ForgetsPrevious {
                0
            } else {
                number - 1
            };
            links.push(self.link(query, "previous", back));
        }
        let mut entries: Vec<Json> = page.iter().map(|at| self.entry(query, *at, true)).collect();
        entries.extend(includes.iter().map(|at| self.entry(query, *at, false)));
        Ok(json!({
            "resourceType": "Bundle",
            "type": "searchset",
            "total": total,
            "link": links,
            "entry": entries,
        }))
    }
}

impl Mirror<'_> {
    fn link(&self, query: &Query, relation: &str, number: usize) -> Json {
        let kind = query.kind.name();
        json!({"relation": relation, "url": format!("{BASE}{kind}?_page={number}")})
    }

    fn entry(&self, query: &Query, at: usize, is_match: bool) -> Json {
        let resource = &self.reference.resources[at];
        let mut body = resource.body.clone();
        let part = cut(query, resource.kind, is_match, &body);
        if let Some(part) = part.filter(|_| self.fault != Fault::ServesWhole) {
            body = part;
        }
        if self.fault == Fault::ChangesBody {
            body["language"] = json!("fr");
        }
        let mut search = json!({"mode": if is_match { "match" } else { "include" }});
        let scored =
            |criterion: &Criterion| criterion.path.is_empty() && criterion.test.code == "_content";
        if is_match && self.fault != Fault::ForgetsScore && query.criteria.iter().any(scored) {
            search["score"] = json!(1);
        }
        let criterion = self.reference.proximity(query);
        if let Some(criterion) = criterion
            && let Some(metres) = self.reference.distance(at, &criterion.test.terms)
        {
            let excess = if self.fault == Fault::Stretches {
                2.0
            } else {
                0.0
            };
            search["extension"] = json!([{
                "url": "http://hl7.org/fhir/StructureDefinition/location-distance",
                "valueDistance": {"value": (metres + excess) / 1_000.0},
            }]);
        }
        json!({
            "fullUrl": format!("{BASE}{}", resource.name()),
            "resource": body,
            "search": search,
        })
    }
}
