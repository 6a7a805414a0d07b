//! Values of reference parameters.

use rorqual_schema::{
    Parameter, ReferenceQuery, ReferenceTarget, ResourceType, parse_reference, parse_token,
};

use super::Reader;
use super::leaf::{Item, bad, type_modifier, unsupported};
use super::path::hierarchy;
use crate::query::criterion::Test;
use crate::query::error::Fault;

impl Reader<'_> {
    /// Reads one value of a reference parameter.
    pub(super) fn reference(
        &self,
        name: &str,
        known: &Parameter,
        modifier: Option<&str>,
        text: &str,
    ) -> Result<Item, Fault> {
        let literal = || parse_reference(text).map_err(|source| bad(name, text, source));
        match modifier {
            None => Ok(self
                .ours(literal()?)
                .map_or(NO_MATCH, |query| Item::from(Test::Reference(query)))),
            Some("identifier") => {
                let query = parse_token(text).map_err(|source| bad(name, text, source))?;
                Ok(Item::from(Test::LogicalReference(query)))
            }
            Some("below") => {
                let upper = known
                    .targets
                    .iter()
                    .find(|target| hierarchy(self.schema, **target).is_some());
                let Some(upper) = upper else {
                    return Err(unsupported(name, known, "below"));
                };
                let query = self.ours(literal()?).and_then(|query| of(query, *upper));
                Ok(query.map_or(NO_MATCH, |query| Item::from(Test::Below(query))))
            }
            Some(word) => match type_modifier(word) {
                Some(target) if known.targets.contains(&target) => {
                    let query = self.ours(literal()?).and_then(|query| of(query, target));
                    Ok(query.map_or(NO_MATCH, |query| Item::from(Test::Reference(query))))
                }
                _ => Err(unsupported(name, known, word)),
            },
        }
    }

    /// The reference without our base; nothing when it points to another server.
    fn ours(&self, query: ReferenceQuery) -> Option<ReferenceQuery> {
        let base = self.options.base_url.trim_end_matches('/');
        match &query.base {
            Some(written) if written != base => None,
            _ => Some(ReferenceQuery {
                base: None,
                ..query
            }),
        }
    }
}

/// A well-formed reference that nothing can point to.
const NO_MATCH: Item = Item {
    test: None,
    canonical: None,
    centre: None,
};

/// The reference narrowed to a type; nothing when it names another.
fn of(query: ReferenceQuery, target: ResourceType) -> Option<ReferenceQuery> {
    match &query.target {
        ReferenceTarget::Any => Some(ReferenceQuery {
            target: ReferenceTarget::Type(target),
            ..query
        }),
        ReferenceTarget::Type(named) if *named == target => Some(query),
        _ => None,
    }
}
