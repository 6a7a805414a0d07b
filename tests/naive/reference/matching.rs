//! One test against the values of one resource.

use super::folding::fold;
use super::rational::Rational;
use super::values::{Quantity, Token, Value};
use super::{Found, Reference, dates, near, systems, units, words};
use crate::kinds::Kind;
use crate::queries::{Modifier, Prefix, Term, Test};
use std::cmp::Ordering;
use std::collections::BTreeSet;

impl Reference {
    /// Whether a test holds on a resource, whatever the lines its values stand in.
    pub fn test_holds(&self, at: usize, test: &Test) -> bool {
        let resource = &self.resources[at];
        if test.code == "_content" {
            return test.terms.iter().any(
                |term| matches!(term, Term::Content(asked) if words::occurs(&resource.text, asked)),
            );
        }
        let found = resource.found(test.code);
        match test.modifier {
            Modifier::Missing(wanted) => found.is_empty() == wanted,
            Modifier::Not => !found.iter().any(|found| self.any_term(found, test)),
            Modifier::None | Modifier::Type(_) if is_link(found) => {
                self.leads_to(&self.edge(at, test.code), test)
            }
            Modifier::Below => {
                let targets = self.edge(at, test.code);
                targets.into_iter().any(|target| {
                    let line = self.ancestors(target);
                    self.leads_to(&line, test)
                })
            }
            Modifier::Above => self.ancestors(at).into_iter().any(|upper| {
                let own = Test {
                    modifier: Modifier::None,
                    ..test.clone()
                };
                self.test_holds(upper, &own)
            }),
            _ => found.iter().any(|found| self.any_term(found, test)),
        }
    }

    /// Whether one value satisfies one of the terms.
    pub fn any_term(&self, found: &Found, test: &Test) -> bool {
        test.terms
            .iter()
            .any(|term| satisfies(&found.value, test.code, test.modifier, term))
    }

    fn leads_to(&self, targets: &BTreeSet<usize>, test: &Test) -> bool {
        targets.iter().any(|target| {
            let target = &self.resources[*target];
            test.terms.iter().any(|term| match term {
                Term::Reference { kind, id, .. } => {
                    let forced = match test.modifier {
                        Modifier::Type(kind) => Some(kind),
                        _ => None,
                    };
                    target.id == *id
                        && kind.or(forced).is_none_or(|kind| kind == target.kind)
                        && forced.is_none_or(|kind| kind == target.kind)
                }
                _ => false,
            })
        })
    }

    /// An Organization and every one above it; a cycle ends the climb.
    pub fn ancestors(&self, at: usize) -> BTreeSet<usize> {
        let mut seen = BTreeSet::from([at]);
        let mut climbing = vec![at];
        while let Some(next) = climbing.pop() {
            if self.resources[next].kind != Kind::Organization {
                continue;
            }
            for upper in self.edge(next, "partof") {
                if seen.insert(upper) {
                    climbing.push(upper);
                }
            }
        }
        seen
    }
}

fn is_link(found: &[Found]) -> bool {
    matches!(found.first(), Some(first) if matches!(first.value, Value::Reference(_)))
}

fn satisfies(value: &Value, code: &str, modifier: Modifier, term: &Term) -> bool {
    match (value, term) {
        (Value::Token(token), Term::Token { system, code }) => same_token(token, system, code),
        (
            Value::Token(token),
            Term::OfType {
                system,
                code,
                value,
            },
        ) => {
            let kind = systems::canonical(system);
            let kind = (kind.clone(), systems::code(&kind, code));
            token.types.contains(&kind) && token.code == *value
        }
        (Value::Text(text), Term::Text(asked)) => match modifier {
            Modifier::Exact => text == asked,
            Modifier::Contains => fold(text).contains(&fold(asked)),
            _ => fold(text).starts_with(&fold(asked)),
        },
        (Value::Date(stored), Term::Date(prefix, text)) => {
            dates::parse(text).is_some_and(|asked| dates::satisfies(*prefix, *stored, asked))
        }
        (Value::Number(stored), Term::Number(prefix, text)) => Rational::parse(text)
            .is_some_and(|(asked, half)| compare_number(*prefix, *stored, asked, half)),
        (Value::Quantity(stored), Term::Quantity(prefix, text, unit)) => {
            let usual = code.starts_with("age-range").then_some("a");
            let unit = unit.as_ref().map(|(_, code)| code.as_str()).or(usual);
            compare_quantity(*prefix, stored, text, unit)
        }
        (Value::Reference(link), Term::Token { system, code }) => link
            .identifier
            .as_ref()
            .is_some_and(|identifier| same_token(identifier, system, code)),
        (Value::Position(latitude, longitude), term) => {
            near::distance_to(*latitude, *longitude, term)
                .is_some_and(|(distance, radius)| distance <= radius)
        }
        _ => false,
    }
}

fn same_token(token: &Token, system: &Option<String>, code: &Option<String>) -> bool {
    system
        .as_ref()
        .is_none_or(|system| systems::canonical(system) == token.system)
        && code
            .as_ref()
            .is_none_or(|code| systems::code(&token.system, code) == token.code)
}

/// Text at the end of a stored one, folded.
pub fn ends_with(value: &Value, asked: &str) -> bool {
    matches!(value, Value::Text(text) if fold(text).ends_with(&fold(asked)))
}

fn compare_number(prefix: Prefix, stored: Rational, asked: Rational, half: Rational) -> bool {
    let inside = asked.plus(half.negated()) <= stored && stored < asked.plus(half);
    match prefix {
        Prefix::Eq => inside,
        Prefix::Ne => !inside,
        // A number has no extent: starting after is being greater.
        Prefix::Gt | Prefix::Sa => stored > asked,
        Prefix::Lt | Prefix::Eb => stored < asked,
        Prefix::Ge => stored >= asked,
        Prefix::Le => stored <= asked,
        Prefix::Ap => {
            let margin = asked.magnitude().times(Rational::new(1, 10));
            stored.plus(asked.negated()).magnitude().cmp(&margin) != Ordering::Greater
        }
    }
}

fn compare_quantity(prefix: Prefix, stored: &Quantity, text: &str, unit: Option<&str>) -> bool {
    let Some((asked, half)) = Rational::parse(text) else {
        return false;
    };
    let Some(unit) = unit else {
        return compare_number(prefix, stored.value, asked, half);
    };
    let (Some(wanted), Some(given)) = (
        units::unit(unit),
        stored.unit.as_deref().and_then(units::unit),
    ) else {
        return false;
    };
    wanted.0 == given.0
        && compare_number(
            prefix,
            stored.value.times(given.1),
            asked.times(wanted.1),
            half.times(wanted.1),
        )
}
