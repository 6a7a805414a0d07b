//! Exact decimal numbers.

use std::fmt;

use super::error::ValueError;

/// Decimals kept after the point.
const SCALE_DIGITS: u32 = 15;
const SCALE: i128 = 10i128.pow(SCALE_DIGITS);
/// Numbers reach up to this, exclusive.
const LIMIT: i128 = 10i128.pow(20) * SCALE;
/// Digits after the point that may be written: three fewer than are kept, so that half a unit of the last is exact.
const WRITTEN_DIGITS: i64 = 12;

/// A number in fixed point, counted in units of 10^-15: comparing and adding are exact.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Decimal(pub i128);

impl Decimal {
    /// Reads a number, with the half unit of the last digit given (R4's implicit precision): `100` is 100 ± 0.5,
    /// `100.00` is 100 ± 0.005, `1e2` is 100 ± 50. The bounds of that range are exact.
    ///
    /// At most 12 digits after the point, trailing zeros included, and a size below 10^20.
    pub fn parse(raw: &str) -> Result<(Decimal, Decimal), ValueError> {
        read(raw.trim()).map_err(|fault| ValueError::Number {
            value: raw.to_owned(),
            fault,
        })
    }

    /// The integer as a decimal.
    pub fn from_i64(value: i64) -> Decimal {
        Decimal(i128::from(value) * SCALE)
    }

    /// The shortest decimal that reads back as this number, or nothing when it is out of range or not finite.
    /// Digits beyond those kept are rounded away.
    pub fn from_f64(value: f64) -> Option<Decimal> {
        if !value.is_finite() || value.abs() >= 1e20 {
            return None;
        }
        // Display writes the shortest digits that read back, never an exponent.
        let text = value.to_string();
        let (sign, digits) = match text.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, text.as_str()),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut units = whole.parse::<i128>().ok()?;
        for place in 0..SCALE_DIGITS as usize {
            let digit = fraction
                .as_bytes()
                .get(place)
                .map_or(0, |digit| i128::from(digit - b'0'));
            units = units * 10 + digit;
        }
        if fraction
            .as_bytes()
            .get(SCALE_DIGITS as usize)
            .is_some_and(|digit| *digit >= b'5')
        {
            units += 1;
        }
        Some(Decimal(sign * units))
    }

    /// The product with an integer, or nothing when it does not fit.
    pub fn checked_mul_int(self, factor: i128) -> Option<Decimal> {
        self.0.checked_mul(factor).map(Decimal)
    }

    /// The sum, or nothing when it does not fit.
    pub fn checked_add(self, other: Decimal) -> Option<Decimal> {
        self.0.checked_add(other.0).map(Decimal)
    }

    /// The difference, or nothing when it does not fit.
    pub fn checked_sub(self, other: Decimal) -> Option<Decimal> {
        self.0.checked_sub(other.0).map(Decimal)
    }

    /// The nearest floating-point number.
    pub fn to_f64(self) -> f64 {
        self.0 as f64 / SCALE as f64
    }
}

