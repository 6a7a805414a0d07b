//! One query put to a searcher and to the reference: totals, pages, order, includes and links must agree.

use crate::kinds::Kind;
use crate::queries::{Criterion, Query, Term, url};
use crate::random::Random;
use crate::reference::{Reference, compare, cut};
use serde_json::Value as Json;
use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

/// The base under which links are absolute.
pub const BASE: &str = "http://127.0.0.1:8080/fhir/";

/// A refusal: status and what was said.
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// The issues, for the report of a mismatch.
    pub text: String,
}

/// Anything that answers searches: the engine, or a stand-in with a known fault.
pub trait Searcher {
    /// Answers an address relative to the base; `query` is what the address means.
    fn search(&self, query: &Query, address: &str) -> Result<Json, Refusal>;
}

/// A page as read from a Bundle.
struct Page {
    total: usize,
    matches: Vec<usize>,
    includes: Vec<usize>,
    scores: Vec<Option<f64>>,
    links: HashMap<String, String>,
}

/// The comparison of one searcher with one reference.
pub struct Comparison<'a> {
    searcher: &'a dyn Searcher,
    reference: &'a Reference,
    places: HashMap<(Kind, &'a str), usize>,
}

impl<'a> Comparison<'a> {
    /// Prepares to compare.
    pub fn new(searcher: &'a dyn Searcher, reference: &'a Reference) -> Self {
        let places = reference.resources.iter().enumerate();
        Comparison {
            searcher,
            reference,
            places: places
                .map(|(at, resource)| ((resource.kind, resource.id.as_str()), at))
                .collect(),
        }
    }

    /// Compares one query; gives the number of matches, or says what differs.
    pub fn check(&self, query: &Query, address: &str) -> Result<usize, String> {
        let expected = self.reference.matches(query);
        let pages = self.pages(query, address, expected.len())?;
        let got: Vec<usize> = pages.iter().flat_map(|page| page.matches.clone()).collect();
        for page in &pages {
            if page.total != expected.len() {
                return Err(format!(
                    "total is {}, expected {}{}",
                    page.total,
                    expected.len(),
                    self.difference(&expected, &got.iter().copied().collect())
                ));
            }
        }
        if query.only_counts() {
            return if got.is_empty() && pages[0].includes.is_empty() {
                Ok(expected.len())
            } else {
                Err("counting alone brought entries".to_owned())
            };
        }
        let set: BTreeSet<usize> = got.iter().copied().collect();
        if set != expected {
            return Err(format!(
                "matches differ{}",
                self.difference(&expected, &set)
            ));
        }
        if set.len() != got.len() {
            return Err("a match is repeated".to_owned());
        }
        for (number, page) in pages.iter().enumerate() {
            let includes: BTreeSet<usize> = page.includes.iter().copied().collect();
            let wanted = self.reference.included(query, &page.matches, &expected);
            if includes != wanted {
                let difference = self.difference(&wanted, &includes);
                return Err(format!(
                    "includes of page {} differ{difference}",
                    number + 1
                ));
            }
            if includes.len() != page.includes.len() {
                return Err(format!("an include of page {} is repeated", number + 1));
            }
        }
        self.check_scores(query, &pages)?;
        self.check_order(query, &got)?;
        self.check_links(query, &pages)?;
        Ok(expected.len())
    }

    fn difference(&self, expected: &BTreeSet<usize>, got: &BTreeSet<usize>) -> String {
        let names = |set: Vec<&usize>| -> Vec<String> {
            let all = set.into_iter().take(12);
            all.map(|at| self.reference.resources[*at].name()).collect()
        };
        format!(
            "\n  missing: {:?}\n  extra: {:?}",
            names(expected.difference(got).collect()),
            names(got.difference(expected).collect())
        )
    }

