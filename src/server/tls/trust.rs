//! A peer that was let in, for as long as its certificate is good.

use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use tokio::sync::watch;

use super::door::Live;
use super::status::now;

/// The chain a connection came in with, and what decides about it.
pub(in crate::server) struct Trust {
    live: watch::Receiver<Arc<Live>>,
    digest: [u8; 32],
    chain: Vec<CertificateDer<'static>>,
    not_after: i64,
}

impl Trust {
    pub(super) fn new(
        live: watch::Receiver<Arc<Live>>,
        digest: [u8; 32],
        chain: Vec<CertificateDer<'static>>,
        not_after: i64,
    ) -> Self {
        Self {
            live,
            digest,
            chain,
            not_after,
        }
    }

    /// Done once the peer is no longer to be trusted, with the reason; never for a peer without a certificate.
    pub(in crate::server) async fn lost(mut self) -> String {
        if self.chain.is_empty() {
            return std::future::pending().await;
        }
        loop {
            let left = self.not_after.saturating_sub(now());
            if left < 0 {
                return "its certificate has expired".to_owned();
            }
            // Looked at again every hour: the clock of the wall may be set.
            let nap = Duration::from_secs(u64::try_from(left).unwrap_or(0).saturating_add(1));
            tokio::select! {
                () = tokio::time::sleep(nap.min(Duration::from_secs(3_600))) => {}
                changed = self.live.changed() => {
                    if changed.is_err() {
                        // Nobody reloads any more: the server is stopping.
                        return std::future::pending().await;
                    }
                    if let Some(reason) = self.reason_against() {
                        return reason;
                    }
                }
            }
        }
    }

    /// Verifies the chain anew when what decides about it has changed.
    fn reason_against(&mut self) -> Option<String> {
        let live = Arc::clone(&self.live.borrow_and_update());
        if live.trust == self.digest {
            return None;
        }
        self.digest = live.trust;
        let verifier = live.verifier.as_ref()?;
        verifier
            .trusts(&self.chain)
            .err()
            .map(|error| format!("its certificate is no longer accepted: {error}"))
    }
}
