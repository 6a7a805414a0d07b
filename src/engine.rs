//! The engine: an index directory opened for searching, and every view of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use rorqual_access::DataRules;
use rorqual_schema::{ResourceType, Schema};

use crate::access::Redaction;
use crate::anomaly::journal::Journal;
use crate::bundle::assemble::Coding;
use crate::index::FormatError;
use crate::index::generation::Generation;
use crate::index::manifest::AnomalyMark;
use crate::index::overlay::Version;
use crate::index::snapshot::Snapshot;
use crate::query::cursor::CursorSeal;
use crate::query::error::{Fault, SearchError};
use crate::query::explain::{Depth, Explanation};
use crate::query::parse::{GroupMatching, Handling};
use crate::stored::StoredResource;
use crate::view::{Answer, Prepared, SearchRequest, View, created, unpoisoned};

/// The base of `fullUrl` and links when nothing else is said.
pub const DEFAULT_BASE_URL: &str = "http://127.0.0.1:8080/fhir";

/// How an engine answers.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Base of the URLs of [`Engine::search`], without a final slash.
    pub base_url: String,
    /// Unknown parameters are dropped with a warning when the request does not say otherwise.
    pub lenient_by_default: bool,
    /// Parameters of one repeating group must match one and the same line.
    pub group_matching: GroupMatching,
    /// How long cursors of a generation that is no longer live are answered.
    pub cursor_retention: Duration,
    /// The most resources that the includes of one page may draw in.
    pub include_bound: usize,
    /// The most bytes of resources on one page: includes beyond them are left out, matches beyond them refused.
    pub answer_bytes: u64,
    /// The time that one search may run.
    pub search_budget: Duration,
    /// What was written since the generation was built.
    pub written: Written,
}

/// Where an engine gets the anomalies that are not in its generation yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Written {
    /// Read once from the log when the engine is opened, and again with each new generation.
    #[default]
    FromLog,
    /// From the store that writes them ([`crate::anomaly::store::Store`]).
    ByStore,
}

impl Default for EngineOptions {
    fn default() -> Self {
        EngineOptions {
            base_url: DEFAULT_BASE_URL.to_owned(),
            lenient_by_default: false,
            group_matching: GroupMatching::SameLine,
            cursor_retention: Duration::from_secs(900),
            include_bound: 10_000,
            answer_bytes: 64 << 20,
            search_budget: Duration::from_secs(60),
            written: Written::default(),
        }
    }
}

/// An index directory opened for searching. Shared between threads; reading takes no lock.
pub struct Engine {
    index: PathBuf,
    options: Arc<EngineOptions>,
    seal: Arc<CursorSeal>,
    full: Arc<View>,
    /// The redacted views of the live generation, by name.
    views: ArcSwap<BTreeMap<String, Arc<View>>>,
    /// Held while all views go over to another state together.
    writing: Mutex<()>,
}

impl Engine {
    /// Opens the live generation of an index directory.
    ///
    /// # Errors
    /// [`FormatError`] when there is none, or it cannot be read.
    pub fn open(index: impl AsRef<Path>) -> Result<Engine, FormatError> {
        Engine::open_with(index, EngineOptions::default())
    }

