//! Records that are no usable resources: skipped, told one by one, and too many of them stop the build.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::extract::{lines, ndjson};
use crate::index::{Live, assert_no_debris, assert_sound, current, generations};
use crate::process::{Finished, build, command, finish};

/// The lines of the reject file that a report names.
fn told(finished: &Finished) -> Vec<Value> {
    let report = finished.report();
    let path = report["reject_file"].as_str().expect("a reject file");
    let told = read_told(Path::new(path));
    assert_eq!(
        report["rejected"],
        told.len(),
        "the report and the file disagree"
    );
    told
}

fn read_told(path: &Path) -> Vec<Value> {
    fs::read_to_string(path)
        .expect("the reject file")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a reject is a line of JSON"))
        .collect()
}

fn total(index: &Path, search: &str) -> u64 {
    let engine = rorqual::Engine::open(index).expect("the index opens");
    engine.search(search).expect("a sound search").total
}

fn with(live: &Live, name: &str, bad: &[&[u8]], good: usize) -> PathBuf {
    let mut text = Vec::new();
    for line in bad {
        text.extend_from_slice(line);
        text.push(b'\n');
    }
    let good = &lines(good, "après")[..];
    text.extend(ndjson(good));
    live.file(name, &text)
}

#[test]
fn one_truncated_line_among_many_is_skipped_and_told() {
    let live = Live::new();
    let mut good = lines(60, "après");
    let cut = r#"{"resourceType":"Location","id":"cut","name":"Pav"#;
    good.insert(41, cut.to_owned());
    let source = live.file("one.ndjson", &ndjson(&good));
    let finished = build(&[&source], &live.index).exits(3);
    let told = told(&finished);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["file"], source.to_string_lossy().as_ref());
    assert_eq!(told[0]["line"], 42);
    assert_eq!(told[0]["code"], "not-json");
    assert_eq!(told[0]["excerpt"], cut);
    let reason = told[0]["reason"].as_str().expect("a reason");
    // The last byte that is there.
    let place = format!("not valid JSON at byte {} of", cut.len() - 1);
    assert!(reason.contains(&place), "{reason}");
    let report = finished.report();
    assert_eq!(report["generation"], current(&live.index));
    assert_eq!(report["rejected_without_type"], 1);
    assert_eq!(
        total(&live.index, "HealthcareService?name=cardiologie%20après"),
        60
    );
    assert_eq!(total(&live.index, "Location?_id=cut"), 0);
    assert_sound(&live.index);
    assert_no_debris(&live.index);
}

#[test]
fn above_the_tolerated_share_the_build_fails_and_the_live_index_stays() {
    let live = Live::new();
    let cut: &[u8] = br#"{"resourceType":"Location","id":"#;
    let source = with(&live, "many.ndjson", &[cut, cut, cut], 60);
    let failed = build(&[&source], &live.index).fails_saying(&[
        "3 of 201 records were rejected, more than the 1 % tolerated",
        "the live index is untouched",
    ]);
    live.is_untouched();
    assert_no_debris(&live.index);
    // The sentence leads to the file that tells why.
    let path = failed
        .err
        .split("(see ")
        .nth(1)
        .and_then(|rest| rest.split(')').next());
    let told = read_told(Path::new(path.expect("the path of the reject file")));
    assert_eq!(told.len(), 3);
    assert_eq!(told[2]["line"], 3);

    // The share is the operator's to choose.
    let finished =
        finish(command(&[&source], &live.index).args(["--reject-percent", "2"])).exits(3);
    assert_eq!(finished.report()["rejected"], 3);
    assert_eq!(total(&live.index, "HealthcareService?_count=0"), 60);
}

#[test]
fn exactly_the_tolerated_share_is_tolerated() {
    let live = Live::new();
    let mut hundred = lines(40, "après");
    hundred.truncate(99);
    hundred.push("{".to_owned());
    let source = live.file("share.ndjson", &ndjson(&hundred));
    let finished = build(&[&source], &live.index).exits(3);
    assert_eq!(finished.report()["rejected"], 1);
    assert_eq!(told(&finished)[0]["line"], 100);
}

