//! The published misspellings that a request holds, and how an answer must name each.

use crate::documents::Request;

/// Misspellings recognised in a part of a decoded name or value, and what of them an issue must quote.
const IN_NAMES: [(&str, &str); 6] = [
    ("__include", "__include"),
    ("_revincluded", "_revincluded"),
    ("speciality", "speciality"),
    ("providedBy", "providedBy"),
    ("organization:above.", "organization:above."),
    (
        "_has:PractitionerRole:service:_has:PractitionerRole:practitioner:",
        "_has:PractitionerRole:service:_has:PractitionerRole:practitioner:",
    ),
];
const IN_VALUES: [(&str, &str); 3] = [
    ("/FHIR/TRE_", "/FHIR/TRE_"),
    ("TRE-R330-StatutCapacite", "TRE-R330-StatutCapacite"),
    ("TRE-R13-Commune|", "TRE-R13-Commune"),
];
const IN_FILTERS: [(&str, &str); 4] = [
    ("speciality", "speciality"),
    ("providedBy:", "providedBy:"),
    ("organization:above.", "organization:above."),
    ("_content=", "_content="),
];
/// Where a colon before a parameter name stands for a dot.
const COLON_FOR_DOT: [&str; 8] = [
    "location:",
    "organization:",
    "providedBy:",
    "focus:HealthcareService:",
    "focus:Organization:",
    "focus:Location:",
    "focus:Practitioner:",
    "focus:PractitionerRole:",
];
/// What may follow the colon of an organisation or a place by right.
const MODIFIERS: [&str; 5] = ["identifier", "missing", "above", "below", "not"];

/// For each misspelling of a request, a text that an issue about it must hold.
pub fn slips(request: &Request) -> Vec<String> {
    let mut slips = Vec::new();
    let pairs = request.pairs();
    let climbs = pairs
        .iter()
        .any(|(_, value)| value.trim() == "Organization:partof");
    for (name, value) in &pairs {
        let plain = name.trim();
        // A blank is said of the parameter that it surrounds.
        if plain != name || value.trim() != value {
            slips.push(plain.to_owned());
        }
        let quoted = |known: &[(&str, &str)], text: &str| -> Vec<String> {
            known
                .iter()
                .filter(|(part, _)| text.contains(part))
                .map(|(_, quote)| (*quote).to_owned())
                .collect()
        };
        slips.extend(quoted(&IN_NAMES, plain));
        slips.extend(quoted(&IN_VALUES, value));
        if plain == "_filter" {
            slips.extend(quoted(&IN_FILTERS, value));
        }
        for before in COLON_FOR_DOT {
            if let Some(after) = plain.strip_prefix(before) {
                let by_right = !before.starts_with("focus") && MODIFIERS.contains(&after);
                if !by_right && !after.contains('.') {
                    slips.push(plain.to_owned());
                }
            }
        }
        if plain == "_include:iterate"
            && value.trim() == "HealthcareService:organization"
            && !climbs
        {
            slips.push("HealthcareService:organization".to_owned());
        }
        if plain.starts_with("_revinclude") && value.trim().ends_with(":healthcareservice") {
            slips.push(value.trim().to_owned());
        }
    }
    slips
}
