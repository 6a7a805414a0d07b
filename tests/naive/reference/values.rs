//! Values as found in a resource, read from JSON by explicit walking.

use super::rational::Rational;
use super::{dates, systems};
use crate::kinds::Kind;
use serde_json::Value as Json;

/// A code or identifier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// Canonical system, empty when there is none.
    pub system: String,
    /// Code as compared under the system.
    pub code: String,
    /// For an Identifier, the codings of its type.
    pub types: Vec<(String, String)>,
}

/// A number with a unit.
#[derive(Clone, PartialEq, Debug)]
pub struct Quantity {
    /// The number as written.
    pub value: Rational,
    /// UCUM code.
    pub unit: Option<String>,
}

/// A link to another resource.
#[derive(Clone, PartialEq, Debug)]
pub struct Reference {
    /// The resource it names outright.
    pub literal: Option<(Kind, String)>,
    /// Whether it has a `reference` element at all.
    pub written: bool,
    /// `Reference.type`.
    pub hint: Option<String>,
    /// `Reference.identifier`.
    pub identifier: Option<Token>,
}

/// One value of a parameter.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A code or identifier.
    Token(Token),
    /// Text as stored.
    Text(String),
    /// A date or Period.
    Date(dates::Range),
    /// A number.
    Number(Rational),
    /// A number with a unit.
    Quantity(Quantity),
    /// A link.
    Reference(Reference),
    /// Latitude and longitude in degrees.
    Position(f64, f64),
}

/// The elements of a list, of a single object in its place, or nothing.
pub fn each(value: &Json) -> Vec<&Json> {
    match value {
        Json::Null => Vec::new(),
        Json::Array(list) => list.iter().collect(),
        other => vec![other],
    }
}

/// The extensions of an element that have this URL.
pub fn extensions<'a>(element: &'a Json, url: &str) -> Vec<&'a Json> {
    each(&element["extension"])
        .into_iter()
        .filter(|extension| extension["url"] == url)
        .collect()
}

/// The `value[x]` of an extension.
pub fn value_of(extension: &Json) -> &Json {
    extension
        .as_object()
        .and_then(|fields| fields.iter().find(|(name, _)| name.starts_with("value")))
        .map_or(&Json::Null, |(_, value)| value)
}

fn text_of(value: &Json) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

fn token(system: &Json, code: &str, types: Vec<(String, String)>) -> Token {
    let system = systems::canonical(text_of(system).unwrap_or(""));
    Token {
        code: systems::code(&system, code),
        system,
        types,
    }
}

/// The tokens of a CodeableConcept, Coding, Identifier, code, string or boolean.
pub fn tokens(element: &Json) -> Vec<Token> {
    match element {
        Json::Bool(flag) => vec![token(&Json::Null, &flag.to_string(), Vec::new())],
        Json::String(code) if !code.is_empty() => vec![token(&Json::Null, code, Vec::new())],
        Json::Object(fields) => {
            if fields.contains_key("coding") {
                each(&element["coding"])
                    .into_iter()
                    .flat_map(tokens)
                    .collect()
            } else if let Some(code) = text_of(&element["code"]) {
                vec![token(&element["system"], code, Vec::new())]
            } else if let Some(value) = text_of(&element["value"]) {
                let types = tokens(&element["type"]);
                let types = types.into_iter().map(|kind| (kind.system, kind.code));
                vec![token(&element["system"], value, types.collect())]
            } else {
                Vec::new()
            }
        }
        _ => Vec::new(),
    }
}

/// The text of a string element.
pub fn text(element: &Json) -> Option<String> {
    text_of(element).map(str::to_owned)
}

/// The range of a date or Period.
pub fn date(element: &Json) -> Option<dates::Range> {
    if let Json::String(text) = element {
        return dates::parse(text);
    }
    let bound = |name: &str| match &element[name] {
        Json::String(text) => dates::parse(text).map(Some),
        _ => Some(None),
    };
    let (start, end) = (bound("start")?, bound("end")?);
    if start.is_none() && end.is_none() {
        return None;
    }
    Some(dates::Range {
        low: start.map_or(i64::MIN, |range| range.low),
        high: end.map_or(i64::MAX, |range| range.high),
    })
}

/// A JSON number, or an integer that was sent as a string.
pub fn number(element: &Json) -> Option<Rational> {
    let text = match element {
        Json::Number(number) => number.to_string(),
        Json::String(text) => text.parse::<i64>().ok()?.to_string(),
        _ => return None,
    };
    Rational::parse(&text).map(|(value, _)| value)
}

/// A Quantity; `usual` is the unit of one that names none.
pub fn quantity(element: &Json, usual: Option<&str>) -> Option<Quantity> {
    Some(Quantity {
        value: number(&element["value"])?,
        unit: text(&element["code"]).or_else(|| usual.map(str::to_owned)),
    })
}

/// A Reference that names a resource or carries an identifier.
pub fn reference(element: &Json) -> Option<Reference> {
    let written = text_of(&element["reference"]);
    let identifier = tokens(&element["identifier"]).into_iter().next();
    if written.is_none() && identifier.is_none() {
        return None;
    }
    Some(Reference {
        literal: written.and_then(literal),
        written: written.is_some(),
        hint: text(&element["type"]),
        identifier,
    })
}

/// Type and id of a relative or absolute literal reference, its version cut off.
fn literal(text: &str) -> Option<(Kind, String)> {
    let text = text.split("/_history/").next().unwrap_or(text);
    let (rest, id) = text.rsplit_once('/')?;
    let kind = rest.rsplit('/').next().unwrap_or(rest);
    Some((Kind::from_name(kind)?, id.to_owned()))
}

/// A position on Earth, when both coordinates are there and possible.
pub fn position(element: &Json) -> Option<(f64, f64)> {
    let latitude = element["latitude"].as_f64()?;
    let longitude = element["longitude"].as_f64()?;
    (latitude.abs() <= 90.0 && longitude.abs() <= 180.0).then_some((latitude, longitude))
}
