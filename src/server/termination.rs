//! The signals by which a service is told to stop.

use std::future::Future;
use std::io;

use tokio::signal::unix::{SignalKind, signal};

/// A future that is done at the first SIGTERM or SIGINT. The signals are caught from this call on.
///
/// Must be called inside a tokio runtime.
///
/// # Errors
/// When the system refuses the handlers.
pub fn termination() -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "asked to stop");
    })
}