#[test]
fn each_fault_has_its_word_and_its_sentence() {
    let live = Live::new();
    let faults: [(&[u8], &str, &str); 10] = [
        (
            br#"{"resourceType":"Patient","id":"p"}"#,
            "unknown-type",
            "\"Patient\" is not one of the directory's",
        ),
        (
            br#"{"resourceType":"Organisation","id":"o"}"#,
            "unknown-type",
            "did you mean Organization?",
        ),
        (
            br#"{"id":"nobody"}"#,
            "no-resource-type",
            "does not say its resourceType",
        ),
        (
            br#"{"resourceType":7,"id":"seven"}"#,
            "no-resource-type",
            "does not say its resourceType",
        ),
        (br#"{"resourceType":"Location"}"#, "no-id", "no id"),
        (
            br#"{"resourceType":"Location","id":"a b"}"#,
            "bad-id",
            "\"a b\" is not a FHIR id",
        ),
        (br#"["Location"]"#, "not-an-object", "this is an array"),
        (
            b"{\"resourceType\":\"Location\",\"id\":\"x\",\"name\":\"\xE9\"}",
            "not-utf8",
            "export the extract as UTF-8",
        ),
        (
            br#"{"resourceType":"Location","id":"x"} {}"#,
            "not-json",
            "not valid JSON",
        ),
        (b"\0\0\0\0", "not-json", "not valid JSON"),
    ];
    let bad: Vec<&[u8]> = faults.iter().map(|fault| fault.0).collect();
    let source = with(&live, "faults.ndjson", &bad, 400);
    let finished = build(&[&source], &live.index).exits(3);
    let told = told(&finished);
    assert_eq!(told.len(), faults.len());
    for ((number, reject), (text, code, sentence)) in told.iter().enumerate().zip(faults) {
        let text = String::from_utf8_lossy(text);
        assert_eq!(reject["line"], number + 1, "{text}");
        assert_eq!(reject["code"], code, "{text}");
        let reason = reject["reason"].as_str().expect("a reason");
        assert!(reason.contains(sentence), "{text}: {reason}");
        assert_eq!(reject["excerpt"], text.as_ref());
    }
    let types = &finished.report()["types"];
    assert_eq!(
        types["Location"]["rejected"], 2,
        "those that say their type and lack an id"
    );
    assert_eq!(types["Location"]["indexed"], 400);
    assert_eq!(total(&live.index, "Location?_count=0"), 400);
    assert_sound(&live.index);
}

#[test]
fn a_bad_entry_of_a_bundle_is_told_by_its_number() {
    let live = Live::new();
    let mut entries = lines(60, "après");
    entries.insert(5, r#"{"resourceType":"Patient","id":"p"}"#.to_owned());
    let source = live.file("entries.json", &crate::extract::bundle(&entries));
    let told = told(&build(&[source], &live.index).exits(3));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["entry"], 5);
    assert_eq!(told[0]["code"], "unknown-type");
}

#[test]
fn an_extract_without_a_usable_resource_never_goes_live() {
    let live = Live::new();
    let nothing = live.file("nothing.ndjson", b"\n\n");
    build(&[&nothing], &live.index)
        .fails_saying(&["holds no usable resource", "the live index is untouched"]);
    let rubbish = live.file("rubbish.ndjson", b"{}\n{}\n");
    let mut all = command(&[&rubbish], &live.index);
    finish(all.args(["--reject-percent", "100"])).fails_saying(&[
        "holds no usable resource (2 records rejected (see ",
        "untouched",
    ]);
    live.is_untouched();
    assert_no_debris(&live.index);
}

#[test]
fn a_first_build_that_fails_leaves_no_index() {
    let live = Live::new();
    let source = live.file("cut.ndjson", b"{\n");
    let fresh = live.folder.path().join("fresh");
    build(&[source], &fresh).fails_saying(&["1 of 1 records were rejected"]);
    assert!(generations(&fresh).is_empty());
    assert!(!fresh.join("CURRENT").exists());
    let error = rorqual::Engine::open(&fresh)
        .err()
        .expect("nothing to open");
    let sentence = error.to_string();
    assert!(
        sentence.contains(&fresh.display().to_string()),
        "{sentence}"
    );
    assert!(
        sentence.contains("build one with: index-builder"),
        "{sentence}"
    );
}
