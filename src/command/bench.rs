//! `rorqual bench`: how long searches take in the library, without HTTP.

use std::hint::black_box;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rorqual::Engine;

use super::{Failure, Index};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    index: Index,
    /// A file of searches, one `Type?…` a line; empty lines and those that begin with # are skipped
    #[arg(long, value_name = "FILE")]
    queries: Option<PathBuf>,
    /// Runs of each search that are measured, after a tenth as many to warm up
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    runs: u32,
    /// Stops measuring a search after this many milliseconds
    #[arg(long, value_name = "MS", default_value_t = 3_000)]
    budget: u64,
}

/// Typical searches: one criterion, several, a text, an identifier, an interval with includes.
const TYPICAL: &str = include_str!("../../benches/typical.txt");

/// Prints a table: median, 99th percentile, matches and bytes of each search.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let text = match &arguments.queries {
        Some(path) => {
            std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => TYPICAL.to_owned(),
    };
    let begun = Instant::now();
    let engine = Engine::open(&arguments.index.directory)?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "opened generation {} in {:.1} ms",
        engine.generation_id(),
        begun.elapsed().as_secs_f64() * 1e3
    )?;
    writeln!(
        out,
        "{:>10}  {:>10}  {:>9}  {:>10}  search",
        "median µs", "p99 µs", "matches", "bytes"
    )?;
    for search in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        match measure(&engine, search, arguments) {
            Ok(measured) => writeln!(
                out,
                "{:>10.1}  {:>10.1}  {:>9}  {:>10}  {search}",
                measured.median.as_secs_f64() * 1e6,
                measured.p99.as_secs_f64() * 1e6,
                measured.matches,
                measured.bytes
            )?,
            Err(error) => writeln!(
                out,
                "{:>10}  {:>10}  {:>9}  {:>10}  {search}: {error}",
                "-", "-", "-", "-"
            )?,
        }
    }
    Ok(ExitCode::SUCCESS)
}

struct Measured {
    median: Duration,
    p99: Duration,
    matches: u64,
    bytes: u64,
}

fn measure(
    engine: &Engine,
    search: &str,
    arguments: &Arguments,
) -> Result<Measured, rorqual::SearchError> {
    let first = engine.search(search)?;
    for _ in 0..arguments.runs / 10 {
        black_box(engine.search(search)?);
    }
    let begun = Instant::now();
    let mut times = Vec::with_capacity(arguments.runs as usize);
    for _ in 0..arguments.runs {
        let at = Instant::now();
        black_box(engine.search(search)?);
        times.push(at.elapsed());
        if begun.elapsed() > Duration::from_millis(arguments.budget) {
            break;
        }
    }
    times.sort_unstable();
    let of = |share: f64| {
        times
            .get(((times.len() - 1) as f64 * share) as usize)
            .copied()
            .unwrap_or_default()
    };
    Ok(Measured {
        median: of(0.5),
        p99: of(0.99),
        matches: first.total,
        bytes: first.length,
    })
}
