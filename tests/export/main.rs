//! Bulk and synchronous extraction: what is in it, how it is read, how copies are kept.

mod deltas;
mod directory;
#[allow(dead_code)]
#[path = "../scenarios/documents.rs"]
mod documents;
mod files;
mod full_disk;
mod http;
mod http_files;
mod jobs;
mod made;
mod read_back;
mod refusals;
mod selection;
mod swap;
mod synchronous;
