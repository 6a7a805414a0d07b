//! `rorqual publish`: a candidate goes live.

use std::path::Path;
use std::process::ExitCode;

use rorqual::anomaly::takeover::{TakeoverError, TakeoverOptions, TakeoverReport, publish};
use rorqual::verify::verify_generation;

use super::{Failure, Index};

/// Makes a candidate live: a generation that `index-builder --candidate` has left.
///
/// Anomalies that were written or folded since it was built are brought over. Every byte is checked before, and a candidate
/// with a fault does not go live.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    index: Index,
    /// The candidate; `rorqual generations` lists it
    #[arg(long, value_name = "ID")]
    generation: String,
    /// How many builds before it stay on disk
    #[arg(long, value_name = "N", default_value_t = 1)]
    keep: usize,
    #[command(flatten)]
    manner: Manner,
}

/// How a generation goes live, whichever it is.
#[derive(clap::Args)]
pub(super) struct Manner {
    /// Goes on although access profiles lose the view that they see
    #[arg(long)]
    pub(super) without_views: bool,
    /// Goes without the check of every byte before: for after a `rorqual verify`
    #[arg(long)]
    pub(super) unverified: bool,
    /// Print the report as JSON
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let index = &arguments.index.directory;
    let id = &arguments.generation;
    let options = TakeoverOptions {
        keep: arguments.keep,
        without_views: arguments.manner.without_views,
    };
    let there = rorqual::index::candidate::all(index)?.contains(id);
    if !arguments.manner.unverified && there {
        sound(index, id)?;
    }
    let report = publish(index, id, options).map_err(Failed::from)?;
    tell(&report, arguments.manner.json)?;
    Ok(ExitCode::SUCCESS)
}

/// Why nothing went live.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failed {
    /// The generation is not what was written.
    #[error("generation {id} has {faults} faults, the first: {first}; it does not go live")]
    Unsound {
        id: String,
        faults: usize,
        first: String,
    },
    /// The takeover's own reasons.
    #[error("{0}; what was live stays live")]
    Takeover(#[from] TakeoverError),
}

/// Checks every byte of a generation.
pub(super) fn sound(index: &Path, id: &str) -> Result<(), Failure> {
    let found = verify_generation(index, id)?;
    match found.faults.first() {
        None => Ok(()),
        Some(first) => Err(Failed::Unsound {
            id: id.to_owned(),
            faults: found.faults.len(),
            first: first.clone(),
        }
        .into()),
    }
}

/// Prints what a takeover did.
pub(super) fn tell(report: &TakeoverReport, json: bool) -> Result<(), Failure> {
    if json {
        println!("{}", serde_json::to_string_pretty(report)?);
        return Ok(());
    }
    print!("Generation {} is live", report.generation);
    if report.from != report.generation {
        print!(", with the directory of {}", report.from);
    }
    println!(": {:.1} s", report.milliseconds as f64 / 1e3);
    println!(
        "Anomalies {}, of which {} brought over",
        report.anomalies, report.carried
    );
    Ok(())
}
