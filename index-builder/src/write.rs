//! Writing the generation: bodies, packs and full text of every type, several types at a time.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use rorqual::index::bodies::{BODIES, DEFLATED, SPANS};
use rorqual::index::directory::{PACK, TEXT, write};
use rorqual::index::gathered::{self, GATHERED};
use rorqual::index::generation::{SCHEMA, sync_directory};
use rorqual::index::interner::Places;
use rorqual::index::manifest::{FileRecord, write_synced};
use rorqual::index::overlay::WRITTEN;
use rorqual::index::pack::PackWriter;
use rorqual::index::runs::Runs;
use rorqual::index::text::{TextIndex, seal_folder};
use rorqual::index::text_merge::TextSource;
use rorqual::index::text_runs::TextRuns;
use rorqual::index::{FormatError, checksum_file};
use rorqual_schema::{ResourceType, Schema};

use crate::bodies::{layout, write_bodies};
use crate::crew::Crew;
use crate::delta::Live;
use crate::gather::HumanText;
use crate::order::Order;
use crate::precompute::write_precomputed;
use crate::progress::Progress;
use crate::resolve::Resolved;
use crate::resources::Resources;
use crate::spool::Spool;
use crate::unchanged::Unchanged;

/// What a generation is written from.
pub struct Material<'a> {
    /// The parameters.
    pub schema: &'a Schema,
    /// Values by type.
    pub directories: &'a [Runs],
    /// Resources by type and slot.
    pub resources: &'a [Resources],
    /// Bodies and texts, by worker.
    pub spools: &'a [Spool],
    /// References.
    pub resolved: &'a Resolved,
    /// Ordinals.
    pub order: &'a Order,
    /// What else there is to it.
    pub besides: Besides<'a>,
}

/// What a generation is made from, or made with, besides what was gathered.
#[derive(Clone, Copy, Default)]
pub struct Besides<'a> {
    /// The live generation that a delta starts from: the words of what has not changed are there.
    pub live: Option<&'a Live>,
    /// Whether what was gathered is kept, for a delta to start from.
    pub keeping: bool,
}

enum Job {
    Bodies(ResourceType),
    Pack(ResourceType),
    Text(ResourceType),
    Gathered(ResourceType),
}

/// Writes everything but the manifest into `path` with all threads of `crew`; answers the record of each file.
///
/// # Errors
/// [`FormatError`] of the first job that failed.
pub fn write_generation(
    material: &Material<'_>,
    path: &Path,
    crew: Crew,
    progress: &Progress,
) -> Result<BTreeMap<String, FileRecord>, FormatError> {
    for kind in ResourceType::ALL {
        let folder = path.join(kind.name());
        fs::create_dir_all(&folder).map_err(|source| FormatError::io(&folder, source))?;
    }
    let (mut jobs, shared) = divide(material)?;
    // The longest jobs first; taken from the end.
    jobs.sort_by_key(|job| match job {
        Job::Pack(kind) => 3 * material.order.slots[kind.index()].len(),
        Job::Text(kind) => 2 * material.order.slots[kind.index()].len(),
        Job::Bodies(kind) | Job::Gathered(kind) => material.order.slots[kind.index()].len(),
    });
    let jobs = Mutex::new(jobs);
    let done: Mutex<Result<BTreeMap<String, FileRecord>, FormatError>> =
        Mutex::new(Ok(BTreeMap::new()));
    let next = || jobs.lock().ok().and_then(|mut jobs| jobs.pop());
    let worker = || {
        while let Some(job) = next() {
            let written = match job {
                Job::Bodies(kind) => write_bodies(material, path, kind, progress),
                Job::Pack(kind) => write_pack(material, path, kind, progress),
                Job::Text(kind) => write_text(material, path, kind, crew.room, progress),
                Job::Gathered(kind) => write_gathered(material, path, kind),
            };
            let Ok(mut done) = done.lock() else { break };
            match (&mut *done, written) {
                (Ok(records), Ok(written)) => records.extend(written),
                (Err(_), _) => break,
                (slot, Err(error)) => {
                    *slot = Err(error);
                    break;
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..crew.threads {
            scope.spawn(worker);
        }
        worker();
    });
    let mut records = done
        .into_inner()
        .unwrap_or_else(|poisoned| poisoned.into_inner())?;
    if let Some(live) = material.besides.live {
        records.extend(live.share(&shared, path)?);
    }
    let schema = material.schema.to_json();
    let schema_path = path.join(SCHEMA);
    write_synced(&schema_path, &schema)?;
    records.insert(SCHEMA.to_owned(), checksum_file(&schema_path)?);
    for kind in ResourceType::ALL {
        sync_directory(&path.join(kind.name()))?;
    }
    Ok(records)
}

/// What is to be written, and which files of the live generation are taken as they are: a name, or the beginning of names
/// that ends with a slash.
fn divide(material: &Material<'_>) -> Result<(Vec<Job>, Vec<String>), FormatError> {
    let Besides { live, keeping } = material.besides;
    let unchanged = match live {
        Some(_) => Unchanged::find(
            material.schema,
            material.directories,
            material.resources,
            material.order,
        )?,
        None => Unchanged::nothing(),
    };
    let (mut jobs, mut shared) = (Vec::new(), Vec::new());
    for kind in ResourceType::ALL {
        let mut share = |name: &str| shared.push(format!("{}/{name}", kind.name()));
        match unchanged.pack(kind) {
            true => share(PACK),
            false => jobs.push(Job::Pack(kind)),
        }
        // Anomalies are read anew by every build: folding changes them without one.
        let keeping = keeping && kind != WRITTEN;
        if unchanged.resources(kind) {
            share(BODIES);
            share(DEFLATED);
            share(SPANS);
            share(&format!("{TEXT}/"));
            if keeping {
                share(GATHERED);
            }
            continue;
        }
        jobs.extend([Job::Bodies(kind), Job::Text(kind)]);
        if keeping {
            jobs.push(Job::Gathered(kind));
        }
    }
    Ok((jobs, shared))
}

fn places<'a>(order: &'a Order, kind: ResourceType) -> Places<'a> {
    Places::One {
        ordinals: &order.ordinals[kind.index()],
        count: order.slots[kind.index()].len(),
    }
}

