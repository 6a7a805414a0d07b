//! `rorqual explain`: the plan of a search.

use std::io::Write;
use std::process::ExitCode;

use rorqual::Engine;
use rorqual::query::explain::Depth;

use super::{Failure, Index};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    index: Index,
    /// Prints the plan as JSON
    #[arg(long)]
    json: bool,
    /// Estimates only: nothing is executed
    #[arg(long)]
    plan: bool,
    /// The search: `Type?parameter=value&…`, raw or percent-encoded
    #[arg(value_name = "SEARCH")]
    search: String,
}

/// Prints the plan as a table, or as JSON.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let engine = Engine::open(&arguments.index.directory)?;
    let depth = if arguments.plan {
        Depth::Plan
    } else {
        Depth::Analyze
    };
    let explanation = engine.explain(&arguments.search, depth)?;
    let mut out = std::io::stdout().lock();
    if arguments.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&explanation)?)?;
    } else {
        write!(out, "{}", explanation.to_text())?;
    }
    Ok(ExitCode::SUCCESS)
}
