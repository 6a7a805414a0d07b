//! Published misspellings: understood with a warning, refused under strict handling.

use super::{meaning, read, read_as};
use crate::query::parse::Handling;

/// Addresses and what they are read as.
const SLIPS: &[(&str, &str)] = &[
    ("HealthcareService?speciality=1", "specialty=1"),
    ("HealthcareService?providedBy.name=a", "organization.name=a"),
    ("HealthcareService?providedBy:name=a", "organization.name=a"),
    (
        "HealthcareService?providedBy:identifier=a",
        "organization.identifier=a",
    ),
    (
        "HealthcareService?location:address-city=a",
        "location.address-city=a",
    ),
    (
        "HealthcareService?organization:type=a",
        "organization.type=a",
    ),
    (
        "Task?focus:HealthcareService:identifier=a",
        "focus:HealthcareService.identifier=a",
    ),
    ("Task?focus:_tag=a", "focus._tag=a"),
    (
        "HealthcareService?organization:above.identifier=a",
        "organization.identifier:above=a",
    ),
    (
        "HealthcareService?location:intervention-zone=a",
        "intervention-zone=a",
    ),
    (
        "HealthcareService?_has:PractitionerRole:service:_has:PractitionerRole:practitioner:identifier=a",
        "_has:PractitionerRole:service:practitioner.identifier=a",
    ),
    ("HealthcareService?+name=+a+", "name=a"),
    (
        "HealthcareService?characteristic=https://mos.esante.gouv.fr/NOS/TRE_R213-ModePriseEnCharge/FHIR/TRE_R213-ModePriseEnCharge|1",
        "characteristic=https://mos.esante.gouv.fr/NOS/TRE_R213-ModePriseEnCharge/FHIR/TRE-R213-ModePriseEnCharge%7C1",
    ),
    (
        "Location?commune-cog=https://mos.esante.gouv.fr/NOS/TRE_R13-Commune/FHIR/TRE-R13-Commune|1",
        "commune-cog=https://mos.esante.gouv.fr/NOS/TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM%7C1",
    ),
    (
        "HealthcareService?__include=HealthcareService:location",
        "_include=HealthcareService:location",
    ),
    (
        "HealthcareService?_revincluded=PractitionerRole:service",
        "_revinclude=PractitionerRole:service",
    ),
    (
        "HealthcareService?_include=Healthcareservice:location",
        "_include=HealthcareService:location",
    ),
    (
        "HealthcareService?_include:iterate=HealthcareService:organization",
        "_include:iterate=HealthcareService:organization&_include:iterate=Organization:partof",
    ),
    (
        "HealthcareService?_revinclude=Location:healthcareservice",
        "",
    ),
    (
        "HealthcareService?_revinclude=Organization:healthcareservice",
        "",
    ),
    (
        "HealthcareService?_filter=(name+eq+a+or+b)",
        "_filter=(name%20eq%20a%20or%20name%20eq%20b)",
    ),
    (
        "HealthcareService?_filter=name+eq+a+OR+name+eq+b",
        "_filter=name%20eq%20a%20or%20name%20eq%20b",
    ),
    (
        "HealthcareService?_filter=_content=cardio",
        "_filter=_content%20co%20cardio",
    ),
    (
        "HealthcareService?_filter=speciality+eq+1",
        "_filter=specialty%20eq%201",
    ),
    (
        "HealthcareService?_filter=providedBy:type+eq+1",
        "_filter=organization.type%20eq%201",
    ),
];

#[test]
fn slips_work_with_a_warning_and_are_refused_under_strict_handling() {
    for (address, canonical) in SLIPS {
        let request = read(address);
        assert_eq!(
            request.warnings.len(),
            1,
            "{address}: {:?}",
            request.warnings
        );
        let expected = match *canonical {
            "" => "_count=200".to_owned(),
            canonical => format!("{canonical}&_count=200"),
        };
        assert_eq!(request.canonical_query, expected, "{address}");
        let error = read_as(address, Handling::Strict).expect_err(address);
        assert_eq!(
            (error.status(), error.issues().len()),
            (400, 1),
            "{address}"
        );
        // What is shown as executed has no slip left and means the same.
        let proper = format!("{}?{expected}", request.kind);
        let again = read_as(&proper, Handling::Strict).expect(&proper);
        assert_eq!(again.criterion, request.criterion, "{address}");
        assert_eq!(again.includes, request.includes, "{address}");
    }
}

#[test]
fn what_looks_like_a_slip_and_is_none() {
    assert_eq!(
        meaning("HealthcareService?organization:identifier=a"),
        "organization~>a"
    );
    for address in [
        "HealthcareService?organization:identifier=a",
        "HealthcareService?age-range-low=le35|https://unitsofmeasure.org|a",
        "HealthcareService?_include:iterate=HealthcareService:organization&_include:iterate=Organization:partof",
        "HealthcareService?_include=PractitionerRole:practitioner&_revinclude=PractitionerRole:service",
        "HealthcareService?_filter=name+eq+%22+a+%22",
    ] {
        let request = read_as(address, Handling::Strict).expect(address);
        assert!(request.warnings.is_empty(), "{address}");
    }
}

#[test]
fn what_is_not_repaired() {
    for address in [
        "HealthcareService?location:address=postalcode=71",
        "HealthcareService?location:near=latitude|longitude",
        "Task?focus:[Ressource]:_tag=1",
        "HealthcareService?location.intervention-zone=1",
        "HealthcareService?_revinclude=Location:organisation",
    ] {
        let error = read_as(address, Handling::Default).expect_err(address);
        assert_eq!(error.status(), 400, "{address}");
    }
    let glued = "HealthcareService?organization:identifier=XX_include:iterate=HealthcareService:organization";
    assert_eq!(
        meaning(glued),
        "organization~>XX_include:iterate=HealthcareService:organization"
    );
}
