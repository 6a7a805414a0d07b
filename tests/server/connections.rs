//! How connections are held, bounded and ended.

use std::net::TcpStream;

use rorqual::server::ServeError;

use crate::client::Server;

#[test]
fn requests_in_one_packet_are_answered_in_order() {
    let server = Server::start();
    let mut client = server.connect();
    client.write(b"GET /livez HTTP/1.1\r\nHost: t\r\nX-Request-Id: a\r\n\r\nGET /fhir/Patient HTTP/1.1\r\nHost: t\r\nX-Request-Id: b\r\n\r\n");
    let (first, second) = (
        client.receive(false).expect("one"),
        client.receive(false).expect("two"),
    );
    assert_eq!(
        (first.status, first.header("x-request-id")),
        (200, Some("a"))
    );
    assert_eq!(
        (second.status, second.header("x-request-id")),
        (404, Some("b"))
    );
}

#[test]
fn a_client_that_never_finishes_its_head_is_cut() {
    let server = Server::start_with(|config| config.limits.header_read_timeout_seconds = 1);
    for beginning in [&b""[..], b"GET /livez HT", b"PRI * HTTP/2.0\r\n"] {
        let mut client = server.connect();
        client.write(beginning);
        assert!(client.receive(false).is_none(), "closed without an answer");
    }
    let mut client = server.connect();
    assert_eq!(client.get("/livez").status, 200);
    client.write(b"GET /livez HTTP/1.1\r\nHost:");
    assert!(
        client.receive(false).is_none(),
        "a second head has no more time than the first"
    );
}

#[test]
fn an_idle_connection_is_closed() {
    let server = Server::start_with(|config| {
        config.limits.keep_alive_seconds = 1;
        config.limits.header_read_timeout_seconds = 1;
    });
    let mut client = server.connect();
    assert_eq!(client.get("/livez").status, 200);
    assert!(client.receive(false).is_none());
}

#[test]
fn a_body_that_does_not_come_is_answered_408() {
    let server = Server::start_with(|config| config.limits.body_read_timeout_seconds = 1);
    let mut client = server.connect();
    client.write(b"POST /fhir/Location/_search HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n\r\n_id=");
    let response = client.receive(false).expect("an answer");
    assert_eq!(
        (response.status, response.issue_code().as_str()),
        (408, "timeout")
    );
}

#[test]
fn one_connection_too_many_is_told_so() {
    let server = Server::start_with(|config| config.limits.max_connections = 2);
    let mut held = [server.connect(), server.connect()];
    for client in &mut held {
        assert_eq!(client.get("/livez").status, 200);
    }
    let mut third = server.connect();
    let response = third.receive(false).expect("told without being asked");
    assert_eq!(
        (response.status, response.issue_code().as_str()),
        (503, "transient")
    );
    assert_eq!(response.header("retry-after"), Some("1"));
    assert!(third.receive(false).is_none(), "and closed");
    for client in &mut held {
        assert_eq!(
            client.get("/livez").status,
            200,
            "the others are not disturbed"
        );
    }
    drop(held);
    // The places come back as soon as the server has seen the others leave.
    while server.connect().send("GET", "/livez", &[], b"").status != 200 {}
}

#[test]
fn stopping_finishes_what_runs_and_closes_the_rest() {
    let mut server = Server::start();
    let mut idle = server.connect();
    assert_eq!(idle.get("/livez").status, 200);
    let mut running = server.connect();
    running.write(b"POST /fhir/Location/_search HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(
        running.receive(false).expect("the body is awaited").status,
        100
    );
    server.ask_to_stop();
    assert!(
        idle.receive(false).is_none(),
        "an idle connection is closed"
    );
    running.write(b"_count=0");
    assert_eq!(
        running
            .receive(false)
            .expect("an answer all the same")
            .status,
        200
    );
    assert!(running.receive(false).is_none(), "then closed");
    server.wait().expect("a clean stop");
    assert!(
        TcpStream::connect(server.address).is_err(),
        "nobody listens any more"
    );
}

#[test]
fn stopping_does_not_wait_for_ever() {
    let mut server = Server::start_with(|config| config.shutdown_grace_seconds = 0);
    let mut stuck = server.connect();
    stuck.write(b"POST /fhir/Location/_search HTTP/1.1\r\nHost: t\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 8\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(
        stuck.receive(false).expect("the body is awaited").status,
        100
    );
    server.ask_to_stop();
    server.wait().expect("a clean stop");
    assert!(stuck.receive(false).is_none(), "cut");
}

#[test]
fn an_address_in_use_is_named() {
    let server = Server::start();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let engine = crate::engine::engine(folder.path());
    let config = rorqual::server::ServerConfig {
        listen: server.address.to_string(),
        ..Default::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let error = runtime
        .block_on(rorqual::server::serve(
            engine,
            config,
            std::future::pending(),
            |_| {},
        ))
        .expect_err("in use");
    assert!(
        matches!(&error, ServeError::Listen { listen, .. } if *listen == server.address.to_string()),
        "{error}"
    );
}
