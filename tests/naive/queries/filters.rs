//! Random `_filter` trees.

use super::generate::{path, plain_steps, searchable};
use super::pick::Picker;
use super::{Feature, Filter, Modifier, Operator, Prefix, Step, Term};
use crate::kinds::{Parameter, Shape, parameters};
use crate::random::Random;

/// A tree of at most `depth` levels of connectives, drawn around a resource.
pub fn filter(r: &mut Random, picker: &Picker, subject: usize, depth: usize) -> Option<Filter> {
    if depth == 0 || r.chance(25) {
        return leaf(r, picker, subject);
    }
    let left = Box::new(filter(r, picker, subject, depth - 1)?);
    if r.chance(20) {
        return Some(Filter::Not(left));
    }
    let right = Box::new(filter(r, picker, subject, depth - 1)?);
    Some(if r.chance(50) {
        Filter::And(left, right)
    } else {
        Filter::Or(left, right)
    })
}

fn leaf(r: &mut Random, picker: &Picker, subject: usize) -> Option<Filter> {
    let (mut path, end) = path(r, picker, subject);
    if picker.offers(Feature::Content) && r.chance(12) {
        let term = picker.content(r, end)?;
        // How search escapes live inside a filter's own quotes is nobody's promise.
        let quiet = matches!(&term, Term::Content(text) if !text.contains(['|', ',', '$', '\\']));
        return quiet.then_some(Filter::Compare(path, "_content", Operator::Contains, term));
    }
    let kind = picker.reference.resources[end].kind;
    let parameter = searchable(r, picker, kind);
    if let Some(family) = parameter.family.filter(|_| r.chance(50)) {
        plain_steps(&mut path);
        return line(r, picker, end, path, family);
    }
    if r.chance(10) {
        let wanted = !path.is_empty() || r.chance(50);
        return Some(Filter::Present(path, parameter.code, wanted));
    }
    let (operator, term) = comparison(r, picker, end, parameter)?;
    Some(Filter::Compare(path, parameter.code, operator, term))
}

fn line(
    r: &mut Random,
    picker: &Picker,
    end: usize,
    path: Vec<Step>,
    family: &'static str,
) -> Option<Filter> {
    if !picker.offers(Feature::Groups) {
        return None;
    }
    let kind = picker.reference.resources[end].kind;
    let members: Vec<&Parameter> = parameters(kind)
        .iter()
        .filter(|known| known.family == Some(family))
        .collect();
    let mut parts = Vec::new();
    for _ in 0..1 + r.below(3) {
        let member = *r.pick(&members);
        let (operator, term) = comparison(r, picker, end, member)?;
        if operator != Operator::Differs {
            parts.push((member.code, operator, term));
        }
    }
    (!parts.is_empty()).then_some(Filter::Line(path, family, parts))
}

fn comparison(
    r: &mut Random,
    picker: &Picker,
    end: usize,
    parameter: &Parameter,
) -> Option<(Operator, Term)> {
    let operator = match parameter.shape {
        Shape::Token | Shape::Reference if r.chance(20) => Operator::Differs,
        Shape::Text => *r.pick(&[
            Operator::Prefix(Prefix::Eq),
            Operator::Differs,
            Operator::Contains,
            Operator::Starts,
            Operator::Ends,
        ]),
        Shape::Date | Shape::Number | Shape::Quantity => *r.pick(&[
            Operator::Prefix(Prefix::Eq),
            Operator::Differs,
            Operator::Prefix(Prefix::Gt),
            Operator::Prefix(Prefix::Lt),
            Operator::Prefix(Prefix::Ge),
            Operator::Prefix(Prefix::Le),
            Operator::Prefix(Prefix::Sa),
            Operator::Prefix(Prefix::Eb),
        ]),
        _ => Operator::Prefix(Prefix::Eq),
    };
    let modifier = match operator {
        Operator::Contains | Operator::Ends => Modifier::Contains,
        _ => Modifier::None,
    };
    let term = picker.term(r, end, parameter, modifier)?;
    // How search escapes live inside a filter's own quotes is nobody's promise.
    let quiet = |text: &String| !text.contains(['|', ',', '$', '\\', '"']);
    let plain = match &term {
        Term::Token { system, code } => system.iter().chain(code).all(quiet),
        Term::Text(text) => quiet(text),
        _ => true,
    };
    plain.then_some((operator, term))
}
