//! Who gets in and who does not, by certificate, by version and by configuration.

use std::sync::Arc;
use std::time::SystemTime;

use rorqual::server::{ClientCertificates, ExpiredCrls, Revocation};
use rorqual_dev_pki::authority::DAY;
use rorqual_dev_pki::infrastructure::client as order;
use rorqual_dev_pki::{Authority, Credential};

use super::client::{Presented, TLS12, TLS13, alone, chain, config, connect, get, request};
use super::files::{Files, status, wait_until};
use crate::client::Server;

/// Asks with both versions. In TLS 1.3 a client has finished before the server has looked at its certificate, and may
/// see a reset before the alert: there only the refusal counts, in TLS 1.2 its reason too.
fn check(server: &Server, files: &Files, what: &str, presented: &Option<Presented>, alert: &str) {
    let before = status(server).refused_handshakes();
    for version in [&TLS12, &TLS13] {
        let answer = get(
            server,
            config(files, presented.clone(), version),
            "/fhir/Location?_count=1",
        );
        match (answer, alert) {
            (Ok(response), "") => {
                assert_eq!(response.status, 200, "{what}");
                assert_eq!(response.json()["total"], 2, "{what}");
            }
            (Err(error), "") => panic!("{what}, {version:?}: {error}"),
            (Ok(_), alert) => panic!("{what}, {version:?}: let in instead of {alert}"),
            (Err(error), alert) => assert!(
                version.version == TLS13.version || error.contains(alert),
                "{what}: {error} instead of {alert}"
            ),
        }
    }
    // The client knows before the server has counted.
    let expected = before + if alert.is_empty() { 0 } else { 2 };
    wait_until(what, || status(server).refused_handshakes() >= expected);
    assert_eq!(status(server).refused_handshakes(), expected, "{what}");
}

#[test]
fn a_required_certificate_must_be_good() {
    let files = Files::new();
    let server = files.serve(|_, _| {});
    let pki = &files.pki;
    for (number, profile) in pki.profiles.iter().enumerate() {
        check(
            &server,
            &files,
            &format!("profile {number}"),
            &chain(profile),
            "",
        );
    }
    check(
        &server,
        &files,
        "the server knows the intermediate",
        &alone(&pki.profiles[0]),
        "",
    );
    check(
        &server,
        &files,
        "an unlisted intermediate, presented",
        &chain(&pki.unlisted_client),
        "",
    );
    for (what, presented, alert) in [
        ("none", None, "CertificateRequired"),
        ("expired", chain(&pki.expired), "CertificateExpired"),
        (
            "not yet valid",
            chain(&pki.not_yet_valid),
            "CertificateExpired",
        ),
        ("revoked", chain(&pki.revoked), "CertificateRevoked"),
        ("a stranger's", chain(&pki.strangers), "UnknownCA"),
        (
            "a server's",
            chain(&pki.wrong_usage),
            "UnsupportedCertificate",
        ),
        (
            "missing intermediate",
            alone(&pki.unlisted_client),
            "UnknownCA",
        ),
    ] {
        check(&server, &files, what, &presented, alert);
    }
    check(&server, &files, "still", &chain(&pki.profiles[0]), "");
}

#[test]
fn an_optional_certificate_may_be_missing_but_not_bad() {
    let files = Files::new();
    let server = files.serve(|tls, _| tls.client_certificates = ClientCertificates::Optional);
    check(&server, &files, "none", &None, "");
    check(&server, &files, "good", &chain(&files.pki.profiles[2]), "");
    check(
        &server,
        &files,
        "revoked",
        &chain(&files.pki.revoked),
        "CertificateRevoked",
    );
    check(
        &server,
        &files,
        "a stranger's",
        &chain(&files.pki.strangers),
        "UnknownCA",
    );
}

#[test]
fn without_client_certificates_nobody_is_asked() {
    let files = Files::new();
    let server = files.serve(|tls, _| {
        tls.client_certificates = ClientCertificates::None;
        tls.client_ca = None;
        tls.crls = Vec::new();
    });
    assert!(
        server.base_url.starts_with("https://"),
        "{}",
        server.base_url
    );
    check(&server, &files, "none", &None, "");
    check(
        &server,
        &files,
        "one that was not asked for is not sent",
        &chain(&files.pki.revoked),
        "",
    );
}

#[test]
fn without_a_list_that_covers_it_nobody_knows_whether_a_certificate_is_revoked() {
    let files = Files::new();
    let pki = &files.pki;
    let server = files.serve(|tls, _| tls.crls = vec![files.path("crl-intermediate.pem")]);
    check(
        &server,
        &files,
        "the intermediate's own state is not known",
        &chain(&pki.profiles[0]),
        "UnknownCA",
    );
    let server = files.serve(|tls, _| {
        tls.crls = vec![files.path("crl-intermediate.pem")];
        tls.revocation = Revocation::Leaf;
    });
    check(&server, &files, "leaf only", &chain(&pki.profiles[0]), "");
    check(
        &server,
        &files,
        "leaf only, revoked",
        &chain(&pki.revoked),
        "CertificateRevoked",
    );
    let server = files.serve(|tls, _| tls.crls = Vec::new());
    check(&server, &files, "no lists", &chain(&pki.revoked), "");
}

