//! Bulk export (Bulk Data Access STU2, `$export`): the offers of a directory and what belongs to them, as files.
//!
//! A job copies nothing: it holds the snapshot it began with and one bitmap for each type. Its files are ranges of
//! those bitmaps, read from the map whenever somebody downloads them, so that their length is known, any part of them
//! can be read again, and neither a swap nor a second client costs anything. HTTP is not needed:
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # index_builder::build(&index_builder::BuildOptions {
//! #     extract: vec!["fixtures/extract".into()],
//! #     index: folder.path().to_owned(),
//! #     ..Default::default()
//! # })?;
//! use rorqual::export::{ExportRequest, Jobs};
//!
//! let engine = rorqual::Engine::open(folder.path())?;
//! let jobs = Jobs::default();
//! let query = "_typeFilter=HealthcareService%3Fspecialty%3D013";
//! let begun = jobs.begin(engine.full(), "", &ExportRequest::new(query))?;
//! begun.job.prepare();
//! let export = begun.job.outcome().ok_or("it is prepared")??;
//! let offers = export.files().first().ok_or("there are offers")?;
//! assert_eq!((offers.name(), offers.count()), ("HealthcareService-1.ndjson", 54));
//! let mut reader = offers.read();
//! let mut text = Vec::new();
//! while let Some(pieces) = reader.next(1 << 20)? {
//!     pieces.iter().for_each(|piece| text.extend_from_slice(piece));
//! }
//! assert_eq!(text.len() as u64, offers.length()?);
//! assert_eq!(text.iter().filter(|&&byte| byte == b'\n').count(), 54);
//! # Ok(())
//! # }
//! ```
//!
//! Reading order: [`request`] (what is asked for), `selection` and `associates` (which resources that is), [`file`]
//! (how they are read), [`job`], [`jobs`] (who may have how many), [`manifest`] (what the client is told).

mod allowance;
mod associates;
pub mod fault;
pub mod file;
pub mod form;
pub mod job;
pub mod jobs;
pub mod manifest;
mod parameters;
pub mod request;
mod selection;

pub use fault::{ExportError, ExportFault};
pub use file::{ExportFile, FileReader};
pub use form::OutputForm;
pub use job::{Export, Job};
pub use jobs::{Begun, ExportOptions, Jobs};
pub use request::ExportRequest;

use rorqual_schema::ResourceType;

/// The types that an export holds, in the order of its files. Anomalies are not among them.
pub const EXPORTED: [ResourceType; 5] = [
    ResourceType::HealthcareService,
    ResourceType::Organization,
    ResourceType::Location,
    ResourceType::PractitionerRole,
    ResourceType::Practitioner,
];
