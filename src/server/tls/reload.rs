//! Changed certificates, authorities and lists, taken up while the server runs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch as channel;

use super::config::TlsConfig;
use super::door::{Door, Live};
use super::material::{Material, TlsError};
use super::status::{TlsStatus, now};
use crate::server::changes::{Hangups, Look};

/// How often expiries are repeated in the log.
const DAY: Duration = Duration::from_secs(86_400);

fn looks(config: &TlsConfig) -> Vec<Option<Look>> {
    config.files().map(Look::at).collect()
}

/// What keeps a door up to date.
pub(in crate::server) struct Watcher {
    config: TlsConfig,
    live: channel::Sender<Arc<Live>>,
    /// The last files that were usable.
    material: Material,
    status: Arc<TlsStatus>,
    seen: Vec<Option<Look>>,
    warned: Instant,
    hangups: Hangups,
}

/// Loads what the table names: a door, and the watcher that keeps it up to date once it is [`run`](Watcher::run).
/// Must be called inside a tokio runtime.
///
/// # Errors
/// When a file cannot be used: a server does not start with half its certificates.
pub(in crate::server) fn watch(config: &TlsConfig) -> Result<(Door, Watcher), TlsError> {
    // Looked at before reading: what changes in between is read again.
    let seen = looks(config);
    let material = Material::load(config)?;
    let (live, reading) = channel::channel(Arc::new(Live::new(config, &material)?));
    let status = Arc::new(TlsStatus::default());
    status.replace(material.expiries.clone());
    status.warn(config.expiry_warning());
    let door = Door::new(config, reading, Arc::clone(&status));
    let watcher = Watcher {
        config: config.clone(),
        live,
        material,
        status,
        seen,
        warned: Instant::now(),
        hangups: Hangups::caught(),
    };
    Ok((door, watcher))
}

impl Watcher {
    /// Looks for changes at every interval and at every SIGHUP, for ever.
    pub(in crate::server) async fn run(mut self) {
        loop {
            let asked_for = tokio::select! {
                () = tokio::time::sleep(self.config.reload_interval()) => false,
                () = self.hangups.next() => true,
            };
            // Reading and parsing lists of megabytes is not for a thread that serves connections.
            match tokio::task::spawn_blocking(move || {
                self.look(asked_for);
                self
            })
            .await
            {
                Ok(watcher) => self = watcher,
                Err(error) => {
                    tracing::error!(error = %error, "certificates are no longer looked at");
                    return;
                }
            }
        }
    }

    /// Takes up what changed; what is not usable is said once and changes nothing.
    fn look(&mut self, asked_for: bool) {
        if self.warned.elapsed() >= DAY {
            self.warned = Instant::now();
            self.status.warn(self.config.expiry_warning());
        }
        let looks = looks(&self.config);
        let aged = now() >= self.live.borrow().until;
        if looks == self.seen && !asked_for && !aged {
            return;
        }
        let changed = asked_for || looks != self.seen;
        self.seen = looks;
        if changed {
            match Material::load(&self.config)
                .and_then(|material| Ok((Live::new(&self.config, &material)?, material)))
            {
                Ok((live, material)) => {
                    self.material = material;
                    self.publish(live);
                    self.status.reloaded();
                    tracing::info!("certificates, authorities and revocation lists reloaded");
                    return;
                }
                Err(error) => {
                    self.status.reload_failed();
                    tracing::error!(error = %error, "the changed files of [tls] are not usable; the former ones stay");
                }
            }
        }
        if aged {
            // The former files stay, but none of them past its own dates.
            match Live::new(&self.config, &self.material) {
                Ok(live) => self.publish(live),
                Err(error) => {
                    tracing::error!(error = %error, "an authority's dates cannot be taken up")
                }
            }
        }
    }

    fn publish(&self, live: Live) {
        self.status.replace(self.material.expiries.clone());
        self.live.send_replace(Arc::new(live));
        self.status.warn(self.config.expiry_warning());
    }
}
