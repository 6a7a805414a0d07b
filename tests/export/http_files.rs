//! Exports over HTTP: kick-off, status, files, ending.

use serde_json::{Value, json};

use crate::directory::Directory;
use crate::http::{Client, Server};
use crate::made::{Made, WHOLE, key};

fn served(offers: usize) -> (Directory, Made) {
    let directory = Directory::new(offers, 6);
    let made = Made::of(&directory.extract());
    (directory, made)
}

fn urls(manifest: &Value) -> Vec<String> {
    let output = manifest["output"].as_array().expect("output");
    output
        .iter()
        .map(|file| file["url"].as_str().expect("a URL").to_owned())
        .collect()
}

fn first_file(client: &mut Client) -> String {
    urls(&client.manifest(&format!("$export?{WHOLE}"))).remove(0)
}

#[test]
fn an_export_is_begun_asked_about_and_downloaded() {
    let (directory, made) = served(20);
    let server = Server::start(&made.index, |config| config.export.file_resources = 7);
    let mut client = server.connect();
    let query = format!("{WHOLE}&_outputFormat=application/fhir+ndjson");
    let headers = [
        ("Accept", "application/fhir+json"),
        ("Prefer", "respond-async, handling=strict"),
    ];
    let begun = client.send("GET", &format!("$export?{query}"), &headers);
    assert_eq!(
        (begun.status, begun.issue().as_str()),
        (202, "informational")
    );
    let status = begun
        .header("content-location")
        .expect("where to ask")
        .to_owned();
    let expected = format!("{}/$export-poll-status?_jobId=", server.base_url);
    assert_eq!(status.strip_prefix(&expected).expect("ours").len(), 36);

    let told = client.send("GET", &status, &[("Accept", "application/json")]);
    assert_eq!(
        (told.status, told.header("content-type")),
        (200, Some("application/json"))
    );
    assert!(
        told.header("expires")
            .is_some_and(|date| date.ends_with(" GMT"))
    );
    let manifest = told.json();
    assert_eq!(
        manifest["request"],
        format!("{}/$export?{query}", server.base_url)
    );
    let mut found = std::collections::BTreeMap::new();
    for file in manifest["output"].as_array().expect("output") {
        let response = client.get(file["url"].as_str().expect("a URL"));
        assert_eq!(
            (response.status, response.header("content-type")),
            (200, Some("application/fhir+ndjson"))
        );
        let resources: Vec<Value> = response
            .text()
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        assert_eq!(file["count"], resources.len());
        assert!(resources.len() <= 7);
        found.extend(resources.into_iter().map(|one| (key(&one), one)));
    }
    assert_eq!(found, directory.resources);
}

#[test]
fn head_begins_nothing_and_tells_whether_get_would() {
    let (_, made) = served(3);
    let server = Server::start(&made.index, |config| config.export.jobs = 1);
    let mut client = server.connect();
    for _ in 0..3 {
        let head = client.send("HEAD", "$export?_type=Location", &[]);
        assert_eq!((head.status, head.header("content-location")), (202, None));
    }
    assert_eq!(
        client.send("HEAD", "$export?_type=Locations", &[]).status,
        400
    );
    let get = client.get("$export?_type=Location");
    let head = client.send("HEAD", "$export?_type=Location", &[]);
    assert_eq!(get.header("content-length"), head.header("content-length"));
    let status = get.header("content-location").expect("begun").to_owned();
    let full = client.get("$export");
    assert_eq!((full.status, full.issue().as_str()), (429, "throttled"));
    assert!(full.header("retry-after").is_some());
    assert_eq!(client.send("HEAD", &status, &[]).status, 200);
    assert_eq!(client.send("DELETE", &status, &[]).status, 202);
    assert_eq!(client.get("$export").status, 202, "its place is free again");
}

