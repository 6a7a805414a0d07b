//! Values to ask for: drawn from the data, then written in another way or spoilt a little.

use super::{Distance, Feature, Modifier, Prefix, Term, Test};
use crate::kinds::{Kind, Parameter, Shape};
use crate::random::Random;
use crate::reference::{
    COMMUNES, Range, Rational, Reference, Token, Value, about_is_clear, other_spelling, parse_date,
};
use chrono::{DateTime, FixedOffset, Utc};
use chrono_tz::Europe::Paris;

/// Draws tests from the data of a reference.
pub struct Picker<'a> {
    /// The data.
    pub reference: &'a Reference,
    /// What may be asked.
    pub features: &'a [Feature],
}

impl Picker<'_> {
    /// Whether a feature may be used.
    pub fn offers(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// A resource of a type, at random.
    pub fn any(&self, r: &mut Random, kind: Kind) -> Option<usize> {
        let all = &self.reference.resources;
        let first = all.iter().position(|resource| resource.kind == kind)?;
        let count = all.iter().filter(|resource| resource.kind == kind).count();
        Some(first + r.below(count))
    }

    /// A test of a parameter that the resource `at`, or a sibling of it, often passes.
    pub fn test(&self, r: &mut Random, at: usize, parameter: &Parameter) -> Option<Test> {
        if r.chance(6) {
            return Some(Test {
                code: parameter.code,
                modifier: Modifier::Missing(r.chance(50)),
                terms: Vec::new(),
            });
        }
        let modifier = self.modifier(r, at, parameter);
        let wanted = *r.pick(&[1, 1, 1, 1, 2, 3]);
        let terms: Vec<Term> = (0..wanted)
            .filter_map(|_| self.term(r, at, parameter, modifier))
            .collect();
        (!terms.is_empty()).then_some(Test {
            code: parameter.code,
            modifier,
            terms,
        })
    }

    fn modifier(&self, r: &mut Random, at: usize, parameter: &Parameter) -> Modifier {
        let roll = r.below(100);
        match parameter.shape {
            Shape::Token if roll < 12 => Modifier::Not,
            Shape::Token if roll < 30 && parameter.code == "identifier" => Modifier::OfType,
            Shape::Text if roll < 20 => Modifier::Exact,
            Shape::Text if roll < 50 => Modifier::Contains,
            Shape::Reference if roll < 20 => Modifier::Identifier,
            Shape::Reference if roll < 35 => Modifier::Type(*r.pick(parameter.targets)),
            Shape::Reference
                if roll < 50
                    && self.offers(Feature::Hierarchy)
                    && parameter.targets == [Kind::Organization]
                    && !self.reference.edge(at, parameter.code).is_empty() =>
            {
                Modifier::Below
            }
            _ => Modifier::None,
        }
    }

    /// One value of a parameter, mostly of the resource `at`.
    fn sample(&self, r: &mut Random, at: usize, code: &str) -> Option<&Value> {
        let kind = self.reference.resources[at].kind;
        let mut from = if r.chance(75) { at } else { self.any(r, kind)? };
        for _ in 0..8 {
            let found = self.reference.resources[from].found(code);
            if !found.is_empty() {
                return Some(&r.pick(found).value);
            }
            from = self.any(r, kind)?;
        }
        None
    }

    /// One value to ask for under a modifier.
    pub fn term(
        &self,
        r: &mut Random,
        at: usize,
        parameter: &Parameter,
        modifier: Modifier,
    ) -> Option<Term> {
        match parameter.shape {
            Shape::Near => return Some(self.near(r, at)),
            Shape::NearInsee => return Some(near_insee(r)),
            _ => {}
        }
        if parameter.shape == Shape::Reference && modifier != Modifier::Identifier {
            return self.reference_term(r, at, parameter, modifier);
        }
        let kind = self.reference.resources[at].kind;
        match self.sample(r, at, parameter.code)? {
            Value::Token(token) if modifier == Modifier::OfType => of_type(r, token),
            Value::Token(token) => Some(token_term(r, parameter.code, token)),
            Value::Reference(link) => {
                Some(token_term(r, parameter.code, link.identifier.as_ref()?))
            }
            Value::Text(text) => text_term(r, text, modifier),
            Value::Date(range) => self.date_term(r, kind, parameter.code, *range),
            Value::Number(number) => Some(Term::Number(prefix(r), digits(r, *number))),
            Value::Quantity(quantity) => {
                let units: &[&str] = if parameter.code.starts_with("age-range") {
                    &["a", "mo", "wk", "d"]
                } else {
                    &["kg", "g", "cm", "m", "mm"]
                };
                let unit = r.chance(70).then(|| *r.pick(units));
                let mut value = quantity.value;
                if let (Some(from), Some(to)) = (quantity.unit.as_deref(), unit) {
                    value = convert(value, from, to);
                }
                let system = *r.pick(&[
                    "",
                    "http://unitsofmeasure.org",
                    "https://unitsofmeasure.org",
                    "https://mos.esante.gouv.fr/NOS/TRE_R247-UcumUniteMesure/FHIR/TRE-R247-UcumUniteMesure",
                ]);
                let unit = unit.map(|unit| (system.to_owned(), unit.to_owned()));
                Some(Term::Quantity(prefix(r), digits(r, value), unit))
            }
            Value::Position(..) => None,
        }
    }

    fn reference_term(
        &self,
        r: &mut Random,
        at: usize,
        parameter: &Parameter,
        modifier: Modifier,
    ) -> Option<Term> {
        let mut targets: Vec<usize> = self
            .reference
            .edge(at, parameter.code)
            .into_iter()
            .collect();
        if modifier == Modifier::Below {
            let lines = targets
                .iter()
                .flat_map(|target| self.reference.ancestors(*target));
            targets = lines.collect();
        }
        let target = if targets.is_empty() || r.chance(20) {
            let kind = *r.pick(parameter.targets);
            self.any(r, kind)?
        } else {
            *r.pick(&targets)
        };
        let target = &self.reference.resources[target];
        let bare = matches!(modifier, Modifier::Type(_)) || r.chance(35);
        let id = if r.chance(5) {
            "absent-999".to_owned()
        } else {
            target.id.clone()
        };
        Some(Term::Reference {
            kind: (!bare).then_some(target.kind),
            id,
            absolute: !bare && r.chance(25),
        })
    }

    fn date_term(&self, r: &mut Random, kind: Kind, code: &str, range: Range) -> Option<Term> {
        let text = date_text(r, range)?;
        let asked = parse_date(&text)?;
        let mut prefix = prefix(r);
        if prefix == Prefix::Ap {
            // What "about" means far from a date is left open; it is asked only where it cannot matter.
            let all = self.reference.resources.iter();
            let clear = all
                .filter(|resource| resource.kind == kind)
                .flat_map(|resource| resource.found(code))
                .all(|found| match found.value {
                    Value::Date(stored) => about_is_clear(stored, asked),
                    _ => true,
                });
            if !clear {
                prefix = Prefix::Ge;
            }
        }
        Some(Term::Date(prefix, text))
    }

    fn near(&self, r: &mut Random, at: usize) -> Term {
        let mut centre = (COMMUNES[0].1, COMMUNES[0].2);
        for found in self.reference.resources[at].found("near") {
            if let Value::Position(latitude, longitude) = found.value {
                centre = (latitude, longitude);
            }
        }
        match r.below(10) {
            0 => Term::Near(
                r.between(-90, 90) as f64,
                r.between(-180, 180) as f64,
                distance(r),
            ),
            1 => Term::Near(centre.0, centre.1, Some(("0".to_owned(), None))),
            _ => {
                let shift = r.between(-2_000, 2_000) as f64 / 10_000.0;
                let latitude = ((centre.0 + shift) * 10_000.0).round() / 10_000.0;
                Term::Near(latitude.clamp(-90.0, 90.0), centre.1, distance(r))
            }
        }
    }
}

