//! Search parameters, and the FHIR SearchParameter resources they are written as.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::resource_type::ResourceType;

/// How the values of a parameter are read and compared.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ParameterType {
    /// Codes, identifiers, flags.
    Token,
    /// Texts, folded.
    String,
    /// Dates and periods.
    Date,
    /// Numbers without a unit.
    Number,
    /// Numbers with a unit.
    Quantity,
    /// References to other resources.
    Reference,
    /// Meaning of its own: proximity, full text, filters.
    Special,
}

impl ParameterType {
    /// Every type.
    pub const ALL: [ParameterType; 7] = [
        ParameterType::Token,
        ParameterType::String,
        ParameterType::Date,
        ParameterType::Number,
        ParameterType::Quantity,
        ParameterType::Reference,
        ParameterType::Special,
    ];

    /// The FHIR code.
    pub fn name(self) -> &'static str {
        match self {
            ParameterType::Token => "token",
            ParameterType::String => "string",
            ParameterType::Date => "date",
            ParameterType::Number => "number",
            ParameterType::Quantity => "quantity",
            ParameterType::Reference => "reference",
            ParameterType::Special => "special",
        }
    }

    /// The type of that FHIR code; `composite` and `uri` are not offered.
    pub fn from_name(name: &str) -> Option<ParameterType> {
        ParameterType::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

impl fmt::Display for ParameterType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A search parameter of one resource type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The type searched.
    pub base: ResourceType,
    /// The name in requests.
    pub code: String,
    /// How values are read and compared.
    pub kind: ParameterType,
    /// FHIRPath to the values, as written in the SearchParameter; nothing for `_filter` and its like.
    pub expression: Option<String>,
    /// For a reference, the types it may point to.
    pub targets: Vec<ResourceType>,
    /// For a quantity, the UCUM code of numbers written without a unit.
    pub default_unit: Option<String>,
    /// For a reference, the hops whose targets' criteria are kept at the level of this resource when an index is built.
    pub precomputed: Vec<Hop>,
    /// The number in [`crate::Schema::groups`] of the deepest group that holds every value.
    pub group: Option<usize>,
    /// What the parameter reads, in English.
    pub description: String,
    /// `SearchParameter.url`: the published URL, or a `urn:rorqual:SearchParameter:` of ours.
    pub url: String,
    /// `SearchParameter.id`.
    pub id: String,
    /// `SearchParameter.name`.
    pub name: String,
    /// `SearchParameter.status`.
    pub status: String,
    /// The prefixes declared, as FHIR codes.
    pub comparators: Vec<String>,
    /// The modifiers declared, as FHIR codes.
    pub modifiers: Vec<String>,
    /// Whether a list of values (or) is allowed.
    pub multiple_or: bool,
    /// Whether the parameter may be repeated (and).
    pub multiple_and: bool,
}

/// The URL of the extension that gives [`Parameter::default_unit`] (a `valueCode`).
pub const DEFAULT_UNIT_URL: &str = "urn:rorqual:default-unit";

/// The URL of the extension that declares a [`Hop`] as [`Parameter::precomputed`] (a `valueCode`, repeatable).
pub const PRECOMPUTE_URL: &str = "urn:rorqual:precompute";

/// A step along a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hop {
    /// To what is referred to.
    Direct,
    /// To what is referred to and everything above it by `partof`.
    Above,
}

impl Hop {
    /// The code in the extension.
    pub fn name(self) -> &'static str {
        match self {
            Hop::Direct => "direct",
            Hop::Above => "above",
        }
    }
}

/// The parts of a SearchParameter resource that matter here; others are ignored.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SearchParameterFile {
    pub resource_type: String,
    #[serde(default)]
    pub id: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extension: Vec<Annotation>,
    pub url: String,
    #[serde(default)]
    pub name: String,
    #[serde(default = "active")]
    pub status: String,
    #[serde(default)]
    pub description: String,
    pub code: String,
    pub base: Vec<String>,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target: Vec<String>,
    #[serde(default = "yes")]
    pub multiple_or: bool,
    #[serde(default = "yes")]
    pub multiple_and: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub comparator: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modifier: Vec<String>,
}

#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Annotation {
    pub url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_code: Option<String>,
}

fn active() -> String {
    "active".to_owned()
}

fn yes() -> bool {
    true
}

