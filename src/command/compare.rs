//! `rorqual compare`: may a candidate go live?

use std::path::PathBuf;
use std::process::ExitCode;

use rorqual::comparison::{Rules, compare};

use super::{Failure, Index};

/// Compares a candidate with the live generation: counts by type and region, rejects, dangling references, and the totals
/// of chosen searches. Exit code 4 when something is not within the tolerances.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    index: Index,
    /// The generation to compare with the live one
    #[arg(long, value_name = "ID")]
    generation: String,
    /// A TOML file of tolerances and canary searches; deploy/comparison.toml describes each key [default: its defaults]
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Print the comparison as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    /// Within no tolerance.
    const REFUSED: u8 = 4;
    let rules = match &arguments.rules {
        Some(path) => read(path)?,
        None => Rules::default(),
    };
    let found = compare(&arguments.index.directory, &arguments.generation, &rules)?;
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&found)?);
    } else {
        print!("{found}");
    }
    Ok(match found.refusals.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::from(REFUSED),
    })
}

fn read(path: &std::path::Path) -> Result<Rules, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        format!(
            "{}: {error}; give a readable file to --rules",
            path.display()
        )
    })?;
    let rules: Rules =
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
    rules
        .check()
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(rules)
}
