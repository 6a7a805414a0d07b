//! The tolerances of a comparison, and its canary searches.

use std::collections::BTreeMap;

use rorqual_schema::ResourceType;
use serde::Deserialize;

use crate::index::overlay::WRITTEN;

/// What a candidate may be like. Every key has a default, so an empty file is a valid one.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
    /// For all types and regions.
    pub tolerances: Tolerances,
    /// By type name, what differs from `tolerances`: how far the count of the type may change.
    pub types: BTreeMap<String, TypeTolerances>,
    /// Searches whose totals are known well enough.
    pub canary: Vec<Canary>,
}

/// How far a candidate may be from the live generation. Shares are in per cent.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tolerances {
    /// How much a type may shrink. Default 5.
    pub shrink_percent: f64,
    /// How much a type may grow. Default 20. Anomalies are reported one by one and may always grow ([`Rules::grow`]).
    pub grow_percent: f64,
    /// How much a type may shrink in one region. Default 10.
    pub region_shrink_percent: f64,
    /// How much a type other than anomalies may grow in one region. Default 40.
    pub region_grow_percent: f64,
    /// A count that changes by so many or fewer passes, whatever share that is. Default 20.
    pub slack: u64,
    /// How many of the records read may have been refused. Default 0.5.
    pub rejected_percent: f64,
    /// How many dangling references a hundred resources of a type may have. Default 20.
    pub dangling_percent: f64,
    /// How many more than in the live generation. Default 2.
    pub dangling_rise_percent: f64,
}

impl Default for Tolerances {
    fn default() -> Self {
        Tolerances {
            shrink_percent: 5.0,
            grow_percent: 20.0,
            region_shrink_percent: 10.0,
            region_grow_percent: 40.0,
            slack: 20,
            rejected_percent: 0.5,
            dangling_percent: 20.0,
            dangling_rise_percent: 2.0,
        }
    }
}

/// How far one type may change. What is absent is as for all types.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TypeTolerances {
    /// How much it may shrink, in per cent.
    pub shrink_percent: Option<f64>,
    /// How much it may grow, in per cent.
    pub grow_percent: Option<f64>,
    /// How many of the type there must be, whatever there were.
    pub least: Option<u64>,
}

/// A search whose total must stay within bounds.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canary {
    /// `Type?parameters`, as behind the base of a FHIR URL.
    pub query: String,
    /// The least total.
    pub least: Option<u64>,
    /// The greatest total.
    pub most: Option<u64>,
    /// How far it may be from the total of the live generation, in per cent, either way.
    pub change_percent: Option<f64>,
}

/// Rules that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// A share outside its range.
    #[error("{key} = {value} is out of range: give a number of per cent, 0 or more")]
    Share {
        /// The key.
        key: String,
        /// The value given.
        value: f64,
    },
    /// A type that does not exist.
    #[error("[types.{name}]: there is no such resource type; write it as in HealthcareService")]
    Type {
        /// The name given.
        name: String,
    },
    /// A canary that would pass whatever it found.
    #[error("the canary {query} has no bound; give it least, most or change_percent")]
    Unbounded {
        /// Its search.
        query: String,
    },
}

impl Rules {
    /// How much a type may grow, in per cent; nothing: by any number. Anomalies come from those who report them, not from the extract: their
    /// growth says nothing about it, and is bounded only by rules of their own.
    pub(super) fn grow(&self, kind: ResourceType) -> Option<f64> {
        let own = self.types.get(kind.name()).and_then(|own| own.grow_percent);
        own.or_else(|| (kind != WRITTEN).then_some(self.tolerances.grow_percent))
    }

    /// How much a type may grow in one region, in per cent; nothing: by any number.
    pub(super) fn region_grow(&self, kind: ResourceType) -> Option<f64> {
        (kind != WRITTEN).then_some(self.tolerances.region_grow_percent)
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`RuleError`] for the first that cannot be used.
    pub fn check(&self) -> Result<(), RuleError> {
        let all = &self.tolerances;
        let share = |key: String, value: f64| match value >= 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(RuleError::Share { key, value }),
        };
        for (key, value) in [
            ("shrink_percent", all.shrink_percent),
            ("grow_percent", all.grow_percent),
            ("region_shrink_percent", all.region_shrink_percent),
            ("region_grow_percent", all.region_grow_percent),
            ("rejected_percent", all.rejected_percent),
            ("dangling_percent", all.dangling_percent),
            ("dangling_rise_percent", all.dangling_rise_percent),
        ] {
            share(format!("tolerances.{key}"), value)?;
        }
        for (name, own) in &self.types {
            if rorqual_schema::ResourceType::from_name(name).is_none() {
                return Err(RuleError::Type { name: name.clone() });
            }
            for (key, value) in [
                ("shrink_percent", own.shrink_percent),
                ("grow_percent", own.grow_percent),
            ] {
                share(format!("types.{name}.{key}"), value.unwrap_or(0.0))?;
            }
        }
        for canary in &self.canary {
            if canary.least.is_none() && canary.most.is_none() && canary.change_percent.is_none() {
                return Err(RuleError::Unbounded {
                    query: canary.query.clone(),
                });
            }
            share(
                format!("canary {}: change_percent", canary.query),
                canary.change_percent.unwrap_or(0.0),
            )?;
        }
        Ok(())
    }
}
