//! A folder with an index, built from lines given by the test.

use std::fs;
use std::path::{Path, PathBuf};

use index_builder::report::Report;
use index_builder::{BuildError, BuildOptions, build};
use rorqual::{Engine, SearchError};
use serde_json::Value;
use tempfile::TempDir;

/// The folder; it goes with its index when dropped.
pub struct Built {
    folder: TempDir,
    pub index: PathBuf,
}

impl Built {
    /// A folder without an index.
    pub fn empty() -> Built {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let index = folder.path().join("index");
        Built { folder, index }
    }

    /// An index of these lines.
    pub fn of<S: AsRef<str>>(lines: &[S]) -> Built {
        let built = Built::empty();
        built.rebuild(lines);
        built
    }

    /// Builds again, from these lines.
    pub fn rebuild<S: AsRef<str>>(&self, lines: &[S]) -> Report {
        self.rebuild_with(lines, |_| {})
    }

    /// Builds again, with changed options.
    pub fn rebuild_with<S: AsRef<str>>(
        &self,
        lines: &[S],
        change: impl FnOnce(&mut BuildOptions),
    ) -> Report {
        let source = self.write("extract.ndjson", &joined(lines));
        self.build(vec![source], change)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    /// Builds from sources.
    pub fn build(
        &self,
        extract: Vec<PathBuf>,
        change: impl FnOnce(&mut BuildOptions),
    ) -> Result<Report, BuildError> {
        let mut options = BuildOptions {
            extract,
            index: self.index.clone(),
            ..BuildOptions::default()
        };
        change(&mut options);
        build(&options)
    }

    /// Writes a file beside the index; its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        let folder = path.parent().expect("a folder");
        fs::create_dir_all(folder).expect("a writable folder");
        fs::write(&path, text).expect("a writable folder");
        path
    }

    /// Opens the index.
    pub fn engine(&self) -> Engine {
        Engine::open(&self.index).unwrap_or_else(|error| panic!("{error}"))
    }

    /// The folder of the live generation.
    pub fn live(&self) -> PathBuf {
        self.index.join("generations").join(self.current())
    }

    /// The id in `CURRENT`.
    pub fn current(&self) -> String {
        let text = fs::read_to_string(self.index.join("CURRENT")).expect("a CURRENT file");
        text.trim_end().to_owned()
    }

    /// The ids of the generations on disk, ascending.
    pub fn generations(&self) -> Vec<String> {
        let mut ids: Vec<String> = fs::read_dir(self.index.join("generations"))
            .expect("the folder of generations")
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        ids.sort();
        ids
    }

    /// Asserts that every checksum and cross-reference holds.
    pub fn is_sound(&self) {
        let found = rorqual::verify::verify(&self.index).expect("a generation to verify");
        assert_eq!(found.faults, Vec::<String>::new());
        assert!(found.resources > 0, "nothing was verified");
    }

    /// Copies the index to a folder of its own.
    pub fn copy(&self) -> Built {
        let copy = Built::empty();
        copy_folder(&self.index, &copy.index);
        copy
    }
}

/// Lines as NDJSON.
pub fn joined<S: AsRef<str>>(lines: &[S]) -> String {
    lines
        .iter()
        .map(|line| format!("{}\n", line.as_ref()))
        .collect()
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a writable folder");
    for entry in fs::read_dir(from).expect("a readable folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a writable folder");
        }
    }
}

/// The Bundle that answers a search, and the generation it is from.
pub fn ask(engine: &Engine, search: &str) -> Result<(Value, String), SearchError> {
    let answer = engine.search(search)?;
    let bundle: Value = serde_json::from_slice(&answer.to_vec()).expect("a Bundle is JSON");
    assert_eq!(bundle["total"], answer.total, "{search}");
    Ok((bundle, answer.generation))
}

/// The ids of all matches of a search that fit on one page, in order.
pub fn ids(engine: &Engine, search: &str) -> Vec<String> {
    let (bundle, _) = ask(engine, search).unwrap_or_else(|error| panic!("{search}: {error:?}"));
    matches(&bundle)
        .map(|resource| resource["id"].as_str().expect("an id").to_owned())
        .collect()
}

/// The matches of a page.
pub fn matches(bundle: &Value) -> impl Iterator<Item = &Value> {
    let entries = bundle["entry"].as_array().map_or(&[][..], Vec::as_slice);
    entries
        .iter()
        .filter(|entry| entry["search"]["mode"] == "match")
        .map(|entry| &entry["resource"])
}

/// The address behind a link of a page.
pub fn link(bundle: &Value, relation: &str) -> Option<String> {
    let links = bundle["link"].as_array().expect("links");
    let found = links.iter().find(|link| link["relation"] == relation)?;
    Some(found["url"].as_str().expect("a URL").to_owned())
}
