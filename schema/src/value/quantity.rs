//! Quantities: a number with a UCUM unit.

use std::borrow::Cow;

use super::decimal::Decimal;
use super::error::ValueError;
use super::escape::{split_unescaped, unescape};
use super::prefix::{Prefix, split_prefix};
use super::unit::{Dimension, canonical, unit};
use crate::json::{JsonNumber, Node};

/// A quantity read from a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityValue<'a> {
    /// The number as written.
    pub value: Decimal,
    /// The UCUM code: `Quantity.code`, else `Quantity.unit` when that is a known code, else the default unit of the
    /// parameter.
    pub unit: Option<Cow<'a, str>>,
    /// The number in the base unit of its dimension; nothing when the unit is absent or unknown.
    pub canonical: Option<(Dimension, Decimal)>,
}

/// A quantity in a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityQuery {
    /// How to compare.
    pub prefix: Prefix,
    /// The number as written.
    pub value: Decimal,
    /// Half a unit of the last digit given: the implicit precision.
    pub half: Decimal,
    /// The UCUM code as written, or the default unit of the parameter; nothing means any unit.
    pub unit: Option<String>,
    /// With a unit: its dimension, the number and the half unit, both in the base unit of the dimension.
    pub canonical: Option<CanonicalQuantity>,
}

/// A quantity of a request in base units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanonicalQuantity {
    /// What the unit measures; quantities of other dimensions do not match.
    pub dimension: Dimension,
    /// The number in base units.
    pub value: Decimal,
    /// Half a unit of the last digit given, in base units.
    pub half: Decimal,
}

/// Reads `[prefix]number`, `[prefix]number||unit` or `[prefix]number|system|unit`. The system is not looked at:
/// units compare by code. Without a unit, `default_unit` applies.
pub fn parse_quantity(raw: &str, default_unit: Option<&str>) -> Result<QuantityQuery, ValueError> {
    let fault = |fault: &str| ValueError::Quantity {
        value: raw.to_owned(),
        fault: fault.to_owned(),
    };
    let (prefix, rest) = split_prefix(raw);
    if rest.is_empty() {
        return Err(match prefix {
            _ if raw.trim().is_empty() => ValueError::Empty {
                expected: "[prefix]number, number||unit or number|system|unit",
            },
            _ => fault("no number follows the prefix"),
        });
    }
    let (number, code) = match split_unescaped(rest, '|').as_slice() {
        [number] => (*number, ""),
        [number, _system, code] => (*number, code.trim()),
        [_, _] => return Err(fault("one bar where two are due before the unit")),
        _ => return Err(fault("more than two bars")),
    };
    let (value, half) = Decimal::parse(number)?;
    let written = unescape(code);
    let unit_code = if written.is_empty() {
        default_unit
    } else {
        Some(written.as_ref())
    };
    let canonical = match unit_code {
        None => None,
        Some(code) => {
            let (dimension, factor) = unit(code).ok_or_else(|| ValueError::Unit {
                unit: code.to_owned(),
            })?;
            let scale = |number: Decimal| {
                number
                    .checked_mul_int(factor)
                    .ok_or_else(|| fault("the number is too large for its unit"))
            };
            Some(CanonicalQuantity {
                dimension,
                value: scale(value)?,
                half: scale(half)?,
            })
        }
    };
    Ok(QuantityQuery {
        prefix,
        value,
        half,
        unit: unit_code.map(str::to_owned),
        canonical,
    })
}

/// Reads a number: a JSON number, or a string that spells one.
pub(crate) fn read_number(node: &Node<'_>) -> Option<Decimal> {
    match node {
        Node::Number(JsonNumber::Negative(value)) => Some(Decimal::from_i64(*value)),
        Node::Number(JsonNumber::Positive(value)) => {
            i64::try_from(*value).ok().map(Decimal::from_i64)
        }
        Node::Number(JsonNumber::Float(value)) => Decimal::from_f64(*value),
        Node::String(text) => Decimal::parse(text).ok().map(|(value, _)| value),
        _ => None,
    }
}

/// Reads a Quantity, or a bare number as one without a unit.
pub(crate) fn read_quantity<'a>(
    node: &'a Node<'a>,
    default_unit: Option<&'a str>,
) -> Option<QuantityValue<'a>> {
    let text = |name: &str| {
        node.get(name)
            .and_then(Node::as_str)
            .map(str::trim)
            .filter(|text| !text.is_empty())
    };
    let value = match node {
        Node::Object(_) => read_number(node.get("value")?)?,
        _ => read_number(node)?,
    };
    let code = text("code")
        .or_else(|| text("unit").filter(|name| unit(name).is_some()))
        .or_else(|| {
            // A unit that is there but means nothing to us is not the default unit.
            if text("unit").is_some() {
                None
            } else {
                default_unit
            }
        });
    Some(QuantityValue {
        value,
        unit: code.map(Cow::Borrowed),
        canonical: code.and_then(|code| canonical(value, code)),
    })
}

