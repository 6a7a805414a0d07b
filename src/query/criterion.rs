//! What a search asks for, as a tree whose leaves are typed values: nothing in it is text to be read later.

use rorqual_schema::{DateRange, Hop, Position, Prefix, ReferenceQuery, ResourceType, TokenQuery};

use crate::index::number::NumberTest;

/// A condition on the resources of one type, the *level*. The root is over the type searched.
///
/// `parameter` and `group` are numbers in [`rorqual_schema::Schema::parameters`] and
/// [`rorqual_schema::Schema::groups`] of the level's type.
#[derive(Clone, Debug, PartialEq)]
pub enum Criterion {
    /// Every resource.
    All,
    /// No resource, such as those near a commune that does not exist.
    Nothing,
    /// All conditions hold.
    And(Vec<Criterion>),
    /// Some condition holds.
    Or(Vec<Criterion>),
    /// The condition does not hold.
    Not(Box<Criterion>),
    /// Some value of a parameter passes a test.
    Test {
        /// The parameter.
        parameter: usize,
        /// The test.
        test: Test,
    },
    /// Some resource that a reference leads to satisfies the inner condition.
    Chain {
        /// The reference.
        parameter: usize,
        /// The type it must lead to: the inner level.
        target: ResourceType,
        /// With [`Hop::Above`] (`:above`) the resource referred to or any of its ancestors by `partof` may satisfy the inner
        /// condition.
        hop: Hop,
        /// The condition over `target`.
        inner: Box<Criterion>,
    },
    /// Some resource of another type that refers to this one satisfies the inner condition.
    Has {
        /// The type that refers: the inner level.
        source: ResourceType,
        /// The reference, a parameter of `source`.
        parameter: usize,
        /// The condition over `source`.
        inner: Box<Criterion>,
    },
    /// One line of a repeating group satisfies the inner condition, which tests only parameters of that group or holds a
    /// line of a child group.
    Line {
        /// The group.
        group: usize,
        /// The condition over one line.
        inner: Box<Criterion>,
    },
}

impl Criterion {
    /// All of the conditions: their conjunctions flattened, [`Criterion::All`] when there is none.
    pub fn and(conditions: Vec<Criterion>) -> Criterion {
        let mut parts = Vec::with_capacity(conditions.len());
        for condition in conditions {
            match condition {
                Criterion::All => {}
                Criterion::And(inner) => parts.extend(inner),
                other => parts.push(other),
            }
        }
        single(parts, Criterion::All, Criterion::And)
    }

    /// Any of the conditions: their disjunctions flattened, [`Criterion::Nothing`] when there is none.
    pub fn or(conditions: Vec<Criterion>) -> Criterion {
        let mut parts = Vec::with_capacity(conditions.len());
        for condition in conditions {
            match condition {
                Criterion::Nothing => {}
                Criterion::Or(inner) => parts.extend(inner),
                other => parts.push(other),
            }
        }
        single(parts, Criterion::Nothing, Criterion::Or)
    }

    /// The complement of a condition.
    pub fn negated(condition: Criterion) -> Criterion {
        match condition {
            Criterion::All => Criterion::Nothing,
            Criterion::Nothing => Criterion::All,
            Criterion::Not(inner) => *inner,
            other => Criterion::Not(Box::new(other)),
        }
    }

    /// How many levels of conditions stand inside each other; a test alone is one.
    pub fn depth(&self) -> usize {
        1 + match self {
            Criterion::And(parts) | Criterion::Or(parts) => {
                parts.iter().map(Criterion::depth).max().unwrap_or(0)
            }
            Criterion::Not(inner)
            | Criterion::Chain { inner, .. }
            | Criterion::Has { inner, .. }
            | Criterion::Line { inner, .. } => inner.depth(),
            Criterion::All | Criterion::Nothing | Criterion::Test { .. } => 0,
        }
    }
}

fn single(
    mut parts: Vec<Criterion>,
    none: Criterion,
    several: fn(Vec<Criterion>) -> Criterion,
) -> Criterion {
    match parts.len() {
        0 => none,
        1 => parts.pop().unwrap_or(none),
        _ => several(parts),
    }
}

/// A test of the values of one parameter; it passes when some value does.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// A code, a code of a system, or any code of a system.
    Token(TokenQuery),
    /// An identifier of a type (`:of-type`).
    OfType {
        /// The canonical system of the type.
        system: String,
        /// The code of the type, as compared under its system.
        code: String,
        /// The identifier.
        value: String,
    },
    /// A text that begins with this, folded.
    StartsWith(String),
    /// A text that is exactly this one (`:exact`).
    Equals(String),
    /// A text that contains this one, folded (`:contains`).
    Contains(String),
    /// A text that ends with this one, folded (`ew` of `_filter`).
    EndsWith(String),
    /// A date.
    Date {
        /// How to compare.
        prefix: Prefix,
        /// The span the date given covers; for [`Prefix::Ap`] already widened, so that overlapping it is enough.
        range: DateRange,
    },
    /// A number.
    Number(NumberTest),
    /// A number with a unit.
    Quantity {
        /// The comparison with the number as written.
        test: NumberTest,
        /// The UCUM code of the number written; nothing compares numbers whatever their unit.
        unit: Option<String>,
    },
    /// A reference to that resource. A base is never set: URLs outside ours match nothing.
    Reference(ReferenceQuery),
    /// A reference to that resource or to any of its descendants by `partof` (`:below`).
    Below(ReferenceQuery),
    /// A reference that carries that identifier (`:identifier`).
    LogicalReference(TokenQuery),
    /// Any value. `:missing=true` is the complement.
    Present,
    /// A position within a distance of a point, the edge included.
    Near {
        /// The point.
        centre: Position,
        /// The distance in metres, 0 or more.
        metres: f64,
    },
    /// Text found by its words (`_content`).
    Content(ContentQuery),
}

/// The words of a `_content` search. All must occur.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ContentQuery {
    /// Words, folded, each once: they occur as the same stem, or as the beginning of a word from three letters on.
    pub words: Vec<String>,
    /// Quoted texts, as their words, folded: they occur word for word.
    pub phrases: Vec<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use super::{Criterion, Test};

    fn present(parameter: usize) -> Criterion {
        Criterion::Test {
            parameter,
            test: Test::Present,
        }
    }

    #[test]
    fn trees_are_kept_flat() {
        assert_eq!(Criterion::and(vec![]), Criterion::All);
        assert_eq!(Criterion::or(vec![Criterion::Nothing]), Criterion::Nothing);
        assert_eq!(Criterion::and(vec![present(1), Criterion::All]), present(1));
        let two = Criterion::and(vec![present(1), present(2)]);
        let three = Criterion::and(vec![two, present(3)]);
        assert!(matches!(&three, Criterion::And(parts) if parts.len() == 3));
        assert_eq!(three.depth(), 2);
        assert_eq!(
            Criterion::negated(Criterion::negated(present(1))),
            present(1)
        );
    }
}
