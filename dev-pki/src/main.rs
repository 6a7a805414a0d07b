//! The `dev-pki` command.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Parser;
use rorqual_dev_pki::{DevPki, PkiError, folder};

/// Makes a public-key infrastructure for demonstrations and tests: a root, an intermediate, a server for this machine,
/// a client per access profile, and clients that a server must refuse.
///
/// Not for production: the keys are written in the clear.
#[derive(Parser)]
#[command(
    name = "dev-pki",
    version,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong usage.\n\nExample:\n  dev-pki .pki\n  rorqual serve --index .index --config .pki/rorqual.toml\n  curl --cacert .pki/root.pem --cert .pki/clients/profile-1.pem --key .pki/clients/profile-1.key https://localhost:8443/fhir/metadata"
)]
struct Arguments {
    /// Folder to write to; made if missing, files of the same names are replaced
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(count) => {
            println!("{count} files");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("dev-pki: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<usize, PkiError> {
    let pki = DevPki::new(SystemTime::now())?;
    folder::write(&pki, &arguments.folder).map(|files| files.len())
}
