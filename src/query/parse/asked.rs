//! Everything that a request asks about: each type and each parameter, wherever it stands, for those who may not ask
//! about all.

use std::collections::BTreeSet;

use rorqual_schema::{ResourceType, Schema};

use super::{Include, Request, SortBy};
use crate::query::criterion::Criterion;

/// A type, with the code of one of its parameters; without one, the type as such.
pub type Asked = (ResourceType, Option<String>);

impl Request {
    /// What this request asks about. Includes with a wildcard ask for nothing by name: they bring what may be seen.
    pub fn asked(&self, schema: &Schema) -> BTreeSet<Asked> {
        let mut asked = Collector {
            schema,
            found: BTreeSet::from([(self.kind, None)]),
        };
        asked.criterion(self.kind, &self.criterion);
        for key in &self.sort {
            match key.by {
                SortBy::Parameter(parameter) | SortBy::Distance(parameter) => {
                    // A distance may be that of places one reference away; its criterion is asked about above.
                    if matches!(key.by, SortBy::Parameter(_)) {
                        asked.parameter(self.kind, parameter);
                    }
                }
                SortBy::Chained {
                    reference,
                    target,
                    parameter,
                } => {
                    asked.parameter(self.kind, reference);
                    asked.parameter(target, parameter);
                }
                SortBy::Score => {}
            }
        }
        for include in &self.includes {
            asked.include(include);
        }
        asked.found
    }
}

struct Collector<'s> {
    schema: &'s Schema,
    found: BTreeSet<Asked>,
}

impl Collector<'_> {
    fn kind(&mut self, kind: ResourceType) {
        self.found.insert((kind, None));
    }

    fn parameter(&mut self, kind: ResourceType, number: usize) {
        self.kind(kind);
        let known = self.schema.parameters(kind).get(number);
        self.found
            .extend(known.map(|parameter| (kind, Some(parameter.code.clone()))));
    }

    fn criterion(&mut self, kind: ResourceType, criterion: &Criterion) {
        match criterion {
            Criterion::All | Criterion::Nothing => {}
            Criterion::And(parts) | Criterion::Or(parts) => {
                for part in parts {
                    self.criterion(kind, part);
                }
            }
            Criterion::Not(inner) | Criterion::Line { inner, .. } => self.criterion(kind, inner),
            Criterion::Test { parameter, .. } => self.parameter(kind, *parameter),
            Criterion::Chain {
                parameter,
                target,
                inner,
                ..
            } => {
                self.parameter(kind, *parameter);
                self.kind(*target);
                self.criterion(*target, inner);
            }
            Criterion::Has {
                source,
                parameter,
                inner,
            } => {
                self.parameter(*source, *parameter);
                self.criterion(*source, inner);
            }
        }
    }

    fn include(&mut self, include: &Include) {
        if let Some(source) = include.source {
            self.kind(source);
            if let Some(parameter) = include.parameter {
                self.parameter(source, parameter);
            }
        }
        // Who names a reference that leads to one type only asks for that type.
        let known = include.source.zip(include.parameter);
        let known = known.and_then(|(kind, number)| self.schema.parameters(kind).get(number));
        let alone = known.and_then(|parameter| match parameter.targets.as_slice() {
            [target] => Some(*target),
            _ => None,
        });
        if let Some(target) = include.target.or(alone) {
            self.kind(target);
        }
    }
}
