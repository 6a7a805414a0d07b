//! Values of `near` and `near-insee-code`.

use rorqual_schema::{Position, commune_name};

use super::leaf::{Item, malformed};
use super::notes::Notes;
use crate::outcome::{Issue, Severity};
use crate::query::criterion::Test;
use crate::query::error::Fault;

/// Kilometres around a point when no distance is given.
const DEFAULT_DISTANCE: &str = "25";
const DEFAULT_UNIT: &str = "km";

const POINT: &str =
    "expected latitude|longitude[|distance[|unit]] in degrees, such as 47.22|-1.64|15|km";
const COMMUNE: &str =
    "expected an INSEE code of five characters, then [|distance[|unit]], such as 44109|15|km";

/// Reads `latitude|longitude[|distance[|unit]]`.
pub(super) fn point(name: &str, text: &str) -> Result<Item, Fault> {
    let parts: Vec<&str> = text.split('|').map(str::trim).collect();
    let (latitude_text, longitude_text, distance) = match parts.as_slice() {
        [latitude, longitude, distance @ ..] if distance.len() <= 2 => {
            (*latitude, *longitude, distance)
        }
        _ => return Err(malformed(name, text, POINT)),
    };
    let degrees = |part: &str| {
        number(part).ok_or_else(|| malformed(name, text, format!("`{part}` is no number; {POINT}")))
    };
    let (latitude, longitude) = (degrees(latitude_text)?, degrees(longitude_text)?);
    let Some(centre) = Position::new(latitude, longitude) else {
        return Err(malformed(name, text, outside(latitude, longitude)));
    };
    let radius = Radius::read(name, text, distance)?;
    Ok(Item {
        test: Some(Test::Near {
            centre,
            metres: radius.metres,
        }),
        canonical: Some(format!("{latitude_text}|{longitude_text}|{}", radius.text)),
        centre: Some(centre),
    })
}

/// Reads `code[|distance[|unit]]`. A commune that does not exist, or whose place is not known, matches nothing.
pub(super) fn commune(name: &str, text: &str, notes: &mut Notes) -> Result<Item, Fault> {
    let parts: Vec<&str> = text.split('|').map(str::trim).collect();
    let (code, distance) = match parts.as_slice() {
        [code, distance @ ..] if distance.len() <= 2 => (*code, distance),
        _ => return Err(malformed(name, text, COMMUNE)),
    };
    if !well_shaped(code) {
        return Err(malformed(name, text, COMMUNE));
    }
    let radius = Radius::read(name, text, distance)?;
    let centre = rorqual_schema::commune(code)
        .and_then(|commune| Position::new(commune.latitude, commune.longitude));
    if centre.is_none() {
        let why = match commune_name(code) {
            Some(known) => format!("the position of {code} {known} is not known"),
            None => format!("{code} is not the code of a commune"),
        };
        notes.warn(Issue {
            severity: Severity::Warning,
            code: "not-found",
            text: "Commune not found".to_owned(),
            diagnostics: format!("{name}={text}: {why}; nothing matches"),
            expression: vec![format!("http.{name}")],
        });
    }
    Ok(Item {
        test: centre.map(|centre| Test::Near {
            centre,
            metres: radius.metres,
        }),
        canonical: Some(format!("{code}|{}", radius.text)),
        centre,
    })
}

/// A distance with its unit.
struct Radius {
    metres: f64,
    /// `distance|unit`.
    text: String,
}

impl Radius {
    fn read(name: &str, text: &str, parts: &[&str]) -> Result<Radius, Fault> {
        let distance = parts.first().copied().unwrap_or(DEFAULT_DISTANCE);
        let unit = match parts.get(1).copied() {
            None | Some("") => DEFAULT_UNIT,
            Some(unit) => unit,
        };
        let metres = match unit {
            "km" => 1_000.0,
            "m" => 1.0,
            "mi" | "[mi_i]" => 1_609.344,
            "[mi_us]" => 6_336_000.0 / 3_937.0,
            _ => {
                let fault = format!("`{unit}` is not a unit of distance; write km, m or mi");
                return Err(malformed(name, text, fault));
            }
        };
        let value = number(distance).ok_or_else(|| {
            malformed(
                name,
                text,
                format!("the distance `{distance}` is no number"),
            )
        })?;
        if value < 0.0 {
            return Err(malformed(name, text, "the distance is negative"));
        }
        Ok(Radius {
            metres: value.abs() * metres,
            text: format!("{distance}|{unit}"),
        })
    }
}

/// A finite number in plain or scientific notation.
fn number(text: &str) -> Option<f64> {
    // The reader of the language also knows `inf` and `nan`.
    let plain = |b: u8| b.is_ascii_digit() || b".+-eE".contains(&b);
    if !text.bytes().all(plain) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

fn outside(latitude: f64, longitude: f64) -> String {
    if Position::new(longitude, latitude).is_some() {
        format!(
            "latitude {latitude} is not between -90 and 90; the two look swapped, write {longitude}|{latitude}"
        )
    } else if latitude.abs() > 90.0 {
        format!("latitude {latitude} is not between -90 and 90")
    } else {
        format!("longitude {longitude} is not between -180 and 180")
    }
}

/// Five characters: digits, or `2A` and `2B` for Corsica and three digits.
fn well_shaped(code: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    code.len() == 5
        && (digits(code)
            || code
                .strip_prefix("2A")
                .or_else(|| code.strip_prefix("2B"))
                .is_some_and(digits))
}
