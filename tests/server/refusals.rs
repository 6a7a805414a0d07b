//! What is answered to requests that cannot be carried out: status, issue code, a usable connection.

use crate::client::{Client, Server};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// The same connection must serve on after a refusal.
fn still_usable(client: &mut Client) {
    assert_eq!(client.get("/livez").status, 200);
}

#[test]
fn addresses() {
    let server = Server::start();
    let mut client = server.connect();
    let long = format!("/fhir/Location/{}", "x".repeat(65));
    for (target, status, code, named) in [
        ("/", 404, "not-supported", "/fhir"),
        ("/fhir", 404, "not-supported", "HealthcareService"),
        ("/fhir/Patient", 404, "not-supported", "Patient"),
        (
            "/fhir/Healthcareservice?name=a",
            404,
            "not-supported",
            "HealthcareService was probably meant",
        ),
        (
            "/fhir/location/un",
            404,
            "not-supported",
            "Location was probably meant",
        ),
        ("/fhir/Location/absent", 404, "not-found", "Location/absent"),
        ("/fhir/Location/a_b", 404, "not-found", "a_b"),
        (&long, 404, "not-found", "xxx"),
        (
            "/fhir/Location/un/_history",
            404,
            "not-supported",
            "history",
        ),
        (
            "/fhir/Location/un/_history/2",
            404,
            "not-found",
            "_history/2",
        ),
        ("/fhir/_history", 404, "not-supported", "history"),
        ("/fhir/$foo", 404, "not-supported", "$foo"),
        ("/fhir/Location/%24foo", 404, "not-supported", "$foo"),
        (
            "/fhir/Location/un?colour=red",
            400,
            "not-supported",
            "colour",
        ),
        (
            "/fhir/metadata?mode=terminology",
            400,
            "value",
            "terminology",
        ),
        ("/fhir/Location?name=%zz", 400, "invalid", "%zz"),
        ("/fhir/Location?name=%C3", 400, "invalid", "UTF-8"),
        ("/fhir/Loc%ation", 400, "invalid", "%at"),
        ("/fhir/Location?_pretty=oui", 400, "value", "oui"),
    ] {
        let response = client.get(target);
        assert_eq!(
            (response.status, response.issue_code().as_str()),
            (status, code),
            "{target}: {}",
            response.text()
        );
        assert!(
            response.text().contains(named),
            "{target}: {}",
            response.text()
        );
        still_usable(&mut client);
    }
}

#[test]
fn methods() {
    let server = Server::start();
    let mut client = server.connect();
    for (method, target, allow) in [
        ("PUT", "/fhir/Location/un", "GET, HEAD"),
        ("DELETE", "/fhir/Task/un", "GET, HEAD, PATCH"),
        ("PUT", "/fhir/Task/un", "GET, HEAD, PATCH"),
        ("PATCH", "/fhir/Task?identifier=x", "GET, HEAD, POST"),
        ("DELETE", "/fhir/Task?identifier=x", "GET, HEAD, POST"),
        ("POST", "/fhir/Task/_history", ""),
        ("GET", "/fhir/Task/_history", ""),
        ("GET", "/fhir/Task/un/_history", ""),
        ("PUT", "/fhir/Task/un/_history/1", "GET, HEAD"),
        ("POST", "/fhir/Location/un", "GET, HEAD"),
        ("PATCH", "/fhir/Location?identifier=x", "GET, HEAD"),
        ("POST", "/fhir/Location", "GET, HEAD"),
        ("GET", "/fhir/Location/_search", "POST"),
        ("POST", "/fhir/metadata", "GET, HEAD"),
        ("BREW", "/fhir/Location", "GET, HEAD"),
        ("PUT", "/fhir", "POST"),
        ("POST", "/fhir/Bundle", ""),
    ] {
        let response = client.send(
            method,
            target,
            &[("Content-Type", "application/fhir+json")],
            b"{}",
        );
        assert_eq!(
            (response.status, response.issue_code().as_str()),
            (405, "not-supported"),
            "{method} {target}"
        );
        assert_eq!(response.header("allow"), Some(allow), "{method} {target}");
        still_usable(&mut client);
    }
}

#[test]
fn formats_of_answers() {
    let server = Server::start();
    let mut client = server.connect();
    for (target, accept) in [
        ("/fhir/Location?_format=xml", "*/*"),
        (
            "/fhir/Location/un?_format=application/fhir%2Bxml",
            "application/json",
        ),
        ("/fhir/Location?_format=whatever", "*/*"),
        ("/fhir/Location", "application/fhir+xml"),
        ("/fhir/metadata", "text/turtle"),
        ("/fhir/Location", "application/fhir+json; fhirVersion=3.0"),
    ] {
        let response = client.send("GET", target, &[("Accept", accept)], b"");
        assert_eq!(
            (response.status, response.issue_code().as_str()),
            (406, "not-supported"),
            "{target} {accept}"
        );
        assert_eq!(
            response.header("content-type"),
            Some("application/fhir+json; charset=utf-8")
        );
        still_usable(&mut client);
    }
}

