//! What the anomaly log does on this disk: durable appends per second, and how long a log takes to open and to replay.
//!
//! ```text
//! cargo run --release -p rorqual-anomaly --example log_figures -- FOLDER [RECORDS [PAYLOAD_BYTES [SECONDS]]]
//! ```
//!
//! `FOLDER` is made and must not exist: it is on the disk to be measured. `RECORDS` (1,000,000) of `PAYLOAD_BYTES` (1,500)
//! are replayed; appending is measured for `SECONDS` (5) with each number of records per commit.

use std::error::Error;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::{Duration, Instant};

use rorqual_anomaly::log::{Folder, Log, LogOptions, LogReader};

/// Records in one commit: one client alone, then as many as wait at once when clients write together.
const BATCHES: [u64; 3] = [1, 8, 64];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: log_figures FOLDER [RECORDS [PAYLOAD_BYTES [SECONDS]]]";
    let folder = arguments.next().ok_or(usage)?;
    let mut number = |otherwise: u64| match arguments.next() {
        Some(text) => text.parse().map_err(|_| usage),
        None => Ok(otherwise),
    };
    let (records, bytes, seconds) = (number(1_000_000)?, number(1_500)?, number(5)?);
    let folder = Path::new(&folder);
    std::fs::create_dir(folder)?;
    let payload: Vec<u8> = (b' '..=b'~').cycle().take(bytes as usize).collect();

    for batch in BATCHES {
        append(
            &folder.join(format!("appends-{batch}")),
            &payload,
            batch,
            Duration::from_secs(seconds),
        )?;
    }
    replay(&folder.join("replay"), &payload, records)?;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// Commits of `batch` records, one after the other, for `time`.
fn append(place: &Path, payload: &[u8], batch: u64, time: Duration) -> Result<(), Box<dyn Error>> {
    let (mut log, _) = Log::open(Folder::create(place)?, LogOptions::default(), 0)?;
    let mut took = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < time {
        let commit = Instant::now();
        for _ in 0..batch {
            log.append(payload)?;
        }
        log.commit()?;
        took.push(commit.elapsed());
    }
    let whole = begin.elapsed().as_secs_f64();
    took.sort_unstable();
    let at = |part: f64| took.get((part * (took.len() - 1) as f64) as usize).copied();
    println!(
        "{batch:>3} records per commit: {:>8.0} durable records/s, {:>6.0} commits/s, commit median {:?}, p99 {:?}",
        log.status().last as f64 / whole,
        took.len() as f64 / whole,
        at(0.5).unwrap_or_default(),
        at(0.99).unwrap_or_default(),
    );
    Ok(())
}

/// Writes `records`, then opens the log again and reads it in both ways.
fn replay(place: &Path, payload: &[u8], records: u64) -> Result<(), Box<dyn Error>> {
    let (mut log, _) = Log::open(Folder::create(place)?, LogOptions::default(), 0)?;
    let begin = Instant::now();
    while log.status().last < records {
        for _ in 0..1024.min(records - log.status().last) {
            log.append(payload)?;
        }
        log.commit()?;
    }
    let status = log.status();
    println!(
        "{records} records of {} bytes in {} segments, {} MB, written in {:.1?}",
        payload.len(),
        status.segments,
        status.bytes / 1_000_000,
        begin.elapsed()
    );
    drop(log);

    let begin = Instant::now();
    let (log, recovery) = Log::open(Folder::existing(place)?, LogOptions::default(), 0)?;
    println!("open, every checksum checked: {:.2?}", begin.elapsed());
    let mut read = 0;
    let begin = Instant::now();
    let _ = log.replay(0, |_, payload| {
        read += payload.len() as u64;
        ControlFlow::<()>::Continue(())
    })?;
    println!(
        "replay of {} records: {:.2?}",
        recovery.records,
        begin.elapsed()
    );

    let begin = Instant::now();
    let _ = LogReader::open(Folder::existing(place)?)?.replay(0, |_, payload| {
        read += payload.len() as u64;
        ControlFlow::<()>::Continue(())
    })?;
    println!("a reader beside the writer: {:.2?}", begin.elapsed());
    if read != 2 * records * payload.len() as u64 {
        return Err("not everything was read".into());
    }
    Ok(())
}
