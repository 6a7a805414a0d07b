//! A whole build, from the extract to the live generation.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use chrono::{SecondsFormat, Utc};
use rorqual::access::POLICY;
use rorqual::anomaly::carried::carried;
use rorqual::index::candidate::Candidate;
use rorqual::index::generation::Generation;
use rorqual::index::manifest::{AnomalyMark, Manifest};
use rorqual::index::workplace::{REJECTS, Workplace, generation_id};
use rorqual::index::{FORMAT_VERSION, FormatError};
use rorqual_access::Policy;
use rorqual_schema::{ResourceType, Schema, TimeZoneRule};

use crate::BuildError;
use crate::assemble::{Merged, assemble};
use crate::crew::Crew;
use crate::delta::{Live, none_withdrawn, read_withdrawn};
use crate::delta_summary::DeltaSummary;
use crate::gather::{Gathered, Gatherer, Provenance, Reject};
use crate::held::HeldSources;
use crate::input::{InputSummary, Inputs, Item, Limits, Origin, Record};
use crate::progress::Progress;
use crate::rejects::RejectWriter;
use crate::report::Report;
use crate::resolve::{Kept, Resolved};
use crate::views::{Source, write_views};
use crate::write::Besides;

/// What [`BuildOptions::memory`] is when nothing is said: 256 MiB.
pub const DEFAULT_MEMORY: u64 = 256 << 20;

/// What to build, and how.
#[derive(Clone, Debug)]
pub struct BuildOptions {
    /// Files, folders or `-` for standard input: the whole directory, or in a delta what has changed of it.
    pub extract: Vec<PathBuf>,
    /// Starts from the live generation instead of from nothing.
    pub delta: Option<Delta>,
    /// Keeps what a later delta starts from in the generation. Default true.
    pub keep_gathered: bool,
    /// The index directory; created when absent.
    pub index: PathBuf,
    /// SearchParameter resources added to the embedded ones; one for the same type and code replaces it.
    pub schema: Option<PathBuf>,
    /// IANA name of the zone of dates that name none, in data and in requests. Default Europe/Paris.
    pub time_zone: Option<String>,
    /// Bytes of memory that what is gathered may take, shared by the threads: beyond it, values go to files of the staging
    /// folder. Default [`DEFAULT_MEMORY`].
    pub memory: u64,
    /// Threads that parse and write. Default: the machine's.
    pub threads: usize,
    /// Older generations to keep beside the live one. Default 1.
    pub keep: usize,
    /// The access policy whose redacted views are built beside the full index: a TOML file, `national` for the one that
    /// comes with the program, or `none`.
    pub access: Option<PathBuf>,
    /// Share of rejected records, in per cent, above which the build fails. Default 1.
    pub reject_percent: f64,
    /// Leaves what is built as a candidate, which goes live when it is published, instead of making it live.
    pub candidate: bool,
    /// Shows no progress.
    pub quiet: bool,
    /// Bounds on what is read.
    pub limits: Limits,
}

/// What a delta is besides the records that have changed.
#[derive(Clone, Debug, Default)]
pub struct Delta {
    /// A file that lists resources withdrawn since the live generation: one `Type/id` a line.
    pub withdrawn: Option<PathBuf>,
}

impl Default for BuildOptions {
    fn default() -> Self {
        BuildOptions {
            extract: Vec::new(),
            delta: None,
            keep_gathered: true,
            index: PathBuf::new(),
            schema: None,
            time_zone: None,
            memory: DEFAULT_MEMORY,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            keep: 1,
            access: None,
            reject_percent: 1.0,
            candidate: false,
            quiet: true,
            limits: Limits::default(),
        }
    }
}

impl BuildOptions {
    /// Who works.
    fn crew(&self) -> Crew {
        Crew::new(self.threads, self.memory)
    }
}

