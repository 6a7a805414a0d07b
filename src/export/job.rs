//! One export: what it holds from its kick-off on, and what it comes to.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Poll, Waker};
use std::time::{Instant, SystemTime};

use chrono::{DateTime, SecondsFormat};
use rorqual_schema::ResourceType;
use uuid::Uuid;

use super::allowance::Allowance;
use super::fault::ExportError;
use super::file::{ExportFile, Slices};
use super::request::Wanted;
use super::selection::{Selected, complete_up_to, select};
use crate::SearchError;
use crate::index::snapshot::Snapshot;
use crate::query::error::Fault;
use crate::view::unpoisoned;

/// What a job does, in order.
const PHASES: [&str; 4] = [
    "waiting for its turn",
    "selecting the offers and what belongs to them",
    "cutting files",
    "done",
];

/// One export.
#[derive(Debug)]
pub struct Job {
    pub(super) id: Uuid,
    /// Who began it, as the server tells clients apart.
    pub(super) owner: String,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) wanted: Wanted,
    pub(super) base_url: String,
    /// The kick-off, as an address.
    pub(super) request: String,
    /// Resources in one file.
    pub(super) file_size: u32,
    /// Until when it is kept.
    pub(super) until: Instant,
    /// The same for clients.
    pub(super) expires: SystemTime,
    pub(super) polls: Mutex<Allowance>,
    pub(super) cancelled: AtomicBool,
    pub(super) phase: AtomicUsize,
    pub(super) outcome: OnceLock<Result<Export, ExportError>>,
    pub(super) waiting: Mutex<Vec<Waker>>,
}

/// What a job comes to.
#[derive(Debug)]
pub struct Export {
    files: Vec<Arc<ExportFile>>,
    selected: Vec<(ResourceType, u64)>,
    transaction_time: String,
}

impl Export {
    /// The files, by type.
    pub fn files(&self) -> &[Arc<ExportFile>] {
        &self.files
    }

    /// How many resources of each type were asked for, changed since `_since` or not.
    pub fn selected(&self) -> &[(ResourceType, u64)] {
        &self.selected
    }

    /// The instant up to which the export is complete, as FHIR writes one: the `_since` to give next.
    pub fn transaction_time(&self) -> &str {
        &self.transaction_time
    }
}

impl Job {
    /// Its id.
    pub fn id(&self) -> Uuid {
        self.id
    }

    /// The state of the directory that it reads.
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.snapshot
    }

    /// When it expires.
    pub fn expires(&self) -> SystemTime {
        self.expires
    }

    /// What it does now, in a few words.
    pub fn progress(&self) -> &'static str {
        PHASES
            .get(self.phase.load(Relaxed))
            .copied()
            .unwrap_or_default()
    }

    /// Does the work: milliseconds for a region, a second or so for the nation. To be called once, in the background.
    pub fn prepare(&self) {
        self.phase.store(1, Relaxed);
        let cancelled = || self.cancelled.load(Relaxed);
        let selected = select(&self.snapshot, &self.wanted, &self.base_url, &cancelled);
        self.phase.store(2, Relaxed);
        self.finish(match selected {
            Ok(Some(selected)) => Ok(self.cut(selected)),
            // Whoever still waits for it is told what everybody is told.
            Ok(None) => Err(ExportError::UnknownJob),
            Err(error) => Err(ExportError::Failed(error)),
        });
    }

    /// Ends a job whose work broke off by a defect, with a reference for the operator.
    pub fn fail(&self, detail: String) {
        let defect = SearchError::from(Fault::Internal { detail });
        self.finish(Err(ExportError::Failed(defect)));
    }

    /// What it has come to; nothing while it runs.
    ///
    /// # Errors
    /// Inside: [`ExportError::Failed`], or [`ExportError::UnknownJob`] when it was ended meanwhile.
    pub fn outcome(&self) -> Option<Result<&Export, ExportError>> {
        let outcome = self.outcome.get()?;
        Some(outcome.as_ref().map_err(Clone::clone))
    }

    /// Waits until it has come to something.
    pub async fn done(&self) {
        poll_fn(|context| {
            let mut waiting = unpoisoned(&self.waiting);
            if self.outcome.get().is_some() {
                return Poll::Ready(());
            }
            waiting.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// A file by its name.
    ///
    /// # Errors
    /// [`ExportError::NotReady`], [`ExportError::UnknownFile`], and those of [`Job::outcome`].
    pub fn file(&self, name: &str) -> Result<Arc<ExportFile>, ExportError> {
        let export = self.outcome().ok_or(ExportError::NotReady)??;
        let found = export.files.iter().find(|file| file.name() == name);
        found.cloned().ok_or_else(|| ExportError::UnknownFile {
            name: name.to_owned(),
        })
    }

    fn finish(&self, outcome: Result<Export, ExportError>) {
        let waiting = {
            let mut waiting = unpoisoned(&self.waiting);
            let _ = self.outcome.set(outcome);
            std::mem::take(&mut *waiting)
        };
        self.phase.store(PHASES.len() - 1, Relaxed);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn cut(&self, selected: Vec<Selected>) -> Export {
        let instant = instant(complete_up_to(self.snapshot.generation()));
        let id = self.id.to_string();
        let totals = selected.iter().map(|one| (one.kind, one.total)).collect();
        let files = selected.into_iter().flat_map(|one| {
            let slices = Slices {
                snapshot: &self.snapshot,
                form: self.wanted.form,
                kind: one.kind,
                ordinals: Arc::new(one.ordinals),
                size: self.file_size,
                job: &id,
                instant: &instant,
                base_url: &self.base_url,
            };
            slices.files()
        });
        Export {
            files: files.collect(),
            selected: totals,
            transaction_time: instant.clone(),
        }
    }
}

/// Microseconds since 1970 UTC as FHIR writes an instant, as fine as need be.
fn instant(microseconds: i64) -> String {
    let fine = match microseconds % 1000 {
        0 => SecondsFormat::Millis,
        _ => SecondsFormat::Micros,
    };
    DateTime::from_timestamp_micros(microseconds)
        .unwrap_or_default()
        .to_rfc3339_opts(fine, true)
}
