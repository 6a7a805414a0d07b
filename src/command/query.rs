//! `rorqual query`: one search, its Bundle on standard output.

use std::io::Write;
use std::process::ExitCode;

use rorqual::outcome::operation_outcome;
use rorqual::{Engine, EngineOptions};

use super::{Failure, Index};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    index: Index,
    /// Base of the URLs in the answer
    #[arg(long, value_name = "URL", default_value = rorqual::engine::DEFAULT_BASE_URL)]
    base_url: String,
    /// The search: `Type?parameter=value&…`, raw or percent-encoded
    #[arg(value_name = "SEARCH")]
    search: String,
}

/// Prints the Bundle, or the OperationOutcome that says why there is none.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let options = EngineOptions {
        base_url: arguments.base_url.trim_end_matches('/').to_owned(),
        ..EngineOptions::default()
    };
    let engine = Engine::open_with(&arguments.index.directory, options)?;
    let mut out = std::io::stdout().lock();
    match engine.search(&arguments.search) {
        Ok(answer) if answer.pretty => {
            let bundle: serde_json::Value = serde_json::from_slice(&answer.to_vec())?;
            serde_json::to_writer_pretty(&mut out, &bundle)?;
            out.write_all(b"\n")?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(answer) => {
            for chunk in &answer.chunks {
                out.write_all(chunk)?;
            }
            out.write_all(b"\n")?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            out.write_all(&operation_outcome(error.issues()))?;
            out.write_all(b"\n")?;
            eprintln!("rorqual: {error}");
            Ok(ExitCode::from(1))
        }
    }
}
