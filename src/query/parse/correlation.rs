//! Criteria of one repeating group at the end of one way: one and the same line must satisfy them together.

use rorqual_schema::{ResourceType, Schema};

use super::GroupMatching;
use super::path::{End, Step, along, parameter};
use crate::query::criterion::Criterion;

/// One parameter of a request, read.
#[derive(Default)]
pub(super) struct Entry {
    /// The ways it can be read; any will do.
    ends: Vec<EntryEnd>,
}

struct EntryEnd {
    steps: Vec<Step>,
    kind: ResourceType,
    /// The parameter and its outermost group, when the criterion takes part in groups.
    grouped: Option<(usize, usize)>,
    criterion: Criterion,
}

impl Entry {
    /// A condition on the type searched that joins no group.
    pub(super) fn alone(criterion: Criterion) -> Entry {
        Entry {
            ends: vec![EntryEnd {
                steps: Vec::new(),
                kind: ResourceType::HealthcareService,
                grouped: None,
                criterion,
            }],
        }
    }

    /// Adds a way to read the parameter. `joins` says that the test may be met by one line of the parameter's group.
    pub(super) fn push(&mut self, schema: &Schema, end: End, criterion: Criterion, joins: bool) {
        let climbs = end.steps.last().is_some_and(Step::climbs);
        let group = parameter(schema, end.kind, end.parameter).and_then(|known| known.group);
        self.ends.push(EntryEnd {
            grouped: group
                .filter(|_| joins && !climbs)
                .map(|group| (end.parameter, outermost(schema, end.kind, group))),
            steps: end.steps,
            kind: end.kind,
            criterion,
        });
    }

    /// Entries with the same key are met together. Nothing: the entry stands alone.
    fn key(&self) -> Option<Vec<(&[Step], ResourceType, usize)>> {
        let of = |end: &EntryEnd| Some((end.grouped?.1, end.kind));
        self.ends
            .iter()
            .map(|end| of(end).map(|(group, kind)| (end.steps.as_slice(), kind, group)))
            .collect()
    }
}

/// The conjunction of all entries, in the order of the first of each group.
pub(super) fn joined(schema: &Schema, matching: GroupMatching, entries: Vec<Entry>) -> Criterion {
    let mut sets: Vec<Vec<&Entry>> = Vec::new();
    for entry in &entries {
        let key = entry.key().filter(|_| matching == GroupMatching::SameLine);
        let known = key.and_then(|key| {
            sets.iter_mut()
                .find(|set| set.first().and_then(|first| first.key()).as_ref() == Some(&key))
        });
        match known {
            Some(set) => set.push(entry),
            None => sets.push(vec![entry]),
        }
    }
    Criterion::and(sets.iter().map(|set| one(schema, set)).collect())
}

/// The condition of entries that are met together.
fn one(schema: &Schema, set: &[&Entry]) -> Criterion {
    let Some((first, others)) = set.split_first() else {
        return Criterion::All;
    };
    let ends = first.ends.iter().enumerate().map(|(place, end)| {
        if others.is_empty() {
            return along(&end.steps, end.criterion.clone());
        }
        let together: Vec<(usize, Criterion)> = set
            .iter()
            .filter_map(|entry| {
                let end = entry.ends.get(place)?;
                Some((end.grouped?.0, end.criterion.clone()))
            })
            .collect();
        let group = end.grouped.map_or(0, |(_, group)| group);
        along(&end.steps, line(schema, end.kind, group, together))
    });
    Criterion::or(ends.collect())
}

/// One line of a group, or of the one inside it that all conditions are about, that satisfies them.
fn line(
    schema: &Schema,
    kind: ResourceType,
    group: usize,
    conditions: Vec<(usize, Criterion)>,
) -> Criterion {
    let mut children = conditions
        .iter()
        .map(|(number, _)| child_of(schema, kind, group, *number));
    let first = children.next().flatten();
    match first.filter(|_| children.all(|child| child == first)) {
        Some(child) => line(schema, kind, child, conditions),
        None => line_of(schema, kind, group, conditions),
    }
}

/// One line of a group that satisfies conditions on its parameters and on those of its child groups. Inside a line the
/// groups between must be named: what holds a line is found one group up.
fn line_of(
    schema: &Schema,
    kind: ResourceType,
    group: usize,
    conditions: Vec<(usize, Criterion)>,
) -> Criterion {
    let mut parts = Vec::new();
    let mut children: Vec<(usize, Vec<(usize, Criterion)>)> = Vec::new();
    for (number, condition) in conditions {
        match child_of(schema, kind, group, number) {
            None => parts.push(condition),
            Some(child) => match children.iter_mut().find(|(known, _)| *known == child) {
                Some((_, list)) => list.push((number, condition)),
                None => children.push((child, vec![(number, condition)])),
            },
        }
    }
    for (child, list) in children {
        parts.push(line_of(schema, kind, child, list));
    }
    Criterion::Line {
        group,
        inner: Box::new(Criterion::and(parts)),
    }
}

/// The child group of a group that holds the lines of a parameter; none when the group itself does.
fn child_of(schema: &Schema, kind: ResourceType, group: usize, number: usize) -> Option<usize> {
    let own = parameter(schema, kind, number)?.group?;
    child_towards(schema, kind, group, own)
}

/// The outermost group around a group.
fn outermost(schema: &Schema, kind: ResourceType, group: usize) -> usize {
    let mut at = group;
    while let Some(parent) = schema.groups(kind).get(at).and_then(|known| known.parent) {
        at = parent;
    }
    at
}

/// The child of `group` that is, or is around, the group `inner`; nothing when `inner` is `group` or lies outside it.
pub(super) fn child_towards(
    schema: &Schema,
    kind: ResourceType,
    group: usize,
    inner: usize,
) -> Option<usize> {
    let mut at = inner;
    while at != group {
        let parent = schema.groups(kind).get(at)?.parent?;
        if parent == group {
            return Some(at);
        }
        at = parent;
    }
    None
}
