//! A view: what one audience sees of an index, searched, explained and read.
//!
//! Everybody sees the full view unless access profiles say otherwise; those see a view that was redacted when the index
//! was built, and is searched by the same code: what is hidden is not there to be found.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::ArcSwap;
use bytes::Bytes;
use rorqual_schema::{ResourceType, parse_date};
use xxhash_rust::xxh3::xxh3_128;

use crate::bundle::assemble::{Coding, Entry, Frame, Mode, bundle};
use crate::bundle::include::{Bound, included};
use crate::bundle::subset::Subset;
use crate::engine::EngineOptions;
use crate::index::FormatError;
use crate::index::generation::Generation;
use crate::index::overlay::{Overlay, Version, WRITTEN};
use crate::index::segment::SegmentBuilder;
use crate::index::snapshot::Snapshot;
use crate::outcome::{Issue, Severity};
use crate::query::cursor::{Cursor, CursorSeal};
use crate::query::effort::Effort;
use crate::query::error::{Fault, SearchError};
use crate::query::evaluate::{Evaluator, damaged};
use crate::query::explain::{Depth, Explanation};
use crate::query::order::{Distances, Order};
use crate::query::parse::asked::Asked;
use crate::query::parse::{
    ElementName, Features, GroupMatching, Handling, ParseOptions, Request, TotalMode, parse,
};
use crate::query::score::scores;
use crate::stored::{StoredResource, stored};

/// One search.
#[derive(Clone, Copy, Debug)]
pub struct SearchRequest<'a> {
    /// The type searched.
    pub kind: ResourceType,
    /// The query string as received, percent-encoded.
    pub query: &'a str,
    /// Base of the URLs in the answer, without a final slash.
    pub base_url: &'a str,
    /// `Prefer: handling`.
    pub handling: Handling,
    /// What the caller may ask about; nothing: everything.
    pub permits: Option<&'a dyn Permits>,
    /// How the bytes of the answer are written.
    pub coding: Coding,
    /// The name of the request, told in the OperationOutcome of an answer; nothing: it is not told.
    pub name: Option<&'a str>,
}

/// What a caller may ask about, beyond what a view shows: some may not search by a parameter, or see a type.
pub trait Permits: Sync + std::fmt::Debug {
    /// Whether a type may be searched, drawn in by an include or passed through by a chain, or one of its parameters used.
    ///
    /// # Errors
    /// What is not allowed, and what to do, for the client.
    fn check(&self, kind: ResourceType, parameter: Option<&str>) -> Result<(), String>;
}

/// A page of results.
pub struct Answer {
    /// The Bundle's JSON in the coding asked for, in pieces, most of them slices of the map.
    pub chunks: Vec<Bytes>,
    /// Length of all pieces together, in bytes.
    pub length: u64,
    /// `_pretty=true` was asked.
    pub pretty: bool,
    /// The generation that answered.
    pub generation: String,
    /// When that generation was built, in milliseconds since 1970 UTC.
    pub last_modified: Option<i64>,
    /// The exact number of matches.
    pub total: u64,
}

impl Answer {
    /// The whole in one piece: the Bundle's JSON, unless another coding was asked for.
    pub fn to_vec(&self) -> Vec<u8> {
        self.chunks.concat()
    }
}

/// A search that was read: what is asked, of which state of the index.
pub(crate) struct AskedPage {
    snapshot: Arc<Snapshot>,
    parsed: Request,
    /// The type and the query as executed.
    address: String,
    /// Matches before the page.
    offset: u64,
}

impl AskedPage {
    /// The state of the index that is searched.
    pub(crate) fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// What is asked.
    pub(crate) fn request(&self) -> &Request {
        &self.parsed
    }
}

