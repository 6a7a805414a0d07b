//! The datatypes that may stand in `value[x]` of a parameter (FHIR R4, datatypes, "open types").

use crate::task_text::JsonKind;

/// The suffixes of `value[x]`: primitives first.
const PRIMITIVES: [&str; 19] = [
    "Base64Binary",
    "Boolean",
    "Canonical",
    "Code",
    "Date",
    "DateTime",
    "Decimal",
    "Id",
    "Instant",
    "Integer",
    "Markdown",
    "Oid",
    "PositiveInt",
    "String",
    "Time",
    "UnsignedInt",
    "Uri",
    "Url",
    "Uuid",
];

const COMPLEX: [&str; 31] = [
    "Address",
    "Age",
    "Annotation",
    "Attachment",
    "CodeableConcept",
    "Coding",
    "ContactPoint",
    "Count",
    "Distance",
    "Duration",
    "HumanName",
    "Identifier",
    "Money",
    "Period",
    "Quantity",
    "Range",
    "Ratio",
    "Reference",
    "SampledData",
    "Signature",
    "Timing",
    "ContactDetail",
    "Contributor",
    "DataRequirement",
    "Expression",
    "ParameterDefinition",
    "RelatedArtifact",
    "TriggerDefinition",
    "UsageContext",
    "Dosage",
    "Meta",
];

/// The datatype written as that suffix, in its one spelling.
pub(super) fn datatype(suffix: &str) -> Option<&'static str> {
    all().find(|known| *known == suffix)
}

/// The datatype whose letters are the same but for their case.
pub(super) fn misspelt(suffix: &str) -> Option<&'static str> {
    all().find(|known| known.eq_ignore_ascii_case(suffix))
}

/// Whether values of the datatype are plain JSON values, with an `_name` sibling for the rest.
pub(super) fn is_primitive(datatype: &str) -> bool {
    PRIMITIVES.contains(&datatype)
}

/// The sort of JSON value the datatype is written as.
pub(super) fn json_kind(datatype: &str) -> JsonKind {
    match datatype {
        "Boolean" => JsonKind::Boolean,
        "Decimal" | "Integer" | "PositiveInt" | "UnsignedInt" => JsonKind::Number,
        _ if is_primitive(datatype) => JsonKind::String,
        _ => JsonKind::Object,
    }
}

fn all() -> impl Iterator<Item = &'static str> {
    PRIMITIVES.into_iter().chain(COMPLEX)
}
