//! Where each parameter finds its values: one explicit walk per (type, parameter).

use super::values::{self, Value, each, extensions, value_of};
use crate::kinds::{Kind, Parameter, Shape};
use serde_json::Value as Json;

/// A value and the line of the repeating group it stands in.
#[derive(Clone, Debug)]
pub struct Found {
    /// The value.
    pub value: Value,
    /// Number of the line, then of the line inside it; empty outside groups.
    pub line: Vec<usize>,
}

const CAPACITY: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-supported-capacity";
const EQUIPMENT: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-equipment";
const LIMIT: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-equipment-limit";
const DWELLING: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-location-residential-capacity";
const COMMUNE: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-commune-cog";
const PRICE: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-organization-price";
const CLOSING: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-organization-closing-type";
const DROP_ZONE: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-organization-drop-zone";
const PERIOD: &str = "http://hl7.org/fhir/StructureDefinition/organization-period";
const SECTOR: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-psychiatric-sector";
const DIVISION: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-territorial-division";
const PATIENTS: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-patient-type";

/// An element and the line it was found in.
type Place<'a> = (&'a Json, Vec<usize>);

/// Every value of a parameter on a resource.
pub fn found(kind: Kind, parameter: &Parameter, resource: &Json) -> Vec<Found> {
    let mut out = Vec::new();
    for (element, line) in elements(kind, parameter.code, resource) {
        for value in read(parameter, element) {
            out.push(Found {
                value,
                line: line.clone(),
            });
        }
    }
    out
}

fn read(parameter: &Parameter, element: &Json) -> Vec<Value> {
    match parameter.shape {
        Shape::Token => values::tokens(element)
            .into_iter()
            .map(Value::Token)
            .collect(),
        Shape::Text => values::text(element).into_iter().map(Value::Text).collect(),
        Shape::Date => values::date(element).into_iter().map(Value::Date).collect(),
        Shape::Number => values::number(element)
            .into_iter()
            .map(Value::Number)
            .collect(),
        Shape::Quantity => {
            let usual = parameter.code.starts_with("age-range").then_some("a");
            let read = values::quantity(element, usual);
            read.into_iter().map(Value::Quantity).collect()
        }
        Shape::Reference => values::reference(element)
            .into_iter()
            .map(Value::Reference)
            .collect(),
        Shape::Near | Shape::NearInsee => values::position(element)
            .map(|(latitude, longitude)| Value::Position(latitude, longitude))
            .into_iter()
            .collect(),
    }
}

fn outside<'a>(elements: Vec<&'a Json>) -> Vec<Place<'a>> {
    elements
        .into_iter()
        .map(|element| (element, Vec::new()))
        .collect()
}

/// The values of the extensions `url`.
fn extended<'a>(element: &'a Json, url: &str) -> Vec<&'a Json> {
    extensions(element, url).into_iter().map(value_of).collect()
}

/// The values of the part `part` in each line of the group `url`.
fn lined<'a>(resource: &'a Json, url: &str, part: &str) -> Vec<Place<'a>> {
    let mut out = Vec::new();
    for (line, group) in extensions(resource, url).into_iter().enumerate() {
        out.extend(
            extended(group, part)
                .into_iter()
                .map(|value| (value, vec![line])),
        );
    }
    out
}

/// The same inside the limits of each piece of equipment.
fn limits<'a>(resource: &'a Json, part: &str) -> Vec<Place<'a>> {
    let mut out = Vec::new();
    for (line, group) in extensions(resource, EQUIPMENT).into_iter().enumerate() {
        for (inner, limit) in extensions(group, LIMIT).into_iter().enumerate() {
            let values = extended(limit, part);
            out.extend(values.into_iter().map(|value| (value, vec![line, inner])));
        }
    }
    out
}

fn age_bounds<'a>(resource: &'a Json, bound: &str) -> Vec<&'a Json> {
    let blocks = extensions(resource, PATIENTS).into_iter();
    blocks
        .flat_map(|block| extended(block, "ageRange"))
        .map(|range| &range[bound])
        .collect()
}

fn elements<'a>(kind: Kind, code: &str, resource: &'a Json) -> Vec<Place<'a>> {
    match code {
        "_id" => return outside(each(&resource["id"])),
        "_lastUpdated" => return outside(each(&resource["meta"]["lastUpdated"])),
        "_tag" => return outside(each(&resource["meta"]["tag"])),
        "identifier" => return outside(each(&resource["identifier"])),
        _ => {}
    }
    match kind {
        Kind::HealthcareService => outside(offer(code, resource)),
        Kind::Location => place(code, resource),
        Kind::Organization => structure(code, resource),
        Kind::Practitioner => Vec::new(),
        Kind::PractitionerRole => outside(match code {
            "practitioner" => each(&resource["practitioner"]),
            "service" => each(&resource["healthcareService"]),
            "organization" => each(&resource["organization"]),
            _ => Vec::new(),
        }),
        Kind::Task => outside(match code {
            "focus" => each(&resource["focus"]),
            "business-status" => each(&resource["businessStatus"]),
            "authored-on" => each(&resource["authoredOn"]),
            _ => Vec::new(),
        }),
    }
}

