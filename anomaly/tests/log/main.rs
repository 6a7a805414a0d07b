//! The anomaly log against everything that a disk can do to it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod basics;
mod damage;
mod decoder;
mod failures;
mod fixture;
mod folder;
mod ledger;
mod power_cuts;
mod reader;
mod tails;
