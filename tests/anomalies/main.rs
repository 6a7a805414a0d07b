//! The store of anomalies as a whole: what it acknowledges is found at once, and never lost.

mod beside;
mod child;
mod directory;
mod disk;
mod full_disk;
mod history;
mod interrupted;
mod model;
mod place;
mod takeover;
mod task;