    /// Opens with options.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open_with(
        index: impl AsRef<Path>,
        options: EngineOptions,
    ) -> Result<Engine, FormatError> {
        let index = index.as_ref().to_owned();
        let (generation, written) = open_live(&index, |mark| match options.written {
            Written::FromLog => written_since(&index, mark),
            Written::ByStore => Ok(Vec::new()),
        })?;
        let (options, seal) = (
            Arc::new(options),
            Arc::new(CursorSeal::of_directory(&index)),
        );
        let view = |name: &str, generation: &Arc<Generation>| {
            Arc::new(View::new(
                name,
                generation.clone(),
                options.clone(),
                seal.clone(),
            ))
        };
        let views = generation
            .views()
            .iter()
            .map(|(name, (redacted, _))| (name.clone(), view(name, redacted)))
            .collect();
        let engine = Engine {
            full: view("", &generation),
            views: ArcSwap::from_pointee(views),
            writing: Mutex::default(),
            index,
            options,
            seal,
        };
        engine.write(&written)?;
        Ok(engine)
    }

    /// The index directory.
    pub fn index(&self) -> &Path {
        &self.index
    }

    /// The full view: everything there is.
    pub fn full(&self) -> &Arc<View> {
        &self.full
    }

    /// A redacted view by its name; the full one by the empty name. `None` when the live generation was built without it.
    pub fn view(&self, name: &str) -> Option<Arc<View>> {
        match name {
            "" => Some(self.full.clone()),
            name => self.views.load().get(name).cloned(),
        }
    }

    /// The live generation. Holding it keeps it readable after a swap.
    pub fn generation(&self) -> Arc<Generation> {
        self.full.snapshot().generation().clone()
    }

    /// What a search of the full view made now would see. Holding it keeps it readable.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.full.snapshot()
    }

    /// The schema of the live generation.
    pub fn schema(&self) -> Arc<Schema> {
        self.full.snapshot().schema().clone()
    }

    /// The live generation's id.
    pub fn generation_id(&self) -> String {
        self.full.snapshot().generation().id().to_owned()
    }

    /// When the live generation was built, in milliseconds since 1970 UTC.
    pub fn generation_published(&self) -> i64 {
        created(self.full.snapshot().generation()).unwrap_or(0)
    }

    /// Makes the generation that `CURRENT` names the live one, if it is another, with what was written since it under
    /// its overlay. Requests that run go on with the state they began with. Answers whether there was a swap.
    ///
    /// # Errors
    /// [`FormatError`] when the new generation cannot be opened; the old one stays live.
    pub fn refresh(&self) -> Result<bool, FormatError> {
        let id = Generation::current(&self.index)?;
        let views = self.views.load_full();
        if id == self.full.snapshot().generation().id() {
            self.full.forget_retired();
            views.values().for_each(|view| view.forget_retired());
            return Ok(false);
        }
        // Most of what was written is indexed beside the writer, who waits only while the rest is.
        let before = self.snapshot();
        let (next, written) = open_live(&self.index, |mark| match self.options.written {
            Written::FromLog => written_since(&self.index, mark),
            Written::ByStore => Ok(before.overlay().versions_after(mark.sequence)),
        })?;
        let mark = next.manifest().anomalies;
        let mut full = Prepared::new(next.clone(), &written)?;
        let mut redacted = Vec::new();
        for (name, (view, rules)) in next.views() {
            let mut redaction =
                Redaction::new(Snapshot::of(next.clone()), Snapshot::of(view.clone()));
            let shown = shown_in(&mut redaction, rules, &written)?;
            let prepared = Prepared::new(view.clone(), &shown)?;
            redacted.push((name, rules, view, redaction, prepared));
        }
        let _writing = unpoisoned(&self.writing);
        // Checked again under the lock: another thread may have swapped meanwhile.
        if next.id() == self.full.snapshot().generation().id() {
            return Ok(false);
        }
        let seen = written
            .last()
            .map_or(mark.sequence, |version| version.sequence);
        let late = self.snapshot().overlay().versions_after(seen);
        let mut now = BTreeMap::new();
        for (name, rules, generation, mut redaction, mut prepared) in redacted {
            prepared.catch_up(&shown_in(&mut redaction, rules, &late)?)?;
            let view = views.get(name).cloned().unwrap_or_else(|| {
                let (options, seal) = (self.options.clone(), self.seal.clone());
                Arc::new(View::new(name, generation.clone(), options, seal))
            });
            view.install(prepared);
            now.insert(name.clone(), view);
        }
        full.catch_up(&late)?;
        self.views.store(Arc::new(now));
        self.full.install(full);
        Ok(true)
    }

    /// Makes versions that were written visible to every search that begins from now on, in every view that may show
    /// them. They must follow those of before in the order of the log.
    ///
    /// # Errors
    /// [`FormatError`] when a body cannot be indexed; nothing is changed then.
    pub fn write(&self, versions: &[Version]) -> Result<(), FormatError> {
        let _writing = unpoisoned(&self.writing);
        let full = self.full.snapshot();
        let views = self.views.load();
        for (name, (_, rules)) in full.generation().views() {
            if let Some(view) = views.get(name) {
                let mut redaction =
                    Redaction::new(Snapshot::clone(&full), Snapshot::clone(&view.snapshot()));
                view.write(&shown_in(&mut redaction, rules, versions)?)?;
            }
        }
        self.full.write(versions)
    }

    /// A version that may not be written yet, as a view would show it; `None` when the view would not, or is not there.
    ///
    /// # Errors
    /// [`FormatError`] when its body is none that could be written.
    pub fn seen_in(&self, view: &View, version: &Version) -> Result<Option<Vec<u8>>, FormatError> {
        let full = self.full.snapshot();
        let Some((_, rules)) = full.generation().views().get(view.name()) else {
            return Ok(view.name().is_empty().then(|| version.body.clone()));
        };
        let mut redaction =
            Redaction::new(Snapshot::clone(&full), Snapshot::clone(&view.snapshot()));
        let shown = shown_in(&mut redaction, rules, std::slice::from_ref(version))?;
        Ok(shown.into_iter().next().map(|version| version.body))
    }

    /// Joins small segments of an overlay into a larger one, beside readers and writers. Answers whether there was
    /// anything to join: whoever writes calls it until there is not.
    ///
    /// # Errors
    /// [`FormatError`] as for [`Engine::write`].
    pub fn join_segments(&self) -> Result<bool, FormatError> {
        let mut any = self.full.join_segments()?;
        for view in self.views.load().values() {
            any |= view.join_segments()?;
        }
        Ok(any)
    }

    /// Searches the full view: `Type?query`, as it stands behind the base of a FHIR URL.
    ///
    /// # Errors
    /// [`SearchError`] with every fault found in the request.
    pub fn search(&self, request: &str) -> Result<Answer, SearchError> {
        let (kind, query) = split(request)?;
        self.full.answer(&self.request(kind, query))
    }

    /// Explains a search of the full view: `Type?query`.
    ///
    /// # Errors
    /// [`SearchError`] with every fault found in the request.
    pub fn explain(&self, request: &str, depth: Depth) -> Result<Explanation, SearchError> {
        let (kind, query) = split(request)?;
        self.full.explanation(&self.request(kind, query), depth)
    }

    fn request<'a>(&'a self, kind: ResourceType, query: &'a str) -> SearchRequest<'a> {
        SearchRequest {
            kind,
            query,
            base_url: &self.options.base_url,
            handling: Handling::Default,
            permits: None,
            coding: Coding::Identity,
            name: None,
        }
    }

    /// Searches the full view, with everything that a server knows of the request.
    ///
    /// # Errors
    /// [`SearchError`] with every fault found in the request.
    pub fn answer(&self, request: &SearchRequest<'_>) -> Result<Answer, SearchError> {
        self.full.answer(request)
    }

    /// Explains a search of the full view, with everything that a server knows of the request.
    ///
    /// # Errors
    /// [`SearchError`] with every fault found in the request.
    pub fn explanation(
        &self,
        request: &SearchRequest<'_>,
        depth: Depth,
    ) -> Result<Explanation, SearchError> {
        self.full.explanation(request, depth)
    }

    /// A resource of the full view by type and id.
    pub fn read(&self, kind: ResourceType, id: &str) -> Option<StoredResource> {
        self.full.read(kind, id)
    }

    /// A version of a resource of the full view, as long as it is kept.
    pub fn read_version(
        &self,
        kind: ResourceType,
        id: &str,
        version: &str,
    ) -> Option<StoredResource> {
        self.full.read_version(kind, id, version)
    }
}

