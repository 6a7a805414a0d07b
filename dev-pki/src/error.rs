//! What can go wrong while certificates are made.

use std::path::PathBuf;

use thiserror::Error;

/// Why a certificate, a list or a file could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PkiError {
    /// The certificate library refused; with sound orders that is a defect of the order's names or dates.
    #[error("the certificate {name} cannot be made: {source}; look at its names and dates")]
    Issue {
        /// Common name asked for.
        name: String,
        /// What the library said.
        source: rcgen::Error,
    },
    /// A file could not be written.
    #[error("{path} cannot be written: {source}; choose another folder", path = path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}
