//! Which resources an export holds: one bitmap for each type.

use roaring::RoaringBitmap;
use rorqual_schema::{DateRange, Prefix, ResourceType};

use super::EXPORTED;
use super::associates::{locations, organizations, practitioners, roles};
use super::request::Wanted;
use crate::SearchError;
use crate::index::column::Values;
use crate::index::date::DateIndex;
use crate::index::generation::Generation;
use crate::index::snapshot::Snapshot;
use crate::query::evaluate::Evaluator;
use crate::view::created;

use ResourceType::{HealthcareService, Practitioner, PractitionerRole};

/// The resources of one type.
#[derive(Debug)]
pub(super) struct Selected {
    pub(super) kind: ResourceType,
    /// How many there are, changed or not.
    pub(super) total: u64,
    /// Those to be exported: all of them, or those changed since the instant asked about.
    pub(super) ordinals: RoaringBitmap,
}

/// Finds what is wanted, in the order of [`EXPORTED`]. Nothing once `cancelled`.
///
/// Without a filter of offers, a type named by `_type` is exported whole; a type that is not named comes as far as it
/// belongs to offers. With one, everything else comes as far as it belongs to the offers that are left.
///
/// # Errors
/// [`SearchError`] when a filter cannot be evaluated.
pub(super) fn select(
    snapshot: &Snapshot,
    wanted: &Wanted,
    base_url: &str,
    cancelled: &dyn Fn() -> bool,
) -> Result<Option<Vec<Selected>>, SearchError> {
    let generation = snapshot.generation();
    let evaluator = Evaluator::new(snapshot, base_url);
    let filtered = |kind: ResourceType, found: RoaringBitmap| {
        let mut any: Option<RoaringBitmap> = None;
        for (_, criterion) in wanted.filters.iter().filter(|(of, _)| *of == kind) {
            let matching = evaluator.matches(kind, criterion)?;
            any = Some(match any {
                Some(any) => any | matching,
                None => matching,
            });
        }
        Ok::<_, SearchError>(match any {
            Some(any) => found & any,
            None => found,
        })
    };
    let limited = wanted
        .filters
        .iter()
        .any(|(kind, _)| *kind == HealthcareService);
    if cancelled() {
        return Ok(None);
    }
    let offers = filtered(HealthcareService, everything(generation, HealthcareService))?;
    let mut out = Vec::new();
    for kind in EXPORTED {
        if cancelled() {
            return Ok(None);
        }
        if !wanted.includes(kind) || !wanted.permitted.contains(&kind) {
            continue;
        }
        let whole = wanted.named.contains(&kind) && !limited;
        let found = match kind {
            HealthcareService => offers.clone(),
            kind if whole => filtered(kind, everything(generation, kind))?,
            Practitioner => {
                // A filter of situations leaves out the professionals of the others.
                let roles = filtered(PractitionerRole, roles(generation, &offers))?;
                filtered(kind, practitioners(generation, &roles))?
            }
            PractitionerRole => filtered(kind, roles(generation, &offers))?,
            ResourceType::Location => filtered(kind, locations(generation, &offers))?,
            _ => filtered(kind, organizations(generation, &offers))?,
        };
        let total = found.len();
        let mut ordinals = match (wanted.since, changes(generation, kind)) {
            (None, _) => found,
            // Without a date a resource is older than any other.
            (Some(_), None) => RoaringBitmap::new(),
            (Some(since), Some(dates)) => found & reaching(dates, since),
        };
        ordinals.optimize();
        out.push(Selected {
            kind,
            total,
            ordinals,
        });
    }
    Ok(Some(out))
}

/// The instant up to which a generation is known to be complete, in microseconds since 1970 UTC: the latest change that
/// it holds, and not when it was built, since what changed between extract and build is not in it. A date after the
/// build is a mistake of its source and does not count.
pub(super) fn complete_up_to(generation: &Generation) -> i64 {
    let built = created(generation).map_or(i64::MAX, |milliseconds| {
        milliseconds.saturating_add(1).saturating_mul(1000) - 1
    });
    let latest = EXPORTED
        .into_iter()
        .filter_map(|kind| changes(generation, kind)?.last_start_by(built))
        .max();
    latest.unwrap_or(built)
}

fn everything(generation: &Generation, kind: ResourceType) -> RoaringBitmap {
    let mut all = RoaringBitmap::new();
    all.insert_range(0..generation.directory(kind).len());
    all
}

/// When the resources of a type changed.
fn changes(generation: &Generation, kind: ResourceType) -> Option<&DateIndex> {
    let number = generation.schema().find(kind, "_lastUpdated")?;
    match &generation.directory(kind).parameter(number)?.values {
        Values::Date(dates) => Some(dates),
        _ => None,
    }
}

/// Whose date, with the precision it is written in, may be at or after an instant.
fn reaching(dates: &DateIndex, since: i64) -> RoaringBitmap {
    dates.select(
        Prefix::Gt,
        DateRange {
            low: since,
            high: since,
        },
    )
}
