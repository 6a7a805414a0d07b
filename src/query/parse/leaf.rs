//! Values: a parameter, its modifier and the values given become a test.

use rorqual_schema::{
    DateRange, Decimal, Parameter, ParameterType, Position, Prefix, ResourceType, SystemMatch,
    ValueError, canonical_system, compared_code, escape, fold, parse_date, parse_quantity,
    parse_token, split_prefix, split_unescaped, unescape,
};

use super::path::{End, parameter};
use super::{PLAIN, Reader};
use crate::index::number::NumberTest;
use crate::query::criterion::{Criterion, Test};
use crate::query::error::Fault;

/// What compares the values; everything but [`Operator::Plain`] comes from `_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    /// As the parameter's type says, prefixes read from the values.
    Plain,
    /// An ordered comparison; values carry no prefix.
    Prefix(Prefix),
    /// Two periods overlap.
    Overlaps,
    /// A text contains another.
    Contains,
    /// A text begins with another.
    StartsWith,
    /// A text ends with another.
    EndsWith,
}

/// The values given to a parameter, any of which will do.
pub(super) struct Values<'v> {
    items: Vec<&'v str>,
    operator: Operator,
}

impl<'v> Values<'v> {
    /// The values after the `=` of a parameter: a list where lists are allowed.
    pub(super) fn plain(parameter: &str, text: &'v str, splits: bool) -> Result<Values<'v>, Fault> {
        Values::of(parameter, text, splits, PLAIN)
    }

    /// The values of an operator of `_filter`; a quoted value is not a list.
    pub(super) fn of(
        parameter: &str,
        text: &'v str,
        splits: bool,
        operator: Operator,
    ) -> Result<Values<'v>, Fault> {
        let items: Vec<&str> = if splits {
            split_unescaped(text, ',')
                .into_iter()
                .map(str::trim)
                .collect()
        } else {
            vec![text]
        };
        if items.iter().any(|item| item.trim().is_empty()) {
            let alone = items.len() == 1;
            return Err(Fault::BadForm {
                parameter: parameter.to_owned(),
                value: text.to_owned(),
                fault: if alone {
                    "the value is missing".to_owned()
                } else {
                    "a value of the list is missing; write a comma of a text as \\,".to_owned()
                },
            });
        }
        Ok(Values { items, operator })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }
}

/// A parameter once its values are read.
pub(super) struct Leaf {
    /// The condition.
    pub(super) criterion: Criterion,
    /// Whether one line of the parameter's group can satisfy it.
    pub(super) joins: bool,
    /// The values in their proper spelling.
    pub(super) canonical: String,
    /// The points that a proximity search measures from.
    pub(super) centres: Vec<Position>,
}

/// One value once read.
pub(super) struct Item {
    /// The test; nothing when the value is well formed and cannot match.
    pub(super) test: Option<Test>,
    /// The proper spelling when it is not the one written.
    pub(super) canonical: Option<String>,
    /// The point that a proximity search measures from.
    pub(super) centre: Option<Position>,
}

impl From<Test> for Item {
    fn from(test: Test) -> Self {
        Item {
            test: Some(test),
            canonical: None,
            centre: None,
        }
    }
}

/// The modifiers that a parameter takes, for messages.
pub(super) fn supported(parameter: &Parameter) -> String {
    match parameter.kind {
        ParameterType::Token if of_type_fits(parameter) => ":missing, :not, :of-type",
        ParameterType::Token => ":missing, :not",
        ParameterType::String => ":contains, :exact, :missing",
        ParameterType::Reference if parameter.targets.contains(&ResourceType::Organization) => {
            ":below, :identifier, :missing, :[type]"
        }
        ParameterType::Reference => ":identifier, :missing, :[type]",
        ParameterType::Date | ParameterType::Number | ParameterType::Quantity => ":missing",
        ParameterType::Special if parameter.expression.is_some() => ":missing",
        ParameterType::Special => "no modifier",
    }
    .to_owned()
}