    /// All pages, by following `next`.
    fn pages(&self, query: &Query, address: &str, expected: usize) -> Result<Vec<Page>, String> {
        let mut pages: Vec<Page> = Vec::new();
        let mut next = Some(address.to_owned());
        while let Some(address) = next {
            if pages.len() > expected + 1 {
                return Err(format!("more pages than matches ({expected})"));
            }
            let page = self.page(query, &address)?;
            next = page.links.get("next").cloned();
            let full = query.count.unwrap_or(200);
            if next.is_some() && page.matches.len() != full {
                return Err(format!(
                    "a page of {} although more follow",
                    page.matches.len()
                ));
            }
            if page.matches.len() > full {
                return Err(format!(
                    "a page of {} where {full} were asked",
                    page.matches.len()
                ));
            }
            pages.push(page);
        }
        Ok(pages)
    }

    fn page(&self, query: &Query, address: &str) -> Result<Page, String> {
        let bundle = self.searcher.search(query, address).map_err(|refusal| {
            format!(
                "refused with {}: {} ({address})",
                refusal.status, refusal.text
            )
        })?;
        if bundle["resourceType"] != "Bundle" || bundle["type"] != "searchset" {
            return Err("the answer is no searchset".to_owned());
        }
        let mut page = Page {
            total: bundle["total"].as_u64().ok_or("no total")? as usize,
            matches: Vec::new(),
            includes: Vec::new(),
            scores: Vec::new(),
            links: HashMap::new(),
        };
        for link in bundle["link"].as_array().into_iter().flatten() {
            let (Some(relation), Some(url)) = (link["relation"].as_str(), link["url"].as_str())
            else {
                return Err("a link without relation or url".to_owned());
            };
            let address = url
                .strip_prefix(BASE)
                .ok_or_else(|| format!("the link {url} is not under the base"))?;
            page.links.insert(relation.to_owned(), address.to_owned());
        }
        for entry in bundle["entry"].as_array().into_iter().flatten() {
            match entry["search"]["mode"].as_str() {
                Some("match") => {
                    page.matches.push(self.entry(query, entry, true)?);
                    page.scores.push(entry["search"]["score"].as_f64());
                }
                Some("include") => page.includes.push(self.entry(query, entry, false)?),
                Some("outcome") => {}
                other => return Err(format!("an entry of mode {other:?}")),
            }
        }
        Ok(page)
    }

    /// The resource of an entry; its body must be the record that won, `meta` aside, or the part asked for.
    fn entry(&self, query: &Query, entry: &Json, is_match: bool) -> Result<usize, String> {
        let resource = &entry["resource"];
        let kind = resource["resourceType"].as_str().and_then(Kind::from_name);
        let id = resource["id"].as_str();
        let at = kind
            .zip(id)
            .and_then(|key| self.places.get(&key))
            .ok_or_else(|| format!("an entry for {kind:?} {id:?}, which the data do not hold"))?;
        let known = &self.reference.resources[*at];
        let name = known.name();
        if entry["fullUrl"] != format!("{BASE}{name}") {
            return Err(format!("fullUrl of {name} is {}", entry["fullUrl"]));
        }
        self.check_distance(query, *at, &entry["search"])?;
        if let Some(part) = cut(query, known.kind, is_match, &known.body) {
            return if *resource == part {
                Ok(*at)
            } else {
                Err(format!("{name} is shown as {resource}, expected {part}"))
            };
        }
        let without_meta = |body: &Json| {
            let mut body = body.clone();
            if let Some(fields) = body.as_object_mut() {
                fields.shift_remove("meta");
            }
            body
        };
        if without_meta(resource) != without_meta(&known.body) {
            return Err(format!("the body of {name} is not the record that wins"));
        }
        let tags = resource["meta"]["tag"].as_array();
        if tags.is_some_and(|tags| tags.iter().any(|tag| tag["code"] == "SUBSETTED")) {
            return Err(format!("{name} is whole but says it is not"));
        }
        Ok(*at)
    }

