//! `rorqual verify`: is every byte of a generation what was written?

use std::io::Write;
use std::process::ExitCode;

use rorqual::verify::{verify, verify_generation};

use super::{Failure, Index};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    index: Index,
    /// The generation to check [default: the live one]
    #[arg(long, value_name = "ID")]
    generation: Option<String>,
    /// Prints the findings as JSON
    #[arg(long)]
    json: bool,
}

/// Prints what was checked and what is wrong; fails when anything is.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let index = &arguments.index.directory;
    let found = match &arguments.generation {
        Some(id) => verify_generation(index, id)?,
        None => verify(index)?,
    };
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&found)?)?;
    } else {
        writeln!(out, "Generation {}", found.generation)?;
        writeln!(
            out,
            "  {} files, {} bytes, {} resources checked",
            found.files, found.bytes, found.resources
        )?;
        for fault in &found.faults {
            writeln!(out, "  {fault}")?;
        }
    }
    if found.faults.is_empty() {
        if !arguments.json {
            writeln!(out, "  sound")?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    Err(format!(
        "{} faults: restore generation {} from a copy, or rebuild it with index-builder",
        found.faults.len(),
        found.generation
    )
    .into())
}