fn of_type_fits(parameter: &Parameter) -> bool {
    parameter
        .modifiers
        .iter()
        .any(|known| known == "ofType" || known == "of-type")
}

impl Reader<'_> {
    /// Reads the values of a parameter; `name` is the name as written, for messages.
    pub(super) fn leaf(
        &mut self,
        name: &str,
        end: &End,
        modifier: Option<&str>,
        values: &Values<'_>,
    ) -> Result<Leaf, Fault> {
        let schema = self.schema;
        let Some(known) = parameter(schema, end.kind, end.parameter) else {
            return Err(Fault::Internal {
                detail: format!("parameter {} of {} is not there", end.parameter, end.kind),
            });
        };
        if modifier == Some("missing") && (known.expression.is_some()) {
            return missing(name, end, values);
        }
        let mut negated = false;
        let mut parts = Vec::with_capacity(values.items.len());
        let mut centres = Vec::new();
        let mut canonical = Vec::with_capacity(values.items.len());
        for text in &values.items {
            let item = match (known.kind, modifier) {
                (ParameterType::Token, None | Some("not")) => {
                    negated = modifier.is_some();
                    self.token(name, text, values.operator)?
                }
                (ParameterType::Token, Some("of-type")) if of_type_fits(known) => {
                    operator_fits(name, values.operator, PLAIN)?;
                    of_type(name, text)?
                }
                (ParameterType::String, None | Some("exact" | "contains")) => {
                    string(name, text, modifier, values.operator)?
                }
                (ParameterType::Date, None) => self.date(name, text, values.operator)?,
                (ParameterType::Number, None) => number(name, text, values.operator)?,
                (ParameterType::Quantity, None) => quantity(name, text, known, values.operator)?,
                (ParameterType::Reference, modifier) => {
                    operator_fits(name, values.operator, PLAIN)?;
                    self.reference(name, known, modifier, text)?
                }
                (ParameterType::Special, None) => {
                    self.special(name, known, text, values.operator)?
                }
                (_, modifier) => {
                    return Err(unsupported(name, known, modifier.unwrap_or_default()));
                }
            };
            centres.extend(item.centre);
            canonical.push(item.canonical.unwrap_or_else(|| (*text).to_owned()));
            parts.push(
                item.test
                    .map_or(Criterion::Nothing, |test| Criterion::Test {
                        parameter: end.parameter,
                        test,
                    }),
            );
        }
        let any = Criterion::or(parts);
        Ok(Leaf {
            criterion: if negated {
                Criterion::negated(any)
            } else {
                any
            },
            joins: !negated,
            canonical: canonical.join(","),
            centres,
        })
    }

    fn token(&mut self, name: &str, text: &str, operator: Operator) -> Result<Item, Fault> {
        operator_fits(name, operator, PLAIN)?;
        let query = parse_token(text).map_err(|source| bad(name, text, source))?;
        let mut item = Item {
            test: None,
            canonical: None,
            centre: None,
        };
        if let SystemMatch::Is(system) = &query.system
            && let [written, code] = split_unescaped(text, '|').as_slice()
        {
            let written = unescape(written.trim());
            if *written != **system {
                let proper = format!("{}|{}", escape(system), code.trim());
                if written.starts_with("https://mos.esante.gouv.fr/NOS/") {
                    let fault = "the code system is written in an old way";
                    self.notes.slip(name, text, &proper, fault)?;
                }
                item.canonical = Some(proper);
            }
        }
        item.test = Some(Test::Token(query));
        Ok(item)
    }

    fn date(&self, name: &str, text: &str, operator: Operator) -> Result<Item, Fault> {
        let (prefix, rest) = prefixed(name, text, operator)?;
        let range = parse_date(rest, self.schema.time_zone()).map_err(|e| bad(name, text, e))?;
        let range = match operator {
            Operator::Overlaps => range,
            _ if prefix == Prefix::Ap => about(range, self.options.now),
            _ => range,
        };
        Ok(Item {
            // A blank inside a date was the plus of its offset.
            canonical: rest
                .trim()
                .contains(' ')
                .then(|| text.trim().replace(' ', "+")),
            ..Item::from(Test::Date { prefix, range })
        })
    }

    fn special(
        &mut self,
        name: &str,
        known: &Parameter,
        text: &str,
        operator: Operator,
    ) -> Result<Item, Fault> {
        let features = self.options.features;
        let off = |what| Fault::NotOffered {
            parameter: name.to_owned(),
            what,
        };
        match known.code.as_str() {
            "near" | "near-insee-code" if !features.near => Err(off("a search by distance")),
            "_content" if !features.content => Err(off("a search of the full text")),
            "near" => {
                operator_fits(name, operator, PLAIN)?;
                super::near::point(name, text)
            }
            "near-insee-code" => {
                operator_fits(name, operator, PLAIN)?;
                super::near::commune(name, text, &mut self.notes)
            }
            "_content" => {
                if operator != Operator::Contains {
                    operator_fits(name, operator, PLAIN)?;
                }
                let query = super::content::query(name, text)?;
                Ok(Item::from(Test::Content(query)))
            }
            "_filter" | "_has" => Err(Fault::UnknownName {
                parameter: name.to_owned(),
                written: name.to_owned(),
                fault: format!("{} cannot stand here", known.code),
                suggestions: Vec::new(),
            }),
            _ => Err(off("this kind of parameter")),
        }
    }
}

