//! What cannot be opened is refused with one sentence that names the file and the next step.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rorqual::index::FORMAT_VERSION;
use rorqual::index::manifest::MANIFEST;
use rorqual::{Engine, FormatError};
use serde_json::{Value, json};

use crate::built::Built;
use crate::extract::edition;

/// A sound index, built once.
fn sound() -> &'static Built {
    static SOUND: OnceLock<Built> = OnceLock::new();
    SOUND.get_or_init(|| Built::of(&edition(0)))
}

/// Opens a copy after `change`, which answers the path that the sentence must name, and asserts that it is
/// refused, before and with an engine that was open already.
fn refused(change: impl FnOnce(&Built) -> PathBuf, parts: &[&str]) -> FormatError {
    let copy = sound().copy();
    let path = change(&copy);
    let error = Engine::open(&copy.index)
        .err()
        .expect("a broken index must not open");
    let sentence = error.to_string();
    assert!(
        sentence.contains(&path.display().to_string()),
        "{} is not in: {sentence}",
        path.display()
    );
    for part in parts {
        assert!(sentence.contains(part), "{part:?} is not in: {sentence}");
    }
    assert_eq!(sentence.lines().count(), 1, "{sentence}");
    error
}

fn change_manifest(path: &Path, change: impl FnOnce(&mut Value)) {
    let text = fs::read(path).expect("a manifest");
    let mut manifest: Value = serde_json::from_slice(&text).expect("a manifest is JSON");
    change(&mut manifest);
    fs::write(path, manifest.to_string()).expect("a writable index");
}

fn cut(path: &Path, keep: impl FnOnce(u64) -> u64) {
    let length = fs::metadata(path).expect("a file").len();
    let file = OpenOptions::new()
        .write(true)
        .open(path)
        .expect("a writable file");
    file.set_len(keep(length)).expect("a writable file");
}

#[test]
fn another_format_version() {
    let error = refused(
        |copy| {
            let path = copy.live().join(MANIFEST);
            // Of another version, the rest may look like anything.
            fs::write(
                &path,
                json!({"formatVersion": 999, "files": "elsewhere"}).to_string(),
            )
            .expect("a writable index");
            path
        },
        &[
            "format version 999",
            &format!("this program reads {FORMAT_VERSION}"),
            "rebuild the index with the index-builder of this release",
        ],
    );
    assert!(
        matches!(
            error,
            FormatError::Version {
                found: 999,
                expected: FORMAT_VERSION,
                ..
            }
        ),
        "{error:?}"
    );
}

#[test]
fn a_pack_of_another_format_version() {
    let error = refused(
        |copy| {
            let path = copy.live().join("Location/index.pack");
            let mut bytes = fs::read(&path).expect("a pack");
            bytes[8..12].copy_from_slice(&7u32.to_le_bytes());
            fs::write(&path, bytes).expect("a writable index");
            path
        },
        &["format version 7", "rebuild the index"],
    );
    assert!(
        matches!(error, FormatError::Version { found: 7, .. }),
        "{error:?}"
    );
}

#[test]
fn a_schema_that_is_not_the_one_built_with() {
    let schema = |copy: &Built| copy.live().join("schema.json");
    refused(
        |copy| {
            change_manifest(&copy.live().join(MANIFEST), |manifest| {
                manifest["schemaDigest"] = json!("0123")
            });
            schema(copy)
        },
        &["the manifest says 0123", "rebuild the index"],
    );
    refused(
        |copy| {
            fs::write(schema(copy), "{}").expect("a writable index");
            schema(copy)
        },
        &["rebuild the index"],
    );
    refused(
        |copy| {
            fs::remove_file(schema(copy)).expect("a writable index");
            schema(copy)
        },
        &[
            "it is missing",
            "restore it from a copy or rebuild the index",
        ],
    );
}

#[test]
fn missing_files() {
    for name in [
        MANIFEST,
        "Location/index.pack",
        "HealthcareService/bodies.dat",
        "Task/index.pack",
    ] {
        refused(
            |copy| {
                let path = copy.live().join(name);
                fs::remove_file(&path).expect("a writable index");
                path
            },
            &[
                "it is missing",
                "restore it from a copy or rebuild the index",
            ],
        );
    }
}

