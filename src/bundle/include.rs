//! `_include` and `_revinclude`: what comes along with the matches of a page.
//!
//! An include applies to the matches when their type can carry it, otherwise to what was included; with `:iterate`
//! to both, to any depth. Each resource comes once, a match of the search never. The walk goes in circles around the page, so
//! that what is nearest comes when there is more than an answer may hold.

use std::collections::HashSet;

use ahash::RandomState;
use roaring::RoaringBitmap;
use rorqual_schema::{ParameterType, ResourceType, Schema};

use crate::index::column::Values;
use crate::index::directory::Directory;
use crate::index::map::Ahead;
use crate::index::reference::ReferenceIndex;
use crate::index::snapshot::Snapshot;
use crate::query::effort::Effort;
use crate::query::error::SearchError;
use crate::query::parse::Include;

/// Steps of a walk between two looks at the clock.
const STEPS_UNLOOKED: usize = 64;

/// One reference to follow, of one type.
struct Rule {
    reverse: bool,
    iterate: bool,
    /// Applies to the matches rather than to what was included.
    on_matches: bool,
    source: ResourceType,
    parameter: usize,
    target: Option<ResourceType>,
}

impl Rule {
    /// Whether it is followed from a resource, whatever its type.
    fn concerns(&self, from: &Reached) -> bool {
        self.iterate || self.on_matches == from.is_match
    }
}

/// A resource that the walk has come to.
struct Reached {
    kind: ResourceType,
    ordinal: u32,
    is_match: bool,
}

/// What was drawn in by a page.
pub struct Included {
    /// Type and ordinal, by type then ordinal.
    pub resources: Vec<(ResourceType, u32)>,
    /// Whether the bound cut some off.
    pub cut: bool,
}

/// How much may come along, and how long finding it may take.
pub struct Bound {
    /// How many resources.
    pub resources: usize,
    /// How many bytes of them.
    pub bytes: u64,
    /// The time there is.
    pub effort: Effort,
}

/// Follows `includes` from the `page` of matches. `matches` are all matches of the search; only types that are
/// `permitted` come along.
///
/// # Errors
/// When the time is spent.
pub fn included(
    snapshot: &Snapshot,
    kind: ResourceType,
    page: &[u32],
    matches: &RoaringBitmap,
    includes: &[Include],
    bound: &Bound,
    permitted: &dyn Fn(ResourceType) -> bool,
) -> Result<Included, SearchError> {
    let rules = rules(snapshot.schema(), kind, includes);
    // Some resources come along with each match; how many, nobody knows beforehand.
    let mut reached: HashSet<(ResourceType, u32), RandomState> =
        HashSet::with_capacity_and_hasher(page.len() * (1 + rules.len()), RandomState::new());
    reached.extend(page.iter().map(|&ordinal| (kind, ordinal)));
    let mut circle: Vec<Reached> = page
        .iter()
        .map(|&ordinal| Reached {
            kind,
            ordinal,
            is_match: true,
        })
        .collect();
    let mut found = Vec::new();
    let (mut cut, mut bytes) = (false, 0u64);
    let mut next = Vec::new();
    'walk: while !circle.is_empty() {
        let mut beyond = Vec::new();
        for (number, from) in circle.iter().enumerate() {
            if number.is_multiple_of(STEPS_UNLOOKED) {
                bound.effort.check()?;
            }
            expect(snapshot, &rules, circle.get(number..).unwrap_or(&[]));
            for rule in rules.iter().filter(|rule| rule.concerns(from)) {
                follow(snapshot, rule, from, &mut next);
                for to in next.drain(..) {
                    if !permitted(to.0) || !reached.insert(to) {
                        continue;
                    }
                    beyond.push(Reached {
                        kind: to.0,
                        ordinal: to.1,
                        is_match: false,
                    });
                    // A match of another page is walked through, not included.
                    if to.0 == kind && matches.contains(to.1) {
                        continue;
                    }
                    let (part, own) = snapshot.locate(to.0, to.1);
                    bytes = bytes.saturating_add(part.directory.bodies().entry_length(own));
                    if found.len() == bound.resources || bytes > bound.bytes {
                        cut = true;
                        break 'walk;
                    }
                    found.push(to);
                }
            }
        }
        circle = beyond;
    }
    found.sort_unstable();
    Ok(Included {
        resources: found,
        cut,
    })
}

