//! What comes along with the matches of a page.
//!
//! An include without `:iterate` applies to the matches when the searched type can carry it, and to
//! included resources otherwise. Walking goes on through matches that stand on other pages, but a
//! match of the search is never an include, on any page.

use super::Reference;
use crate::kinds::{Kind, links};
use crate::queries::{Include, Query};
use std::collections::BTreeSet;

impl Reference {
    /// The includes of a page of matches.
    pub fn included(
        &self,
        query: &Query,
        page: &[usize],
        matches: &BTreeSet<usize>,
    ) -> BTreeSet<usize> {
        let mut reached: BTreeSet<usize> = page.iter().copied().collect();
        let mut waiting: Vec<(usize, bool)> = page.iter().map(|at| (*at, true)).collect();
        while let Some((at, is_match)) = waiting.pop() {
            for include in &query.includes {
                let own = carries(include, query.kind);
                if !include.iterate && own != is_match {
                    continue;
                }
                for next in self.drawn(at, include) {
                    if reached.insert(next) {
                        waiting.push((next, false));
                    }
                }
            }
        }
        reached.difference(matches).copied().collect()
    }

    fn drawn(&self, at: usize, include: &Include) -> BTreeSet<usize> {
        let wanted = |holder: usize, target: usize| {
            let holder = self.resources[holder].kind;
            let target = self.resources[target].kind;
            include.source.is_none_or(|kind| kind == holder)
                && include.target.is_none_or(|kind| kind == target)
        };
        let named = |code: &str| include.code.is_none_or(|named| named == code);
        if include.reverse {
            self.holders(at)
                .iter()
                .filter(|(holder, code)| named(code) && wanted(*holder, at))
                .map(|(holder, _)| *holder)
                .collect()
        } else {
            links(self.resources[at].kind)
                .filter(|link| named(link.code))
                .flat_map(|link| self.edge(at, link.code))
                .filter(|target| wanted(at, *target))
                .collect()
        }
    }
}

/// Whether matches of the searched type can draw something in through this include.
fn carries(include: &Include, searched: Kind) -> bool {
    let Some(source) = include.source else {
        return true;
    };
    if !include.reverse {
        return source == searched;
    }
    if let Some(target) = include.target {
        return target == searched;
    }
    links(source)
        .filter(|link| include.code.is_none_or(|named| named == link.code))
        .any(|link| link.targets.contains(&searched))
}
