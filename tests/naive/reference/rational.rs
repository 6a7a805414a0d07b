//! Exact fractions: enough arithmetic to compare decimals and convert units without rounding.

use std::cmp::Ordering;

/// A fraction in lowest terms with a positive denominator.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rational {
    numerator: i128,
    denominator: i128,
}

impl Rational {
    /// `numerator / denominator`; the denominator is not zero.
    pub fn new(numerator: i128, denominator: i128) -> Self {
        let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs()).max(1) as i128;
        let sign = if denominator < 0 { -1 } else { 1 };
        Rational {
            numerator: sign * numerator / divisor,
            denominator: sign * denominator / divisor,
        }
    }

    /// The value of a decimal text, and half a unit of the last digit written.
    pub fn parse(text: &str) -> Option<(Rational, Rational)> {
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], text[at + 1..].parse::<i32>().ok()?),
            None => (text, 0),
        };
        let digits = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || all.len() > 24 || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let sign = if mantissa.starts_with('-') { -1 } else { 1 };
        let scale = exponent - fraction.len() as i32;
        let unit = power_of_ten(scale)?;
        let value = unit.times(Rational::new(sign * all.parse::<i128>().ok()?, 1));
        Some((value, unit.times(Rational::new(1, 2))))
    }

    /// The product.
    pub fn times(self, other: Rational) -> Rational {
        // Crosswise reduction keeps the products small.
        let left = Rational::new(self.numerator, other.denominator);
        let right = Rational::new(other.numerator, self.denominator);
        Rational::new(
            left.numerator * right.numerator,
            left.denominator * right.denominator,
        )
    }

    /// The sum.
    pub fn plus(self, other: Rational) -> Rational {
        let divisor = gcd(
            self.denominator.unsigned_abs(),
            other.denominator.unsigned_abs(),
        )
        .max(1) as i128;
        let scale = other.denominator / divisor;
        Rational::new(
            self.numerator * scale + other.numerator * (self.denominator / divisor),
            self.denominator * scale,
        )
    }

    /// One divided by a value that is not zero.
    pub fn inverse(self) -> Rational {
        Rational::new(self.denominator, self.numerator)
    }

    /// The opposite.
    pub fn negated(self) -> Rational {
        Rational::new(-self.numerator, self.denominator)
    }

    /// The nearest floating-point number, to write a query with; never used to compare.
    pub fn approximate(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }

    /// The distance from zero.
    pub fn magnitude(self) -> Rational {
        Rational::new(self.numerator.abs(), self.denominator)
    }
}

impl PartialOrd for Rational {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Rational {
    fn cmp(&self, other: &Self) -> Ordering {
        self.plus(other.negated()).numerator.cmp(&0)
    }
}

fn gcd(mut left: u128, mut right: u128) -> u128 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}

fn power_of_ten(exponent: i32) -> Option<Rational> {
    let size = 10i128.checked_pow(exponent.unsigned_abs())?;
    Some(if exponent < 0 {
        Rational::new(1, size)
    } else {
        Rational::new(size, 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_precision() {
        let (value, half) = Rational::parse("68.50").expect("a decimal");
        assert_eq!(value, Rational::new(137, 2));
        assert_eq!(half, Rational::new(1, 200));
        let (value, half) = Rational::parse("-2.5e2").expect("a decimal");
        assert_eq!(value, Rational::new(-250, 1));
        assert_eq!(half, Rational::new(5, 1));
        assert!(Rational::parse("abc").is_none() && Rational::parse("").is_none());
    }

    #[test]
    fn order_is_exact() {
        let (third, tenth) = (Rational::new(1, 3), Rational::new(1, 10));
        assert!(tenth < third && third.negated() < tenth.negated());
        assert_eq!(third.plus(tenth), Rational::new(13, 30));
    }
}