/// What one audience sees of an index. Shared between threads; reading takes no lock.
pub struct View {
    /// Its name; empty for the full view.
    name: String,
    options: Arc<EngineOptions>,
    seal: Arc<CursorSeal>,
    live: ArcSwap<Snapshot>,
    /// Builds what is written since the live generation; held while another snapshot is made the live one.
    writing: Mutex<Arc<SegmentBuilder>>,
    /// The last states of generations that were live, with the instant from which their cursors get a 410; newest first.
    retired: Mutex<VecDeque<(Arc<Snapshot>, Instant)>>,
}

/// A generation on its way to be the live one of a view.
pub(crate) struct Prepared {
    generation: Arc<Generation>,
    builder: Arc<SegmentBuilder>,
    overlay: Overlay,
}

impl Prepared {
    /// A generation with what was written since it, as the view shows it.
    pub(crate) fn new(
        generation: Arc<Generation>,
        written: &[Version],
    ) -> Result<Prepared, FormatError> {
        let builder = Arc::new(SegmentBuilder::new(generation.clone()));
        let overlay = Overlay::empty(&generation).with(&builder, written)?;
        Ok(Prepared {
            generation,
            builder,
            overlay,
        })
    }

    /// Adds what was written meanwhile.
    pub(crate) fn catch_up(&mut self, written: &[Version]) -> Result<(), FormatError> {
        self.overlay = self.overlay.with(&self.builder, written)?;
        Ok(())
    }
}

impl View {
    /// A view of `generation`, with nothing written since.
    pub(crate) fn new(
        name: &str,
        generation: Arc<Generation>,
        options: Arc<EngineOptions>,
        seal: Arc<CursorSeal>,
    ) -> View {
        View {
            name: name.to_owned(),
            options,
            seal,
            writing: Mutex::new(Arc::new(SegmentBuilder::new(generation.clone()))),
            live: ArcSwap::from_pointee(Snapshot::of(generation)),
            retired: Mutex::default(),
        }
    }

    /// A generation on its own, live or not, as it was built: without what was written since.
    pub fn of_generation(index: &std::path::Path, generation: Arc<Generation>) -> View {
        let seal = Arc::new(CursorSeal::of_directory(index));
        View::new("", generation, Arc::default(), seal)
    }