#[test]
fn a_missing_folder_of_full_text() {
    refused(
        |copy| {
            let path = copy.live().join("Organization/text");
            fs::remove_dir_all(&path).expect("a writable index");
            path
        },
        &["restore it from a copy or rebuild the index"],
    );
    refused(
        |copy| {
            let path = copy.live().join("Organization/text");
            for entry in fs::read_dir(&path).expect("a folder") {
                fs::remove_file(entry.expect("an entry").path()).expect("a writable index");
            }
            path
        },
        &["restore it from a copy or rebuild the index"],
    );
}

#[test]
fn a_missing_resource_type() {
    refused(
        |copy| {
            let path = copy.live().join("Location");
            fs::remove_dir_all(&path).expect("a writable index");
            path
        },
        &["it is missing", "rebuild the index"],
    );
}

#[test]
fn truncated_files() {
    let lengths: [fn(u64) -> u64; 6] = [
        |_| 0,
        |_| 11,
        |_| 64,
        |length| length / 2,
        |length| length - 33,
        |length| length - 1,
    ];
    for keep in lengths {
        for name in ["Location/index.pack", "PractitionerRole/index.pack"] {
            refused(
                |copy| {
                    let path = copy.live().join(name);
                    cut(&path, keep);
                    path
                },
                &["is damaged", "restore it from a copy or rebuild the index"],
            );
        }
        refused(
            |copy| {
                let path = copy.live().join("Location/bodies.dat");
                cut(&path, keep);
                path
            },
            &[
                "is damaged",
                "its length is not the recorded one",
                "rebuild the index",
            ],
        );
        refused(
            |copy| {
                let path = copy.live().join(MANIFEST);
                cut(&path, keep);
                path
            },
            &["is damaged", "restore it from a copy or rebuild the index"],
        );
    }
}

#[test]
fn a_catalog_with_another_byte() {
    refused(
        |copy| {
            let path = copy.live().join("Location/index.pack");
            let mut bytes = fs::read(&path).expect("a pack");
            let at = bytes.len() - 40;
            bytes[at] ^= 1;
            fs::write(&path, bytes).expect("a writable index");
            path
        },
        &[
            "its catalog does not match its checksum",
            "rebuild the index",
        ],
    );
}

#[test]
fn no_index_at_all() {
    let built = Built::empty();
    let error = Engine::open(&built.index).err().expect("nothing to open");
    assert!(
        matches!(&error, FormatError::NoGeneration { path } if *path == built.index),
        "{error:?}"
    );
    assert!(
        error
            .to_string()
            .contains("build one with: index-builder --extract PATH --index"),
        "{error}"
    );
}

#[test]
fn a_live_name_without_its_generation() {
    refused(
        |copy| {
            let path = copy.live().join(MANIFEST);
            fs::remove_dir_all(copy.live()).expect("a writable index");
            path
        },
        &[
            "it is missing",
            "restore it from a copy or rebuild the index",
        ],
    );
}

#[test]
fn a_new_generation_that_cannot_be_opened_leaves_the_old_one_answering() {
    let copy = sound().copy();
    let engine = copy.engine();
    let before = engine.generation_id();
    copy.rebuild(&edition(1));
    let pack = copy.live().join("Location/index.pack");
    let whole = fs::read(&pack).expect("a pack");
    fs::write(&pack, &whole[..whole.len() / 2]).expect("a writable index");
    for _ in 0..3 {
        let error = engine.refresh().expect_err("the new generation is broken");
        assert!(
            error.to_string().contains(&pack.display().to_string()),
            "{error}"
        );
        assert_eq!(engine.generation_id(), before);
        let answer = engine
            .search("HealthcareService?_count=0")
            .expect("the old one answers");
        assert_eq!(answer.total, crate::extract::offers(0) as u64);
    }
    // Restored, it is taken.
    fs::write(&pack, &whole).expect("a writable index");
    assert!(engine.refresh().expect("the new generation is whole"));
    let answer = engine
        .search("HealthcareService?_count=0")
        .expect("the new one answers");
    assert_eq!(answer.total, crate::extract::offers(1) as u64);
}