/// Refuses a modifier.
pub(super) fn unsupported(name: &str, known: &Parameter, modifier: &str) -> Fault {
    let suffix = format!(":{modifier}");
    Fault::UnsupportedModifier {
        parameter: name.strip_suffix(&suffix).unwrap_or(name).to_owned(),
        modifier: modifier.to_owned(),
        supported: supported(known),
    }
}

/// A value that the normaliser refuses.
pub(super) fn bad(name: &str, value: &str, source: ValueError) -> Fault {
    Fault::BadValue {
        parameter: name.to_owned(),
        value: value.to_owned(),
        source,
    }
}

/// A value of the wrong form.
pub(super) fn malformed(name: &str, value: &str, fault: impl Into<String>) -> Fault {
    Fault::BadForm {
        parameter: name.to_owned(),
        value: value.to_owned(),
        fault: fault.into(),
    }
}

/// Refuses an operator of `_filter` that means nothing for the type of the parameter; `eq` is always [`PLAIN`].
fn operator_fits(name: &str, operator: Operator, fitting: Operator) -> Result<(), Fault> {
    if operator == fitting || operator == Operator::Prefix(Prefix::Eq) {
        return Ok(());
    }
    let word = match operator {
        Operator::Plain => "eq",
        Operator::Prefix(prefix) => prefix.name(),
        Operator::Overlaps => "po",
        Operator::Contains => "co",
        Operator::StartsWith => "sw",
        Operator::EndsWith => "ew",
    };
    Err(Fault::UnknownName {
        parameter: name.to_owned(),
        written: format!("{name} {word}"),
        fault: format!("the operator {word} does not fit the type of {name}"),
        suggestions: Vec::new(),
    })
}

fn missing(name: &str, end: &End, values: &Values<'_>) -> Result<Leaf, Fault> {
    operator_fits(name, values.operator, PLAIN)?;
    let wanted = match values.items.as_slice() {
        ["true"] => true,
        ["false"] => false,
        _ => {
            let text = values.items.join(",");
            return Err(malformed(name, &text, "write true or false"));
        }
    };
    let present = Criterion::Test {
        parameter: end.parameter,
        test: Test::Present,
    };
    Ok(Leaf {
        criterion: if wanted {
            Criterion::negated(present)
        } else {
            present
        },
        joins: false,
        canonical: wanted.to_string(),
        centres: Vec::new(),
    })
}