/// Has what the rules read of resources a few steps ahead fetched meanwhile.
fn expect(snapshot: &Snapshot, rules: &[Rule], circle: &[Reached]) {
    for (steps, ahead) in Ahead::STEPS {
        let Some(from) = circle.get(steps) else {
            continue;
        };
        let (part, own) = snapshot.locate(from.kind, from.ordinal);
        for rule in rules.iter().filter(|rule| rule.concerns(from)) {
            if rule.reverse {
                // What was written since is in memory of its own, and little.
                let directory = snapshot.directory(rule.source, 0);
                let incoming = references(directory, rule.parameter)
                    .and_then(|index| index.incoming(from.kind));
                if let Some(incoming) = incoming {
                    incoming.expect(from.ordinal, ahead);
                }
            } else if from.kind == rule.source
                && let Some(outgoing) = references(part.directory, rule.parameter)
            {
                outgoing.expect(own, ahead);
            }
        }
    }
}

fn follow(snapshot: &Snapshot, rule: &Rule, from: &Reached, out: &mut Vec<(ResourceType, u32)>) {
    if !rule.reverse {
        if from.kind == rule.source {
            let (part, own) = snapshot.locate(from.kind, from.ordinal);
            out.extend(
                references(part.directory, rule.parameter)
                    .into_iter()
                    .flat_map(|references| references.targets(own))
                    .filter(|(to, _)| rule.target.is_none_or(|target| target == *to)),
            );
        }
        return;
    }
    if rule.target.is_some_and(|target| target != from.kind) {
        return;
    }
    for part in snapshot.parts(rule.source) {
        let incoming =
            references(part.directory, rule.parameter).and_then(|index| index.incoming(from.kind));
        let rows = incoming.map_or(&[][..], |incoming| incoming.of(from.ordinal));
        out.extend(
            rows.iter()
                .map(|own| (rule.source, own + part.start))
                .filter(|&(kind, row)| snapshot.sees(kind, row)),
        );
    }
}

fn references(directory: &Directory, parameter: usize) -> Option<&ReferenceIndex> {
    match &directory.parameter(parameter)?.values {
        Values::Reference(references) => Some(references),
        _ => None,
    }
}

/// Writes wildcards out: one rule for each reference parameter concerned.
fn rules(schema: &Schema, searched: ResourceType, includes: &[Include]) -> Vec<Rule> {
    let mut rules = Vec::new();
    for include in includes {
        let carried = carried_by_matches(schema, searched, include);
        for source in ResourceType::ALL {
            if include.source.is_some_and(|named| named != source) {
                continue;
            }
            for (number, parameter) in schema.parameters(source).iter().enumerate() {
                if parameter.kind == ParameterType::Reference
                    && include.parameter.is_none_or(|named| named == number)
                {
                    rules.push(Rule {
                        reverse: include.reverse,
                        iterate: include.iterate,
                        on_matches: carried,
                        source,
                        parameter: number,
                        target: include.target,
                    });
                }
            }
        }
    }
    rules
}

/// Whether resources of the searched type can draw something in through an include.
fn carried_by_matches(schema: &Schema, searched: ResourceType, include: &Include) -> bool {
    let Some(source) = include.source else {
        return true;
    };
    if !include.reverse {
        return source == searched;
    }
    if let Some(target) = include.target {
        return target == searched;
    }
    let of_source = schema.parameters(source).iter().enumerate();
    of_source
        .filter(|(number, parameter)| {
            parameter.kind == ParameterType::Reference
                && include.parameter.is_none_or(|named| named == *number)
        })
        .any(|(_, parameter)| parameter.targets.contains(&searched))
}
