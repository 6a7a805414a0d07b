//! A build in too little memory comes to the same files as one that has enough.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use index_builder::{BuildOptions, Delta, build};

use crate::extract::{lines, ndjson};
use crate::index::{assert_no_debris, assert_sound, current};

/// The bytes of every file of the live generation, but for manifests, which name the build; those of full text by their kind,
/// since tantivy's names are random, and so is what tells them.
fn files(index: &Path) -> BTreeMap<String, Vec<u8>> {
    let live = index.join("generations").join(current(index));
    let mut found = BTreeMap::new();
    let mut folders = vec![live.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the generation") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.file_name().map(|name| name.to_string_lossy());
            let in_text = folder.ends_with("text");
            let name = match (name, path.extension()) {
                (Some(name), _) if name.starts_with("manifest") => continue,
                (Some(name), _) if in_text && name.ends_with(".json") => continue,
                (_, Some(kind)) if in_text => kind.to_string_lossy(),
                (Some(name), _) => name,
                (None, _) => continue,
            };
            let place = folder.strip_prefix(&live).expect("inside").join(&*name);
            let bytes = fs::read(&path).expect("a file of the generation");
            let known = found.insert(place.display().to_string(), bytes);
            assert!(known.is_none(), "{place:?} is there twice");
        }
    }
    found
}

fn options(extract: PathBuf, index: PathBuf, memory: u64) -> BuildOptions {
    BuildOptions {
        extract: vec![extract],
        index,
        memory,
        threads: 2,
        access: Some("national".into()),
        ..BuildOptions::default()
    }
}

fn assert_same(folder: &Path, what: &str) {
    let (much, little) = (folder.join("much"), folder.join("little"));
    for index in [&much, &little] {
        assert_sound(index);
        assert_no_debris(index);
    }
    let (much, little) = (files(&much), files(&little));
    let names = |of: &BTreeMap<String, Vec<u8>>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&much), names(&little), "{what}");
    for (name, bytes) in &much {
        assert!(little.get(name) == Some(bytes), "{what}: {name}");
    }
}

/// In no memory at all a run is sealed as often as that is looked at.
const LITTLE: u64 = 0;

#[test]
fn a_build_in_little_memory_is_the_same_to_the_byte() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let (before, after) = (lines(150, "avant"), lines(150, "après"));
    // Twice the same ids: which of two stays is decided across runs.
    let doubled: Vec<String> = before.iter().chain(&after).cloned().collect();
    let changed: Vec<String> = before.iter().step_by(2).cloned().collect();
    let (first, second) = (folder.join("first.ndjson"), folder.join("second.ndjson"));
    fs::write(&first, ndjson(&doubled)).expect("a writable folder");
    fs::write(&second, ndjson(&changed)).expect("a writable folder");
    for (name, memory) in [("much", u64::MAX), ("little", LITTLE)] {
        build(&options(first.clone(), folder.join(name), memory)).expect("a build");
    }
    assert_same(folder, "a build");
    assert!(
        files(&folder.join("little"))
            .keys()
            .any(|name| name.starts_with("views/"))
    );
    for (name, memory) in [("much", u64::MAX), ("little", LITTLE)] {
        let options = BuildOptions {
            delta: Some(Delta::default()),
            ..options(second.clone(), folder.join(name), memory)
        };
        build(&options).expect("a delta");
    }
    assert_same(folder, "a delta");
}

#[test]
fn real_shapes_in_little_memory_are_the_same_to_the_byte() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let extract = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/extract");
    // A few runs of each worker: each parameter opens every one of them, so that very many would take long.
    for (name, memory) in [("much", u64::MAX), ("little", 2 << 20)] {
        let options = BuildOptions {
            access: None,
            ..options(extract.clone(), folder.join(name), memory)
        };
        build(&options).expect("a build");
    }
    assert_same(folder, "the extract of the fixtures");
}
