//! Embedded search engine for the French directory of health offers.
#![deny(unsafe_code)]
pub mod index;
