//! Files, folders, archives and disks, sound or not.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use super::*;

#[test]
fn compression_goes_by_content() {
    let text = "{\"a\":1}\n{\"a\":2}\n";
    let mut two_members = gzip(b"{\"a\":1}\n");
    two_members.extend(gzip(b"{\"a\":2}\n"));
    let mut two_frames = zstd(b"{\"a\":1}\n");
    two_frames.extend([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9]);
    two_frames.extend(zstd(b"{\"a\":2}\n"));
    for (stored, compression) in [
        (text.as_bytes().to_vec(), Compression::None),
        (gzip(text.as_bytes()), Compression::Gzip),
        (two_members, Compression::Gzip),
        (zstd(text.as_bytes()), Compression::Zstd),
        (two_frames, Compression::Zstd),
    ] {
        for name in ["a.ndjson", "a.ndjson.gz", "a.jsonl.zst"] {
            let source = named(name);
            let (items, summary) = read_with(&stored[..], &source, &Limits::default()).unwrap();
            assert_eq!(brief(&items), ["1:{\"a\":1}", "2:{\"a\":2}"]);
            assert_eq!(summary.compression, compression);
            assert_eq!(summary.raw_bytes, stored.len() as u64);
            assert_eq!(summary.decompressed_bytes, text.len() as u64);
        }
        let (items, _) = read_with(&stored[..], &unnamed(), &Limits::default()).unwrap();
        assert_eq!(items.len(), 2);
    }
    let bundle = gzip(PRETTY.as_bytes());
    assert_eq!(read(bundle).unwrap().len(), 4);
}

#[test]
fn a_cut_archive_fails_wherever_it_is_cut() {
    let text = "{\"a\":\"bcdefgh\"}\n".repeat(50);
    for stored in [gzip(text.as_bytes()), zstd(text.as_bytes())] {
        for cut in 6..stored.len() {
            let error = read(&stored[..cut]).unwrap_err();
            assert!(
                matches!(error, InputError::TruncatedCompression { offset, .. } if offset == cut as u64),
                "cut at {cut}: {error}"
            );
        }
        for cut in 0..4 {
            let result = read_named("a.ndjson.gz", &stored[..cut]);
            assert!(result.is_err(), "cut at {cut}: {result:?}");
        }
    }
}

#[test]
fn a_damaged_archive_fails() {
    let text = "{\"a\":\"bcdefgh\"}\n".repeat(50);
    let mut stored = gzip(text.as_bytes());
    let checksum = stored.len() - 8;
    stored[checksum] ^= 1;
    assert!(matches!(
        read(&stored),
        Err(InputError::CorruptCompression { .. })
    ));
    let error = read(b"PK\x03\x04zip").unwrap_err().to_string();
    assert!(error.contains("zip"), "{error}");
    let error = read_named("a.json.gz", b"<html>").unwrap_err();
    assert!(matches!(error, InputError::NotCompressed { .. }), "{error}");
}

#[test]
fn a_sink_that_breaks_ends_the_reading() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.ndjson", "b.ndjson"] {
        fs::write(folder.path().join(name), "{}\n".repeat(10)).unwrap();
    }
    let limits = Limits {
        batch_bytes: 1,
        ..Limits::default()
    };
    let mut batches = 0;
    let summary = Inputs::discover(&[folder.path().to_owned()])
        .unwrap()
        .read(&limits, &AtomicU64::new(0), &mut |_| {
            batches += 1;
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(batches, 1);
    assert!(summary.stopped);
    assert_eq!(summary.sources.len(), 1);
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn a_folder_of_mixed_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write(root, "3.ndjson", b"{\"n\":3}\n");
    write(root, "2.json.gz", &gzip(PRETTY.as_bytes()));
    let first = write(root, "1.NDJSON.zst", &zstd(b"{\"n\":1}\n"));
    write(root, "4.jsonl", b"");
    write(root, "README.md", b"not data");
    write(root, ".hidden.json", b"{");
    fs::create_dir(root.join("deeper")).unwrap();

    let inputs = Inputs::discover(&[root.to_owned(), first]).unwrap();
    let stored: u64 = inputs.sources().iter().filter_map(Source::size).sum();
    assert_eq!(inputs.total_bytes(), Some(stored));
    let consumed = AtomicU64::new(0);
    let mut items = Vec::new();
    let summary = inputs
        .read(&Limits::default(), &consumed, &mut |batch| {
            items.extend(batch);
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(consumed.load(Ordering::Relaxed), stored);
    assert_eq!(summary.raw_bytes, stored);
    assert_eq!((summary.records, summary.rejects), (4, 2));
    let brief = brief(&items);
    assert_eq!(brief[0], "1:{\"n\":1}");
    assert_eq!(brief[5], "1:{\"n\":3}");
    let ignored: Vec<&str> = summary
        .ignored
        .iter()
        .map(|ignored| ignored.path.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(
        ignored,
        [".hidden.json", "README.md", "deeper", "1.NDJSON.zst"]
    );
    assert_eq!(summary.warnings.len(), 1, "{:?}", summary.warnings);
    assert!(summary.warnings[0].contains("4.jsonl"));
    assert!(!summary.stopped);
}

#[test]
fn paths_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let discover = |paths: &[PathBuf]| Inputs::discover(paths).unwrap_err().to_string();
    assert!(discover(&[]).contains("--extract"));
    let missing = discover(&[root.join("missing.ndjson")]);
    assert!(missing.contains("missing.ndjson"), "{missing}");
    let unknown = discover(&[write(root, "notes.txt", b"")]);
    assert!(
        unknown.contains("notes.txt") && unknown.contains(".ndjson"),
        "{unknown}"
    );
    let empty = discover(&[root.to_owned()]);
    assert!(empty.contains("holds no .ndjson"), "{empty}");
    let twice = discover(&["-".into(), "-".into()]);
    assert!(twice.contains("more than once"), "{twice}");
    let inputs = Inputs::discover(&["-".into()]).unwrap();
    assert_eq!(inputs.total_bytes(), None);
}

#[cfg(unix)]
#[test]
fn a_file_that_may_not_be_opened_fails_before_reading() {
    // Permission bits do not bind root, a link to nothing does.
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "1.ndjson", b"{}\n");
    std::os::unix::fs::symlink("/nonexistent/x", folder.path().join("2.ndjson")).unwrap();
    let error = Inputs::discover(&[folder.path().to_owned()]).unwrap_err();
    assert!(matches!(error, InputError::Unreadable { .. }), "{error}");
    assert!(error.to_string().contains("2.ndjson"), "{error}");
}

struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::from_raw_os_error(5))
    }
}

#[test]
fn a_disk_that_fails_is_not_taken_for_a_damaged_archive() {
    let stored = gzip("{}\n".repeat(1000).as_bytes());
    let half = stored.len() / 2;
    let error = read_with(
        (&stored[..half]).chain(Failing),
        &unnamed(),
        &Limits::default(),
    )
    .unwrap_err();
    assert!(
        matches!(error, InputError::Io { offset, .. } if offset == half as u64),
        "{error}"
    );
}