    /// Its name; empty for the full view.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What a search made now would see. Holding it keeps it readable.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.live.load_full()
    }

    /// Makes a newer generation the live one, with what was written since it under its overlay. Requests that run go on
    /// with the state they began with.
    pub(crate) fn install(&self, prepared: Prepared) {
        let mut writing = unpoisoned(&self.writing);
        let last = self.snapshot();
        *writing = prepared.builder;
        let next = Snapshot::over(prepared.generation, prepared.overlay);
        self.live.store(Arc::new(next));
        drop(writing);
        let mut retired = unpoisoned(&self.retired);
        retired.push_front((last, Instant::now() + self.options.cursor_retention));
        retired.retain(|(_, until)| *until > Instant::now());
    }

    /// Lets go of generations whose cursors have ended: their files may have been pruned, and would hold the disk.
    pub(crate) fn forget_retired(&self) {
        unpoisoned(&self.retired).retain(|(_, until)| *until > Instant::now());
    }

    /// Makes versions visible to every search that begins from now on.
    pub(crate) fn write(&self, versions: &[Version]) -> Result<(), FormatError> {
        let builder = unpoisoned(&self.writing);
        let live = self.live.load();
        // A generation that was published meanwhile may hold some of them.
        let seen = live.overlay().sequence();
        let new = versions.partition_point(|version| version.sequence <= seen);
        let overlay = live.overlay().with(&builder, &versions[new..])?;
        let next = Snapshot::over(live.generation().clone(), overlay);
        self.live.store(Arc::new(next));
        Ok(())
    }

    /// Joins small segments of the overlay into a larger one. Answers whether there was anything to join.
    pub(crate) fn join_segments(&self) -> Result<bool, FormatError> {
        let builder = unpoisoned(&self.writing).clone();
        let before = self.snapshot();
        if !Arc::ptr_eq(before.generation(), builder.generation()) {
            return Ok(true);
        }
        let Some(run) = before.overlay().joinable() else {
            return Ok(false);
        };
        let joined = before.overlay().join(&builder, run)?;
        let writing = unpoisoned(&self.writing);
        let live = self.live.load();
        // A swap meanwhile has built everything anew.
        if Arc::ptr_eq(&writing, &builder) {
            let next = Snapshot::over(live.generation().clone(), live.overlay().replace(joined));
            self.live.store(Arc::new(next));
        }
        Ok(true)
    }

    /// How many former states are kept for the cursors that name them.
    pub fn retired(&self) -> usize {
        unpoisoned(&self.retired).len()
    }

    /// Searches, with everything that a server knows of the request.
    ///
    /// # Errors
    /// [`SearchError`] with every fault found in the request.
    pub fn answer(&self, request: &SearchRequest<'_>) -> Result<Answer, SearchError> {
        let asked = self.asked(request)?;
        self.page(request, &asked, Effort::of(self.options.search_budget))
    }

    /// Reads a search: what is asked, of which state of the index.
    pub(crate) fn asked(&self, request: &SearchRequest<'_>) -> Result<AskedPage, SearchError> {
        // A page is read and answered by the generation that its cursor names, as long as that one is kept: another
        // schema may know other parameters, or number them otherwise.
        let live = self.snapshot();
        let named = CursorSeal::named_in(request.query).filter(|id| id != live.generation().id());
        let mut snapshot = named.and_then(|id| self.earlier(&id)).unwrap_or(live);
        let parsed = self.read_search(&snapshot, request)?;
        let address = format!("{}?{}", request.kind.name(), parsed.canonical_query);
        let offset = match &parsed.cursor {
            None => 0,
            Some(token) => {
                // A link of one view opens in no other.
                let sealed = format!("{}|{address}", self.name);
                let cursor = self.seal.open(token, &sealed)?;
                // Within a generation every state since it was built can be seen again.
                if cursor.generation != snapshot.generation().id()
                    || cursor.sequence > snapshot.overlay().sequence()
                {
                    return Err(Fault::CursorRetired.into());
                }
                if cursor.sequence < snapshot.overlay().sequence() {
                    snapshot = Arc::new(snapshot.as_of(cursor.sequence));
                }
                cursor.offset
            }
        };
        Ok(AskedPage {
            snapshot,
            parsed,
            address,
            offset,
        })
    }

    /// The time that one search may run.
    pub fn search_budget(&self) -> Duration {
        self.options.search_budget
    }

    /// The ids of all matches of a search, in index order.
    ///
    /// # Errors
    /// [`SearchError`] with every fault found in the request.
    pub fn matching(&self, request: &SearchRequest<'_>) -> Result<Vec<String>, SearchError> {
        let snapshot = self.snapshot();
        let parsed = self.read_search(&snapshot, request)?;
        let found = self
            .evaluator(&snapshot, request)
            .matches(request.kind, &parsed.criterion)?;
        let id = |ordinal| {
            let (part, own) = snapshot.locate(request.kind, ordinal);
            part.directory.bodies().id(own)
        };
        Ok(found.into_iter().filter_map(id).collect())
    }

    /// Explains a search, with everything that a server knows of the request.
    ///
    /// # Errors
    /// [`SearchError`] with every fault found in the request.
    pub fn explanation(
        &self,
        request: &SearchRequest<'_>,
        depth: Depth,
    ) -> Result<Explanation, SearchError> {
        let live = self.snapshot();
        let parsed = self.read_search(&live, request)?;
        let plan =
            self.evaluator(&live, request)
                .explain(request.kind, &parsed.criterion, depth)?;
        let order = match (parsed.sort.as_slice(), &parsed.near, parsed.content) {
            ([], Some(_), _) => "nearest first".to_owned(),
            ([], None, true) => "best score first".to_owned(),
            ([], None, false) => "index order: the page is cut from the bitmap".to_owned(),
            (keys, ..) => format!("{} sort key(s): the page is selected by ranks", keys.len()),
        };
        let query = &parsed.canonical_query;
        Ok(Explanation {
            search: format!(
                "{}{}{query}",
                request.kind.name(),
                if query.is_empty() { "" } else { "?" }
            ),
            generation: live.generation().id().to_owned(),
            group_matching: match self.options.group_matching {
                GroupMatching::SameLine => "same-line",
                GroupMatching::Independent => "independent",
            },
            order,
            level: match depth {
                Depth::Plan => "plan",
                Depth::Analyze => "analyze",
            },
            plan,
        })
    }

    /// A stored resource by type and id.
    pub fn read(&self, kind: ResourceType, id: &str) -> Option<StoredResource> {
        let snapshot = self.live.load();
        let (part, own) = snapshot.locate(kind, snapshot.ordinal(kind, id)?);
        let bodies = part.directory.bodies();
        Some(stored(&snapshot, bodies.body(own)?, bodies.deflated(own)))
    }

    /// A version of a resource, as long as it is kept: the present one always, earlier ones of what is written to until
    /// the log that holds them is folded.
    pub fn read_version(
        &self,
        kind: ResourceType,
        id: &str,
        version: &str,
    ) -> Option<StoredResource> {
        if kind != WRITTEN {
            return self.read(kind, id).filter(|found| found.version == version);
        }
        let snapshot = self.live.load();
        let versions = snapshot.overlay().versions_of(snapshot.generation(), id);
        versions
            .into_iter()
            .map(|body| stored(&snapshot, body, None))
            .rfind(|found| found.version == version)
    }

    /// Reads a search on what `snapshot` holds, and refuses what the caller may not ask about.
    pub(crate) fn read_search(
        &self,
        snapshot: &Snapshot,
        request: &SearchRequest<'_>,
    ) -> Result<Request, SearchError> {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let options = ParseOptions {
            handling: request.handling,
            lenient_by_default: self.options.lenient_by_default,
            base_url: request.base_url,
            now: i64::try_from(now.as_micros()).unwrap_or(i64::MAX),
            group_matching: self.options.group_matching,
            features: FEATURES,
        };
        let parsed = parse(snapshot.schema(), request.kind, request.query, &options)?;
        if let Some(permits) = request.permits {
            let refused = |(kind, parameter): &Asked| {
                let reason = permits.check(*kind, parameter.as_deref()).err()?;
                Some(Fault::Forbidden { reason })
            };
            let faults: Vec<Fault> = parsed
                .asked(snapshot.schema())
                .iter()
                .filter_map(refused)
                .collect();
            if !faults.is_empty() {
                return Err(SearchError::new(faults));
            }
        }
        Ok(parsed)
    }

    /// The last state of a generation that was live and whose cursors still hold.
    fn earlier(&self, id: &str) -> Option<Arc<Snapshot>> {
        let retired = unpoisoned(&self.retired);
        let found = retired
            .iter()
            .find(|(snapshot, until)| snapshot.generation().id() == id && *until > Instant::now());
        found.map(|(snapshot, _)| snapshot.clone())
    }

    fn evaluator<'s>(&self, snapshot: &'s Snapshot, request: &SearchRequest<'s>) -> Evaluator<'s> {
        let effort = Effort::of(self.options.search_budget);
        Evaluator::new(snapshot, request.base_url).within(effort)
    }

    /// How many bytes of an answer are left beside the matches of a page.
    fn bytes_left(
        &self,
        snapshot: &Snapshot,
        kind: ResourceType,
        page: &[u32],
    ) -> Result<u64, SearchError> {
        let length = |ordinal: &u32| {
            let (part, own) = snapshot.locate(kind, *ordinal);
            part.directory.bodies().entry_length(own)
        };
        let (bytes, limit) = (page.iter().map(length).sum(), self.options.answer_bytes);
        limit.checked_sub(bytes).ok_or_else(|| {
            SearchError::from(Fault::PageTooLong {
                matches: page.len(),
                bytes,
                limit,
            })
        })
    }

    /// Carries out a search that was read, within an effort.
    pub(crate) fn page(
        &self,
        request: &SearchRequest<'_>,
        asked: &AskedPage,
        effort: Effort,
    ) -> Result<Answer, SearchError> {
        let AskedPage {
            snapshot,
            parsed,
            address,
            offset,
        } = asked;
        let (offset, kind) = (*offset, request.kind);
        let evaluator = Evaluator::new(snapshot, request.base_url).within(effort);
        let matches = evaluator.matches(kind, &parsed.criterion)?;
        let total = matches.len();
        let mut warnings = parsed.warnings.clone();
        let mut entries = Vec::new();
        if !parsed.count_only {
            let scores = match parsed.content {
                true => scores(snapshot, kind, &parsed.criterion).map_err(damaged)?,
                false => None,
            };
            let order = Order::new(
                snapshot,
                kind,
                &parsed.sort,
                parsed.near.as_ref(),
                scores.as_ref(),
            );
            let page = order.page(&matches, offset, parsed.count as usize);
            let left = self.bytes_left(snapshot, kind, &page)?;
            let along = included(
                snapshot,
                kind,
                &page,
                &matches,
                &parsed.includes,
                &Bound {
                    resources: self.options.include_bound,
                    bytes: left,
                    effort,
                },
                &|kind| {
                    request
                        .permits
                        .is_none_or(|permits| permits.check(kind, None).is_ok())
                },
            )?;
            if along.cut {
                warnings.push(include_bound_reached(along.resources.len()));
            }
            let distances = parsed
                .near
                .as_ref()
                .and_then(|near| Distances::new(snapshot, kind, near));
            let places = parsed
                .near
                .as_ref()
                .map(|near| near.chain.map_or(kind, |chain| chain.target));
            let entry = |kind, ordinal, mode| Entry {
                kind,
                ordinal,
                mode,
                distance: distances
                    .as_ref()
                    .filter(|_| places == Some(kind))
                    .and_then(|all| all.of_place(ordinal)),
                score: scores
                    .as_ref()
                    .filter(|_| mode == Mode::Match)
                    .and_then(|scores| scores.of(ordinal)),
            };
            entries.extend(
                page.into_iter()
                    .map(|ordinal| entry(kind, ordinal, Mode::Match)),
            );
            entries.extend(
                along
                    .resources
                    .into_iter()
                    .map(|(kind, ordinal)| entry(kind, ordinal, Mode::Include)),
            );
        }
        let fingerprint = xxh3_128(
            format!(
                "{}|{address}&{offset}&{}&{}&{}",
                self.name,
                snapshot.generation().id(),
                snapshot.overlay().sequence(),
                request.base_url
            )
            .as_bytes(),
        );
        let (last_modified, last_updated) = changed(snapshot);
        let frame = Frame {
            base_url: request.base_url,
            id: uuid_like(fingerprint),
            last_updated: &last_updated,
            total: (parsed.total == TotalMode::Accurate).then_some(total),
            links: self.links(snapshot, request, parsed, address, offset, total),
            match_subset: Subset::new(kind, parsed.summary, &parsed.elements),
            include_subsets: include_subsets(parsed),
            warnings: &warnings,
            request: request.name,
        };
        let chunks = bundle(snapshot, &frame, &entries, request.coding).map_err(|error| {
            SearchError::from(Fault::DamagedIndex {
                detail: error.to_string(),
            })
        })?;
        Ok(Answer {
            length: chunks.iter().map(|chunk| chunk.len() as u64).sum(),
            chunks,
            pretty: parsed.pretty,
            generation: snapshot.generation().id().to_owned(),
            last_modified,
            total,
        })
    }

    /// The links of a page: `self` as executed, and cursors to the others, all in this generation.
    fn links(
        &self,
        snapshot: &Snapshot,
        request: &SearchRequest<'_>,
        parsed: &Request,
        address: &str,
        offset: u64,
        total: u64,
    ) -> Vec<(&'static str, String)> {
        let joint = if parsed.canonical_query.is_empty() {
            ""
        } else {
            "&"
        };
        let sealed = format!("{}|{address}", self.name);
        let to = |offset: u64| {
            let token = self.seal.token(
                &Cursor {
                    generation: snapshot.generation().id().to_owned(),
                    sequence: snapshot.overlay().sequence(),
                    offset,
                },
                &sealed,
            );
            format!("{}/{address}{joint}_cursor={token}", request.base_url)
        };
        let own = match parsed.cursor {
            Some(_) => to(offset),
            None => format!("{}/{}", request.base_url, address.trim_end_matches('?')),
        };
        let mut links = vec![("self", own)];
        let count = u64::from(parsed.count);
        if parsed.count_only || count == 0 {
            return links;
        }
        let first = to(0);
        // Pages are counted from the beginning, so the last one starts at a multiple of their size.
        let last = match total.saturating_sub(1) / count * count {
            0 => first.clone(),
            last => to(last),
        };
        links.push(("first", first));
        if offset > 0 {
            links.push(("previous", to(offset.saturating_sub(count))));
        }
        if offset + count < total {
            links.push(("next", to(offset + count)));
        }
        links.push(("last", last));
        links
    }
}

