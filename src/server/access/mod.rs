//! Who is asking, what they may ask, what they see, and the record of it.
//!
//! | file | does |
//! |---|---|
//! | `config` | the table `[access]` |
//! | `caller` | from a client certificate to a profile, its rights and its view |
//! | `reload` | a policy that changes while the server runs |
//! | `ror_headers` | the headers in which ROR clients say on whose behalf they ask |
//! | `audit` | one line for each request, beside the requests |
//!
//! What a profile sees is decided when the index is built ([`crate::View`]); here it is only chosen.

mod audit;
mod caller;
mod config;
mod reload;
mod ror_headers;

pub(super) use audit::{Audit, Entry};
pub(super) use caller::{Caller, Callers};
pub use config::{AccessConfig, RorHeaders};
pub(super) use reload::watch;