fn write_pack(
    material: &Material<'_>,
    path: &Path,
    kind: ResourceType,
    progress: &Progress,
) -> Result<Vec<(String, FileRecord)>, FormatError> {
    let slots = &material.order.slots[kind.index()];
    let step = progress.step(&format!("writing {}", kind.name()));
    let mut pack = PackWriter::create(&path.join(kind.name()).join(PACK))?;
    layout(material, kind)?.write(&mut pack)?;
    let all: Vec<Places<'_>> = ResourceType::ALL
        .iter()
        .map(|&kind| places(material.order, kind))
        .collect();
    let edges = &material.resolved.edges[kind.index()];
    write(
        &material.directories[kind.index()],
        &mut pack,
        material.schema,
        kind,
        &material.order.ordinals[kind.index()],
        slots.len(),
        edges,
        &all,
    )?;
    write_precomputed(material, &mut pack, kind)?;
    let pack = pack.finish()?;
    step.finish("done");
    let name = format!("{}/{PACK}", kind.name());
    Ok(vec![(name, pack.record())])
}

fn write_text(
    material: &Material<'_>,
    path: &Path,
    kind: ResourceType,
    room: usize,
    progress: &Progress,
) -> Result<Vec<(String, FileRecord)>, FormatError> {
    let (resources, slots) = (
        &material.resources[kind.index()],
        &material.order.slots[kind.index()],
    );
    let phase = progress.items(
        &format!("full text of {}", kind.name()),
        Some(slots.len() as u64),
    );
    let folder = path.join(kind.name()).join(TEXT);
    let live = material.besides.live.filter(|_| kind != WRITTEN);
    let open = |live: &Live| TextIndex::open(&live.text(kind)?);
    let stored = live.map(open).transpose()?;
    let mut stored_places = vec![u32::MAX; stored.as_ref().map_or(0, |text| text.len() as usize)];
    // What is new only: the rest is in the full text of the live generation.
    let mut text = TextRuns::begin(&folder, room, stored.is_some())?;
    let mut buffer = Vec::new();
    for (ordinal, &slot) in slots.iter().enumerate() {
        let resource = resources.get(slot)?;
        match resource.text {
            HumanText::Spooled { piece, spool } => {
                material.spools[spool as usize].read(piece, &mut buffer)?;
                text.push(ordinal as u32, &String::from_utf8_lossy(&buffer))?;
            }
            HumanText::Stored(at) => {
                let place = stored_places.get_mut(at as usize);
                *place.ok_or_else(|| FormatError::Layout {
                    section: TEXT.to_owned(),
                    detail: format!("the live generation has no text for {}", resource.id),
                })? = ordinal as u32;
            }
        }
        if ordinal % 4096 == 0 {
            phase.set(ordinal as u64);
        }
    }
    let stored = stored.as_ref().map(|text| TextSource {
        text,
        places: &stored_places,
    });
    text.finish(stored, slots.len() as u32)?;
    let sealed = seal_folder(&folder)?;
    let named = |(name, record)| (format!("{}/{TEXT}/{name}", kind.name()), record);
    let records = sealed.into_iter().map(named).collect();
    phase.finish("done");
    Ok(records)
}

fn write_gathered(
    material: &Material<'_>,
    path: &Path,
    kind: ResourceType,
) -> Result<Vec<(String, FileRecord)>, FormatError> {
    let resources = &material.resources[kind.index()];
    let slots = &material.order.slots[kind.index()];
    let mut updated = Vec::with_capacity(slots.len());
    for &slot in slots {
        updated.push(resources.get(slot)?.updated);
    }
    let known = slots.iter().map(|&slot| resources.id(slot)).zip(updated);
    let seal = gathered::write(
        &path.join(kind.name()).join(GATHERED),
        material.schema,
        kind,
        &material.directories[kind.index()],
        &material.order.ordinals[kind.index()],
        known,
    )?;
    Ok(vec![(format!("{}/{GATHERED}", kind.name()), seal.record())])
}
