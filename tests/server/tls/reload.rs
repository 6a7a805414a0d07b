//! Certificates, authorities and lists replaced while requests run.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use rorqual_dev_pki::infrastructure::server as order;

use super::client::{Presented, TLS12, TLS13, certificates, chain, config, connect, get, request};
use super::files::{Files, status, wait_until};
use crate::client::Server;

/// Whether the server, at this moment, shows this certificate to a client that comes.
fn shows(server: &Server, files: &Files, presented: &Option<Presented>, pem: &str) -> bool {
    let config = Arc::new(config(files, presented.clone(), &TLS13));
    let client = connect(server, &config).expect("a connection");
    let shown = client.stream.conn.peer_certificates().expect("a chain");
    shown.first() == certificates(pem).first()
}

#[test]
fn under_load_nothing_is_lost_and_what_changed_holds() {
    let files = Files::new();
    let server = files.serve(|_, _| {});
    let good = chain(&files.pki.profiles[1]);
    let doomed = chain(&files.pki.profiles[2]);
    let mut held =
        connect(&server, &Arc::new(config(&files, doomed.clone(), &TLS13))).expect("a connection");
    assert_eq!(request(&mut held, "/livez").expect("an answer").status, 200);

    let (stop, asked) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for version in [&TLS12, &TLS13] {
            let (files, server, good) = (&files, &server, &good);
            let (stop, asked) = (&stop, &asked);
            // One connection that stays, and one after the other.
            scope.spawn(move || {
                let config = Arc::new(config(files, good.clone(), version));
                let mut client = connect(server, &config).expect("a connection");
                while !stop.load(Relaxed) {
                    let answer = request(&mut client, "/fhir/Location?_count=1");
                    assert_eq!(answer.expect("an answer").status, 200);
                    asked.fetch_add(1, Relaxed);
                }
            });
            scope.spawn(move || {
                while !stop.load(Relaxed) {
                    let answer = get(server, config(files, good.clone(), version), "/livez");
                    assert_eq!(answer.expect("an answer").status, 200);
                    asked.fetch_add(1, Relaxed);
                }
            });
        }
        // Dropped also when a check below fails, so that the others end.
        let _ending = Ending(&stop);
        wait_until("some load", || asked.load(Relaxed) > 50);

        let fresh = files
            .pki
            .intermediate
            .issue(&order(files.pki.now))
            .expect("a server certificate");
        assert!(!shows(&server, &files, &good, &fresh.certificate_pem()));
        // Between the two renames certificate and key do not fit: the old pair stays.
        files.replace("server.pem", &fresh.chain_pem());
        files.replace("server.key", &fresh.key_pem());
        wait_until("the new certificate", || {
            shows(&server, &files, &good, &fresh.certificate_pem())
        });

        files.revoke(&[&files.pki.revoked, &files.pki.profiles[2]], 7);
        wait_until("the revocation", || {
            get(&server, config(&files, doomed.clone(), &TLS12), "/livez")
                .is_err_and(|error| error.contains("CertificateRevoked"))
        });
        assert!(
            held.receive(false).is_none(),
            "a connection that was open is closed"
        );

        // A list that is cut short changes nothing.
        let (reloads, failed) = (status(&server).reloads(), status(&server).failed_reloads());
        files.replace("crl-intermediate.pem", "-----BEGIN X509 CRL-----\nMIIB");
        wait_until("the failure", || status(&server).failed_reloads() > failed);
        assert_eq!(status(&server).reloads(), reloads);
        assert!(get(&server, config(&files, doomed.clone(), &TLS12), "/livez").is_err());

        let before = asked.load(Relaxed);
        wait_until("load goes on", || asked.load(Relaxed) > before + 50);
    });
}

/// Ends the load when it is dropped.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

#[test]
fn a_pair_that_does_not_fit_changes_nothing_and_is_told_once() {
    let files = Files::new();
    let server = files.serve(|_, _| {});
    let good = chain(&files.pki.profiles[0]);
    let (pem, key) = (
        files.pki.server.certificate_pem(),
        files.pki.server.key_pem(),
    );
    for (name, text) in [
        ("server.key", files.pki.profiles[0].key_pem()),
        (
            "server.key",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----".to_owned(),
        ),
        ("server.pem", String::new()),
        ("client-ca.pem", "no certificate".to_owned()),
        ("crl-root.pem", "no list".to_owned()),
    ] {
        let failed = status(&server).failed_reloads();
        let whole = std::fs::read_to_string(files.path(name)).expect("it was there");
        files.replace(name, &text);
        wait_until(name, || status(&server).failed_reloads() > failed);
        assert!(shows(&server, &files, &good, &pem), "{name}");
        let reloads = status(&server).reloads();
        files.replace(name, &whole);
        wait_until("mended", || status(&server).reloads() > reloads);
        assert_eq!(
            status(&server).failed_reloads(),
            failed + 1,
            "{name}: one line for one change"
        );
    }
    assert!(key.contains("PRIVATE KEY"));
}

#[test]
fn a_signal_has_everything_read_at_once() {
    let files = Files::new();
    let server = files.serve(|tls, _| tls.reload_interval_ms = 3_600_000);
    let doomed = chain(&files.pki.profiles[3]);
    let asked = || get(&server, config(&files, doomed.clone(), &TLS13), "/livez");
    assert!(asked().is_ok());
    files.revoke(&[&files.pki.profiles[3]], 9);
    assert!(asked().is_ok(), "nobody has looked yet");
    let sent = Command::new("kill")
        .args(["-HUP", &std::process::id().to_string()])
        .status()
        .expect("kill");
    assert!(sent.success());
    wait_until("the reload", || status(&server).reloads() == 1);
    assert!(asked().is_err());
}

#[test]
fn a_new_authority_is_known_and_a_former_one_forgotten() {
    let files = Files::new();
    let server = files.serve(|tls, _| tls.crls.clear());
    let (ours, theirs) = (chain(&files.pki.profiles[0]), chain(&files.pki.strangers));
    let enters = |who: &Option<Presented>| {
        get(&server, config(&files, who.clone(), &TLS12), "/livez").is_ok()
    };
    let mut held =
        connect(&server, &Arc::new(config(&files, ours.clone(), &TLS12))).expect("a connection");
    assert!(enters(&ours) && !enters(&theirs));
    files.replace("client-ca.pem", &files.pki.stranger.certificate_pem());
    wait_until("the stranger", || enters(&theirs));
    assert!(!enters(&ours));
    assert!(held.receive(false).is_none(), "closed");
}
