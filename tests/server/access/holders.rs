//! Which certificate gets which profile, and what is told to those who get none.

use rorqual::server::ClientCertificates;

use super::directory::{POLICY, Place, index};

fn total(answer: &crate::client::Response) -> u64 {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["total"].as_u64().expect("a total")
}

#[test]
fn each_certificate_gets_its_profile() {
    let place = Place::new();
    for (number, offers, people) in [(0, 2, 0), (1, 3, 1), (2, 2, 0), (3, 2, 0)] {
        let mut client = place.client(number);
        assert_eq!(
            total(&client.get("/fhir/HealthcareService")),
            offers,
            "{number}"
        );
        assert_eq!(total(&client.get("/fhir/Practitioner")), people, "{number}");
    }
    // A connection stays who it is, whatever is asked on it.
    let mut client = place.client(2);
    for _ in 0..3 {
        assert_eq!(client.get("/fhir/HealthcareService/closed").status, 404);
        assert_eq!(client.get("/fhir/HealthcareService/open").status, 200);
    }
}

#[test]
fn a_certificate_that_no_entry_knows_gets_nothing_but_the_statement() {
    let place = Place::new();
    let mut stranger = place.come(Some(&place.files.pki.unlisted_client));
    for target in [
        "/fhir/HealthcareService",
        "/fhir/HealthcareService/open",
        "/fhir/HealthcareService/closed",
        "/fhir/HealthcareService/nowhere",
        "/fhir/Task",
    ] {
        let answer = stranger.get(target);
        assert_eq!(
            (answer.status, answer.issue_code().as_str()),
            (403, "forbidden"),
            "{target}"
        );
    }
    let answer = stranger.get("/fhir/metadata");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["resourceType"], "CapabilityStatement");
    assert_eq!(stranger.get("/readyz").status, 200);
}

#[test]
fn without_a_certificate_there_is_nothing_unless_open_data_are_said_twice() {
    let optional = |config: &mut rorqual::server::ServerConfig| {
        let tls = config.tls.as_mut().expect("a table");
        tls.client_certificates = ClientCertificates::Optional;
    };
    let place = Place::with(optional);
    let answer = place.come(None).get("/fhir/HealthcareService");
    assert_eq!(
        (answer.status, answer.issue_code().as_str()),
        (403, "login")
    );
    assert_eq!(place.come(None).get("/fhir/metadata").status, 200);

    let open = format!("without_certificate = \"0\"\nopen_data = true\n{POLICY}");
    let place = Place::on(index(&open), &open, optional);
    assert_eq!(total(&place.come(None).get("/fhir/HealthcareService")), 2);
    assert_eq!(
        place
            .come(None)
            .get("/fhir/HealthcareService/closed")
            .status,
        404
    );
    // A certificate that is not known is not nobody.
    let mut stranger = place.come(Some(&place.files.pki.unlisted_client));
    assert_eq!(stranger.get("/fhir/HealthcareService").status, 403);
    assert_eq!(total(&place.get(1, "/fhir/HealthcareService")), 3);
}
