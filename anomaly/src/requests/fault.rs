//! Everything that can be wrong with a Bundle of requests before any of them is carried out.

use thiserror::Error;

use super::entry_fault::EntryFault;
use crate::finding::Finding;
use crate::task_text::JsonTextFault;

/// What makes a whole Bundle unreadable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BundleFault {
    /// The body is not JSON that means one thing.
    #[error(transparent)]
    Json(#[from] JsonTextFault),
    /// Another resource, or none.
    #[error("requests are posted to the base as a Bundle, not {}; post a Task to [base]/Task", or_nothing(.found))]
    NotABundle {
        /// The `resourceType` as written.
        found: Option<String>,
    },
    /// A Bundle that carries no requests.
    #[error("Bundle.type is {}; send batch (each entry alone) or transaction (all or none), with a request in every entry", or_nothing(.found))]
    OtherType {
        /// The type as written.
        found: Option<String>,
    },
    /// `Bundle.entry` is no array.
    #[error("Bundle.entry is an array; send one object per request in it")]
    EntriesNoArray,
    /// More entries than are taken.
    #[error("the Bundle has {count} entries, at most {limit} are taken; send several Bundles")]
    TooManyEntries {
        /// How many there are.
        count: usize,
        /// The most that are taken.
        limit: usize,
    },
}

/// What is wrong with a Bundle, or with one of its entries. Entries are counted from 0.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestFault {
    /// The whole Bundle is refused.
    #[error(transparent)]
    Bundle(BundleFault),
    /// An entry cannot be read.
    #[error("Bundle.entry[{place}]: {fault}")]
    Entry {
        /// The entry.
        place: usize,
        /// What is wrong with it.
        fault: EntryFault,
    },
    /// Two entries of a transaction patch the same Task.
    #[error(
        "Bundle.entry[{first}] and Bundle.entry[{second}] both patch Task/{id}; put all operations into one patch"
    )]
    SameTask {
        /// The first entry.
        first: usize,
        /// The second.
        second: usize,
        /// The Task.
        id: String,
    },
    /// Two entries of a transaction have the same `fullUrl`.
    #[error(
        "Bundle.entry[{first}] and Bundle.entry[{second}] have the same fullUrl {full_url}; give each its own urn:uuid"
    )]
    SameFullUrl {
        /// The first entry.
        first: usize,
        /// The second.
        second: usize,
        /// The address.
        full_url: String,
    },
}

impl RequestFault {
    /// The entry it is about, if it is about one: the second of two that are in each other's way.
    pub fn place(&self) -> Option<usize> {
        match self {
            RequestFault::Bundle(_) => None,
            RequestFault::Entry { place, .. } => Some(*place),
            RequestFault::SameTask { second, .. } | RequestFault::SameFullUrl { second, .. } => {
                Some(*second)
            }
        }
    }
}

fn or_nothing(found: &Option<String>) -> String {
    match found {
        Some(text) => format!("\"{}\"", text.chars().take(60).collect::<String>()),
        None => "missing".to_owned(),
    }
}

impl Finding for RequestFault {
    fn status(&self) -> u16 {
        match self {
            RequestFault::Bundle(BundleFault::TooManyEntries { .. }) => 413,
            RequestFault::Entry { fault, .. } => fault.status(),
            _ => 400,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            RequestFault::Bundle(fault) => match fault {
                BundleFault::Json(fault) => fault.code(),
                BundleFault::NotABundle { .. } | BundleFault::EntriesNoArray => "structure",
                BundleFault::OtherType { .. } => "value",
                BundleFault::TooManyEntries { .. } => "too-long",
            },
            RequestFault::Entry { fault, .. } => fault.code(),
            RequestFault::SameTask { .. } | RequestFault::SameFullUrl { .. } => "invalid",
        }
    }

    fn text(&self) -> &'static str {
        match self {
            RequestFault::Bundle(fault) => match fault {
                BundleFault::Json(fault) => fault.text(),
                BundleFault::NotABundle { .. } => "Not a Bundle",
                BundleFault::OtherType { .. } => "Bundle type not taken",
                BundleFault::EntriesNoArray => "Bundle not well formed",
                BundleFault::TooManyEntries { .. } => "Too many entries",
            },
            RequestFault::Entry { fault, .. } => fault.text(),
            RequestFault::SameTask { .. } => "The same Task twice",
            RequestFault::SameFullUrl { .. } => "The same fullUrl twice",
        }
    }

    fn path(&self) -> String {
        match self {
            RequestFault::Bundle(fault) => match fault {
                BundleFault::Json(fault) => fault.path(),
                BundleFault::NotABundle { .. } => "Bundle".to_owned(),
                BundleFault::OtherType { .. } => "Bundle.type".to_owned(),
                BundleFault::EntriesNoArray | BundleFault::TooManyEntries { .. } => {
                    "Bundle.entry".to_owned()
                }
            },
            RequestFault::Entry { place, fault } => {
                format!("Bundle.entry[{place}]{}", fault.below())
            }
            RequestFault::SameTask { second, .. } => {
                format!("Bundle.entry[{second}].request.url")
            }
            RequestFault::SameFullUrl { second, .. } => {
                format!("Bundle.entry[{second}].fullUrl")
            }
        }
    }
}
