//! Noticing a new generation while the server runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use super::metrics::Metrics;
use crate::Engine;

/// Looks for a new generation every `interval`, for ever. Requests under way keep the one they began
/// with; a generation that cannot be opened is reported once and the live one stays.
pub(super) async fn watch(engine: Arc<Engine>, interval: Duration, metrics: Arc<Metrics>) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut reported = String::new();
    loop {
        ticks.tick().await;
        let looking = Arc::clone(&engine);
        let begun = Instant::now();
        // Opening a generation maps files: not work for a thread that serves connections.
        let looked = tokio::task::spawn_blocking(move || {
            looking.refresh().map_err(|error| error.to_string())
        })
        .await
        .unwrap_or_else(|error| Err(error.to_string()));
        match looked {
            Ok(true) => {
                metrics.swapped(begun.elapsed());
                tracing::info!(generation = %engine.generation_id(), "a new generation is live");
                reported.clear();
            }
            Ok(false) => reported.clear(),
            Err(error) if error != reported => {
                metrics.not_swapped();
                tracing::error!(error = %error, live = %engine.generation_id(), "the new generation cannot be opened, the live one stays");
                reported = error;
            }
            Err(_) => {}
        }
    }
}
