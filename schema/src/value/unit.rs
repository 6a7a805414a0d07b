//! UCUM units: the ones that health offers use, and how they convert.

use super::decimal::Decimal;

/// What a unit measures. Values of one dimension compare after conversion to its base unit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Dimension(pub u16);

impl Dimension {
    /// Time; base unit: second.
    pub const TIME: Dimension = Dimension(1);
    /// Mass; base unit: microgram.
    pub const MASS: Dimension = Dimension(2);
    /// Length; base unit: micrometre.
    pub const LENGTH: Dimension = Dimension(3);
    /// Volume; base unit: microlitre.
    pub const VOLUME: Dimension = Dimension(4);
    /// Area; base unit: square millimetre.
    pub const AREA: Dimension = Dimension(5);
    /// Ratios and counts; base unit: one millionth.
    pub const RATIO: Dimension = Dimension(6);
    /// Power; base unit: milliwatt.
    pub const POWER: Dimension = Dimension(7);
    /// Frequency; base unit: hertz.
    pub const FREQUENCY: Dimension = Dimension(8);
    /// Pressure; base unit: pascal.
    pub const PRESSURE: Dimension = Dimension(9);
    /// Electric potential; base unit: millivolt.
    pub const POTENTIAL: Dimension = Dimension(10);
}

/// A unit: its UCUM code, what it measures, and its size in the base unit of the dimension.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unit {
    /// The case-sensitive UCUM code.
    pub code: &'static str,
    /// What it measures.
    pub dimension: Dimension,
    /// How many base units it is; exact, but for `[mi_us]` which is rounded to the micrometre.
    pub factor: i128,
}

const fn unit_of(code: &'static str, dimension: Dimension, factor: i128) -> Unit {
    Unit {
        code,
        dimension,
        factor,
    }
}

const DAY: i128 = 86_400;

/// Every known unit. Those of the last lines convert to nothing else and have a dimension of their own.
#[rustfmt::skip]
static UNITS: &[Unit] = &[
    // A year is 365.25 days and 12 months, as UCUM has it (Julian year).
    unit_of("a", Dimension::TIME, 31_557_600),
    unit_of("a_j", Dimension::TIME, 31_557_600),
    unit_of("mo", Dimension::TIME, 2_629_800),
    unit_of("mo_j", Dimension::TIME, 2_629_800),
    unit_of("wk", Dimension::TIME, 7 * DAY),
    unit_of("d", Dimension::TIME, DAY),
    unit_of("h", Dimension::TIME, 3_600),
    unit_of("min", Dimension::TIME, 60),
    unit_of("s", Dimension::TIME, 1),
    unit_of("ug", Dimension::MASS, 1),
    unit_of("mg", Dimension::MASS, 1_000),
    unit_of("g", Dimension::MASS, 1_000_000),
    unit_of("kg", Dimension::MASS, 1_000_000_000),
    unit_of("t", Dimension::MASS, 1_000_000_000_000),
    unit_of("[lb_av]", Dimension::MASS, 453_592_370),
    unit_of("um", Dimension::LENGTH, 1),
    unit_of("mm", Dimension::LENGTH, 1_000),
    unit_of("cm", Dimension::LENGTH, 10_000),
    unit_of("dm", Dimension::LENGTH, 100_000),
    unit_of("m", Dimension::LENGTH, 1_000_000),
    unit_of("km", Dimension::LENGTH, 1_000_000_000),
    unit_of("[in_i]", Dimension::LENGTH, 25_400),
    unit_of("[ft_i]", Dimension::LENGTH, 304_800),
    unit_of("[yd_i]", Dimension::LENGTH, 914_400),
    unit_of("[mi_i]", Dimension::LENGTH, 1_609_344_000),
    unit_of("[mi_us]", Dimension::LENGTH, 1_609_347_219),
    unit_of("[nmi_i]", Dimension::LENGTH, 1_852_000_000),
    unit_of("uL", Dimension::VOLUME, 1),
    unit_of("ul", Dimension::VOLUME, 1),
    unit_of("mL", Dimension::VOLUME, 1_000),
    unit_of("ml", Dimension::VOLUME, 1_000),
    unit_of("cL", Dimension::VOLUME, 10_000),
    unit_of("cl", Dimension::VOLUME, 10_000),
    unit_of("dL", Dimension::VOLUME, 100_000),
    unit_of("dl", Dimension::VOLUME, 100_000),
    unit_of("L", Dimension::VOLUME, 1_000_000),
    unit_of("l", Dimension::VOLUME, 1_000_000),
    unit_of("cm3", Dimension::VOLUME, 1_000),
    unit_of("dm3", Dimension::VOLUME, 1_000_000),
    unit_of("m3", Dimension::VOLUME, 1_000_000_000),
    unit_of("mm2", Dimension::AREA, 1),
    unit_of("cm2", Dimension::AREA, 100),
    unit_of("dm2", Dimension::AREA, 10_000),
    unit_of("m2", Dimension::AREA, 1_000_000),
    unit_of("1", Dimension::RATIO, 1_000_000),
    unit_of("%", Dimension::RATIO, 10_000),
    unit_of("[ppth]", Dimension::RATIO, 1_000),
    unit_of("[ppm]", Dimension::RATIO, 1),
    unit_of("mW", Dimension::POWER, 1),
    unit_of("W", Dimension::POWER, 1_000),
    unit_of("kW", Dimension::POWER, 1_000_000),
    unit_of("Hz", Dimension::FREQUENCY, 1),
    unit_of("kHz", Dimension::FREQUENCY, 1_000),
    unit_of("MHz", Dimension::FREQUENCY, 1_000_000),
    unit_of("Pa", Dimension::PRESSURE, 1),
    unit_of("hPa", Dimension::PRESSURE, 100),
    unit_of("kPa", Dimension::PRESSURE, 1_000),
    unit_of("mbar", Dimension::PRESSURE, 100),
    unit_of("bar", Dimension::PRESSURE, 100_000),
    unit_of("mV", Dimension::POTENTIAL, 1),
    unit_of("V", Dimension::POTENTIAL, 1_000),
    unit_of("kV", Dimension::POTENTIAL, 1_000_000),
    unit_of("Cel", Dimension(100), 1),
    unit_of("[degF]", Dimension(101), 1),
    unit_of("K", Dimension(102), 1),
    unit_of("mm[Hg]", Dimension(103), 1),
    unit_of("deg", Dimension(104), 1),
    unit_of("[pH]", Dimension(105), 1),
    unit_of("dB", Dimension(106), 1),
    unit_of("T", Dimension(107), 1),
    unit_of("A", Dimension(108), 1),
    unit_of("lx", Dimension(109), 1),
    unit_of("L/min", Dimension(110), 1),
    unit_of("kg/m2", Dimension(111), 1),
    unit_of("[diop]", Dimension(112), 1),
    unit_of("Gy", Dimension(113), 1),
    unit_of("MBq", Dimension(114), 1),
];

