//! All exports of a server: who may have how many, for how long, and who may see which.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use uuid::Uuid;

use super::allowance::Allowance;
use super::fault::ExportError;
use super::job::Job;
use super::request::{ExportRequest, Wanted};
use crate::View;
use crate::index::snapshot::Snapshot;
use crate::outcome::Issue;
use crate::view::unpoisoned;

/// Bounds on exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportOptions {
    /// Resources in one file, at least one.
    pub file_size: u32,
    /// How long a job is kept, from its kick-off on. It keeps its generation readable that long.
    pub retention: Duration,
    /// Jobs of one client at once, done or not.
    pub jobs_per_client: usize,
    /// Jobs in all at once, done or not.
    pub jobs: usize,
    /// How often the status of a job may be asked for at once; once a second in the long run.
    pub polls_at_once: u32,
}

impl Default for ExportOptions {
    fn default() -> Self {
        ExportOptions {
            file_size: 100_000,
            retention: Duration::from_secs(4 * 3600),
            jobs_per_client: 50,
            jobs: 400,
            polls_at_once: 20,
        }
    }
}

/// All exports of a server.
#[derive(Debug, Default)]
pub struct Jobs {
    options: ExportOptions,
    kept: Mutex<HashMap<Uuid, Arc<Job>>>,
}

/// A job that was begun.
#[derive(Debug)]
pub struct Begun {
    /// The job, to be prepared in the background.
    pub job: Arc<Job>,
    /// What the client should know about how its request was read.
    pub warnings: Vec<Issue>,
}

impl Jobs {
    /// No job yet.
    pub fn new(options: ExportOptions) -> Jobs {
        Jobs {
            options,
            kept: Mutex::default(),
        }
    }

    /// Reads a kick-off without beginning anything: what the client should know about it.
    ///
    /// # Errors
    /// As [`Jobs::begin`], the limits aside.
    pub fn check(
        &self,
        view: &View,
        request: &ExportRequest<'_>,
    ) -> Result<Vec<Issue>, ExportError> {
        Ok(Wanted::read(view, &view.snapshot(), request)?.warnings)
    }

    /// Begins an export of what `view` shows now, for `owner`: the name by which the server knows the client.
    ///
    /// # Errors
    /// [`ExportError::Refused`] with every fault of the request, [`ExportError::TooManyJobs`].
    pub fn begin(
        &self,
        view: &View,
        owner: &str,
        request: &ExportRequest<'_>,
    ) -> Result<Begun, ExportError> {
        self.begin_at(Instant::now(), view, owner, request)
    }

    fn begin_at(
        &self,
        now: Instant,
        view: &View,
        owner: &str,
        request: &ExportRequest<'_>,
    ) -> Result<Begun, ExportError> {
        let snapshot = view.snapshot();
        let wanted = Wanted::read(view, &snapshot, request)?;
        let warnings = wanted.warnings.clone();
        let job = Arc::new(self.job(now, snapshot, owner, wanted, request));
        let mut kept = self.living(now);
        let own = kept.values().filter(|job| job.owner == owner);
        check_places(own, self.options.jobs_per_client, true, now)?;
        check_places(kept.values(), self.options.jobs, false, now)?;
        kept.insert(job.id, job.clone());
        Ok(Begun { job, warnings })
    }

    fn job(
        &self,
        now: Instant,
        snapshot: Arc<Snapshot>,
        owner: &str,
        wanted: Wanted,
        request: &ExportRequest<'_>,
    ) -> Job {
        let joint = if request.query.is_empty() { "" } else { "?" };
        Job {
            id: Uuid::new_v4(),
            owner: owner.to_owned(),
            snapshot,
            wanted,
            base_url: request.base_url.to_owned(),
            request: format!("{}/$export{joint}{}", request.base_url, request.query),
            file_size: self.options.file_size,
            until: now + self.options.retention,
            expires: SystemTime::now() + self.options.retention,
            polls: Mutex::new(Allowance::new(self.options.polls_at_once, now)),
            cancelled: AtomicBool::new(false),
            phase: AtomicUsize::new(0),
            outcome: OnceLock::new(),
            waiting: Mutex::default(),
        }
    }

    /// A job, whose status its client asks for.
    ///
    /// # Errors
    /// [`ExportError::UnknownJob`] also for a job of another client; [`ExportError::TooManyPolls`].
    pub fn poll(&self, id: &str, owner: &str) -> Result<Arc<Job>, ExportError> {
        let now = Instant::now();
        let job = self.find(now, id, owner)?;
        let taken = unpoisoned(&job.polls).take(now);
        taken.map_err(|seconds| ExportError::TooManyPolls { seconds })?;
        Ok(job)
    }

    /// A job, one of whose files its client asks for.
    ///
    /// # Errors
    /// [`ExportError::UnknownJob`].
    pub fn get(&self, id: &str, owner: &str) -> Result<Arc<Job>, ExportError> {
        self.find(Instant::now(), id, owner)
    }

    /// Ends a job and forgets it. What is being downloaded is sent to its end.
    ///
    /// # Errors
    /// [`ExportError::UnknownJob`].
    pub fn cancel(&self, id: &str, owner: &str) -> Result<(), ExportError> {
        let now = Instant::now();
        let job = self.find(now, id, owner)?;
        job.cancelled.store(true, Relaxed);
        self.living(now).remove(&job.id);
        Ok(())
    }

    /// Forgets the jobs that have expired: they would hold the files of generations that were replaced.
    pub fn forget_expired(&self) {
        drop(self.living(Instant::now()));
    }

    /// How many jobs there are: those still prepared, and those that are done.
    pub fn counts(&self) -> (usize, usize) {
        let kept = self.living(Instant::now());
        let done = kept.values().filter(|job| job.outcome().is_some()).count();
        (kept.len() - done, done)
    }

    fn find(&self, now: Instant, id: &str, owner: &str) -> Result<Arc<Job>, ExportError> {
        let id = Uuid::try_parse(id).map_err(|_| ExportError::UnknownJob)?;
        let kept = self.living(now);
        let job = kept.get(&id).filter(|job| job.owner == owner);
        job.cloned().ok_or(ExportError::UnknownJob)
    }

    /// The jobs that have not expired.
    fn living(&self, now: Instant) -> std::sync::MutexGuard<'_, HashMap<Uuid, Arc<Job>>> {
        let mut kept = unpoisoned(&self.kept);
        kept.retain(|_, job| {
            let lives = job.until > now;
            if !lives {
                job.cancelled.store(true, Relaxed);
            }
            lives
        });
        kept
    }
}

fn check_places<'j>(
    jobs: impl Iterator<Item = &'j Arc<Job>>,
    limit: usize,
    own: bool,
    now: Instant,
) -> Result<(), ExportError> {
    let ends: Vec<Instant> = jobs.map(|job| job.until).collect();
    if ends.len() < limit {
        return Ok(());
    }
    let first = ends.into_iter().min().unwrap_or(now);
    let seconds = first.saturating_duration_since(now).as_secs() + 1;
    Err(ExportError::TooManyJobs {
        limit,
        own,
        seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
    })
}
