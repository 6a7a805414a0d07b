//! The store of anomalies as a whole: what it acknowledges is found at once, and never lost.

mod beside;
mod child;
mod directory;
mod disk;
mod full_disk;
mod history;
mod interrupted;
mod kept;
#[cfg(feature = "server")]
mod killed;
mod model;
mod place;
#[cfg(feature = "server")]
mod server;
mod takeover;
mod task;
mod withheld;