#[test]
fn bodies_of_searches() {
    let server = Server::start();
    for (headers, body, status) in [
        (
            &[("Content-Type", "application/fhir+json")][..],
            &b"{}"[..],
            415,
        ),
        (&[("Content-Type", "text/plain")], b"name=a", 415),
        (&[], b"name=a", 415),
        (
            &[(
                "Content-Type",
                "application/x-www-form-urlencoded; charset=iso-8859-1",
            )],
            b"name=a",
            415,
        ),
        (&[FORM, ("Content-Encoding", "br")], b"name=a", 415),
        (&[FORM], b"name=%E9", 400),
        (&[FORM], b"name=\xe9", 400),
        (&[FORM], b"name=%4", 400),
    ] {
        let mut client = server.connect();
        let response = client.send("POST", "/fhir/Location/_search", headers, body);
        assert_eq!(response.status, status, "{headers:?}: {}", response.text());
        response.issue_code();
        still_usable(&mut client);
    }
}

#[test]
fn sizes() {
    let server = Server::start_with(|config| {
        config.limits.url_bytes = 256;
        config.limits.header_bytes = 1024;
        config.limits.body_bytes = 1024;
    });
    let long = "a".repeat(2000);
    let url = server.get(&format!("/fhir/Location?name={long}"));
    assert_eq!((url.status, url.issue_code().as_str()), (414, "too-long"));
    assert!(
        url.text().contains("_search"),
        "the way out is named: {}",
        url.text()
    );
    let headers = server
        .connect()
        .send("GET", "/fhir/Location", &[("X-Long", &long)], b"");
    assert_eq!(
        (headers.status, headers.issue_code().as_str()),
        (431, "too-long")
    );
    let body = server.connect().send(
        "POST",
        "/fhir/Location/_search",
        &[FORM],
        format!("name={long}").as_bytes(),
    );
    assert_eq!((body.status, body.issue_code().as_str()), (413, "too-long"));
}

#[test]
fn what_is_not_http_gets_a_body_too() {
    let server = Server::start();
    let huge = format!(
        "GET /fhir/Location?name={} HTTP/1.1\r\nHost: t\r\n\r\n",
        "a".repeat(70_000)
    );
    let many = format!(
        "GET /livez HTTP/1.1\r\nHost: t\r\n{}\r\n",
        "X-Many: 1\r\n".repeat(200)
    );
    for (request, status, code) in [
        (
            "GET /fhir/Location?name=a b HTTP/1.1\r\nHost: t\r\n\r\n",
            400,
            "invalid",
        ),
        (
            "GET /fhir/Location?name=\"a\" HTTP/1.1\r\nHost: t\r\n\r\n",
            400,
            "invalid",
        ),
        ("rubbish\r\n\r\n", 400, "invalid"),
        (&huge, 414, "too-long"),
        (&many, 431, "too-long"),
    ] {
        let mut client = server.connect();
        client.write(request.as_bytes());
        let response = client.receive(false).expect("an answer");
        let shown = &request[..request.len().min(60)];
        assert_eq!(
            (response.status, response.issue_code().as_str()),
            (status, code),
            "{shown}"
        );
        assert_eq!(response.header("connection"), Some("close"));
    }
}

#[test]
fn what_the_engine_refuses_comes_through() {
    let server = Server::start();
    let mut client = server.connect();
    let response = client.get("/fhir/Location?nme=a");
    assert_eq!(
        (response.status, response.issue_code().as_str()),
        (400, "not-supported")
    );
    assert!(
        response.text().contains("name"),
        "the nearest name is given: {}",
        response.text()
    );
    still_usable(&mut client);
}

#[test]
fn leniency_is_the_clients_or_the_operators_choice() {
    let server = Server::start();
    let lenient = [("Prefer", "handling=lenient")];
    assert_eq!(
        server
            .connect()
            .send("GET", "/fhir/Location/un?colour=red", &lenient, b"")
            .status,
        200
    );
    let server = Server::start_with(|config| config.lenient_by_default = true);
    assert_eq!(server.get("/fhir/Location/un?colour=red").status, 200);
    let strict = [("Prefer", "handling=strict")];
    assert_eq!(
        server
            .connect()
            .send("GET", "/fhir/Location/un?colour=red", &strict, b"")
            .status,
        400
    );
}
