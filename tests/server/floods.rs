//! HTTP/2 used to make work: streams begun and given up, more streams than agreed, heads that never end.

use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::client::{Client, Server};
use crate::http2::{self, END_HEADERS, END_STREAM, GOAWAY, HEADERS};

const RST_STREAM: u8 = 3;
const PING: u8 = 6;
const CONTINUATION: u8 = 9;

fn honest(server: &Server) {
    let mut client = http2::connect(server);
    http2::get(&mut client, 1, "/fhir/Location?_count=1");
    let answers = http2::responses(&mut client, &[1]);
    assert!(String::from_utf8_lossy(&answers[0].1).contains("\"total\":2"));
}

/// Reads what is left; whether the server ended the connection, with GOAWAY or without.
fn ended(client: &mut Client<TcpStream>) -> bool {
    let _ = client
        .stream
        .set_read_timeout(Some(Duration::from_millis(200)));
    loop {
        match http2::try_read(client) {
            Ok(frame) if frame.kind == GOAWAY => return true,
            Ok(_) => {}
            Err(error) => {
                return !matches!(
                    error.kind(),
                    std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut
                );
            }
        }
    }
}

#[test]
fn streams_begun_and_given_up_end_the_connection_and_nobody_else() {
    let server = Server::start();
    for _ in 0..3 {
        let mut client = http2::connect(&server);
        let begun = Instant::now();
        let mut stream = 1;
        while !ended(&mut client) {
            for _ in 0..500 {
                http2::get(&mut client, stream, "/fhir/Location?_count=20");
                http2::write(&mut client, RST_STREAM, 0, stream, &[0, 0, 0, 8]);
                stream += 2;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{stream} streams and still served"
            );
        }
        honest(&server);
    }
}

#[test]
fn requests_given_up_half_way_end_the_connection() {
    // The body never comes: each request is begun, and given up while it waits.
    let server = Server::start_with(|config| config.limits.max_resets_per_second = 10);
    let mut client = http2::connect(&server);
    let mut stream = 1;
    for _ in 0..40 {
        let mut block = vec![0x83, 0x86, 0x04, 22];
        block.extend(b"/fhir/Location/_search");
        block.extend([0x01, 1, b't']);
        // content-type, entry 31 of the static table, as a literal.
        block.extend([0x0f, 16, 33]);
        block.extend(b"application/x-www-form-urlencoded");
        http2::write(&mut client, HEADERS, END_HEADERS, stream, &block);
        std::thread::sleep(Duration::from_millis(5));
        http2::write(&mut client, RST_STREAM, 0, stream, &[0, 0, 0, 8]);
        stream += 2;
    }
    assert!(ended(&mut client));
    honest(&server);
}

#[test]
fn more_streams_than_agreed_are_refused() {
    let server = Server::start_with(|config| config.limits.max_streams_per_connection = 4);
    let mut client = http2::connect(&server);
    // Without END_STREAM: each waits for its body.
    for number in 0..20_u32 {
        let mut block = vec![0x83, 0x86, 0x04, 22];
        block.extend(b"/fhir/Location/_search");
        block.extend([0x01, 1, b't']);
        http2::write(&mut client, HEADERS, END_HEADERS, 2 * number + 1, &block);
    }
    let _ = client.stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut refused = 0;
    while refused < 16 {
        match http2::try_read(&mut client) {
            Ok(frame) if frame.kind == RST_STREAM => refused += 1,
            Ok(frame) if frame.kind == GOAWAY => break,
            Ok(_) => {}
            Err(error) => panic!("{refused} refused, then {error}"),
        }
    }
    honest(&server);
}

#[test]
fn a_head_that_never_ends_is_ended() {
    let server = Server::start();
    let mut client = http2::connect(&server);
    http2::write(&mut client, HEADERS, END_STREAM, 1, &[0x82, 0x86, 0x84]);
    let begun = Instant::now();
    while !ended(&mut client) {
        for _ in 0..200 {
            // A header of 4 kB, said once and repeated by its index.
            let mut block = vec![0x00, 1, b'x', 0x7f, 0xe1, 0x1e];
            block.extend([b'a'; 4_000]);
            http2::write(&mut client, CONTINUATION, 0, 1, &block);
        }
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
    honest(&server);
}

#[test]
fn pings_by_the_thousand_are_survived() {
    let server = Server::start();
    let mut client = http2::connect(&server);
    let _ = client
        .stream
        .set_write_timeout(Some(Duration::from_millis(500)));
    // Nobody reads the acknowledgements: they must not pile up without end.
    for _ in 0..50_000 {
        http2::write(&mut client, PING, 0, 0, &[1; 8]);
    }
    honest(&server);
}
