//! What parsing and compressing each record of an extract cost on one core, with the libraries in question.
//!
//! ```text
//! cargo run --release --manifest-path benches/stages/Cargo.toml -- EXTRACT_FOLDER [EVERY]
//! ```
//!
//! Takes one line in EVERY (10) of each `.ndjson` file, runs every stage five times over all of them and prints the least time.

mod tree;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Instant;

use libdeflater::{CompressionLvl, Compressor};
use serde::de::IgnoredAny;
use zlib_rs::{Deflate, DeflateFlush};

use crate::tree::Tree;

/// As a build has it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Larger than any record compressed.
const ROOM: usize = 32 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder?")?;
    let every = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let records = sample(Path::new(&folder), every)?;
    let bytes: usize = records.iter().map(Vec::len).sum();
    println!("{} records, {bytes} bytes", records.len());
    parsers(&records);
    compressors(&records)
}

fn sample(folder: &Path, every: usize) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut records = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "ndjson") {
            let text = fs::read(path)?;
            let lines = text.split(|byte| *byte == b'\n');
            let lines = lines.filter(|line| !line.is_empty()).step_by(every);
            records.extend(lines.map(<[u8]>::to_vec));
        }
    }
    Ok(records)
}

/// Runs a stage over all records; `run` answers how many bytes it made, none when it refused the record.
fn stage(name: &str, records: &[Vec<u8>], mut run: impl FnMut(&[u8]) -> Option<usize>) {
    let bytes: usize = records.iter().map(Vec::len).sum();
    let (mut best, mut made, mut refused) = (f64::INFINITY, 0, 0);
    for _ in 0..5 {
        (made, refused) = (0, 0);
        let began = Instant::now();
        for record in records {
            match run(record) {
                Some(bytes) => made += bytes,
                None => refused += 1,
            }
        }
        best = best.min(began.elapsed().as_secs_f64());
    }
    let rate = bytes as f64 / 1e6 / best;
    let ratio = match made {
        0 => String::new(),
        made => format!(", ratio {:.2}", bytes as f64 / made as f64),
    };
    println!("{name:32} {best:7.3} s {rate:6.0} MB/s{ratio}, {refused} refused");
}

fn parsers(records: &[Vec<u8>]) {
    let ran = |parsed: bool| parsed.then_some(0);
    stage("UTF-8 check", records, |record| {
        ran(std::str::from_utf8(record).is_ok())
    });
    stage("serde_json: passed over", records, |record| {
        ran(serde_json::from_slice::<IgnoredAny>(record).is_ok())
    });
    stage("serde_json: Value", records, |record| {
        ran(serde_json::from_slice::<serde_json::Value>(record).is_ok())
    });
    stage("Rorqual: Node", records, |record| {
        ran(rorqual_schema::Node::parse(record).is_ok())
    });
    stage("serde_json: a tree like Node", records, |record| {
        ran(serde_json::from_slice::<Tree<'_>>(record).is_ok())
    });
    stage("sonic-rs: a tree like Node", records, |record| {
        ran(sonic_rs::from_slice::<Tree<'_>>(record).is_ok())
    });
    stage("sonic-rs: Value", records, |record| {
        ran(sonic_rs::from_slice::<sonic_rs::Value>(record).is_ok())
    });
    // simd-json writes into what it reads: a record that is kept as received has to be copied for it.
    let (mut copy, mut buffers) = (Vec::new(), simd_json::Buffers::default());
    stage("simd-json: tape", records, |record| {
        copy.clear();
        copy.extend_from_slice(record);
        ran(simd_json::to_tape_with_buffers(&mut copy, &mut buffers).is_ok())
    });
    stage("simd-json: a tree like Node", records, |record| {
        copy.clear();
        copy.extend_from_slice(record);
        ran(simd_json::serde::from_slice_with_buffers::<Tree<'_>>(&mut copy, &mut buffers).is_ok())
    });
}

fn compressors(records: &[Vec<u8>]) -> Result<(), Box<dyn Error>> {
    let mut room = vec![0; ROOM];
    for level in [0, 1, 2, 3, 4, 5, 6, 9] {
        // As bodies are stored: each on its own, ended by a flush.
        let mut stream = Deflate::new(level, false, 15);
        stage(&format!("zlib-rs: level {level}"), records, |record| {
            stream.reset();
            let before = stream.total_out();
            match stream.compress(record, &mut room, DeflateFlush::SyncFlush) {
                Ok(_) => Some((stream.total_out() - before) as usize),
                Err(_) => None,
            }
        });
    }
    for level in [1, 2, 3, 6] {
        // Whole streams, each with its last block: no pieces that could be joined.
        let level_of = CompressionLvl::new(level).map_err(|_| "no such level")?;
        let mut compressor = Compressor::new(level_of);
        stage(&format!("libdeflate: level {level}"), records, |record| {
            compressor.deflate_compress(record, &mut room).ok()
        });
    }
    Ok(())
}