    /// Places tell their distance from the only point asked about, within a metre, and nothing else does.
    fn check_distance(&self, query: &Query, at: usize, search: &Json) -> Result<(), String> {
        let near = |criterion: &&Criterion| criterion.test.code.starts_with("near");
        let wanted = match self.reference.proximity(query) {
            Some(criterion) => self.reference.distance(at, &criterion.test.terms),
            // Of several points, or none that is measured, the text of the rules says too little.
            None if query.criteria.iter().any(|criterion| near(&criterion)) => return Ok(()),
            None => None,
        };
        let told = search["extension"].as_array().into_iter().flatten();
        let url = "http://hl7.org/fhir/StructureDefinition/location-distance";
        let told: Vec<Option<f64>> = told
            .filter(|extension| extension["url"] == url)
            .map(|extension| extension["valueDistance"]["value"].as_f64())
            .collect();
        let agrees = match (wanted, told.as_slice()) {
            (None, []) => true,
            (Some(metres), [Some(kilometres)]) => (metres - kilometres * 1_000.0).abs() <= 1.0,
            _ => false,
        };
        if agrees {
            return Ok(());
        }
        let name = self.reference.resources[at].name();
        Err(format!("{name} is {wanted:?} m away, told as {told:?} km"))
    }

    /// Matches of a full-text search have a score in (0,1], best first unless another order is asked for.
    fn check_scores(&self, query: &Query, pages: &[Page]) -> Result<(), String> {
        let own =
            |criterion: &Criterion| criterion.path.is_empty() && criterion.test.code == "_content";
        let scores: Vec<Option<f64>> = pages.iter().flat_map(|page| page.scores.clone()).collect();
        if !query.criteria.iter().any(own) {
            return match scores.iter().flatten().next() {
                None => Ok(()),
                Some(score) => Err(format!("a score of {score} without a full-text search")),
            };
        }
        let sound = |score: &Option<f64>| score.is_some_and(|score| score > 0.0 && score <= 1.0);
        if !scores.iter().all(sound) {
            return Err(format!("scores outside (0,1]: {scores:?}"));
        }
        let near = |criterion: &Criterion| criterion.test.code.starts_with("near");
        let ordered = query.sort.is_empty() && !query.criteria.iter().any(near);
        if ordered && scores.windows(2).any(|pair| pair[0] < pair[1]) {
            return Err(format!("not best first: {scores:?}"));
        }
        Ok(())
    }

    fn check_order(&self, query: &Query, got: &[usize]) -> Result<(), String> {
        let near = query.criteria.iter().any(|criterion| {
            let mut terms = criterion.test.terms.iter();
            terms.any(|term| matches!(term, Term::Near(..) | Term::NearInsee(..)))
        });
        if query.sort.is_empty() && near {
            return self.check_nearest_first(query, got);
        }
        let content = query
            .criteria
            .iter()
            .any(|criterion| criterion.test.code == "_content");
        let mut plain = query.clone();
        plain.sort.clear();
        plain.includes.clear();
        plain.count = None;
        let address = url(&mut Random::new(0), &plain);
        let unsorted = if near {
            Vec::new()
        } else {
            let pages = self.pages(&plain, &address, got.len())?;
            pages.into_iter().flat_map(|page| page.matches).collect()
        };
        if query.sort.is_empty() {
            return if unsorted == got {
                Ok(())
            } else {
                Err("the order depends on the size of the page".to_owned())
            };
        }
        let rank: HashMap<usize, usize> = unsorted
            .iter()
            .enumerate()
            .map(|(n, at)| (*at, n))
            .collect();
        for pair in got.windows(2) {
            let [left, right] = pair else { continue };
            let left_keys = self.reference.keys(*left, query);
            let right_keys = self.reference.keys(*right, query);
            let names = || {
                let (left, right) = (
                    &self.reference.resources[*left],
                    &self.reference.resources[*right],
                );
                format!(
                    "{} {left_keys:?} before {} {right_keys:?}",
                    left.name(),
                    right.name()
                )
            };
            match compare(&left_keys, &right_keys, &query.sort) {
                Ordering::Less => {}
                Ordering::Greater => return Err(format!("out of order: {}", names())),
                Ordering::Equal if near || content || rank.get(left) < rank.get(right) => {}
                Ordering::Equal => {
                    return Err(format!("a tie leaves the index order: {}", names()));
                }
            }
        }
        Ok(())
    }