/// Builds a generation and makes it live, or a candidate for that.
///
/// # Errors
/// [`BuildError`]; whatever was live before stays live, and no debris outlasts the next build.
pub fn build(options: &BuildOptions) -> Result<Report, BuildError> {
    let started = Utc::now();
    let progress = Progress::detect(options.quiet);
    let schema = match &options.schema {
        Some(directory) => Schema::with_directory(directory)?,
        None => Schema::embedded()?,
    };
    let schema = match &options.time_zone {
        Some(name) => schema.with_time_zone(TimeZoneRule::from_name(name)?),
        None => schema,
    };
    // Looked for before anything is made, and again when nobody can replace it any more.
    let find_live = || match &options.delta {
        Some(_) => Live::find(&options.index, &schema).map(Some),
        None => Ok(None),
    };
    let live = find_live()?;
    let withdrawn = options
        .delta
        .as_ref()
        .and_then(|delta| delta.withdrawn.as_deref());
    let withdrawn = withdrawn.map_or_else(|| Ok(none_withdrawn()), read_withdrawn)?;
    let policy = access_policy(options, live.as_ref(), &schema)?;
    // A delta may be of withdrawn ids alone.
    let inputs = match (&live, options.extract.as_slice()) {
        (Some(_), []) => None,
        (_, extract) => Some(Inputs::discover(extract)?),
    };
    let generation = generation_id(started)?;
    let workplace = Workplace::enter(&options.index, &generation)?;
    let live = find_live()?;
    let mut report = Report::new(generation.clone(), started);

    let held = HeldSources::open(inputs.as_ref(), options.crew().threads)?;
    let (summary, gathered) = match inputs {
        Some(inputs) => read(
            options,
            &schema,
            inputs,
            &held,
            workplace.staging(),
            &progress,
        )?,
        None => (InputSummary::default(), Vec::new()),
    };
    let read_records = summary.records + summary.rejects;
    let sources = summary
        .sources
        .iter()
        .map(|source| source.name.clone())
        .collect();
    report.take_input(summary);
    let step = progress.step("joining what was read");
    let mut merged = Merged {
        withdrawn,
        ..Merged::default()
    };
    let mut rejects = Vec::new();
    let mut spools = Vec::new();
    let mut live_spools = Vec::new();
    if let Some(live) = &live {
        // Behind the spools of the workers, that of the anomalies and the files of the input.
        let first = gathered.len() + 1 + held.spools.len();
        let taken = live.take_up(
            &schema,
            first as u16,
            workplace.staging(),
            options.crew().room,
        )?;
        merged.take(taken.runs, taken.resources);
        live_spools = taken.spools;
    }
    for one in gathered {
        merged.take(one.runs, one.resources);
        rejects.extend(one.rejects);
        spools.push(one.spool);
    }
    report.reject_file = write_rejects(&options.index, &generation, &mut rejects, &mut report)?;
    tolerate(options, read_records, rejects.len() as u64, &report)?;
    let threads = spools.len() as u16;
    let (before, mark) = carry(options, &schema, workplace.staging(), threads, &mut report)?;
    merged.take(before.runs, before.resources);
    spools.push(before.spool);
    spools.extend(held.spools);
    spools.extend(live_spools);
    step.finish("done");
    let built = workplace.staging().join("generation");
    fs::create_dir(&built).map_err(|source| FormatError::io(&built, source))?;
    let besides = Besides {
        live: live.as_ref(),
        keeping: options.keep_gathered,
    };
    let assembled = assemble(
        &schema,
        &merged,
        &spools,
        &built,
        besides,
        options.crew(),
        &progress,
    )?;
    for kind in ResourceType::ALL {
        let counts = report.counts(kind.name());
        let resources = &merged.resources[kind.index()];
        let of_extract = |provenance: &&Provenance| **provenance == Provenance::Extract;
        let provenances = resources.provenances().iter();
        counts.read += provenances.filter(of_extract).count() as u64;
        counts.indexed = assembled.counts[kind.index()];
        counts.replaced = assembled.kept.replaced[kind.index()];
        counts.dangling_references = assembled.resolved.dangling[kind.index()];
    }
    report_anomalies(&merged, &assembled.kept, &assembled.resolved, &mut report);
    let delta_from = live.map(|live| live.id);
    report.delta = delta_from
        .clone()
        .map(|from| DeltaSummary::count(from, &merged, &assembled.kept));
    let mut manifest = Manifest {
        format_version: FORMAT_VERSION,
        generation: generation.clone(),
        base: None,
        created: started.to_rfc3339_opts(SecondsFormat::Millis, true),
        built_by: format!("index-builder {}", env!("CARGO_PKG_VERSION")),
        schema_digest: schema.digest(),
        sources,
        counts: assembled.counts_by_type(),
        dangling: assembled.dangling_by_type(),
        folded_from: None,
        delta_from,
        views: Vec::new(),
        anomalies: mark,
        files: assembled.files,
    };
    if let Some(policy) = &policy {
        let source = Source {
            schema: &schema,
            merged: &merged,
            kept: &assembled.kept,
            slots: &assembled.slots,
            spools: &spools,
            manifest: &manifest,
        };
        let staging = workplace.staging();
        let (views, files) =
            write_views(&source, policy, &built, staging, options.crew(), &progress)?;
        manifest.views = views;
        manifest.files.extend(files);
    }
    report.views = manifest.views.clone();
    report.index_bytes = manifest.files.values().map(|file| file.length).sum();
    manifest.write(&built)?;
    // Rejects are counted before the rest of the report is.
    report.complete(Utc::now());
    if options.candidate {
        let candidate = Candidate {
            live: Generation::current(&options.index).ok(),
            read: read_records,
            rejected: report.rejected,
            rejected_by_type: rejected_by_type(&report),
        };
        workplace.set_aside(&built, &generation, &candidate)?;
    } else {
        workplace.publish(&built, &generation, options.keep)?;
    }
    report.complete(Utc::now());
    Ok(report)
}

