//! The naive reference: every resource in memory, every search a scan that compares values one by one.

mod accessors;
mod dates;
#[cfg(test)]
mod examples;
mod filter;
mod folding;
mod human_text;
mod includes;
mod matching;
mod near;
mod order;
mod paths;
mod rational;
mod subset;
pub mod systems;
mod units;
mod values;
mod words;

pub use accessors::Found;
pub use dates::{Range, about_is_clear, parse as parse_date};
pub use near::COMMUNES;
pub use order::compare;
pub use rational::Rational;
pub use subset::cut;
pub use systems::other_spelling;
use values::Reference as Link;
pub use values::{Token, Value};
pub use words::words;

use crate::kinds::{Kind, links, parameters};
use crate::queries::Query;
use serde_json::Value as Json;
use std::collections::{BTreeSet, HashMap};

/// A resource with the values of all its parameters.
pub struct Resource {
    /// Its type.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// The record that won among those of this id.
    pub body: Json,
    /// Its human text.
    pub runs: Vec<String>,
    found: HashMap<&'static str, Vec<Found>>,
    text: Vec<Vec<words::Word>>,
}

impl Resource {
    /// `Type/id`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.kind.name(), self.id)
    }

    /// The values of a parameter.
    pub fn found(&self, code: &str) -> &[Found] {
        self.found.get(code).map_or(&[], Vec::as_slice)
    }
}

/// All resources of an extract and the links between them.
pub struct Reference {
    /// The resources, in no particular order.
    pub resources: Vec<Resource>,
    edges: HashMap<(usize, &'static str), BTreeSet<usize>>,
    /// For each resource, who points to it and through which parameter.
    holders: HashMap<usize, Vec<(usize, &'static str)>>,
    /// Whether parameters of one group must meet in one line.
    grouped: bool,
}

impl Reference {
    /// Reads an extract, in the order in which the builder reads it.
    pub fn load(records: &[Json], grouped: bool) -> Reference {
        let mut winners: HashMap<(Kind, String), (Option<i64>, &Json)> = HashMap::new();
        for record in records {
            let kind = record["resourceType"].as_str().and_then(Kind::from_name);
            let (Some(kind), Some(id)) = (kind, record["id"].as_str()) else {
                continue;
            };
            let updated = record["meta"]["lastUpdated"].as_str();
            let age = updated.and_then(dates::parse).map(|range| range.low);
            let place = winners
                .entry((kind, id.to_owned()))
                .or_insert((age, record));
            // `None` is older than any instant; of two equals the later line wins.
            if age >= place.0 {
                *place = (age, record);
            }
        }
        let mut resources: Vec<Resource> = winners
            .into_iter()
            .map(|((kind, id), (_, body))| {
                let runs = human_text::runs(body);
                Resource {
                    kind,
                    id,
                    body: body.clone(),
                    found: parameters(kind)
                        .iter()
                        .map(|known| (known.code, accessors::found(kind, known, body)))
                        .collect(),
                    text: runs.iter().map(|run| words::read(run)).collect(),
                    runs,
                }
            })
            .collect();
        resources.sort_by(|left, right| (left.kind, &left.id).cmp(&(right.kind, &right.id)));
        let mut reference = Reference {
            edges: HashMap::new(),
            holders: HashMap::new(),
            resources,
            grouped,
        };
        reference.edges = reference.resolve();
        for ((from, code), targets) in &reference.edges {
            for target in targets {
                let holders = reference.holders.entry(*target).or_default();
                holders.push((*from, code));
            }
        }
        reference
    }

    /// The resources each reference parameter leads to.
    fn resolve(&self) -> HashMap<(usize, &'static str), BTreeSet<usize>> {
        let mut edges = HashMap::new();
        for (from, resource) in self.resources.iter().enumerate() {
            for link in links(resource.kind) {
                let mut targets = BTreeSet::new();
                for found in resource.found(link.code) {
                    if let Value::Reference(reference) = &found.value {
                        targets.extend(self.targets(reference, link.targets));
                    }
                }
                edges.insert((from, link.code), targets);
            }
        }
        edges
    }

    fn targets(&self, reference: &Link, allowed: &[Kind]) -> Vec<usize> {
        let wanted = |resource: &Resource| match (&reference.literal, &reference.identifier) {
            (Some((kind, id)), _) => resource.kind == *kind && resource.id == *id,
            _ if reference.written => false,
            (None, Some(identifier)) => {
                let hinted = reference.hint.as_deref();
                hinted.is_none_or(|hint| hint == resource.kind.name())
                    && resource.found("identifier").iter().any(|found| {
                        matches!(&found.value, Value::Token(token)
                            if token.code == identifier.code
                                && (identifier.system.is_empty() || token.system == identifier.system))
                    })
            }
            (None, None) => false,
        };
        let all = self.resources.iter().enumerate();
        all.filter(|(_, resource)| allowed.contains(&resource.kind) && wanted(resource))
            .map(|(at, _)| at)
            .collect()
    }

    /// Where a reference parameter of a resource leads.
    pub fn edge(&self, from: usize, code: &str) -> BTreeSet<usize> {
        let key = links(self.resources[from].kind).find(|link| link.code == code);
        key.and_then(|link| self.edges.get(&(from, link.code)))
            .cloned()
            .unwrap_or_default()
    }

    /// Who points to a resource, and through which parameter.
    pub fn holders(&self, of: usize) -> &[(usize, &'static str)] {
        self.holders.get(&of).map_or(&[], Vec::as_slice)
    }

    /// The resources that satisfy a query.
    pub fn matches(&self, query: &Query) -> BTreeSet<usize> {
        let candidates = self.resources.iter().enumerate();
        candidates
            .filter(|(_, resource)| resource.kind == query.kind)
            .map(|(at, _)| at)
            .filter(|at| self.criteria_hold(*at, &query.criteria))
            .filter(|at| {
                query
                    .filters
                    .iter()
                    .all(|filter| self.filter_holds(*at, filter))
            })
            .collect()
    }
}
