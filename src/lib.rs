//! Embedded search engine for the French directory of health offers (ROR).
//!
//! An index directory, made by `index-builder`, is opened as an [`Engine`] and answers FHIR R4 searches straight from
//! memory-mapped files. No server is needed:
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = rorqual::Engine::open(".index")?;
//! let answer = engine.search("HealthcareService?specialty=013&_include=HealthcareService:location")?;
//! println!("{} offers", answer.total);
//! let bundle: serde_json::Value = serde_json::from_slice(&answer.to_vec())?;
//! # let _ = bundle;
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: [`index`] is the generation on disk; [`query`] turns a query string into matching ordinals;
//! [`bundle`] turns ordinals into the bytes of a Bundle; [`engine`] joins them; `server` (a cargo feature, on by
//! default) puts it behind HTTP. What can be asked is in the crate `rorqual_schema`.

#![deny(unsafe_code)]

pub mod bundle;
pub mod engine;
pub mod index;
pub mod outcome;
pub mod query;
#[cfg(feature = "server")]
pub mod server;
pub mod verify;

pub use engine::{Answer, Engine, EngineOptions, SearchRequest, StoredResource};
pub use index::FormatError;
pub use query::error::SearchError;
pub use query::parse::Handling;
pub use rorqual_schema::{ResourceType, Schema};
