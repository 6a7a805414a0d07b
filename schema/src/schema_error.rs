//! Why a schema cannot be used.

use std::path::PathBuf;

use thiserror::Error;

use crate::fhirpath::ExpressionError;
use crate::resource_type::ResourceType;
use crate::value::error::ValueError;

/// Why a schema cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// A file or folder cannot be read.
    #[error("cannot read {path}: {source}; check that it exists and is readable")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A text is not JSON of the expected shape.
    #[error("{file} is not usable: {source}; correct the file")]
    Json {
        /// The file, or what the text is.
        file: String,
        /// What is wrong and where.
        source: serde_json::Error,
    },
    /// A SearchParameter says something that is not offered.
    #[error("{file} is not a usable SearchParameter: {fault}")]
    Parameter {
        /// The file.
        file: String,
        /// What is wrong.
        fault: String,
    },
    /// An expression is outside the supported part of FHIRPath.
    #[error("the expression of {base} {code} cannot be compiled: {source}")]
    Expression {
        /// The base of the parameter.
        base: ResourceType,
        /// The code of the parameter.
        code: String,
        /// What is wrong and where.
        source: ExpressionError,
    },
    /// An expression speaks of other types only.
    #[error(
        "no part of the expression of {base} {code} begins with {base} or Resource; add a path for this base"
    )]
    NoPath {
        /// The base of the parameter.
        base: ResourceType,
        /// The code of the parameter.
        code: String,
    },
    /// A group cannot be used.
    #[error("the group `{group}` is not usable: {fault}; correct groups.json")]
    Group {
        /// The name of the group.
        group: String,
        /// What is wrong.
        fault: String,
    },
    /// A time zone is unknown.
    #[error(transparent)]
    TimeZone(#[from] ValueError),
}
