//! Making another generation live than the one that is: a candidate that passed, or one that was live before.
//!
//! No anomaly is lost on the way. A generation that holds all those of the live one goes live as it is. Otherwise a new
//! one is made, as a fold makes it: the directory linked from the one asked for, and every anomaly of the live generation
//! and of the log over its own.

use std::path::Path;
use std::sync::Arc;

use chrono::{SecondsFormat, Utc};
use rorqual_schema::{Node, TimeZoneRule, parse_date};
use serde::Serialize;

use super::carried::{CarryError, carried};
use super::fold::{FoldError, Next, with_anomalies};
use super::journal::Journal;
use crate::index::FormatError;
use crate::index::candidate::{self, Candidate};
use crate::index::generation::{GENERATIONS, Generation};
use crate::index::kept::{Kept, Standing, kept};
use crate::index::overlay::{Version, WRITTEN};
use crate::index::workplace::{Workplace, generation_id};

/// Why another generation did not go live. What was live stays live, and the log stays whole.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TakeoverError {
    /// The index cannot be read or written, or the log not read.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The anomalies of the live generation or of the log cannot be read.
    #[error(transparent)]
    Carry(#[from] CarryError),
    /// There is no such generation.
    #[error(
        "there is no generation {generation} here; `rorqual generations` lists those there are"
    )]
    Unknown {
        /// The id asked for.
        generation: String,
    },
    /// It is live.
    #[error("generation {generation} is live already")]
    Live {
        /// The id asked for.
        generation: String,
    },
    /// A candidate was expected.
    #[error(
        "generation {generation} is no candidate; to go back to one that was live, use `rorqual rollback`"
    )]
    NotCandidate {
        /// The id asked for.
        generation: String,
    },
    /// A generation that was live was expected.
    #[error(
        "generation {generation} has never been live; to make a candidate live, use `rorqual publish`"
    )]
    NeverLive {
        /// The id asked for.
        generation: String,
    },
    /// Access profiles would be left without what they see.
    #[error(
        "generation {generation} has no view {view}, and the access profiles that see it would be refused; \
         build it again with index-builder --access, or allow it with --without-views"
    )]
    ViewLost {
        /// The id asked for.
        generation: String,
        /// The view that only the live generation has.
        view: String,
    },
}

impl From<FormatError> for TakeoverError {
    fn from(error: FormatError) -> Self {
        TakeoverError::Fold(error.into())
    }
}

/// What is asked of a takeover.
#[derive(Clone, Copy, Debug)]
pub struct TakeoverOptions {
    /// What stays on disk: see [`crate::index::kept::prune`]; for a rollback, generations of the same build.
    pub keep: usize,
    /// Goes on when the live generation has views that the other has not.
    pub without_views: bool,
}

/// What a takeover did. Serialised keys are stable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TakeoverReport {
    /// The generation that is live now.
    pub generation: String,
    /// The generation asked for: its directory is the live one now.
    pub from: String,
    /// The generation that was live before.
    pub before: Option<String>,
    /// Anomalies that were brought over from the one before and from the log. 0 when the generation held them already.
    pub carried: u64,
    /// Anomalies in the live generation.
    pub anomalies: u64,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

/// Makes a candidate live.
///
/// # Errors
/// [`TakeoverError`].
pub fn publish(
    index: &Path,
    wanted: &str,
    options: TakeoverOptions,
) -> Result<TakeoverReport, TakeoverError> {
    let begun = std::time::Instant::now();
    let taking = Taking::enter(index, options)?;
    let mark = match candidate::all(index)?.iter().any(|id| id == wanted) {
        true => Candidate::read(index, wanted)?,
        false => None,
    };
    let mark = mark.ok_or_else(|| {
        let generation = wanted.to_owned();
        match taking.find(wanted) {
            None => TakeoverError::Unknown { generation },
            Some(Standing::Live) => TakeoverError::Live { generation },
            Some(_) => TakeoverError::NotCandidate { generation },
        }
    })?;
    let opened = taking.open(wanted)?;
    let report = TakeoverReport {
        generation: wanted.to_owned(),
        from: wanted.to_owned(),
        before: taking.live().map(|live| live.generation.clone()),
        carried: 0,
        anomalies: u64::from(opened.directory(WRITTEN).len()),
        milliseconds: 0,
    };
    // What was written since its build is still in the log, beyond its mark.
    let unchanged = report.before.is_none() || report.before == mark.live;
    let mut report = if unchanged {
        taking.workplace.make_live(wanted, options.keep)?;
        report
    } else {
        let report = taking.carry_over(&opened, "publish", report)?;
        taking.workplace.drop_candidate(wanted)?;
        report
    };
    report.milliseconds = begun.elapsed().as_millis() as u64;
    Ok(report)
}

/// Makes the directory of a generation that was live before the live one again, with every anomaly there is now.
///
/// # Errors
/// [`TakeoverError`].
pub fn rollback(
    index: &Path,
    to: &str,
    options: TakeoverOptions,
) -> Result<TakeoverReport, TakeoverError> {
    let begun = std::time::Instant::now();
    let taking = Taking::enter(index, options)?;
    let generation = to.to_owned();
    match (taking.find(to), taking.live()) {
        (Some(Standing::Kept), Some(live)) => {
            let wanted = taking.open(to)?;
            let report = TakeoverReport {
                generation: String::new(),
                from: generation,
                before: Some(live.generation.clone()),
                carried: 0,
                anomalies: 0,
                milliseconds: 0,
            };
            let mut report = taking.carry_over(&wanted, "rollback", report)?;
            report.milliseconds = begun.elapsed().as_millis() as u64;
            Ok(report)
        }
        (None, _) | (_, None) => Err(TakeoverError::Unknown { generation }),
        (Some(Standing::Live), _) => Err(TakeoverError::Live { generation }),
        (Some(Standing::Candidate | Standing::Debris), _) => {
            Err(TakeoverError::NeverLive { generation })
        }
    }
}

