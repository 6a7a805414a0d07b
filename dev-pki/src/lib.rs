//! A complete public-key infrastructure for demonstrations and tests: authorities, a server, clients of every kind
//! that a server must accept or refuse, and revocation lists.
//!
//! Nothing here is for production: the keys are written to disk in the clear.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let pki = rorqual_dev_pki::DevPki::new(std::time::SystemTime::now())?;
//! assert!(pki.server.chain_pem().contains("BEGIN CERTIFICATE"));
//! assert_eq!(pki.profiles.len(), 6);
//! # Ok(())
//! # }
//! ```
//!
//! [`authority`] issues; [`infrastructure`] decides who is issued what; [`folder`] writes it all down.

pub mod authority;
pub mod error;
pub mod folder;
pub mod infrastructure;

pub use authority::{Authority, Credential, Order, Usage};
pub use error::PkiError;
pub use infrastructure::DevPki;
