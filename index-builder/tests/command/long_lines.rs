//! A line of 50 MB is refused, and memory does not grow with it.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::extract::{lines, ndjson};
use crate::index::{Live, assert_sound};
use crate::process::build;

const LINE: usize = 50 << 20;
/// One resource may take 16 MiB, whose buffer doubles as it grows: this much more than without the long line.
const ALLOWED_GROWTH: u64 = 40 << 20;

/// A well-formed Location whose name makes it as long as said, written between good lines.
fn extract_with(path: &Path, long: Option<usize>, between: (&str, &str, &str)) -> PathBuf {
    let (before, separator, after) = between;
    let mut file = BufWriter::new(File::create(path).expect("a writable folder"));
    let good = lines(60, "long");
    let mut write = |text: &[u8]| file.write_all(text).expect("a writable folder");
    write(before.as_bytes());
    for (number, line) in good.iter().enumerate() {
        if number > 0 {
            write(separator.as_bytes());
        }
        write(line.as_bytes());
        if let (Some(length), 100) = (long, number) {
            write(separator.as_bytes());
            let (head, tail) = (
                r#"{"resourceType":"Location","id":"long","name":""#,
                r#""}"#,
            );
            write(head.as_bytes());
            for _ in 0..(length - head.len() - tail.len()) / 8 {
                write(b"longlong");
            }
            let left = (length - head.len() - tail.len()) % 8;
            write(&b"longlong"[..left]);
            write(tail.as_bytes());
        }
    }
    write(after.as_bytes());
    path.to_owned()
}

fn peak(report: &Value) -> u64 {
    report["peak_resident_bytes"]
        .as_u64()
        .expect("the system tells the peak of resident memory")
}

fn is_refused_in_bounded_memory(name: &str, between: (&str, &str, &str)) {
    let live = Live::new();
    let path = live.folder.path().join(name);
    let without = build(&[extract_with(&path, None, between)], &live.index).exits(0);
    let with = build(&[extract_with(&path, Some(LINE), between)], &live.index).exits(3);
    let report = with.report();
    assert_eq!(report["rejected"], 1);
    assert_eq!(report["types"]["Location"]["indexed"], 60);
    let told = std::fs::read_to_string(report["reject_file"].as_str().expect("a reject file"))
        .expect("a reject file");
    let told: Value = serde_json::from_str(&told).expect("one line of JSON");
    assert_eq!(told["code"], "too-long");
    let sentence = format!("the record is {LINE} bytes long, the limit is {}", 16 << 20);
    assert_eq!(told["reason"], sentence);
    let excerpt = told["excerpt"].as_str().expect("an excerpt");
    assert!(
        excerpt.starts_with(r#"{"resourceType":"Location","id":"long""#),
        "{excerpt}"
    );
    assert!(excerpt.len() < 500, "{}", excerpt.len());
    assert_sound(&live.index);
    let (without, with) = (peak(&without.report()), peak(&report));
    assert!(
        with < without + ALLOWED_GROWTH,
        "{with} bytes were resident with the long line, {without} without"
    );
}

#[test]
fn as_a_line() {
    is_refused_in_bounded_memory("long.ndjson", ("", "\n", "\n"));
}

#[test]
fn as_an_entry_of_a_bundle() {
    let before = r#"{"resourceType":"Bundle","type":"collection","entry":[{"resource":"#;
    is_refused_in_bounded_memory("long.json", (before, r#"},{"resource":"#, "}]}"));
}

#[test]
fn a_line_without_end_to_it_is_refused_too() {
    let live = Live::new();
    let mut text = ndjson(&lines(60, "long"));
    text.resize(text.len() + LINE, b' ');
    let spaces = text.len();
    text.extend_from_slice(b"x");
    let source = live.file("unended.ndjson", &text);
    let report = build(&[source], &live.index).exits(3).report();
    assert_eq!(report["rejected"], 1);
    assert_eq!(report["bytes_read"], spaces + 1);
}
