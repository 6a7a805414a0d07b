//! Whether two JSON texts stand for the same value.

use std::collections::HashMap;

use super::exact_json::{ExactJson, JsonKind};

pub(super) fn same_value(left: &ExactJson, right: &ExactJson) -> bool {
    if left == right {
        return true;
    }
    if left.kind() != right.kind() {
        return false;
    }
    match left.kind() {
        JsonKind::Object => same_members(left, right),
        JsonKind::Array => {
            let (left, right) = (
                left.items().unwrap_or_default(),
                right.items().unwrap_or_default(),
            );
            left.len() == right.len() && left.iter().zip(&right).all(|(l, r)| same_value(l, r))
        }
        JsonKind::String => left.text() == right.text(),
        JsonKind::Number => match (Number::read(left.as_str()), Number::read(right.as_str())) {
            (Some(left), Some(right)) => left == right,
            // An exponent beyond any sense: equal only as text, and that was compared.
            _ => false,
        },
        // One spelling each, and the texts differ.
        JsonKind::Boolean | JsonKind::Null => false,
    }
}

fn same_members(left: &ExactJson, right: &ExactJson) -> bool {
    let (left, right) = (
        left.members().unwrap_or_default(),
        right.members().unwrap_or_default(),
    );
    if left.len() != right.len() {
        return false;
    }
    let by_name: HashMap<&str, &ExactJson> = right
        .iter()
        .map(|member| (member.name(), member.value()))
        .collect();
    left.iter().all(|member| {
        by_name
            .get(member.name())
            .is_some_and(|other| same_value(member.value(), other))
    })
}

/// A number as `digits` times ten to the power of `exponent`, without zeros at either end.
#[derive(PartialEq, Eq)]
struct Number {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Number {
    fn read(text: &str) -> Option<Self> {
        let (negative, text) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
            None => (text, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let trimmed = digits.trim_end_matches('0');
        let shift = i64::try_from(digits.len() - trimmed.len()).ok()?
            - i64::try_from(fraction.len()).ok()?;
        let digits = trimmed.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        Some(Self {
            negative,
            digits,
            exponent: exponent.checked_add(shift)?,
        })
    }
}
