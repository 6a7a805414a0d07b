//! Sessions that are resumed, and what ends them.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;

use super::client::{TLS12, TLS13, chain, config, connect, request};
use super::files::{Files, status, wait_until};
use crate::client::Server;

/// Asks once on a connection of its own. The answer read, the client also holds its tickets.
fn ask(server: &Server, config: &Arc<ClientConfig>) -> Result<u16, String> {
    let mut client = connect(server, config).map_err(|error| error.to_string())?;
    request(&mut client, "/livez").map(|response| response.status)
}

#[test]
fn a_session_is_resumed_until_a_reload() {
    let files = Files::new();
    let server = files.serve(|_, _| {});
    for version in [&TLS12, &TLS13] {
        let mut config = config(&files, chain(&files.pki.profiles[0]), version);
        config.resumption = Resumption::in_memory_sessions(8);
        let config = Arc::new(config);
        let (full, resumed, reloads) = (
            status(&server).full_handshakes(),
            status(&server).resumed_handshakes(),
            status(&server).reloads(),
        );
        for _ in 0..4 {
            assert_eq!(ask(&server, &config), Ok(200));
        }
        assert_eq!(
            (
                status(&server).full_handshakes() - full,
                status(&server).resumed_handshakes() - resumed
            ),
            (1, 3),
            "{version:?}"
        );
        files.revoke(&[&files.pki.revoked], 5 + reloads);
        wait_until("the reload", || status(&server).reloads() > reloads);
        assert_eq!(ask(&server, &config), Ok(200));
        assert_eq!(status(&server).full_handshakes() - full, 2, "{version:?}");
    }
}

#[test]
fn a_session_does_not_survive_the_revocation_of_its_certificate() {
    let files = Files::new();
    let server = files.serve(|_, _| {});
    for (version, credential) in [
        (&TLS12, &files.pki.profiles[1]),
        (&TLS13, &files.pki.profiles[2]),
    ] {
        let mut config = config(&files, chain(credential), version);
        config.resumption = Resumption::in_memory_sessions(8);
        let config = Arc::new(config);
        assert_eq!(ask(&server, &config), Ok(200));
        assert_eq!(ask(&server, &config), Ok(200));
        let reloads = status(&server).reloads();
        files.revoke(&[credential], 10 + reloads);
        wait_until("the reload", || status(&server).reloads() > reloads);
        assert!(ask(&server, &config).is_err(), "{version:?}");
    }
}

#[test]
fn a_connection_ends_with_its_certificate() {
    let files = Files::new();
    let server = files.serve(|_, _| {});
    // Long enough for a handshake on a slow machine, short enough to be waited for.
    let now = std::time::SystemTime::now();
    let order = rorqual_dev_pki::Order {
        not_after: now + std::time::Duration::from_secs(4),
        ..rorqual_dev_pki::infrastructure::client("rorqual-short", now)
    };
    let short = files.pki.intermediate.issue(&order).expect("a client");
    let mut config = config(&files, chain(&short), &TLS13);
    config.resumption = Resumption::in_memory_sessions(8);
    let config = Arc::new(config);
    let mut client = connect(&server, &config).expect("a connection");
    assert_eq!(
        request(&mut client, "/livez").expect("an answer").status,
        200
    );
    assert!(client.receive(false).is_none(), "closed when it expires");
    assert!(ask(&server, &config).is_err(), "nor is its session resumed");
}