#[test]
fn ended_and_unknown_exports_are_not_found() {
    let (_, made) = served(3);
    let server = Server::start(&made.index, |_| {});
    let mut client = server.connect();
    let begun = client.get("$export");
    let status = begun.header("content-location").expect("begun").to_owned();
    let manifest = client.get(&status).json();
    let file = urls(&manifest).remove(0);
    assert_eq!(client.get(&file).status, 200);
    let unknown = client.get(&file.replace("-1.", "-2."));
    assert_eq!(
        (unknown.status, unknown.issue().as_str()),
        (404, "not-found")
    );
    let ended = client.send("DELETE", &status, &[]);
    assert_eq!(
        (ended.status, ended.issue().as_str()),
        (202, "informational")
    );
    for (method, url) in [("GET", &status), ("DELETE", &status), ("GET", &file)] {
        let gone = client.send(method, url, &[]);
        assert_eq!(
            (gone.status, gone.issue().as_str()),
            (404, "not-found"),
            "{method} {url}"
        );
    }
    for url in [
        "$export-poll-status",
        "$export-poll-status?_jobId=",
        "$export-poll-status?_jobId=a&_jobId=b",
        "$export-poll-status?_jobId=a&x=1",
    ] {
        assert_eq!(client.get(url).status, 400, "{url}");
    }
    for url in [
        "$export-poll-status?_jobId=990789c0-f170-400f-97dd-ed2ac6fd22dc",
        "$export-poll-status?_jobId=x",
        "$export-get-file/x/y",
        "$export-get-file/x",
        "$export-get-file",
        "Location/$export",
    ] {
        assert_eq!(client.get(url).status, 404, "{url}");
    }
    for (method, url) in [
        ("POST", "$export"),
        ("POST", "$export-poll-status?_jobId=x"),
        ("DELETE", "$export"),
    ] {
        let refused = client.send(method, url, &[]);
        assert_eq!(refused.status, 405, "{method} {url}");
        assert!(
            refused
                .header("allow")
                .is_some_and(|allow| allow.starts_with("GET, HEAD"))
        );
    }
    assert_eq!(client.send("POST", "Location/$export", &[]).status, 404);
    for headers in [[("Prefer", "respond-sync")], [("Prefer", "return=minimal")]] {
        assert_eq!(client.send("GET", "$export", &headers).status, 400);
    }
    assert_eq!(
        client
            .send("GET", "$export", &[("Accept", "application/fhir+xml")])
            .status,
        406
    );
    assert_eq!(client.get("$export?_since=x").issue(), "invalid");
}

#[test]
fn asking_too_often_is_told_so() {
    let (_, made) = served(3);
    let server = Server::start(&made.index, |config| config.export.polls_at_once = 5);
    let mut client = server.connect();
    let status = client
        .get("$export")
        .header("content-location")
        .expect("begun")
        .to_owned();
    let refused = (0..100)
        .map(|_| client.get(&status))
        .find(|told| told.status == 429);
    let refused = refused.expect("refused at last");
    assert_eq!(
        (refused.issue().as_str(), refused.header("retry-after")),
        ("throttled", Some("1"))
    );
}

#[test]
fn a_file_comes_whole_by_parts_and_compressed() {
    let (_, made) = served(400);
    let server = Server::start(&made.index, |_| {});
    let mut client = server.connect();
    let url = first_file(&mut client);
    let whole = client.get(&url);
    let length = whole.body.len();
    assert_eq!(
        (whole.status, whole.chunked, whole.header("accept-ranges")),
        (200, false, Some("bytes"))
    );
    let tag = whole.header("etag").expect("a tag").to_owned();
    assert!(tag.starts_with('"'), "{tag} must be a strong one");

    let head = client.send("HEAD", &url, &[]);
    assert_eq!(
        head.header("content-length"),
        whole.header("content-length")
    );
    assert_eq!(
        client.send("GET", &url, &[("If-None-Match", &tag)]).status,
        304
    );

    // A download that breaks off and is resumed.
    let mut read = Vec::new();
    while read.len() < length {
        let range = format!("bytes={}-{}", read.len(), read.len() + 10_000);
        let part = client.send(
            "GET",
            &url,
            &[
                ("Range", &range),
                ("If-Range", &tag),
                ("Accept-Encoding", "gzip"),
            ],
        );
        assert_eq!((part.status, part.header("content-encoding")), (206, None));
        let last = read.len() + part.body.len() - 1;
        let expected = format!("bytes {}-{last}/{length}", read.len());
        assert_eq!(part.header("content-range"), Some(expected.as_str()));
        read.extend(part.body);
    }
    assert!(read == whole.body);
    let tail = client.send("GET", &url, &[("Range", "bytes=-100")]);
    assert!(tail.status == 206 && tail.body == whole.body[length - 100..]);
    let changed = client.send(
        "GET",
        &url,
        &[("Range", "bytes=5-"), ("If-Range", "\"other\"")],
    );
    assert!(changed.status == 200 && changed.body == whole.body);
    let outside = client.send("GET", &url, &[("Range", &format!("bytes={length}-"))]);
    let expected = format!("bytes */{length}");
    assert_eq!(
        (outside.status, outside.header("content-range")),
        (416, Some(expected.as_str()))
    );
    assert_eq!(outside.issue(), "value");

    let zipped = client.send("GET", &url, &[("Accept-Encoding", "br, gzip;q=0.8")]);
    assert_eq!(
        (zipped.status, zipped.chunked, zipped.header("vary")),
        (200, true, Some("Accept-Encoding"))
    );
    assert_ne!(
        zipped.header("etag"),
        Some(tag.as_str()),
        "other bytes, another tag"
    );
    assert!(
        zipped.body.len() * 3 < length,
        "{} of {length}",
        zipped.body.len()
    );
    assert!(zipped.unzipped() == whole.body);
    let head = client.send("HEAD", &url, &[("Accept-Encoding", "gzip")]);
    assert_eq!(
        (
            head.header("content-encoding"),
            head.header("content-length")
        ),
        (Some("gzip"), None)
    );
    // The connection is still in step.
    assert_eq!(client.get("metadata").status, 200);
}

