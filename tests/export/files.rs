//! Files: slices, forms, parts.

use std::sync::Arc;

use rorqual::export::{ExportFile, ExportOptions, Jobs};
use serde_json::{Value, json};

use crate::made::{Made, contents, done, exported, instant, resource, texts};

fn offers(count: usize) -> Vec<Value> {
    (0..count)
        .map(|n| {
            let more = json!({"name": format!("Offre n° {n}"), "comment": "é".repeat(n % 7)});
            resource(
                "HealthcareService",
                &format!("offre-{n}"),
                &instant(n),
                more,
            )
        })
        .collect()
}

fn sliced(file_size: u32) -> Jobs {
    Jobs::new(ExportOptions {
        file_size,
        ..ExportOptions::default()
    })
}

fn bytes(file: &Arc<ExportFile>, start: u64, end: u64, most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut reader = file.read_part(start, end).expect("a sound index");
    while let Some(pieces) = reader.next(most).expect("a sound index") {
        pieces.iter().for_each(|piece| out.extend_from_slice(piece));
    }
    out
}

#[test]
fn slices_join_to_the_whole_in_both_forms() {
    let made = Made::of(&offers(10));
    let engine = made.engine();
    let whole = exported(&engine, "");
    assert_eq!(whole.len(), 10);
    for (size, counts) in [
        (1, vec![1; 10]),
        (3, vec![3, 3, 3, 1]),
        (5, vec![5, 5]),
        (10, vec![10]),
        (11, vec![10]),
    ] {
        for (form, ending) in [
            ("application/fhir+ndjson", "ndjson"),
            ("application/fhir+json", "json"),
        ] {
            let job = done(
                &sliced(size),
                engine.full(),
                &format!("_outputFormat={form}"),
            );
            assert_eq!(contents(&job), whole, "{size} {form}");
            let files = job.outcome().expect("done").expect("made").files().to_vec();
            assert_eq!(
                files.iter().map(|file| file.count()).collect::<Vec<_>>(),
                counts
            );
            let names: Vec<String> = (1..=counts.len())
                .map(|n| format!("HealthcareService-{n}.{ending}"))
                .collect();
            assert_eq!(
                files.iter().map(|file| file.name()).collect::<Vec<_>>(),
                names
            );
        }
    }
}

#[test]
fn any_part_is_the_same_bytes() {
    // More than the resources between two noted places, and fewer.
    for (count, cuts) in [(5, usize::MAX), (600, 60)] {
        let engine = Made::of(&offers(count)).engine();
        for form in ["ndjson", "application/json"] {
            let job = done(
                &Jobs::default(),
                engine.full(),
                &format!("_outputFormat={form}"),
            );
            let text = texts(&job).concat().into_bytes();
            let files = job.outcome().expect("done").expect("made").files();
            let [file] = files else { panic!("one file") };
            let length = text.len() as u64;
            let mut random = fastrand::Rng::with_seed(7);
            // Every cut of a short file, some of a long one.
            let places: Vec<u64> = (0..=length)
                .filter(|_| cuts == usize::MAX || random.u64(0..length) < cuts as u64)
                .collect();
            for &start in &places {
                let end = random.u64(start..=length);
                let most = random.usize(1..5_000);
                let part = bytes(file, start, end, most);
                assert!(
                    part == text[start as usize..end as usize],
                    "{form}: {start}..{end}"
                );
            }
            // A download that breaks off again and again.
            let mut whole = Vec::new();
            while (whole.len() as u64) < length {
                let start = whole.len() as u64;
                let end = (start + random.u64(1..length)).min(length);
                whole.extend(bytes(file, start, end, 777));
            }
            assert!(whole == text, "{form}");
        }
    }
}

#[test]
fn a_resource_received_over_lines_is_one_line() {
    let made = Made::of(&offers(1));
    let resource = offers(1).remove(0);
    let bundle =
        json!({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": resource}]});
    let pretty = serde_json::to_string_pretty(&bundle)
        .expect("JSON")
        .replace('\n', "\r\n");
    made.rebuild_from("bundle.json", &pretty);
    let engine = made.engine();
    let stored = engine
        .read(rorqual::ResourceType::HealthcareService, "offre-0")
        .expect("it is there");
    assert!(
        stored.body.contains(&b'\n'),
        "the body is stored as received"
    );
    let texts = texts(&done(&Jobs::default(), engine.full(), ""));
    assert_eq!(texts.len(), 1);
    assert_eq!(texts[0].matches(['\n', '\r']).count(), 1, "{}", texts[0]);
    assert_eq!(
        exported(&engine, ""),
        exported(&Made::of(&offers(1)).engine(), "")
    );
}

#[test]
fn a_bundle_is_a_collection_with_full_urls() {
    let engine = Made::of(&offers(3)).engine();
    let job = done(
        &sliced(2),
        engine.full(),
        "_outputFormat=application/fhir+json",
    );
    let bundles: Vec<Value> = texts(&job)
        .iter()
        .map(|text| serde_json::from_str(text).expect("JSON"))
        .collect();
    assert_eq!(bundles.len(), 2);
    for bundle in &bundles {
        assert_eq!(
            (&bundle["resourceType"], &bundle["type"]),
            (&json!("Bundle"), &json!("collection"))
        );
        assert!(bundle.get("total").is_none(), "only searches have a total");
        assert_eq!(bundle["timestamp"], "2024-01-01T00:02:00.000Z");
        assert!(bundle["id"].as_str().is_some_and(|id| id.len() <= 64));
        for entry in bundle["entry"].as_array().expect("entries") {
            let id = entry["resource"]["id"].as_str().expect("an id");
            let expected = format!(
                "{}/HealthcareService/{id}",
                rorqual::engine::DEFAULT_BASE_URL
            );
            assert_eq!(entry["fullUrl"], expected);
        }
    }
    assert_ne!(bundles[0]["id"], bundles[1]["id"]);
}

#[test]
fn nothing_to_export_is_no_file() {
    let engine = Made::of(&offers(1)).engine();
    let job = done(&Jobs::default(), engine.full(), "_type=Location");
    assert!(
        job.outcome()
            .expect("done")
            .expect("made")
            .files()
            .is_empty()
    );
}