fn rejected_by_type(report: &Report) -> BTreeMap<String, u64> {
    let types = report.types.iter();
    types
        .filter(|(_, counts)| counts.rejected > 0)
        .map(|(name, counts)| (name.clone(), counts.rejected))
        .collect()
}

/// The text of the access policy asked for, checked before anything is read. A live index with views is not followed by
/// one without, unless that is said; a delta keeps the policy of the index it starts from, unless another is given.
fn access_policy(
    options: &BuildOptions,
    live: Option<&Live>,
    schema: &Schema,
) -> Result<Option<String>, BuildError> {
    let same = live.and_then(Live::policy);
    let path = match options.access.as_ref().or(same.as_ref()) {
        Some(path) if path.as_os_str() == "none" => return Ok(None),
        Some(path) => path,
        None => {
            let live = Generation::current(&options.index);
            let restricted = live.is_ok_and(|id| {
                Generation::path_of(&options.index, &id)
                    .join(POLICY)
                    .exists()
            });
            return match restricted {
                true => Err(BuildError::PolicyDropped),
                false => Ok(None),
            };
        }
    };
    let text = match path.to_str() {
        Some("national") => "base = \"national\"\n".to_owned(),
        _ => fs::read_to_string(path).map_err(|source| BuildError::PolicyUnread {
            path: path.clone(),
            source,
        })?,
    };
    Policy::from_toml(&text)?.check_parameters(schema)?;
    Ok(Some(text))
}

/// Takes over the anomalies of the live generation and of the log: a new extract never loses one. Answers them, and how
/// far the log is in what is built.
fn carry(
    options: &BuildOptions,
    schema: &Schema,
    staging: &Path,
    number: u16,
    report: &mut Report,
) -> Result<(Gathered, AnomalyMark), BuildError> {
    let path = staging.join(format!("spool-{number}"));
    let mut gatherer = Gatherer::create(schema, &path, number, options.crew().room)?;
    let mut sequence = 0;
    let mut record = |bytes: &[u8], source: &str| {
        sequence += 1;
        Item::Record(Record {
            sequence,
            origin: Origin {
                source: source.into(),
                line: sequence,
                entry: None,
            },
            bytes: bytes.to_vec(),
            held: None,
        })
    };
    gatherer.from(Provenance::Before);
    let journal = carried::<BuildError>(&options.index, |body| {
        Ok(gatherer.take(vec![record(body, "the live index")])?)
    })?;
    gatherer.from(Provenance::Log);
    for version in &journal.versions {
        gatherer.take(vec![record(&version.body, "the log of anomalies")])?;
    }
    let before = gatherer.finish()?;
    if let Some(reject) = before.rejects.first() {
        return Err(BuildError::Anomaly {
            origin: reject.origin.to_string(),
            reason: reject.reason.to_string(),
        });
    }
    report.anomalies.log_records = journal.records;
    Ok((before, journal.mark))
}

