//! Why a condition or an element path cannot be read.

use thiserror::Error;

/// Why a condition or an element path cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` cannot be read at character {position}: {fault}")]
#[non_exhaustive]
pub struct RuleError {
    /// The text as written.
    pub text: String,
    /// Where, in characters, from 1.
    pub position: usize,
    /// What is wrong there, and what could stand instead.
    pub fault: String,
}
