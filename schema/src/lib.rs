//! What can be asked of Rorqual, and how every value is read.
//!
//! The directory of health offers is searched through FHIR R4 search parameters. Each one is a `SearchParameter` resource in
//! `search-parameters/`, and from it alone follow the extraction of its values when data are indexed, the reading of its values
//! in requests, and its place in chains, filters and the CapabilityStatement. Adding a parameter of a known type is adding a file.
//!
//! Three things live here:
//!
//! - [`Schema`]: the parameters and repeating groups of each [`ResourceType`], with [`Schema::extract`], which walks a resource
//!   once and gives every value of every parameter, and the line of its group;
//! - the one normaliser: the functions that prepare values are the same for data and for requests ([`parse_token`], [`fold`],
//!   [`parse_date`], [`Decimal`], [`parse_quantity`], [`parse_reference`], [`canonical_system`]);
//! - reference data compiled into the program: the communes of France ([`commune`]), the French labels of codes
//!   ([`code_label`]) and the elements of each type ([`top_level_elements`]); `reference/SOURCE.md` says where they come from.
//!
//! Read `registry` first, then `plan` and `extract`; each file of `value` stands alone.
//!
//! ```
//! use rorqual_schema::{Extraction, Node, ResourceType, Schema, Value};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let schema = Schema::embedded()?;
//! let resource = Node::parse(br#"{"resourceType":"Organization","id":"12","name":"Clinique des Trois Chenes"}"#)?;
//! let mut extraction = Extraction::new();
//! schema.extract(ResourceType::Organization, &resource, &mut extraction);
//! let name = schema.find(ResourceType::Organization, "name");
//! let found = extraction.values.iter().find(|found| Some(found.parameter) == name);
//! assert!(matches!(found.map(|found| &found.value), Some(Value::String(text)) if text == "Clinique des Trois Chenes"));
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod code_systems;
mod communes;
mod elements;
mod extension_urls;
mod extract;
mod fhirpath;
mod group;
mod human_text;
mod json;
mod parameter;
mod plan;
mod registry;
mod resource_type;
mod schema_error;
mod suggest;
mod value;

pub use code_systems::{
    CodeSystem, canonical_system, case_insensitive_systems, code_label, code_system, code_systems,
    is_case_insensitive,
};
pub use communes::{Commune, commune, commune_name, communes};
pub use elements::{TopLevel, top_level_elements};
pub use extension_urls::spellings as extension_spellings;
pub use extract::{Extracted, Extraction};
pub use fhirpath::ExpressionError;
pub use group::Group;
pub use json::{JsonError, JsonNumber, Node};
pub use parameter::{DEFAULT_UNIT_URL, Hop, PRECOMPUTE_URL, Parameter, ParameterType};
pub use registry::Schema;
pub use resource_type::ResourceType;
pub use schema_error::SchemaError;
pub use value::Value;
pub use value::date::{DateRange, TimeZoneRule, parse_date};
pub use value::decimal::Decimal;
pub use value::error::ValueError;
pub use value::escape::{escape, split_unescaped, unescape};
pub use value::position::Position;
pub use value::prefix::{Prefix, split_prefix};
pub use value::quantity::{CanonicalQuantity, QuantityQuery, QuantityValue, parse_quantity};
pub use value::reference::{
    ReferenceQuery, ReferenceTarget, ReferenceValue, is_id, parse_reference,
};
pub use value::text::fold;
pub use value::token::{
    SystemMatch, Token, TokenQuery, compared_code, parse_token, token_code_variants,
};
pub use value::unit::{Dimension, Unit, canonical as canonical_quantity, unit, units};
