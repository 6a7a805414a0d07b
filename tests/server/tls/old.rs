//! Versions that are not spoken, and what is not TLS at all.

use std::io::Read;

use super::client::{TLS13, chain, config, get};
use super::files::{Files, status, wait_until};
use crate::client::Server;

/// A ClientHello of this version, and of no later one: no extension says more.
fn hello(version: [u8; 2]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([7; 32]); // random
    body.push(0); // no session
    // Suites of every age, the mandatory ones of each version among them.
    let suites: [u16; 6] = [0xc02b, 0xc02f, 0xc009, 0xc013, 0x002f, 0x000a];
    body.extend(12_u16.to_be_bytes());
    body.extend(suites.iter().flat_map(|suite| suite.to_be_bytes()));
    body.extend([1, 0]); // no compression
    // Groups and signatures, so that only the version is at fault.
    let extensions = [
        &[0, 10, 0, 4, 0, 2, 0, 23][..],
        &[0, 13, 0, 6, 0, 4, 4, 3, 8, 4],
    ]
    .concat();
    body.extend(u16::try_from(extensions.len()).expect("few").to_be_bytes());
    body.extend(extensions);
    let length = u32::try_from(body.len()).expect("short").to_be_bytes();
    let message = [&[1][..], &length[1..], &body].concat();
    let record = u16::try_from(message.len()).expect("short").to_be_bytes();
    [&[22, 3, 1][..], &record, &message].concat()
}

/// Level and description of the alert that answers these bytes.
fn alert(server: &Server, bytes: &[u8]) -> Option<(u8, u8)> {
    let mut client = server.connect();
    client.write(bytes);
    let mut record = [0; 7];
    client.stream.read_exact(&mut record).ok()?;
    (record[0] == 21).then_some((record[5], record[6]))
}

const FATAL: u8 = 2;
const PROTOCOL_VERSION: u8 = 70;

#[test]
fn versions_before_1_2_are_refused_as_such() {
    let files = Files::new();
    let server = files.serve(|_, _| {});
    for version in [[3, 0], [3, 1], [3, 2]] {
        assert_eq!(
            alert(&server, &hello(version)),
            Some((FATAL, PROTOCOL_VERSION)),
            "{version:?}"
        );
    }
    // The same words one version later are understood: the server goes on.
    let mut client = server.connect();
    client.write(&hello([3, 3]));
    let mut record = [0; 6];
    client.stream.read_exact(&mut record).expect("an answer");
    assert_eq!((record[0], record[5]), (22, 2), "a ServerHello");
}

#[test]
fn what_is_not_tls_is_refused() {
    let files = Files::new();
    let server = files.serve(|_, _| {});
    let before = status(&server).refused_handshakes();
    for bytes in [
        &b"GET /livez HTTP/1.1\r\nHost: t\r\n\r\n"[..],
        b"\x80\x2e\x01\x03\x00\x00\x15\x00\x00\x00\x10",
        &[0x16; 300],
        &[0; 300],
    ] {
        let mut client = server.connect();
        client.write(bytes);
        let mut rest = Vec::new();
        let _ = client.stream.read_to_end(&mut rest);
        assert!(!rest.starts_with(b"HTTP"), "no HTTP in the clear");
    }
    wait_until("all refused", || {
        status(&server).refused_handshakes() == before + 4
    });
    let good = config(&files, chain(&files.pki.profiles[0]), &TLS13);
    assert_eq!(get(&server, good, "/livez").expect("an answer").status, 200);
}

#[test]
fn a_handshake_that_does_not_end_is_ended() {
    let files = Files::new();
    let server = files.serve(|tls, _| tls.handshake_timeout_seconds = 1);
    for beginning in [&b""[..], &hello([3, 3])[..20], &hello([3, 3])] {
        let mut client = server.connect();
        client.write(beginning);
        let mut rest = Vec::new();
        let _ = client.stream.read_to_end(&mut rest);
    }
    wait_until("all three are refused", || {
        status(&server).refused_handshakes() == 3
    });
}
