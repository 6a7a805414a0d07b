//! Repeating groups: elements whose criteria must hold within one and the same occurrence.

use serde::{Deserialize, Serialize};

use crate::resource_type::ResourceType;

/// A repeating element of a resource, such as a capacity line of a Location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The name used in `_filter` brackets, such as `supported-capacity`.
    pub name: String,
    /// The type that has the element.
    pub base: ResourceType,
    /// FHIRPath to the repeating element.
    pub path: String,
    /// For an element inside another group's, the number of that group in [`crate::Schema::groups`].
    pub parent: Option<usize>,
    /// What one line is, in English.
    pub description: String,
}

/// A group as written in `groups.json`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupFile {
    pub name: String,
    pub base: String,
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    #[serde(default)]
    pub description: String,
}
