//! `rorqual check-config`: would a server start with this file, and with what?

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rorqual::Engine;
use rorqual::server::{Material, ServerConfig};
use rorqual_access::Policy;

use super::Failure;

#[derive(clap::Args)]
#[command(
    after_help = "Exit codes: 0 usable, 1 not usable (the reason is on standard error), 2 wrong usage."
)]
pub struct Arguments {
    /// The TOML file; docs/rorqual.example.toml describes each key
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Also check that the live index of this directory has the views of the access policy
    #[arg(long, value_name = "DIR")]
    index: Option<PathBuf>,
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
    if let Some(policy) = config.access.read_policy()? {
        tell_profiles(&mut out, &policy)?;
        if let Some(index) = &arguments.index {
            let engine = Engine::open(index)?;
            policy.check_parameters(&engine.schema())?;
            let missing = missing_views(&policy, &engine);
            if !missing.is_empty() {
                return Err(format!(
                    "the live index of {} has no view for the access profiles {}: build it with index-builder --access and this policy",
                    index.display(),
                    missing.join(", ")
                )
                .into());
            }
            writeln!(out, "# the live index has all of these views")?;
        }
    } else {
        writeln!(out, "# no access policy: everybody may ask everything")?;
    }
    writeln!(out, "# usable")?;
    Ok(ExitCode::SUCCESS)
}

/// Who gets which profile, in the order in which it is decided, and the views that the index must have.
fn tell_profiles(out: &mut impl Write, policy: &Policy) -> std::io::Result<()> {
    match policy.without_certificate() {
        Some(profile) => writeln!(out, "# without a certificate: profile {}", profile.name())?,
        None => writeln!(out, "# without a certificate: nothing")?,
    }
    for (pattern, profile) in policy.certificates() {
        writeln!(
            out,
            "# certificate with {pattern}: profile {}",
            profile.name()
        )?;
    }
    writeln!(out, "# any other certificate: nothing")?;
    for view in policy.views() {
        writeln!(
            out,
            "# view {}: profiles {}",
            view.id,
            view.profiles.join(", ")
        )?;
    }
    Ok(())
}

/// The profiles whose views an index lacks.
fn missing_views<'p>(policy: &'p Policy, engine: &Engine) -> Vec<&'p str> {
    let views = policy.views().into_iter();
    views
        .filter(|view| !view.id.is_full() && engine.view(view.id.as_str()).is_none())
        .flat_map(|view| view.profiles)
        .collect()
}
