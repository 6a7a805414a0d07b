//! `_filter`: nothing correlates but what stands in one bracket.

use super::{Reference, matching};
use crate::queries::{Filter, Modifier, Operator, Prefix, Step, Term, Test};

impl Reference {
    /// Whether a filter holds on a resource.
    pub fn filter_holds(&self, at: usize, filter: &Filter) -> bool {
        match filter {
            Filter::And(left, right) => self.filter_holds(at, left) && self.filter_holds(at, right),
            Filter::Or(left, right) => self.filter_holds(at, left) || self.filter_holds(at, right),
            Filter::Not(inner) => !self.filter_holds(at, inner),
            Filter::Compare(path, code, operator, term) => {
                let equal = self.compares(at, path, code, *operator, term);
                if *operator == Operator::Differs {
                    !equal
                } else {
                    equal
                }
            }
            Filter::Present(path, code, wanted) => {
                let test = Test {
                    code,
                    modifier: Modifier::Missing(!wanted),
                    terms: Vec::new(),
                };
                let ends = self.ends(at, path, &[&test]);
                ends.into_iter().any(|end| self.test_holds(end, &test))
            }
            Filter::Line(path, _, parts) => {
                let tests: Vec<Test> = parts
                    .iter()
                    .map(|(code, operator, term)| test_of(code, *operator, term))
                    .collect();
                let tests: Vec<&Test> = tests.iter().collect();
                let ends = self.ends(at, path, &tests);
                ends.into_iter().any(|end| self.jointly(end, &tests))
            }
        }
    }

    /// The comparison itself; for `ne`, the `eq` whose complement it is.
    fn compares(
        &self,
        at: usize,
        path: &[Step],
        code: &'static str,
        operator: Operator,
        term: &Term,
    ) -> bool {
        let test = test_of(code, operator, term);
        let ends = self.ends(at, path, &[&test]);
        ends.into_iter().any(|end| match (operator, term) {
            (Operator::Ends, Term::Text(text)) => self.resources[end]
                .found(code)
                .iter()
                .any(|found| matching::ends_with(&found.value, text)),
            _ => self.test_holds(end, &test),
        })
    }
}

/// The parameter test that an operator stands for.
fn test_of(code: &'static str, operator: Operator, term: &Term) -> Test {
    let prefix = match operator {
        Operator::Prefix(prefix) => prefix,
        _ => Prefix::Eq,
    };
    let term = match term {
        Term::Date(_, text) => Term::Date(prefix, text.clone()),
        Term::Number(_, text) => Term::Number(prefix, text.clone()),
        Term::Quantity(_, text, unit) => Term::Quantity(prefix, text.clone(), unit.clone()),
        other => other.clone(),
    };
    Test {
        code,
        modifier: if operator == Operator::Contains {
            Modifier::Contains
        } else {
            Modifier::None
        },
        terms: vec![term],
    }
}
