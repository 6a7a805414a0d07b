//! Folding: a new generation with the anomalies of the log in it, the rest linked from the live one.
//!
//! Nothing refers to an anomaly, so only its own directory is made anew. Anomalies keep their places; new ones follow
//! in the order of the log. The manifest says how far the log was folded, so that folding again changes nothing.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use chrono::{SecondsFormat, Utc};
use rorqual_schema::{Extraction, Node};
use serde::Serialize;

use super::journal::{Journal, JournalError};
use crate::access::Redaction;
use crate::index::bodies::{BODIES, BodyWriter, WrittenBodies};
use crate::index::directory::{Directory, DirectoryCollector, PACK, TEXT, join_text};
use crate::index::generation::{Generation, VIEWS, sync_directory};
use crate::index::link::share_file;
use crate::index::manifest::{AnomalyMark, FileRecord, MANIFEST, MANIFEST_CHECKSUM, Manifest};
use crate::index::overlay::{Version, WRITTEN};
use crate::index::pack::PackWriter;
use crate::index::segment::SegmentBuilder;
use crate::index::snapshot::Snapshot;
use crate::index::text::{TextWriter, seal_folder};
use crate::index::workplace::{Workplace, generation_id};
use crate::index::{FORMAT_VERSION, FormatError, checksum_file};

/// Why a fold did not happen. What was live stays live, and the log stays whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// The index cannot be read or written.
    #[error(transparent)]
    Index(#[from] FormatError),
    /// The log cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What was written cannot be redacted for a view.
    #[error("an anomaly cannot be redacted: {0}")]
    View(String),
}

/// What a fold did. Serialised keys are stable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FoldReport {
    /// The generation that is live now.
    pub generation: String,
    /// Whether there was anything to fold; otherwise the live generation stayed.
    pub folded: bool,
    /// Records of the log that were folded.
    pub records: u64,
    /// Anomalies in the generation.
    pub anomalies: u64,
    /// How many of them are new in it.
    pub created: u64,
    /// How many of them changed.
    pub changed: u64,
    /// The last log sequence in the generation.
    pub sequence: u64,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

/// Folds the log of an index directory into a new generation and makes it live, keeping `keep` older folds of the same
/// build ([`crate::index::kept::prune`]). A server may answer and write meanwhile: what it writes during the fold stays in
/// the log.
///
/// # Errors
/// [`FoldError`]; another build or fold at work is [`FormatError::Busy`].
pub fn fold(index: &Path, keep: usize) -> Result<FoldReport, FoldError> {
    let begun = std::time::Instant::now();
    let started = Utc::now();
    let id = generation_id(started)?;
    let workplace = Workplace::enter(index, &id)?;
    let live = Generation::current(index)?;
    let live = Arc::new(Generation::open(&Generation::path_of(index, &live))?);
    let journal = Journal::read(index, live.manifest().anomalies)?;
    let mut report = FoldReport {
        generation: live.id().to_owned(),
        folded: false,
        records: journal.records,
        anomalies: u64::from(live.directory(WRITTEN).len()),
        created: 0,
        changed: 0,
        sequence: live.manifest().anomalies.sequence,
        milliseconds: 0,
    };
    if journal.records == 0 {
        report.milliseconds = begun.elapsed().as_millis() as u64;
        return Ok(report);
    }
    let built = workplace.staging().join("generation");
    let next = Next {
        id: &id,
        created: started.to_rfc3339_opts(SecondsFormat::Millis, true),
        mark: journal.mark,
        made_by: "fold",
    };
    let (manifest, standing) = with_anomalies(&live, &journal.versions, &built, &next)?;
    workplace.publish(&built, &id, keep)?;
    Ok(FoldReport {
        generation: id,
        folded: true,
        created: standing.0,
        changed: standing.1,
        anomalies: manifest.counts.get(WRITTEN.name()).copied().unwrap_or(0),
        sequence: journal.mark.sequence,
        milliseconds: begun.elapsed().as_millis() as u64,
        ..report
    })
}

