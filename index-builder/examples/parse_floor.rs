//! How long it takes merely to read and parse an extract, with the threads of a build: the floor under building.
//!
//! ```text
//! cargo run --release -p index-builder --example parse_floor -- 2 fixtures/extract
//! ```
//!
//! With `--value` behind it only into `serde_json::Value`, so that what the process used is told by the system.

use std::error::Error;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use index_builder::input::{Inputs, Item, Limits};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let threads: usize = arguments.next().ok_or("how many threads?")?.parse()?;
    let (alone, paths): (Vec<String>, Vec<String>) =
        arguments.partition(|argument| argument == "--value");
    let paths: Vec<PathBuf> = paths.into_iter().map(PathBuf::from).collect();
    let mut parsers = vec![("serde_json::Value", value as fn(&[u8]) -> bool)];
    if alone.is_empty() {
        parsers.push(("Rorqual's tree", node));
    }
    for (name, parse) in parsers {
        let began = Instant::now();
        let (bytes, parsed) = run(threads, &paths, parse)?;
        let seconds = began.elapsed().as_secs_f64();
        let rate = bytes as f64 / 1e6 / seconds;
        println!("{name}: {parsed} records, {seconds:.2} s, {rate:.0} MB/s");
    }
    Ok(())
}

fn value(record: &[u8]) -> bool {
    serde_json::from_slice::<serde_json::Value>(record).is_ok()
}

fn node(record: &[u8]) -> bool {
    rorqual_schema::Node::parse(record).is_ok()
}

/// Reads everything on this thread while others parse; answers how many bytes and usable records there were.
fn run(
    threads: usize,
    paths: &[PathBuf],
    parse: fn(&[u8]) -> bool,
) -> Result<(u64, usize), Box<dyn Error>> {
    let inputs = Inputs::discover(paths)?;
    let (sender, receiver) = crossbeam_channel::bounded::<Vec<Item>>(2 * threads);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                let receiver = receiver.clone();
                scope.spawn(move || {
                    let records = receiver.iter().flatten();
                    records
                        .filter(|item| match item {
                            Item::Record(record) => parse(&record.bytes),
                            Item::Reject { .. } => false,
                        })
                        .count()
                })
            })
            .collect();
        drop(receiver);
        let summary = inputs.read(
            &Limits::default(),
            &AtomicU64::new(0),
            &mut |batch| match sender.send(batch) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            },
        )?;
        drop(sender);
        let mut parsed = 0;
        for worker in workers {
            parsed += worker.join().map_err(|_| "a worker panicked")?;
        }
        Ok((summary.decompressed_bytes, parsed))
    })
}
