//! From what workers gathered to the folder of a generation, or of a redacted view of one.

use std::collections::BTreeMap;
use std::path::Path;

use rorqual::index::FormatError;
use rorqual::index::manifest::FileRecord;
use rorqual::index::runs::{Run, Runs};
use rorqual_schema::{ResourceType, Schema};

use crate::crew::Crew;
use crate::delta::{Withdrawn, none_withdrawn};
use crate::order::order;
use crate::progress::Progress;
use crate::resolve::{Kept, Resolved, resolve};
use crate::resources::Resources;
use crate::spool::Spool;
use crate::write::{Besides, Material, write_generation};

/// Everything the workers gathered, one behind the other.
pub struct Merged {
    /// Values, by type.
    pub directories: Vec<Runs>,
    /// Resources, by type and slot.
    pub resources: Vec<Resources>,
    /// The ids that go, by type.
    pub withdrawn: Withdrawn,
}

impl Default for Merged {
    fn default() -> Merged {
        Merged {
            directories: ResourceType::ALL.iter().map(|_| Runs::default()).collect(),
            resources: ResourceType::ALL
                .iter()
                .map(|_| Resources::default())
                .collect(),
            withdrawn: none_withdrawn(),
        }
    }
}

impl Merged {
    /// Takes over what a worker gathered, by type: runs and the resources that they are of.
    pub fn take(&mut self, runs: Vec<Vec<Run>>, resources: Vec<Resources>) {
        for (ours, runs) in self.directories.iter_mut().zip(runs) {
            runs.into_iter().for_each(|run| ours.push(run));
        }
        for (ours, resources) in self.resources.iter_mut().zip(resources) {
            ours.append(resources);
        }
    }
}

/// A folder that was written, but for its manifest.
pub struct Assembled {
    /// The record of each file.
    pub files: BTreeMap<String, FileRecord>,
    /// How many resources there are, by type.
    pub counts: Vec<u64>,
    /// Which resources stayed.
    pub kept: Kept,
    /// What their references lead to.
    pub resolved: Resolved,
    /// Slots by type and ordinal.
    pub slots: Vec<Vec<u32>>,
}

impl Assembled {
    /// The counts as a manifest has them.
    pub fn counts_by_type(&self) -> BTreeMap<String, u64> {
        by_type(&self.counts)
    }

    /// The references that lead nowhere, as a manifest has them.
    pub fn dangling_by_type(&self) -> BTreeMap<String, u64> {
        by_type(&self.resolved.dangling)
    }
}

fn by_type(counts: &[u64]) -> BTreeMap<String, u64> {
    let named = ResourceType::ALL.iter().zip(counts);
    named
        .map(|(kind, count)| (kind.name().to_owned(), *count))
        .collect()
}

/// Decides which resources stay, resolves their references, orders them and writes everything but the manifest into `path`,
/// which must exist.
///
/// # Errors
/// [`FormatError`] of the first structure that cannot be written.
pub fn assemble(
    schema: &Schema,
    merged: &Merged,
    spools: &[Spool],
    path: &Path,
    besides: Besides<'_>,
    crew: Crew,
    progress: &Progress,
) -> Result<Assembled, FormatError> {
    let step = progress.step("resolving references");
    let (kept, slots) = Kept::decide(&merged.resources, &merged.withdrawn)?;
    let resolved = resolve(schema, &merged.directories, &kept, &slots)?;
    drop(slots);
    let order = order(
        schema,
        &merged.directories,
        &merged.resources,
        &kept,
        &resolved,
    )?;
    step.finish("done");
    let material = Material {
        schema,
        directories: &merged.directories,
        resources: &merged.resources,
        spools,
        resolved: &resolved,
        order: &order,
        besides,
    };
    let files = write_generation(&material, path, crew, progress)?;
    let counts = order.slots.iter().map(|slots| slots.len() as u64).collect();
    Ok(Assembled {
        files,
        counts,
        kept,
        resolved,
        slots: order.slots,
    })
}
