//! Who is at the other end of a connection.

use std::net::SocketAddr;
use std::sync::Arc;

use super::clients::Seat;
use super::refusal::Refusal;
use super::tls::ClientIdentity;

/// The client of a connection; each of its requests carries it, as an extension of type `Arc<Peer>`.
#[derive(Debug)]
pub(super) struct Peer {
    /// Where it connects from.
    pub(super) address: SocketAddr,
    /// The holder of its certificate, verified; `None` without TLS or without a certificate.
    pub(super) identity: Option<Arc<ClientIdentity>>,
    seat: Seat,
}

impl Peer {
    /// The client that has this place.
    pub(super) fn new(
        address: SocketAddr,
        identity: Option<Arc<ClientIdentity>>,
        seat: Seat,
    ) -> Arc<Self> {
        Arc::new(Self {
            address,
            identity,
            seat,
        })
    }

    /// How the log names it: its subject, or else its address.
    pub(super) fn name(&self) -> String {
        self.identity.as_ref().map_or_else(
            || self.address.ip().to_string(),
            |identity| identity.subject.clone(),
        )
    }

    /// Counts one more of its requests, or says why it has to wait.
    pub(super) fn admit(&self) -> Result<(), Refusal> {
        self.seat.admit()
    }
}
