//! Comparing a candidate with the live generation: is it what a night's change can have made of it?
//!
//! An extract can be sound line by line and still be wrong as a whole: a region missing, a reference broken everywhere.
//! What is compared is what the nightly job would be ashamed of in the morning.

mod report;
mod rules;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use rorqual_schema::ResourceType;

pub use report::{CanaryFound, Change, Comparison};
pub use rules::{Canary, RuleError, Rules, Tolerances, TypeTolerances};

use crate::bundle::assemble::Coding;
use crate::index::FormatError;
use crate::index::candidate::Candidate;
use crate::index::column::Values;
use crate::index::generation::Generation;
use crate::index::kept::{Kept, kept};
use crate::index::token::split;
use crate::query::error::SearchError;
use crate::query::parse::Handling;
use crate::view::{SearchRequest, View};

/// What the system of the tag that names a resource's region contains.
const REGIONS: &str = "TRE_R30-RegionOM";

/// Compares a generation with the live one by these rules. Without a live one only what needs none is checked; of a live one
/// of another format version only the counts of types are known.
///
/// # Errors
/// [`FormatError`] when a generation cannot be opened. A canary that cannot be searched is a refusal, not an error.
pub fn compare(index: &Path, id: &str, rules: &Rules) -> Result<Comparison, FormatError> {
    let candidate = Generation::open(&Generation::path_of(index, id))?;
    let mut found = Comparison {
        candidate: id.to_owned(),
        ..Comparison::default()
    };
    let mut live = None;
    let mut known = None;
    match Generation::current(index) {
        Err(FormatError::NoGeneration { .. }) => {}
        Err(error) => return Err(error),
        Ok(current) => {
            known = kept(index)?
                .into_iter()
                .find(|one| one.generation == current);
            match Generation::open(&Generation::path_of(index, &current)) {
                Ok(opened) => live = Some(opened),
                Err(error @ FormatError::Version { .. }) => found
                    .notes
                    .push(format!("only counts of types are compared: {error}")),
                Err(error) => return Err(error),
            }
            found.live = Some(current);
        }
    }
    counts(&candidate, known.as_ref(), rules, &mut found);
    regions(&candidate, live.as_ref(), rules, &mut found);
    dangling(&candidate, live.as_ref(), rules, &mut found);
    if let Some(told) = Candidate::read(index, id)? {
        rejects(&told, rules, &mut found);
    }
    let [candidate, live] =
        [Some(candidate), live].map(|one| one.map(|one| View::of_generation(index, Arc::new(one))));
    for canary in &rules.canary {
        sing(canary, candidate.as_ref(), live.as_ref(), &mut found);
    }
    Ok(found)
}

fn counts(candidate: &Generation, live: Option<&Kept>, rules: &Rules, found: &mut Comparison) {
    let all = &rules.tolerances;
    for kind in ResourceType::ALL {
        let own = rules.types.get(kind.name()).copied().unwrap_or_default();
        let after = u64::from(candidate.directory(kind).len());
        let before = live.map(|live| live.counts.get(kind.name()).copied().unwrap_or(0));
        let change = Change { before, after };
        let shrink = own.shrink_percent.unwrap_or(all.shrink_percent);
        if let Some(why) = change.beyond(shrink, rules.grow(kind), all.slack) {
            found.refusals.push(format!("{kind}: {why}"));
        }
        if let Some(least) = own.least.filter(|least| after < *least) {
            found
                .refusals
                .push(format!("{kind}: {after}, at least {least} are expected"));
        }
        found.types.insert(kind.name().to_owned(), change);
    }
}

fn regions(
    candidate: &Generation,
    live: Option<&Generation>,
    rules: &Rules,
    found: &mut Comparison,
) {
    let all = &rules.tolerances;
    for kind in ResourceType::ALL {
        let after = by_region(candidate, kind);
        let before = live.map(|live| by_region(live, kind));
        let mut codes: Vec<&String> = after.keys().collect();
        codes.extend(before.iter().flat_map(BTreeMap::keys));
        codes.sort();
        codes.dedup();
        for code in codes {
            let count = |of: &BTreeMap<String, u64>| of.get(code).copied().unwrap_or(0);
            let change = Change {
                before: before.as_ref().map(count),
                after: count(&after),
            };
            let beyond = change.beyond(
                all.region_shrink_percent,
                rules.region_grow(kind),
                all.slack,
            );
            if let Some(why) = beyond {
                found
                    .refusals
                    .push(format!("{kind} of region {code}: {why}"));
            }
            found
                .regions
                .entry(code.clone())
                .or_default()
                .insert(kind.name().to_owned(), change);
        }
    }
}

