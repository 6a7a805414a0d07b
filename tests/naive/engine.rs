//! The engine under test: an extract built into an index in a temporary directory, then opened.

use crate::compare::{Refusal, Searcher};
use crate::data::Extract;
use crate::queries::Query;
use roaring::RoaringBitmap;
use rorqual::query::evaluate::{Choices, Evaluator, JoinOrder};
use rorqual::query::parse::{Features, GroupMatching, ParseOptions, parse};
use serde_json::Value as Json;
use std::fs;
use tempfile::TempDir;

/// An index built from an extract; the directory goes when it is dropped.
pub struct Built {
    engine: rorqual::Engine,
    _directory: TempDir,
}

impl Built {
    /// Writes the extract, builds its index and opens it.
    pub fn new(extract: &Extract) -> Built {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let source = directory.path().join("extract");
        fs::create_dir(&source).expect("a folder for the extract");
        for (name, text) in &extract.files {
            fs::write(source.join(name), text).expect("a file of the extract");
        }
        let index = directory.path().join("index");
        index_builder::build(&index_builder::BuildOptions {
            extract: vec![source],
            index: index.clone(),
            ..Default::default()
        })
        .expect("the extract builds");
        Built {
            engine: rorqual::Engine::open(&index).expect("the index opens"),
            _directory: directory,
        }
    }

    /// Puts an address to the engine as it is.
    pub fn ask(&self, address: &str) -> Result<Json, Refusal> {
        match self.engine.search(address) {
            Ok(answer) => Ok(serde_json::from_slice(&answer.to_vec()).expect("the answer is JSON")),
            Err(error) => Err(Refusal {
                status: error.status(),
                text: format!("{:?}", error.issues()),
            }),
        }
    }
}

impl Built {
    /// The matches of a search under every choice that the planner has; empty for a search that is refused.
    pub fn with_every_choice(&self, address: &str) -> Vec<(Choices, RoaringBitmap)> {
        let (name, query) = address.split_once('?').unwrap_or((address, ""));
        let kind = rorqual::ResourceType::from_name(name).expect("a known type");
        let generation = self.engine.generation();
        let options = ParseOptions {
            handling: rorqual::Handling::Default,
            lenient_by_default: false,
            base_url: rorqual::engine::DEFAULT_BASE_URL,
            now: 0,
            group_matching: GroupMatching::SameLine,
            features: Features::ALL,
        };
        let Ok(request) = parse(generation.schema(), kind, query, &options) else {
            return Vec::new();
        };
        let mut answers = Vec::new();
        for order in [
            JoinOrder::RarestFirst,
            JoinOrder::CommonestFirst,
            JoinOrder::AsWritten,
        ] {
            for candidates in [0, 8, u64::MAX] {
                let choices = Choices { order, candidates };
                let evaluator = Evaluator::new(&generation, rorqual::engine::DEFAULT_BASE_URL)
                    .with_choices(choices);
                let found = evaluator
                    .matches(kind, &request.criterion)
                    .expect("a sound index");
                answers.push((choices, found));
            }
        }
        answers
    }
}

impl Searcher for Built {
    fn search(&self, _: &Query, address: &str) -> Result<Json, Refusal> {
        self.ask(address)
    }
}
