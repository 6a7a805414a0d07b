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

    /// The ordinals within `metres` of a point, edge included; in no order.
    pub fn within(&self, centre: Position, metres: f64) -> Vec<u32> {
        let Ok(tree) = self.tree("positions") else {
            return Vec::new();
        };
        let circle = Circle::new(centre, metres);
        let mut found = Vec::new();
        for [west, south, east, north] in boxes(centre, metres) {
            let inside = tree.search(west, south, east, north).into_iter();
            let inside = inside.filter_map(|item| self.item(item as usize));
            found.extend(
                inside
                    .filter(|(_, at)| circle.holds(*at))
                    .map(|(ordinal, _)| ordinal),
            );
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

/// A circle that is asked about many points: most are so far inside or outside that bounds of the haversine formula, without
/// its functions of angles, tell.
struct Circle {
    centre: Position,
    metres: f64,
    bounds: Option<Bounds>,
}

/// What bounds the haversine of a point: `sin²(Δlat/2) + cos(lat)·cos(lat')·sin²(Δlon/2)`.
struct Bounds {
    /// Haversines below are inside, those above outside.
    inside: f64,
    outside: f64,
    /// The product of both cosines for points no farther north or south than the circle reaches.
    least: f64,
    greatest: f64,
}

impl Circle {
    fn new(centre: Position, metres: f64) -> Circle {
        /// Radii, in metres, for which the bounds are tight, and rounding is far below the margin.
        const FIT: std::ops::Range<f64> = 100.0..1_000_000.0;
        /// What is closer to the edge, as a share of its haversine, is measured.
        const MARGIN: f64 = 1e-6;
        /// Degrees beyond the circle that a box of the tree may reach.
        const SLACK: f64 = 1e-5;
        let angle = metres / EARTH_RADIUS;
        let reach = angle.to_degrees() + SLACK;
        let (south, north) = (centre.latitude - reach, centre.latitude + reach);
        let fits = FIT.contains(&metres) && south > -90.0 && north < 90.0;
        let bounds = fits.then(|| {
            let edge = (angle / 2.0).sin().powi(2);
            let own = centre.latitude.to_radians().cos();
            let [south_cos, north_cos] = [south, north].map(|latitude| latitude.to_radians().cos());
            // Both cosines are the largest on the equator.
            let across = south <= 0.0 && north >= 0.0;
            let greatest = if across {
                1.0
            } else {
                south_cos.max(north_cos)
            };
            Bounds {
                inside: edge * (1.0 - MARGIN),
                outside: edge * (1.0 + MARGIN),
                least: own * south_cos.min(north_cos),
                greatest: own * greatest,
            }
        });
        Circle {
            centre,
            metres,
            bounds,
        }
    }

    /// Whether the circle holds a point, its edge included, that is no farther north or south than it reaches.
    fn holds(&self, at: Position) -> bool {
        let half_lat = (at.latitude - self.centre.latitude).to_radians() / 2.0;
        let half_lon = (at.longitude - self.centre.longitude).to_radians() / 2.0;
        if let Some(bounds) = self.bounds.as_ref().filter(|_| half_lon.abs() < 1.0) {
            let (lat, lon) = (half_lat * half_lat, half_lon * half_lon);
            // x² - x⁴/3 <= sin² x <= x²
            if lat + bounds.greatest * lon < bounds.inside {
                return true;
            }
            let [lat, lon] = [lat, lon].map(|square| square * (1.0 - square / 3.0));
            if lat + bounds.least * lon > bounds.outside {
                return false;
            }
        }
        distance(self.centre, at) <= self.metres
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
            let mut found: Vec<u32> = index.within(centre, metres);
            found.sort_unstable();
            found.dedup();
            let expected: Vec<u32> = points.iter().enumerate()
                .filter(|(_, at)| distance(centre, Position { latitude: at.0, longitude: at.1 }) <= metres)
                .map(|(slot, _)| slot as u32).collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn bounds_agree_with_distances(
            centre in (-89.0f64..=89.0, -180.0f64..=180.0),
            metres in prop_oneof![50.0f64..2e4, 50.0f64..1.1e6],
            points in prop::collection::vec((0.0f64..std::f64::consts::TAU, prop_oneof![0.0f64..2.0, 0.999_999f64..1.000_001]), 1..50),
        ) {
            let centre = Position { latitude: centre.0, longitude: centre.1 };
            let circle = Circle::new(centre, metres);
            for (bearing, share) in points {
                // A point about that far away in that direction.
                let reach = (metres * share / EARTH_RADIUS).to_degrees();
                let latitude = (centre.latitude + reach * bearing.cos()).clamp(-90.0, 90.0);
                let width = centre.latitude.to_radians().cos();
                let longitude = (centre.longitude + reach * bearing.sin() / width).clamp(-180.0, 180.0);
                let at = Position { latitude, longitude };
                if (latitude - centre.latitude).abs() <= (metres / EARTH_RADIUS).to_degrees() {
                    prop_assert_eq!(circle.holds(at), distance(centre, at) <= metres, "{:?}", at);
                }
            }
        }

        #[test]
        fn across_the_antimeridian(longitude in 178.0f64..180.0, latitude in -40.0f64..40.0) {
            let (_dir, index) = open(&[(latitude, -179.9), (latitude, 179.9), (latitude, 0.0)]);
            let mut found: Vec<u32> =
                index.within(Position { latitude, longitude }, 400_000.0);
            found.sort_unstable();
            prop_assert_eq!(found, vec![0, 1]);
        }
    }
}
