//! From the tree of a filter to a condition on resources: names and values are those of ordinary parameters.

use rorqual_schema::{Hop, ParameterType, Prefix, ResourceType};

use super::Trouble;
use super::syntax::{Connective, Expression, Segment, Written};
use crate::query::criterion::{Criterion, Test};
use crate::query::error::Fault;
use crate::query::parse::Reader;
use crate::query::parse::correlation::child_towards;
use crate::query::parse::leaf::{Operator, Values};
use crate::query::parse::path::{End, Found, Step, along, parameter};

/// Comparisons read in all filters of a request, once for each type that they may be on.
const MAXIMUM_READINGS: usize = 5_000;

/// Where an expression is read: on a resource of a type, or on one line of a group of it.
#[derive(Clone, Copy)]
struct Place {
    kind: ResourceType,
    line: Option<usize>,
}

/// A condition and the text that says it in its proper spelling.
type Said = (Criterion, String);

/// One comparison being read.
struct Comparison<'e> {
    operator: &'e str,
    operator_at: usize,
    value: &'e Written,
}

/// Both conditions on one line; what they ask of lines inside it, one inner line must satisfy, as outside of filters:
/// the feature and the limit of an equipment are those of one limit.
fn meeting(so_far: Criterion, next: Criterion) -> Criterion {
    let mut parts = match so_far {
        Criterion::And(parts) => parts,
        other => vec![other],
    };
    if let Criterion::Line { group, inner } = next {
        let same = parts.iter_mut().find_map(|part| match part {
            Criterion::Line {
                group: other,
                inner,
            } if *other == group => Some(inner),
            _ => None,
        });
        match same {
            Some(known) => {
                let before = std::mem::replace(&mut **known, Criterion::All);
                **known = meeting(before, *inner);
            }
            None => parts.push(Criterion::Line { group, inner }),
        }
        return Criterion::and(parts);
    }
    parts.push(next);
    Criterion::and(parts)
}