/// The versions as a view shows them.
fn shown_in(
    redaction: &mut Redaction,
    rules: &DataRules,
    versions: &[Version],
) -> Result<Vec<Version>, FormatError> {
    let shown = redaction.shown(rules, versions);
    shown.map_err(|error| FormatError::Anomalies {
        detail: error.to_string(),
    })
}

/// Opens the generation that is live, and reads what was written beyond its mark. A build or a fold may replace it
/// meanwhile, prune it and remove what it holds from the log: then there is another one to open.
fn open_live(
    index: &Path,
    written: impl Fn(AnomalyMark) -> Result<Vec<Version>, FormatError>,
) -> Result<(Arc<Generation>, Vec<Version>), FormatError> {
    loop {
        let id = Generation::current(index)?;
        let opened = Generation::open(&Generation::path_of(index, &id))
            .and_then(|live| Ok((written(live.manifest().anomalies)?, live)));
        match opened {
            Err(_) if Generation::current(index)? != id => {}
            opened => return opened.map(|(written, live)| (Arc::new(live), written)),
        }
    }
}

/// What the log of an index directory holds beyond a generation.
fn written_since(index: &Path, mark: AnomalyMark) -> Result<Vec<Version>, FormatError> {
    let journal = Journal::read(index, mark).map_err(|error| FormatError::Anomalies {
        detail: error.to_string(),
    })?;
    Ok(journal.versions)
}

/// The type and the query string of `Type?query`.
fn split(request: &str) -> Result<(ResourceType, &str), SearchError> {
    let (name, query) = request.split_once('?').unwrap_or((request, ""));
    let name = name.trim_matches(['/', ' ']);
    match ResourceType::from_name(name) {
        Some(kind) => Ok((kind, query)),
        None => Err(Fault::UnknownType {
            written: name.to_owned(),
        }
        .into()),
    }
}
