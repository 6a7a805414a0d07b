//! `rorqual serve`: FHIR searches, and writes of anomalies, over HTTP until told to stop.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use rorqual::server::{Served, ServerConfig, serve, termination};

use super::{Failure, Index};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    index: Index,
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// URL under which clients reach the server [default: http://ADDR/fhir]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// A TOML file with everything else; docs/rorqual.example.toml describes each key
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Serves until SIGTERM or SIGINT, then finishes what runs.
pub fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    log();
    let mut config = match &arguments.config {
        Some(path) => ServerConfig::from_file(path)?,
        None => ServerConfig::default(),
    };
    if let Some(listen) = arguments.listen {
        config.listen = listen;
    }
    if let Some(base_url) = arguments.base_url {
        config.base_url = Some(base_url);
    }
    config.check()?;
    let served = Served::open(&arguments.index.directory, &config)?;
    tracing::info!(generation = served.engine().generation_id(), "index open");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async {
        let stop = termination()?;
        serve(served, config, stop, |bound| {
            eprintln!("listening on {}", bound.base_url)
        })
        .await?;
        Ok::<(), Failure>(())
    });
    // A search that outran its time budget may still be running; it is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    ended.map(|()| ExitCode::SUCCESS)
}

/// Logs to standard error: text on a terminal, JSON lines elsewhere. `RUST_LOG` chooses what.
fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.init();
    } else {
        builder.json().init();
    }
}
