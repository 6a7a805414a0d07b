//! The parameters of a kick-off as text: decoded once, told apart, each given as often as it may be.

use percent_encoding::percent_decode_str;

use super::fault::ExportFault;
use crate::Handling;
use crate::outcome::{Issue, Severity};
use crate::query::error::echo;

/// The parameters of `$export`; the last two shape the answer and belong to the server.
pub(super) const NAMES: [&str; 7] = [
    "_outputFormat",
    "_type",
    "_typeFilter",
    "_since",
    "includeAssociatedData",
    "_format",
    "_pretty",
];

/// The one value of `includeAssociatedData` (CodeSystem `ror-include-associated-data-code-system`).
pub(super) const COMPLETE: &str = "_myCompleteExtract";

/// What was written, decoded once.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) form: Option<String>,
    /// All types named, in order.
    pub(super) types: Vec<String>,
    /// One search each.
    pub(super) filters: Vec<String>,
    pub(super) since: Option<String>,
    /// What was left out because the client is lenient.
    pub(super) warnings: Vec<Issue>,
}

/// Takes a query string apart. Faults are added to `faults`.
pub(super) fn written(query: &str, handling: Handling, faults: &mut Vec<ExportFault>) -> Written {
    let mut out = Written::default();
    let lenient = handling == Handling::Lenient;
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (Some(name), Some(value)) = (decoded(name), decoded(value)) else {
            faults.push(ExportFault::Encoding {
                written: pair.to_owned(),
            });
            continue;
        };
        // A blank or a loose ampersand at the end of the address is no parameter.
        if name.is_empty() && value.is_empty() {
            continue;
        }
        let Some(known) = NAMES.into_iter().find(|known| *known == name) else {
            match lenient {
                true => out.warnings.push(left_out(&name, "it is not known here")),
                false => faults.push(ExportFault::UnknownParameter { name }),
            }
            continue;
        };
        if value.is_empty() {
            faults.push(ExportFault::Empty { parameter: known });
            continue;
        }
        match known {
            "_outputFormat" => once(known, &mut out.form, value, faults),
            "_since" => once(known, &mut out.since, value, faults),
            "_type" => out
                .types
                .extend(value.split(',').map(|one| one.trim().to_owned())),
            "_typeFilter" => out.filters.extend(searches(&value).map(str::to_owned)),
            "includeAssociatedData" if value != COMPLETE => match lenient {
                true => out
                    .warnings
                    .push(left_out(known, "its value is not known here")),
                false => faults.push(ExportFault::Associated { written: value }),
            },
            _ => {}
        }
    }
    out
}

fn once(
    parameter: &'static str,
    slot: &mut Option<String>,
    value: String,
    faults: &mut Vec<ExportFault>,
) {
    if slot.replace(value).is_some() {
        faults.push(ExportFault::Repeated { parameter });
    }
}

/// Decodes once, and trims; a plus stays a plus, since none of these values holds a blank that matters.
fn decoded(raw: &str) -> Option<String> {
    let mut rest = raw;
    while let Some(at) = rest.find('%') {
        let digits = rest.get(at + 1..at + 3)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        rest = rest.get(at + 3..)?;
    }
    let text = percent_decode_str(raw).decode_utf8().ok()?;
    Some(text.trim_matches([' ', '\t', '+']).to_owned())
}

/// The searches of one value. The first edition of Bulk Data joined them by commas, which values hold too: a comma
/// ends a search only where the name of a type and a question mark follow.
fn searches(value: &str) -> impl Iterator<Item = &str> {
    let mut ends: Vec<usize> = value
        .match_indices(',')
        .map(|(at, _)| at)
        .filter(|at| {
            let next = value.get(at + 1..).unwrap_or_default().trim_start();
            let name = next.split_once('?').map(|(name, _)| name);
            name.is_some_and(|name| {
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic())
            })
        })
        .collect();
    ends.push(value.len());
    let mut start = 0;
    ends.into_iter().map(move |end| {
        let search = value.get(start..end).unwrap_or_default().trim();
        start = end + 1;
        search
    })
}

fn left_out(name: &str, why: &str) -> Issue {
    Issue {
        severity: Severity::Warning,
        code: "not-supported",
        text: "Parameter left out".to_owned(),
        diagnostics: format!("{}: {why}; it was left out", echo(name)),
        expression: vec![format!("http.{name}")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> (Written, Vec<ExportFault>) {
        let mut faults = Vec::new();
        let written = written(query, Handling::Default, &mut faults);
        (written, faults)
    }

    #[test]
    fn values_are_decoded_once() {
        let (written, faults) = read(
            "_outputFormat=application/fhir+ndjson&_type=HealthcareService,%20Location&_type=Organization\
             &_typeFilter=HealthcareService%3Fname%3Da%2526b%26specialty%3D1%7C2&_since=2026-01-02T03:04:05%2B01:00&",
        );
        assert_eq!(faults, []);
        assert_eq!(written.form.as_deref(), Some("application/fhir+ndjson"));
        assert_eq!(
            written.types,
            ["HealthcareService", "Location", "Organization"]
        );
        assert_eq!(
            written.filters,
            ["HealthcareService?name=a%26b&specialty=1|2"]
        );
        assert_eq!(written.since.as_deref(), Some("2026-01-02T03:04:05+01:00"));
    }

    #[test]
    fn a_comma_parts_searches_only_before_a_type() {
        let (written, _) = read(
            "_typeFilter=HealthcareService?specialty=1,2,Location?status=active&_typeFilter=Organization?name=a",
        );
        assert_eq!(
            written.filters,
            [
                "HealthcareService?specialty=1,2",
                "Location?status=active",
                "Organization?name=a"
            ]
        );
    }

    #[test]
    fn every_fault_is_told() {
        let (_, faults) = read("_outputFormat=a&_outputFormat=b&_type=&x=%zz&patient=1");
        assert_eq!(
            faults,
            [
                ExportFault::Repeated {
                    parameter: "_outputFormat"
                },
                ExportFault::Empty { parameter: "_type" },
                ExportFault::Encoding {
                    written: "x=%zz".to_owned()
                },
                ExportFault::UnknownParameter {
                    name: "patient".to_owned()
                },
            ]
        );
    }

    #[test]
    fn a_lenient_client_is_told_what_was_left_out() {
        let mut faults = Vec::new();
        let read = written(
            "patient=1&includeAssociatedData=all",
            Handling::Lenient,
            &mut faults,
        );
        assert_eq!(faults, []);
        let told: Vec<_> = read
            .warnings
            .iter()
            .map(|one| one.expression.concat())
            .collect();
        assert_eq!(told, ["http.patient", "http.includeAssociatedData"]);
    }
}