impl Reader<'_> {
    /// Reads a filter over the type searched.
    pub(super) fn resolve_filter(&mut self, expression: &Expression) -> Result<Said, Trouble> {
        let place = Place {
            kind: self.kind,
            line: None,
        };
        self.expression(place, expression)
    }

    fn expression(&mut self, place: Place, expression: &Expression) -> Result<Said, Trouble> {
        match expression {
            Expression::Sequence { first, rest } => {
                let (whole, mut text) = self.expression(place, first)?;
                let mut so_far = whole;
                let mut joins = place.line.is_some() && first.is_plain();
                for (connective, next) in rest {
                    let plain = next.is_plain();
                    let (next, said) = self.expression(place, next)?;
                    text.push(' ');
                    text.push_str(connective.word());
                    text.push(' ');
                    text.push_str(&said);
                    so_far = match connective {
                        Connective::And if joins && plain => meeting(so_far, next),
                        Connective::And => Criterion::and(vec![so_far, next]),
                        Connective::Or => Criterion::or(vec![so_far, next]),
                    };
                    joins &= plain && *connective == Connective::And;
                }
                Ok((so_far, text))
            }
            Expression::Not(inner) => {
                let (inner, said) = self.expression(place, inner)?;
                Ok((Criterion::negated(inner), format!("not ({said})")))
            }
            Expression::Parentheses(inner) => {
                let (inner, said) = self.expression(place, inner)?;
                Ok((inner, format!("({said})")))
            }
            Expression::Comparison {
                path,
                operator,
                operator_at,
                value,
            } => {
                let comparison = Comparison {
                    operator,
                    operator_at: *operator_at,
                    value,
                };
                let (criterion, said) = self.segments(place, path, &comparison)?;
                // `ne` is the complement of the whole `path eq value`, references included.
                Ok(match operator.as_str() {
                    "ne" => (Criterion::negated(criterion), said),
                    _ => (criterion, said),
                })
            }
        }
    }

    fn segments(
        &mut self,
        place: Place,
        path: &[Segment],
        comparison: &Comparison<'_>,
    ) -> Result<Said, Trouble> {
        match path {
            [] => Err(Trouble::form(
                comparison.operator_at,
                "a parameter is expected before the operator",
            )),
            [last @ Segment { bracket: None, .. }] => self.compare(place, last, comparison),
            [segment, rest @ ..] => match &segment.bracket {
                Some(inner) => self.bracket(place, segment, inner, rest, comparison),
                None => Err(Trouble::form(segment.at, "a bracket is expected here")),
            },
        }
    }

    /// `name[filter] pr true`, or `name[filter].rest operator value`.
    fn bracket(
        &mut self,
        place: Place,
        segment: &Segment,
        inner: &Expression,
        rest: &[Segment],
        comparison: &Comparison<'_>,
    ) -> Result<Said, Trouble> {
        let meaning = |fault| Trouble::Meaning {
            at: segment.at,
            fault: Box::new(fault),
        };
        let wanted = match rest {
            [] => Some(present_wanted(comparison)?),
            _ => None,
        };
        let found = self
            .resolve_bracket(place.kind, &segment.name)
            .map_err(meaning)?;
        self.offered_in(&segment.name, &found, segment.at)?;
        if let Some(fault) = found.slip {
            self.notes
                .slip("_filter", &segment.name, &found.canonical, fault)
                .map_err(meaning)?;
        }
        let modifier = found.modifier.as_deref();
        let mut whole = Vec::new();
        let mut said = None;
        let mut first_trouble = None;
        for end in &found.alternatives {
            let ways = self.ways(place, end, modifier, segment)?;
            let mut here = Vec::new();
            for way in ways {
                match self.inside(way, inner, rest, comparison) {
                    Ok((condition, text)) => {
                        said.get_or_insert(text);
                        here.push(match way {
                            Way::Line { group, .. } => Criterion::Line {
                                group,
                                inner: Box::new(condition),
                            },
                            Way::Reference { step, .. } => along(&[step], condition),
                        });
                    }
                    // Another type of the reference may have these parameters.
                    Err(trouble) if trouble.is_misfit() => {
                        first_trouble.get_or_insert(trouble);
                    }
                    Err(trouble) => return Err(trouble),
                }
            }
            if here.is_empty() {
                continue;
            }
            let here = Criterion::or(here);
            let here = match wanted {
                Some(false) => Criterion::negated(here),
                _ => here,
            };
            whole.push(along(&end.steps, self.within_line(place, end, here)));
        }
        match (said, first_trouble) {
            (Some(said), _) => {
                let text = match wanted {
                    Some(wanted) => format!("{}[{said}] pr {wanted}", found.canonical),
                    None => format!("{}{said}", found.canonical),
                };
                Ok((Criterion::or(whole), text))
            }
            (None, Some(trouble)) => Err(trouble),
            (None, None) => Err(Trouble::form(segment.at, "it stands for nothing here")),
        }
    }

    /// What a bracket goes over: the lines of a group, or the resources that a reference leads to.
    fn ways(
        &self,
        place: Place,
        end: &End,
        modifier: Option<&str>,
        segment: &Segment,
    ) -> Result<Vec<Way>, Trouble> {
        if end.is_group {
            if let Some(line) = place.line
                && (!end.steps.is_empty()
                    || child_towards(self.schema, end.kind, line, end.parameter).is_none())
            {
                return Err(outside(segment, self.group_name(place)));
            }
            return Ok(vec![Way::Line {
                kind: end.kind,
                group: end.parameter,
            }]);
        }
        if place.line.is_some() {
            return Err(outside(segment, self.group_name(place)));
        }
        let Some(reference) = parameter(self.schema, end.kind, end.parameter) else {
            return Err(Trouble::form(segment.at, "it is not a reference"));
        };
        let targets = match modifier {
            None => reference.targets.clone(),
            Some(word) => match ResourceType::from_name(word) {
                Some(target) if reference.targets.contains(&target) => vec![target],
                _ => {
                    let fault = format!(
                        "`:{word}` does not fit before a bracket; a reference takes a type there"
                    );
                    return Err(Trouble::form(segment.at, &fault));
                }
            },
        };
        if !self.options.features.chains {
            return Err(Trouble::Meaning {
                at: segment.at,
                fault: Box::new(Fault::NotOffered {
                    parameter: "_filter".to_owned(),
                    what: "a chain through a reference",
                }),
            });
        }
        let way = |target| Way::Reference {
            step: Step::Forward {
                parameter: end.parameter,
                target,
                hop: Hop::Direct,
            },
            target,
        };
        Ok(targets.into_iter().map(way).collect())
    }

    /// The filter of a bracket and the rest of the path after it, on what the bracket goes over. The text of a bracket
    /// that ends the path is its filter alone; else it is all from the opening bracket on.
    fn inside(
        &mut self,
        way: Way,
        inner: &Expression,
        rest: &[Segment],
        comparison: &Comparison<'_>,
    ) -> Result<Said, Trouble> {
        let place = match way {
            Way::Line { kind, group } => Place {
                kind,
                line: Some(group),
            },
            Way::Reference { target, .. } => Place {
                kind: target,
                line: None,
            },
        };
        let (condition, said) = self.expression(place, inner)?;
        if rest.is_empty() {
            return Ok((condition, said));
        }
        let (end, rest_said) = self.segments(place, rest, comparison)?;
        Ok((
            Criterion::and(vec![condition, end]),
            format!("[{said}].{rest_said}"),
        ))
    }

    /// `name operator value` at the end of a path.
    fn compare(
        &mut self,
        place: Place,
        segment: &Segment,
        comparison: &Comparison<'_>,
    ) -> Result<Said, Trouble> {
        // Brackets over untyped references are read once for each type: the number of readings is what counts.
        self.comparisons += 1;
        if self.comparisons > MAXIMUM_READINGS {
            return Err(Trouble::TooMany);
        }
        let meaning = |fault| Trouble::Meaning {
            at: segment.at,
            fault: Box::new(fault),
        };
        let found = self.resolve(place.kind, &segment.name).map_err(meaning)?;
        self.offered_in(&segment.name, &found, segment.at)?;
        if let Some(fault) = found.slip {
            self.notes
                .slip("_filter", &segment.name, &found.canonical, fault)
                .map_err(meaning)?;
        }
        if let Some(line) = place.line {
            for end in &found.alternatives {
                let group = parameter(self.schema, end.kind, end.parameter).and_then(|p| p.group);
                let inside = group.is_some_and(|group| {
                    group == line || child_towards(self.schema, end.kind, line, group).is_some()
                });
                if !inside || !end.steps.is_empty() {
                    return Err(outside(segment, self.group_name(place)));
                }
            }
        }
        let mut whole = Vec::new();
        let mut value_said = None;
        for end in &found.alternatives {
            let (condition, said) = match comparison.operator {
                "pr" => {
                    let wanted = present_wanted(comparison)?;
                    (
                        self.presence(end, &found, wanted).map_err(meaning)?,
                        wanted.to_string(),
                    )
                }
                _ => {
                    let first = value_said.is_none();
                    self.value(segment, end, &found, comparison, first)?
                }
            };
            value_said.get_or_insert(said);
            whole.push(along(&end.steps, self.within_line(place, end, condition)));
        }
        let text = format!(
            "{} {} {}",
            found.canonical,
            comparison.operator,
            value_said.unwrap_or_default()
        );
        Ok((Criterion::or(whole), text))
    }

    fn presence(&self, end: &End, found: &Found, wanted: bool) -> Result<Criterion, Fault> {
        let known = parameter(self.schema, end.kind, end.parameter);
        let Some(known) = known.filter(|known| known.expression.is_some()) else {
            return Err(Fault::UnknownName {
                parameter: "_filter".to_owned(),
                written: format!("{} pr", found.canonical),
                fault: "pr needs a parameter that reads values".to_owned(),
                suggestions: Vec::new(),
            });
        };
        if let Some(modifier) = &found.modifier {
            return Err(Fault::UnsupportedModifier {
                parameter: known.code.clone(),
                modifier: modifier.clone(),
                supported: "no modifier before pr".to_owned(),
            });
        }
        let present = Criterion::Test {
            parameter: end.parameter,
            test: Test::Present,
        };
        Ok(if wanted {
            present
        } else {
            Criterion::negated(present)
        })
    }

    fn value(
        &mut self,
        segment: &Segment,
        end: &End,
        found: &Found,
        comparison: &Comparison<'_>,
        counts: bool,
    ) -> Result<Said, Trouble> {
        let kind = parameter(self.schema, end.kind, end.parameter)
            .map_or(ParameterType::Special, |known| known.kind);
        let operator = self.operator(kind, found, comparison)?;
        let written = comparison.value;
        let at_value = |fault| Trouble::Meaning {
            at: written.at,
            fault: Box::new(fault),
        };
        let lists = !written.quoted
            && parameter(self.schema, end.kind, end.parameter)
                .is_none_or(|known| known.multiple_or);
        let values = Values::of(&segment.name, &written.text, lists, operator).map_err(at_value)?;
        if counts {
            self.notes
                .count_values("_filter", values.len())
                .map_err(at_value)?;
        }
        let leaf = self
            .leaf(&segment.name, end, found.modifier.as_deref(), &values)
            .map_err(at_value)?;
        let alone = stands_alone(&leaf.canonical);
        if lists && !alone && values.len() > 1 {
            // Quoted it would be one value, unquoted it could not be read again.
            return Err(Trouble::form(
                written.at,
                "brackets in a list of values; repeat the parameter, with each value in quotation marks",
            ));
        }
        let said = if written.quoted || !alone {
            let escaped = leaf.canonical.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{escaped}\"")
        } else {
            leaf.canonical
        };
        Ok((leaf.criterion, said))
    }

    /// What an operator means for a type of parameter. Those that mean nothing are refused here or with the value.
    fn operator(
        &self,
        kind: ParameterType,
        found: &Found,
        comparison: &Comparison<'_>,
    ) -> Result<Operator, Trouble> {
        use ParameterType::{Date, Number, Quantity, Reference, String, Token};
        let ordered = matches!(kind, Date | Number | Quantity) && found.modifier.is_none();
        let word = comparison.operator;
        let operator = match word {
            "eq" | "ne" if ordered => Some(Operator::Prefix(Prefix::Eq)),
            "eq" | "ne" => Some(Operator::Plain),
            "co" if kind == String || kind == ParameterType::Special => Some(Operator::Contains),
            "sw" if kind == String => Some(Operator::StartsWith),
            "ew" if kind == String => Some(Operator::EndsWith),
            "po" if kind == Date && ordered => Some(Operator::Overlaps),
            "re" if kind == Reference => Some(Operator::Plain),
            "ss" | "sb" if kind == Token => {
                return Err(self.refused(
                    comparison,
                    "the code systems of the directory have no hierarchy; use eq with a list of codes",
                ));
            }
            "in" | "ni" if kind == Token => {
                return Err(self.refused(
                    comparison,
                    "value sets are not offered; use eq with a list of codes",
                ));
            }
            _ if ordered => Prefix::from_name(word).map(Operator::Prefix),
            _ => None,
        };
        operator.ok_or_else(|| {
            let fault = format!("{word} does not fit {}, a {kind}", found.canonical);
            self.refused(comparison, &fault)
        })
    }

    fn refused(&self, comparison: &Comparison<'_>, fault: &str) -> Trouble {
        Trouble::Meaning {
            at: comparison.operator_at,
            fault: Box::new(Fault::UnknownName {
                parameter: "_filter".to_owned(),
                written: comparison.operator.to_owned(),
                fault: fault.to_owned(),
                suggestions: Vec::new(),
            }),
        }
    }

    /// Puts a condition on a parameter or group into the lines of the child groups between it and the present line.
    fn within_line(&self, place: Place, end: &End, condition: Criterion) -> Criterion {
        let Some(line) = place.line else {
            return condition;
        };
        let own = if end.is_group {
            self.schema
                .groups(end.kind)
                .get(end.parameter)
                .and_then(|group| group.parent)
        } else {
            parameter(self.schema, end.kind, end.parameter).and_then(|known| known.group)
        };
        let mut wrapped = condition;
        let mut at = own;
        while let Some(group) = at.filter(|group| *group != line) {
            wrapped = Criterion::Line {
                group,
                inner: Box::new(wrapped),
            };
            at = self
                .schema
                .groups(end.kind)
                .get(group)
                .and_then(|known| known.parent);
        }
        wrapped
    }

    fn group_name(&self, place: Place) -> &str {
        place
            .line
            .and_then(|line| self.schema.groups(place.kind).get(line))
            .map_or("", |group| group.name.as_str())
    }

    fn offered_in(&self, name: &str, found: &Found, at: usize) -> Result<(), Trouble> {
        self.offered(name, found).map_err(|fault| Trouble::Meaning {
            at,
            fault: Box::new(fault),
        })
    }
}

