//! UCUM units of time, mass and length, as exact multiples of one base unit per dimension.

use super::rational::Rational;

/// What a unit measures.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Dimension {
    /// Base unit: the second.
    Time,
    /// Base unit: the microgram.
    Mass,
    /// Base unit: the micrometre.
    Length,
}

/// Dimension and size of a unit; `None` for a code that is not in the table.
pub fn unit(code: &str) -> Option<(Dimension, Rational)> {
    use Dimension::{Length, Mass, Time};
    let (dimension, size) = match code {
        // A Julian year; a month is a twelfth of it.
        "a" => (Time, 36_525 * 864),
        "mo" => (Time, 36_525 * 72),
        "wk" => (Time, 7 * 86_400),
        "d" => (Time, 86_400),
        "h" => (Time, 3_600),
        "min" => (Time, 60),
        "s" => (Time, 1),
        "ug" => (Mass, 1),
        "mg" => (Mass, 1_000),
        "g" => (Mass, 1_000_000),
        "kg" => (Mass, 1_000_000_000),
        "t" => (Mass, 1_000_000_000_000),
        "um" => (Length, 1),
        "mm" => (Length, 1_000),
        "cm" => (Length, 10_000),
        "m" => (Length, 1_000_000),
        "km" => (Length, 1_000_000_000),
        _ => return None,
    };
    Some((dimension, Rational::new(size, 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_is_twelve_months_and_365_and_a_quarter_days() {
        let size = |code| unit(code).expect("a known unit").1;
        assert_eq!(size("mo").times(Rational::new(12, 1)), size("a"));
        assert_eq!(size("d").times(Rational::new(1461, 4)), size("a"));
        assert!(unit("[zorglub]").is_none());
    }
}
