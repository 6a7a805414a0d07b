//! The files of the `[tls]` table, read and understood.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use thiserror::Error;
use x509_cert::crl::CertificateList;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::BasicConstraints;

use super::config::{ClientCertificates, TlsConfig};
use super::identity::{parse, seconds, validity};
use super::status::{Expiry, ExpiryKind, date, now};

/// Why the files of the `[tls]` table cannot be used. No message holds anything of a key.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file could not be read.
    #[error("tls.{key}: {path} cannot be read: {source}", path = path.display())]
    Unreadable {
        /// The key that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("tls.{key}: {path} holds no usable {expected}: {reason}", path = path.display())]
    Malformed {
        /// The key that names the file.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The private key is another certificate's.
    #[error(
        "tls.key: {path} is not the key of the first certificate of tls.certificate ({subject}); put the server's \
         own certificate first, or name its key",
        path = path.display()
    )]
    KeyMismatch {
        /// The file of the key.
        path: PathBuf,
        /// Subject of the certificate.
        subject: String,
    },
    /// The server's certificate is not valid now.
    #[error(
        "tls.certificate: {subject} is valid from {since} to {until} only; renew it, or look at this machine's clock"
    )]
    NotValidNow {
        /// Subject of the certificate.
        subject: String,
        /// First instant of validity.
        since: String,
        /// Last instant of validity.
        until: String,
    },
    /// The bundle holds a certificate that may not certify others.
    #[error(
        "tls.client_ca: {subject} in {path} is no authority (basic constraints); leave the certificates of clients out",
        path = path.display()
    )]
    NotAnAuthority {
        /// The bundle.
        path: PathBuf,
        /// Subject of the certificate.
        subject: String,
    },
    /// No authority of the bundle is valid now.
    #[error(
        "tls.client_ca: no root of {path} is valid now, so that every client would be refused; renew the bundle",
        path = path.display()
    )]
    NoAuthority {
        /// The bundle.
        path: PathBuf,
    },
    /// The TLS library refuses what the files hold.
    #[error("the files of [tls] are not usable together: {reason}")]
    Refused {
        /// What it said.
        reason: String,
    },
}

/// An authority of the bundle, and when it may be used.
#[derive(Debug, Clone)]
pub(super) struct Authority {
    pub(super) certificate: CertificateDer<'static>,
    pub(super) since: i64,
    pub(super) until: i64,
}

impl Authority {
    pub(super) fn is_valid(&self, now: i64) -> bool {
        (self.since..=self.until).contains(&now)
    }
}

/// What decides about clients.
#[derive(Debug)]
pub(super) struct ClientTrust {
    /// Where a chain may end: roots, and intermediates of which the bundle does not hold the issuer.
    pub(super) anchors: Vec<Authority>,
    /// Certificates that clients may leave out of their chain.
    pub(super) intermediates: Vec<CertificateDer<'static>>,
    /// Revocation lists, newest first: the first of an issuer is the one that counts.
    pub(super) crls: Vec<CertificateRevocationListDer<'static>>,
    /// A digest of all of it, to see whether anything changed.
    pub(super) digest: [u8; 32],
}

/// The files of a `[tls]` table, parsed and checked.
#[derive(Debug)]
pub struct Material {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) clients: Option<ClientTrust>,
    pub(super) expiries: Vec<Expiry>,
}

impl Material {
    /// Reads and checks every file that the table names.
    ///
    /// # Errors
    /// Names the first file that cannot be used, and why.
    pub fn load(config: &TlsConfig) -> Result<Self, TlsError> {
        let mut expiries = Vec::new();
        let certified = Arc::new(load_server(config, &mut expiries)?);
        let clients = match &config.client_ca {
            Some(path) if config.client_certificates != ClientCertificates::None => {
                Some(load_clients(path, &config.crls, &mut expiries)?)
            }
            _ => None,
        };
        Ok(Self {
            certified,
            clients,
            expiries,
        })
    }

    /// Everything in these files that ends at a known instant.
    pub fn expiries(&self) -> &[Expiry] {
        &self.expiries
    }
}

/// The cryptography: ring's, with all its suites of TLS 1.2 and 1.3.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn load_server(config: &TlsConfig, expiries: &mut Vec<Expiry>) -> Result<CertifiedKey, TlsError> {
    let path = &config.certificate;
    let chain = certificates("certificate", path)?;
    let mut subject = String::new();
    for (at, certificate) in chain.iter().enumerate() {
        let (name, authority) = described("certificate", path, certificate)?;
        expiries.push(Expiry {
            kind: ExpiryKind::ServerCertificate,
            name: name.clone(),
            since: authority.since,
            until: authority.until,
        });
        if at == 0 {
            if !authority.is_valid(now()) {
                return Err(TlsError::NotValidNow {
                    subject: name,
                    since: date(authority.since),
                    until: date(authority.until),
                });
            }
            subject = name;
        }
    }
    let text = read("key", &config.key)?;
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|error| {
        malformed(
            "key",
            &config.key,
            "private key in PEM",
            pem_reason(&error, &text),
        )
    })?;
    CertifiedKey::from_der(chain, key, &provider()).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => TlsError::KeyMismatch {
            path: config.key.clone(),
            subject,
        },
        other => malformed("key", &config.key, "private key", other.to_string()),
    })
}

