//! Why an access policy cannot be used.

use thiserror::Error;

use crate::certificate::NameError;
use crate::rule_error::RuleError;

/// Why an access policy cannot be used. A policy with any fault is refused whole: nobody is let in by what was left of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Not TOML, an unknown key or a value of the wrong type; the message holds line and column.
    #[error("the access policy is not usable: {message}")]
    Syntax {
        /// Where and why, with the known keys when one is unknown.
        message: String,
    },
    /// A name that stands for nothing.
    #[error("{place} names `{name}`, which is no {what}{hint}; known: {known}")]
    Unknown {
        /// Dotted name of the key.
        place: String,
        /// The name written.
        name: String,
        /// What it should name.
        what: &'static str,
        /// The nearest known name, in words, or nothing.
        hint: String,
        /// The known names.
        known: String,
    },
    /// Two things of one name.
    #[error(
        "{place} is also in the base policy; give it another name, and say `like` to start from that one"
    )]
    Twice {
        /// Dotted name of the key.
        place: String,
    },
    /// A name with characters that would be trouble in logs and file names.
    #[error("{place}: a name has 1 to 64 letters, digits, `-`, `_` and `.`; rename it")]
    BadName {
        /// Dotted name of the key.
        place: String,
    },
    /// Profiles that are each like another, in a circle.
    #[error("profiles.{profile}.like leads back to itself; let one of them stand alone")]
    Circle {
        /// The profile.
        profile: String,
    },
    /// A condition or path that cannot be read.
    #[error("{place}: {source}")]
    Rule {
        /// Dotted name of the key.
        place: String,
        /// What is wrong and where.
        source: RuleError,
    },
    /// A condition on a whole document that asks about one of its elements.
    #[error(
        "{place}: `level`, `has` and `code` ask about an element; a document is judged by sensitive, medico-social, city and region"
    )]
    AboutElements {
        /// Dotted name of the key.
        place: String,
    },
    /// A line without elements.
    #[error("lines.{line} has no elements; list their paths, or take the line out")]
    EmptyLine {
        /// The line.
        line: String,
    },
    /// A right that can never be used.
    #[error(
        "profiles.{profile} may read tasks but documents.Task is missing, so that none is visible; add it, or take the right away"
    )]
    TasksUnseen {
        /// The profile.
        profile: String,
    },
    /// `without_certificate` and `open_data` do not go together.
    #[error(
        "without_certificate lets anybody in: it needs `open_data = true` beside it, and `open_data = true` needs it"
    )]
    OpenData,
    /// An entry of `certificates` that says too much or too little.
    #[error(
        "certificates[{number}] must have exactly one of subject, attributes and fingerprints, and not empty"
    )]
    Certificate {
        /// Its place in the list, from 0.
        number: usize,
    },
    /// A subject or attribute that cannot be read.
    #[error("certificates[{number}]: {source}")]
    Subject {
        /// Its place in the list, from 0.
        number: usize,
        /// What is wrong.
        source: NameError,
    },
    /// A fingerprint that is none.
    #[error(
        "certificates[{number}]: `{written}` is not a SHA-256 fingerprint; give 64 hexadecimal digits, colons allowed"
    )]
    Fingerprint {
        /// Its place in the list, from 0.
        number: usize,
        /// The text.
        written: String,
    },
}