impl SearchParameterFile {
    /// One parameter for each base, or what is wrong.
    pub(crate) fn into_parameters(self) -> Result<Vec<Parameter>, String> {
        if self.resource_type != "SearchParameter" {
            return Err(format!(
                "resourceType is `{}`, not SearchParameter",
                self.resource_type
            ));
        }
        if self.code.is_empty()
            || !self
                .code
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        {
            return Err(format!(
                "the code `{}` is not made of letters, digits, hyphens and underscores",
                self.code
            ));
        }
        let kind = ParameterType::from_name(&self.kind).ok_or_else(|| {
            let known = ParameterType::ALL.map(ParameterType::name).join(", ");
            format!(
                "the type `{}` is not offered; known types: {known}",
                self.kind
            )
        })?;
        let types = |names: &[String]| -> Result<Vec<ResourceType>, String> {
            let known = |name: &String| {
                ResourceType::from_name(name).ok_or_else(|| {
                    let known = ResourceType::ALL.map(ResourceType::name).join(", ");
                    format!("`{name}` is not a type of the directory; known types: {known}")
                })
            };
            names.iter().map(known).collect()
        };
        let bases = types(&self.base)?;
        if bases.is_empty() {
            return Err("base is empty".to_owned());
        }
        let targets = types(&self.target)?;
        if kind == ParameterType::Reference && targets.is_empty() {
            return Err("a reference parameter needs a target".to_owned());
        }
        if kind != ParameterType::Special && self.expression.is_none() {
            return Err(format!("a {kind} parameter needs an expression"));
        }
        let default_unit = self
            .extension
            .iter()
            .find(|e| e.url == DEFAULT_UNIT_URL)
            .and_then(|e| e.value_code.clone());
        if let Some(code) = default_unit
            .as_deref()
            .filter(|code| crate::value::unit::unit(code).is_none())
        {
            return Err(format!(
                "the default unit `{code}` is not a known UCUM code"
            ));
        }
        let hop = |annotation: &Annotation| match annotation.value_code.as_deref() {
            Some("direct") if kind == ParameterType::Reference => Ok(Hop::Direct),
            Some("above") if kind == ParameterType::Reference => Ok(Hop::Above),
            other => Err(format!(
                "`{}` cannot be precomputed: only references can, with the code `direct` or `above`",
                other.unwrap_or_default()
            )),
        };
        let precomputed: Vec<Hop> = self
            .extension
            .iter()
            .filter(|e| e.url == PRECOMPUTE_URL)
            .map(hop)
            .collect::<Result<_, _>>()?;
        if targets.contains(&ResourceType::Task) {
            return Err(
                "a Task is written while the directory is served, so no reference may lead to one; leave Task out of `target`"
                    .to_owned(),
            );
        }
        if !precomputed.is_empty() && bases.contains(&ResourceType::Task) {
            return Err(
                "the references of a Task, which is written while the directory is served, cannot be precomputed"
                    .to_owned(),
            );
        }
        if !precomputed.is_empty() && targets.len() != 1 {
            return Err("only a reference with exactly one target can be precomputed".to_owned());
        }
        let parameter = |base| Parameter {
            base,
            code: self.code.clone(),
            kind,
            expression: self.expression.clone(),
            targets: targets.clone(),
            default_unit: default_unit.clone(),
            precomputed: precomputed.clone(),
            group: None,
            description: self.description.clone(),
            url: self.url.clone(),
            id: self.id.clone(),
            name: self.name.clone(),
            status: self.status.clone(),
            comparators: self.comparator.clone(),
            modifiers: self.modifier.clone(),
            multiple_or: self.multiple_or,
            multiple_and: self.multiple_and,
        };
        Ok(bases.into_iter().map(parameter).collect())
    }
}

impl Parameter {
    /// The parameter as a SearchParameter of its one base.
    pub(crate) fn to_file(&self) -> SearchParameterFile {
        let annotation = |url: &str, code: &str| Annotation {
            url: url.to_owned(),
            value_code: Some(code.to_owned()),
        };
        let units = self
            .default_unit
            .iter()
            .map(|unit| annotation(DEFAULT_UNIT_URL, unit));
        let hops = self
            .precomputed
            .iter()
            .map(|hop| annotation(PRECOMPUTE_URL, hop.name()));
        SearchParameterFile {
            resource_type: "SearchParameter".to_owned(),
            id: self.id.clone(),
            extension: units.chain(hops).collect(),
            url: self.url.clone(),
            name: self.name.clone(),
            status: self.status.clone(),
            description: self.description.clone(),
            code: self.code.clone(),
            base: vec![self.base.name().to_owned()],
            kind: self.kind.name().to_owned(),
            expression: self.expression.clone(),
            target: self.targets.iter().map(|t| t.name().to_owned()).collect(),
            multiple_or: self.multiple_or,
            multiple_and: self.multiple_and,
            comparator: self.comparators.clone(),
            modifier: self.modifiers.clone(),
        }
    }

    /// The parameter as a FHIR SearchParameter resource of its one base, for a CapabilityStatement or a listing.
    pub fn to_search_parameter(&self) -> serde_json::Value {
        serde_json::to_value(self.to_file()).unwrap_or_default()
    }
}
