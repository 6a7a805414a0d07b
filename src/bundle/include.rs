//! `_include` and `_revinclude`: what comes along with the matches of a page.
//!
//! An include applies to the matches when their type can carry it, otherwise to what was included; with `:iterate`
//! to both, to any depth. Each resource comes once, a match of the search never.

use std::collections::HashSet;

use ahash::RandomState;
use roaring::RoaringBitmap;
use rorqual_schema::{ParameterType, ResourceType, Schema};

use crate::index::column::Values;
use crate::index::directory::Directory;
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
    let mut waiting: Vec<(ResourceType, u32, bool)> =
        page.iter().map(|&ordinal| (kind, ordinal, true)).collect();
    let mut found = Vec::new();
    let (mut cut, mut bytes) = (false, 0u64);
    let mut next = Vec::new();
    let mut steps = 0_usize;
    'walk: while let Some((at, ordinal, is_match)) = waiting.pop() {
        if steps.is_multiple_of(STEPS_UNLOOKED) {
            bound.effort.check()?;
        }
        steps += 1;
        for rule in rules
            .iter()
            .filter(|rule| rule.iterate || rule.on_matches == is_match)
        {
            follow(snapshot, rule, at, ordinal, &mut next);
            for to in next.drain(..) {
                if !permitted(to.0) || !reached.insert(to) {
                    continue;
                }
                waiting.push((to.0, to.1, false));
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
    found.sort_unstable();
    Ok(Included {
        resources: found,
        cut,
    })
}

fn follow(
    snapshot: &Snapshot,
    rule: &Rule,
    at: ResourceType,
    ordinal: u32,
    out: &mut Vec<(ResourceType, u32)>,
) {
    if !rule.reverse {
        if at == rule.source {
            let (part, own) = snapshot.locate(at, ordinal);
            out.extend(
                references(part.directory, rule.parameter)
                    .into_iter()
                    .flat_map(|references| references.targets(own))
                    .filter(|(to, _)| rule.target.is_none_or(|target| target == *to)),
            );
        }
        return;
    }
    if rule.target.is_some_and(|target| target != at) {
        return;
    }
    for part in snapshot.parts(rule.source) {
        let incoming =
            references(part.directory, rule.parameter).and_then(|index| index.incoming(at));
        let from = incoming.map_or(&[][..], |incoming| incoming.of(ordinal));
        out.extend(
            from.iter()
                .map(|own| (rule.source, own + part.start))
                .filter(|&(kind, from)| snapshot.sees(kind, from)),
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
