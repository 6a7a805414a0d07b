//! The `index-builder` command.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use index_builder::crew::parse_memory;
use index_builder::{BuildOptions, Delta, build};

/// Parsing makes and drops millions of small vectors on every core.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Turns a FHIR R4 extract of the ROR into a search index and makes it live.
///
/// Reads NDJSON files and JSON Bundles, plain or compressed with gzip or zstd, folders of them, and standard
/// input. Resource types may come in any order. The new index replaces the live one by an atomic rename; a
/// running `rorqual serve` picks it up by itself.
#[derive(Parser)]
#[command(name = "index-builder", version = rorqual::version::VERSION.as_str(), after_help = AFTER)]
struct Arguments {
    /// What to read: a file, a folder of files, or - for standard input. May be repeated
    #[arg(long, value_name = "PATH", num_args = 1.., required_unless_present_any = ["delta", "withdrawn"])]
    extract: Vec<PathBuf>,
    /// Starts from the live index: PATH holds only the records that have changed since. Same forms as --extract
    #[arg(long, value_name = "PATH", num_args = 1.., conflicts_with = "extract")]
    delta: Vec<PathBuf>,
    /// With or without --delta: a file that lists the resources withdrawn since, one Type/id a line
    #[arg(long, value_name = "FILE", conflicts_with = "extract")]
    withdrawn: Option<PathBuf>,
    /// Leaves out of the index what a later --delta starts from
    #[arg(long)]
    no_delta_support: bool,
    /// The index directory; created when absent
    #[arg(long, value_name = "DIR")]
    index: PathBuf,
    /// A folder of SearchParameter resources (JSON) added to the built-in ones; one for the same type and code replaces it
    #[arg(long, value_name = "DIR")]
    schema: Option<PathBuf>,
    /// Zone of dates that name none, in data and in requests: an IANA name [default: Europe/Paris]
    #[arg(long, value_name = "NAME")]
    time_zone: Option<String>,
    /// Threads that parse and write [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: Option<u16>,
    /// Memory for what is gathered, such as "512 MiB", shared by all threads: what does not fit waits in files beside the index
    #[arg(long, value_name = "SIZE", default_value = "256 MiB", value_parser = parse_memory)]
    memory: u64,
    /// Older generations to keep beside the live one
    #[arg(long, value_name = "N", default_value_t = 1)]
    keep: usize,
    /// Access policy whose redacted views are built beside the full index: a TOML file, `national`, or `none`
    #[arg(long, value_name = "FILE")]
    access: Option<PathBuf>,
    /// Share of rejected records, in per cent, above which the build fails and the live index stays
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0, value_parser = percent)]
    reject_percent: f64,
    /// Leaves the new index as a candidate instead of making it live; `rorqual publish` does that later
    #[arg(long)]
    candidate: bool,
    /// Prints the report as JSON on standard output and shows no progress
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "\
Exit codes:
  0  done
  1  failed; the live index is untouched
  2  wrong usage
  3  done, but some records were rejected: the report names the file that says which and why

Examples:
  index-builder --extract extract/ --index /var/lib/rorqual
  index-builder --delta changed.ndjson --withdrawn gone.txt --index /var/lib/rorqual
  zstdcat extract.ndjson.zst | index-builder --extract - --index /var/lib/rorqual --json";

fn percent(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(value) if (0.0..=100.0).contains(&value) => Ok(value),
        _ => Err("expected a number from 0 to 100".to_owned()),
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let defaults = BuildOptions::default();
    let is_delta = arguments.extract.is_empty();
    let options = BuildOptions {
        extract: if is_delta {
            arguments.delta
        } else {
            arguments.extract
        },
        delta: is_delta.then_some(Delta {
            withdrawn: arguments.withdrawn,
        }),
        keep_gathered: !arguments.no_delta_support,
        index: arguments.index,
        schema: arguments.schema,
        time_zone: arguments.time_zone,
        memory: arguments.memory,
        threads: arguments.threads.map_or(defaults.threads, usize::from),
        keep: arguments.keep,
        access: arguments.access,
        reject_percent: arguments.reject_percent,
        candidate: arguments.candidate,
        quiet: arguments.json,
        limits: defaults.limits,
    };
    match build(&options) {
        Ok(report) => {
            let text = match arguments.json {
                true => {
                    serde_json::to_string_pretty(&report).unwrap_or_else(|error| error.to_string())
                }
                false => report.to_string(),
            };
            // The index is live whether or not somebody reads the report.
            let _ = writeln!(std::io::stdout(), "{text}");
            if report.rejected > 0 {
                ExitCode::from(3)
            } else {
                ExitCode::SUCCESS
            }
        }
        Err(error) => {
            eprintln!("index-builder: {error}");
            ExitCode::from(1)
        }
    }
}