#[test]
fn gzip_can_be_switched_off() {
    let (_, made) = served(3);
    let server = Server::start(&made.index, |config| config.export.gzip = false);
    let mut client = server.connect();
    let url = first_file(&mut client);
    let plain = client.send("GET", &url, &[("Accept-Encoding", "gzip")]);
    assert_eq!(
        (
            plain.status,
            plain.header("content-encoding"),
            plain.chunked
        ),
        (200, None, false)
    );
}

#[test]
fn swaps_and_an_end_do_not_touch_a_download() {
    let (mut directory, made) = served(3_000);
    let server = Server::start(&made.index, |_| {});
    let mut client = server.connect();
    let begun = client.get(&format!("$export?{WHOLE}"));
    let status = begun.header("content-location").expect("begun").to_owned();
    let url = urls(&client.get(&status).json()).remove(0);
    let whole = client.get(&url).body;
    let mut other = server.connect();
    for encoding in ["identity", "gzip"] {
        // The head and some bytes, then nothing is read until the generation has been replaced and its files are gone.
        let mut slow = server.connect();
        slow.begin("GET", &url, &[("Accept-Encoding", encoding)]);
        let mut response = slow.head();
        assert_eq!(response.status, 200);
        // The id of a page names its generation.
        let live =
            |client: &mut Client| client.get("HealthcareService?_count=0").json()["id"].clone();
        let old = live(&mut other);
        directory.change();
        made.rebuild(&directory.extract());
        while live(&mut other) == old {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        if encoding == "gzip" {
            assert_eq!(other.send("DELETE", &status, &[]).status, 202);
        }
        slow.body(&mut response);
        match encoding {
            "gzip" => assert!(response.unzipped() == whole),
            _ => assert!(response.body == whole),
        }
    }
}

#[test]
fn an_export_expires() {
    let (_, made) = served(3);
    let server = Server::start(&made.index, |config| config.export.retention_seconds = 1);
    let mut client = server.connect();
    let status = client
        .get("$export")
        .header("content-location")
        .expect("begun")
        .to_owned();
    let mut told = client.get(&status);
    while told.status != 404 {
        assert!(matches!(told.status, 200 | 429), "{}", told.status);
        std::thread::sleep(std::time::Duration::from_millis(50));
        told = client.get(&status);
    }
    assert_eq!(told.issue(), "not-found");
}

#[test]
fn the_capability_statement_lists_the_operations() {
    let (_, made) = served(3);
    let server = Server::start(&made.index, |_| {});
    let statement = server.connect().get("metadata").json();
    let operations = statement["rest"][0]["operation"]
        .as_array()
        .expect("operations");
    let names: Vec<&str> = operations
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(names, ["export", "export-poll-status", "export-get-file"]);
    assert_eq!(
        operations[0]["definition"],
        json!("http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export")
    );
}
