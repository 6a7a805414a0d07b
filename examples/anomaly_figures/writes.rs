//! Durable creates per second, each client waiting for its answer before the next.

use std::error::Error;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rorqual::anomaly::store::Write;
use rorqual::engine::DEFAULT_BASE_URL;

use crate::directory::{create, open};
use crate::latencies::Latencies;

/// Measures with so many clients.
pub fn measure(index: &Path, clients: u64, time: Duration) -> Result<(), Box<dyn Error>> {
    let (engine, store) = open(index)?;
    let all = Mutex::new(Latencies::default());
    let failure = Mutex::new(None);
    let before = store.status();
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for client in 0..clients {
            let (all, failure, store) = (&all, &failure, &store);
            scope.spawn(move || {
                let mut own = Latencies::default();
                while begun.elapsed() < time {
                    let asked = Instant::now();
                    let outcome = create(client).map(|change| {
                        store.write(Write {
                            changes: vec![change],
                            base_url: DEFAULT_BASE_URL.to_owned(),
                            view: None,
                        })
                    });
                    match outcome {
                        Ok(Ok(_)) => own.push(asked.elapsed()),
                        Ok(Err(failed)) => {
                            *failure.lock().unwrap_or_else(|lock| lock.into_inner()) =
                                Some(format!("{:?}", failed.refusal));
                            return;
                        }
                        Err(error) => {
                            *failure.lock().unwrap_or_else(|lock| lock.into_inner()) =
                                Some(error.to_string());
                            return;
                        }
                    }
                }
                let mut all = all.lock().unwrap_or_else(|lock| lock.into_inner());
                all.extend(own);
            });
        }
    });
    let took = begun.elapsed().as_secs_f64();
    if let Some(failure) = failure.into_inner()? {
        return Err(failure.into());
    }
    let mut all = all.into_inner()?;
    let after = store.status();
    let commits = (after.commits - before.commits).max(1);
    let (middle, tail) = all.middle_and_tail();
    println!(
        "{clients:>3} clients: {:>7.0} durable creates/s, {:>5.1} records per sync, median {middle:.2?}, p99 {tail:.2?}, mean sync and indexing {:.2?}",
        all.count() as f64 / took,
        (after.records - before.records) as f64 / commits as f64,
        Duration::from_micros((after.commit_micros - before.commit_micros) / commits),
    );
    let (segments, versions) = {
        let snapshot = engine.snapshot();
        (
            snapshot.overlay().segments().len(),
            snapshot.overlay().len(),
        )
    };
    println!("             {versions} versions in {segments} segments of the overlay at the end");
    Ok(())
}
