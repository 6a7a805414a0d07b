//! Tests of access policies and redaction, one binary.

mod bytes;
mod certificates;
mod directory;
mod extract;
mod faults;
mod matrix;
mod naive;
mod property;
mod references;
mod rights;
mod scene;
mod shared;
mod siblings;
mod views;
