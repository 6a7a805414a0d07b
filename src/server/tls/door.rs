//! The handshake: with what is live at its beginning, within a time, and with a name at its end.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use rustls::pki_types::CertificateDer;
use rustls::server::NoServerSessionStorage;
use rustls::sign::SingleCertAndKey;
use rustls::version::{TLS12, TLS13};
use rustls::{HandshakeKind, ServerConfig};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::config::TlsConfig;
use super::identity::{ClientIdentity, parse, validity};
use super::material::{Material, TlsError, provider};
use super::status::{TlsStatus, now};
use super::trust::Trust;
use super::verifier::ClientVerifier;

/// What handshakes use at one time. Tickets are sealed with a key of its own: replacing it ends every session, so that
/// no client resumes past a revocation.
pub(super) struct Live {
    pub(super) server: Arc<ServerConfig>,
    pub(super) verifier: Option<Arc<ClientVerifier>>,
    /// Digest of what decides about clients.
    pub(super) trust: [u8; 32],
    /// When an authority or a list begins or ends, so that it must be made anew; seconds since 1970.
    pub(super) until: i64,
}

impl Live {
    /// What the files say, at this instant.
    pub(super) fn new(config: &TlsConfig, material: &Material) -> Result<Self, TlsError> {
        let refused = |error: rustls::Error| TlsError::Refused {
            reason: error.to_string(),
        };
        let now = now();
        let verifier = match &material.clients {
            Some(trust) => Some(Arc::new(ClientVerifier::new(config, trust, now)?)),
            None => None,
        };
        let versions = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(refused)?;
        let mut server = match &verifier {
            Some(verifier) => versions.with_client_cert_verifier(Arc::clone(verifier) as Arc<_>),
            None => versions.with_no_client_auth(),
        }
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(
            material.certified.as_ref().clone(),
        )));
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        server.ticketer = rustls::crypto::ring::Ticketer::new().map_err(refused)?;
        // Tickets need no memory here; a store would.
        server.session_storage = Arc::new(NoServerSessionStorage {});
        Ok(Self {
            server: Arc::new(server),
            verifier,
            trust: material
                .clients
                .as_ref()
                .map_or([0; 32], |trust| trust.digest),
            until: next_change(material, now),
        })
    }
}

/// The next instant at which an authority of the clients or a list begins or ends.
fn next_change(material: &Material, now: i64) -> i64 {
    material
        .expiries
        .iter()
        .filter(|expiry| expiry.kind != super::ExpiryKind::ServerCertificate)
        .flat_map(|expiry| [expiry.since, expiry.until.saturating_add(1)])
        .filter(|instant| *instant > now)
        .min()
        .unwrap_or(i64::MAX)
}

/// Why a peer is not let in. Only the log is told; the peer gets an alert of TLS.
#[derive(Debug, Error)]
pub(in crate::server) enum HandshakeFault {
    #[error("no handshake within {0:?}")]
    Late(Duration),
    #[error("{0}")]
    Broken(#[from] std::io::Error),
    #[error("a resumed session whose certificate has expired")]
    Expired,
    #[error("the certificate cannot be read")]
    Unreadable,
}

/// A peer that is let in.
pub(in crate::server) struct Entered {
    /// The connection.
    pub(in crate::server) stream: TlsStream<TcpStream>,
    /// Who it is; `None` without a certificate.
    pub(in crate::server) identity: Option<Arc<ClientIdentity>>,
    /// Tells when it is no longer to be trusted.
    pub(in crate::server) trust: Trust,
}

/// Where TLS connections come in.
pub(in crate::server) struct Door {
    live: watch::Receiver<Arc<Live>>,
    status: Arc<TlsStatus>,
    timeout: Duration,
    /// Refusals that are worth a line of the log: clients must not fill it.
    lines: DefaultDirectRateLimiter,
}

/// Refused handshakes logged a second, in the long run.
const LINES_A_SECOND: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);

impl Door {
    /// A door on what is live.
    pub(super) fn new(
        config: &TlsConfig,
        live: watch::Receiver<Arc<Live>>,
        status: Arc<TlsStatus>,
    ) -> Self {
        Self {
            live,
            status,
            timeout: config.handshake_timeout(),
            lines: RateLimiter::direct(Quota::per_second(LINES_A_SECOND)),
        }
    }

    /// Expiries and counts.
    pub(in crate::server) fn status(&self) -> &Arc<TlsStatus> {
        &self.status
    }

    /// Shakes hands with a peer. `None` when it is refused, which is counted and logged.
    pub(in crate::server) async fn enter(
        &self,
        stream: TcpStream,
        address: SocketAddr,
    ) -> Option<Entered> {
        match self.shake(stream).await {
            Ok((entered, resumed)) => {
                self.status.handshake(resumed);
                Some(entered)
            }
            Err(fault) => {
                self.status.refused();
                if self.lines.check().is_ok() {
                    tracing::info!(client = %address, reason = %fault, "handshake refused");
                }
                None
            }
        }
    }

    async fn shake(&self, stream: TcpStream) -> Result<(Entered, bool), HandshakeFault> {
        let mut live = self.live.clone();
        // Marked as seen here: a reload during the handshake is then noticed by the trust.
        let used = Arc::clone(&live.borrow_and_update());
        let shaking = TlsAcceptor::from(Arc::clone(&used.server)).accept(stream);
        let stream = tokio::time::timeout(self.timeout, shaking)
            .await
            .map_err(|_| HandshakeFault::Late(self.timeout))??;
        let (_, connection) = stream.get_ref();
        let chain: Vec<CertificateDer<'static>> = connection
            .peer_certificates()
            .map(|chain| chain.iter().map(|one| one.clone().into_owned()).collect())
            .unwrap_or_default();
        let resumed = connection.handshake_kind() == Some(HandshakeKind::Resumed);
        // A ticket outlives neither a reload nor the dates that it was issued under.
        if resumed && !chain.iter().all(is_valid_now) {
            return Err(HandshakeFault::Expired);
        }
        let identity = match chain.first() {
            Some(own) => Some(Arc::new(
                ClientIdentity::of(own).map_err(|_| HandshakeFault::Unreadable)?,
            )),
            None => None,
        };
        let not_after = identity
            .as_ref()
            .map_or(i64::MAX, |identity| identity.not_after);
        let trust = Trust::new(live, used.trust, chain, not_after);
        Ok((
            Entered {
                stream,
                identity,
                trust,
            },
            resumed,
        ))
    }
}

fn is_valid_now(certificate: &CertificateDer<'_>) -> bool {
    parse(certificate).is_ok_and(|parsed| {
        let (since, until) = validity(&parsed);
        (since..=until).contains(&now())
    })
}
