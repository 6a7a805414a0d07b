//! Proximity: the packed R-tree read from the map, beside an rstar tree that has to be made at every opening.
//!
//! Run with `cargo bench --bench proximity`. 362,675 points, as many as the national extract has places, spread over France.

use divan::{Bencher, black_box};
use rorqual::index::interner::Places;
use rorqual::index::pack::{Pack, PackWriter};
use rorqual::index::positions::{PositionCollector, PositionIndex, distance};
use rorqual_schema::Position;
use rstar::primitives::GeomWithData;
use rstar::{AABB, RTree};

const POINTS: u32 = 362_675;
const CENTRE: Position = Position {
    latitude: 47.218371,
    longitude: -1.553621,
};

fn main() {
    divan::main();
}

/// Points of a fixed linear congruential sequence, denser around a few hundred towns.
fn points() -> Vec<Position> {
    let mut state = 42u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1u64 << 31) as f64
    };
    let towns: Vec<(f64, f64)> = (0..400)
        .map(|_| (42.5 + 8.5 * next(), -4.5 + 12.5 * next()))
        .collect();
    (0..POINTS)
        .map(|at| {
            let (latitude, longitude) = towns[at as usize % towns.len()];
            Position {
                latitude: latitude + 0.2 * next(),
                longitude: longitude + 0.2 * next(),
            }
        })
        .collect()
}

fn mapped() -> (tempfile::TempDir, std::path::PathBuf) {
    let mut collector = PositionCollector::default();
    for (slot, at) in points().into_iter().enumerate() {
        collector.add(slot as u32, at);
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("positions.pack");
    let ordinals: Vec<u32> = (0..POINTS).collect();
    let mut pack = PackWriter::create(&path).expect("a writable folder");
    let places = Places::One {
        ordinals: &ordinals,
        count: POINTS as usize,
    };
    collector
        .write(&mut pack, "near", &places)
        .expect("a writable folder");
    pack.finish().expect("a writable folder");
    (folder, path)
}

type Point = GeomWithData<[f64; 2], u32>;

fn rstar_tree() -> RTree<Point> {
    RTree::bulk_load(
        points()
            .into_iter()
            .zip(0..)
            .map(|(at, slot)| Point::new([at.longitude, at.latitude], slot))
            .collect(),
    )
}

#[divan::bench(sample_count = 20)]
fn open_mapped(bencher: Bencher<'_, '_>) {
    let (_folder, path) = mapped();
    bencher.bench(|| {
        let pack = Pack::open(&path).expect("a pack");
        black_box(PositionIndex::open(&pack, "near").expect("positions"))
    });
}

#[divan::bench(sample_count = 5)]
fn open_rstar(bencher: Bencher<'_, '_>) {
    bencher.bench(|| black_box(rstar_tree()));
}

#[divan::bench(args = [1_000.0, 15_000.0, 100_000.0])]
fn within_mapped(bencher: Bencher<'_, '_>, metres: f64) {
    let (_folder, path) = mapped();
    let index =
        PositionIndex::open(&Pack::open(&path).expect("a pack"), "near").expect("positions");
    bencher.bench(|| black_box(index.within(CENTRE, metres)));
}

#[divan::bench(args = [1_000.0, 15_000.0, 100_000.0])]
fn within_rstar(bencher: Bencher<'_, '_>, metres: f64) {
    let tree = rstar_tree();
    let (up, aside) = (
        metres / 111_000.0,
        metres / 111_000.0 / CENTRE.latitude.to_radians().cos(),
    );
    let around = AABB::from_corners(
        [CENTRE.longitude - aside, CENTRE.latitude - up],
        [CENTRE.longitude + aside, CENTRE.latitude + up],
    );
    bencher.bench(|| {
        let found: Vec<(u32, f64)> = tree
            .locate_in_envelope_intersecting(&around)
            .map(|point| {
                (
                    point.data,
                    distance(
                        CENTRE,
                        Position {
                            latitude: point.geom()[1],
                            longitude: point.geom()[0],
                        },
                    ),
                )
            })
            .filter(|(_, away)| *away <= metres)
            .collect();
        black_box(found)
    });
}
