//! A client that sees only part of an anomaly is never told more, whatever goes live while it writes.

use fastrand::Rng;
use rorqual::ResourceType;
use rorqual::anomaly::refusal::WriteRefusal;
use rorqual::anomaly::store::{Change, Made, Outcome, Write};
use rorqual::engine::DEFAULT_BASE_URL;
use serde_json::{Value, json};

use crate::directory::Directory;
use crate::place::{Place, small_segments};
use crate::task::{Focus, body, create, to_status, write};

/// A profile that sees anomalies, without their words.
const QUALITY: &str = r#"
base = "national"

[profiles.quality]
like = "2"
tasks = ["read", "write"]

[profiles.quality.documents]
Task = "always"

[profiles.quality.see]
task-as-such = "always"
"#;

#[test]
fn a_view_that_went_away_during_a_write_tells_nothing_of_the_task() {
    let mut directory = Directory::draw(&mut Rng::with_seed(3));
    directory.tasks.clear();
    let place = Place::of(&directory.lines());
    let policy = place.index.with_extension("toml");
    std::fs::write(&policy, QUALITY).expect("a writable folder");
    place.build_with(&directory.lines(), policy.to_str());
    let (engine, store) = place.open(small_segments());
    let mut new = body("02", &Focus::literal("HealthcareService", "offer-0"));
    new["description"] = json!("Pour la régulation seulement.");
    let Ok(done) = store.write(write(vec![create(&new)])) else {
        panic!("a sound Task is taken");
    };
    let id = done[0].id.clone();
    let generation = engine.generation();
    let mut views = generation
        .views()
        .keys()
        .filter_map(|name| engine.view(name));
    let view = views
        .find(|view| view.read(ResourceType::Task, &id).is_some())
        .expect("a view that shows it");
    let patch = |view| {
        let change = Change::Patch {
            id: id.clone(),
            patch: to_status("10"),
            if_match: None,
        };
        store.write(Write {
            changes: vec![change],
            base_url: DEFAULT_BASE_URL.to_owned(),
            view,
        })
    };
    let told = |outcome: Outcome| {
        let done = outcome.unwrap_or_else(|failed| panic!("{:?}", failed.refusal));
        assert_eq!(done[0].made, Made::Changed);
        let told = serde_json::from_slice::<Value>(&done[0].resource.body).expect("JSON");
        (done[0].resource.version.clone(), told)
    };
    let (version, shown) = told(patch(Some(view.clone())));
    assert_eq!(
        (version.as_str(), &shown["description"]),
        ("2", &Value::Null)
    );

    // Once its view is gone nobody can say what the client may see: the Task is not there for it, and stays as it is.
    place.build_with(&directory.lines(), Some("none"));
    assert!(engine.refresh().expect("the new generation opens"));
    let Err(failed) = patch(Some(view)) else {
        panic!("a patch through a view that is gone");
    };
    assert!(matches!(failed.refusal, WriteRefusal::NotFound { .. }));
    let (version, whole) = told(patch(None));
    assert_eq!(
        (version.as_str(), &whole["description"]),
        ("3", &new["description"])
    );
}