    fn check_nearest_first(&self, query: &Query, got: &[usize]) -> Result<(), String> {
        // Several points at once give no single distance to order by.
        if self.reference.proximity(query).is_none() {
            return Ok(());
        }
        let distances: Vec<f64> = got
            .iter()
            .filter_map(|at| self.reference.nearness(*at, query))
            .collect();
        if distances.windows(2).all(|pair| pair[0] <= pair[1] + 1e-6) {
            Ok(())
        } else {
            Err(format!("not nearest first: {distances:?}"))
        }
    }

    fn check_links(&self, query: &Query, pages: &[Page]) -> Result<(), String> {
        let last = pages.len() - 1;
        if pages[0].links.contains_key("previous") {
            return Err("the first page has a previous one".to_owned());
        }
        for (number, page) in pages.iter().enumerate() {
            if !page.links.contains_key("self") {
                return Err(format!("page {} has no self", number + 1));
            }
            let mut wanted = vec![("first", 0), ("last", last)];
            if number > 0 {
                wanted.push(("previous", number - 1));
            }
            // Both ends and their neighbours show all there is to see.
            if number > 1 && number + 1 < last {
                continue;
            }
            for (relation, target) in wanted {
                let address = page.links.get(relation);
                let address =
                    address.ok_or_else(|| format!("page {} has no {relation}", number + 1))?;
                let seen = self.page(query, address)?;
                if seen.matches != pages[target].matches || seen.total != pages[target].total {
                    return Err(format!("{relation} of page {} leads elsewhere", number + 1));
                }
            }
        }
        Ok(())
    }

    /// A smaller query that still fails, by leaving out one part at a time.
    pub fn shrink(&self, query: &Query) -> (Query, String, String) {
        let mut best = query.clone();
        loop {
            let smaller = simpler(&best).into_iter().find(|candidate| {
                let address = url(&mut Random::new(0), candidate);
                self.check(candidate, &address).is_err()
            });
            let Some(smaller) = smaller else { break };
            best = smaller;
        }
        let address = url(&mut Random::new(0), &best);
        let reason = match self.check(&best, &address) {
            Err(reason) => reason,
            Ok(_) => "passes when written plainly".to_owned(),
        };
        (best, address, reason)
    }
}

/// The query with one part less, in every way.
fn simpler(query: &Query) -> Vec<Query> {
    let mut out = Vec::new();
    let mut keep = |change: &dyn Fn(&mut Query)| {
        let mut copy = query.clone();
        change(&mut copy);
        // An order by distance needs something to measure from.
        if !copy
            .criteria
            .iter()
            .any(|criterion| criterion.test.code.starts_with("near"))
        {
            copy.sort.retain(|key| key.code != "near");
        }
        out.push(copy);
    };
    if query.count.is_some() {
        keep(&|copy| copy.count = None);
    }
    for n in 0..query.includes.len() {
        keep(&|copy| {
            copy.includes.remove(n);
        });
    }
    if query.summary.is_some() {
        keep(&|copy| copy.summary = None);
    }
    for n in 0..query.elements.len() {
        keep(&|copy| {
            copy.elements.remove(n);
        });
    }
    for n in 0..query.sort.len() {
        keep(&|copy| {
            copy.sort.remove(n);
        });
    }
    for n in 0..query.filters.len() {
        keep(&|copy| drop(copy.filters.remove(n)));
    }
    for n in 0..query.criteria.len() {
        keep(&|copy| drop(copy.criteria.remove(n)));
        let terms = query.criteria[n].test.terms.len();
        for term in 0..if terms > 1 { terms } else { 0 } {
            keep(&|copy| drop(copy.criteria[n].test.terms.remove(term)));
        }
    }
    out
}
