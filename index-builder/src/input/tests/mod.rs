//! The whole reading path, from stored bytes to items, on good input and on bad.
#![allow(clippy::unwrap_used)]

mod pieces;
mod sources;
mod texts;

use std::fs;
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use flate2::write::GzEncoder;

use super::batch::Batcher;
use super::discover::{Named, Place};
use super::read::read_stream;
use super::*;

fn unnamed() -> Source {
    Source {
        place: Place::StandardInput,
        label: Arc::from("in"),
        size: None,
        named: Named::default(),
    }
}

fn named(name: &str) -> Source {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, "").unwrap();
    Inputs::discover(&[path]).unwrap().sources[0].clone()
}

fn read_with(
    stored: impl Read,
    source: &Source,
    limits: &Limits,
) -> Result<(Vec<Item>, SourceSummary), InputError> {
    let mut items = Vec::new();
    let mut sink = |batch: Vec<Item>| {
        assert!(!batch.is_empty());
        items.extend(batch);
        ControlFlow::Continue(())
    };
    let mut out = Batcher::new(limits.batch_bytes, &mut sink);
    let summary = read_stream(stored, source, None, limits, &AtomicU64::new(0), &mut out)?;
    out.flush();
    Ok((items, summary))
}

fn read_named(name: &str, text: &[u8]) -> Result<Vec<Item>, InputError> {
    read_with(text, &named(name), &Limits::default()).map(|(items, _)| items)
}

fn read(text: impl AsRef<[u8]>) -> Result<Vec<Item>, InputError> {
    read_with(text.as_ref(), &unnamed(), &Limits::default()).map(|(items, _)| items)
}

/// Each item as `line[/entry]:text`, or the code of its reject.
fn brief(items: &[Item]) -> Vec<String> {
    items
        .iter()
        .map(|item| {
            let (origin, text) = match item {
                Item::Record(record) => (
                    &record.origin,
                    String::from_utf8(record.bytes.clone()).unwrap(),
                ),
                Item::Reject { origin, reason, .. } => (origin, format!("!{}", reason.code())),
            };
            match origin.entry {
                Some(entry) => format!("{}/{entry}:{text}", origin.line),
                None => format!("{}:{text}", origin.line),
            }
        })
        .collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 1).unwrap()
}

const PRETTY: &str = r#"{
  "resourceType": "Bundle",
  "type": "collection",
  "meta": {"entry": [{"resource": {"id": "not me"}}]},
  "entry": [
    {
      "fullUrl": "urn:x",
      "resource": { "id": "a", "t": "}]{[ \" \\" }
    },
    { "search": {"resource": {"id": "nor me"}}, "resource": {"entry": [{"resource": {}}]} },
    { "fullUrl": "urn:empty" },
    7
  ],
  "total": 4
}
"#;