#[test]
fn the_newest_list_of_an_issuer_counts() {
    let files = Files::new();
    let pki = &files.pki;
    // Given first, but issued an hour before the other.
    let old = pki
        .intermediate
        .revocation_list(&[], 1, pki.now - DAY, 365 * DAY)
        .expect("a list");
    files.replace("old.pem", &old);
    let server = files.serve(|tls, _| tls.crls.insert(0, files.path("old.pem")));
    check(
        &server,
        &files,
        "revoked since",
        &chain(&pki.revoked),
        "CertificateRevoked",
    );
}

#[test]
fn an_expired_list_is_worth_what_the_operator_says() {
    let files = Files::new();
    let pki = &files.pki;
    let list = pki
        .intermediate
        .revocation_list(&[&pki.revoked], 3, pki.now - 10 * DAY, DAY)
        .expect("a list");
    files.replace("crl-intermediate.pem", &list);
    let server = files.serve(|_, _| {});
    let good = chain(&pki.profiles[0]);
    check(&server, &files, "nobody knows", &good, "UnknownCA");
    let server = files.serve(|tls, _| tls.expired_crls = ExpiredCrls::Accept);
    check(&server, &files, "as it stands", &good, "");
    check(
        &server,
        &files,
        "revoked all the same",
        &chain(&pki.revoked),
        "CertificateRevoked",
    );
}

#[test]
fn a_revoked_intermediate_takes_its_clients_along() {
    let files = Files::new();
    let server = files.serve(|tls, _| {
        tls.client_ca = Some(files.path("root.pem"));
        tls.crls.clear();
    });
    check(
        &server,
        &files,
        "the root alone is enough for a client that brings its intermediate",
        &chain(&files.pki.profiles[0]),
        "",
    );
    check(
        &server,
        &files,
        "and not for one that does not",
        &alone(&files.pki.profiles[0]),
        "UnknownCA",
    );
}

#[test]
fn an_intermediate_alone_in_the_bundle_is_trusted_for_itself() {
    let files = Files::new();
    files.replace("branch.pem", &files.pki.intermediate.certificate_pem());
    let server = files.serve(|tls, _| {
        tls.client_ca = Some(files.path("branch.pem"));
        tls.revocation = Revocation::Leaf;
    });
    check(
        &server,
        &files,
        "its own",
        &chain(&files.pki.profiles[0]),
        "",
    );
    check(
        &server,
        &files,
        "another branch of the same root",
        &chain(&files.pki.unlisted_client),
        "UnknownCA",
    );
}

#[test]
fn several_roots_are_known_at_once() {
    let files = Files::new();
    let both = files.pki.client_ca_pem() + &files.pki.stranger.certificate_pem();
    files.replace("client-ca.pem", &both);
    let list = files
        .pki
        .stranger
        .revocation_list(&[], 1, files.pki.now, DAY)
        .expect("a list");
    files.replace("crl-stranger.pem", &list);
    let server = files.serve(|tls, _| tls.crls.push(files.path("crl-stranger.pem")));
    check(&server, &files, "one", &chain(&files.pki.profiles[0]), "");
    check(
        &server,
        &files,
        "the other",
        &chain(&files.pki.strangers),
        "",
    );
}

#[test]
fn a_chain_of_a_hundred_certificates_is_refused_and_costs_nobody_else() {
    let files = Files::new();
    let server = files.serve(|_, _| {});
    let now = SystemTime::now();
    let long = |length: usize| -> Credential {
        let mut authority: Authority = files
            .pki
            .root
            .intermediate("Link 0", now, 30 * DAY)
            .expect("an authority");
        for number in 1..length {
            authority = authority
                .intermediate(&format!("Link {number}"), now, 30 * DAY)
                .expect("an authority");
        }
        authority
            .issue(&order("rorqual-long", now))
            .expect("a client")
    };
    let mut honest = connect(
        &server,
        &Arc::new(config(&files, chain(&files.pki.profiles[0]), &TLS13)),
    )
    .expect("a connection");
    for length in [9, 99] {
        let presented = chain(&long(length));
        assert!(
            get(&server, config(&files, presented.clone(), &TLS12), "/livez").is_err(),
            "{length}"
        );
        assert!(
            get(&server, config(&files, presented, &TLS13), "/livez").is_err(),
            "{length}"
        );
        assert_eq!(
            request(&mut honest, "/livez").expect("an answer").status,
            200
        );
    }
    wait_until("all four are refused", || {
        status(&server).refused_handshakes() == 4
    });
}

#[test]
fn expiries_are_told() {
    let files = Files::new();
    let server = files.serve(|_, _| {});
    let told: Vec<_> = status(&server)
        .expiries()
        .into_iter()
        .map(|expiry| (expiry.kind.name(), expiry.name))
        .collect();
    for expected in [
        ("server-certificate", "CN=localhost"),
        ("client-authority", "CN=Rorqual root"),
        ("client-authority", "CN=Rorqual intermediate"),
        ("revocation-list", "CN=Rorqual unlisted intermediate"),
    ] {
        assert!(
            told.iter()
                .any(|(kind, name)| *kind == expected.0 && name.starts_with(expected.1)),
            "{expected:?}: {told:?}"
        );
    }
}
