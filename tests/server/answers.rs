//! What is answered to requests that can be carried out.

use crate::client::{Response, Server};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

fn total(response: &Response) -> u64 {
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(
        response.header("content-type"),
        Some("application/fhir+json; charset=utf-8")
    );
    let bundle = response.json();
    assert_eq!(
        (bundle["resourceType"].as_str(), bundle["type"].as_str()),
        (Some("Bundle"), Some("searchset"))
    );
    bundle["total"].as_u64().expect("a total")
}

#[test]
fn a_search_is_the_same_by_url_and_by_form() {
    let server = Server::start();
    let mut client = server.connect();
    let by_url = client.get("/fhir/Location?_count=20&_id=un,deux");
    let by_form = client.send(
        "POST",
        "/fhir/Location/_search",
        &[FORM],
        b"_count=20&_id=un,deux",
    );
    let by_both = client.send(
        "POST",
        "/fhir/Location/_search?_id=un,deux",
        &[FORM],
        b"_count=20",
    );
    for response in [&by_url, &by_form, &by_both] {
        assert_eq!(total(response), 2);
        assert_eq!(response.json()["entry"], by_url.json()["entry"]);
    }
}

#[test]
fn links_lead_back_to_the_server() {
    let server = Server::start();
    let bundle = server.get("/fhir/Location?_count=1").json();
    let links = bundle["link"].as_array().expect("links");
    let this = links
        .iter()
        .find(|link| link["relation"] == "self")
        .expect("a self link");
    let url = this["url"].as_str().expect("a URL");
    assert!(
        url.starts_with(&format!("{}/Location?", server.base_url)),
        "{url}"
    );
    let target = url
        .strip_prefix(&format!("http://{}", server.address))
        .expect("a link on this server");
    assert_eq!(total(&server.get(target)), 2);
}

#[test]
fn a_base_url_of_ones_own_moves_the_resources() {
    let server = Server::start_with(|config| {
        config.base_url = Some("https://ror.example.org/a/r4/".to_owned())
    });
    assert_eq!(server.base_url, "https://ror.example.org/a/r4");
    let bundle = server.get("/a/r4/Location").json();
    assert!(
        bundle["link"][0]["url"]
            .as_str()
            .is_some_and(|url| url.starts_with("https://ror.example.org/a/r4/Location"))
    );
    assert_eq!(server.get("/fhir/Location").status, 404);
}

#[test]
fn slashes_and_blanks_at_the_end_are_tolerated() {
    let server = Server::start();
    for target in [
        "/fhir/Location/",
        "/fhir/Location%20",
        "/fhir/Location/?_count=5",
        "/fhir/Location?_count=5%20",
    ] {
        assert_eq!(total(&server.get(target)), 2, "{target}");
    }
    assert_eq!(server.get("/fhir/Location/un/").status, 200);
}

#[test]
fn a_read_gives_the_stored_bytes_and_their_version() {
    let server = Server::start();
    let response = server.get("/fhir/Location/un");
    assert_eq!(response.status, 200);
    assert_eq!(response.header("etag"), Some("W/\"3\""));
    assert_eq!(
        response.header("last-modified"),
        Some("Tue, 02 Jan 2024 03:04:05 GMT")
    );
    assert!(
        response.text().contains("1.50"),
        "digits are kept: {}",
        response.text()
    );
    assert_eq!(response.json()["id"], "un");
}

#[test]
fn a_client_that_holds_the_version_is_told_so() {
    let server = Server::start();
    let mut client = server.connect();
    for (name, value, status) in [
        ("If-None-Match", "W/\"3\"", 304),
        ("If-None-Match", "\"1\", \"3\"", 304),
        ("If-None-Match", "W/\"2\"", 200),
        ("If-Modified-Since", "Tue, 02 Jan 2024 03:04:05 GMT", 304),
        ("If-Modified-Since", "Tue, 02 Jan 2024 03:04:04 GMT", 200),
    ] {
        let response = client.send("GET", "/fhir/Location/un", &[(name, value)], b"");
        assert_eq!(response.status, status, "{name}: {value}");
        assert_eq!(response.header("etag"), Some("W/\"3\""));
        assert_eq!(response.body.is_empty(), status == 304);
    }
}

#[test]
fn head_is_get_without_its_body() {
    let server = Server::start();
    let mut client = server.connect();
    for target in [
        "/fhir/Location/un",
        "/fhir/metadata",
        "/fhir/Patient",
        "/fhir/Location/absent",
        "/livez",
        "/readyz",
    ] {
        let id = [("X-Request-Id", "same")];
        let (get, head) = (
            client.send("GET", target, &id, b""),
            client.send("HEAD", target, &id, b""),
        );
        assert_eq!(get.status, head.status, "{target}");
        let headers = |response: &Response| -> Vec<_> {
            response
                .headers
                .iter()
                .filter(|(name, _)| name != "date")
                .cloned()
                .collect()
        };
        assert_eq!(headers(&get), headers(&head), "{target}");
        assert!(!get.body.is_empty() && head.body.is_empty());
    }
    let head = client.send("HEAD", "/fhir/Location?_count=1", &[], b"");
    assert_eq!(head.status, 200);
    assert_eq!(
        total(&client.get("/fhir/Location?_count=1")),
        2,
        "the connection stands at the next request"
    );
}

