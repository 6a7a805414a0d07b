//! What one address may hold and ask for, without TLS.

use crate::client::Server;
use crate::http2;

#[test]
fn too_many_requests_are_told_when_to_come_back() {
    let server = Server::start_with(|config| {
        config.limits.requests_per_second_per_client = 1;
        config.limits.request_burst_per_client = 4;
    });
    let mut client = server.connect();
    let mut refused = 0;
    for number in 0..12 {
        // Every other one on a connection of its own: the allowance is the address's.
        let response = if number % 2 == 0 {
            client.get("/fhir/Location?_count=1")
        } else {
            server.get("/fhir/Location/un")
        };
        if response.status == 429 {
            assert_eq!(response.issue_code(), "throttled");
            assert_eq!(response.header("retry-after"), Some("1"));
            assert!(
                response.text().contains("1 requests a second"),
                "{}",
                response.text()
            );
            refused += 1;
        } else {
            assert_eq!(response.status, 200);
        }
    }
    assert!(refused > 0, "twelve requests took twelve seconds");
    assert_eq!(client.get("/livez").status, 200, "health is not counted");
    assert_eq!(client.get("/readyz").status, 200);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert_eq!(
        client.get("/fhir/Location/un").status,
        200,
        "after the time that was told"
    );
}

#[test]
fn streams_of_one_connection_share_its_allowance() {
    let server = Server::start_with(|config| {
        config.limits.requests_per_second_per_client = 1;
        config.limits.request_burst_per_client = 2;
    });
    let mut client = http2::connect(&server);
    let streams: Vec<u32> = (0..20).map(|number| 2 * number + 1).collect();
    for stream in &streams {
        http2::get(&mut client, *stream, "/fhir/Location/un");
    }
    let answers = http2::responses(&mut client, &streams);
    let throttled = answers
        .iter()
        .filter(|(_, body)| String::from_utf8_lossy(body).contains("throttled"))
        .count();
    assert!((10..=18).contains(&throttled), "{throttled}");
}

#[test]
fn one_connection_too_many_of_an_address_is_told_so() {
    let server = Server::start_with(|config| config.limits.max_connections_per_client = 2);
    let mut held = [server.connect(), server.connect()];
    for client in &mut held {
        assert_eq!(client.get("/livez").status, 200);
    }
    let mut third = server.connect();
    let response = third.receive(false).expect("told without being asked");
    assert_eq!(
        (response.status, response.issue_code().as_str()),
        (429, "throttled")
    );
    assert_eq!(response.header("retry-after"), Some("1"));
    assert!(third.receive(false).is_none(), "and closed");
    for client in &mut held {
        assert_eq!(client.get("/livez").status, 200);
    }
    drop(held);
    while server.connect().send("GET", "/livez", &[], b"").status != 200 {}
}

#[test]
fn a_connection_takes_so_many_requests_and_no_more() {
    let server = Server::start_with(|config| config.limits.max_requests_per_connection = 3);
    let mut client = server.connect();
    for _ in 0..2 {
        assert_eq!(client.get("/livez").header("connection"), None);
    }
    assert_eq!(client.get("/livez").status, 200);
    assert!(client.receive(false).is_none(), "closed after the third");

    let mut client = http2::connect(&server);
    for stream in [1, 3, 5] {
        http2::get(&mut client, stream, "/livez");
    }
    while http2::read(&mut client).kind != http2::GOAWAY {}
}

#[test]
fn a_connection_has_an_age() {
    let server = Server::start_with(|config| config.limits.max_connection_seconds = 1);
    let mut client = server.connect();
    assert_eq!(client.get("/livez").status, 200);
    assert!(
        client.receive(false).is_none(),
        "closed, though not idle for long"
    );
}
