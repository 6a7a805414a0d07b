//! Pieces of any size: the same items, in bounded memory.

use std::io;

use proptest::prelude::*;

use super::*;
use crate::input::document::DocumentSplitter;
use crate::input::line_split::LineSplitter;

/// A reader that gives its bytes in pieces of the sizes asked for, in turn.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: std::iter::Cycle<std::vec::IntoIter<usize>>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.next().unwrap().min(buffer.len());
        let (now, later) = self.bytes.split_at(size.min(self.bytes.len()));
        buffer[..now.len()].copy_from_slice(now);
        self.bytes = later;
        Ok(now.len())
    }
}

/// The pieces of a text of 50 MB that is never in memory as a whole.
fn fifty_megabytes(mut push: impl FnMut(&[u8]) -> usize) -> usize {
    let piece = vec![b'x'; 64 << 10];
    (0..800).map(|_| push(&piece)).max().unwrap()
}

#[test]
fn a_line_of_fifty_megabytes_is_a_reject_in_bounded_memory() {
    let limit = 1 << 20;
    let mut items = Vec::new();
    let mut sink = |batch: Vec<Item>| {
        items.extend(batch);
        ControlFlow::Continue(())
    };
    let mut out = Batcher::new(1, &mut sink);
    let mut lines = LineSplitter::new(Arc::from("in"), limit, None);
    lines.push(b"{\"a\":1}\n", &mut out);
    let most = fifty_megabytes(|piece| {
        lines.push(piece, &mut out);
        lines.held()
    });
    lines.push(b"\n{\"a\":3}\n", &mut out);
    lines.finish(&mut out);
    assert!(most <= 2 * limit, "held {most} bytes");
    assert!(lines.held() <= EXCERPT_BYTES);
    assert_eq!(brief(&items), ["1:{\"a\":1}", "2:!too-long", "3:{\"a\":3}"]);
    let Item::Reject {
        reason, excerpt, ..
    } = &items[1]
    else {
        panic!("{items:?}");
    };
    assert_eq!(
        reason.to_string(),
        "the record is 52428800 bytes long, the limit is 1048576"
    );
    assert_eq!(excerpt.as_slice(), [b'x'; EXCERPT_BYTES]);
}

#[test]
fn an_entry_of_fifty_megabytes_is_a_reject_in_bounded_memory() {
    let limit = 1 << 20;
    let mut items = Vec::new();
    let mut sink = |batch: Vec<Item>| {
        items.extend(batch);
        ControlFlow::Continue(())
    };
    let mut out = Batcher::new(1, &mut sink);
    let mut documents = DocumentSplitter::new(Arc::from("in"), limit);
    documents
        .push(b"{\"entry\":[{\"resource\":{\"a\":\"", &mut out)
        .unwrap();
    let most = fifty_megabytes(|piece| {
        documents.push(piece, &mut out).unwrap();
        documents.held()
    });
    documents
        .push(b"\"}},{\"resource\":{}}]}", &mut out)
        .unwrap();
    documents.finish(&mut out).unwrap();
    assert!(most <= 2 * limit, "held {most} bytes");
    assert_eq!(brief(&items), ["1/0:!too-long", "1/1:{}"]);
}

fn any_value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i32>().prop_map(Into::into),
        "[a-z\"\\\\{}\\[\\],:\n\u{e9}]{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec(("entry|resource|[a-z\"\\\\]{0,4}", inner), 0..4)
                .prop_map(|pairs| serde_json::Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn bundle(resources: &[serde_json::Value], pretty: bool) -> String {
    let entries: Vec<_> = resources
        .iter()
        .map(|resource| serde_json::json!({"fullUrl": "urn:\"x", "resource": resource}))
        .collect();
    let bundle =
        serde_json::json!({"link": [{"entry": [1]}], "entry": entries, "resourceType": "Bundle"});
    if pretty {
        serde_json::to_string_pretty(&bundle).unwrap()
    } else {
        bundle.to_string()
    }
}

/// Runs both splitters by hand: the buffer of `read_stream` would put small pieces together again.
fn split(text: &[u8], sizes: &[usize], lines: bool, limit: usize) -> Vec<Item> {
    let mut items = Vec::new();
    let mut sink = |batch: Vec<Item>| {
        items.extend(batch);
        ControlFlow::Continue(())
    };
    let mut out = Batcher::new(100, &mut sink);
    let mut line_splitter = LineSplitter::new(Arc::from("in"), limit, None);
    let mut document_splitter = DocumentSplitter::new(Arc::from("in"), limit);
    let mut rest = text;
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, later) = rest.split_at((*size).min(rest.len()));
        rest = later;
        if lines {
            line_splitter.push(piece, &mut out);
        } else {
            document_splitter.push(piece, &mut out).unwrap();
        }
    }
    if lines {
        line_splitter.finish(&mut out);
    } else {
        document_splitter.finish(&mut out).unwrap();
    }
    out.flush();
    items
}

proptest! {
    #[test]
    fn a_bundle_gives_its_resources_back(
        resources in prop::collection::vec(any_value(), 0..6),
        pretty: bool,
        sizes in prop::collection::vec(1_usize..40, 1..8),
    ) {
        let text = bundle(&resources, pretty);
        let (items, _) = read_with(
            Pieces { bytes: text.as_bytes(), sizes: sizes.clone().into_iter().cycle() },
            &unnamed(),
            &Limits::default(),
        ).unwrap();
        prop_assert_eq!(items.len(), resources.len());
        for (item, resource) in items.iter().zip(&resources) {
            let Item::Record(record) = item else { panic!("{item:?}") };
            let parsed: serde_json::Value = serde_json::from_slice(&record.bytes).unwrap();
            prop_assert_eq!(&parsed, resource);
        }
    }

    #[test]
    fn the_pieces_do_not_change_the_items(
        resources in prop::collection::vec(any_value(), 0..6),
        pretty: bool,
        limit in 0_usize..200,
        sizes in prop::collection::vec(1_usize..40, 1..8),
    ) {
        let text = bundle(&resources, pretty);
        for lines in [true, false] {
            prop_assert_eq!(
                split(text.as_bytes(), &sizes, lines, limit),
                split(text.as_bytes(), &[usize::MAX], lines, limit)
            );
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused_without_panic(
        bytes in prop::collection::vec(prop::sample::select(b"{}[]\",:\\ \nntre0\xEF\xFF".as_slice()), 0..80),
    ) {
        let _ = read(&bytes);
        let mut text = b"{\"resourceType\":\"Bundle\",".to_vec();
        text.extend(&bytes);
        let _ = read(&text);
        // Lines never fail, and every line that is not blank is an item.
        let lines = bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.trim_ascii().is_empty())
            .count();
        prop_assert_eq!(split(&bytes, &[7], true, 1000).len(), lines);
    }
}
