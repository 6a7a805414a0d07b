//! Anomalies: the Tasks that users report about the directory, from a request to the log, and from the log into the
//! next generation.
//!
//! ```text
//! DIR/anomalies/        the log: what was acknowledged and is not in a generation yet
//! ```
//!
//! [`draft`] is a Task that was read and checked; [`store`] is the one writer, which decides, assigns, makes durable and
//! then visible; [`record`] is one record of the log, [`journal`] reads it back; [`fold`] brings the log into a new
//! generation, [`carried`] into one that is built from a new extract, [`takeover`]
//! into one that goes live in the place of another. What a Task may be and how the log lies on disk is in the crate `rorqual_anomaly`; how what was written is searched, in
//! [`crate::index::overlay`].

pub mod carried;
pub mod draft;
pub mod fold;
pub mod identifier;
pub mod journal;
pub mod record;
pub mod refusal;
pub mod store;
pub mod takeover;
mod writer;