#[cfg(test)]
mod tests {
    use super::{parse_quantity, read_number, read_quantity};
    use crate::json::Node;
    use crate::value::decimal::Decimal;
    use crate::value::error::ValueError;
    use crate::value::prefix::Prefix;
    use crate::value::unit::Dimension;

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).expect("number").0
    }

    #[test]
    fn the_system_is_not_looked_at() {
        let forms = [
            "le35|http://unitsofmeasure.org|a",
            "le35|https://unitsofmeasure.org|a",
            "le35||a",
            " le35 | x | a ",
        ];
        for form in forms {
            let query = parse_quantity(form, None).expect(form);
            assert_eq!(
                (query.prefix, query.value, query.unit.as_deref()),
                (Prefix::Le, number("35"), Some("a"))
            );
            let base = query.canonical.expect("known unit");
            assert_eq!(
                (base.dimension, base.value),
                (Dimension::TIME, number("1104516000"))
            );
            assert_eq!(base.half, number("15778800"));
        }
    }

    #[test]
    fn a_bare_number_takes_the_default_unit() {
        assert_eq!(
            parse_quantity("35", Some("a")).map(|q| q.unit),
            Ok(Some("a".to_owned()))
        );
        assert_eq!(
            parse_quantity("35|s|", Some("a")).map(|q| q.unit),
            Ok(Some("a".to_owned()))
        );
        assert_eq!(
            parse_quantity("35||mo", Some("a")).map(|q| q.unit),
            Ok(Some("mo".to_owned()))
        );
        let bare = parse_quantity("35", None).expect("readable");
        assert_eq!((bare.unit, bare.canonical), (None, None));
    }

    #[test]
    fn faults_are_told_apart() {
        assert_eq!(
            parse_quantity("5||years", None),
            Err(ValueError::Unit {
                unit: "years".into()
            })
        );
        assert_eq!(
            parse_quantity("5||years", None)
                .expect_err("unit")
                .issue_code(),
            "value"
        );
        for bad in [
            "ge",
            "",
            "gtabc",
            "5|a",
            "5|a|b|c",
            "xx5",
            "99999999999999999999||t",
        ] {
            assert_eq!(
                parse_quantity(bad, None).expect_err(bad).issue_code(),
                "invalid",
                "{bad}"
            );
        }
    }

    #[test]
    fn stored_quantities_are_read_with_their_unit() {
        let read = |text: &str, default: Option<&'static str>| {
            let node = Node::parse(text.as_bytes()).expect("valid");
            read_quantity(&node, default)
                .map(|q| (q.value, q.unit.map(|u| u.into_owned()), q.canonical))
        };
        let months = Some((
            number("6"),
            Some("mo".to_owned()),
            Some((Dimension::TIME, number("15778800"))),
        ));
        assert_eq!(read(r#"{"value":6,"code":"mo"}"#, Some("a")), months);
        assert_eq!(read(r#"{"value":"6","unit":"mo"}"#, Some("a")), months);
        let (_, unit, base) = read(r#"{"value":2}"#, Some("a")).expect("quantity");
        assert_eq!(
            (unit.as_deref(), base),
            (Some("a"), Some((Dimension::TIME, number("63115200"))))
        );
        assert_eq!(
            read(r#"{"value":2,"unit":"patients"}"#, Some("a")),
            Some((number("2"), None, None))
        );
        assert_eq!(
            read(r#"{"value":2,"code":"{beds}"}"#, None),
            Some((number("2"), Some("{beds}".into()), None))
        );
        assert_eq!(read(r#"{"code":"a"}"#, None), None);
    }

    #[test]
    fn numbers_are_read_from_numbers_and_digits() {
        let read = |text: &str| read_number(&Node::parse(text.as_bytes()).expect("valid"));
        assert_eq!(read("3"), Some(number("3")));
        assert_eq!(read("-3"), Some(number("-3")));
        assert_eq!(read("68.5"), Some(number("68.5")));
        assert_eq!(read(r#""3""#), Some(number("3")));
        assert_eq!(read(r#""three""#), None);
        assert_eq!(read("true"), None);
    }
}
