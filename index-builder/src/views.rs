//! Redacted views: for each rule set of the access policy a folder like the generation's own, made from resources without
//! what the rules hide, as if the extract had come like that.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rorqual::access::{FACTS, POLICY};
use rorqual::index::generation::{VIEWS, sync_directory};
use rorqual::index::manifest::{FileRecord, MANIFEST, MANIFEST_CHECKSUM, Manifest, write_synced};
use rorqual::index::overlay::WRITTEN;
use rorqual::index::runs::Runs;
use rorqual::index::{FormatError, checksum_file};
use rorqual_access::{DataRules, Directory, Policy, Redacted, Survey, Target};
use rorqual_schema::{Node, ResourceType, Schema};

use crate::BuildError;
use crate::assemble::{Merged, assemble};
use crate::crew::Crew;
use crate::gather::{Gathered, Gatherer, Resource};
use crate::input::{Item, Origin, Record};
use crate::progress::Progress;
use crate::resolve::Kept;
use crate::spool::Spool;
use crate::write::Besides;

/// What views are made from: the full directory of the same build.
pub struct Source<'a> {
    /// The parameters.
    pub schema: &'a Schema,
    /// Everything gathered.
    pub merged: &'a Merged,
    /// Which of it stays.
    pub kept: &'a Kept,
    /// Slots by type and ordinal.
    pub slots: &'a [Vec<u32>],
    /// Bodies, by worker.
    pub spools: &'a [Spool],
    /// The manifest of the full directory.
    pub manifest: &'a Manifest,
}

/// Writes the views of a policy into `built`, the folder of the generation, and the policy beside them. Answers the names
/// of the views and the record of each file.
///
/// # Errors
/// [`BuildError`].
pub fn write_views(
    source: &Source<'_>,
    policy_text: &str,
    built: &Path,
    staging: &Path,
    crew: Crew,
    progress: &Progress,
) -> Result<(Vec<String>, BTreeMap<String, FileRecord>), BuildError> {
    let policy = Policy::from_toml(policy_text)?;
    policy.check_parameters(source.schema)?;
    let place = built.join(POLICY);
    write_synced(&place, policy_text.as_bytes())?;
    let mut files = BTreeMap::from([(POLICY.to_owned(), checksum_file(&place)?)]);
    let mut names = Vec::new();
    let step = progress.step("surveying what leads where");
    let directory = survey(source)?;
    let place = built.join(FACTS);
    write_synced(&place, &facts(source, &directory))?;
    files.insert(FACTS.to_owned(), checksum_file(&place)?);
    step.finish("done");
    for view in policy.views() {
        if view.id.is_full() {
            continue;
        }
        let name = view.id.as_str();
        let folder = built.join(VIEWS).join(name);
        fs::create_dir_all(&folder).map_err(|error| FormatError::io(&folder, error))?;
        let step = progress.step(&format!("redacting for {}", view.profiles.join(", ")));
        let mut merged = Merged::default();
        let mut own = Vec::new();
        for one in redact(source, &directory, view.rules, staging, crew)? {
            merged.take(one.runs, one.resources);
            own.push(one.spool);
        }
        // What rules leave whole stays where it is.
        let spools: Vec<Spool> = own.iter().chain(source.spools).cloned().collect();
        step.finish("done");
        let assembled = assemble(
            source.schema,
            &merged,
            &spools,
            &folder,
            Besides::default(),
            crew,
            progress,
        )?;
        // The next view fills spools of the same names.
        own.into_iter().try_for_each(Spool::remove)?;
        merged.directories.into_iter().try_for_each(Runs::remove)?;
        let manifest = Manifest {
            counts: assembled.counts_by_type(),
            dangling: assembled.dangling_by_type(),
            files: assembled.files.clone(),
            views: Vec::new(),
            ..source.manifest.clone()
        };
        manifest.write(&folder)?;
        let inside = |file: &str| format!("{VIEWS}/{name}/{file}");
        for own in [MANIFEST, MANIFEST_CHECKSUM] {
            files.insert(inside(own), checksum_file(&folder.join(own))?);
        }
        let own = assembled.files.into_iter();
        files.extend(own.map(|(file, record)| (inside(&file), record)));
        names.push(name.to_owned());
    }
    if !names.is_empty() {
        sync_directory(&built.join(VIEWS))?;
    }
    Ok((names, files))
}

