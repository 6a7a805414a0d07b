//! How long searches take, alone and beside a writer at full speed.

use std::error::Error;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rorqual::Engine;
use rorqual::anomaly::store::{Store, Write};
use rorqual::engine::DEFAULT_BASE_URL;

use crate::directory::{create, open};
use crate::latencies::Latencies;

/// Clients that together are a writer at full speed.
const CLIENTS: u64 = 16;
/// Anomalies that are there before anything is measured.
const BEFORE: u64 = 10_000;

/// Searches that meet anomalies.
pub const SEARCHES: [&str; 3] = [
    "Task?business-status=02&_sort=-_lastUpdated&_count=20",
    "HealthcareService?specialty=3&_has:Task:focus:business-status=02&_count=20",
    "HealthcareService?specialty=3&_count=20&_revinclude=Task:focus",
];

/// Measures alone, then beside a writer.
pub fn measure(index: &Path, time: Duration) -> Result<(), Box<dyn Error>> {
    let (engine, store) = open(index)?;
    for offer in 0..BEFORE / 100 {
        let changes = (0..100).map(|next| create((offer * 100 + next) % 200));
        submit(&store, changes.collect::<Result<_, _>>()?)?;
    }
    while engine.join_segments()? {}
    println!("searches over {BEFORE} unfolded anomalies, alone:");
    each(&engine, time)?;
    let (stop, written, failed) = (
        AtomicBool::new(false),
        AtomicU64::new(0),
        AtomicBool::new(false),
    );
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (store, stop, written, failed) = (&store, &stop, &written, &failed);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let done = create(client).and_then(|change| submit(store, vec![change]));
                    if done.is_err() {
                        failed.store(true, Ordering::Relaxed);
                        return;
                    }
                    written.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        println!("the same beside {CLIENTS} clients that write without a pause:");
        let measured = each(&engine, time);
        stop.store(true, Ordering::Relaxed);
        measured
    })?;
    if failed.load(Ordering::Relaxed) {
        return Err("a write failed meanwhile".into());
    }
    println!(
        "    {:.0} creates/s were acknowledged meanwhile",
        written.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Measures each search for its share of `time`.
pub fn each(engine: &Engine, time: Duration) -> Result<(), Box<dyn Error>> {
    for search in SEARCHES {
        let mut latencies = Latencies::default();
        let begun = Instant::now();
        while begun.elapsed() < time / SEARCHES.len() as u32 {
            let asked = Instant::now();
            engine.search(search).map_err(|error| error.to_string())?;
            latencies.push(asked.elapsed());
        }
        let (middle, tail) = latencies.middle_and_tail();
        println!("    median {middle:>9.1?}  p99 {tail:>9.1?}  {search}");
    }
    Ok(())
}

fn submit(
    store: &Store,
    changes: Vec<rorqual::anomaly::store::Change>,
) -> Result<(), Box<dyn Error>> {
    let outcome = store.write(Write {
        changes,
        base_url: DEFAULT_BASE_URL.to_owned(),
        view: None,
    });
    outcome.map_err(|failed| format!("{:?}", failed.refusal))?;
    Ok(())
}
