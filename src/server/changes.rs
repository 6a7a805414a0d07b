//! Noticing that a file was replaced while the server runs, and being asked to look.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What a file looks like from outside: another look means other content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Look {
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
    inode: (u64, u64),
}

impl Look {
    /// `None` when the file cannot be looked at.
    pub(super) fn at(path: &Path) -> Option<Self> {
        let data = std::fs::metadata(path).ok()?;
        Some(Self {
            length: data.len(),
            modified: (data.mtime(), data.mtime_nsec()),
            // A copy that keeps the time of modification still changes this one.
            changed: (data.ctime(), data.ctime_nsec()),
            inode: (data.dev(), data.ino()),
        })
    }
}

/// SIGHUP: the operator asks for changed files to be read now.
pub(super) struct Hangups(Option<Signal>);

impl Hangups {
    /// Catches it from here on: before, it would end the process. Must be called inside a tokio runtime.
    pub(super) fn caught() -> Self {
        let signals = signal(SignalKind::hangup()).inspect_err(|error| {
            tracing::warn!(error = %error, "SIGHUP cannot be caught: changes are found by looking only");
        });
        Hangups(signals.ok())
    }

    /// Done at the next one; never when the system refused the handler.
    pub(super) async fn next(&mut self) {
        let received = match &mut self.0 {
            Some(signals) => signals.recv().await,
            None => None,
        };
        if received.is_none() {
            std::future::pending().await
        }
    }
}