fn prefix(r: &mut Random) -> Prefix {
    if r.chance(30) {
        Prefix::Eq
    } else {
        *r.pick(&Prefix::ALL)
    }
}

fn distance(r: &mut Random) -> Distance {
    if r.chance(15) {
        return None;
    }
    let unit = *r.pick(&[None, Some("km"), Some("km"), Some("m"), Some("mi")]);
    let number = match unit {
        Some("m") => *r.pick(&["500", "15000", "40000.5"]),
        _ => *r.pick(&["0.5", "5", "12.5", "30", "80", "1000", "20000"]),
    };
    Some((number.to_owned(), unit))
}

fn near_insee(r: &mut Random) -> Term {
    let code = if r.chance(5) {
        "01999"
    } else {
        r.pick(COMMUNES).0
    };
    Term::NearInsee(code.to_owned(), distance(r))
}

fn token_term(r: &mut Random, parameter: &str, token: &Token) -> Term {
    let mut code = token.code.clone();
    match r.below(20) {
        0 => code.push('x'),
        1 => code = code.to_uppercase(),
        2 => code = code.to_lowercase(),
        _ => {}
    }
    if parameter == "_id" {
        return Term::Token {
            system: None,
            code: Some(code),
        };
    }
    let system = if r.chance(30) {
        other_spelling(&token.system)
    } else {
        token.system.clone()
    };
    match r.below(10) {
        0 => Term::Token {
            system: Some(String::new()),
            code: Some(code),
        },
        1 if !system.is_empty() => Term::Token {
            system: Some(system),
            code: None,
        },
        2..=4 => Term::Token {
            system: Some(system),
            code: Some(code),
        },
        _ => Term::Token {
            system: None,
            code: Some(code),
        },
    }
}

