//! Turns a FHIR R4 extract into a generation: a memory-mapped index made live by one rename.
//!
//! The road of a record: [`input`] splits sources into records; workers in [`gather`] parse each, extract what
//! the schema asks for and spool the body, and seal what they gathered when it outgrows its memory ([`crew`],
//! [`resources`]); [`resolve`] keeps the last of duplicates and resolves references; [`order`] gives ordinals;
//! [`precompute`] brings criteria one reference away to the level of the resource that refers; [`write`] writes the
//! structures of `rorqual::index`; `rorqual::index::workplace` makes them live.
//!
//! ```no_run
//! use index_builder::{BuildOptions, build};
//!
//! # fn main() -> Result<(), index_builder::BuildError> {
//! let options = BuildOptions { extract: vec!["fixtures/extract".into()], index: ".index".into(), ..BuildOptions::default() };
//! let report = build(&options)?;
//! println!("{report}");
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub mod assemble;
pub mod bodies;
pub mod crew;
pub mod delta;
pub mod delta_summary;
pub mod gather;
pub mod held;
pub mod input;
pub mod order;
pub mod precompute;
pub mod progress;
pub mod rejects;
pub mod report;
pub mod resolve;
pub mod resources;
pub mod spool;
pub mod unchanged;
pub mod views;
pub mod write;

mod build;
mod build_error;

pub use build::{BuildOptions, DEFAULT_MEMORY, Delta, build};
pub use build_error::BuildError;
