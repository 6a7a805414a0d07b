//! `rorqual fold`: brings the log of anomalies into a new generation.

use std::process::ExitCode;

use rorqual::anomaly::fold::fold;

use super::Failure;

/// Brings the log of anomalies into a new generation and makes it live.
///
/// A server may run meanwhile: it goes over to the new generation by itself, keeps what is written during the fold in its
/// log, and removes what was folded. Folding what is folded changes nothing.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    index: super::Index,
    /// How many older folded generations stay on disk; those built from an extract all do
    #[arg(long, value_name = "N", default_value_t = 1)]
    keep: usize,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let report = fold(&arguments.index.directory, arguments.keep)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(ExitCode::SUCCESS);
    }
    if !report.folded {
        println!(
            "Nothing to fold: generation {} holds every anomaly written",
            report.generation
        );
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "Generation {} is live: {} records folded in {:.1} s",
        report.generation,
        report.records,
        report.milliseconds as f64 / 1e3
    );
    println!(
        "Anomalies {}, of which {} new and {} changed",
        report.anomalies, report.created, report.changed
    );
    Ok(ExitCode::SUCCESS)
}
