//! The append-only log on disk: acknowledged is durable.
//!
//! A log is a folder of segments, and a segment a file of records, each with a number that is never used twice. Payloads
//! are bytes: what they mean is the business of whoever writes them.
//!
//! ```
//! use std::ops::ControlFlow;
//! use rorqual_anomaly::log::{Folder, Log, LogOptions};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let place = tempfile::tempdir()?;
//! # let path = place.path().join("anomalies");
//! let (mut log, recovery) = Log::open(Folder::create(&path)?, LogOptions::default(), 0)?;
//! assert_eq!(recovery.records, 0);
//! log.append(b"first")?;
//! log.append(b"second")?;
//! let committed = log.commit()?; // both are on disk now, and may be acknowledged
//! assert_eq!((committed.first, committed.last), (1, 2));
//! # drop(log);
//!
//! let (log, recovery) = Log::open(Folder::create(&path)?, LogOptions::default(), 0)?;
//! assert_eq!(recovery.records, 2);
//! let found = log.replay(1, |number, payload| ControlFlow::Break((number, payload.to_vec())))?;
//! assert_eq!(found, ControlFlow::Break((2, b"second".to_vec())));
//! # Ok(())
//! # }
//! ```
//!
//! # How it is kept
//! One [`Log`] writes; [`LogReader`]s read beside it, from any process, without a lock. Records are appended in memory and
//! go to disk together: the more clients wait, the more records share one sync. Once the records up to some number are
//! durable elsewhere, [`Log::release`] removes the segments that hold no others, and that number is the *floor* of every
//! later opening.
//!
//! # When something goes wrong
//! - A commit that was interrupted leaves a torn tail. It was never acknowledged; opening keeps a copy of it beside the
//!   segment, cuts it, and says so ([`Recovery::torn_tail`]).
//! - Anything else that is not as it was written is [`Damage`]. The log then gives all that is sound and takes no writes:
//!   appending behind a hole would make the loss look like order.
//! - After the first write or sync that fails, no write is taken until the log is opened again, because nobody knows what
//!   is on disk. Reading goes on.
//!
//! What is promised against which misfortune is in `docs/durability.md`, the bytes in `docs/format.md`.
//!
//! # Reading order
//! `header` and `record` are the bytes; `scan` goes through one segment and tells an interrupted write from damage; `walk`
//! goes through all of them; `recover` and `repair` open; `append` writes; `reader` reads beside the writer. `storage` is
//! what they ask of a disk, `folder` the real one.

mod append;
mod damage;
mod error;
mod folder;
mod header;
mod little_endian;
mod name;
mod options;
mod pending;
mod reader;
mod record;
mod recover;
mod repair;
mod scan;
mod segment;
#[cfg(feature = "simulated-disk")]
pub mod simulated;
mod status;
mod storage;
mod walk;
mod window;

pub use append::Log;
pub use damage::{Damage, Fault};
pub use error::LogError;
pub use folder::{Folder, FolderLock};
pub use header::{FORMAT_VERSION, HEADER_BYTES, MAGIC};
pub use options::{LogOptions, MAX_RECORD_BYTES};
pub use reader::LogReader;
pub use record::{ALIGNMENT, RECORD_HEADER_BYTES};
pub use status::{Committed, LogStatus, MAX_DAMAGE, Recovery, TornTail};
pub use storage::{LockError, Storage, StorageFile};
