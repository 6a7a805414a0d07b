//! The store: the one writer of anomalies. What it acknowledges is on disk, and seen by every search that begins after.
//!
//! Requests queue for one thread, which takes all that wait, decides them one after the other, makes them durable with
//! one sync, makes them visible, and only then answers. The more clients write, the more share a sync; readers never
//! wait. A second thread keeps the overlay in few segments, a third folds the log when it is due.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rorqual_anomaly::log::{Folder, Log, LogError, LogOptions, Recovery, Storage};
use rorqual_anomaly::patch::Patch;

use super::draft::Draft;
use super::fold::{FoldError, FoldReport, fold};
use super::identifier::IdentifierFormat;
use super::journal::{Journal, JournalError, folder_of};
use super::refusal::WriteRefusal;
use super::writer::Writer;
use crate::engine::Engine;
use crate::index::FormatError;
use crate::index::generation::sync_directory;
use crate::outcome::Issue;
use crate::stored::StoredResource;
use crate::view::View;

/// How anomalies are kept.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The shape of functional identifiers.
    pub identifier: IdentifierFormat,
    /// The bounds of the log.
    pub log: LogOptions,
    /// From how many versions in the log on it is folded; 0: never by number.
    pub fold_versions: u32,
    /// After how long a version in the log is folded; zero: never by age.
    pub fold_age: Duration,
    /// How many older folds of the same build a fold keeps: see [`crate::index::kept::prune`].
    pub keep: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        StoreOptions {
            identifier: IdentifierFormat::default(),
            log: LogOptions::default(),
            fold_versions: 50_000,
            fold_age: Duration::from_secs(3600),
            keep: 1,
        }
    }
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The log cannot be opened.
    #[error("the log of anomalies cannot be opened: {0}")]
    Log(#[from] LogError),
    /// A record of the log cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What the log holds cannot be indexed.
    #[error("the log of anomalies cannot be indexed: {0}")]
    Index(#[from] FormatError),
    /// A thread cannot be started.
    #[error("the system starts no thread for the log of anomalies: {0}")]
    Thread(std::io::Error),
}

/// A change asked for.
#[derive(Clone, Debug)]
pub enum Change {
    /// A new Task.
    Create {
        /// What is to be stored.
        draft: Draft,
        /// What other drafts of the same write call it: a `urn:uuid:` URL.
        full_url: Option<String>,
        /// `If-None-Exist`: the query of a conditional create.
        unless: Option<String>,
    },
    /// A change of a Task.
    Patch {
        /// Its id.
        id: String,
        /// The change.
        patch: Patch,
        /// `If-Match`: the version it must have, without quotes.
        if_match: Option<String>,
    },
}

/// Changes that happen together or not at all: one record of the log.
pub struct Write {
    /// The changes, in order.
    pub changes: Vec<Change>,
    /// Where the server is known to this client.
    pub base_url: String,
    /// What the client sees of the directory; nothing: everything. What it does not see cannot be reported on or patched,
    /// and answers show Tasks as it would read them.
    pub view: Option<Arc<View>>,
}

/// What a change did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Made {
    /// A new Task.
    Created,
    /// A new version.
    Changed,
    /// Nothing: the condition of a conditional create met this Task.
    Existing,
}

/// A change that is done.
pub struct Done {
    /// What it did.
    pub made: Made,
    /// The Task's id.
    pub id: String,
    /// The Task as stored.
    pub resource: StoredResource,
    /// What is worth telling.
    pub notes: Vec<Issue>,
}

/// Changes of which nothing was done.
pub struct Failed {
    /// The number of the change that failed, from 0.
    pub change: usize,
    /// Why.
    pub refusal: WriteRefusal,
}

/// What a write comes to.
pub type Outcome = Result<Vec<Done>, Failed>;

/// How the store stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStatus {
    /// Whether writes are taken.
    pub writable: bool,
    /// Why not.
    pub detail: Option<String>,
    /// Bytes of the log.
    pub log_bytes: u64,
    /// Segments of the log.
    pub log_segments: usize,
    /// Records acknowledged since the store was opened.
    pub records: u64,
    /// Syncs that made them durable.
    pub commits: u64,
    /// How long these took together, in microseconds.
    pub commit_micros: u64,
    /// Folds done since the store was opened.
    pub folds: u64,
    /// The last failure of a fold since the last that succeeded.
    pub fold_failure: Option<String>,
}

/// What the writer is told.
pub(super) enum Command {
    /// To write.
    Write(Write, Box<dyn FnOnce(Outcome) + Send>),
    /// To begin a new segment, so that what was written so far can be released.
    Rotate,
    /// To remove segments that hold nothing beyond this sequence.
    Release(u64),
    /// To end.
    Stop,
}

/// The store of an engine.
pub struct Store {
    engine: Arc<Engine>,
    options: StoreOptions,
    commands: SyncSender<Command>,
    ending: Arc<AtomicBool>,
    status: Arc<Mutex<StoreStatus>>,
    threads: Vec<JoinHandle<()>>,
    recovery: Recovery,
}

