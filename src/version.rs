//! What program this is: its version, the commit it was built from, the formats it reads and writes.

use std::sync::LazyLock;

use crate::index::FORMAT_VERSION;

/// The commit of the sources, where the build was told (`RORQUAL_COMMIT`, as the release scripts do): a build that asked git
/// would be another one in every folder.
pub const COMMIT: Option<&str> = option_env!("RORQUAL_COMMIT");

/// The line of `--version`, without the name of the program.
pub static VERSION: LazyLock<String> = LazyLock::new(|| {
    format!(
        "{} (commit {}, index format {FORMAT_VERSION}, log format {})",
        env!("CARGO_PKG_VERSION"),
        COMMIT.unwrap_or("not recorded"),
        rorqual_anomaly::log::FORMAT_VERSION,
    )
});
