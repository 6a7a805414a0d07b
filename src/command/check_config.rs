//! `rorqual check-config`: would a server start with this file, and with what?

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rorqual::server::{Material, ServerConfig};

use super::Failure;

#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 usable, 1 not usable (the reason is on standard error), 2 wrong usage."
)]
pub struct Arguments {
    /// The TOML file; docs/rorqual.example.toml describes each key
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Prints every key with the value that would apply, itself a configuration file; then, as comments, what expires when.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let config = ServerConfig::from_file(&arguments.config)?;
    let material = config.tls.as_ref().map(Material::load).transpose()?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "# What {} comes to:", arguments.config.display())?;
    write!(out, "{}", toml::to_string(&config)?)?;
    writeln!(out)?;
    if let (Some(material), Some(tls)) = (material, &config.tls) {
        let now = i64::try_from(
            SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .unwrap_or_default()
                .as_secs(),
        )?;
        let warning = Duration::from_secs(tls.expiry_warning_days.saturating_mul(86_400));
        for expiry in material.expiries() {
            let days = expiry.until.saturating_sub(now).div_euclid(86_400);
            let mark = if expiry.is_near(now, warning) {
                "  <- renew it"
            } else {
                ""
            };
            let (what, name) = (expiry.kind.name(), &expiry.name);
            writeln!(out, "# {what}: {name}, {days} days left{mark}")?;
        }
    } else {
        writeln!(
            out,
            "# no [tls] table: plain HTTP, clients are not authenticated"
        )?;
    }
    writeln!(out, "# usable")?;
    Ok(ExitCode::SUCCESS)
}
