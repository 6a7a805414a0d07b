//! Great-circle distances, and the reference points of a few communes.

use crate::queries::{Distance, Term};

/// Mean radius of the Earth in metres.
const RADIUS: f64 = 6_371_008.8;

/// Commune code and centroid: INSEE and IGN ADMIN EXPRESS COG 2026, Licence Ouverte 2.0.
pub const COMMUNES: &[(&str, f64, f64)] = &[
    ("13055", 43.2916, 5.42057),
    ("2A004", 41.93468, 8.7011),
    ("2B033", 42.68647, 9.42522),
    ("35238", 48.1118, -1.68189),
    ("44109", 47.23209, -1.54818),
    ("44162", 47.22492, -1.63412),
    ("69123", 45.7549, 4.8364),
    ("71270", 46.32122, 4.81868),
    ("75056", 48.85659, 2.34292),
    ("75101", 48.86262, 2.3363),
    ("97209", 14.64046, -61.06888),
    ("97411", -20.933, 55.44687),
];

/// Distance of a position from the point asked about, and the radius asked for, both in metres;
/// `None` when the term is no proximity or names a commune that is not in the table.
pub fn distance_to(latitude: f64, longitude: f64, term: &Term) -> Option<(f64, f64)> {
    let (centre, distance) = match term {
        Term::Near(latitude, longitude, distance) => ((*latitude, *longitude), distance),
        Term::NearInsee(code, distance) => {
            let (_, latitude, longitude) = COMMUNES.iter().find(|commune| commune.0 == code)?;
            ((*latitude, *longitude), distance)
        }
        _ => return None,
    };
    Some((haversine((latitude, longitude), centre), metres(distance)?))
}

fn metres(distance: &Distance) -> Option<f64> {
    let Some((number, unit)) = distance else {
        return Some(25_000.0);
    };
    let size = match unit {
        None | Some("km") => 1_000.0,
        Some("m") => 1.0,
        Some("mi") => 1_609.344,
        Some(_) => return None,
    };
    Some(number.parse::<f64>().ok()? * size)
}

fn haversine(here: (f64, f64), there: (f64, f64)) -> f64 {
    let rise = (there.0 - here.0).to_radians() / 2.0;
    let turn = (there.1 - here.1).to_radians() / 2.0;
    let chord = rise.sin().powi(2)
        + here.0.to_radians().cos() * there.0.to_radians().cos() * turn.sin().powi(2);
    2.0 * RADIUS * chord.sqrt().min(1.0).asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_degree_of_latitude_is_a_hundred_and_eleven_kilometres() {
        let degree = haversine((47.0, 2.0), (48.0, 2.0));
        assert!((degree - 111_195.08).abs() < 0.1, "{degree}");
        assert_eq!(haversine((47.0, 2.0), (47.0, 2.0)), 0.0);
        let across = haversine((-17.0, 179.9), (-17.0, -179.9));
        assert!(across < 22_000.0, "{across}");
    }
}
