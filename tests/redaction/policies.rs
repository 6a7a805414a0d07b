//! Random profiles beside those of the national policy: other documents, other elements, anomalies seen.

use crate::kinds::Kind;
use crate::random::Random;

/// Profiles of a policy made here, besides 0 to 5.
pub const OWN: usize = 5;

const OF_DOCUMENTS: &[&str] = &[
    "not sensitive",
    "not sensitive",
    "sensitive",
    "medico-social or city",
    "not (medico-social and sensitive)",
    "region in ('52', '53')",
    "not region = '11'",
    "city and not sensitive or region = '94'",
];

const OF_ELEMENTS: &[&str] = &[
    "never",
    "never",
    "not sensitive",
    "level < 3",
    "level = 1 or medico-social",
    "level <= 2 and not sensitive",
    "city",
    "region = '52'",
    "not has('equipmentType')",
    "code('capacityStatus') in ('01', '02')",
];

const LINES: &[&str] = &[
    "service-as-such",
    "service-mailbox",
    "service-acts",
    "service-contact",
    "location-as-such",
    "location-telecom",
    "equipment",
    "bed-capacity",
    "organization-as-such",
    "orsan-drop-zone",
    "organization-contact",
    "professional",
    "professional-telecom",
    "task-as-such",
    "task-values",
];

const PATHS: &[&str] = &[
    "HealthcareService.name",
    "HealthcareService.identifier",
    "HealthcareService.identifier.value",
    "HealthcareService.type",
    "HealthcareService.specialty",
    "HealthcareService.location",
    "HealthcareService.providedBy",
    "HealthcareService.comment",
    "HealthcareService.notAvailable",
    "HealthcareService.notAvailable.during",
    "HealthcareService.notAvailable.during.start",
    "HealthcareService.characteristic.where(coding.system = 'TRE_R210-ActeSpecifique')",
    "HealthcareService.characteristic.where(coding.system in ('TRE_R213-ModePriseEnCharge', 'TRE_R286-TypeFermeture'))",
    "HealthcareService.extension('ror-healthcareservice-patient-type').extension('ageRange')",
    "HealthcareService.extension('ror-healthcareservice-patient-type').extension('ageRange').valueRange.low",
    "HealthcareService.extension('ror-healthcareservice-psychiatric-sector')",
    "HealthcareService.extension('ror-territorial-division').extension('codeTerritorialDivision')",
    "Location.name",
    "Location.alias",
    "Location.identifier",
    "Location.address",
    "Location.address.city",
    "Location.position",
    "Location.position.latitude",
    "Location.partOf",
    "Location.managingOrganization",
    "Location.extension('ror-commune-cog')",
    "Location.extension('ror-location-supported-capacity').extension('nbCapacity')",
    "Location.extension('ror-location-supported-capacity').extension('capacityStatus')",
    "Location.extension('ror-location-equipment').extension('ror-location-equipment-limit')",
    "Location.extension('ror-location-residential-capacity')",
    "Organization.name",
    "Organization.alias",
    "Organization.identifier",
    "Organization.partOf",
    "Organization.type",
    "Organization.contact",
    "Organization.contact.telecom",
    "Organization.extension('ror-organization-price')",
    "Organization.extension('ror-organization-price').extension('amount').valueMoney",
    "Organization.extension('http://hl7.org/fhir/StructureDefinition/organization-period').valuePeriod.end",
    "Practitioner.name",
    "Practitioner.name.family",
    "Practitioner.identifier",
    "PractitionerRole.practitioner",
    "PractitionerRole.healthcareService",
    "PractitionerRole.organization",
    "PractitionerRole.identifier",
    "Task.description",
    "Task.input",
    "Task.focus",
    "Task.businessStatus",
    "Task.partOf",
];

/// A policy with the national profiles and some random ones.
pub fn policy(r: &mut Random) -> String {
    let mut text = "base = \"national\"\n".to_owned();
    for number in 0..OWN {
        text.push_str(&profile(r, number));
    }
    text
}

fn profile(r: &mut Random, number: usize) -> String {
    let mut text = format!("\n[profiles.own-{number}]\ntasks = [\"read\", \"write\"]\n");
    let mut rest = Vec::new();
    for kind in Kind::ALL {
        let document = match r.below(10) {
            0 => "never",
            1..=5 => "always",
            _ => r.pick(OF_DOCUMENTS),
        };
        text.push_str(&format!("documents.{} = \"{document}\"\n", kind.name()));
        if r.chance(65) {
            rest.push(format!("\"{}\"", kind.name()));
        }
    }
    text.push_str(&format!("rest = [{}]\n", rest.join(", ")));
    for line in LINES {
        let condition = match r.below(10) {
            0..=5 => "always",
            _ => r.pick(OF_ELEMENTS),
        };
        text.push_str(&format!("see.{line} = \"{condition}\"\n"));
    }
    let mut paths: Vec<&str> = (0..2 + r.below(9)).map(|_| *r.pick(PATHS)).collect();
    paths.sort_unstable();
    paths.dedup();
    for path in paths {
        let condition = if r.chance(15) {
            "always"
        } else {
            r.pick(OF_ELEMENTS)
        };
        text.push_str(&format!("see.\"{path}\" = \"{condition}\"\n"));
    }
    text
}
