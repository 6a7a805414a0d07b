//! What the CapabilityStatement announces beyond the parameters of the schema: a table kept with what
//! searches really understand. A feature is added here when it works, never before.

use rorqual_schema::ParameterType;

/// A parameter that shapes the result and belongs to no resource.
pub(super) struct ResultParameter {
    /// Its name in a query.
    pub(super) name: &'static str,
    /// Its type, as FHIR names search parameter types.
    pub(super) kind: &'static str,
    /// What it does here.
    pub(super) documentation: &'static str,
}

/// The result parameters that searches understand.
pub(super) const RESULT_PARAMETERS: [ResultParameter; 9] = [
    ResultParameter {
        name: "_count",
        kind: "number",
        documentation: "Matches on one page: 200 unless said otherwise, at most 1000; 0 counts only",
    },
    ResultParameter {
        name: "_sort",
        kind: "string",
        documentation: "Parameters to order by, separated by commas, descending after a hyphen; resources without a value come last",
    },
    ResultParameter {
        name: "_include",
        kind: "string",
        documentation: "Adds the resources that matches refer to: Type:parameter[:target] or *; :iterate follows references of what was added",
    },
    ResultParameter {
        name: "_revinclude",
        kind: "string",
        documentation: "Adds the resources that refer to matches: Type:parameter[:target] or *; :iterate likewise",
    },
    ResultParameter {
        name: "_elements",
        kind: "string",
        documentation: "Top-level elements to keep of each match, separated by commas; Type.element concerns one type",
    },
    ResultParameter {
        name: "_summary",
        kind: "token",
        documentation: "true, text, data, count or false",
    },
    ResultParameter {
        name: "_total",
        kind: "token",
        documentation: "none, estimate or accurate; the total is always exact",
    },
    ResultParameter {
        name: "_format",
        kind: "token",
        documentation: "json and its long names; wins over Accept",
    },
    ResultParameter {
        name: "_pretty",
        kind: "token",
        documentation: "true indents the answer",
    },
];

/// The parameters of type special that searches understand, by code.
pub(super) const SPECIAL_PARAMETERS: [&str; 5] =
    ["near", "near-insee-code", "_content", "_filter", "_has"];

/// Whether searches understand a parameter of the schema.
pub(super) fn offers(kind: ParameterType, code: &str) -> bool {
    kind != ParameterType::Special || SPECIAL_PARAMETERS.contains(&code)
}

/// The modifiers that searches understand on a type of parameter.
pub(super) fn modifiers(kind: ParameterType) -> &'static str {
    match kind {
        ParameterType::Token => ":not, :of-type (identifiers), :missing",
        ParameterType::String => ":exact, :contains, :missing",
        ParameterType::Reference => ":identifier, :[type], :below (organisations), :missing",
        ParameterType::Date | ParameterType::Number | ParameterType::Quantity => ":missing",
        ParameterType::Special => "",
    }
}

/// The prefixes that searches understand on a type of parameter.
pub(super) fn prefixes(kind: ParameterType) -> &'static str {
    match kind {
        ParameterType::Date | ParameterType::Number | ParameterType::Quantity => {
            "eq, ne, gt, lt, ge, le, sa, eb, ap"
        }
        ParameterType::Token
        | ParameterType::String
        | ParameterType::Reference
        | ParameterType::Special => "",
    }
}
