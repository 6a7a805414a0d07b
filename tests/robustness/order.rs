//! Ordinals depend on the extract only: not on the order of its lines, nor on how the work is shared out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rorqual::{Engine, ResourceType};
use serde_json::json;

use crate::built::Built;

/// The small real extract, read back from an index of it, and a few organisations in a circle.
fn lines() -> Vec<String> {
    let built = Built::empty();
    let extract = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/extract");
    built
        .build(vec![extract], |_| {})
        .unwrap_or_else(|error| panic!("{error}"));
    let engine: Engine = built.engine();
    let generation = engine.generation();
    let mut lines = Vec::new();
    for kind in ResourceType::ALL {
        let directory = generation.directory(kind);
        for ordinal in 0..directory.len() {
            let body = directory.bodies().body(ordinal).expect("a stored body");
            lines.push(String::from_utf8(body.to_vec()).expect("UTF-8"));
        }
    }
    assert!(lines.len() > 5_000, "only {} resources", lines.len());
    for (id, above) in [
        ("c1", "c2"),
        ("c2", "c3"),
        ("c3", "c1"),
        ("c4", "c4"),
        ("c5", "c2"),
    ] {
        let organization = json!({"resourceType": "Organization", "id": id, "name": "Ronde",
            "partOf": {"reference": format!("Organization/{above}")}});
        lines.push(organization.to_string());
    }
    lines
}

/// Puts lines in another order (Fisher and Yates; SplitMix64).
fn shuffle(lines: &mut [String], seed: u64) {
    let mut state = seed;
    for at in (1..lines.len()).rev() {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        lines.swap(at, ((mixed ^ (mixed >> 31)) % (at as u64 + 1)) as usize);
    }
}

/// Bodies and structures of the live generation.
fn structures(built: &Built) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    for kind in ResourceType::ALL {
        for file in ["bodies.dat", "index.pack"] {
            let path = built.live().join(kind.name()).join(file);
            out.insert(
                format!("{kind}/{file}"),
                fs::read(path).expect("a file of the generation"),
            );
        }
    }
    out
}

#[test]
fn shuffled_lines_and_other_threads_give_the_same_bytes() {
    let mut lines = lines();
    let built = Built::empty();
    built.rebuild_with(&lines, |options| options.threads = 1);
    let expected = structures(&built);
    for (seed, threads, batch_bytes) in [(1, 1, 1 << 20), (2, 2, 1 << 14), (3, 5, 1 << 12)] {
        shuffle(&mut lines, seed);
        built.rebuild_with(&lines, |options| {
            options.threads = threads;
            options.limits.batch_bytes = batch_bytes;
        });
        for (name, bytes) in structures(&built) {
            assert!(
                bytes == expected[&name],
                "{name} differs (seed {seed}, {threads} threads): {} bytes for {}",
                bytes.len(),
                expected[&name].len()
            );
        }
    }
    built.is_sound();
}
