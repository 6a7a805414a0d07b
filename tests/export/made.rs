//! A folder with an index, and exports of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use index_builder::BuildOptions;
use rorqual::export::{ExportRequest, Job, Jobs};
use rorqual::{Engine, View};
use serde_json::{Value, json};
use tempfile::TempDir;

/// `Type/id`, and the resource as it was read.
pub type Contents = BTreeMap<String, Value>;

/// All exported types: the whole directory, whether it belongs to offers or not.
pub const WHOLE: &str =
    "_type=HealthcareService,Organization,Location,PractitionerRole,Practitioner";

/// The folder; it goes with its index when dropped.
pub struct Made {
    folder: TempDir,
    pub index: PathBuf,
}

impl Made {
    /// An index of these resources.
    pub fn of(resources: &[Value]) -> Made {
        let made = Made::empty();
        made.rebuild(resources);
        made
    }

    /// An index of the small extract, with redacted views if a policy is named.
    pub fn of_fixtures(access: Option<&str>) -> Made {
        let made = Made::empty();
        let extract = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/extract");
        made.build(extract, access);
        made
    }

    /// A folder without an index.
    pub fn empty() -> Made {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let index = folder.path().join("index");
        Made { folder, index }
    }

    /// Builds again. The files of the generation before go at once.
    pub fn rebuild(&self, resources: &[Value]) {
        let lines: String = resources.iter().map(|one| format!("{one}\n")).collect();
        self.rebuild_from("extract.ndjson", &lines);
    }

    /// Builds again, from the text of a file.
    pub fn rebuild_from(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("a writable folder");
        self.build(path, None);
    }

    fn build(&self, extract: PathBuf, access: Option<&str>) {
        index_builder::build(&BuildOptions {
            extract: vec![extract],
            index: self.index.clone(),
            keep: 0,
            access: access.map(PathBuf::from),
            ..BuildOptions::default()
        })
        .unwrap_or_else(|error| panic!("{error}"));
    }

    pub fn engine(&self) -> Engine {
        Engine::open(&self.index).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// A job that is done.
pub fn done(jobs: &Jobs, view: &View, query: &str) -> Arc<Job> {
    let begun = jobs
        .begin(view, "", &ExportRequest::new(query))
        .unwrap_or_else(|error| panic!("{query}: {error}"));
    begun.job.prepare();
    begun.job
}

/// What an export of the full view holds.
pub fn exported(engine: &Engine, query: &str) -> Contents {
    contents(&done(&Jobs::default(), engine.full(), query))
}

/// What the files of a job hold, each resource once.
pub fn contents(job: &Job) -> Contents {
    let mut out = Contents::new();
    for text in texts(job) {
        let resources: Vec<Value> = match text.starts_with(r#"{"resourceType":"Bundle""#) {
            true => {
                let bundle: Value = serde_json::from_str(&text).expect("a Bundle");
                let entries = bundle["entry"].as_array().expect("entries");
                entries
                    .iter()
                    .map(|entry| entry["resource"].clone())
                    .collect()
            }
            false => text
                .lines()
                .map(|line| serde_json::from_str(line).expect("a resource on a line"))
                .collect(),
        };
        for resource in resources {
            let key = key(&resource);
            assert!(out.insert(key.clone(), resource).is_none(), "{key} twice");
        }
    }
    out
}

/// The text of each file, whose length must be the one announced.
pub fn texts(job: &Job) -> Vec<String> {
    let export = job.outcome().expect("it is done").expect("it is made");
    let text = |file: &Arc<rorqual::export::ExportFile>| {
        let mut bytes = Vec::new();
        let mut reader = file.read();
        while let Some(pieces) = reader.next(1000).expect("a sound index") {
            assert!(!pieces.is_empty());
            pieces
                .iter()
                .for_each(|piece| bytes.extend_from_slice(piece));
        }
        assert_eq!(file.length().expect("a sound index"), bytes.len() as u64);
        String::from_utf8(bytes).expect("UTF-8")
    };
    export.files().iter().map(text).collect()
}

/// `Type/id` of a resource.
pub fn key(resource: &Value) -> String {
    let text = |name: &str| resource[name].as_str().expect("a resource");
    format!("{}/{}", text("resourceType"), text("id"))
}

/// A resource of a type, changed at an instant, with other members.
pub fn resource(kind: &str, id: &str, changed: &str, more: Value) -> Value {
    let mut out = json!({"resourceType": kind, "id": id, "meta": {"lastUpdated": changed}});
    let members = more.as_object().expect("members").clone();
    out.as_object_mut().expect("a resource").extend(members);
    out
}

/// The instant of a tick, a minute each from 2024 on.
pub fn instant(tick: usize) -> String {
    let (day, minute) = (1 + tick / 1440, tick % 1440);
    format!("2024-01-{day:02}T{:02}:{:02}:00Z", minute / 60, minute % 60)
}

/// A reference to a resource.
pub fn to(key: &str) -> Value {
    json!({"reference": key})
}