/// Says how many anomalies were carried over, and which of them have lost their focus.
fn report_anomalies(merged: &Merged, kept: &Kept, resolved: &Resolved, report: &mut Report) {
    /// As many are named; all are counted.
    const NAMED: usize = 20;
    let kind = ResourceType::Task;
    let resources = &merged.resources[kind.index()];
    let carried = resources.each().filter(|(slot, _, provenance)| {
        kept.is_kept(kind, *slot) && *provenance != Provenance::Extract
    });
    report.anomalies.carried = carried.count() as u64;
    report.anomalies.without_focus = resolved.without_focus.len() as u64;
    let named = resolved.without_focus.iter().take(NAMED);
    report.anomalies.without_focus_ids = named.map(|slot| resources.id(*slot).to_owned()).collect();
}

/// Reads the extract on this thread while workers parse.
fn read(
    options: &BuildOptions,
    schema: &Schema,
    inputs: Inputs,
    held: &HeldSources,
    staging: &Path,
    progress: &Progress,
) -> Result<(InputSummary, Vec<Gathered>), BuildError> {
    let Crew { threads, room } = options.crew();
    let phase = progress.bytes("reading the extract", inputs.total_bytes());
    let consumed = AtomicU64::new(0);
    let ended = AtomicBool::new(false);
    let (sender, receiver) = crossbeam_channel::bounded::<Vec<Item>>(2 * threads);
    let outcome =
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..threads)
                .map(|number| {
                    let receiver = receiver.clone();
                    scope.spawn(move || -> Result<Gathered, FormatError> {
                        let path = staging.join(format!("spool-{number}"));
                        let mut gatherer = Gatherer::create(schema, &path, number as u16, room)?;
                        gatherer.holding(held.numbers.clone());
                        for batch in receiver {
                            gatherer.take(batch)?;
                        }
                        gatherer.finish()
                    })
                })
                .collect();
            drop(receiver);
            scope.spawn(|| {
                while !ended.load(Ordering::Relaxed) {
                    phase.set(consumed.load(Ordering::Relaxed));
                    std::thread::park_timeout(Duration::from_millis(200));
                }
            });
            // A send fails only when every worker has ended early, with an error that joining tells.
            let summary = inputs.read(&options.limits, &consumed, &mut |batch| match sender
                .send(batch)
            {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            });
            drop(sender);
            let gathered: Vec<_> = workers.into_iter().map(|worker| worker.join()).collect();
            ended.store(true, Ordering::Relaxed);
            (summary, gathered)
        });
    let (summary, gathered) = outcome;
    let gathered = gathered
        .into_iter()
        .map(|worker| {
            worker
                .map_err(|_| BuildError::Worker)?
                .map_err(BuildError::from)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let summary = summary?;
    phase.finish("read");
    Ok((summary, gathered))
}

/// Writes the reject file, in the order of the input, and counts rejects by type.
fn write_rejects(
    index: &Path,
    generation: &str,
    rejects: &mut [Reject],
    report: &mut Report,
) -> Result<Option<PathBuf>, BuildError> {
    rejects.sort_by_key(|reject| reject.sequence);
    let folder = index.join(REJECTS);
    if !rejects.is_empty() {
        fs::create_dir_all(&folder).map_err(|source| FormatError::io(&folder, source))?;
    }
    let mut writer = RejectWriter::create(folder.join(format!("{generation}.ndjson")));
    for reject in rejects.iter() {
        writer.write(&reject.origin, &reject.reason, &reject.excerpt)?;
        match reject.kind {
            Some(kind) => {
                let counts = report.counts(kind.name());
                counts.read += 1;
                counts.rejected += 1;
            }
            None => report.rejected_without_type += 1,
        }
    }
    Ok(writer.finish()?)
}

fn tolerate(
    options: &BuildOptions,
    read: u64,
    rejected: u64,
    report: &Report,
) -> Result<(), BuildError> {
    let file = report.reject_file.clone();
    if rejected as f64 * 100.0 > options.reject_percent * read as f64 {
        return Err(BuildError::TooManyRejects {
            rejected,
            read,
            percent: options.reject_percent,
            file,
        });
    }
    if read == rejected && options.delta.is_none() {
        return Err(BuildError::Empty { rejected, file });
    }
    Ok(())
}