/// Makes the folder of the next generation, views and all: the directory of `live`, with these versions of anomalies over
/// its own. Answers its manifest, and how many anomalies are new and changed.
pub(super) fn with_anomalies(
    live: &Arc<Generation>,
    versions: &[Version],
    built: &Path,
    next: &Next<'_>,
) -> Result<(Manifest, (u64, u64)), FoldError> {
    let mut of_views = Files::new();
    for (name, (view, rules)) in live.views() {
        let mut redaction = Redaction::new(Snapshot::of(live.clone()), Snapshot::of(view.clone()));
        let shown = redaction
            .shown(rules, versions)
            .map_err(|error| FoldError::View(error.to_string()))?;
        let folder = built.join(VIEWS).join(name);
        let (mut files, manifest, _) = fold_into(view, &shown, &folder, next)?;
        manifest.write(&folder)?;
        for own in [MANIFEST, MANIFEST_CHECKSUM] {
            files.insert(own.to_owned(), checksum_file(&folder.join(own))?);
        }
        let inside = |(file, record)| (format!("{VIEWS}/{name}/{file}"), record);
        of_views.extend(files.into_iter().map(inside));
    }
    if !live.views().is_empty() {
        sync_directory(&built.join(VIEWS))?;
    }
    let (files, mut manifest, standing) = fold_into(live, versions, built, next)?;
    manifest.files = files;
    manifest.files.extend(of_views);
    manifest.write(built)?;
    Ok((manifest, standing))
}

/// What all views of the next generation have in common.
pub(super) struct Next<'a> {
    pub(super) id: &'a str,
    pub(super) created: String,
    pub(super) mark: AnomalyMark,
    /// What is done, for the manifest.
    pub(super) made_by: &'static str,
}

/// Makes the folder of a generation, or of a view of one, from the live one and what was written since. Answers its files,
/// its manifest with them, and how many anomalies are new and changed.
fn fold_into(
    live: &Arc<Generation>,
    versions: &[Version],
    built: &Path,
    next: &Next<'_>,
) -> Result<(Files, Manifest, (u64, u64)), FoldError> {
    let folder = built.join(WRITTEN.name());
    fs::create_dir_all(&folder).map_err(|source| FormatError::io(&folder, source))?;
    let mut files = link_others(live, built)?;
    let standing = Standing::of(live.directory(WRITTEN), versions);
    let (count, dangling, written) = write_anomalies(live, &standing, &folder)?;
    files.extend(written);
    sync_directory(&folder)?;
    let mut manifest = Manifest {
        format_version: FORMAT_VERSION,
        generation: next.id.to_owned(),
        base: Some(live.manifest().base().to_owned()),
        created: next.created.clone(),
        built_by: format!("rorqual {} ({})", env!("CARGO_PKG_VERSION"), next.made_by),
        anomalies: next.mark,
        folded_from: Some(live.id().to_owned()),
        delta_from: None,
        files: files.clone(),
        ..live.manifest().clone()
    };
    manifest.counts.insert(WRITTEN.name().to_owned(), count);
    manifest
        .dangling
        .insert(WRITTEN.name().to_owned(), dangling);
    Ok((files, manifest, (standing.created, standing.changed)))
}

type Files = std::collections::BTreeMap<String, FileRecord>;

/// Links the files of every other type: they are never changed, so that generations may share them.
fn link_others(live: &Generation, built: &Path) -> Result<Files, FormatError> {
    let made = [format!("{}/", WRITTEN.name()), format!("{VIEWS}/")];
    let mut files = live.manifest().files.clone();
    files.retain(|name, _| !made.iter().any(|made| name.starts_with(made)));
    for name in files.keys() {
        let (from, to) = (live.path().join(name), built.join(name));
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder).map_err(|source| FormatError::io(folder, source))?;
        }
        share_file(&from, &to)?;
    }
    let mut folders: Vec<_> = files
        .keys()
        .filter_map(|name| built.join(name).parent().map(Path::to_owned))
        .collect();
    folders.sort();
    folders.dedup();
    for folder in folders {
        sync_directory(&folder)?;
    }
    Ok(files)
}

/// The anomalies of the next generation, in their order.
struct Standing<'a> {
    stored: &'a Directory,
    /// By the ordinal of the stored version that each replaces.
    replacing: HashMap<u32, &'a [u8]>,
    /// New ids with their last bodies.
    new: Vec<(&'a str, &'a [u8])>,
    created: u64,
    changed: u64,
}

