//! TLS with client certificates, by rustls: versions 1.2 and 1.3 only.
//!
//! | file | does |
//! |---|---|
//! | `config` | the `[tls]` table |
//! | `material` | reads the files it names, and says what is wrong with them |
//! | `verifier` | decides whose certificate is good |
//! | `identity` | what a good certificate says about its holder |
//! | `door` | the handshake, within a time; what is live now |
//! | `trust` | whether a peer that was let in is still to be trusted |
//! | `reload` | notices changed files, and keeps what works when the new ones do not |
//! | `status` | expiries and counts, for logs and metrics |

mod config;
mod door;
mod identity;
mod material;
mod reload;
mod status;
mod trust;
mod verifier;

pub use config::{ClientCertificates, ExpiredCrls, Revocation, TlsConfig};
pub(super) use door::{Door, Entered};
pub use identity::{ClientIdentity, Fingerprint};
pub use material::{Material, TlsError};
pub(super) use reload::watch;
pub use status::{Expiry, ExpiryKind, TlsStatus};
