//! Anomalies over HTTP: what the server assigns, refuses, keeps and finds.

mod body;
mod bundle_faults;
mod bundles;
mod concurrency;
mod create;
mod create_faults;
mod durability;
mod patch;
mod patch_faults;
mod process;
mod visibility;