/// How many resources of a type bear the tag of each region.
fn by_region(generation: &Generation, kind: ResourceType) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    let parameters = generation.schema().parameters(kind);
    let tags = parameters.iter().position(|one| one.code == "_tag");
    let directory = generation.directory(kind);
    let index = tags.and_then(|number| directory.parameter(number));
    if let Some(Values::Token(tokens)) = index.map(|index| &index.values) {
        for term in 0..tokens.terms().len() {
            let key = tokens.terms().key(term);
            let (code, system) = split(key);
            if memchr::memmem::find(system, REGIONS.as_bytes()).is_some() {
                let code = String::from_utf8_lossy(code).into_owned();
                *counts.entry(code).or_default() += tokens.postings().of(term).len() as u64;
            }
        }
    }
    counts
}

fn dangling(
    candidate: &Generation,
    live: Option<&Generation>,
    rules: &Rules,
    found: &mut Comparison,
) {
    /// Dangling references of a hundred resources of a type.
    fn share(of: &Generation, kind: ResourceType) -> f64 {
        let dangling = of.manifest().dangling.get(kind.name()).copied();
        let count = of.directory(kind).len().max(1);
        100.0 * dangling.unwrap_or(0) as f64 / f64::from(count)
    }
    let all = &rules.tolerances;
    for kind in ResourceType::ALL {
        let after = share(candidate, kind);
        let before = live.map(|live| share(live, kind));
        let many = candidate.manifest().dangling.get(kind.name()).copied();
        // As for counts: a handful says nothing.
        let counts = many.unwrap_or(0) > all.slack;
        if counts && after > all.dangling_percent {
            found.refusals.push(format!(
                "{kind}: {after:.2} dangling references per hundred resources, at most {} pass",
                all.dangling_percent
            ));
        } else if let Some(before) =
            before.filter(|before| counts && after - before > all.dangling_rise_percent)
        {
            found.refusals.push(format!(
                "{kind}: {after:.2} dangling references per hundred resources, {before:.2} before; a rise of {} passes",
                all.dangling_rise_percent
            ));
        }
        found
            .dangling_percent
            .insert(kind.name().to_owned(), (before, after));
    }
}

fn rejects(told: &Candidate, rules: &Rules, found: &mut Comparison) {
    let share = 100.0 * told.rejected as f64 / told.read.max(1) as f64;
    let most = rules.tolerances.rejected_percent;
    if share > most {
        found.refusals.push(format!(
            "{} of {} records were refused, {share:.2} %; at most {most} % pass",
            told.rejected, told.read
        ));
    }
    found.rejected_percent = Some(share);
}

fn sing(canary: &Canary, candidate: Option<&View>, live: Option<&View>, found: &mut Comparison) {
    let query = &canary.query;
    let after = match candidate.map(|view| total(view, query)) {
        Some(Ok(total)) => Some(total),
        Some(Err(error)) => {
            found.refusals.push(format!("{query}: {error}"));
            None
        }
        None => None,
    };
    // The live generation may have been built with a schema that has no such parameter yet.
    let before = live.and_then(|view| total(view, query).ok());
    if let Some(after) = after {
        let mut refuse = |why: String| found.refusals.push(format!("{query}: {why}"));
        if let Some(least) = canary.least.filter(|least| after < *least) {
            refuse(format!("{after} found, at least {least} are expected"));
        }
        if let Some(most) = canary.most.filter(|most| after > *most) {
            refuse(format!("{after} found, at most {most} are expected"));
        }
        if let Some(percent) = canary.change_percent {
            let change = Change { before, after };
            if let Some(why) = change.beyond(percent, Some(percent), 0) {
                refuse(why);
            }
        }
    }
    found.canaries.push(CanaryFound {
        query: query.clone(),
        before,
        after,
    });
}

/// The total of `Type?parameters` in a view.
fn total(view: &View, search: &str) -> Result<u64, String> {
    let (name, query) = search.split_once('?').unwrap_or((search, ""));
    let kind = ResourceType::from_name(name)
        .ok_or_else(|| format!("{name} is no resource type of the directory"))?;
    let request = SearchRequest {
        kind,
        query,
        base_url: crate::engine::DEFAULT_BASE_URL,
        handling: Handling::Strict,
        permits: None,
        name: None,
        coding: Coding::Identity,
    };
    let found = view.matching(&request);
    found
        .map(|ids| ids.len() as u64)
        .map_err(|error: SearchError| error.to_string())
}
