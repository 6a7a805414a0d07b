//! TLS and client certificates, as clients of another library's making meet them.

mod client;
mod files;
mod matrix;
mod metrics;
mod old;
mod places;
mod reload;
mod sessions;
