//! A certification authority: issues certificates, further authorities and revocation lists.

use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateRevocationListParams,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair,
    KeyUsagePurpose, RevocationReason, RevokedCertParams, SerialNumber,
};
use time::OffsetDateTime;

use crate::error::PkiError;

/// One day.
pub const DAY: Duration = Duration::from_secs(86_400);

/// What a certificate is good for, as its extended key usage says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// To be a TLS client.
    Client,
    /// To be a TLS server.
    Server,
}

/// What is to be certified.
#[derive(Debug, Clone)]
pub struct Order {
    /// Common name of the subject (CN).
    pub name: String,
    /// Organisation of the subject (O).
    pub organisation: String,
    /// Extended key usage.
    pub usage: Usage,
    /// DNS names and addresses of a server; none for a client.
    pub hosts: Vec<String>,
    /// First instant of validity.
    pub not_before: SystemTime,
    /// Last instant of validity.
    pub not_after: SystemTime,
}

/// A certificate with its key and the intermediates that lead to the root.
#[derive(Debug)]
pub struct Credential {
    certificate: Certificate,
    /// PEM of the issuing authorities, nearest first, the root left out.
    intermediates: Vec<String>,
    key: KeyPair,
    serial: SerialNumber,
}

impl Credential {
    /// The certificate alone, in PEM.
    pub fn certificate_pem(&self) -> String {
        self.certificate.pem()
    }

    /// The certificate and its intermediates, in PEM: what a peer should present.
    pub fn chain_pem(&self) -> String {
        self.certificate.pem() + &self.intermediates.concat()
    }

    /// The private key, PKCS #8 in PEM.
    pub fn key_pem(&self) -> String {
        self.key.serialize_pem()
    }
}

/// An authority and its key.
#[derive(Debug)]
pub struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
    chain: Vec<String>,
    name: String,
}

impl Authority {
    /// A root that certifies itself, valid from a day before `now` for `validity`.
    ///
    /// # Errors
    /// When the library refuses the name.
    pub fn root(name: &str, now: SystemTime, validity: Duration) -> Result<Self, PkiError> {
        let (params, key) = authority_params(name, now, validity)?;
        let certificate = params
            .self_signed(&key)
            .map_err(|source| refused(name, source))?;
        Ok(Self {
            certificate,
            issuer: Issuer::new(params, key),
            chain: Vec::new(),
            name: name.to_owned(),
        })
    }

    /// An authority certified by this one.
    ///
    /// # Errors
    /// When the library refuses the name.
    pub fn intermediate(
        &self,
        name: &str,
        now: SystemTime,
        validity: Duration,
    ) -> Result<Self, PkiError> {
        let (params, key) = authority_params(name, now, validity)?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(|source| refused(name, source))?;
        let mut chain = vec![certificate.pem()];
        chain.extend_from_slice(&self.chain);
        Ok(Self {
            certificate,
            issuer: Issuer::new(params, key),
            chain,
            name: name.to_owned(),
        })
    }

    /// The authority's own certificate, in PEM.
    pub fn certificate_pem(&self) -> String {
        self.certificate.pem()
    }

    /// Certifies what is ordered, with a fresh key.
    ///
    /// # Errors
    /// When the library refuses a name.
    pub fn issue(&self, order: &Order) -> Result<Credential, PkiError> {
        let failed = |source| refused(&order.name, source);
        let key = KeyPair::generate().map_err(failed)?;
        let mut params = CertificateParams::new(order.hosts.clone()).map_err(failed)?;
        params.distinguished_name = subject(&order.name, &order.organisation);
        params.not_before = OffsetDateTime::from(order.not_before);
        params.not_after = OffsetDateTime::from(order.not_after);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match order.usage {
            Usage::Client => ExtendedKeyUsagePurpose::ClientAuth,
            Usage::Server => ExtendedKeyUsagePurpose::ServerAuth,
        }];
        params.use_authority_key_identifier_extension = true;
        let serial = serial_of(&key);
        params.serial_number = Some(serial.clone());
        let certificate = params.signed_by(&key, &self.issuer).map_err(failed)?;
        Ok(Credential {
            certificate,
            intermediates: self.chain.clone(),
            key,
            serial,
        })
    }

    /// A revocation list of this authority in PEM, good from an hour before `now` for `validity`.
    ///
    /// `number` must grow from one list to the next.
    ///
    /// # Errors
    /// When the library refuses.
    pub fn revocation_list(
        &self,
        revoked: &[&Credential],
        number: u64,
        now: SystemTime,
        validity: Duration,
    ) -> Result<String, PkiError> {
        let params = CertificateRevocationListParams {
            this_update: OffsetDateTime::from(now - Duration::from_secs(3_600)),
            next_update: OffsetDateTime::from(now + validity),
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs: revoked
                .iter()
                .map(|credential| RevokedCertParams {
                    serial_number: credential.serial.clone(),
                    revocation_time: OffsetDateTime::from(now - Duration::from_secs(3_600)),
                    reason_code: Some(RevocationReason::KeyCompromise),
                    invalidity_date: None,
                })
                .collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params
            .signed_by(&self.issuer)
            .and_then(|list| list.pem())
            .map_err(|source| refused(&self.name, source))
    }
}

fn authority_params(
    name: &str,
    now: SystemTime,
    validity: Duration,
) -> Result<(CertificateParams, KeyPair), PkiError> {
    let failed = |source| refused(name, source);
    let key = KeyPair::generate().map_err(failed)?;
    let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
    params.distinguished_name = subject(name, ORGANISATION);
    params.not_before = OffsetDateTime::from(now - DAY);
    params.not_after = OffsetDateTime::from(now + validity);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.use_authority_key_identifier_extension = true;
    params.serial_number = Some(serial_of(&key));
    Ok((params, key))
}

/// Organisation of the authorities.
pub(crate) const ORGANISATION: &str = "Rorqual demonstration";

fn subject(name: &str, organisation: &str) -> DistinguishedName {
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CountryName, "FR");
    subject.push(DnType::OrganizationName, organisation);
    subject.push(DnType::CommonName, name);
    subject
}

/// A positive number of 15 bytes taken from the public key, hence as unique as the key.
fn serial_of(key: &KeyPair) -> SerialNumber {
    let mut bytes = vec![0x4d];
    bytes.extend(key.public_key_raw().iter().skip(1).take(14));
    SerialNumber::from(bytes)
}

fn refused(name: &str, source: rcgen::Error) -> PkiError {
    PkiError::Issue {
        name: name.to_owned(),
        source,
    }
}
