//! Answers in gzip are the same answers.

use std::io::Read;

use serde_json::json;

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

/// Places with names of these lengths, the id being the length.
fn named_places(lengths: &[usize]) -> Server {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let place = |length: &usize| {
        let name: String = ('a'..='z').cycle().take(*length).collect();
        let meta = json!({"versionId": "7", "lastUpdated": "2026-01-02T03:04:05Z"});
        json!({"resourceType": "Location", "id": length.to_string(), "meta": meta, "name": name})
    };
    let lines: Vec<String> = lengths.iter().map(|one| place(one).to_string()).collect();
    let source = folder.path().join("extract.ndjson");
    std::fs::write(&source, lines.join("\n")).expect("a writable folder");
    index_builder::build(&index_builder::BuildOptions {
        extract: vec![source],
        index: folder.path().join("index"),
        ..Default::default()
    })
    .expect("the extract builds");
    Server::start_on(folder, |_| {})
}

#[test]
fn a_resource_is_read_the_same_from_its_compressed_form() {
    let lengths = [10, 2_000, 100_000];
    let server = named_places(&lengths);
    let mut client = server.connect();
    for length in lengths {
        for suffix in ["", "?_pretty=true", "/_history/7"] {
            let path = format!("/fhir/Location/{length}{suffix}");
            let plain = client.get(&path);
            assert_eq!(plain.json()["id"], length.to_string(), "{path}");
            let packed = client.send("GET", &path, &[GZIP], b"");
            for name in ["etag", "last-modified", "cache-control", "content-type"] {
                assert_eq!(packed.header(name), plain.header(name), "{path}: {name}");
            }
            let body = match length {
                10 => packed.body,
                _ => unpacked(&packed),
            };
            assert!(body == plain.body, "{path} is another resource");
        }
        let path = format!("/fhir/Location/{length}");
        let held = [GZIP, ("If-None-Match", "W/\"7\"")];
        let held = client.send("GET", &path, &held, b"");
        assert_eq!((held.status, held.body.len()), (304, 0), "{path}");
        assert_eq!(held.header("content-encoding"), None, "{path}");
    }
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