fn of_type(name: &str, text: &str) -> Result<Item, Fault> {
    let parts: Vec<String> = split_unescaped(text, '|')
        .into_iter()
        .map(|part| unescape(part.trim()).into_owned())
        .collect();
    let [system, code, value] = parts.as_slice() else {
        let fault = "expected system|code|value: code system and code of the identifier's type, then the identifier";
        return Err(malformed(name, text, fault));
    };
    if system.is_empty() || code.is_empty() || value.is_empty() {
        return Err(malformed(name, text, "each of system|code|value is needed"));
    }
    let system = canonical_system(system).into_owned();
    let code = compared_code(&system, code.as_str().into()).into_owned();
    Ok(Item::from(Test::OfType {
        system,
        code,
        value: value.clone(),
    }))
}

fn string(
    name: &str,
    text: &str,
    modifier: Option<&str>,
    operator: Operator,
) -> Result<Item, Fault> {
    let plain = unescape(text);
    if modifier == Some("exact") {
        operator_fits(name, operator, PLAIN)?;
        return Ok(Item::from(Test::Equals(plain.into_owned())));
    }
    let folded = fold(&plain);
    if folded.is_empty() {
        // It would match every text.
        let fault = "nothing is left to compare; write at least one letter or digit";
        return Err(malformed(name, text, fault));
    }
    let test = match (modifier, operator) {
        (Some(_), operator) => {
            operator_fits(name, operator, Operator::Contains)
                .or(operator_fits(name, operator, PLAIN))?;
            Test::Contains(folded)
        }
        (None, Operator::Contains) => Test::Contains(folded),
        (None, Operator::EndsWith) => Test::EndsWith(folded),
        (None, Operator::StartsWith) => Test::StartsWith(folded),
        (None, operator) => {
            operator_fits(name, operator, PLAIN)?;
            Test::StartsWith(folded)
        }
    };
    Ok(Item::from(test))
}

/// The prefix and the rest of a value, the prefix being the operator's inside `_filter`.
fn prefixed<'t>(name: &str, text: &'t str, operator: Operator) -> Result<(Prefix, &'t str), Fault> {
    match operator {
        Operator::Plain => Ok(split_prefix(text)),
        Operator::Prefix(prefix) => Ok((prefix, text.trim())),
        Operator::Overlaps => Ok((Prefix::Ap, text.trim())),
        other => {
            operator_fits(name, other, PLAIN)?;
            Ok((Prefix::Eq, text.trim()))
        }
    }
}

fn number(name: &str, text: &str, operator: Operator) -> Result<Item, Fault> {
    if operator == Operator::Overlaps {
        operator_fits(name, operator, PLAIN)?;
    }
    let (prefix, rest) = prefixed(name, text, operator)?;
    let (value, half) = Decimal::parse(rest).map_err(|source| bad(name, text, source))?;
    Ok(Item::from(Test::Number(NumberTest {
        prefix,
        value,
        half,
    })))
}

fn quantity(name: &str, text: &str, known: &Parameter, operator: Operator) -> Result<Item, Fault> {
    if operator == Operator::Overlaps {
        operator_fits(name, operator, PLAIN)?;
    }
    let unit = known.default_unit.as_deref();
    let query = match operator {
        Operator::Plain => parse_quantity(text, unit),
        // With the operator before it, a prefix in the value itself is refused.
        operator => {
            let (prefix, rest) = prefixed(name, text, operator)?;
            parse_quantity(&format!("{}{rest}", prefix.name()), unit)
        }
    }
    .map_err(|source| bad(name, text, source))?;
    Ok(Item::from(Test::Quantity {
        test: NumberTest {
            prefix: query.prefix,
            value: query.value,
            half: query.half,
        },
        unit: query.unit,
    }))
}

/// A range widened on both sides by a tenth of its distance from the present, as R4 suggests for `ap`.
fn about(range: DateRange, now: i64) -> DateRange {
    let gap = if now < range.low {
        range.low.saturating_sub(now)
    } else {
        now.saturating_sub(range.high).max(0)
    };
    DateRange {
        low: range.low.saturating_sub(gap / 10),
        high: range.high.saturating_add(gap / 10),
    }
}

/// The name of a type, when a modifier is one.
pub(super) fn type_modifier(modifier: &str) -> Option<ResourceType> {
    ResourceType::from_name(modifier)
}
