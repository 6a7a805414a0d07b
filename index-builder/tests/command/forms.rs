//! Whatever form an extract comes in, the index is the same to the byte.

use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;

use crate::extract::{bundle, lines, ndjson, type_of};
use crate::index::{answers, assert_no_debris, structures};
use crate::process::{Finished, build, build_from_input};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory is writable");
    encoder.finish().expect("memory is writable")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).expect("memory is writable")
}

/// The extract, and an index of it built from one plain NDJSON file.
struct Plain {
    folder: TempDir,
    lines: Vec<String>,
    index: PathBuf,
}

impl Plain {
    fn new() -> Plain {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let lines = lines(60, "forme");
        let index = folder.path().join("plain");
        let plain = Plain {
            folder,
            lines,
            index,
        };
        let source = plain.write("plain.ndjson", &ndjson(&plain.lines));
        plain.counts(&build(&[source], &plain.index).exits(0));
        plain
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
        std::fs::write(&path, bytes).expect("a writable folder");
        path
    }

    fn other(&self) -> PathBuf {
        self.folder.path().join("other")
    }

    fn counts(&self, finished: &Finished) -> Value {
        let report = finished.report();
        let offers = &report["types"]["HealthcareService"];
        assert_eq!(
            (&offers["read"], &offers["indexed"]),
            (&60.into(), &60.into())
        );
        assert_eq!(report["rejected"], 0);
        report
    }

    /// Asserts that `finished` made an index that differs from the plain one in nothing.
    fn is_matched_by(&self, finished: &Finished, index: &Path) -> Value {
        let report = self.counts(finished);
        for (name, bytes) in structures(&self.index) {
            assert!(structures(index)[&name] == bytes, "{name} differs");
        }
        assert_eq!(answers(index), answers(&self.index));
        assert_no_debris(index);
        report
    }

    fn file_matches(&self, name: &str, bytes: &[u8], shape: &str, compression: &str) {
        let source = self.write(name, bytes);
        let other = self.other();
        let report = self.is_matched_by(&build(&[&source], &other).exits(0), &other);
        let read = &report["sources"][0];
        assert_eq!(read["shape"], shape, "{name}");
        assert_eq!(read["compression"], compression, "{name}");
        assert_eq!(read["raw_bytes"], bytes.len(), "{name}");
    }
}

#[test]
fn compressed_files_and_bundles_give_the_index_of_the_plain_file() {
    let plain = Plain::new();
    let (text, document) = (ndjson(&plain.lines), bundle(&plain.lines));
    let half = ndjson(&plain.lines[..70]).len();
    let members = [gzip(&text[..half]), gzip(&text[half..])].concat();
    plain.file_matches("a.ndjson.gz", &gzip(&text), "ndjson", "gzip");
    plain.file_matches("b.ndjson.gz", &members, "ndjson", "gzip");
    plain.file_matches("c.ndjson.zst", &zstd(&text), "ndjson", "zstd");
    plain.file_matches("d.json", &document, "documents", "none");
    plain.file_matches("e.json.gz", &gzip(&document), "documents", "gzip");
}

#[test]
fn a_byte_order_mark_other_line_ends_and_blank_lines_change_nothing() {
    let plain = Plain::new();
    let joined = |end: &str| plain.lines.join(end).into_bytes();
    let marked = [b"\xEF\xBB\xBF".to_vec(), joined("\n")].concat();
    let all = [
        b"\xEF\xBB\xBF\r\n\r\n".to_vec(),
        joined("\r\n \t\r\n\n"),
        b"\r\n\n".to_vec(),
    ]
    .concat();
    plain.file_matches("mark.ndjson", &marked, "ndjson", "none");
    plain.file_matches("crlf.ndjson", &joined("\r\n"), "ndjson", "none");
    plain.file_matches("all.ndjson", &all, "ndjson", "none");
    plain.file_matches("unended.ndjson", &joined("\n"), "ndjson", "none");
}

#[test]
fn standard_input_gives_the_index_of_the_plain_file() {
    let plain = Plain::new();
    let (text, document) = (ndjson(&plain.lines), bundle(&plain.lines));
    for bytes in [
        &text,
        &gzip(&text),
        &zstd(&text),
        &document,
        &gzip(&document),
    ] {
        let other = plain.other();
        let finished = build_from_input(bytes, &other).exits(0);
        let report = plain.is_matched_by(&finished, &other);
        assert_eq!(report["sources"][0]["name"], "standard input");
    }
}

#[test]
fn a_folder_of_everything_gives_the_index_of_the_plain_file() {
    let plain = Plain::new();
    let of = |kind: &str| -> Vec<String> {
        let mine = plain.lines.iter().filter(|line| type_of(line) == kind);
        mine.cloned().collect()
    };
    // Referring types come before what they refer to.
    plain.write(
        "mixed/1-roles.json.gz",
        &gzip(&bundle(&of("PractitionerRole"))),
    );
    plain.write(
        "mixed/2-offers.ndjson.zst",
        &zstd(&ndjson(&of("HealthcareService"))),
    );
    plain.write(
        "mixed/3-places.ndjson",
        of("Location").join("\r\n").as_bytes(),
    );
    plain.write(
        "mixed/4-organizations.jsonl.gz",
        &gzip(&ndjson(&of("Organization"))),
    );
    plain.write("mixed/5-persons.json", &bundle(&of("Practitioner")));
    plain.write("mixed/notes.txt", b"not an extract");
    let (folder, other) = (plain.folder.path().join("mixed"), plain.other());
    let report = plain.is_matched_by(&build(&[&folder], &other).exits(0), &other);
    assert_eq!(report["sources"].as_array().map(Vec::len), Some(5));
    let ignored = report["ignored"][0]["path"].as_str().expect("a path");
    assert!(ignored.ends_with("mixed/notes.txt"), "{ignored}");
}

#[test]
fn several_paths_are_one_extract() {
    let plain = Plain::new();
    let (first, second) = plain.lines.split_at(90);
    let sources = [
        plain.write("second.ndjson", &ndjson(second)),
        plain.write("first.json", &bundle(first)),
    ];
    let other = plain.other();
    plain.is_matched_by(&build(&sources, &other).exits(0), &other);
}