fn load_clients(
    path: &Path,
    lists: &[PathBuf],
    expiries: &mut Vec<Expiry>,
) -> Result<ClientTrust, TlsError> {
    let mut digest = blake3::Hasher::new();
    let mut bundle = Vec::new();
    let mut subjects = HashSet::new();
    for certificate in certificates("client_ca", path)? {
        digest.update(&certificate);
        let parsed = parsed("client_ca", path, &certificate)?;
        let body = parsed.tbs_certificate();
        let name = |name: &x509_cert::name::Name| name.to_der().unwrap_or_default();
        let (subject, issuer) = (name(body.subject()), name(body.issuer()));
        subjects.insert(subject.clone());
        let (text, authority) = described("client_ca", path, &certificate)?;
        // The library takes whatever it is given for an authority.
        let constraints = body.get_extension::<BasicConstraints>();
        if !constraints.is_ok_and(|found| found.is_some_and(|(_, of)| of.ca)) {
            return Err(TlsError::NotAnAuthority {
                path: path.to_owned(),
                subject: text,
            });
        }
        expiries.push(Expiry {
            kind: ExpiryKind::ClientAuthority,
            name: text,
            since: authority.since,
            until: authority.until,
        });
        bundle.push((authority, subject == issuer, issuer));
    }
    let (mut anchors, mut intermediates) = (Vec::new(), Vec::new());
    for (authority, is_root, issuer) in bundle {
        // An intermediate alone in the bundle is trusted for itself: the operator wants this branch only.
        if is_root || !subjects.contains(&issuer) {
            anchors.push(authority);
        } else {
            intermediates.push(authority.certificate);
        }
    }
    if !anchors.iter().any(|anchor| anchor.is_valid(now())) {
        return Err(TlsError::NoAuthority {
            path: path.to_owned(),
        });
    }
    let mut crls = Vec::new();
    for path in lists {
        for list in revocation_lists(path)? {
            digest.update(&list);
            let parsed = CertificateList::<x509_cert::certificate::Rfc5280>::from_der(&list)
                .map_err(|error| malformed("crls", path, "revocation list", error.to_string()))?;
            let body = parsed.tbs_cert_list;
            let since = seconds(&body.this_update);
            if let Some(until) = &body.next_update {
                expiries.push(Expiry {
                    kind: ExpiryKind::RevocationList,
                    name: body.issuer.to_string(),
                    since,
                    until: seconds(until),
                });
            }
            crls.push((since, list));
        }
    }
    crls.sort_by_key(|(since, _)| std::cmp::Reverse(*since));
    Ok(ClientTrust {
        anchors,
        intermediates,
        crls: crls.into_iter().map(|(_, list)| list).collect(),
        digest: *digest.finalize().as_bytes(),
    })
}

/// Certificates of a file, PEM with any text between them, or one in DER; at least one.
fn certificates(key: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = read(key, path)?;
    if is_der(&bytes) {
        return Ok(vec![CertificateDer::from(bytes)]);
    }
    let found: Vec<_> = CertificateDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| malformed(key, path, "certificate", pem_reason(&error, &bytes)))?;
    if found.is_empty() {
        let reason = "there is no BEGIN CERTIFICATE in it".to_owned();
        return Err(malformed(key, path, "certificate", reason));
    }
    Ok(found)
}

fn revocation_lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let bytes = read("crls", path)?;
    if is_der(&bytes) {
        return Ok(vec![CertificateRevocationListDer::from(bytes)]);
    }
    let found: Vec<_> = CertificateRevocationListDer::pem_slice_iter(&bytes)
        .collect::<Result<_, _>>()
        .map_err(|error| malformed("crls", path, "revocation list", pem_reason(&error, &bytes)))?;
    if found.is_empty() {
        let reason = "there is no BEGIN X509 CRL in it".to_owned();
        return Err(malformed("crls", path, "revocation list", reason));
    }
    Ok(found)
}

/// DER of both begins with a sequence; PEM with text.
fn is_der(bytes: &[u8]) -> bool {
    bytes.first() == Some(&0x30)
}

fn described(
    key: &'static str,
    path: &Path,
    certificate: &CertificateDer<'static>,
) -> Result<(String, Authority), TlsError> {
    let parsed = parsed(key, path, certificate)?;
    let (since, until) = validity(&parsed);
    Ok((
        parsed.tbs_certificate().subject().to_string(),
        Authority {
            certificate: certificate.clone(),
            since,
            until,
        },
    ))
}

fn parsed(
    key: &'static str,
    path: &Path,
    certificate: &CertificateDer<'_>,
) -> Result<x509_cert::Certificate, TlsError> {
    parse(certificate).map_err(|error| malformed(key, path, "certificate", error.to_string()))
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable {
        key,
        path: path.to_owned(),
        source,
    })
}

fn malformed(key: &'static str, path: &Path, expected: &'static str, reason: String) -> TlsError {
    TlsError::Malformed {
        key,
        path: path.to_owned(),
        expected,
        reason,
    }
}

/// What is wrong with a PEM file, without quoting it: it may hold a key.
fn pem_reason(error: &rustls::pki_types::pem::Error, bytes: &[u8]) -> String {
    use rustls::pki_types::pem::Error;
    let encrypted = b"ENCRYPTED";
    if bytes.windows(encrypted.len()).any(|text| text == encrypted) {
        return "it is encrypted; store it in the clear, readable by the server's user only"
            .to_owned();
    }
    match error {
        Error::MissingSectionEnd { .. } => "a section has no END line; is the file cut short?",
        Error::IllegalSectionStart { .. } => "a BEGIN line is not well formed",
        Error::Base64Decode(_) => "a section is not base64",
        Error::NoItemsFound => "there is none in it",
        _ => "it is not PEM",
    }
    .to_owned()
}
