//! Clients that are slow on purpose, and clients that do nothing at all, by the hundred: the others do not notice.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::client::{Client, Server};
use crate::http2;

/// As many as the limit on open files allows, two for each connection within this process.
fn affordable(wanted: usize) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let soft = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))
        .and_then(|rest| rest.split_whitespace().next())
        .map_or(1_024, |word| word.parse().unwrap_or(usize::MAX));
    wanted.min(soft.saturating_sub(200) / 2)
}

/// Resident memory of this process, in kilobytes.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|word| word.parse().ok())
        .expect("a figure")
}

/// An honest client among others: a search, answered in full.
fn honest(server: &Server) {
    let response = server.get("/fhir/Location?_count=20");
    assert_eq!(response.status, 200);
    assert_eq!(response.json()["total"], 2);
}

fn many(server: &Server, count: usize) -> Vec<Client> {
    (0..count).map(|_| server.connect()).collect()
}

#[test]
fn heads_that_trickle_hold_nobody_up_and_are_cut() {
    let server = Server::start_with(|config| config.limits.header_read_timeout_seconds = 2);
    let mut slow = many(&server, affordable(300));
    for client in &mut slow {
        client.write(b"GET /fhir/Location HTTP/1.1\r\nHost: t\r\n");
    }
    // A header line every fifth of a second, for longer than a head may take.
    for round in 0..15 {
        for client in &mut slow {
            client.write(format!("X-{round}: a\r\n").as_bytes());
        }
        honest(&server);
        std::thread::sleep(Duration::from_millis(200));
    }
    for client in &mut slow {
        assert!(client.receive(false).is_none(), "cut without an answer");
    }
}

#[test]
fn bodies_that_trickle_hold_nobody_up_and_are_answered() {
    let server = Server::start_with(|config| {
        config.limits.body_read_timeout_seconds = 2;
        // Their number must not depend on how many searches run at once.
        config.limits.max_concurrent_searches = 1;
        config.limits.max_waiting_searches = 4;
    });
    let mut slow = many(&server, affordable(300));
    for client in &mut slow {
        client.write(b"POST /fhir/Location/_search HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100000\r\n\r\n");
    }
    for _ in 0..12 {
        for client in &mut slow {
            client.write(b"a");
        }
        honest(&server);
        std::thread::sleep(Duration::from_millis(200));
    }
    for client in &mut slow {
        let response = client.receive(false).expect("an answer");
        assert_eq!(
            (response.status, response.issue_code().as_str()),
            (408, "timeout")
        );
    }
}

#[test]
fn answers_that_nobody_reads_end() {
    let server = Server::start_with(|config| {
        config.limits.body_read_timeout_seconds = 1;
        config.limits.request_timeout_seconds = 1;
        config.limits.stall_timeout_seconds = 2;
        // Connections are looked at once in this time.
        config.limits.header_read_timeout_seconds = 1;
    });
    let mut deaf = many(&server, 6);
    for client in &mut deaf {
        // More answers than any buffer on the way holds.
        let _ = client
            .stream
            .set_write_timeout(Some(Duration::from_millis(50)));
        for _ in 0..200 {
            if client
                .stream
                .write_all(&b"GET /fhir/metadata HTTP/1.1\r\nHost: t\r\n\r\n".repeat(20))
                .is_err()
            {
                break;
            }
        }
        honest(&server);
    }
    // Reading begins after the server has given up: the end comes, and not after the last answer.
    std::thread::sleep(Duration::from_secs(4));
    for client in &mut deaf {
        let mut ignored = vec![0; 1 << 20];
        let mut read = 0;
        let end = loop {
            match client.stream.read(&mut ignored) {
                Ok(0) => break std::io::ErrorKind::UnexpectedEof,
                Ok(count) => read += count,
                Err(error) => break error.kind(),
            }
        };
        assert!(
            matches!(
                end,
                std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset
            ),
            "not cut after {read} bytes: {end}"
        );
    }
    honest(&server);
}

#[test]
fn thousands_of_idle_connections_cost_little() {
    let wanted = std::env::var("RORQUAL_IDLE_CONNECTIONS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(2_000);
    let server = Server::start_with(|config| config.limits.max_connections = wanted + 10);
    honest(&server);
    let before = resident();
    let count = affordable(wanted);
    let mut idle: Vec<TcpStream> = Vec::with_capacity(count);
    for number in 0..count {
        let mut client = server.connect();
        // Half of them have asked once, which is when buffers are made.
        if number % 2 == 0 {
            assert_eq!(client.get("/livez").status, 200);
        }
        idle.push(client.stream);
    }
    honest(&server);
    let each = resident().saturating_sub(before) * 1_024 / count as u64;
    assert!(each < 64 * 1_024, "{each} bytes for an idle connection");
    for _ in 0..20 {
        honest(&server);
    }
    drop(idle);
    honest(&server);
}

#[test]
fn pings_do_not_keep_an_idle_connection() {
    const PING: u8 = 6;
    let server = Server::start_with(|config| {
        config.limits.keep_alive_seconds = 2;
        config.limits.header_read_timeout_seconds = 1;
    });
    let mut client = http2::connect(&server);
    http2::get(&mut client, 1, "/livez");
    http2::responses(&mut client, &[1]);
    let begun = std::time::Instant::now();
    let mut said = Vec::new();
    // Pings until the server says farewell: neither cut as a slow head nor kept as busy.
    while !said.contains(&http2::GOAWAY) {
        http2::write(&mut client, PING, 0, 0, &[1; 8]);
        match http2::try_read(&mut client) {
            Ok(frame) => said.push(frame.kind),
            Err(error) => panic!("cut without farewell after {said:?}: {error}"),
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "kept by pings");
        std::thread::sleep(Duration::from_millis(50));
    }
}
