//! The engine under test: an extract built into an index in a temporary directory, then opened.

use crate::compare::{Refusal, Searcher};
use crate::data::Extract;
use crate::kinds::Kind;
use crate::queries::Query;
use crate::random::Random;
use crate::reference::{Reference, Resource};
use roaring::RoaringBitmap;
use rorqual::SearchRequest;
use rorqual::bundle::assemble::Coding;
use rorqual::index::overlay::Version;
use rorqual::query::evaluate::{Choices, Evaluator, JoinOrder};
use rorqual::query::parse::{Features, GroupMatching, ParseOptions, parse};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
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

    /// An index of the reference's resources in which some anomalies are missing, or of an older version; these are
    /// then written to the engine in batches, some with versions in between that must leave no trace.
    pub fn written_to(reference: &Reference, random: &mut Random) -> Built {
        let (mut stored, mut versions): (Vec<Json>, Vec<(String, Json)>) = (Vec::new(), Vec::new());
        let anomalies: Vec<&Resource> = reference
            .resources
            .iter()
            .filter(|resource| resource.kind == Kind::Task)
            .collect();
        // Another anomaly's content under this id.
        let other = |random: &mut Random, id: &str| {
            let mut body = anomalies[random.below(anomalies.len())].body.clone();
            body["id"] = Json::from(id);
            body
        };
        for resource in &reference.resources {
            let last = resource.body.clone();
            if resource.kind != Kind::Task {
                stored.push(last);
                continue;
            }
            match random.below(4) {
                0 => {
                    stored.push(last);
                    continue;
                }
                1 => {}
                _ => stored.push(other(random, &resource.id)),
            }
            for _ in 0..random.below(3) {
                versions.push((resource.id.clone(), other(random, &resource.id)));
            }
            versions.push((resource.id.clone(), last));
        }
        // Any order will do in which the versions of one id follow each other.
        let mut places: Vec<usize> = (0..versions.len()).collect();
        random.shuffle(&mut places);
        let mut order: Vec<Option<(String, Json)>> = vec![None; versions.len()];
        let mut of_id: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, (id, _)) in places.iter().zip(&versions) {
            of_id.entry(id.clone()).or_default().push(*place);
        }
        let mut next: BTreeMap<String, std::vec::IntoIter<usize>> = of_id
            .into_iter()
            .map(|(id, mut places)| {
                places.sort_unstable();
                (id, places.into_iter())
            })
            .collect();
        for (id, body) in versions {
            let place = next
                .get_mut(&id)
                .and_then(Iterator::next)
                .expect("a place for each version");
            order[place] = Some((id, body));
        }
        let text: Vec<String> = stored.iter().map(Json::to_string).collect();
        let built = Built::new(&Extract {
            files: vec![("directory.ndjson".to_owned(), text.join("\n"))],
            records: stored,
        });
        let mut written = order.into_iter().flatten().zip(1i64..).peekable();
        while written.peek().is_some() {
            let batch: Vec<Version> = written
                .by_ref()
                .take(1 + random.below(4))
                .map(|((id, body), number)| Version {
                    sequence: number as u64,
                    instant: number,
                    id,
                    body: body.to_string().into_bytes(),
                })
                .collect();
            built.engine.write(&batch).expect("versions are written");
            if random.chance(60) {
                while built.engine.join_segments().expect("segments are joined") {}
            }
        }
        built
    }

    /// Puts an address to the engine as it is.
    pub fn ask(&self, address: &str) -> Result<Json, Refusal> {
        match self.engine.search(address) {
            Ok(answer) => {
                let plain = answer.to_vec();
                assert!(
                    self.unpacked(address) == plain,
                    "{address}: compressed, it is another answer"
                );
                Ok(serde_json::from_slice(&plain).expect("the answer is JSON"))
            }
            Err(error) => Err(Refusal {
                status: error.status(),
                text: format!("{:?}", error.issues()),
            }),
        }
    }
}

impl Built {
    /// What is read from the compressed answer.
    fn unpacked(&self, address: &str) -> Vec<u8> {
        let (kind, query) = address.split_once('?').unwrap_or((address, ""));
        let answer = self.engine.answer(&SearchRequest {
            kind: rorqual::ResourceType::from_name(kind).expect("a known type"),
            query,
            base_url: rorqual::engine::DEFAULT_BASE_URL,
            handling: rorqual::Handling::Default,
            permits: None,
            coding: Coding::Gzip,
            name: None,
        });
        let packed = answer.expect("it was answered plain").to_vec();
        let mut reader = flate2::bufread::GzDecoder::new(packed.as_slice());
        let mut plain = Vec::new();
        reader.read_to_end(&mut plain).expect("a gzip stream");
        assert!(
            reader.into_inner().is_empty(),
            "something behind the stream"
        );
        plain
    }

    /// The matches of a search under every choice that the planner has; empty for a search that is refused.
    pub fn with_every_choice(&self, address: &str) -> Vec<(Choices, RoaringBitmap)> {
        let (name, query) = address.split_once('?').unwrap_or((address, ""));
        let kind = rorqual::ResourceType::from_name(name).expect("a known type");
        let generation = self.engine.snapshot();
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