/// The dimension of a UCUM code and its size in base units, or nothing when the code is not known.
pub fn unit(code: &str) -> Option<(Dimension, i128)> {
    UNITS
        .iter()
        .find(|unit| unit.code == code)
        .map(|unit| (unit.dimension, unit.factor))
}

/// Every known unit.
pub fn units() -> &'static [Unit] {
    UNITS
}

/// A value in the base unit of its dimension, or nothing when the unit is unknown or the result out of range.
pub fn canonical(value: Decimal, code: &str) -> Option<(Dimension, Decimal)> {
    let (dimension, factor) = unit(code)?;
    Some((dimension, value.checked_mul_int(factor)?))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::{Dimension, canonical, unit, units};
    use crate::value::decimal::Decimal;

    /// Exact sizes as fractions of the SI unit, written independently of the table: numerator, denominator, and how many base
    /// units the SI unit is.
    #[rustfmt::skip]
    const EXACT: &[(&str, i128, i128, i128)] = &[
        ("a", 36525 * 864, 1, 1), ("mo", 36525 * 864, 12, 1), ("wk", 604_800, 1, 1), ("d", 86_400, 1, 1), ("h", 3600, 1, 1),
        ("kg", 1, 1, 1_000_000_000), ("g", 1, 1000, 1_000_000_000), ("mg", 1, 1_000_000, 1_000_000_000), ("t", 1000, 1, 1_000_000_000),
        ("[lb_av]", 45_359_237, 100_000_000, 1_000_000_000),
        ("m", 1, 1, 1_000_000), ("cm", 1, 100, 1_000_000), ("mm", 1, 1000, 1_000_000), ("km", 1000, 1, 1_000_000),
        ("[in_i]", 254, 10_000, 1_000_000), ("[ft_i]", 3048, 10_000, 1_000_000), ("[mi_i]", 1_609_344, 1000, 1_000_000),
    ];

    #[test]
    fn sizes_are_exact() {
        for (code, numerator, denominator, base) in EXACT {
            let (_, factor) = unit(code).expect("known");
            assert_eq!(factor * denominator, numerator * base, "{code}");
        }
        // The US survey mile, 6336000/3937 m, has no whole number of micrometres: the nearest is used.
        let (_, survey) = unit("[mi_us]").expect("known");
        assert!((survey * 3937 - 6_336_000 * 1_000_000).abs() * 2 <= 3937);
    }

    #[test]
    fn codes_are_distinct_and_case_sensitive() {
        assert_eq!(
            units()
                .iter()
                .map(|unit| unit.code)
                .collect::<HashSet<_>>()
                .len(),
            units().len()
        );
        assert_eq!(unit("KG"), None);
        assert_eq!(unit("years"), None);
        assert_eq!(
            unit("A").map(|(dimension, _)| dimension == Dimension::TIME),
            Some(false)
        );
    }

    proptest! {
        #[test]
        fn twelve_months_are_a_year(years in 0i64..1000) {
            let year = canonical(Decimal::from_i64(years), "a");
            prop_assert_eq!(year, canonical(Decimal::from_i64(years * 12), "mo"));
            prop_assert_eq!(year.map(|(d, v)| (d, v.checked_mul_int(4))),
                canonical(Decimal::from_i64(years * 1461), "d").map(|(d, v)| (d, Some(v))));
        }

        #[test]
        fn a_conversion_keeps_the_order(a in -1_000_000i64..1_000_000, b in -1_000_000i64..1_000_000) {
            let (a, b) = (Decimal::from_i64(a), Decimal::from_i64(b));
            for known in units() {
                prop_assert_eq!(canonical(a, known.code).cmp(&canonical(b, known.code)), a.cmp(&b));
            }
        }
    }
}
