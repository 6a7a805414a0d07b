//! Access profiles, as TLS clients with certificates meet them.

mod anomalies;
pub mod directory;
mod hidden;
mod holders;
mod policy;
mod record;
mod rights;
