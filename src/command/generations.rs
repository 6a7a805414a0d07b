//! `rorqual generations`: what is on disk, and what of it is live.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use rorqual::index::kept::{Standing, kept};

use super::{Failure, Index};

#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    index: Index,
    /// Print the list as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let index = &arguments.index.directory;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&kept(index)?)?);
    } else {
        list(index, |_| true)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the generations of which `wanted` is true, newest first; answers how many.
pub(super) fn list(index: &Path, wanted: impl Fn(Standing) -> bool) -> Result<usize, Failure> {
    let mut out = std::io::stdout().lock();
    let mut count = 0;
    for one in kept(index)?.into_iter().filter(|one| wanted(one.standing)) {
        count += 1;
        let standing = match one.standing {
            Standing::Live => "live",
            Standing::Kept => "kept",
            Standing::Candidate => "candidate",
            Standing::Debris => "debris",
        };
        write!(out, "{}  {standing:9}", one.generation)?;
        if let Some(fault) = &one.fault {
            writeln!(out, "  {fault}")?;
            continue;
        }
        let counts: Vec<String> = one
            .counts
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        writeln!(out, "  {}  {}", one.created, one.built_by)?;
        if one.base != one.generation {
            writeln!(out, "    directory of {}", one.base)?;
        }
        writeln!(out, "    {}", counts.join(", "))?;
    }
    Ok(count)
}
