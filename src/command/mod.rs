//! The subcommands of `rorqual`, and what the shell is told.

mod bench;
mod check_config;
mod compare;
mod explain;
mod fold;
mod generations;
mod publish;
mod query;
mod rollback;
mod serve;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Searches the French directory of health offers (ROR) straight from a memory-mapped index.
///
/// An index is made by `index-builder`. `serve` puts it behind FHIR R4 over HTTP; `query` asks it without a server.
#[derive(Parser)]
#[command(name = "rorqual", version = rorqual::version::VERSION.as_str(), after_help = AFTER)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const AFTER: &str = "\
Exit codes:
  0  done
  1  failed
  2  wrong usage
  4  compared, and refused: a candidate is not within the tolerances

Examples:
  rorqual serve  --index .index
  rorqual check-config --config rorqual.toml
  rorqual query  --index .index 'HealthcareService?specialty=013&_count=5'
  rorqual explain --index .index 'HealthcareService?organization.type:above=355'
  rorqual verify --index .index";

#[derive(Subcommand)]
enum Command {
    /// Answers FHIR searches over HTTP
    Serve(serve::Arguments),
    /// Reads a configuration file and the certificates it names, and prints what would apply
    CheckConfig(check_config::Arguments),
    /// Prints the Bundle that a search finds
    Query(query::Arguments),
    /// Shows how a search is executed: structures, estimates, counts, times
    Explain(explain::Arguments),
    /// Brings the log of anomalies into a new generation
    Fold(fold::Arguments),
    /// Lists the generations on disk: the live one, those that were, and candidates
    Generations(generations::Arguments),
    /// Makes the directory of an earlier generation live again, and loses no anomaly
    Rollback(rollback::Arguments),
    /// Compares a candidate with the live generation
    Compare(compare::Arguments),
    /// Makes a candidate live
    Publish(publish::Arguments),
    /// Checks every checksum and cross-reference of a generation
    Verify(verify::Arguments),
    /// Measures searches in the library, without HTTP
    Bench(bench::Arguments),
}

/// The index directory, common to all subcommands.
#[derive(clap::Args)]
struct Index {
    /// The index directory
    #[arg(long = "index", value_name = "DIR")]
    directory: PathBuf,
}

/// Runs the command line.
pub fn run() -> ExitCode {
    let done = match Arguments::parse().command {
        Command::Serve(arguments) => serve::run(arguments),
        Command::CheckConfig(arguments) => check_config::run(&arguments),
        Command::Query(arguments) => query::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Fold(arguments) => fold::run(&arguments),
        Command::Generations(arguments) => generations::run(&arguments),
        Command::Rollback(arguments) => rollback::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Publish(arguments) => publish::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("rorqual: {error}");
            ExitCode::from(1)
        }
    }
}

/// Why a subcommand failed; its text is for the terminal.
type Failure = Box<dyn std::error::Error>;
