//! The HTTP server: a thin skin over [`Engine`](crate::Engine), on hyper and tokio, without a framework.
//!
//! A request walks through these files in this order:
//!
//! | file | does |
//! |---|---|
//! | `listener` | accepts connections, drains them at the end |
//! | `activation` | the socket that is listened on, bound or passed by systemd |
//! | `entrance`, `clients`, `peer` | places for connections, in total and per client; who the client is |
//! | `tls` | handshakes, client certificates, their reload |
//! | `connection`, `activity`, `watched` | one connection: HTTP/1.1 or HTTP/2, and the clocks that end slow or idle ones |
//! | `access` | who asks, what they may and see, the record of requests, the `Ror-…` headers |
//! | `service` | one request: from its head to a response, a panic included |
//! | `route`, `base_url` | which interaction the address and the method name |
//! | `form`, `payload`, `query`, `encoding` | the parameters of the URL and of a posted form, joined |
//! | `negotiation`, `prefer` | what form of answer is wanted, and how strict to be |
//! | `reading` | searches, plans, reads, the CapabilityStatement |
//! | `writing` | anomalies: creations, changes, Bundles of both |
//! | `search_pool` | runs a search on a bounded set of threads, within a time budget |
//! | `reply`, `body`, `pretty`, `conditional`, `http_date` | the response |
//! | `standalone` | the few answers that hyper cannot give |
//! | `export` | bulk exports: kick-off, status, files |
//! | `refusal` | every reason to say no, each with its status, issue code and sentence |
//! | `capability`, `features` | the CapabilityStatement, generated from the schema |
//! | `limits`, `config` | what the operator may set |
//! | `served` | the engine and the store behind it all |
//! | `swap`, `changes` | notice a new generation, and replaced files |
//! | `metrics` | the numbers that an operator watches, on an address of their own |
//! | `termination` | SIGTERM and SIGINT |
//!
//! ```no_run
//! # async fn example(engine: std::sync::Arc<rorqual::Engine>) -> Result<(), Box<dyn std::error::Error>> {
//! use rorqual::server::{ServerConfig, serve, termination};
//!
//! let config = ServerConfig::default();
//! serve(engine, config, termination()?, |bound| println!("listening on {}", bound.base_url)).await?;
//! # Ok(())
//! # }
//! ```

mod access;
mod activation;
mod activity;
mod apart;
mod attempt;
mod base_url;
mod body;
mod capability;
mod changes;
mod clients;
mod coding;
mod conditional;
mod config;
mod connection;
mod encoding;
mod entrance;
mod export;
mod features;
mod form;
mod http_date;
mod limits;
mod listener;
mod metrics;
mod nearest;
mod negotiation;
mod payload;
mod peer;
mod prefer;
mod pretty;
mod query;
mod reading;
mod refusal;
mod reply;
mod request_id;
mod route;
mod search_pool;
mod served;
mod service;
mod standalone;
mod swap;
mod termination;
mod tls;
mod watched;
mod writing;

pub use access::{AccessConfig, RorHeaders};
pub use base_url::BaseUrlError;
pub use config::{ConfigError, GroupMatchingKey, ServerConfig};
pub use export::ExportConfig;
pub use limits::Limits;
pub use listener::{Bound, ServeError, serve};
pub use served::{OpenError, Served};
pub use termination::termination;
pub use tls::{
    ClientCertificates, ClientIdentity, ExpiredCrls, Expiry, ExpiryKind, Fingerprint, Material,
    Revocation, TlsConfig, TlsError, TlsStatus,
};
pub use writing::AnomalyConfig;
