//! What the store of anomalies does on this machine and disk: durable creates, searches beside a writer at full speed,
//! and opening and folding a long log.
//!
//! ```text
//! cargo run --release --example anomaly_figures -- FOLDER [TASKS [SECONDS [OFFERS]]]
//! ```
//!
//! `FOLDER` is made and must not exist: it is on the disk to be measured. The log that is opened and folded holds `TASKS`
//! (1,000,000); each measurement of a rate or of latencies takes `SECONDS` (5); the directory has `OFFERS` (20,000). A small
//! run, `FOLDER 1000 1 200`, takes seconds.

mod directory;
mod latencies;
mod memory;
mod recovery;
mod searches;
mod writes;

use std::error::Error;
use std::path::Path;
use std::time::Duration;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: anomaly_figures FOLDER [TASKS [SECONDS [OFFERS]]]";
    let folder = arguments.next().ok_or(usage)?;
    let mut number = |otherwise: u64| match arguments.next() {
        Some(text) => text.parse().map_err(|_| usage),
        None => Ok(otherwise),
    };
    let (tasks, seconds, offers) = (number(1_000_000)?, number(5)?, number(20_000)?);
    let time = Duration::from_secs(seconds);
    let folder = Path::new(&folder);
    std::fs::create_dir(folder)?;

    directory::build(&folder.join("writes"), offers)?;
    for clients in [1, 64] {
        writes::measure(&folder.join("writes"), clients, time)?;
    }
    directory::build(&folder.join("searches"), offers)?;
    searches::measure(&folder.join("searches"), time)?;
    directory::build(&folder.join("recovery"), offers)?;
    recovery::measure(&folder.join("recovery"), tasks, offers)?;

    std::fs::remove_dir_all(folder)?;
    Ok(())
}