impl Store {
    /// Opens the log of the engine's index directory, makes what it holds visible, and takes writes. The engine must
    /// have been opened without reading the log itself
    /// ([`crate::EngineOptions::written`] = [`crate::engine::Written::ByStore`]).
    ///
    /// # Errors
    /// [`StoreError`]: among others when another process writes the log. A damaged log opens: it is readable, and takes
    /// no writes ([`Store::recovery`]).
    pub fn open(engine: Arc<Engine>, options: StoreOptions) -> Result<Store, StoreError> {
        let path = folder_of(engine.index());
        let storage = Folder::create(&path)
            .map_err(|source| StoreError::Index(FormatError::io(&path, source)))?;
        Store::open_on(engine, storage, options)
    }

    /// The same on another storage than the folder of the index directory: for tests.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_on<S: Storage + 'static>(
        engine: Arc<Engine>,
        storage: S,
        options: StoreOptions,
    ) -> Result<Store, StoreError>
    where
        Log<S>: Send,
    {
        /// Requests that may wait for the writer; more wait in their own threads.
        const QUEUE: usize = 1024;
        let mark = engine.generation().manifest().anomalies;
        let (log, recovery) = Log::open(storage, options.log, mark.sequence)?;
        let journal = replayed(&engine, &log, Journal::beyond(mark))?;
        let (commands, received) = sync_channel(QUEUE);
        let (joins, joining) = sync_channel(1);
        let status = Arc::new(Mutex::new(StoreStatus::default()));
        let ending = Arc::new(AtomicBool::new(false));
        let mut writer = Writer {
            engine: engine.clone(),
            log,
            identifier: options.identifier.clone(),
            mark: journal.mark,
            status: status.clone(),
            joins: joins.clone(),
        };
        writer.report_status();
        let mut store = Store {
            engine: engine.clone(),
            options,
            commands,
            ending,
            status,
            threads: Vec::new(),
            recovery,
        };
        store.spawn("anomaly-writer", move || writer.run(&received))?;
        store.spawn("anomaly-joiner", move || join(&engine, &joining))?;
        let _ = joins.try_send(());
        let keeper = Keeper {
            engine: store.engine.clone(),
            options: store.options.clone(),
            commands: store.commands.clone(),
            ending: store.ending.clone(),
            status: store.status.clone(),
        };
        store.spawn("anomaly-keeper", move || keeper.run())?;
        Ok(store)
    }

    fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce() + Send + 'static,
    ) -> Result<(), StoreError> {
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(work)
            .map_err(StoreError::Thread)?;
        self.threads.push(thread);
        Ok(())
    }

    /// Asks for a write; `reply` is called once it is durable and visible, or refused. It must not block.
    pub fn submit(&self, write: Write, reply: impl FnOnce(Outcome) + Send + 'static) {
        let command = Command::Write(write, Box::new(reply));
        if let Err(lost) = self.commands.send(command)
            && let Command::Write(_, reply) = lost.0
        {
            reply(Err(Failed {
                change: 0,
                refusal: WriteRefusal::Unavailable {
                    detail: "the writer has ended".to_owned(),
                    begun: false,
                },
            }));
        }
    }

    /// Asks for a write and waits for what it comes to.
    pub fn write(&self, write: Write) -> Outcome {
        let (sender, receiver) = sync_channel(1);
        self.submit(write, move |outcome| {
            let _ = sender.send(outcome);
        });
        receiver.recv().unwrap_or_else(|_| {
            Err(Failed {
                change: 0,
                refusal: WriteRefusal::Defect {
                    detail: "the writer gave no answer".to_owned(),
                },
            })
        })
    }

    /// Folds the log now, into a new live generation.
    ///
    /// # Errors
    /// [`FoldError`]; the log stays whole.
    pub fn fold(&self) -> Result<FoldReport, FoldError> {
        fold_now(&self.engine, &self.commands, self.options.keep)
    }

    /// How the store stands.
    pub fn status(&self) -> StoreStatus {
        locked(&self.status).clone()
    }

    /// What opening the log found.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.ending.store(true, Ordering::Relaxed);
        let _ = self.commands.send(Command::Stop);
        for thread in self.threads.drain(..) {
            thread.thread().unpark();
            // A thread that panicked has nothing more to say.
            let _ = thread.join();
        }
    }
}

pub(super) fn locked<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Makes what the log holds visible, and answers how far it is.
fn replayed<S: Storage>(
    engine: &Engine,
    log: &Log<S>,
    mut journal: Journal,
) -> Result<Journal, StoreError> {
    /// Versions indexed at once: enough to be quick, few enough to be small in memory.
    const BATCH: usize = 8192;
    let path = folder_of(engine.index());
    let after = journal.mark.sequence;
    let stopped = log.replay(after, |sequence, payload| {
        let taken = take(engine, &mut journal, sequence, payload, &path, BATCH);
        match taken {
            Ok(()) => std::ops::ControlFlow::Continue(()),
            Err(error) => std::ops::ControlFlow::Break(error),
        }
    })?;
    if let std::ops::ControlFlow::Break(error) = stopped {
        return Err(error);
    }
    engine.write(&journal.versions)?;
    journal.versions.clear();
    Ok(journal)
}

