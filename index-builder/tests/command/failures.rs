//! Sources that cannot be read to their end: the build fails with one sentence, the live index stays.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::extract::{bundle, lines, ndjson};
use crate::index::{Live, assert_no_debris};
use crate::process::{PROGRAM, build, finish};

/// Who has no rights of its own (`nobody` of Linux).
const NOBODY: u32 = 65534;

/// Asserts that building from `source` fails with a sentence of these parts and changes nothing.
fn fails(live: &Live, source: &Path, parts: &[&str]) {
    let path = source.to_string_lossy();
    build(&[source], &live.index)
        .fails_saying(parts)
        .fails_saying(&[&path]);
    live.is_untouched();
    assert_no_debris(&live.index);
}

#[test]
fn a_path_that_does_not_exist() {
    let live = Live::new();
    let missing = live.folder.path().join("missing.ndjson");
    fails(
        &live,
        &missing,
        &["cannot open", "No such file", "check the path"],
    );
}

#[test]
fn one_missing_path_among_good_ones() {
    let live = Live::new();
    let good = live.file("good.ndjson", &ndjson(&lines(20, "après")));
    let missing = live.folder.path().join("missing.ndjson");
    build(&[&good, &missing], &live.index).fails_saying(&["cannot open", "missing.ndjson"]);
    live.is_untouched();
}

#[test]
fn a_file_that_may_not_be_read() {
    let live = Live::new();
    let secret = live.file("secret.ndjson", &ndjson(&lines(20, "secret")));
    fs::set_permissions(&secret, Permissions::from_mode(0o000)).expect("own files");
    let index = live.folder.path().join("of-nobody");
    fs::create_dir(&index).expect("a writable folder");
    let mut command = Command::new(PROGRAM);
    // The rights of a file do not bind its superuser, so there the command runs as somebody without rights.
    if fs::metadata(live.folder.path()).expect("a folder").uid() == 0 {
        let program = live.folder.path().join("index-builder");
        fs::copy(PROGRAM, &program).expect("a writable folder");
        for path in [live.folder.path(), &program] {
            fs::set_permissions(path, Permissions::from_mode(0o755)).expect("own files");
        }
        std::os::unix::fs::chown(&index, Some(NOBODY), Some(NOBODY)).expect("own files");
        command = Command::new(program);
        command.uid(NOBODY).gid(NOBODY);
    }
    let path = secret.to_string_lossy().into_owned();
    command
        .arg("--extract")
        .arg(&secret)
        .arg("--index")
        .arg(&index);
    finish(&mut command).fails_saying(&[
        "cannot open",
        &path,
        "Permission denied",
        "check the path and that this user may read it",
    ]);
    assert!(!index.join("CURRENT").exists());
    live.is_untouched();
}

#[test]
fn a_file_that_fails_while_it_is_read() {
    let live = Live::new();
    // The first page of a process's memory is never mapped: opening works, reading is an I/O error.
    let broken = live.folder.path().join("broken.ndjson");
    symlink("/proc/self/mem", &broken).expect("a writable folder");
    fails(
        &live,
        &broken,
        &["reading", "failed at byte 0", "build again"],
    );
}

#[test]
fn a_name_that_says_nothing() {
    let live = Live::new();
    let odd = live.file("extract.dat", &ndjson(&lines(3, "x")));
    fails(&live, &odd, &["cannot tell what", "name it .ndjson"]);
}

#[test]
fn a_folder_without_anything_to_read() {
    let live = Live::new();
    let empty = live.folder.path().join("empty");
    fs::create_dir(&empty).expect("a writable folder");
    fails(
        &live,
        &empty,
        &["holds no .ndjson", "subfolders are not entered"],
    );
}

#[test]
fn archives_that_stop_or_lie() {
    let live = Live::new();
    let text = ndjson(&lines(200, "après"));
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&text).expect("memory is writable");
    let gzip = encoder.finish().expect("memory is writable");
    let zstd = zstd::encode_all(&text[..], 1).expect("memory is writable");
    let mut flipped = gzip.clone();
    let end = flipped.len() - 8;
    flipped[end] ^= 1; // the CRC of the content
    let cut = live.file("cut.ndjson.gz", &gzip[..gzip.len() / 2]);
    fails(
        &live,
        &cut,
        &["is cut short", "gzip", "transfer the file again"],
    );
    let cut = live.file("cut.ndjson.zst", &zstd[..zstd.len() / 2]);
    fails(
        &live,
        &cut,
        &["is cut short", "zstd", "transfer the file again"],
    );
    let damaged = live.file("flipped.ndjson.gz", &flipped);
    fails(
        &live,
        &damaged,
        &["is damaged", "gzip", "compare checksums"],
    );
    let lying = live.file("lying.ndjson.gz", b"PAR1 is no gzip");
    fails(
        &live,
        &lying,
        &["does not begin like one", "rename it if it is plain text"],
    );
    let zip = live.file("zip.ndjson", b"PK\x03\x04....");
    fails(&live, &zip, &["zip archive", "unpack it"]);
}

#[test]
fn documents_that_stop_or_lie() {
    let live = Live::new();
    let whole = bundle(&lines(20, "après"));
    let cut = live.file("cut.json", &whole[..whole.len() / 2]);
    fails(
        &live,
        &cut,
        &["is cut short", "inside a Bundle", "export it again"],
    );
    let utf16: Vec<u8> = [0xFF, 0xFE]
        .into_iter()
        .chain(whole.iter().flat_map(|&byte| [byte, 0]))
        .collect();
    let wide = live.file("wide.json", &utf16);
    fails(&live, &wide, &["UTF-16", "iconv"]);
    let array = live.file(
        "array.json",
        b"[{\"resourceType\":\"Location\",\"id\":\"a\"}]",
    );
    fails(&live, &array, &["JSON array", "jq -c"]);
}

#[test]
fn standard_input_cannot_be_given_twice() {
    let live = Live::new();
    build(&["-", "-"], &live.index).fails_saying(&["standard input (-) is given more than once"]);
    live.is_untouched();
}

#[test]
fn an_index_directory_that_cannot_be_made() {
    let live = Live::new();
    let source = live.file("x.ndjson", &ndjson(&lines(3, "x")));
    let below = source.join("index");
    let path = below.to_string_lossy().into_owned();
    build(&[&source], &below).fails_saying(&[&path, "Not a directory"]);
}

#[test]
fn a_schema_folder_that_cannot_be_used() {
    let live = Live::new();
    let source = live.file("x.ndjson", &ndjson(&lines(3, "x")));
    let schema = live.folder.path().join("schema");
    let attempt = || {
        let mut command = Command::new(PROGRAM);
        command.stdin(Stdio::null()).arg("--extract").arg(&source);
        command
            .arg("--index")
            .arg(&live.index)
            .arg("--schema")
            .arg(&schema);
        finish(&mut command)
    };
    attempt().fails_saying(&["schema"]);
    fs::create_dir(&schema).expect("a writable folder");
    fs::write(
        schema.join("wrong.json"),
        b"{\"resourceType\":\"SearchParameter\",",
    )
    .expect("a writable folder");
    attempt().fails_saying(&["wrong.json"]);
    live.is_untouched();
}
