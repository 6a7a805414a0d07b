//! A changed access policy, taken up while the server runs.
//!
//! Each request asks anew which profile its client has, so a change counts from the next request on, also on connections that
//! are open. What a new rule shows takes a rebuild of the index: until then its clients are told that their view is not ready.

use std::sync::Arc;
use std::time::Duration;

use rorqual_access::Policy;

use super::caller::Callers;
use super::config::AccessConfig;
use crate::Engine;
use crate::server::changes::{Hangups, Look};
use crate::server::config::ConfigError;

impl AccessConfig {
    /// Reads the policy and checks it against the index that is served: every parameter it names must be one. Tells of views
    /// that the index lacks, which does not prevent serving the others.
    ///
    /// # Errors
    /// [`ConfigError::Policy`].
    pub(in crate::server) fn policy_for(
        &self,
        engine: &Engine,
    ) -> Result<Option<Policy>, ConfigError> {
        let Some(policy) = self.read_policy()? else {
            return Ok(None);
        };
        policy
            .check_parameters(&engine.schema())
            .map_err(|error| ConfigError::Policy {
                path: self.policy.clone().unwrap_or_default(),
                detail: error.to_string(),
            })?;
        for view in policy.views() {
            if !view.id.is_full() && engine.view(view.id.as_str()).is_none() {
                tracing::warn!(
                    profiles = view.profiles.join(", "),
                    "the live index has no view for these access profiles: their clients get 503 until it is built with index-builder --access and the policy of the server"
                );
            }
        }
        Ok(Some(policy))
    }
}

/// Looks for another policy every `interval` and at every SIGHUP, for ever; one that is not usable is told once and the
/// former one stays. `seen` is how the file looked before it was read last.
pub(in crate::server) async fn watch(
    callers: Arc<Callers>,
    engine: Arc<Engine>,
    config: AccessConfig,
    interval: Duration,
    mut seen: Option<Look>,
) {
    let Some(path) = config.policy_file() else {
        return;
    };
    let mut hangups = Hangups::caught();
    loop {
        let asked_for = tokio::select! {
            () = tokio::time::sleep(interval) => false,
            () = hangups.next() => true,
        };
        let look = Look::at(path);
        if look == seen && !asked_for {
            continue;
        }
        seen = look;
        let (reading, live) = (config.clone(), Arc::clone(&engine));
        // Reading a file is not for a thread that serves connections.
        let read = tokio::task::spawn_blocking(move || {
            reading.policy_for(&live).map_err(|error| error.to_string())
        })
        .await
        .unwrap_or_else(|error| Err(error.to_string()));
        match read {
            Ok(Some(policy)) => {
                callers.replace(policy);
                tracing::info!("access policy reloaded");
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(
                    error,
                    "the changed access policy is not usable; the former one stays"
                );
            }
        }
    }
}
