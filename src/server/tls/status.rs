//! Expiries and counts of TLS, for the log and for metrics.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustls::pki_types::UnixTime;

/// What expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpiryKind {
    /// A certificate the server presents: its own or one of its intermediates.
    ServerCertificate,
    /// An authority of the clients.
    ClientAuthority,
    /// A revocation list, at its next update.
    RevocationList,
}

impl ExpiryKind {
    /// A word for logs and metric labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::ServerCertificate => "server-certificate",
            Self::ClientAuthority => "client-authority",
            Self::RevocationList => "revocation-list",
        }
    }
}

/// Something in use that ends at a known instant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expiry {
    /// What it is.
    pub kind: ExpiryKind,
    /// Subject of the certificate, or issuer of the list (RFC 4514).
    pub name: String,
    /// First instant of validity, in seconds since 1970 (UTC).
    pub since: i64,
    /// Last instant of validity, in seconds since 1970 (UTC).
    pub until: i64,
}

impl Expiry {
    /// Whether it ends within `warning` of `now` (seconds since 1970), or has ended. A list that lives for days only
    /// is renewed every few days: for it the term is half its life, if that is shorter.
    pub fn is_near(&self, now: i64, warning: Duration) -> bool {
        let warning = i64::try_from(warning.as_secs()).unwrap_or(i64::MAX);
        let term = match self.kind {
            ExpiryKind::RevocationList => {
                warning.min((self.until.saturating_sub(self.since) / 2).max(0))
            }
            ExpiryKind::ServerCertificate | ExpiryKind::ClientAuthority => warning,
        };
        self.until.saturating_sub(now) <= term
    }
}

/// What TLS is doing; shared, and read at any time.
#[derive(Debug, Default)]
pub struct TlsStatus {
    expiries: Mutex<Vec<Expiry>>,
    full: AtomicU64,
    resumed: AtomicU64,
    refused: AtomicU64,
    reloaded: AtomicU64,
    failed_reloads: AtomicU64,
}

impl TlsStatus {
    /// Everything in use that ends, soonest first.
    pub fn expiries(&self) -> Vec<Expiry> {
        self.expiries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Handshakes done in full since the start.
    pub fn full_handshakes(&self) -> u64 {
        self.full.load(Relaxed)
    }

    /// Handshakes that resumed a session since the start.
    pub fn resumed_handshakes(&self) -> u64 {
        self.resumed.load(Relaxed)
    }

    /// Handshakes refused, broken off or too slow since the start.
    pub fn refused_handshakes(&self) -> u64 {
        self.refused.load(Relaxed)
    }

    /// How often changed files were taken up since the start.
    pub fn reloads(&self) -> u64 {
        self.reloaded.load(Relaxed)
    }

    /// How often changed files were not usable, so that the former ones stayed.
    pub fn failed_reloads(&self) -> u64 {
        self.failed_reloads.load(Relaxed)
    }

    pub(super) fn replace(&self, mut expiries: Vec<Expiry>) {
        expiries.sort_by_key(|expiry| expiry.until);
        *self.expiries.lock().unwrap_or_else(PoisonError::into_inner) = expiries;
    }

    pub(super) fn handshake(&self, resumed: bool) {
        if resumed { &self.resumed } else { &self.full }.fetch_add(1, Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    pub(super) fn reloaded(&self) {
        self.reloaded.fetch_add(1, Relaxed);
    }

    pub(super) fn reload_failed(&self) {
        self.failed_reloads.fetch_add(1, Relaxed);
    }

    /// Says in the log what ends within `warning`, and what has ended.
    pub(super) fn warn(&self, warning: Duration) {
        let now = now();
        for expiry in self.expiries() {
            let (what, name, until) = (expiry.kind.name(), &expiry.name, date(expiry.until));
            let days = expiry.until.saturating_sub(now) / 86_400;
            if expiry.until < now {
                tracing::error!(what, name, until, "expired: renew it now");
            } else if expiry.is_near(now, warning) {
                tracing::warn!(what, name, until, days, "expires soon: renew it");
            }
        }
    }
}

/// Now, in seconds since 1970.
pub(super) fn now() -> i64 {
    i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX)
}

/// An instant in seconds since 1970, as RFC 3339 text.
pub(super) fn date(seconds: i64) -> String {
    chrono::DateTime::from_timestamp(seconds, 0).map_or_else(
        || "beyond all dates".to_owned(),
        |date| date.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expiry(kind: ExpiryKind, days: i64) -> Expiry {
        Expiry {
            kind,
            name: "CN=a".into(),
            since: 0,
            until: days * 86_400,
        }
    }

    #[test]
    fn a_certificate_is_near_its_end_within_the_warning() {
        let certificate = expiry(ExpiryKind::ServerCertificate, 365);
        let warning = Duration::from_secs(30 * 86_400);
        assert!(!certificate.is_near(334 * 86_400, warning));
        assert!(certificate.is_near(335 * 86_400, warning));
        assert!(
            certificate.is_near(400 * 86_400, warning),
            "also afterwards"
        );
    }

    #[test]
    fn a_short_lived_list_is_not_always_near_its_end() {
        let list = expiry(ExpiryKind::RevocationList, 8);
        let warning = Duration::from_secs(30 * 86_400);
        assert!(!list.is_near(3 * 86_400, warning));
        assert!(list.is_near(5 * 86_400, warning));
    }

    #[test]
    fn dates_are_written_for_people() {
        assert_eq!(date(1_800_000_000), "2027-01-15T08:00:00Z");
        assert_eq!(date(i64::MAX), "beyond all dates");
    }
}
