//! Chains, reverse chains, and the joint satisfaction of parameters that belong to one group.

use super::Reference;
use crate::kinds::{Kind, parameter};
use crate::queries::{Criterion, Modifier, Step, Test};
use std::collections::BTreeSet;

impl Reference {
    /// Whether all criteria hold on a resource.
    pub fn criteria_hold(&self, at: usize, criteria: &[Criterion]) -> bool {
        let kind = self.resources[at].kind;
        let mut seen = BTreeSet::new();
        criteria.iter().enumerate().all(|(n, criterion)| {
            if seen.contains(&n) {
                return true;
            }
            // Those of the same group at the end of the same path go together.
            let family = self.family(kind, criterion);
            let mut tests = vec![&criterion.test];
            for (m, other) in criteria.iter().enumerate().skip(n + 1) {
                if family.is_some()
                    && self.spelled_out(kind, other) == self.spelled_out(kind, criterion)
                    && self.family(kind, other) == family
                {
                    seen.insert(m);
                    tests.push(&other.test);
                }
            }
            self.ends(at, &criterion.path, &tests)
                .into_iter()
                .any(|end| self.jointly(end, &tests))
        })
    }

    /// A path with the type of each step that can lead to one type only: `focus.crisis-type` is `focus:Location.crisis-type`.
    fn spelled_out(&self, kind: Kind, criterion: &Criterion) -> Vec<Step> {
        let mut kinds = vec![kind];
        let mut path = criterion.path.clone();
        for n in 0..path.len() {
            let next = match path.get(n + 1) {
                Some(Step::To { code, .. }) => Some(*code),
                Some(Step::From { .. }) => None,
                None => Some(criterion.test.code),
            };
            kinds = match &path[n] {
                Step::From { source, .. } => vec![*source],
                Step::To {
                    target: Some(target),
                    ..
                } => vec![*target],
                Step::To { code, target: None } => kinds
                    .iter()
                    .filter_map(|kind| parameter(*kind, code))
                    .flat_map(|link| link.targets.iter().copied())
                    .filter(|kind| next.is_none_or(|next| parameter(*kind, next).is_some()))
                    .collect(),
            };
            if let (Step::To { target, .. }, [only]) = (&mut path[n], kinds.as_slice()) {
                *target = Some(*only);
            }
        }
        path
    }

    /// The group a criterion takes part in; `:not` and `:missing` stay outside.
    fn family(&self, kind: Kind, criterion: &Criterion) -> Option<&'static str> {
        let joins = !matches!(
            criterion.test.modifier,
            Modifier::Not | Modifier::Missing(_) | Modifier::Above
        );
        if !self.grouped || !joins {
            return None;
        }
        let mut kinds = vec![kind];
        for step in &criterion.path {
            kinds = match step {
                Step::From { source, .. } => vec![*source],
                Step::To {
                    target: Some(target),
                    ..
                } => vec![*target],
                Step::To { code, target: None } => kinds
                    .iter()
                    .filter_map(|kind| parameter(*kind, code))
                    .flat_map(|link| link.targets.iter().copied())
                    .collect(),
            };
        }
        kinds
            .iter()
            .filter_map(|kind| parameter(*kind, criterion.test.code))
            .find_map(|known| known.family)
    }

    /// The resources at the end of a path that have every parameter tested there.
    pub fn ends(&self, at: usize, path: &[Step], tests: &[&Test]) -> BTreeSet<usize> {
        let mut here = BTreeSet::from([at]);
        for step in path {
            here = here
                .iter()
                .flat_map(|from| self.step(*from, step))
                .collect();
        }
        here.retain(|end| {
            let kind = self.resources[*end].kind;
            tests
                .iter()
                .all(|test| test.code == "_content" || parameter(kind, test.code).is_some())
        });
        here
    }

    fn step(&self, from: usize, step: &Step) -> BTreeSet<usize> {
        match step {
            Step::To { code, target } => {
                let mut to = self.edge(from, code);
                to.retain(|to| target.is_none_or(|kind| self.resources[*to].kind == kind));
                to
            }
            Step::From { source, code } => self
                .holders(from)
                .iter()
                .filter(|(holder, through)| {
                    through == code && self.resources[*holder].kind == *source
                })
                .map(|(holder, _)| *holder)
                .collect(),
        }
    }

    /// Whether tests hold together: one alone anywhere, several of a group on one line.
    pub fn jointly(&self, at: usize, tests: &[&Test]) -> bool {
        if let [test] = tests {
            return self.test_holds(at, test);
        }
        let resource = &self.resources[at];
        let lines: BTreeSet<&Vec<usize>> = tests
            .iter()
            .flat_map(|test| resource.found(test.code))
            .map(|found| &found.line)
            .collect();
        lines.into_iter().any(|line| {
            tests.iter().all(|test| {
                resource
                    .found(test.code)
                    .iter()
                    .any(|found| line.starts_with(&found.line) && self.any_term(found, test))
            })
        })
    }
}
