//! Anomalies: defects of the directory that users report, as FHIR `Task` resources.
//!
//! This crate knows what an anomaly may be and how it is kept, and nothing of indexes or HTTP:
//!
//! - [`task_text`] holds the text of a Task so that what is not touched stays byte for byte;
//! - [`structure`] checks the R4 structure of a Task, [`profile`] what the ROR profile `ror-task` asks beyond it;
//! - [`patch`] applies FHIRPath Patch and JSON Patch to the first level of a Task;
//! - [`requests`] reads the Bundles that carry several writes at once;
//! - [`log`] is the append-only log on disk: acknowledged is durable.
//!
//! Every fault found is a [`Finding`], which names the element concerned by its FHIRPath.

#![forbid(unsafe_code)]

pub mod finding;
pub mod log;
pub mod patch;
pub mod profile;
pub mod requests;
pub mod structure;
pub mod task_text;

pub use finding::{Finding, Gravity};
