//! An index directory seen from outside: what it answers, what it holds, whether anything is left lying about.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rorqual::{Engine, ResourceType};
use serde_json::Value;
use tempfile::TempDir;

use crate::extract::{lines, ndjson};
use crate::process::build;

/// A folder with a live index of 30 offers marked `avant`.
pub struct Live {
    pub folder: TempDir,
    pub index: PathBuf,
    tree: BTreeMap<String, u64>,
    answers: Vec<Value>,
}

impl Live {
    /// Builds the index.
    pub fn new() -> Live {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let index = folder.path().join("index");
        let source = folder.path().join("avant.ndjson");
        fs::write(&source, ndjson(&lines(30, "avant"))).expect("a writable folder");
        build(&[source], &index).exits(0);
        Live {
            tree: tree(&index),
            answers: answers(&index),
            folder,
            index,
        }
    }

    /// Writes a file beside the index; its path.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).expect("a writable folder");
        path
    }

    /// Asserts that the index answers as before and holds the same files of the same length. The file that
    /// tells of rejects is no part of it.
    pub fn is_untouched(&self) {
        let mut now = tree(&self.index);
        now.retain(|name, _| !name.starts_with("rejects"));
        assert_eq!(now, self.tree, "the files of the index changed");
        assert_sound(&self.index);
        assert_eq!(answers(&self.index), self.answers, "the answers changed");
    }
}

/// Every file under a folder, with its length.
pub fn tree(folder: &Path) -> BTreeMap<String, u64> {
    let mut out = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            let name = path.strip_prefix(folder).expect("a path below");
            let name = name.to_string_lossy().into_owned();
            if path.is_dir() {
                out.insert(format!("{name}/"), 0);
                folders.push(path);
            } else if !name.ends_with(".lock") || name == "build.lock" {
                // Opening the full text leaves lock files, which are empty and harmless.
                out.insert(name, fs::metadata(&path).expect("a file").len());
            }
        }
    }
    out
}

/// The ids of the generations on disk, ascending.
pub fn generations(index: &Path) -> Vec<String> {
    let mut ids: Vec<String> = fs::read_dir(index.join("generations"))
        .expect("the folder of generations")
        .map(|entry| {
            let name = entry.expect("a readable entry").file_name();
            name.to_string_lossy().into_owned()
        })
        .collect();
    ids.sort();
    ids
}

/// The id in `CURRENT`.
pub fn current(index: &Path) -> String {
    fs::read_to_string(index.join("CURRENT"))
        .expect("a CURRENT file")
        .trim_end()
        .to_owned()
}

/// Asserts that the directory holds nothing but what a finished build leaves.
pub fn assert_no_debris(index: &Path) {
    for entry in fs::read_dir(index).expect("a readable index") {
        let name = entry.expect("a readable entry").file_name();
        let name = name.to_string_lossy();
        let known = [
            "CURRENT",
            "build.lock",
            "cursor.key",
            "generations",
            "rejects",
        ];
        assert!(known.contains(&&*name), "{name} is debris");
    }
    let newest = generations(index).pop().expect("a generation");
    assert_eq!(
        newest,
        current(index),
        "a generation that never went live is left"
    );
}

/// Asserts that every checksum and cross-reference holds.
pub fn assert_sound(index: &Path) {
    let found = rorqual::verify::verify(index).expect("a generation to verify");
    assert_eq!(found.faults, Vec::<String>::new());
    assert!(found.resources > 0, "nothing was verified");
}

/// What an index answers to searches of every kind, without what differs from build to build.
pub fn answers(index: &Path) -> Vec<Value> {
    let engine = Engine::open(index).expect("the index opens");
    let mut searches: Vec<String> = ResourceType::ALL
        .iter()
        .map(|kind| format!("{}?_count=1000", kind.name()))
        .collect();
    searches.extend(
        [
            "Location?address-city=nantes&_sort=address-postalcode,-_id",
            "Location?near=47.218%7C-1.553%7C20",
            "HealthcareService?_content=cardio",
            "HealthcareService?organization.name=clinique&_include=HealthcareService:location",
            "HealthcareService?location.near=47.473%7C-0.551%7C30&_sort=-name",
            "Organization?_has:HealthcareService:organization:name=cardiologie",
        ]
        .map(str::to_owned),
    );
    searches
        .iter()
        .map(|search| {
            let answer = engine
                .search(search)
                .unwrap_or_else(|error| panic!("{search}: {error}"));
            let mut bundle: Value =
                serde_json::from_slice(&answer.to_vec()).expect("a Bundle is JSON");
            let object = bundle.as_object_mut().expect("a Bundle is an object");
            for of_this_build in ["id", "meta", "link"] {
                object.remove(of_this_build);
            }
            bundle
        })
        .collect()
}

/// The bytes of every stored body and structure of the live generation, full text aside.
pub fn structures(index: &Path) -> BTreeMap<String, Vec<u8>> {
    let live = index.join("generations").join(current(index));
    let mut out = BTreeMap::new();
    for kind in ResourceType::ALL {
        for file in ["bodies.dat", "index.pack"] {
            let path = live.join(kind.name()).join(file);
            let bytes = fs::read(&path).expect("a file of the generation");
            out.insert(format!("{}/{file}", kind.name()), bytes);
        }
    }
    out
}
