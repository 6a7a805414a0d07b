//! What a profile may not ask, wherever it stands in a request, is refused by its name.

use super::directory::{Place, tells_nothing};

#[test]
fn a_forbidden_parameter_is_refused_wherever_it_stands() {
    let place = Place::new();
    let mut narrow = place.client(4);
    for (query, named) in [
        ("Location?address-city=Nantes", "address-city"),
        ("Location?address-city:missing=true", "address-city"),
        ("Location?_sort=address-city", "address-city"),
        ("Location?_sort=-status,address-city", "address-city"),
        (
            "HealthcareService?location.address-city=Nantes",
            "address-city",
        ),
        (
            "HealthcareService?_sort=location.address-city",
            "address-city",
        ),
        (
            "HealthcareService?_filter=location.address-city%20eq%20Nantes",
            "address-city",
        ),
        (
            "Location?_filter=not(address-city%20eq%20Nantes)",
            "address-city",
        ),
        (
            "Location?_filter=status%20eq%20active%20or%20(status%20eq%20inactive%20and%20address-city%20pr%20true)",
            "address-city",
        ),
        ("HealthcareService?identifier=52/1", "identifier"),
        ("Location?identifier=52/1", "identifier"),
        (
            "Location?_has:HealthcareService:location:identifier=52/1",
            "identifier",
        ),
        (
            "HealthcareService?organization.name=Clinique",
            "Organization",
        ),
        (
            "HealthcareService?_include=HealthcareService:organization",
            "Organization",
        ),
        (
            "HealthcareService?_revinclude=PractitionerRole:service",
            "PractitionerRole",
        ),
        (
            "HealthcareService?_has:PractitionerRole:service:_id=closed",
            "PractitionerRole",
        ),
        ("Organization", "Organization"),
        ("Organization/carrier", "Organization"),
        ("Practitioner/closed", "Practitioner"),
        ("Task", "anomalies"),
        (
            "HealthcareService?_has:Task:focus:business-status=02",
            "anomalies",
        ),
        ("HealthcareService?_revinclude=Task:focus", "anomalies"),
    ] {
        let answer = narrow.get(&format!("/fhir/{query}"));
        assert_eq!(answer.status, 403, "{query}: {}", answer.text());
        assert_eq!(
            (answer.status, answer.issue_code().as_str()),
            (403, "forbidden"),
            "{query}: {}",
            answer.text()
        );
        assert!(answer.text().contains(named), "{query}: {}", answer.text());
        tells_nothing(&answer, query);
    }
    for query in [
        "Location?status=active",
        "HealthcareService?location.status=active",
        "Location?_sort=status",
    ] {
        let answer = narrow.get(&format!("/fhir/{query}"));
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    }
}

#[test]
fn includes_bring_no_type_that_may_not_be_searched() {
    let place = Place::new();
    let kinds = |number: usize| {
        let query = "/fhir/HealthcareService?_include=*&_include:iterate=*&_revinclude=*&_revinclude:iterate=*";
        let bundle = place.get(number, query).json();
        let mut kinds: Vec<String> = bundle["entry"]
            .as_array()
            .expect("entries")
            .iter()
            .map(|entry| {
                entry["resource"]["resourceType"]
                    .as_str()
                    .unwrap_or("")
                    .to_owned()
            })
            .collect();
        kinds.sort();
        kinds.dedup();
        kinds
    };
    assert_eq!(kinds(4), ["HealthcareService", "Location"]);
    assert_eq!(kinds(2), ["HealthcareService", "Location", "Organization"]);
    assert_eq!(
        kinds(1),
        [
            "HealthcareService",
            "Location",
            "Organization",
            "Practitioner",
            "PractitionerRole"
        ]
    );
}

#[test]
fn interactions_are_granted_one_by_one() {
    let place = Place::new();
    let headers = [("Content-Type", "application/fhir+json")];
    let task = br#"{"resourceType":"Task"}"#;
    for (method, target, body) in [
        ("POST", "/fhir/Task", &task[..]),
        ("PATCH", "/fhir/Task/1", &b"[]"[..]),
        ("GET", "/fhir/Task/1", &b""[..]),
        ("GET", "/fhir/HealthcareService/$explain", &b""[..]),
    ] {
        for number in [0, 2, 4] {
            let answer = place.client(number).send(method, target, &headers, body);
            assert_eq!(answer.status, 403, "{method} {target}: {}", answer.text());
        }
    }
    // A transaction needs its own word, also an empty one.
    let bundle = br#"{"resourceType":"Bundle","type":"transaction","entry":[]}"#;
    let answer = place.client(2).send("POST", "/fhir", &headers, bundle);
    assert_eq!(answer.status, 403, "{}", answer.text());
    let answer = place.client(5).send("POST", "/fhir", &headers, bundle);
    assert_eq!(answer.status, 200, "{}", answer.text());
}
