//! What a kick-off asks for: parameters read, types and searches known, everything refused that would have no effect.

use rorqual_schema::{DateRange, ResourceType, parse_date};

use super::EXPORTED;
use super::fault::{ExportError, ExportFault};
use super::form::OutputForm;
use super::parameters::written;
use crate::bundle::assemble::Coding;
use crate::engine::DEFAULT_BASE_URL;
use crate::index::overlay::WRITTEN;
use crate::index::snapshot::Snapshot;
use crate::outcome::Issue;
use crate::query::criterion::Criterion;
use crate::query::parse::{DEFAULT_COUNT, Request, TotalMode};
use crate::view::Permits;
use crate::{Handling, SearchRequest, View};

/// A kick-off, with what a server knows of it.
#[derive(Clone, Copy, Debug)]
pub struct ExportRequest<'a> {
    /// The query string as received, percent-encoded.
    pub query: &'a str,
    /// Base of the URLs in files and manifest, without a final slash.
    pub base_url: &'a str,
    /// `Prefer: handling`.
    pub handling: Handling,
    /// Other preferences of `Prefer`, as written.
    pub preferences: &'a [&'a str],
    /// What the caller may ask about; nothing: everything.
    pub permits: Option<&'a dyn Permits>,
}

impl<'a> ExportRequest<'a> {
    /// A kick-off by an embedder: any resource may be asked for, URLs lie under [`DEFAULT_BASE_URL`].
    pub fn new(query: &'a str) -> ExportRequest<'a> {
        ExportRequest {
            query,
            base_url: DEFAULT_BASE_URL,
            handling: Handling::Default,
            preferences: &[],
            permits: None,
        }
    }
}

/// What is to be exported.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) form: OutputForm,
    /// The types named by `_type`; empty without it.
    pub(super) named: Vec<ResourceType>,
    /// The types that the caller may see.
    pub(super) permitted: Vec<ResourceType>,
    /// `_typeFilter`: several of one type are alternatives.
    pub(super) filters: Vec<(ResourceType, Criterion)>,
    /// `_since`, as an instant in microseconds since 1970 UTC.
    pub(super) since: Option<i64>,
    /// What the client should know about how the request was read.
    pub(super) warnings: Vec<Issue>,
}

impl Wanted {
    /// Whether a type is asked for: offers bring along all that belongs to them.
    pub(super) fn includes(&self, kind: ResourceType) -> bool {
        self.named.is_empty()
            || self.named.contains(&kind)
            || self.named.contains(&ResourceType::HealthcareService)
    }

    /// Reads a kick-off on what `snapshot` holds.
    ///
    /// # Errors
    /// [`ExportError::Refused`] with every fault found.
    pub(super) fn read(
        view: &View,
        snapshot: &Snapshot,
        request: &ExportRequest<'_>,
    ) -> Result<Wanted, ExportError> {
        let mut faults = Vec::new();
        preferences(request.preferences, &mut faults);
        let written = written(request.query, request.handling, &mut faults);
        let form = match written.form {
            None => OutputForm::default(),
            Some(written) => OutputForm::from_name(&written).unwrap_or_else(|| {
                faults.push(ExportFault::Form { written });
                OutputForm::default()
            }),
        };
        let may = |kind: ResourceType| {
            let reason = request.permits?.check(kind, None).err()?;
            Some(ExportFault::Forbidden { reason })
        };
        let mut named = Vec::new();
        for name in written.types {
            match kind("_type", &name) {
                Ok(kind) => {
                    faults.extend(may(kind));
                    named.push(kind);
                }
                Err(fault) => faults.push(fault),
            }
        }
        let since = written.since.and_then(|written| {
            let read: Result<DateRange, _> = parse_date(&written, snapshot.schema().time_zone());
            match read {
                Ok(range) => Some(range.low),
                Err(source) => {
                    faults.push(ExportFault::Since { written, source });
                    None
                }
            }
        });
        let mut wanted = Wanted {
            form,
            named,
            permitted: EXPORTED
                .into_iter()
                .filter(|kind| may(*kind).is_none())
                .collect(),
            filters: Vec::new(),
            since,
            warnings: written.warnings,
        };
        for text in &written.filters {
            match filter(view, snapshot, request, text) {
                Ok((kind, read)) => {
                    // Offers may be limited even when only what belongs to them is asked for.
                    if !wanted.includes(kind) && kind != ResourceType::HealthcareService {
                        faults.push(ExportFault::FilterUnused { kind });
                    }
                    wanted.warnings.extend(read.warnings);
                    wanted.filters.push((kind, read.criterion));
                }
                Err(fault) => faults.push(fault),
            }
        }
        match faults.is_empty() {
            true => Ok(wanted),
            false => Err(ExportError::Refused { faults }),
        }
    }
}

/// `respond-async` is what happens anyway, `wait` is a wish; anything else would not be met.
fn preferences(written: &[&str], faults: &mut Vec<ExportFault>) {
    let met = |preference: &&&str| {
        let name = preference.split(['=', ';']).next().unwrap_or_default();
        let name = name.trim().to_ascii_lowercase();
        name.is_empty() || name == "respond-async" || name == "wait"
    };
    let unmet = written.iter().filter(|preference| !met(preference));
    faults.extend(unmet.map(|preference| ExportFault::Prefer {
        written: preference.trim().to_owned(),
    }));
}

fn kind(parameter: &'static str, name: &str) -> Result<ResourceType, ExportFault> {
    match ResourceType::from_name(name) {
        Some(WRITTEN) => Err(ExportFault::NotExported {
            parameter,
            kind: WRITTEN,
        }),
        Some(kind) => Ok(kind),
        None => Err(ExportFault::UnknownType {
            parameter,
            written: name.to_owned(),
        }),
    }
}

/// Reads one `_typeFilter` with the parser of searches.
fn filter(
    view: &View,
    snapshot: &Snapshot,
    request: &ExportRequest<'_>,
    text: &str,
) -> Result<(ResourceType, Request), ExportFault> {
    let (name, query) = text
        .split_once('?')
        .ok_or_else(|| ExportFault::FilterForm {
            written: text.to_owned(),
        })?;
    let kind = kind("_typeFilter", name.trim())?;
    let search = SearchRequest {
        kind,
        query,
        base_url: request.base_url,
        handling: request.handling,
        permits: request.permits,
        coding: Coding::Identity,
        name: None,
    };
    let read = view
        .read_search(snapshot, &search)
        .map_err(|error| ExportFault::Filter {
            written: text.to_owned(),
            error,
        })?;
    match control(&read) {
        None => Ok((kind, read)),
        Some(name) => Err(ExportFault::FilterControl {
            written: text.to_owned(),
            name: name.to_owned(),
        }),
    }
}

/// The first thing asked for that shapes a page.
fn control(read: &Request) -> Option<&'static str> {
    let asked = [
        ("_count", read.count != DEFAULT_COUNT || read.count_only),
        ("_cursor", read.cursor.is_some()),
        ("_sort", !read.sort.is_empty()),
        ("_include", !read.includes.is_empty()),
        ("_summary", read.summary.is_some()),
        ("_elements", !read.elements.is_empty()),
        ("_total", read.total != TotalMode::Accurate),
    ];
    asked
        .iter()
        .find(|(_, asked)| *asked)
        .map(|(name, _)| *name)
}
