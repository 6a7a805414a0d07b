//! Answers in gzip are the same answers.

use std::io::Read;

use crate::client::{Response, Server};

const GZIP: (&str, &str) = ("Accept-Encoding", "gzip");

fn unpacked(response: &Response) -> Vec<u8> {
    assert_eq!(response.header("content-encoding"), Some("gzip"));
    let mut plain = Vec::new();
    let mut reader = flate2::bufread::GzDecoder::new(response.body.as_slice());
    reader.read_to_end(&mut plain).expect("a gzip stream");
    assert!(
        reader.into_inner().is_empty(),
        "something behind the stream"
    );
    plain
}

#[test]
fn a_compressed_answer_is_read_back_to_the_plain_one() {
    let server = Server::start();
    let mut client = server.connect();
    for path in [
        "/fhir/Location",
        "/fhir/Location?_elements=id",
        "/fhir/Location?_pretty=true",
        "/fhir/Location?_summary=count",
        "/fhir/HealthcareService?_include=*&_revinclude=*",
        "/fhir/metadata",
    ] {
        let plain = client.get(path);
        assert_eq!(plain.header("content-encoding"), None, "{path}");
        let packed = client.send("GET", path, &[GZIP], b"");
        assert_eq!(packed.status, plain.status, "{path}");
        for response in [&plain, &packed] {
            assert_eq!(response.header("vary"), Some("Accept-Encoding"), "{path}");
        }
        let short = packed.header("content-encoding").is_none();
        assert!(
            !short || plain.body.len() < 1_024,
            "{path} is left as it is"
        );
        let body = if short {
            packed.body
        } else {
            unpacked(&packed)
        };
        assert!(body == plain.body, "{path} is another answer");
    }
}

#[test]
fn a_resource_is_read_the_same_from_its_compressed_form() {
    let server = Server::of_fixtures(|_| {});
    let mut client = server.connect();
    let mut packed_reads = 0;
    for kind in ["HealthcareService", "Location", "Organization", "Task"] {
        let page = client.get(&format!("/fhir/{kind}?_count=10")).json();
        let entries = page["entry"].as_array().expect("entries");
        for entry in entries {
            let id = entry["resource"]["id"].as_str().expect("an id");
            let plain = client.get(&format!("/fhir/{kind}/{id}"));
            let version = plain.header("etag").expect("a tag").to_owned();
            let history = format!("_history/{}", version.trim_matches(['W', '/', '"']));
            for suffix in ["", "?_pretty=true", &format!("/{history}")] {
                let path = format!("/fhir/{kind}/{id}{suffix}");
                let expected = client.get(&path);
                let packed = client.send("GET", &path, &[GZIP], b"");
                assert_eq!(packed.header("etag"), Some(version.as_str()), "{path}");
                let body = match expected.body.len() {
                    ..1_024 => packed.body,
                    _ => {
                        packed_reads += 1;
                        unpacked(&packed)
                    }
                };
                assert!(body == expected.body, "{path} is another resource");
            }
            let path = format!("/fhir/{kind}/{id}");
            let held = [GZIP, ("If-None-Match", version.as_str())];
            let held = client.send("GET", &path, &held, b"");
            assert_eq!((held.status, held.body.len()), (304, 0), "{path}");
            assert_eq!(held.header("content-encoding"), None, "{path}");
        }
    }
    assert!(packed_reads > 20, "{packed_reads} were long enough");
}

#[test]
fn head_tells_the_length_of_what_get_sends() {
    let server = Server::start();
    let mut client = server.connect();
    let get = client.send("GET", "/fhir/Location", &[GZIP], b"");
    let head = client.send("HEAD", "/fhir/Location", &[GZIP], b"");
    assert_eq!(get.header("content-encoding"), Some("gzip"));
    for name in ["content-encoding", "content-length", "vary"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    assert_eq!(
        get.header("content-length"),
        Some(get.body.len().to_string().as_str())
    );
}

#[test]
fn nobody_gets_what_they_did_not_ask_for() {
    let server = Server::start();
    let mut client = server.connect();
    for value in ["identity", "gzip;q=0", "br", ""] {
        let plain = client.send("GET", "/fhir/Location", &[("Accept-Encoding", value)], b"");
        assert_eq!(plain.header("content-encoding"), None, "{value}");
        assert_eq!(plain.json()["resourceType"], "Bundle");
    }
    let off = Server::start_with(|config| config.gzip = false);
    let plain = off.connect().send("GET", "/fhir/Location", &[GZIP], b"");
    assert_eq!(plain.header("content-encoding"), None);
}

#[test]
fn what_the_client_holds_is_not_sent_compressed_either() {
    let server = Server::start();
    let mut client = server.connect();
    let read = client.send("GET", "/fhir/Location/un", &[GZIP], b"");
    let tag = read.header("etag").expect("a tag").to_owned();
    let again = client.send(
        "GET",
        "/fhir/Location/un",
        &[GZIP, ("If-None-Match", &tag)],
        b"",
    );
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(again.header("content-encoding"), None);
}