impl<'a> Standing<'a> {
    fn of(stored: &'a Directory, versions: &'a [Version]) -> Standing<'a> {
        let mut replacing = HashMap::new();
        let mut new: Vec<(&str, &[u8])> = Vec::new();
        let mut place_of: HashMap<&str, usize> = HashMap::new();
        for version in versions {
            if let Some(ordinal) = stored.ordinal(&version.id) {
                replacing.insert(ordinal, version.body.as_slice());
            } else if let Some(place) = place_of.get(version.id.as_str()) {
                new[*place].1 = &version.body;
            } else {
                place_of.insert(&version.id, new.len());
                new.push((&version.id, &version.body));
            }
        }
        Standing {
            stored,
            created: new.len() as u64,
            changed: replacing.len() as u64,
            replacing,
            new,
        }
    }

    fn len(&self) -> usize {
        self.stored.len() as usize + self.new.len()
    }

    /// Calls `visit` with the id and body of the anomalies in a range, in order.
    fn each(
        &self,
        range: std::ops::Range<usize>,
        mut visit: impl FnMut(&str, &[u8]) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        let stored = self.stored.len() as usize;
        for at in range {
            if at >= stored {
                let Some((id, body)) = self.new.get(at - stored) else {
                    continue;
                };
                visit(id, body)?;
                continue;
            }
            let ordinal = at as u32;
            let lost = || FormatError::Damaged {
                path: BODIES.into(),
                detail: format!("no body for {WRITTEN} number {ordinal}"),
            };
            let id = self.stored.bodies().id(ordinal).ok_or_else(lost)?;
            match self.replacing.get(&ordinal) {
                Some(body) => visit(&id, body)?,
                None => visit(&id, &self.stored.bodies().body(ordinal).ok_or_else(lost)?)?,
            }
        }
        Ok(())
    }
}

/// Writes the directory of anomalies; answers how many there are, how many of their references dangle, and the files.
fn write_anomalies(
    live: &Arc<Generation>,
    standing: &Standing<'_>,
    folder: &Path,
) -> Result<(u64, u64, Files), FormatError> {
    let (gathered, written) = std::thread::scope(|scope| {
        // Values and full text are independent of each other: one thread each.
        let text = scope.spawn(|| write_text(live, standing, &folder.join(TEXT)));
        let gathered = gather(live, standing, folder);
        let panicked = || FormatError::Layout {
            section: TEXT.to_owned(),
            detail: "its writer panicked".to_owned(),
        };
        (
            gathered,
            text.join().map_err(|_| panicked()).and_then(|done| done),
        )
    });
    let (collector, bodies) = gathered?;
    let builder = SegmentBuilder::new(live.clone());
    let (edges, dangling) = builder.resolve(WRITTEN, &collector);
    let mut pack = PackWriter::create(&folder.join(PACK))?;
    bodies.write(&mut pack)?;
    builder.write(&mut pack, WRITTEN, &collector, &edges)?;
    let mut files: Files = written?.into_iter().collect();
    let stored = bodies.files.into_iter();
    for (name, record) in stored.chain([(PACK, pack.finish()?.record())]) {
        files.insert(format!("{}/{name}", WRITTEN.name()), record);
    }
    Ok((u64::from(collector.len()), dangling, files))
}

fn gather(
    live: &Generation,
    standing: &Standing<'_>,
    folder: &Path,
) -> Result<(DirectoryCollector, WrittenBodies), FormatError> {
    let schema = live.schema();
    let mut collector = DirectoryCollector::new(schema, WRITTEN);
    let mut bodies = BodyWriter::create(folder, WRITTEN.name())?;
    standing.each(0..standing.len(), |id, body| {
        let node = parsed(id, body)?;
        let mut extraction = Extraction::new();
        schema.extract(WRITTEN, &node, &mut extraction);
        collector.add(&extraction);
        bodies.push(id, body)
    })?;
    Ok((collector, bodies.finish()?))
}

fn write_text(
    live: &Generation,
    standing: &Standing<'_>,
    folder: &Path,
) -> Result<Vec<(String, FileRecord)>, FormatError> {
    let mut writer = TextWriter::create(folder)?;
    let mut text = String::new();
    standing.each(0..standing.len(), |id, body| {
        let node = parsed(id, body)?;
        join_text(live.schema(), WRITTEN, &node, &mut text);
        writer.push(&text)
    })?;
    writer.finish()?;
    let sealed = seal_folder(folder)?;
    let named = |(name, record)| (format!("{}/{TEXT}/{name}", WRITTEN.name()), record);
    Ok(sealed.into_iter().map(named).collect())
}

fn parsed<'b>(id: &str, body: &'b [u8]) -> Result<Node<'b>, FormatError> {
    Node::parse(body).map_err(|error| FormatError::Damaged {
        path: BODIES.into(),
        detail: format!("{WRITTEN}/{id}: {error}"),
    })
}
