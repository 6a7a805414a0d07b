//! The six resource types and every search parameter they have, written out by hand.

/// A resource type of the directory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// The offer.
    HealthcareService,
    /// The place.
    Location,
    /// EJ, EG or OI.
    Organization,
    /// The person.
    Practitioner,
    /// The situation of a person in an offer.
    PractitionerRole,
    /// An anomaly.
    Task,
}

use Kind::{HealthcareService, Location, Organization, Practitioner, PractitionerRole, Task};

impl Kind {
    /// All six.
    pub const ALL: [Kind; 6] = [
        HealthcareService,
        Location,
        Organization,
        Practitioner,
        PractitionerRole,
        Task,
    ];

    /// The name FHIR gives it.
    pub fn name(self) -> &'static str {
        match self {
            HealthcareService => "HealthcareService",
            Location => "Location",
            Organization => "Organization",
            Practitioner => "Practitioner",
            PractitionerRole => "PractitionerRole",
            Task => "Task",
        }
    }

    /// The type of that exact name.
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What a parameter compares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// Codes, identifiers, booleans.
    Token,
    /// Text.
    Text,
    /// Dates, instants, periods.
    Date,
    /// Numbers without unit.
    Number,
    /// Numbers with unit.
    Quantity,
    /// Links to other resources.
    Reference,
    /// A position around a point.
    Near,
    /// A position around a commune.
    NearInsee,
}

/// A search parameter of one type.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name in a request.
    pub code: &'static str,
    /// What it compares.
    pub shape: Shape,
    /// Types a reference may point to.
    pub targets: &'static [Kind],
    /// The repeating group whose lines it reads.
    pub family: Option<&'static str>,
}

const fn plain(code: &'static str, shape: Shape) -> Parameter {
    Parameter {
        code,
        shape,
        targets: &[],
        family: None,
    }
}

const fn link(code: &'static str, targets: &'static [Kind]) -> Parameter {
    Parameter {
        code,
        shape: Shape::Reference,
        targets,
        family: None,
    }
}

const fn member(family: &'static str, code: &'static str, shape: Shape) -> Parameter {
    Parameter {
        code,
        shape,
        targets: &[],
        family: Some(family),
    }
}

const CAPACITY: &str = "supported-capacity";
const EQUIPMENT: &str = "equipment";
const DWELLING: &str = "residential-capacity";
const PRICE: &str = "price";

const OFFER: &[Parameter] = &[
    plain("_id", Shape::Token),
    plain("_lastUpdated", Shape::Date),
    plain("_tag", Shape::Token),
    plain("identifier", Shape::Token),
    plain("name", Shape::Text),
    plain("service-category", Shape::Token),
    plain("service-type", Shape::Token),
    plain("specialty", Shape::Token),
    plain("characteristic", Shape::Token),
    link("location", &[Location]),
    link("organization", &[Organization]),
    plain("psychiatric-sector", Shape::Text),
    plain("intervention-zone", Shape::Token),
    plain("patient-type", Shape::Token),
    plain("age-range-low", Shape::Quantity),
    plain("age-range-high", Shape::Quantity),
    plain("notavailable-closing-reopeningdate", Shape::Date),
];

const PLACE: &[Parameter] = &[
    plain("_id", Shape::Token),
    plain("_lastUpdated", Shape::Date),
    plain("_tag", Shape::Token),
    plain("identifier", Shape::Token),
    plain("type", Shape::Token),
    plain("status", Shape::Token),
    plain("operational-status", Shape::Token),
    plain("address-postalcode", Shape::Text),
    plain("address-city", Shape::Text),
    plain("near", Shape::Near),
    plain("near-insee-code", Shape::NearInsee),
    plain("commune-cog", Shape::Token),
    member(CAPACITY, "capacity-status", Shape::Token),
    member(CAPACITY, "capacity-type", Shape::Token),
    member(CAPACITY, "temporality-capacity", Shape::Token),
    member(CAPACITY, "gender-capacity-available", Shape::Token),
    member(CAPACITY, "nb-capacity", Shape::Number),
    member(CAPACITY, "capacity-update-date", Shape::Date),
    member(CAPACITY, "capacity-closing-type", Shape::Token),
    member(CAPACITY, "additional-bed-type", Shape::Token),
    member(CAPACITY, "crisis-type", Shape::Token),
    member(CAPACITY, "temporary-assignement", Shape::Token),
    member(EQUIPMENT, "equipment-type", Shape::Token),
    member(EQUIPMENT, "equipment-feature", Shape::Token),
    member(EQUIPMENT, "limit-value", Shape::Quantity),
    member(DWELLING, "residential-type", Shape::Token),
    member(DWELLING, "residential-number", Shape::Number),
    link("organization", &[Organization]),
];

const STRUCTURE: &[Parameter] = &[
    plain("_id", Shape::Token),
    plain("_lastUpdated", Shape::Date),
    plain("_tag", Shape::Token),
    plain("identifier", Shape::Token),
    plain("name", Shape::Text),
    plain("type", Shape::Token),
    link("partof", &[Organization]),
    plain("closing-type", Shape::Token),
    plain("drop-zone", Shape::Token),
    plain("period-end", Shape::Date),
    member(PRICE, "price-type", Shape::Token),
    member(PRICE, "price-amount-value", Shape::Number),
    member(PRICE, "price-residential-type", Shape::Token),
    member(PRICE, "special-price", Shape::Token),
    member(PRICE, "price-dependency-level", Shape::Token),
    member(PRICE, "price-welcome-type", Shape::Token),
    member(PRICE, "price-unit", Shape::Token),
    member(PRICE, "price-validity-start-date", Shape::Date),
];

const PERSON: &[Parameter] = &[
    plain("_id", Shape::Token),
    plain("_lastUpdated", Shape::Date),
    plain("_tag", Shape::Token),
    plain("identifier", Shape::Token),
];

const ROLE: &[Parameter] = &[
    plain("_id", Shape::Token),
    plain("_lastUpdated", Shape::Date),
    plain("_tag", Shape::Token),
    plain("identifier", Shape::Token),
    link("practitioner", &[Practitioner]),
    link("service", &[HealthcareService]),
    link("organization", &[Organization]),
];

const ANOMALY: &[Parameter] = &[
    plain("_id", Shape::Token),
    plain("_lastUpdated", Shape::Date),
    plain("identifier", Shape::Token),
    link(
        "focus",
        &[
            Organization,
            Location,
            HealthcareService,
            Practitioner,
            PractitionerRole,
        ],
    ),
    plain("business-status", Shape::Token),
    plain("authored-on", Shape::Date),
];

/// Every parameter of a type.
pub fn parameters(kind: Kind) -> &'static [Parameter] {
    match kind {
        HealthcareService => OFFER,
        Location => PLACE,
        Organization => STRUCTURE,
        Practitioner => PERSON,
        PractitionerRole => ROLE,
        Task => ANOMALY,
    }
}

/// The parameter of a type that has this name.
pub fn parameter(kind: Kind, code: &str) -> Option<&'static Parameter> {
    parameters(kind).iter().find(|known| known.code == code)
}

/// The reference parameters of a type.
pub fn links(kind: Kind) -> impl Iterator<Item = &'static Parameter> {
    parameters(kind)
        .iter()
        .filter(|known| known.shape == Shape::Reference)
}
