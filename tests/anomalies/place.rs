//! A folder with an index; opening it as a server does, and asking it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use index_builder::report::Report;
use index_builder::{BuildOptions, Delta, build};
use rorqual::anomaly::store::{Store, StoreOptions};
use rorqual::engine::{DEFAULT_BASE_URL, Written};
use rorqual::{Engine, EngineOptions, SearchError};
use rorqual_anomaly::log::LogOptions;
use serde_json::Value;
use tempfile::TempDir;

/// The folder; it goes with its index when dropped.
pub struct Place {
    folder: TempDir,
    pub index: PathBuf,
}

impl Place {
    /// An index of these lines.
    pub fn of(lines: &[String]) -> Place {
        Place::below(&std::env::temp_dir(), lines)
    }

    /// An index of these lines in a new folder below another.
    pub fn below(above: &Path, lines: &[String]) -> Place {
        let folder = tempfile::tempdir_in(above).expect("a temporary folder");
        let index = folder.path().join("index");
        let place = Place { folder, index };
        place.build(lines);
        place
    }

    /// Builds the index, again if there is one.
    pub fn build(&self, lines: &[String]) -> Report {
        self.build_with(lines, None)
    }

    /// Builds the index with the redacted views of an access policy.
    pub fn build_with(&self, lines: &[String], access: Option<&str>) -> Report {
        let extract = self.folder.path().join("extract.ndjson");
        std::fs::write(&extract, lines.join("\n")).expect("a writable folder");
        let options = BuildOptions {
            access: access.map(PathBuf::from),
            ..from(self.index.clone(), extract)
        };
        build(&options).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Applies a delta of these lines to the index.
    pub fn delta(&self, lines: &[String]) -> Report {
        let changed = self.folder.path().join("delta.ndjson");
        std::fs::write(&changed, lines.join("\n")).expect("a writable folder");
        let options = BuildOptions {
            delta: Some(Delta::default()),
            ..from(self.index.clone(), changed)
        };
        build(&options).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The engine and the store, as a server has them.
    pub fn open(&self, options: StoreOptions) -> (Arc<Engine>, Store) {
        let engine = self.engine();
        let store = Store::open(engine.clone(), options).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(store.recovery().damage, [], "damage without a fault");
        assert_eq!(store.recovery().failure, None);
        (engine, store)
    }

    /// An engine that a store will write to.
    pub fn engine(&self) -> Arc<Engine> {
        let options = EngineOptions {
            written: Written::ByStore,
            ..EngineOptions::default()
        };
        Arc::new(Engine::open_with(&self.index, options).unwrap_or_else(|error| panic!("{error}")))
    }

    /// Asserts that every checksum and cross-reference of the live generation holds.
    pub fn is_sound(&self) {
        let found = rorqual::verify::verify(&self.index).expect("a generation to verify");
        assert_eq!(found.faults, Vec::<String>::new());
        assert!(found.resources > 0, "nothing was verified");
    }
}

/// Builds an index from a file.
pub fn build_from(index: PathBuf, extract: PathBuf) -> Report {
    build(&from(index, extract)).unwrap_or_else(|error| panic!("{error}"))
}

fn from(index: PathBuf, extract: PathBuf) -> BuildOptions {
    BuildOptions {
        extract: vec![extract],
        index,
        ..BuildOptions::default()
    }
}

/// A store that folds only when told, with small segments so that there are several.
pub fn small_segments() -> StoreOptions {
    StoreOptions {
        log: LogOptions {
            segment_bytes: 8 << 10,
            ..LogOptions::default()
        },
        fold_versions: 0,
        fold_age: Duration::ZERO,
        ..StoreOptions::default()
    }
}

/// A page of a search, and the generation that answered.
pub fn ask(engine: &Engine, search: &str) -> Result<(Value, String), SearchError> {
    let answer = engine.search(search)?;
    let bundle: Value = serde_json::from_slice(&answer.to_vec()).expect("a Bundle is JSON");
    assert_eq!(bundle["total"], answer.total, "{search}");
    Ok((bundle, answer.generation))
}

/// The resources of a page in one mode.
pub fn in_mode<'b>(bundle: &'b Value, mode: &'static str) -> impl Iterator<Item = &'b Value> {
    let entries = bundle["entry"].as_array().map_or(&[][..], Vec::as_slice);
    entries
        .iter()
        .filter(move |entry| entry["search"]["mode"] == mode)
        .map(|entry| &entry["resource"])
}

/// The search behind a link of a page.
pub fn behind(bundle: &Value, relation: &str) -> Option<String> {
    let links = bundle["link"].as_array().expect("links");
    let found = links.iter().find(|link| link["relation"] == relation)?;
    let url = found["url"].as_str().expect("a URL");
    let own = url
        .strip_prefix(DEFAULT_BASE_URL)
        .and_then(|rest| rest.strip_prefix('/'));
    Some(own.expect("a link of this server").to_owned())
}

/// All matches of a search, page after page.
pub fn all(engine: &Engine, search: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut next = Some(search.to_owned());
    let mut total = None;
    while let Some(search) = next {
        let (page, _) = ask(engine, &search).unwrap_or_else(|error| panic!("{search}: {error:?}"));
        assert_eq!(*total.get_or_insert(page["total"].clone()), page["total"]);
        found.extend(in_mode(&page, "match").cloned());
        next = behind(&page, "next");
    }
    assert_eq!(total.expect("one page at least"), found.len());
    found
}
