//! The extensions of the ROR guide by their short names, and every URL under which each is met.

use rorqual_schema::extension_spellings;

/// What stands before the short name in the URL of an extension of the guide.
const BASE: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/";

/// The short names of the guide (0.7.0), old spellings included.
pub(crate) const KNOWN: [&str; 46] = [
    "RORPractitionerRoleName",
    "ror-act-type",
    "ror-available-time-effective-opening-closing-date",
    "ror-available-time-number-days-of-week",
    "ror-available-time-type-of-time",
    "ror-comment",
    "ror-commune-cog",
    "ror-confidence-geolocation",
    "ror-confidentiality-level",
    "ror-contact-confidentiality-level",
    "ror-contact-description",
    "ror-contact-function-contact",
    "ror-coordinate-reliability",
    "ror-healthcareservice-contact",
    "ror-healthcareservice-contact-telecom",
    "ror-healthcareservice-no-consent-habilitation",
    "ror-healthcareservice-patient-type",
    "ror-healthcareservice-psychiatric-sector",
    "ror-healthcareservice-sensitive-unit",
    "ror-location-equipment",
    "ror-location-equipment-limit",
    "ror-location-residential-capacity",
    "ror-location-supported-capacity",
    "ror-meta-comment",
    "ror-meta-creation-date",
    "ror-meta-questionnaire-used-as-a-template",
    "ror-organization-accessibility-location",
    "ror-organization-accomodation-family",
    "ror-organization-additional-name",
    "ror-organization-closing-type",
    "ror-organization-comment",
    "ror-organization-creation-date",
    "ror-organization-drop-zone",
    "ror-organization-financial-help-type",
    "ror-organization-level-recours-orsan",
    "ror-organization-level-recourse-orsan",
    "ror-organization-nb-permanent-social-help-place",
    "ror-organization-nb-temporary-social-help-place",
    "ror-organization-price",
    "ror-organization-reopening-date",
    "ror-practitionerrole-name",
    "ror-practitionerrole-unit-exercise-mode",
    "ror-telecom-communication-channel",
    "ror-telecom-confidentiality-level",
    "ror-telecom-usage",
    "ror-territorial-division",
];

/// Whether a name is meant as a short name of the guide.
pub(crate) fn is_short(name: &str) -> bool {
    name.starts_with("ror-") || name == "RORPractitionerRoleName"
}

/// Every URL that an extension of that name may carry: a URL and its other spellings; for a short name of the guide, its whole URL
/// and the name alone; for any other name (the parts of a complex extension), the name itself.
pub(crate) fn urls_of(name: &str) -> Vec<String> {
    if name.contains(':') {
        return extension_spellings(name);
    }
    if !is_short(name) {
        return vec![name.to_owned()];
    }
    let mut urls = extension_spellings(&format!("{BASE}{name}"));
    let bare: Vec<String> = urls
        .iter()
        .filter_map(|url| url.strip_prefix(BASE))
        .map(str::to_owned)
        .collect();
    urls.extend(bare);
    urls
}
