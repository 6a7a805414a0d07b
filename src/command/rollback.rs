//! `rorqual rollback`: the directory of an earlier generation, live again.

use std::process::ExitCode;

use rorqual::anomaly::takeover::{TakeoverOptions, rollback};
use rorqual::index::kept::Standing;

use super::publish::{Failed, Manner, sound, tell};
use super::{Failure, Index, generations};

/// Makes the directory of an earlier generation live again.
///
/// A new generation is made of it, with every anomaly that there is now: none is lost. A running server goes over to it by
/// itself. The generation that was live stays on disk, so that there is a way forward too. Without --to, lists the
/// generations to choose from.
#[derive(clap::Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    index: Index,
    /// The generation whose directory is wanted
    #[arg(long, value_name = "ID")]
    to: Option<String>,
    /// How many other generations of that same build stay on disk
    #[arg(long, value_name = "N", default_value_t = 1)]
    keep: usize,
    #[command(flatten)]
    manner: Manner,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let index = &arguments.index.directory;
    let Some(to) = &arguments.to else {
        if generations::list(index, |standing| standing == Standing::Kept)? == 0 {
            println!("No earlier generation is kept; index-builder --keep says how many are");
        }
        return Ok(ExitCode::SUCCESS);
    };
    let known = rorqual::index::kept::kept(index)?;
    if !arguments.manner.unverified && known.iter().any(|kept| kept.generation == *to) {
        sound(index, to)?;
    }
    let options = TakeoverOptions {
        keep: arguments.keep,
        without_views: arguments.manner.without_views,
    };
    let report = rollback(index, to, options).map_err(Failed::from)?;
    tell(&report, arguments.manner.json)?;
    Ok(ExitCode::SUCCESS)
}
