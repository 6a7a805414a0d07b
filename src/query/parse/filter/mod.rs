//! `_filter`: from its text to a condition, through the same names and values as ordinary parameters.
//!
//! Reading order: `syntax` (the tree as written), `lexer`, `grammar` (text to tree), `resolve` (tree to condition).

mod grammar;
mod lexer;
mod resolve;
mod syntax;
#[cfg(test)]
mod tests;

use super::Reader;
use super::decode::{Pair, Writer};
use crate::query::criterion::Criterion;
use crate::query::error::Fault;

/// What is wrong with a filter.
#[derive(Debug)]
enum Trouble {
    /// Its form, at a byte of the text.
    Form { at: usize, fault: String },
    /// A name, a value or a limit, at a byte of the text.
    Meaning { at: usize, fault: Box<Fault> },
    /// Brackets too deep inside each other.
    TooDeep,
    /// Too many comparisons.
    TooMany,
}

impl Trouble {
    fn form(at: usize, fault: &str) -> Trouble {
        Trouble::Form {
            at,
            fault: fault.to_owned(),
        }
    }

    /// Whether a name or value does not fit the type it is read on, so that it may fit another.
    fn is_misfit(&self) -> bool {
        match self {
            Trouble::Meaning { fault, .. } => !matches!(
                **fault,
                Fault::TooCostly { .. } | Fault::NotOffered { .. } | Fault::Slip { .. }
            ),
            _ => false,
        }
    }

    /// The fault, with its place in the text counted in characters.
    fn fault(self, text: &str) -> Fault {
        let too_costly = |what, limit| Fault::TooCostly {
            parameter: Some("_filter".to_owned()),
            what,
            got: limit + 1,
            limit,
        };
        match self {
            Trouble::Form { at, fault } => located(text, at, fault, false),
            Trouble::Meaning { at, fault } => match *fault {
                fault @ (Fault::TooCostly { .. }
                | Fault::Slip { .. }
                | Fault::NotOffered { .. }
                | Fault::Internal { .. }) => fault,
                fault => {
                    let unsupported = fault.issue().code == "not-supported";
                    located(text, at, fault.to_string(), unsupported)
                }
            },
            Trouble::TooDeep => {
                too_costly("levels of parentheses in _filter", grammar::MAXIMUM_DEPTH)
            }
            Trouble::TooMany => too_costly("comparisons in _filter", grammar::MAXIMUM_NODES),
        }
    }
}

fn located(text: &str, at: usize, fault: String, unsupported: bool) -> Fault {
    let before = text.get(..at).unwrap_or(text);
    let after = text.get(at..).unwrap_or_default();
    Fault::Filter {
        position: before.chars().count() + 1,
        text: after
            .chars()
            .take(20)
            .collect::<String>()
            .trim_end()
            .to_owned(),
        fault,
        unsupported,
    }
}

impl Reader<'_> {
    /// Reads a `_filter` of the type searched.
    pub(super) fn filter(&mut self, pair: &Pair, out: &mut Writer) -> Result<Criterion, Fault> {
        if !self.options.features.filter {
            return Err(Fault::NotOffered {
                parameter: pair.name.clone(),
                what: "_filter",
            });
        }
        let text = pair.value.as_str();
        let parsed = grammar::parse(text).map_err(|trouble| trouble.fault(text))?;
        for slip in &parsed.slips {
            let fault = "it is not of the grammar of filters";
            self.notes
                .slip("_filter", &slip.written, &slip.meant, fault)?;
        }
        let (criterion, canonical) = self
            .resolve_filter(&parsed.expression)
            .map_err(|trouble| trouble.fault(text))?;
        let depth = criterion.depth();
        // Alternating connectives nest without parentheses.
        let limit = 2 * grammar::MAXIMUM_DEPTH;
        if depth > limit {
            return Err(Fault::TooCostly {
                parameter: Some("_filter".to_owned()),
                what: "levels of alternating and, or and brackets in _filter",
                got: depth,
                limit,
            });
        }
        out.push("_filter", &canonical);
        Ok(criterion)
    }
}