#[test]
fn formats_and_indentation() {
    let server = Server::start();
    let mut client = server.connect();
    for (target, accept) in [
        ("/fhir/Location/un?_format=json", "text/turtle"),
        ("/fhir/Location/un?_format=application/fhir+json", "*/*"),
        (
            "/fhir/Location/un",
            "application/fhir+json;fhirVersion=4.0, */*;q=0.1",
        ),
        ("/fhir/Location/un", "text/json"),
    ] {
        assert_eq!(
            client
                .send("GET", target, &[("Accept", accept)], b"")
                .status,
            200,
            "{target} {accept}"
        );
    }
    let plain = client.get("/fhir/Location/un");
    let pretty = client.get("/fhir/Location/un?_pretty=true");
    assert!(
        pretty.text().starts_with("{\n  \"resourceType\""),
        "{}",
        pretty.text()
    );
    assert!(pretty.text().contains("1.50"));
    assert_eq!(pretty.json(), plain.json());
    let pretty = client.get("/fhir/Location?_pretty=true");
    assert!(total(&pretty) == 2 && pretty.text().contains("\n  \"total\": 2"));
    let refused = client.get("/fhir/Location/absent?_pretty=true");
    assert!(refused.status == 404 && refused.text().starts_with("{\n  "));
}

#[test]
fn metadata_announces_every_type_and_only_what_is_offered() {
    let server = Server::start();
    let response = server.get("/fhir/metadata");
    let statement = response.json();
    assert_eq!(
        (response.status, statement["resourceType"].as_str()),
        (200, Some("CapabilityStatement"))
    );
    assert_eq!(statement["implementation"]["url"], server.base_url.as_str());
    let resources = statement["rest"][0]["resource"]
        .as_array()
        .expect("resources");
    assert_eq!(resources.len(), 6);
    for resource in resources {
        let interactions: Vec<_> = resource["interaction"]
            .as_array()
            .expect("interactions")
            .iter()
            .map(|one| one["code"].as_str())
            .collect();
        let offered: &[&str] = match resource["type"] == "Task" {
            true => &["read", "vread", "search-type", "create", "patch"],
            false => &["read", "search-type"],
        };
        assert_eq!(
            interactions,
            offered.iter().copied().map(Some).collect::<Vec<_>>()
        );
        // Every announced parameter is known to the engine: with :missing it needs no fitting value, and those that
        // read no value of the resource get one.
        let kind = resource["type"].as_str().expect("a type");
        for parameter in resource["searchParam"].as_array().expect("parameters") {
            let code = parameter["name"].as_str().expect("a name");
            let asked = match code {
                "_content" => "_content=urgences".to_owned(),
                "_filter" => "_filter=_id%20eq%201".to_owned(),
                "_has" => "_has:Task:focus:_id=1".to_owned(),
                code => format!("{code}:missing=false"),
            };
            // Nothing refers to a Task.
            if (kind, code) == ("Task", "_has") {
                continue;
            }
            let response = server.get(&format!("/fhir/{kind}?{asked}&_count=0"));
            assert_eq!(response.status, 200, "{kind} {code}: {}", response.text());
        }
    }
}

#[test]
fn health_and_the_name_of_a_request() {
    let server = Server::start();
    let mut client = server.connect();
    assert_eq!(client.get("/livez").json()["status"], "live");
    let ready = client.get("/readyz").json();
    assert_eq!(
        (&ready["status"], &ready["writes"]),
        (&"ready".into(), &"ok".into())
    );
    let named = client.send(
        "GET",
        "/fhir/Location/absent",
        &[("X-Request-Id", "abc-1")],
        b"",
    );
    assert_eq!(named.header("x-request-id"), Some("abc-1"));
    let (one, two) = (client.get("/livez"), client.get("/livez"));
    assert_ne!(
        one.header("x-request-id").expect("a name"),
        two.header("x-request-id").expect("a name")
    );
}

#[test]
fn a_plan_is_a_parameters_resource_and_executes_only_when_asked() {
    let server = Server::start();
    let part = |step: &serde_json::Value, name: &str| {
        let parts = step["part"].as_array().expect("parts");
        parts.iter().find(|part| part["name"] == name).cloned()
    };
    for (level, executed) in [
        ("", true),
        ("&_level=analyze", true),
        ("&_level=plan", false),
    ] {
        let response = server.get(&format!("/fhir/Location/$explain?status=active{level}"));
        let body = response.json();
        assert_eq!(
            (response.status, body["resourceType"].as_str()),
            (200, Some("Parameters"))
        );
        let parameters = body["parameter"].as_array().expect("parameters");
        let step = parameters
            .iter()
            .find(|one| one["name"] == "step")
            .expect("a step");
        assert_eq!(
            part(step, "on").expect("on")["valueString"],
            "Location.status"
        );
        assert_eq!(
            part(step, "estimated").expect("estimated")["valueDecimal"],
            1
        );
        assert_eq!(
            part(step, "actual").map(|part| part["valueDecimal"] == 1),
            executed.then_some(true)
        );
    }
    let refused = server.get("/fhir/Location/$explain?status=active&_level=deep");
    assert!(refused.status == 400 && refused.text().contains("_level=plan"));
    assert_eq!(
        server.get("/fhir/Location/$explain?statsu=active").status,
        400
    );
    assert_eq!(server.get("/fhir/Location/$other").status, 404);
}
