//! Requests that two readers could cut at different places: one answer at most, and never a second request inside.

use crate::client::{Client, Server};

/// Statuses of all answers on a connection, to its end.
fn answers(client: &mut Client) -> Vec<u16> {
    client
        .stream
        .set_read_timeout(Some(std::time::Duration::from_secs(10)))
        .expect("a time-out");
    let mut statuses = Vec::new();
    while let Some(response) = client.receive(false) {
        statuses.push(response.status);
    }
    statuses
}

/// What a smuggler hides: its answer would be 404.
const HIDDEN: &str = "GET /fhir/Patient HTTP/1.1\r\nHost: t\r\n\r\n";

const POST: &str = "POST /fhir/Location/_search HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-www-form-urlencoded\r\n";

#[test]
fn ambiguous_lengths_are_refused_and_the_connection_ends() {
    let server = Server::start_with(|config| {
        config.limits.body_read_timeout_seconds = 1;
        config.limits.keep_alive_seconds = 1;
        config.limits.header_read_timeout_seconds = 1;
    });
    for (what, headers, body) in [
        (
            "length and chunks",
            "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
            format!("0\r\n\r\n{HIDDEN}"),
        ),
        (
            "chunks and length",
            "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
            format!("0\r\n\r\n{HIDDEN}"),
        ),
        (
            "two lengths",
            "Content-Length: 0\r\nContent-Length: 44\r\n",
            HIDDEN.to_owned(),
        ),
        (
            "a list of lengths",
            "Content-Length: 0, 44\r\n",
            HIDDEN.to_owned(),
        ),
        (
            "a signed length",
            "Content-Length: +0\r\n",
            HIDDEN.to_owned(),
        ),
        (
            "a negative length",
            "Content-Length: -1\r\n",
            HIDDEN.to_owned(),
        ),
        (
            "a length in hexadecimal",
            "Content-Length: 0x0\r\n",
            HIDDEN.to_owned(),
        ),
        (
            "a length too great for any number",
            "Content-Length: 99999999999999999999999\r\n",
            HIDDEN.to_owned(),
        ),
        (
            "an unknown coding",
            "Transfer-Encoding: chunked, identity\r\n",
            format!("0\r\n\r\n{HIDDEN}"),
        ),
        (
            "a coding in disguise",
            "Transfer-Encoding: xchunked\r\n",
            format!("0\r\n\r\n{HIDDEN}"),
        ),
        (
            "a blank before the colon",
            "Transfer-Encoding : chunked\r\n",
            format!("0\r\n\r\n{HIDDEN}"),
        ),
        (
            "a folded line",
            "X-Folded: a\r\n b\r\nContent-Length: 0\r\n",
            HIDDEN.to_owned(),
        ),
        (
            "a folded coding",
            "Transfer-Encoding:\r\n chunked\r\n",
            format!("0\r\n\r\n{HIDDEN}"),
        ),
        (
            "a zero byte in a header",
            "X-Zero: a\0b\r\nContent-Length: 0\r\n",
            HIDDEN.to_owned(),
        ),
        (
            "a carriage return alone",
            "X-Return: a\rContent-Length: 0\r\n",
            HIDDEN.to_owned(),
        ),
    ] {
        let mut client = server.connect();
        client.write(format!("{POST}{headers}\r\n{body}").as_bytes());
        let statuses = answers(&mut client);
        // Chunks may win over a length (RFC 9112, 6.1), if nothing is read after them.
        let chunked_won = headers.contains("Content-Length: 4") && statuses == [200];
        assert!(statuses == [400] || chunked_won, "{what}: {statuses:?}");
    }
}

#[test]
fn ambiguous_chunks_end_the_connection() {
    let server = Server::start_with(|config| {
        config.limits.body_read_timeout_seconds = 1;
        config.limits.keep_alive_seconds = 1;
        config.limits.header_read_timeout_seconds = 1;
    });
    for (what, chunks) in [
        ("a size that is no number", "zz\r\n"),
        ("a negative size", "-1\r\n"),
        ("a size beyond 64 bits", "10000000000000000f\r\na\r\n"),
        ("a size in disguise", "0x0\r\n\r\n"),
        ("no end of line after a chunk", "1\r\naX0\r\n\r\n"),
        ("a bare line feed after a size", "0\n\n"),
    ] {
        let mut client = server.connect();
        client
            .write(format!("{POST}Transfer-Encoding: chunked\r\n\r\n{chunks}{HIDDEN}").as_bytes());
        let statuses = answers(&mut client);
        assert!(
            statuses.len() <= 1 && statuses.iter().all(|status| matches!(status, 400 | 408)),
            "{what}: {statuses:?}"
        );
    }
}

#[test]
fn sound_requests_after_each_other_are_still_read() {
    let server = Server::start();
    let mut client = server.connect();
    client.write(
        format!("{POST}Content-Length: 8\r\n\r\n_count=0{POST}Transfer-Encoding: chunked\r\n\r\n4\r\n_cou\r\n4\r\nnt=0\r\n0\r\n\r\n{HIDDEN}")
            .as_bytes(),
    );
    let statuses: Vec<u16> = (0..3)
        .map(|_| client.receive(false).expect("an answer").status)
        .collect();
    assert_eq!(statuses, [200, 200, 404]);
}

#[test]
fn everything_oversized_is_refused() {
    let server = Server::start();
    let long = "a".repeat(1 << 20);
    for (what, head, expected) in [
        (
            "method",
            format!("{long} / HTTP/1.1\r\nHost: t\r\n\r\n"),
            vec![400, 414, 431],
        ),
        (
            "header name",
            format!("GET /livez HTTP/1.1\r\nHost: t\r\n{long}: a\r\n\r\n"),
            vec![400, 431],
        ),
        (
            "header value",
            format!("GET /livez HTTP/1.1\r\nHost: t\r\nX-A: {long}\r\n\r\n"),
            vec![431],
        ),
        (
            "number of headers",
            format!(
                "GET /livez HTTP/1.1\r\nHost: t\r\n{}\r\n",
                "A: b\r\n".repeat(20_000)
            ),
            vec![431],
        ),
        (
            "announced body",
            format!("{POST}Content-Length: 18446744073709551615\r\n\r\n"),
            vec![400, 413, 431],
        ),
        (
            "trailers",
            format!(
                "{POST}Transfer-Encoding: chunked\r\n\r\n0\r\n{}\r\n",
                "A: b\r\n".repeat(20_000)
            ),
            vec![400, 413, 431],
        ),
        (
            "chunk extension",
            format!("{POST}Transfer-Encoding: chunked\r\n\r\n1;{long}\r\na\r\n0\r\n\r\n"),
            vec![400, 413],
        ),
    ] {
        let mut client = server.connect();
        client.write(head.as_bytes());
        // A client that goes on sending may see a reset instead.
        if let Some(response) = client.receive(false) {
            assert!(
                expected.contains(&response.status),
                "{what}: {}",
                response.status
            );
        }
        assert_eq!(server.get("/livez").status, 200, "{what}");
    }
}
