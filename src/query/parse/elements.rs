//! `_elements`.

use rorqual_schema::ResourceType;

use super::Reader;
use super::controls::Controls;
use super::decode::Writer;
use super::leaf::malformed;
use super::request::{ElementName, Include};
use crate::query::error::Fault;

/// Names in one `_elements`.
const MAXIMUM_NAMES: usize = 200;

/// Top-level elements of every resource of the directory (FHIR R4, DomainResource).
const COMMON: &[&str] = &[
    "resourceType",
    "id",
    "meta",
    "implicitRules",
    "language",
    "text",
    "contained",
    "extension",
    "modifierExtension",
];

/// The top-level elements of a type beyond the common ones (FHIR R4).
fn own(kind: ResourceType) -> &'static [&'static str] {
    match kind {
        ResourceType::HealthcareService => &[
            "identifier",
            "active",
            "providedBy",
            "category",
            "type",
            "specialty",
            "location",
            "name",
            "comment",
            "extraDetails",
            "photo",
            "telecom",
            "coverageArea",
            "serviceProvisionCode",
            "eligibility",
            "program",
            "characteristic",
            "communication",
            "referralMethod",
            "appointmentRequired",
            "availableTime",
            "notAvailable",
            "availabilityExceptions",
            "endpoint",
        ],
        ResourceType::Location => &[
            "identifier",
            "status",
            "operationalStatus",
            "name",
            "alias",
            "description",
            "mode",
            "type",
            "telecom",
            "address",
            "physicalType",
            "position",
            "managingOrganization",
            "partOf",
            "hoursOfOperation",
            "availabilityExceptions",
            "endpoint",
        ],
        ResourceType::Organization => &[
            "identifier",
            "active",
            "type",
            "name",
            "alias",
            "telecom",
            "address",
            "partOf",
            "contact",
            "endpoint",
        ],
        ResourceType::Practitioner => &[
            "identifier",
            "active",
            "name",
            "telecom",
            "address",
            "gender",
            "birthDate",
            "photo",
            "qualification",
            "communication",
        ],
        ResourceType::PractitionerRole => &[
            "identifier",
            "active",
            "period",
            "practitioner",
            "organization",
            "code",
            "specialty",
            "location",
            "healthcareService",
            "telecom",
            "availableTime",
            "notAvailable",
            "availabilityExceptions",
            "endpoint",
        ],
        ResourceType::Task => &[
            "identifier",
            "instantiatesCanonical",
            "instantiatesUri",
            "basedOn",
            "groupIdentifier",
            "partOf",
            "status",
            "statusReason",
            "businessStatus",
            "intent",
            "priority",
            "code",
            "description",
            "focus",
            "for",
            "encounter",
            "executionPeriod",
            "authoredOn",
            "lastModified",
            "requester",
            "performerType",
            "owner",
            "location",
            "reasonCode",
            "reasonReference",
            "insurance",
            "note",
            "relevantHistory",
            "restriction",
            "input",
            "output",
        ],
    }
}

fn has(kind: ResourceType, element: &str) -> bool {
    COMMON.contains(&element) || own(kind).contains(&element)
}

impl Reader<'_> {
    /// Reads `_elements`, once the includes are known.
    pub(super) fn elements(
        &mut self,
        controls: &Controls,
        includes: &[Include],
        out: &mut Writer,
    ) -> Vec<ElementName> {
        if controls.elements.is_empty() {
            return Vec::new();
        }
        if !self.options.features.elements {
            self.notes.refuse(Fault::NotOffered {
                parameter: "_elements".to_owned(),
                what: "an answer with some elements left out",
            });
            return Vec::new();
        }
        let mut names = Vec::new();
        for text in controls.elements.iter().flat_map(|list| list.split(',')) {
            match self.element(text.trim(), includes) {
                Ok(name) if !names.contains(&name) => names.push(name),
                Ok(_) => {}
                Err(fault @ Fault::UnknownName { .. }) => self.notes.drop_if_lenient(fault),
                Err(fault) => self.notes.refuse(fault),
            }
        }
        if names.len() > MAXIMUM_NAMES {
            self.notes.refuse(Fault::TooCostly {
                parameter: Some("_elements".to_owned()),
                what: "element names",
                got: names.len(),
                limit: MAXIMUM_NAMES,
            });
        }
        let texts: Vec<String> = names
            .iter()
            .map(|name| match name.kind {
                Some(kind) => format!("{kind}.{}", name.element),
                None => name.element.clone(),
            })
            .collect();
        if !texts.is_empty() {
            out.push("_elements", &texts.join(","));
        }
        names
    }

    fn element(&self, text: &str, includes: &[Include]) -> Result<ElementName, Fault> {
        if text.is_empty() {
            return Err(malformed(
                "_elements",
                text,
                "the name of an element is missing",
            ));
        }
        let unknown = |fault: String| Fault::UnknownName {
            parameter: "_elements".to_owned(),
            written: format!("_elements={text}"),
            fault,
            suggestions: Vec::new(),
        };
        let (kind, element) = match text.split_once('.') {
            None => (None, text),
            Some((type_name, element)) => match ResourceType::from_name(type_name) {
                Some(kind) => (Some(kind), element),
                None => {
                    return Err(unknown(
                        "only whole top-level elements can be named, alone or after a type and a dot"
                            .to_owned(),
                    ));
                }
            },
        };
        let fits = match kind {
            Some(kind) => has(kind, element),
            // Includes bring other types along, for which the name may be meant.
            None if includes.is_empty() => has(self.kind, element),
            None => ResourceType::ALL.into_iter().any(|kind| has(kind, element)),
        };
        if !fits {
            let place = kind.unwrap_or(self.kind);
            let fault = format!("{element} is not a top-level element of {place}");
            return Err(unknown(fault));
        }
        Ok(ElementName {
            kind,
            element: element.to_owned(),
        })
    }
}