/// An index directory in which another generation is about to go live. The live one may be of another format version: of it
/// only what every version has is read.
struct Taking<'a> {
    index: &'a Path,
    id: String,
    created: String,
    workplace: Workplace,
    /// All that are on disk; none as long as none is live.
    generations: Vec<Kept>,
    options: TakeoverOptions,
}

impl<'a> Taking<'a> {
    fn enter(index: &'a Path, options: TakeoverOptions) -> Result<Taking<'a>, TakeoverError> {
        let started = Utc::now();
        let id = generation_id(started)?;
        // An empty folder is not made an index directory by a slip of the pen.
        if !index.join(GENERATIONS).is_dir() {
            return Err(FormatError::NoGeneration {
                path: index.to_owned(),
            }
            .into());
        }
        let workplace = Workplace::enter(index, &id)?;
        let generations = match kept(index) {
            Err(FormatError::NoGeneration { .. }) => Vec::new(),
            found => found?,
        };
        Ok(Taking {
            index,
            id,
            created: started.to_rfc3339_opts(SecondsFormat::Millis, true),
            workplace,
            generations,
            options,
        })
    }

    fn find(&self, id: &str) -> Option<Standing> {
        let mut all = self.generations.iter();
        all.find(|kept| kept.generation == id)
            .map(|kept| kept.standing)
    }

    fn live(&self) -> Option<&Kept> {
        let mut all = self.generations.iter();
        all.find(|kept| kept.standing == Standing::Live)
    }

    /// Opens the generation asked for, if nobody loses by it.
    fn open(&self, id: &str) -> Result<Arc<Generation>, TakeoverError> {
        let wanted = Generation::open(&Generation::path_of(self.index, id))?;
        let mut views = self.live().into_iter().flat_map(|live| &live.views);
        if !self.options.without_views
            && let Some(view) = views.find(|view| !wanted.views().contains_key(*view))
        {
            return Err(TakeoverError::ViewLost {
                generation: id.to_owned(),
                view: view.clone(),
            });
        }
        Ok(Arc::new(wanted))
    }

    /// Makes and publishes a generation with the directory of `wanted` and the anomalies of all.
    fn carry_over(
        &self,
        wanted: &Arc<Generation>,
        made_by: &'static str,
        report: TakeoverReport,
    ) -> Result<TakeoverReport, TakeoverError> {
        let (mut versions, journal) = standing(self.index, wanted)?;
        versions.extend(journal.versions);
        let next = Next {
            id: &self.id,
            created: self.created.clone(),
            mark: journal.mark,
            made_by,
        };
        let built = self.workplace.staging().join("generation");
        let (manifest, (created, changed)) = with_anomalies(wanted, &versions, &built, &next)?;
        self.workplace
            .publish(&built, &self.id, self.options.keep)?;
        Ok(TakeoverReport {
            generation: self.id.clone(),
            carried: created + changed,
            anomalies: manifest.counts.get(WRITTEN.name()).copied().unwrap_or(0),
            ..report
        })
    }
}

/// The anomalies of the live generation that another has not, or not as they are now, and what the log holds beyond. All of
/// them are held in memory.
fn standing(index: &Path, wanted: &Generation) -> Result<(Vec<Version>, Journal), TakeoverError> {
    let others = wanted.directory(WRITTEN);
    let schema = wanted.schema();
    let zone = schema.time_zone();
    let mut versions = Vec::new();
    let journal = carried::<TakeoverError>(index, |body| {
        let unreadable = |detail: &str| FormatError::Damaged {
            path: index.to_owned(),
            detail: format!("an anomaly of the live generation {detail}"),
        };
        let task = Node::parse(body).map_err(|error| unreadable(&error.to_string()))?;
        let id = task.get("id").and_then(Node::as_str);
        let id = id.ok_or_else(|| unreadable("has no id"))?;
        // A newer extract may hold a later version than the live generation, never an earlier one that counts.
        let other = others
            .ordinal(id)
            .and_then(|ordinal| others.bodies().body(ordinal));
        let stays =
            other.is_some_and(|other| other == body || updated(&other, zone) > updated(body, zone));
        if !stays {
            versions.push(Version {
                // Before everything that the log holds.
                sequence: 0,
                instant: 0,
                id: id.to_owned(),
                body: body.to_vec(),
            });
        }
        Ok(())
    })?;
    Ok((versions, journal))
}

/// `meta.lastUpdated` in microseconds since 1970 UTC; what has none is older than everything.
fn updated(body: &[u8], zone: &TimeZoneRule) -> i64 {
    let Ok(node) = Node::parse(body) else {
        return i64::MIN;
    };
    node.get("meta")
        .and_then(|meta| meta.get("lastUpdated"))
        .and_then(Node::as_str)
        .and_then(|text| parse_date(text, zone).ok())
        .map_or(i64::MIN, |range| range.low)
}
