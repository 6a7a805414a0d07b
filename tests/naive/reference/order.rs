//! Sort keys: the least value going up, the greatest going down, nothing last in both directions.

use super::folding::fold;
use super::rational::Rational;
use super::values::Value;
use super::{Reference, near, units};
use crate::queries::{Criterion, Modifier, Query, SortKey, Step, Term, Test};
use std::cmp::Ordering;

/// One sort key of one resource.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Key {
    /// Start of a date.
    Instant(i64),
    /// A number.
    Number(Rational),
    /// A number in the base unit of its dimension.
    Measure(units::Dimension, Rational),
    /// A code, then its system.
    Code(String, String),
    /// Folded text.
    Text(String),
    /// A distance in micrometres.
    Distance(u64),
}

impl Reference {
    /// The keys of a resource, one per `_sort` key; `None` where it has no value.
    pub fn keys(&self, at: usize, query: &Query) -> Vec<Option<Key>> {
        let key = |key: &SortKey| match key.code {
            "near" => {
                let distance = self.nearness(at, query)?;
                // Finer than this, two ways to compute it may differ.
                Some(Key::Distance((distance * 1e6).round() as u64))
            }
            _ => self.key(at, key),
        };
        query.sort.iter().map(key).collect()
    }

    fn key(&self, at: usize, sort: &SortKey) -> Option<Key> {
        let test = Test {
            code: sort.code,
            modifier: crate::queries::Modifier::None,
            terms: Vec::new(),
        };
        let ends = self.ends(at, &sort.path, &[&test]);
        let keys = ends
            .iter()
            .flat_map(|end| self.resources[*end].found(sort.code))
            .filter_map(|found| key_of(&found.value));
        if sort.descending {
            keys.max()
        } else {
            keys.min()
        }
    }

    /// The proximity test that distances are measured for: the only one, on the searched resource or one
    /// reference away, with a known point.
    pub fn proximity<'q>(&self, query: &'q Query) -> Option<&'q Criterion> {
        let mut all = query
            .criteria
            .iter()
            .filter(|criterion| criterion.test.code.starts_with("near"));
        let criterion = all.next()?;
        let measured = matches!(criterion.path.as_slice(), [] | [Step::To { .. }])
            && criterion.test.modifier == Modifier::None
            && criterion
                .test
                .terms
                .iter()
                .any(|term| near::distance_to(0.0, 0.0, term).is_some());
        (measured && all.next().is_none()).then_some(criterion)
    }

    /// The distance in metres from the nearest point of the query's proximity test to the nearest place it
    /// looks at from a match.
    pub fn nearness(&self, at: usize, query: &Query) -> Option<f64> {
        let criterion = self.proximity(query)?;
        let places = self.ends(at, &criterion.path, &[&criterion.test]);
        places
            .into_iter()
            .filter_map(|place| self.distance(place, &criterion.test.terms))
            .min_by(f64::total_cmp)
    }

    /// The distance in metres of a place from the nearest of the points.
    pub fn distance(&self, place: usize, points: &[Term]) -> Option<f64> {
        self.resources[place]
            .found("near")
            .iter()
            .filter_map(|found| match found.value {
                Value::Position(latitude, longitude) => Some((latitude, longitude)),
                _ => None,
            })
            .flat_map(|(latitude, longitude)| {
                points
                    .iter()
                    .filter_map(move |term| near::distance_to(latitude, longitude, term))
            })
            .map(|(distance, _)| distance)
            .min_by(f64::total_cmp)
    }
}

fn key_of(value: &Value) -> Option<Key> {
    Some(match value {
        Value::Date(range) => Key::Instant(range.low),
        Value::Number(number) => Key::Number(*number),
        Value::Quantity(quantity) => {
            let (dimension, size) = units::unit(quantity.unit.as_deref()?)?;
            Key::Measure(dimension, quantity.value.times(size))
        }
        Value::Token(token) => Key::Code(token.code.clone(), token.system.clone()),
        Value::Text(text) => Key::Text(fold(text)),
        Value::Reference(_) | Value::Position(..) => return None,
    })
}

/// The order of two resources by their keys; `Equal` leaves them in the order of the index.
pub fn compare(left: &[Option<Key>], right: &[Option<Key>], sort: &[SortKey]) -> Ordering {
    for ((left, right), key) in left.iter().zip(right).zip(sort) {
        let order = match (left, right) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(left), Some(right)) if key.descending => right.cmp(left),
            (Some(left), Some(right)) => left.cmp(right),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}
