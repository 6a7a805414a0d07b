//! The two sides that must agree: a view of an index built with profiles, and an index built from the extract as the
//! independent routine redacts it.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rorqual::{Engine, ResourceType, View};
use rorqual_access::Policy;
use serde_json::Value;
use tempfile::TempDir;

use crate::data;
use crate::directory::Directory;
use crate::policies;
use crate::policy::{self, Profile};
use crate::random::Random;
use crate::reference::Reference;
use crate::seasoning::season;

/// A policy as both sides read it.
pub struct Rules {
    pub text: String,
    policy: Policy,
    profiles: std::collections::BTreeMap<String, Profile>,
}

impl Rules {
    pub fn new(r: &mut Random) -> Rules {
        let text = policies::policy(r);
        Rules {
            policy: Policy::from_toml(&text).unwrap_or_else(|error| panic!("{error}\n{text}")),
            profiles: policy::read(&text),
            text,
        }
    }

    /// The names of the profiles that do not see everything, with what they see and the names of their views.
    pub fn restricted(&self) -> impl Iterator<Item = (&str, &Profile, &str)> {
        let all = self.policy.profiles().iter();
        all.filter(|profile| !profile.view().is_full())
            .map(|profile| {
                let name = profile.name();
                (name, &self.profiles[name], profile.view().as_str())
            })
    }

    /// What a profile sees.
    pub fn profile(&self, name: &str) -> &Profile {
        &self.profiles[name]
    }

    /// What a profile was drawn as, to tell of a difference.
    pub fn told(&self, name: &str) -> String {
        let heading = format!("[profiles.{name}]");
        match self.text.split_once(&heading) {
            Some((_, rest)) => rest.split("\n[").next().unwrap_or(rest).to_owned(),
            None => "national".to_owned(),
        }
    }
}

/// A view, and the index it must not be told from.
pub struct Pair {
    pub profile: String,
    pub told: String,
    pub view: Arc<View>,
    /// What somebody sees who sees everything.
    pub full: Arc<View>,
    pub other: Engine,
    /// What is in both, for requests that find something.
    pub redacted: Reference,
    pub folder: TempDir,
}

/// Writes records as an extract and builds them, with the views of a policy if there is one.
pub fn build<'b>(folder: &Path, records: impl Iterator<Item = &'b Value>, policy: Option<&str>) {
    let source = folder.join("extract.ndjson");
    let lines: Vec<String> = records.map(Value::to_string).collect();
    fs::write(&source, lines.join("\n")).expect("a writable folder");
    let access = policy.map(|text| {
        let path = folder.join("access.toml");
        fs::write(&path, text).expect("a writable folder");
        path
    });
    index_builder::build(&index_builder::BuildOptions {
        extract: vec![source],
        index: folder.join("index"),
        threads: 2,
        access,
        ..Default::default()
    })
    .expect("the extract builds");
}

pub fn open(folder: &Path) -> Engine {
    Engine::open(folder.join("index")).expect("the index opens")
}

/// The pairs of an engine with views; profiles that see nothing at all, which no index can be built of, have none.
pub fn pairs(engine: &Engine, rules: &Rules, directory: &Directory) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for (name, profile, view) in rules.restricted() {
        let records = directory.redacted(profile);
        if records.is_empty() {
            continue;
        }
        let folder = tempfile::tempdir().expect("a temporary directory");
        build(folder.path(), records.iter(), None);
        pairs.push(Pair {
            profile: name.to_owned(),
            told: rules.told(name),
            view: engine.view(view).expect("the view was built"),
            full: engine.full().clone(),
            other: open(folder.path()),
            redacted: Reference::load(&records, true),
            folder,
        });
    }
    pairs
}

/// An extract with its index.
pub struct Scene {
    rules: Rules,
    directory: Directory,
    /// The whole extract.
    pub whole: Reference,
    engine: Engine,
    _folder: TempDir,
}

/// The records of a seed.
pub fn records(r: &mut Random, seed: u64) -> Vec<Value> {
    let mut records = data::generate(seed).records;
    season(r, &mut records);
    records
}

impl Scene {
    pub fn new(seed: u64) -> Scene {
        let mut r = Random::new(seed ^ 0xacce55);
        let records = records(&mut r, seed);
        let rules = Rules::new(&mut r);
        let folder = tempfile::tempdir().expect("a temporary directory");
        build(folder.path(), records.iter(), Some(&rules.text));
        let whole = Reference::load(&records, true);
        Scene {
            directory: Directory::new(whole.resources.iter().map(|resource| &resource.body)),
            engine: open(folder.path()),
            rules,
            whole,
            _folder: folder,
        }
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    pub fn pairs(&self) -> Vec<Pair> {
        pairs(&self.engine, &self.rules, &self.directory)
    }

    /// Every type and id of the whole extract, and one that nobody has.
    pub fn ids(&self) -> Vec<(ResourceType, String)> {
        let name = |kind: crate::kinds::Kind| ResourceType::from_name(kind.name());
        let all = self.whole.resources.iter();
        all.map(|resource| {
            (
                name(resource.kind).expect("one of six"),
                resource.id.clone(),
            )
        })
        .collect()
    }
}