/// What is offered of the specification.
const FEATURES: Features = Features::ALL;

/// What remains of included resources: a name without type concerns the type searched only.
fn include_subsets(parsed: &Request) -> Vec<(ResourceType, Subset)> {
    let typed: Vec<ElementName> = parsed
        .elements
        .iter()
        .filter(|name| name.kind.is_some())
        .cloned()
        .collect();
    let of = |kind: ResourceType| Some((kind, Subset::new(kind, parsed.summary, &typed)?));
    ResourceType::ALL.into_iter().filter_map(of).collect()
}

/// When a generation was built, in milliseconds since 1970 UTC.
pub(crate) fn created(generation: &Generation) -> Option<i64> {
    let range = parse_date(
        &generation.manifest().created,
        generation.schema().time_zone(),
    )
    .ok()?;
    Some(range.low.div_euclid(1000))
}

/// When what a snapshot holds last changed: in milliseconds since 1970 UTC, and as FHIR writes an instant.
fn changed(snapshot: &Snapshot) -> (Option<i64>, String) {
    let built = created(snapshot.generation());
    let written = snapshot.overlay().instant();
    let last = built.max(written);
    let text = last
        .filter(|_| written > built)
        .and_then(chrono::DateTime::from_timestamp_millis)
        .map(|instant| instant.to_rfc3339_opts(chrono::SecondsFormat::Millis, true));
    let created = || snapshot.generation().manifest().created.clone();
    (last, text.unwrap_or_else(created))
}

/// A lock whose holder may have panicked: what it guards is replaced whole, never left half done.
pub(crate) fn unpoisoned<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn include_bound_reached(included: usize) -> Issue {
    Issue {
        severity: Severity::Warning,
        code: "too-costly",
        text: "Includes cut short".to_owned(),
        diagnostics: format!(
            "the includes of this page were cut at {included} resources; ask for a smaller _count"
        ),
        expression: vec!["http._include".to_owned()],
    }
}

/// A fingerprint in the form of a UUID (version 8, RFC 9562): the same page of the same generation has the same id.
fn uuid_like(fingerprint: u128) -> String {
    let versioned = fingerprint & !(0xf << 76) & !(0x3 << 62) | 0x8 << 76 | 0x2 << 62;
    let hex = format!("{versioned:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}
