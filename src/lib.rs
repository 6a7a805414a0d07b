//! Embedded search engine for the French directory of health offers (ROR).
//!
//! An index directory, made by `index-builder`, is opened as an [`Engine`] and answers FHIR R4 searches straight from
//! memory-mapped files. No server is needed:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let index = folder.path();
//! // What `index-builder --extract fixtures/extract --index DIR` does:
//! index_builder::build(&index_builder::BuildOptions {
//!     extract: vec!["fixtures/extract".into()],
//!     index: index.to_owned(),
//!     ..Default::default()
//! })?;
//!
//! let engine = rorqual::Engine::open(index)?;
//! let answer = engine.search("HealthcareService?specialty=013&_include=HealthcareService:location&_count=5")?;
//! assert_eq!(answer.total, 54);
//! let bundle: serde_json::Value = serde_json::from_slice(&answer.to_vec())?;
//! assert_eq!(bundle["entry"][0]["resource"]["resourceType"], "HealthcareService");
//!
//! // What is not understood is refused, with a hint.
//! let error = engine.search("Location?adress-city=Nantes").err().ok_or("it is refused")?;
//! assert_eq!(error.status(), 400);
//! assert!(error.to_string().contains("nearest: address-city"));
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: [`index`] is the generation on disk; [`query`] turns a query string into matching ordinals;
//! [`bundle`] turns ordinals into the bytes of a Bundle; [`engine`] joins them; [`export`] reads them out in bulk;
//! [`anomaly`] is what is written; `server` (a cargo feature, on by
//! default) puts it behind HTTP. What can be asked is in the crate `rorqual_schema`.

#![deny(unsafe_code)]

pub mod access;
pub mod anomaly;
pub mod bundle;
pub mod comparison;
pub mod engine;
pub mod export;
pub mod index;
pub mod outcome;
pub mod query;
#[cfg(feature = "server")]
pub mod server;
mod stored;
pub mod verify;
pub mod version;
pub mod view;
pub mod weight;

pub use engine::{Engine, EngineOptions};
pub use index::FormatError;
pub use query::error::SearchError;
pub use query::parse::Handling;
pub use rorqual_schema::{ResourceType, Schema};
pub use stored::StoredResource;
pub use view::{Answer, SearchRequest, View};

/// The examples of README.md compile.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
