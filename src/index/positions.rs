//! Positions: a packed R-tree over WGS 84 points, read in place.
//!
//! Sections: `<name>.tree` (a geo-index packed Hilbert R-tree over (longitude, latitude)), `<name>.points` (f64
//! pairs latitude, longitude per tree item) and `<name>.ordinals` (u32 per tree item). The tree needs no
//! decoding; `docs/decisions/0003-mapped-r-tree.md` has the measurement against `rstar`.

use geo_index::rtree::sort::HilbertSort;
use geo_index::rtree::{RTreeBuilder, RTreeIndex, RTreeRef};
use rorqual_schema::Position;

use super::FormatError;
use super::interner::Places;
use super::map::{Column, Region};
use super::pack::{Pack, PackWriter};

/// Mean radius of the Earth in metres, of the sphere on which distances are measured (IUGG mean radius R1).
pub const EARTH_RADIUS: f64 = 6_371_008.8;

/// Great-circle distance of two points in metres, by the haversine formula.
pub fn distance(a: Position, b: Position) -> f64 {
    let (lat_a, lat_b) = (a.latitude.to_radians(), b.latitude.to_radians());
    let half_lat = (lat_b - lat_a) / 2.0;
    let half_lon = (b.longitude - a.longitude).to_radians() / 2.0;
    let h = half_lat.sin().powi(2) + lat_a.cos() * lat_b.cos() * half_lon.sin().powi(2);
    2.0 * EARTH_RADIUS * h.sqrt().min(1.0).asin()
}

/// Gathers positions while an index is built.
#[derive(Default)]
pub struct PositionCollector {
    pub(super) values: Vec<(u32, Position)>,
}

impl PositionCollector {
    /// Notes the position of a slot.
    pub fn add(&mut self, slot: u32, position: Position) {
        self.values.push((slot, position));
    }

    /// Bytes of memory that values noted take.
    pub fn weight(&self) -> usize {
        size_of::<(u32, Position)>() * self.values.capacity()
    }

    /// The positions by slot.
    pub fn values(&self) -> &[(u32, Position)] {
        &self.values
    }

    /// Writes the index under `name`.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn write(
        &self,
        pack: &mut PackWriter,
        name: &str,
        places: &Places<'_>,
    ) -> Result<(), FormatError> {
        let mut points: Vec<(u32, Position)> = self
            .values
            .iter()
            .flat_map(|&(slot, position)| {
                places
                    .of(slot)
                    .iter()
                    .map(move |&ordinal| (ordinal, position))
            })
            .collect();
        points.sort_by_key(|&(ordinal, _)| ordinal);
        let mut builder = RTreeBuilder::<f64>::new(points.len() as u32);
        for (_, at) in &points {
            builder.add(at.longitude, at.latitude, at.longitude, at.latitude);
        }
        let tree = if points.is_empty() {
            Vec::new()
        } else {
            builder.finish::<HilbertSort>().into_inner()
        };
        pack.section(&format!("{name}.tree"), &tree)?;
        let flat: Vec<f64> = points
            .iter()
            .flat_map(|(_, at)| [at.latitude, at.longitude])
            .collect();
        pack.column(&format!("{name}.points"), &flat)?;
        pack.column(
            &format!("{name}.ordinals"),
            &points.iter().map(|point| point.0).collect::<Vec<_>>(),
        )
    }

    /// The slots that have a position.
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.values.iter().map(|(slot, _)| *slot)
    }
}

/// Opened positions.
pub struct PositionIndex {
    tree: Region,
    points: Column<f64>,
    ordinals: Column<u32>,
}

impl PositionIndex {
    /// Opens what [`PositionCollector::write`] wrote.
    ///
    /// # Errors
    /// [`FormatError`] when a section is missing or inconsistent.
    pub fn open(pack: &Pack, name: &str) -> Result<PositionIndex, FormatError> {
        let index = PositionIndex {
            tree: pack.region(&format!("{name}.tree"))?,
            points: pack.column(&format!("{name}.points"))?,
            ordinals: pack.column(&format!("{name}.ordinals"))?,
        };
        if index.points.len() != 2 * index.ordinals.len() {
            return Err(FormatError::Layout {
                section: name.to_owned(),
                detail: "its columns differ in length".into(),
            });
        }
        if !index.tree.is_empty() {
            index.tree(name)?;
        }
        Ok(index)
    }