fn take(
    engine: &Engine,
    journal: &mut Journal,
    sequence: u64,
    payload: &[u8],
    path: &Path,
    batch: usize,
) -> Result<(), StoreError> {
    // Only whole records are made visible together.
    if journal.versions.len() >= batch {
        engine.write(&journal.versions)?;
        journal.versions.clear();
    }
    journal.take(sequence, payload, path)?;
    Ok(())
}

/// Keeps the overlay in few segments, whenever told that there are more.
fn join(engine: &Engine, told: &Receiver<()>) {
    while told.recv().is_ok() {
        loop {
            match engine.join_segments() {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    // Searches are right with many segments too, only slower.
                    tracing::error!(%error, "segments of anomalies could not be joined");
                    break;
                }
            }
        }
    }
}

/// Begins a new segment of the log, folds what is before it, and lets go what the new generation holds.
fn fold_now(
    engine: &Engine,
    commands: &SyncSender<Command>,
    keep: usize,
) -> Result<FoldReport, FoldError> {
    // Without a writer there is nothing to rotate, and nothing lost: the next fold lets go.
    let _ = commands.send(Command::Rotate);
    let report = fold(engine.index(), keep)?;
    engine.refresh()?;
    let _ = commands.send(Command::Release(report.sequence));
    Ok(report)
}

/// Folds the log when it is due, and lets go what any new generation holds.
struct Keeper {
    engine: Arc<Engine>,
    options: StoreOptions,
    commands: SyncSender<Command>,
    ending: Arc<AtomicBool>,
    status: Arc<Mutex<StoreStatus>>,
}

impl Keeper {
    fn run(&self) {
        const LOOK_EVERY: Duration = Duration::from_millis(500);
        /// After a fold that failed: the reason rarely goes away in a second.
        const RETRY: Duration = Duration::from_secs(30);
        // A fold may have been killed before it let go of what it had folded.
        let mut released = self.engine.generation().manifest().anomalies.sequence;
        self.let_go(released);
        let mut not_before = std::time::Instant::now();
        while !self.ending.load(Ordering::Relaxed) {
            let sequence = self.engine.generation().manifest().anomalies.sequence;
            if sequence > released {
                // An index-builder or a fold by hand has brought the log into a new generation.
                let _ = self.commands.send(Command::Rotate);
                self.let_go(sequence);
                released = sequence;
            }
            if self.is_due() && std::time::Instant::now() >= not_before {
                match fold_now(&self.engine, &self.commands, self.options.keep) {
                    Ok(report) => {
                        released = released.max(report.sequence);
                        tracing::info!(
                            generation = report.generation,
                            records = report.records,
                            anomalies = report.anomalies,
                            milliseconds = report.milliseconds,
                            "the log of anomalies is folded"
                        );
                        let mut status = locked(&self.status);
                        status.folds += 1;
                        status.fold_failure = None;
                    }
                    Err(FoldError::Index(FormatError::Busy { .. })) => {
                        not_before = std::time::Instant::now() + LOOK_EVERY * 4;
                    }
                    Err(error) => {
                        tracing::error!(%error, "the log of anomalies could not be folded; it goes on growing");
                        locked(&self.status).fold_failure = Some(error.to_string());
                        not_before = std::time::Instant::now() + RETRY;
                    }
                }
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
    }

    /// Removes the segments that the live generation holds. Another process made it live, and may have been killed
    /// before it had synced that: then a power cut would bring back the generation before, which needs them.
    fn let_go(&self, sequence: u64) {
        match sync_directory(self.engine.index()) {
            Ok(()) => {
                let _ = self.commands.send(Command::Release(sequence));
            }
            Err(error) => {
                tracing::error!(%error, "folded segments of the log stay on disk");
            }
        }
    }

    fn is_due(&self) -> bool {
        let snapshot = self.engine.snapshot();
        let overlay = snapshot.overlay();
        if overlay.is_empty() {
            return false;
        }
        let many = self.options.fold_versions > 0 && overlay.len() >= self.options.fold_versions;
        let age = overlay.oldest().map_or(0, |oldest| now_ms() - oldest);
        let old = !self.options.fold_age.is_zero()
            && age >= i64::try_from(self.options.fold_age.as_millis()).unwrap_or(i64::MAX);
        many || old
    }
}

/// Now, in milliseconds since 1970 UTC.
pub(super) fn now_ms() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// The next command, or `None` when the store ends.
pub(super) fn next(received: &Receiver<Command>) -> Option<Command> {
    loop {
        match received.recv_timeout(Duration::from_secs(60)) {
            Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return None,
            Ok(command) => return Some(command),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}
