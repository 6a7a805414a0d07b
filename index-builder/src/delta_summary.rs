//! What a delta changed, for the report.

use std::collections::HashSet;

use rorqual_schema::ResourceType;
use serde::Serialize;

use crate::assemble::Merged;
use crate::gather::Provenance;
use crate::resolve::Kept;

/// What a delta changed. Serialised keys are stable.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeltaSummary {
    /// The generation it started from.
    pub from: String,
    /// Resources that replaced one of the live generation.
    pub changed: u64,
    /// Resources that the live generation did not have.
    pub new: u64,
    /// Records that are older than what the live generation has, or than another record of the delta.
    pub outdated: u64,
    /// Resources that were withdrawn.
    pub withdrawn: u64,
    /// Ids to be withdrawn that there were none of.
    pub unknown: u64,
    /// The first of them.
    pub unknown_ids: Vec<String>,
}

impl DeltaSummary {
    /// Counts what became of the records and of the ids to be withdrawn.
    pub fn count(from: String, merged: &Merged, kept: &Kept) -> DeltaSummary {
        /// As many are named; all are counted.
        const NAMED: usize = 20;
        let mut summary = DeltaSummary {
            from,
            ..DeltaSummary::default()
        };
        let mut unknown = Vec::new();
        for kind in ResourceType::ALL {
            let withdrawn = &merged.withdrawn[kind.index()];
            let mut met = HashSet::new();
            // Those that lost their place; few, unlike those that kept it.
            let mut replaced = HashSet::new();
            let mut stayed = Vec::new();
            for (slot, id, provenance) in merged.resources[kind.index()].each() {
                let of_delta = provenance == Provenance::Extract;
                if !withdrawn.is_empty() && withdrawn.contains(id) {
                    met.insert(id);
                } else if of_delta && kept.is_kept(kind, slot) {
                    stayed.push(id);
                } else if of_delta {
                    summary.outdated += 1;
                } else if !kept.is_kept(kind, slot) {
                    replaced.insert(id);
                }
            }
            let changed = stayed.iter().filter(|id| replaced.contains(*id)).count();
            summary.changed += changed as u64;
            summary.new += (stayed.len() - changed) as u64;
            summary.withdrawn += met.len() as u64;
            let missed = withdrawn.iter().filter(|id| !met.contains(&***id));
            unknown.extend(missed.map(|id| format!("{}/{id}", kind.name())));
        }
        unknown.sort();
        summary.unknown = unknown.len() as u64;
        unknown.truncate(NAMED);
        summary.unknown_ids = unknown;
        summary
    }
}
