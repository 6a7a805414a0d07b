//! Whose certificate is good: the library's verification, with what the bundle adds to a client's chain.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, RootCertStore,
    SignatureScheme,
};

use super::config::{ClientCertificates, ExpiredCrls, Revocation, TlsConfig};
use super::identity::ClientIdentity;
use super::material::{ClientTrust, TlsError, provider};

/// Certificates a client may send besides its own. The longest chains in use have three.
const MOST_INTERMEDIATES: usize = 8;

/// Verifies clients for a server that asks them for a certificate.
#[derive(Debug)]
pub(super) struct ClientVerifier {
    library: Arc<dyn ClientCertVerifier>,
    intermediates: Vec<CertificateDer<'static>>,
    /// No authority is valid any more: nobody is let in, whatever the library thinks.
    closed: bool,
}

impl ClientVerifier {
    /// A verifier with the anchors that are valid at `now`; without any, one that refuses everybody.
    pub(super) fn new(config: &TlsConfig, trust: &ClientTrust, now: i64) -> Result<Self, TlsError> {
        let refused = |reason: String| TlsError::Refused { reason };
        let mut roots = RootCertStore::empty();
        // The library does not look at the dates of anchors, and wants at least one.
        let closed = !trust.anchors.iter().any(|anchor| anchor.is_valid(now));
        for anchor in &trust.anchors {
            if !closed && !anchor.is_valid(now) {
                continue;
            }
            roots
                .add(anchor.certificate.clone())
                .map_err(|error| refused(format!("an authority of tls.client_ca: {error}")))?;
        }
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
            .with_crls(trust.crls.iter().cloned());
        if config.client_certificates == ClientCertificates::Optional {
            builder = builder.allow_unauthenticated();
        }
        if config.revocation == Revocation::Leaf {
            builder = builder.only_check_end_entity_revocation();
        }
        if config.expired_crls == ExpiredCrls::Refuse {
            builder = builder.enforce_revocation_expiration();
        }
        let library = builder
            .build()
            .map_err(|error| refused(format!("tls.crls: {error}")))?;
        Ok(Self {
            library,
            intermediates: trust.intermediates.clone(),
            closed,
        })
    }

    /// Whether a chain, the client's own certificate first, is good at this instant.
    pub(super) fn trusts(&self, chain: &[CertificateDer<'_>]) -> Result<(), Error> {
        let (own, others) = chain.split_first().ok_or(Error::NoCertificatesPresented)?;
        self.verify_client_cert(own, others, UnixTime::now())
            .map(|_| ())
    }
}

impl ClientCertVerifier for ClientVerifier {
    fn offer_client_auth(&self) -> bool {
        self.library.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.library.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.library.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        if self.closed {
            return Err(CertificateError::Expired.into());
        }
        if intermediates.len() > MOST_INTERMEDIATES {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        // Whom we could not name afterwards is not let in.
        ClientIdentity::of(end_entity).map_err(|_| CertificateError::BadEncoding)?;
        let mut known = intermediates.to_vec();
        known.extend(self.intermediates.iter().cloned());
        self.library.verify_client_cert(end_entity, &known, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.library
            .verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.library
            .verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.library.supported_verify_schemes()
    }
}
