//! The HTTP server as its clients meet it: real sockets, a real index, nothing inside it touched.

mod access;
mod anomalies;
mod answers;
mod check_config;
mod client;
mod coding;
mod connections;
mod costs;
mod engine;
mod floods;
mod http2;
mod quotas;
mod refusals;
mod request_names;
mod slow;
mod smuggling;
mod started;
mod tls;
mod weights;