/// The slot of every resource that stays, with its type.
fn kept<'a>(source: &'a Source<'_>) -> impl Iterator<Item = (ResourceType, u32)> + 'a {
    ResourceType::ALL.into_iter().flat_map(move |kind| {
        let slots = 0..source.merged.resources[kind.index()].len() as u32;
        slots
            .filter(move |slot| source.kept.is_kept(kind, *slot))
            .map(move |slot| (kind, slot))
    })
}

fn survey(source: &Source<'_>) -> Result<Directory, BuildError> {
    let mut survey = Survey::new();
    let mut body = Vec::new();
    for (kind, slot) in kept(source) {
        let resource = source.merged.resources[kind.index()].get(slot)?;
        resource.read_body(source.spools, &mut body)?;
        survey.note(kind, &parsed(&resource, &body)?);
    }
    Ok(survey.finish())
}

/// The facts of every resource but anomalies, by type and ordinal: what is written later is judged by them.
fn facts(source: &Source<'_>, directory: &Directory) -> Vec<u8> {
    let mut bytes = Vec::new();
    for kind in ResourceType::ALL
        .into_iter()
        .filter(|kind| *kind != WRITTEN)
    {
        let resources = &source.merged.resources[kind.index()];
        let of = |slot: &u32| directory.facts(kind, resources.id(*slot)).to_byte();
        bytes.extend(source.slots[kind.index()].iter().map(of));
    }
    bytes
}

/// Redacts every resource, several at a time, and gathers what is left.
fn redact(
    source: &Source<'_>,
    directory: &Directory,
    rules: &DataRules,
    staging: &Path,
    crew: Crew,
) -> Result<Vec<Gathered>, BuildError> {
    let visibility = directory.visibility(rules);
    let Crew { threads, room } = crew;
    let worker = |number: usize| -> Result<Gathered, BuildError> {
        let path = staging.join(format!("view-spool-{number}"));
        let mut gatherer = Gatherer::create(source.schema, &path, number as u16, room)?;
        let mut body = Vec::new();
        let own = kept(source).enumerate().skip(number).step_by(threads);
        for (sequence, (kind, slot)) in own {
            let resource = source.merged.resources[kind.index()].get(slot)?;
            resource.read_body(source.spools, &mut body)?;
            let node = parsed(&resource, &body)?;
            let facts = directory.facts(kind, resource.id);
            let visible = |target: Target<'_>| visibility.holds(&target);
            let redacted = rules
                .redact(kind, &body, &node, facts, &visible)
                .map_err(|error| BuildError::Redaction {
                    detail: error.to_string(),
                })?;
            let bytes = match redacted {
                Redacted::Hidden => continue,
                Redacted::Whole => {
                    gatherer.take_spooled(kind, &node, &resource, threads as u16)?;
                    continue;
                }
                Redacted::Partial(bytes) => bytes,
            };
            let record = Record {
                sequence: sequence as u64,
                origin: Origin {
                    source: "redaction".into(),
                    line: 0,
                    entry: None,
                },
                bytes,
                held: None,
            };
            gatherer.take(vec![Item::Record(record)])?;
        }
        let gathered = gatherer.finish()?;
        match gathered.rejects.first() {
            None => Ok(gathered),
            Some(reject) => Err(BuildError::Redaction {
                detail: reject.reason.to_string(),
            }),
        }
    };
    std::thread::scope(|scope| {
        let worker = &worker;
        let workers: Vec<_> = (0..threads)
            .map(|number| scope.spawn(move || worker(number)))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| BuildError::Worker)?)
            .collect()
    })
}

fn parsed<'b>(resource: &Resource<'_>, body: &'b [u8]) -> Result<Node<'b>, BuildError> {
    Node::parse(body).map_err(|error| BuildError::Redaction {
        detail: format!("{}: {error}", resource.id),
    })
}
