//! TLS and client certificates, as clients of another library's making meet them.

pub mod client;
pub mod files;
mod matrix;
mod metrics;
mod old;
mod places;
mod reload;
mod sessions;
