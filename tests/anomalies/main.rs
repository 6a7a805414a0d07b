//! The store of anomalies as a whole: what it acknowledges is found at once, and never lost.

mod directory;
mod history;
mod model;
mod place;
mod task;