/// What a bracket goes over.
#[derive(Clone, Copy)]
enum Way {
    Line { kind: ResourceType, group: usize },
    Reference { step: Step, target: ResourceType },
}

/// The value of `pr`, which is the only operator right after a bracket.
fn present_wanted(comparison: &Comparison<'_>) -> Result<bool, Trouble> {
    if comparison.operator != "pr" {
        return Err(Trouble::form(
            comparison.operator_at,
            "after a bracket comes `pr true`, `pr false`, or a dot and a parameter",
        ));
    }
    match comparison.value.text.as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Trouble::form(
            comparison.value.at,
            "pr is followed by true or false",
        )),
    }
}

fn outside(segment: &Segment, group: &str) -> Trouble {
    Trouble::Meaning {
        at: segment.at,
        fault: Box::new(Fault::UnknownName {
            parameter: "_filter".to_owned(),
            written: segment.name.clone(),
            fault: format!("it is not read from {group}, whose lines the bracket goes over"),
            suggestions: Vec::new(),
        }),
    }
}

/// Whether a value can stand without quotes.
fn stands_alone(text: &str) -> bool {
    let balanced = |open: char, close: char| {
        let depth = text.chars().try_fold(0_usize, |depth, c| match c {
            c if c == open => Some(depth + 1),
            c if c == close => depth.checked_sub(1),
            _ => Some(depth),
        });
        depth == Some(0)
    };
    !text.contains(|c: char| c.is_whitespace() || c == '"')
        && balanced('(', ')')
        && balanced('[', ']')
}
