//! `verify` finds one altered byte in any file, and nothing wrong where nothing is.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rorqual::index::manifest::{MANIFEST, MANIFEST_CHECKSUM};
use rorqual::verify::verify;

use crate::built::Built;
use crate::extract::edition;

/// What verification says is wrong: its faults, or why it could not be done.
fn said(built: &Built) -> Vec<String> {
    match verify(&built.index) {
        Ok(found) => found.faults,
        Err(error) => vec![error.to_string()],
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a readable folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                out.push(path);
            }
        }
    }
    out.sort();
    out
}

/// Asserts that what is wrong names this file.
fn names(built: &Built, path: &Path, what: &str) {
    let name = path
        .strip_prefix(built.live())
        .expect("a file of the generation");
    let name = name.to_string_lossy();
    let said = said(built);
    assert!(
        said.iter().any(|fault| fault.contains(&*name)),
        "{what} of {name}: {said:?}"
    );
}

#[test]
fn an_untouched_generation_is_sound_even_while_it_is_open() {
    let built = Built::of(&edition(0));
    built.is_sound();
    let engine = built.engine();
    engine
        .search("HealthcareService?_content=cardio")
        .expect("a sound search");
    built.is_sound();
    let found = verify(&built.index).expect("a generation to verify");
    let offers = crate::extract::offers(0) as u64;
    assert_eq!(found.resources, 2 * offers + 1);
    assert_eq!(found.generation, built.current());
    let stored: u64 = files(&built.live())
        .iter()
        .filter(|path| path.extension().is_none_or(|extension| extension != "lock"))
        .filter(|path| !path.ends_with(MANIFEST) && !path.ends_with(MANIFEST_CHECKSUM))
        .map(|path| fs::metadata(path).expect("a file").len())
        .sum();
    assert_eq!(found.bytes, stored, "every byte is read");
}

#[test]
fn one_altered_byte_in_any_file_is_found() {
    let built = Built::of(&edition(0));
    let live = built.live();
    let mut seen = BTreeSet::new();
    for path in files(&live) {
        let whole = fs::read(&path).expect("a file");
        seen.insert(
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned()),
        );
        let last = whole.len().saturating_sub(1);
        let offsets = BTreeSet::from([0, 1, last / 3, last / 2, last.saturating_sub(20), last]);
        for at in offsets {
            let mut bytes = whole.clone();
            match bytes.get_mut(at) {
                Some(byte) => *byte ^= 1,
                // An empty file can only grow.
                None => bytes.push(0),
            }
            fs::write(&path, bytes).expect("a writable file");
            names(&built, &path, &format!("byte {at} of {}", whole.len()));
        }
        fs::write(&path, whole).expect("a writable file");
    }
    for name in [
        MANIFEST,
        MANIFEST_CHECKSUM,
        "schema.json",
        "bodies.dat",
        "index.pack",
        "meta.json",
    ] {
        assert!(
            seen.contains(&Some(name.to_owned())),
            "{name} is not among {seen:?}"
        );
    }
    built.is_sound();
}

#[test]
fn any_byte_of_the_manifest_counts() {
    let built = Built::of(&edition(0));
    let path = built.live().join(MANIFEST);
    let whole = fs::read(&path).expect("a manifest");
    let places = (0..whole.len()).step_by(whole.len() / 150 + 1);
    for at in places {
        let mut bytes = whole.clone();
        bytes[at] ^= 2;
        fs::write(&path, bytes).expect("a writable file");
        names(&built, &path, &format!("byte {at}"));
    }
    fs::write(&path, whole).expect("a writable file");
    built.is_sound();
}

#[test]
fn files_that_are_cut_gone_or_too_many_are_found() {
    let built = Built::of(&edition(0));
    for path in files(&built.live()) {
        let whole = fs::read(&path).expect("a file");
        if let Some((_, shorter)) = whole.split_last() {
            fs::write(&path, shorter).expect("a writable file");
            names(&built, &path, "the end");
        }
        fs::remove_file(&path).expect("a writable folder");
        names(&built, &path, "the absence");
        fs::write(&path, whole).expect("a writable folder");
    }
    let stray = built.live().join("Location/stray.bin");
    fs::write(&stray, b"x").expect("a writable folder");
    names(&built, &stray, "the presence");
    fs::remove_file(stray).expect("a writable folder");
    built.is_sound();
}

#[test]
fn a_generation_under_another_name_is_found() {
    let built = Built::of(&edition(0));
    let other = built.index.join("generations/other");
    fs::rename(built.live(), &other).expect("a writable folder");
    fs::write(built.index.join("CURRENT"), "other\n").expect("a writable index");
    let said = said(&built);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(
        said[0].contains("generation other: the manifest there says"),
        "{said:?}"
    );
}

#[test]
fn without_an_index_there_is_nothing_to_verify() {
    let built = Built::empty();
    let error = verify(&built.index).expect_err("nothing there");
    assert!(error.to_string().contains("holds no index yet"), "{error}");
}
