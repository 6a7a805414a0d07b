//! Every cell of the national matrix, each on the kinds of service it tells apart: shown where it should be, and not elsewhere.

use rorqual_access::Facts;
use serde_json::{Value, json};

use crate::scene::{
    GUIDE, coded, concept, is_subsetted, kind, national, nos, seen, service_contact, telecom,
};

/// The kinds of service the cells speak of: hospital, medico-social, city, and each as a sensitive unit.
const KINDS: [&str; 6] = ["h", "m", "c", "H", "M", "C"];

pub fn facts(letter: &str) -> Facts {
    let lower = letter.to_lowercase();
    kind(lower != letter, lower == "m", lower == "c")
}

/// One row: the resource, the mark to look for in what is seen, and for each profile the kinds for which it must be found.
struct Row {
    name: &'static str,
    resource: Value,
    mark: &'static str,
    cells: [&'static str; 6],
}

fn row(name: &'static str, resource: Value, mark: &'static str, cells: [&'static str; 6]) -> Row {
    Row {
        name,
        resource,
        mark,
        cells,
    }
}

fn service(member: &str, value: Value) -> Value {
    json!({"resourceType": "HealthcareService", "id": "1", member: value})
}

pub fn location(member: &str, value: Value) -> Value {
    json!({"resourceType": "Location", "id": "1", member: value})
}

pub fn organization(member: &str, value: Value) -> Value {
    json!({"resourceType": "Organization", "id": "1", member: value})
}

fn characteristic(system: &str, act: Option<&str>) -> Value {
    let mut concept = json!({"coding": [{"system": nos(system), "code": "the-mark"}]});
    if let Some(act) = act {
        concept["extension"] = json!([{"url": format!("{GUIDE}ror-act-type"), "valueCode": act}]);
    }
    service("characteristic", json!([concept]))
}

pub fn capacity(status: &str, more: Option<Value>) -> Value {
    let mut parts = vec![
        json!({"url": "capacityStatus", "valueCodeableConcept": concept("TRE_R330-TypeStatutCapacite", status)}),
        json!({"url": "nbCapacity", "valueInteger": 7}),
        json!({"url": "comment", "valueString": "the-mark"}),
    ];
    parts.extend(more);
    location(
        "extension",
        json!([{"url": format!("{GUIDE}ror-location-supported-capacity"), "extension": parts}]),
    )
}

const ALL: &str = "hmcHMC";
pub const OPEN: &str = "hmc";
const NONE: &str = "";

fn rows() -> Vec<Row> {
    let extension = |name: &str, kind: fn(&str, Value) -> Value| {
        kind(
            "extension",
            json!([{"url": format!("{GUIDE}{name}"), "valueString": "the-mark"}]),
        )
    };
    let organization_contact = |level: u8, own: u8| {
        let mut contact =
            json!({"name": {"text": "the-name"}, "telecom": [telecom(own, "the-mark")]});
        if level > 0 {
            contact["extension"] = json!([coded(
                "ror-contact-confidentiality-level",
                "TRE_R283-NiveauConfidentialite",
                &level.to_string()
            )]);
        }
        organization("contact", json!([contact]))
    };
    let service_telecom = |level, own| {
        service(
            "extension",
            json!([service_contact(level, "the-name", &[(own, "the-mark")])]),
        )
    };
    let as_such = [OPEN, ALL, OPEN, OPEN, ALL, OPEN];
    let acts = [NONE, ALL, OPEN, "m", ALL, OPEN];
    let level_1 = [OPEN, ALL, OPEN, OPEN, OPEN, OPEN];
    let level_2 = [NONE, ALL, OPEN, "m", NONE, OPEN];
    let level_3 = [NONE, ALL, NONE, NONE, NONE, NONE];
    let place_1 = [OPEN, ALL, OPEN, "m", OPEN, OPEN];
    let equipment = [NONE, ALL, OPEN, "m", ALL, OPEN];
    let beds = [NONE, ALL, OPEN, "m", ALL, NONE];
    let installed = [NONE, ALL, OPEN, "m", ALL, OPEN];
    let spare = [NONE, ALL, NONE, NONE, ALL, NONE];
    let crisis = [NONE, ALL, NONE, NONE, ALL, NONE];
    let orga_1 = [ALL, ALL, ALL, ALL, ALL, ALL];
    let people = ["c", ALL, OPEN, "m", ALL, OPEN];
    let people_1 = ["c", ALL, OPEN, "m", OPEN, OPEN];
    let people_2 = [NONE, ALL, OPEN, "m", NONE, OPEN];
    vec![
        row(
            "service: name",
            service("name", json!("the-mark")),
            "the-mark",
            as_such,
        ),
        row(
            "service: id",
            service("id", json!("the-mark")),
            "the-mark",
            as_such,
        ),
        row(
            "service: type",
            service(
                "type",
                json!([concept("TRE_R227-ChampActivite", "the-mark")]),
            ),
            "the-mark",
            as_such,
        ),
        row(
            "service: specialty",
            service(
                "specialty",
                json!([concept("TRE_R211-ActiviteOperationnelle", "the-mark")]),
            ),
            "the-mark",
            as_such,
        ),
        row(
            "service: reception",
            characteristic("TRE_R338-ModaliteAccueil", None),
            "the-mark",
            as_such,
        ),
        row(
            "service: patients",
            extension("ror-healthcareservice-patient-type", service),
            "the-mark",
            as_such,
        ),
        row(
            "service: sector",
            extension("ror-healthcareservice-psychiatric-sector", service),
            "the-mark",
            as_such,
        ),
        row(
            "service: mailbox 1",
            service("telecom", json!([telecom(1, "the-mark")])),
            "the-mark",
            level_1,
        ),
        row(
            "service: mailbox 2",
            service("telecom", json!([telecom(2, "the-mark")])),
            "the-mark",
            level_2,
        ),
        row(
            "service: mailbox 3",
            service("telecom", json!([telecom(3, "the-mark")])),
            "the-mark",
            level_3,
        ),
        row(
            "service: mailbox, no level",
            service("telecom", json!([telecom(0, "the-mark")])),
            "the-mark",
            level_2,
        ),
        row(
            "specific act",
            characteristic("TRE_R210-ActeSpecifique", Some("specificAct")),
            "the-mark",
            acts,
        ),
        row(
            "act outside office",
            characteristic("TRE_R210-ActeSpecifique", Some("outsideOfficeAct")),
            "the-mark",
            acts,
        ),
        row(
            "act that does not say which",
            characteristic("TRE_R210-ActeSpecifique", None),
            "the-mark",
            acts,
        ),
        row(
            "care speciality",
            characteristic("TRE_R245-SpecialisationDePriseEnCharge", None),
            "the-mark",
            acts,
        ),
        row(
            "profession G15",
            characteristic("TRE_G15-ProfessionSante", None),
            "the-mark",
            acts,
        ),
        row(
            "profession R94",
            characteristic("TRE_R94-ProfessionSocial", None),
            "the-mark",
            acts,
        ),
        row(
            "profession R85",
            characteristic("TRE_R85-RolePriseCharge", None),
            "the-mark",
            acts,
        ),
        row(
            "profession R95",
            characteristic("TRE_R95-UsagerTitre", None),
            "the-mark",
            acts,
        ),
        row(
            "profession R96",
            characteristic("TRE_R96-AutreFonctionSanitaire", None),
            "the-mark",
            acts,
        ),
        row(
            "profession R356",
            characteristic("TRE_R356-ProfessionRessource", None),
            "the-mark",
            acts,
        ),
        row(
            "specific competence",
            characteristic("TRE_R243-CompetenceSpecifique", None),
            "the-mark",
            acts,
        ),
        row(
            "contact of service, public",
            service_telecom(1, 1),
            "the-mark",
            level_1,
        ),
        row(
            "contact of service, public: name",
            service_telecom(1, 1),
            "the-name",
            level_1,
        ),
        row(
            "contact of service, restricted",
            service_telecom(2, 2),
            "the-mark",
            level_2,
        ),
        row(
            "contact of service, restricted: public telecom",
            service_telecom(2, 1),
            "the-mark",
            level_2,
        ),
        row(
            "contact of service, public: restricted telecom",
            service_telecom(1, 2),
            "the-mark",
            level_2,
        ),
        row(
            "contact of service, public: very restricted telecom",
            service_telecom(1, 3),
            "the-mark",
            level_3,
        ),
        row(
            "contact of service, public: the rest with a very restricted telecom",
            service_telecom(1, 3),
            "the-name",
            level_1,
        ),
        row(
            "contact of service, very restricted",
            service_telecom(3, 1),
            "the-name",
            level_3,
        ),
        row(
            "contact of service, no level: public telecom",
            service_telecom(0, 1),
            "the-mark",
            level_2,
        ),
        row(
            "contact of service, public: telecom without level",
            service_telecom(1, 0),
            "the-mark",
            level_2,
        ),
        row(
            "location: name",
            location("name", json!("the-mark")),
            "the-mark",
            as_such,
        ),
        row(
            "location: address",
            location("address", json!({"city": "the-mark"})),
            "the-mark",
            as_such,
        ),
        row(
            "location: position",
            location("position", json!({"latitude": 47.25, "longitude": -1.5})),
            "47.25",
            as_such,
        ),
        row(
            "location: comment",
            extension("ror-comment", location),
            "the-mark",
            as_such,
        ),
        row(
            "residential capacity",
            extension("ror-location-residential-capacity", location),
            "the-mark",
            as_such,
        ),
        row(
            "location telecom 1",
            location("telecom", json!([telecom(1, "the-mark")])),
            "the-mark",
            place_1,
        ),
        row(
            "location telecom 2",
            location("telecom", json!([telecom(2, "the-mark")])),
            "the-mark",
            level_2,
        ),
        row(
            "location telecom 3",
            location("telecom", json!([telecom(3, "the-mark")])),
            "the-mark",
            level_3,
        ),
        row(
            "location telecom, no level",
            location("telecom", json!([telecom(0, "the-mark")])),
            "the-mark",
            level_2,
        ),
        row(
            "equipment",
            extension("ror-location-equipment", location),
            "the-mark",
            equipment,
        ),
        row(
            "beds installed",
            capacity("01", None),
            "the-mark",
            installed,
        ),
        row("beds available", capacity("02", None), "the-mark", beds),
        row("beds occupied", capacity("03", None), "the-mark", beds),
        row("beds closed", capacity("05", None), "the-mark", beds),
        row("beds operational", capacity("07", None), "the-mark", beds),
        row(
            "beds recorded by FINESS",
            capacity("08", None),
            "the-mark",
            beds,
        ),
        row(
            "beds supplementary",
            capacity("06", None),
            "the-mark",
            spare,
        ),
        row(
            "beds of a status unheard of",
            capacity("10", None),
            "the-mark",
            spare,
        ),
        row(
            "beds installed that are supplementary",
            capacity(
                "01",
                Some(
                    json!({"url": "additionalBedType", "valueCodeableConcept": concept("TRE_R334-TypeLitSupplementaire", "01")}),
                ),
            ),
            "the-mark",
            spare,
        ),
        row(
            "beds installed for a crisis",
            capacity(
                "01",
                Some(
                    json!({"url": "crisisType", "valueCodeableConcept": concept("TRE_R336-TypeCrise", "01")}),
                ),
            ),
            "the-mark",
            beds,
        ),
        row(
            "organisation: name",
            organization("name", json!("the-mark")),
            "the-mark",
            orga_1,
        ),
        row(
            "organisation: price",
            extension("ror-organization-price", organization),
            "the-mark",
            orga_1,
        ),
        row(
            "ORSAN level",
            extension("ror-organization-level-recours-orsan", organization),
            "the-mark",
            crisis,
        ),
        row(
            "ORSAN level, other spelling",
            extension("ror-organization-level-recourse-orsan", organization),
            "the-mark",
            crisis,
        ),
        row(
            "drop zone",
            extension("ror-organization-drop-zone", organization),
            "the-mark",
            crisis,
        ),
        row(
            "contact of organisation, public",
            organization_contact(1, 1),
            "the-mark",
            level_1,
        ),
        row(
            "contact of organisation, restricted",
            organization_contact(2, 1),
            "the-name",
            level_2,
        ),
        row(
            "contact of organisation, no level",
            organization_contact(0, 1),
            "the-mark",
            level_2,
        ),
        row(
            "contact of organisation, very restricted",
            organization_contact(3, 1),
            "the-mark",
            level_3,
        ),
        row(
            "contact of organisation, public: very restricted telecom",
            organization_contact(1, 3),
            "the-mark",
            level_3,
        ),
        row(
            "telecom of organisation 1",
            organization("telecom", json!([telecom(1, "the-mark")])),
            "the-mark",
            level_1,
        ),
        row(
            "telecom of organisation 2",
            organization("telecom", json!([telecom(2, "the-mark")])),
            "the-mark",
            level_2,
        ),
        row(
            "telecom of organisation 3",
            organization("telecom", json!([telecom(3, "the-mark")])),
            "the-mark",
            level_3,
        ),
        row(
            "professional",
            json!({"resourceType": "Practitioner", "id": "1", "identifier": [{"value": "the-mark"}]}),
            "the-mark",
            people,
        ),
        row(
            "professional: telecom 1",
            json!({"resourceType": "Practitioner", "id": "1", "telecom": [telecom(1, "the-mark")]}),
            "the-mark",
            people_1,
        ),
        row(
            "professional: telecom 2",
            json!({"resourceType": "Practitioner", "id": "1", "telecom": [telecom(2, "the-mark")]}),
            "the-mark",
            people_2,
        ),
        row(
            "professional: telecom 3",
            json!({"resourceType": "Practitioner", "id": "1", "telecom": [telecom(3, "the-mark")]}),
            "the-mark",
            level_3,
        ),
        row(
            "role",
            json!({"resourceType": "PractitionerRole", "id": "1", "code": [concept("TRE_G15-ProfessionSante", "the-mark")]}),
            "the-mark",
            people,
        ),
        row(
            "role: name",
            json!({"resourceType": "PractitionerRole", "id": "1", "extension": [{"url": format!("{GUIDE}RORPractitionerRoleName"), "extension": [{"url": "exerciseLastName", "valueString": "the-mark"}]}]}),
            "the-mark",
            people,
        ),
        row(
            "role: sector under its announced URL",
            json!({"resourceType": "PractitionerRole", "id": "1", "extension": [{"url": "https://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-ext-practitionerrole-contracted", "valueString": "the-mark"}]}),
            "the-mark",
            people,
        ),
        row(
            "role: telecom 2",
            json!({"resourceType": "PractitionerRole", "id": "1", "telecom": [telecom(2, "the-mark")]}),
            "the-mark",
            people_2,
        ),
        row(
            "an extension nobody knows",
            location(
                "extension",
                json!([{"url": "https://example.org/new", "valueString": "the-mark"}]),
            ),
            "the-mark",
            level_3,
        ),
        row(
            "an element the guide does not use",
            service("extraDetails", json!("the-mark")),
            "the-mark",
            level_3,
        ),
        row(
            "an anomaly",
            json!({"resourceType": "Task", "id": "1", "focus": {"reference": "Organization/1"}, "description": "the-mark"}),
            "the-mark",
            level_3,
        ),
        row(
            "a characteristic of no system",
            service(
                "characteristic",
                json!([{"coding": [{"code": "the-mark"}]}]),
            ),
            "the-mark",
            level_3,
        ),
        row(
            "a characteristic in words only",
            service("characteristic", json!([{"text": "the-mark"}])),
            "the-mark",
            level_3,
        ),
        row(
            "an act beside an open code",
            service(
                "characteristic",
                json!([{"coding": [{"system": nos("TRE_R338-ModaliteAccueil"), "code": "the-mark"}, {"system": nos("TRE_R210-ActeSpecifique"), "code": "1"}]}]),
            ),
            "the-mark",
            acts,
        ),
    ]
}

#[test]
fn every_cell() {
    let policy = national();
    let mut checked = 0;
    for row in rows() {
        for (number, cell) in row.cells.iter().enumerate() {
            let rules = policy.profile(&number.to_string()).expect("there").rules();
            for letter in KINDS {
                let seen = seen(rules, &row.resource, facts(letter));
                let found = seen
                    .as_ref()
                    .is_some_and(|seen| seen.to_string().contains(row.mark));
                assert_eq!(
                    found,
                    cell.contains(letter),
                    "{}, profile {number}, kind {letter}: {seen:?}",
                    row.name
                );
                if let Some(seen) = seen {
                    assert_eq!(
                        is_subsetted(&seen),
                        seen != row.resource,
                        "{}, profile {number}, kind {letter}",
                        row.name
                    );
                }
                checked += 1;
            }
        }
    }
    assert!(checked > 2_500, "{checked}");
}
