//! Each structure of a generation, asked as searches ask it, and the answers made of them.
//!
//! `cargo bench --bench structures` measures an index of the fixtures; `RORQUAL_INDEX=DIR` another one.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use divan::{Bencher, black_box};
use rorqual::bundle::gzip::GzipBody;
use rorqual::engine::Engine;
use rorqual::index::column::Values;
use rorqual::index::directory::Directory;
use rorqual::index::generation::Generation;
use rorqual_schema::{Position, Prefix, ResourceType, Schema, parse_date, parse_token};

/// What a page holds.
const PAGE: u32 = 20;

struct Measured {
    engine: Engine,
    generation: Arc<Generation>,
}

static MEASURED: OnceLock<Measured> = OnceLock::new();

fn main() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let index =
        std::env::var_os("RORQUAL_INDEX").map_or_else(|| of_fixtures(&folder), PathBuf::from);
    let engine = Engine::open(&index).expect("an index");
    let generation = engine.generation();
    assert!(MEASURED.set(Measured { engine, generation }).is_ok());
    divan::main();
}

fn of_fixtures(folder: &tempfile::TempDir) -> PathBuf {
    let index = folder.path().join("index");
    let options = index_builder::BuildOptions {
        extract: vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/extract")],
        index: index.clone(),
        ..Default::default()
    };
    index_builder::build(&options).expect("the fixtures build");
    index
}

fn measured() -> &'static Measured {
    MEASURED.get().expect("an index, opened first")
}

fn directory(kind: ResourceType) -> &'static Directory {
    measured().generation.directory(kind)
}

fn parameter(kind: ResourceType, code: &str) -> &'static Values {
    let schema: &'static Schema = measured().generation.schema();
    let number = schema.find(kind, code).expect("a parameter");
    &directory(kind)
        .parameter(number)
        .expect("an indexed parameter")
        .values
}

#[divan::bench]
fn id_to_ordinal(bencher: Bencher<'_, '_>) {
    let offers = directory(ResourceType::HealthcareService);
    let id = offers.bodies().id(offers.len() / 2).expect("an offer");
    bencher.bench(|| offers.ordinal(black_box(&id)));
}

#[divan::bench]
fn token_to_bitmap(bencher: Bencher<'_, '_>) {
    let Values::Token(tokens) = parameter(ResourceType::HealthcareService, "specialty") else {
        panic!("specialty is a token");
    };
    let query = parse_token("013").expect("a token");
    bencher.bench(|| {
        let found = tokens.select(black_box(&query));
        found
            .iter()
            .map(|terms| tokens.bitmap(terms).len())
            .sum::<u64>()
    });
}

#[divan::bench(args = ["ge2020", "ge2026-06-01"])]
fn dates_to_bitmap(bencher: Bencher<'_, '_>, from: &str) {
    let Values::Date(dates) = parameter(ResourceType::HealthcareService, "_lastUpdated") else {
        panic!("_lastUpdated is a date");
    };
    let range = parse_date(&from[2..], measured().generation.schema().time_zone()).expect("a date");
    bencher.bench(|| dates.select(Prefix::Ge, black_box(range)));
}

#[divan::bench]
fn names_that_start(bencher: Bencher<'_, '_>) {
    let Values::String(names) = parameter(ResourceType::Organization, "name") else {
        panic!("name is a string");
    };
    bencher.bench(|| names.starting(black_box("clinique")));
}

#[divan::bench]
fn names_that_contain(bencher: Bencher<'_, '_>) {
    let Values::String(names) = parameter(ResourceType::Organization, "name") else {
        panic!("name is a string");
    };
    bencher.bench(|| names.containing(black_box("clinique")));
}

#[divan::bench]
fn offers_of_an_organisation(bencher: Bencher<'_, '_>) {
    let Values::Reference(references) = parameter(ResourceType::HealthcareService, "organization")
    else {
        panic!("organization is a reference");
    };
    let offers = references
        .incoming(ResourceType::Organization)
        .expect("offers of organisations");
    let most = (0..directory(ResourceType::Organization).len())
        .max_by_key(|organization| offers.of(*organization).len())
        .expect("an organisation");
    bencher.bench(|| offers.bitmap(black_box(most)));
}

#[divan::bench(args = [1_000.0, 15_000.0])]
fn places_within(bencher: Bencher<'_, '_>, metres: f64) {
    let Values::Position(positions) = parameter(ResourceType::Location, "near") else {
        panic!("near is a position");
    };
    let nantes = Position {
        latitude: 47.218371,
        longitude: -1.553621,
    };
    bencher.bench(|| positions.within(black_box(nantes), metres));
}

#[divan::bench]
fn a_word(bencher: Bencher<'_, '_>) {
    let text = directory(ResourceType::HealthcareService)
        .text()
        .expect("words");
    bencher.bench(|| text.word(black_box("cardiologie")));
}

#[divan::bench]
fn bodies_of_a_page(bencher: Bencher<'_, '_>) {
    let bodies = directory(ResourceType::HealthcareService).bodies();
    bencher.bench(|| {
        let entries = (0..PAGE).filter_map(|ordinal| bodies.entry(black_box(ordinal)));
        entries.map(|entry| entry.len()).sum::<usize>()
    });
}

#[divan::bench]
fn a_compressed_page(bencher: Bencher<'_, '_>) {
    let bodies = directory(ResourceType::HealthcareService).bodies();
    bencher.bench(|| {
        let mut page = GzipBody::with_capacity(PAGE as usize);
        for ordinal in 0..PAGE {
            let (before, body) = bodies.deflated_entry(ordinal).expect("a compressed body");
            page.text(before);
            page.stored(body);
        }
        page.finish()
    });
}

/// The road of a whole answer: parsing, matching, ordering, framing.
#[divan::bench(args = [
    "HealthcareService?specialty=013&_summary=count",
    "HealthcareService?specialty=013&_count=1",
    "HealthcareService?specialty=013&_count=20",
    "HealthcareService?specialty=013&_count=20&_include=*",
    "HealthcareService?specialty=013&_count=20&_elements=name",
    "HealthcareService?location.near-insee-code=44109|10|km&_count=20",
])]
fn an_answer(bencher: Bencher<'_, '_>, search: &str) {
    bencher.bench(|| {
        measured()
            .engine
            .search(black_box(search))
            .expect("an answer")
    });
}
