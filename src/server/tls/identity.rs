//! What a client's certificate says about its holder.

use std::fmt;

use ring::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// SHA-256 of a certificate's DER; displayed as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    pub(super) fn of(certificate: &[u8]) -> Self {
        let mut bytes = [0; 32];
        for (to, from) in bytes.iter_mut().zip(digest(&SHA256, certificate).as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// The holder of a certificate that was verified in the handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientIdentity {
    /// Distinguished name of the subject as RFC 4514 has it: most specific first, `CN=…,O=…,C=FR`.
    pub subject: String,
    /// Distinguished name of the issuer, likewise.
    pub issuer: String,
    /// SHA-256 of the certificate.
    pub fingerprint: Fingerprint,
    /// Serial number, lower-case hexadecimal, two digits a byte.
    pub serial: String,
    /// Last second of validity, in seconds since 1970 (UTC).
    pub not_after: i64,
}

/// Why a certificate that the library accepts is of no use here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the certificate is not readable: {reason}")]
pub(super) struct Unreadable {
    reason: String,
}

impl ClientIdentity {
    /// Reads a certificate; whether it is to be trusted is not asked here.
    pub(super) fn of(certificate: &CertificateDer<'_>) -> Result<Self, Unreadable> {
        let parsed = parse(certificate)?;
        let body = parsed.tbs_certificate();
        Ok(Self {
            subject: body.subject().to_string(),
            issuer: body.issuer().to_string(),
            fingerprint: Fingerprint::of(certificate),
            serial: body
                .serial_number()
                .as_bytes()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
            not_after: validity(&parsed).1,
        })
    }
}

/// Parses a certificate strictly: nothing may follow it.
pub(super) fn parse(certificate: &[u8]) -> Result<Certificate, Unreadable> {
    Certificate::from_der(certificate).map_err(|error| Unreadable {
        reason: error.to_string(),
    })
}

/// First and last second of validity, in seconds since 1970.
pub(super) fn validity(certificate: &Certificate) -> (i64, i64) {
    let validity = certificate.tbs_certificate().validity();
    (seconds(&validity.not_before), seconds(&validity.not_after))
}

/// An instant of X.509 in seconds since 1970.
pub(super) fn seconds(time: &x509_cert::time::Time) -> i64 {
    i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rorqual_dev_pki::infrastructure::client;
    use rorqual_dev_pki::{Authority, Order};
    use rustls::pki_types::pem::PemObject;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    fn identity(order: &Order) -> ClientIdentity {
        let now = SystemTime::now();
        let root = Authority::root("R", now, Duration::from_secs(86_400)).unwrap();
        let pem = root.issue(order).unwrap().certificate_pem();
        ClientIdentity::of(&CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn a_name_is_written_most_specific_first_and_escaped() {
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let order = Order {
            organisation: "Hôpital \"Est\", Nantes + Rezé".to_owned(),
            ..client("rorqual-profile-3", now)
        };
        let identity = identity(&order);
        assert_eq!(
            identity.subject,
            r#"CN=rorqual-profile-3,O=Hôpital \"Est\"\, Nantes \+ Rezé,C=FR"#
        );
        assert_eq!(identity.issuer, "CN=R,O=Rorqual demonstration,C=FR");
        assert_eq!(identity.not_after, 1_800_000_000 + 397 * 86_400);
        assert!(identity.serial.starts_with("4d") && identity.serial.len() == 30);
        assert_eq!(identity.fingerprint.to_string().len(), 64);
    }

    #[test]
    fn a_fingerprint_is_the_sha_256_of_the_bytes() {
        assert_eq!(
            Fingerprint::of(b"abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        for bytes in [
            &b""[..],
            b"\x30\x03\x02\x01\x01",
            b"-----BEGIN CERTIFICATE-----",
        ] {
            assert!(ClientIdentity::of(&CertificateDer::from(bytes)).is_err());
        }
    }
}