fn read(raw: &str) -> Result<(Decimal, Decimal), &'static str> {
    const TOO_LARGE: &str = "it is too large";
    const TOO_FINE: &str = "it has more than 12 decimals";
    let (mantissa, exponent) = match raw.split_once(['e', 'E']) {
        None => (raw, 0),
        Some((mantissa, exponent)) => {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err("its exponent is not a whole number");
            }
            (
                mantissa,
                exponent
                    .parse::<i16>()
                    .map_err(|_| "its exponent is too large")?,
            )
        }
    };
    let (negative, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return Err("no digit follows the point"),
        Some(parts) => parts,
        None => (digits, ""),
    };
    if whole.is_empty() {
        return Err("it does not begin with a digit");
    }
    if !whole
        .bytes()
        .chain(fraction.bytes())
        .all(|b| b.is_ascii_digit())
    {
        return Err("it holds something else than digits");
    }
    // The place of the last digit given, as a power of ten.
    let last_place = i64::from(exponent) - i64::try_from(fraction.len()).map_err(|_| TOO_FINE)?;
    if last_place < -WRITTEN_DIGITS {
        return Err(TOO_FINE);
    }
    let mut significand: i128 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        significand = significand
            .checked_mul(10)
            .and_then(|value| value.checked_add(i128::from(digit - b'0')))
            .ok_or(TOO_LARGE)?;
    }
    let power = u32::try_from(last_place + i64::from(SCALE_DIGITS)).map_err(|_| TOO_FINE)?;
    let place = 10i128.checked_pow(power).ok_or(TOO_LARGE)?;
    let units = significand
        .checked_mul(place)
        .filter(|units| *units < LIMIT)
        .ok_or(TOO_LARGE)?;
    Ok((
        Decimal(if negative { -units } else { units }),
        Decimal(place / 2),
    ))
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.0.unsigned_abs();
        let scale = SCALE.unsigned_abs();
        let (whole, fraction) = (size / scale, size % scale);
        if self.0 < 0 {
            f.write_str("-")?;
        }
        if fraction == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{fraction:015}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Decimal, SCALE};

    fn read(raw: &str) -> (String, String) {
        let (value, half) = Decimal::parse(raw).expect("readable");
        (value.to_string(), half.to_string())
    }

    #[test]
    fn the_digits_given_make_the_precision() {
        assert_eq!(read("100"), ("100".into(), "0.5".into()));
        assert_eq!(read("100.00"), ("100".into(), "0.005".into()));
        assert_eq!(read("1e2"), ("100".into(), "50".into()));
        assert_eq!(read("-5.4"), ("-5.4".into(), "0.05".into()));
        assert_eq!(read("1.5E-3"), ("0.0015".into(), "0.00005".into()));
        assert_eq!(
            read("0.000000000001"),
            ("0.000000000001".into(), "0.0000000000005".into())
        );
    }

    #[test]
    fn what_is_not_a_number_in_range_is_refused() {
        for bad in [
            "",
            "abc",
            "1,5",
            "1.",
            ".5",
            "--1",
            "1e",
            "1e+",
            "1e2.5",
            "0x10",
            "1e20",
            "99999999999999999999999",
            "0.0000000000001",
            "NaN",
            "1 2",
            "1e99999",
            "1e-99999",
            "+",
            "-",
        ] {
            assert!(Decimal::parse(bad).is_err(), "{bad}");
        }
        assert!(Decimal::parse("99999999999999999999").is_ok());
    }

    #[test]
    fn floats_take_their_shortest_form() {
        assert_eq!(
            Decimal::from_f64(68.5).map(|d| d.to_string()).as_deref(),
            Some("68.5")
        );
        assert_eq!(
            Decimal::from_f64(0.1),
            Decimal::parse("0.1").ok().map(|(d, _)| d)
        );
        assert_eq!(
            Decimal::from_f64(-1e-3).map(|d| d.to_string()).as_deref(),
            Some("-0.001")
        );
        assert_eq!(Decimal::from_f64(f64::NAN), None);
        assert_eq!(Decimal::from_f64(1e20), None);
    }

    proptest! {
        #[test]
        fn display_reads_back(whole in -99_999_999_999i64..99_999_999_999, fraction in 0i128..1_000_000_000_000) {
            let value = Decimal(i128::from(whole) * SCALE + fraction * 1000);
            prop_assert_eq!(Decimal::parse(&value.to_string()).map(|(d, _)| d), Ok(value));
        }

        #[test]
        fn anything_at_all_is_read_or_refused(raw in "\\PC{0,20}") {
            if let Ok((value, half)) = Decimal::parse(&raw) {
                prop_assert!(half > Decimal(0));
                prop_assert_eq!(Decimal::parse(&value.to_string()).map(|(d, _)| d), Ok(value));
            }
        }

        #[test]
        fn short_floats_agree_with_their_text(units in -1_000_000_000i64..1_000_000_000, places in 0u32..7) {
            let value = units as f64 / 10f64.powi(places as i32);
            prop_assert_eq!(Decimal::from_f64(value), Decimal::parse(&value.to_string()).ok().map(|(d, _)| d));
        }
    }
}
