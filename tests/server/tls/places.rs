//! Places and allowances by certificate, and connections that are turned away inside TLS.

use std::sync::Arc;

use rorqual_dev_pki::Credential;
use rustls::ClientConfig;

use super::client::{Stream, TLS13, chain, config, connect, request};
use super::files::Files;
use crate::client::{Client, Server};
use crate::http2;

fn come(server: &Server, files: &Files, who: &Credential) -> Client<Stream> {
    connect(server, &Arc::new(config(files, chain(who), &TLS13))).expect("a connection")
}

fn multiplexed(files: &Files, who: &Credential) -> Arc<ClientConfig> {
    let mut config = config(files, chain(who), &TLS13);
    config.alpn_protocols = vec![b"h2".to_vec()];
    Arc::new(config)
}

#[test]
fn an_allowance_is_the_certificates_wherever_it_connects_from() {
    let files = Files::new();
    let server = files.serve(|_, config| {
        config.limits.requests_per_second_per_client = 1;
        config.limits.request_burst_per_client = 3;
    });
    let (one, other) = (&files.pki.profiles[1], &files.pki.profiles[2]);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        let mut client = come(&server, &files, one);
        let answer = request(&mut client, "/fhir/Location?_count=1").expect("an answer");
        if answer.status == 429 {
            assert_eq!(answer.issue_code(), "throttled");
            assert_eq!(answer.header("retry-after"), Some("1"));
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses[..3], [200, 200, 200]);
    assert!(statuses.contains(&429), "{statuses:?}");
    let mut client = come(&server, &files, other);
    let answer = request(&mut client, "/fhir/Location?_count=1").expect("an answer");
    assert_eq!(answer.status, 200, "another certificate has its own");
}

#[test]
fn a_connection_too_many_of_one_certificate_is_told_so_in_its_protocol() {
    let files = Files::new();
    let server = files.serve(|_, config| config.limits.max_connections_per_client = 2);
    let (one, other) = (&files.pki.profiles[1], &files.pki.profiles[2]);
    let mut held = [come(&server, &files, one), come(&server, &files, one)];
    for client in &mut held {
        assert_eq!(request(client, "/livez").expect("an answer").status, 200);
    }
    let mut third = come(&server, &files, one);
    let answer = request(&mut third, "/fhir/metadata").expect("an answer");
    assert_eq!(
        (answer.status, answer.issue_code().as_str()),
        (429, "throttled")
    );
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(third.receive(false).is_none(), "and closed");

    let mut fourth = connect(&server, &multiplexed(&files, one)).expect("a connection");
    http2::open(&mut fourth);
    http2::get(&mut fourth, 1, "/fhir/metadata");
    let mut body = Vec::new();
    while let Ok(frame) = http2::try_read(&mut fourth) {
        if frame.kind == http2::DATA {
            body.extend(frame.payload);
        }
    }
    assert!(
        String::from_utf8_lossy(&body).contains("throttled"),
        "{body:?}"
    );

    let mut client = come(&server, &files, other);
    assert_eq!(
        request(&mut client, "/livez").expect("an answer").status,
        200,
        "another certificate has its own places"
    );
}

#[test]
fn a_full_server_says_so_inside_tls() {
    let files = Files::new();
    let server = files.serve(|_, config| config.limits.max_connections = 1);
    let mut held = come(&server, &files, &files.pki.profiles[1]);
    assert_eq!(request(&mut held, "/livez").expect("an answer").status, 200);
    let mut second = come(&server, &files, &files.pki.profiles[2]);
    let answer = request(&mut second, "/livez").expect("an answer");
    assert_eq!(
        (answer.status, answer.issue_code().as_str()),
        (503, "transient")
    );
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[test]
fn both_protocols_are_offered_and_give_the_same_bytes() {
    let files = Files::new();
    let server = files.serve(|_, _| {});
    let who = &files.pki.profiles[0];
    let mut plain = come(&server, &files, who);
    let answer = request(&mut plain, "/fhir/metadata").expect("an answer");
    let mut client = connect(&server, &multiplexed(&files, who)).expect("a connection");
    assert_eq!(client.stream.conn.alpn_protocol(), Some(&b"h2"[..]));
    http2::open(&mut client);
    http2::get(&mut client, 1, "/fhir/metadata");
    let answers = http2::responses(&mut client, &[1]);
    assert!(answers[0].1 == answer.body);
    assert!(answer.text().contains("https://127.0.0.1"));
}