    fn tree(&self, name: &str) -> Result<RTreeRef<'_, f64>, FormatError> {
        RTreeRef::try_new(&self.tree).map_err(|error| FormatError::Layout {
            section: name.to_owned(),
            detail: error.to_string(),
        })
    }

    /// The ordinals within `metres` of a point, edge included, with their distance in metres; in no order.
    pub fn within(&self, centre: Position, metres: f64) -> Vec<(u32, f64)> {
        let Ok(tree) = self.tree("positions") else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for [west, south, east, north] in boxes(centre, metres) {
            for item in tree.search(west, south, east, north) {
                if let Some((ordinal, at)) = self.item(item as usize) {
                    let away = distance(centre, at);
                    if away <= metres {
                        found.push((ordinal, away));
                    }
                }
            }
        }
        found
    }

    fn item(&self, item: usize) -> Option<(u32, Position)> {
        let (&latitude, &longitude) = (self.points.get(2 * item)?, self.points.get(2 * item + 1)?);
        Some((
            *self.ordinals.get(item)?,
            Position {
                latitude,
                longitude,
            },
        ))
    }

    /// The position of an ordinal.
    pub fn of(&self, ordinal: u32) -> Option<Position> {
        self.item(self.ordinals.binary_search(&ordinal).ok()?)
            .map(|(_, at)| at)
    }
}

/// Boxes (west, south, east, north, in degrees) that together hold every point within `metres` of a centre: one, or
/// two when the circle crosses the antimeridian. A little wide, never narrow; the distance decides.
fn boxes(centre: Position, metres: f64) -> Vec<[f64; 4]> {
    /// Degrees by which a box exceeds the circle, to outweigh rounding.
    const SLACK: f64 = 1e-6;
    let angle = metres / EARTH_RADIUS;
    let degrees = angle.to_degrees() + SLACK;
    let (south, north) = (centre.latitude - degrees, centre.latitude + degrees);
    if south <= -90.0 || north >= 90.0 || angle >= std::f64::consts::FRAC_PI_2 {
        return vec![[-180.0, south.max(-90.0), 180.0, north.min(90.0)]];
    }
    // The meridian that touches the circle: sin(d lon) = sin(angle) / cos(lat).
    let ratio = angle.sin() / centre.latitude.to_radians().cos();
    if ratio >= 1.0 {
        return vec![[-180.0, south, 180.0, north]];
    }
    let reach = ratio.asin().to_degrees() + SLACK;
    let (west, east) = (centre.longitude - reach, centre.longitude + reach);
    if west < -180.0 {
        vec![
            [west + 360.0, south, 180.0, north],
            [-180.0, south, east, north],
        ]
    } else if east > 180.0 {
        vec![
            [west, south, 180.0, north],
            [-180.0, south, east - 360.0, north],
        ]
    } else {
        vec![[west, south, east, north]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn open(points: &[(f64, f64)]) -> (tempfile::TempDir, PositionIndex) {
        let mut collector = PositionCollector::default();
        for (slot, &(latitude, longitude)) in points.iter().enumerate() {
            collector.add(
                slot as u32,
                Position {
                    latitude,
                    longitude,
                },
            );
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.pack");
        let mut writer = PackWriter::create(&path).unwrap();
        let ordinals: Vec<u32> = (0..points.len() as u32).collect();
        collector
            .write(
                &mut writer,
                "p",
                &Places::One {
                    ordinals: &ordinals,
                    count: points.len(),
                },
            )
            .unwrap();
        writer.finish().unwrap();
        let index = PositionIndex::open(&Pack::open(&path).unwrap(), "p").unwrap();
        (dir, index)
    }

    #[test]
    fn nantes_to_saint_herblain() {
        let nantes = Position {
            latitude: 47.218371,
            longitude: -1.553621,
        };
        let herblain = Position {
            latitude: 47.2181,
            longitude: -1.6485,
        };
        assert!(
            (distance(nantes, herblain) - 7_166.0).abs() < 10.0,
            "{}",
            distance(nantes, herblain)
        );
    }

    proptest! {
        #[test]
        fn a_scan_finds_the_same(
            points in prop::collection::vec((-90.0f64..=90.0, -180.0f64..=180.0), 0..80),
            centre in (-90.0f64..=90.0, -180.0f64..=180.0),
            metres in prop_oneof![Just(0.0), 0.0f64..2e6, 0.0f64..2.1e7],
        ) {
            let (_dir, index) = open(&points);
            let centre = Position { latitude: centre.0, longitude: centre.1 };
            let mut found: Vec<u32> = index.within(centre, metres).into_iter().map(|hit| hit.0).collect();
            found.sort_unstable();
            found.dedup();
            let expected: Vec<u32> = points.iter().enumerate()
                .filter(|(_, at)| distance(centre, Position { latitude: at.0, longitude: at.1 }) <= metres)
                .map(|(slot, _)| slot as u32).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn across_the_antimeridian(longitude in 178.0f64..180.0, latitude in -40.0f64..40.0) {
            let (_dir, index) = open(&[(latitude, -179.9), (latitude, 179.9), (latitude, 0.0)]);
            let mut found: Vec<u32> =
                index.within(Position { latitude, longitude }, 400_000.0).into_iter().map(|hit| hit.0).collect();
            found.sort_unstable();
            prop_assert_eq!(found, vec![0, 1]);
        }
    }
}