fn offer<'a>(code: &str, resource: &'a Json) -> Vec<&'a Json> {
    match code {
        "name" => each(&resource["name"]),
        "service-category" => each(&resource["category"]),
        "service-type" => each(&resource["type"]),
        "specialty" => each(&resource["specialty"]),
        "characteristic" => each(&resource["characteristic"]),
        "location" => each(&resource["location"]),
        "organization" => each(&resource["providedBy"]),
        "psychiatric-sector" => extended(resource, SECTOR),
        "intervention-zone" => extensions(resource, DIVISION)
            .into_iter()
            .flat_map(|division| extended(division, "codeTerritorialDivision"))
            .collect(),
        "patient-type" => extensions(resource, PATIENTS)
            .into_iter()
            .flat_map(|block| extended(block, "supportedPatientInfo"))
            .collect(),
        "age-range-low" => age_bounds(resource, "low"),
        "age-range-high" => age_bounds(resource, "high"),
        "notavailable-closing-reopeningdate" => each(&resource["notAvailable"])
            .into_iter()
            .filter(|closing| closing["id"] == "closingReopeningDate")
            .map(|closing| &closing["during"])
            .collect(),
        _ => Vec::new(),
    }
}

fn place<'a>(code: &str, resource: &'a Json) -> Vec<Place<'a>> {
    let address = |part: &str| {
        let addresses = each(&resource["address"]).into_iter();
        outside(addresses.map(|address| &address[part]).collect())
    };
    match code {
        "type" => outside(each(&resource["type"])),
        "status" => outside(each(&resource["status"])),
        "operational-status" => outside(each(&resource["operationalStatus"])),
        "address-postalcode" => address("postalCode"),
        "address-city" => address("city"),
        "near" | "near-insee-code" => outside(each(&resource["position"])),
        "commune-cog" => outside(extended(resource, COMMUNE)),
        "organization" => outside(each(&resource["managingOrganization"])),
        "capacity-status" => lined(resource, CAPACITY, "capacityStatus"),
        "capacity-type" => lined(resource, CAPACITY, "capacityType"),
        "temporality-capacity" => lined(resource, CAPACITY, "temporalityCapacity"),
        "gender-capacity-available" => lined(resource, CAPACITY, "genderCapacityAvailable"),
        "nb-capacity" => lined(resource, CAPACITY, "nbCapacity"),
        "capacity-update-date" => lined(resource, CAPACITY, "capacityUpdateDate"),
        "capacity-closing-type" => lined(resource, CAPACITY, "capacityClosingType"),
        "additional-bed-type" => lined(resource, CAPACITY, "additionalBedType"),
        "crisis-type" => lined(resource, CAPACITY, "crisisType"),
        "temporary-assignement" => lined(resource, CAPACITY, "temporaryAssignement"),
        "equipment-type" => lined(resource, EQUIPMENT, "equipmentType"),
        "equipment-feature" => limits(resource, "equipmentFeature"),
        "limit-value" => limits(resource, "limitValue"),
        "residential-type" => lined(resource, DWELLING, "residentialType"),
        "residential-number" => lined(resource, DWELLING, "residentialNumber"),
        _ => Vec::new(),
    }
}

fn structure<'a>(code: &str, resource: &'a Json) -> Vec<Place<'a>> {
    match code {
        "name" => {
            let mut names = each(&resource["name"]);
            names.extend(each(&resource["alias"]));
            outside(names)
        }
        "type" => outside(each(&resource["type"])),
        "partof" => outside(each(&resource["partOf"])),
        "closing-type" => outside(extended(resource, CLOSING)),
        "drop-zone" => outside(extended(resource, DROP_ZONE)),
        "period-end" => {
            let periods = extended(resource, PERIOD).into_iter();
            outside(periods.map(|period| &period["end"]).collect())
        }
        "price-type" => lined(resource, PRICE, "priceType"),
        "price-amount-value" => lined(resource, PRICE, "amount")
            .into_iter()
            .map(|(amount, line)| (&amount["value"], line))
            .collect(),
        "price-residential-type" => lined(resource, PRICE, "residentialType"),
        "special-price" => lined(resource, PRICE, "specialPrice"),
        "price-dependency-level" => lined(resource, PRICE, "dependencyLevel"),
        "price-welcome-type" => lined(resource, PRICE, "welcomeType"),
        "price-unit" => lined(resource, PRICE, "priceUnit"),
        "price-validity-start-date" => lined(resource, PRICE, "startDate"),
        _ => Vec::new(),
    }
}