fn of_type(r: &mut Random, token: &Token) -> Option<Term> {
    if token.types.is_empty() {
        return None;
    }
    let (system, code) = r.pick(&token.types).clone();
    if system.is_empty() {
        return None;
    }
    Some(Term::OfType {
        system: if r.chance(30) {
            other_spelling(&system)
        } else {
            system
        },
        code: if r.chance(10) { "99".to_owned() } else { code },
        value: token.code.clone(),
    })
}

fn text_term(r: &mut Random, stored: &str, modifier: Modifier) -> Option<Term> {
    let letters: Vec<char> = stored.chars().collect();
    let mut text: String = match modifier {
        Modifier::Exact => stored.to_owned(),
        Modifier::Contains => {
            let from = r.below(letters.len());
            let length = 1 + r.below(letters.len() - from);
            letters[from..from + length].iter().collect()
        }
        _ => letters[..1 + r.below(letters.len())].iter().collect(),
    };
    match r.below(8) {
        0 => text = text.to_uppercase(),
        1 => text = text.to_lowercase(),
        2 => text = text.replace(['-', '\''], " "),
        3 => text = text.replace(' ', "-"),
        _ => {}
    }
    let text = text.trim().to_owned();
    // A text that folds to nothing asks for nothing.
    let says = text
        .chars()
        .any(|letter| letter.is_alphanumeric() || letter == '&');
    says.then_some(Term::Text(text))
}

/// A decimal near a number: itself, with a digit more or fewer, a neighbour, or with an exponent.
fn digits(r: &mut Random, number: Rational) -> String {
    let value = number.approximate();
    let text = format!("{}", (value * 10_000.0).round() / 10_000.0);
    match r.below(10) {
        0 if text.contains('.') => format!("{text}0"),
        0 => format!("{text}.0"),
        1 => format!("{}", value.round()),
        2 => format!("{}", value.round() + 1.0),
        3 => format!("{}", value.round() - 1.0),
        4 => format!("{value:.1}"),
        5 => format!("{:e}", (value * 100.0).round() / 100.0),
        _ => text,
    }
}

/// A value in another unit of the same table line, as far as the pools go.
fn convert(value: Rational, from: &str, to: &str) -> Rational {
    let days = |unit: &str| match unit {
        "a" => Some(Rational::new(1461, 4)),
        "mo" => Some(Rational::new(487, 16)),
        "wk" => Some(Rational::new(7, 1)),
        "d" => Some(Rational::new(1, 1)),
        _ => None,
    };
    match (from, to) {
        ("kg", "g") | ("m", "mm") => value.times(Rational::new(1_000, 1)),
        ("g", "kg") | ("mm", "m") => value.times(Rational::new(1, 1_000)),
        ("m", "cm") => value.times(Rational::new(100, 1)),
        ("cm", "m") => value.times(Rational::new(1, 100)),
        ("cm", "mm") => value.times(Rational::new(10, 1)),
        ("mm", "cm") => value.times(Rational::new(1, 10)),
        _ => match (days(from), days(to)) {
            (Some(from), Some(to)) => value.times(from).times(to.inverse()),
            _ => value,
        },
    }
}

/// A date near one end of a range, with any precision and any way to write the zone.
fn date_text(r: &mut Random, range: Range) -> Option<String> {
    let ends: Vec<i64> = [range.low, range.high]
        .into_iter()
        .filter(|end| *end != i64::MIN && *end != i64::MAX)
        .collect();
    let day = 86_400_000_000;
    let shift = *r.pick(&[0, 0, 0, -1, 1, -1_000_000, 1_000_000, -day, day, 400 * day]);
    let instant: DateTime<Utc> = DateTime::from_timestamp_micros(*r.pick(&ends) + shift)?;
    let formats = [
        "%Y",
        "%Y-%m",
        "%Y-%m-%d",
        "%Y-%m-%d",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%dT%H:%M:%S%.3f",
        "%Y-%m-%dT%H:%M:%S%.6f",
    ];
    let format = *r.pick(&formats);
    let local = instant.with_timezone(&Paris);
    if !format.contains('T') || r.chance(30) {
        return Some(local.format(format).to_string());
    }
    Some(match r.below(3) {
        0 => format!("{}Z", instant.format(format)),
        1 => {
            let zone = FixedOffset::west_opt(5 * 3600)?;
            instant
                .with_timezone(&zone)
                .format(&format!("{format}%:z"))
                .to_string()
        }
        _ => local.format(&format!("{format}%:z")).to_string(),
    })
}
