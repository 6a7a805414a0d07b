//! One entry of a posted Bundle: what it asks for, checked as far as it can be alone; and why a transaction fails by it.

use http::StatusCode;
use rorqual_access::Ask;
use rorqual_anomaly::Finding;
use rorqual_anomaly::requests::{Action, BundleKind, EntryRequest, RequestFault};

use super::patch::read_patch;
use super::precondition::{condition_of, version_of};
use super::submission::told;
use crate::anomaly::draft::Draft;
use crate::anomaly::refusal::issue_of;
use crate::anomaly::store::Change;
use crate::index::overlay::WRITTEN;
use crate::outcome::Issue;
use crate::server::access::Caller;
use crate::server::refusal::Refusal;

/// What an entry comes to before anything is done.
pub(super) enum Part {
    /// A change to be done.
    Write(Change),
    /// Something to be read.
    Read(ReadEntry),
    /// Nothing can be done.
    Refused(Refusal),
}

/// An entry that reads.
#[derive(Clone)]
pub(super) struct ReadEntry {
    /// The address below the base, query included.
    pub(super) url: String,
    /// `ifNoneMatch` as written.
    pub(super) if_none_match: Option<String>,
    /// `ifModifiedSince` as written.
    pub(super) if_modified_since: Option<String>,
}

/// What holds for all entries of a Bundle.
pub(super) struct Rules {
    /// Whether they stand alone.
    pub(super) kind: BundleKind,
    /// Where the server is known.
    pub(super) base_url: String,
    /// Whether a change must name its version.
    pub(super) require_if_match: bool,
    /// Whether anomalies are written at all.
    pub(super) writable: bool,
    /// The reference to give when a defect shows.
    pub(super) id: String,
    /// Who asks.
    pub(super) caller: Caller,
}

impl Rules {
    /// What an entry comes to.
    pub(super) fn part(&self, entry: Result<EntryRequest, RequestFault>) -> Part {
        match entry {
            Err(fault) => Part::Refused(of_fault(&fault)),
            Ok(EntryRequest {
                action:
                    Action::Read {
                        url,
                        if_none_match,
                        if_modified_since,
                    },
                ..
            }) => Part::Read(ReadEntry {
                url,
                if_none_match,
                if_modified_since,
            }),
            Ok(entry) => self.change(entry).map_or_else(Part::Refused, Part::Write),
        }
    }

    fn change(&self, entry: EntryRequest) -> Result<Change, Refusal> {
        if !self.writable {
            return Err(Refusal::ReadOnly);
        }
        self.caller.may(match entry.action {
            Action::Patch { .. } => Ask::Patch(WRITTEN),
            _ => Ask::Create(WRITTEN),
        })?;
        match entry.action {
            Action::Create {
                body,
                if_none_exist,
            } => {
                let unless = if_none_exist.as_deref().map(condition_of).transpose()?;
                let draft = Draft::read(body.as_str().as_bytes(), &self.base_url)
                    .map_err(|refusal| told(&self.id, refusal))?;
                // Entries of a batch stand alone: none knows of another.
                let full_url = entry
                    .full_url
                    .filter(|_| self.kind == BundleKind::Transaction);
                Ok(Change::Create {
                    draft,
                    full_url,
                    unless,
                })
            }
            Action::Patch {
                id,
                if_match,
                language,
                body,
            } => {
                let if_match = if_match.as_deref().map(version_of).transpose()?;
                if if_match.is_none() && self.require_if_match {
                    return Err(Refusal::IfMatchMissing);
                }
                let patch =
                    read_patch(language, &body).map_err(|refusal| told(&self.id, refusal))?;
                Ok(Change::Patch {
                    id,
                    patch,
                    if_match,
                })
            }
            // Taken before.
            Action::Read { url, .. } => Err(Refusal::UnknownAddress { path: url }),
        }
    }
}

fn of_fault(fault: &RequestFault) -> Refusal {
    let (status, issue) = issue_of(fault as &dyn Finding);
    Refusal::Bundle {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST),
        issues: vec![issue],
        retry_after: None,
    }
}

/// Refuses a Bundle that cannot be read. A fault names its entry already.
pub(super) fn of_bundle(faults: &[RequestFault]) -> Refusal {
    let (statuses, issues): (Vec<u16>, Vec<Issue>) = faults
        .iter()
        .map(|fault| issue_of(fault as &dyn Finding))
        .unzip();
    Refusal::Bundle {
        status: of_all(
            statuses
                .into_iter()
                .filter_map(|status| StatusCode::from_u16(status).ok()),
        ),
        issues,
        retry_after: None,
    }
}

/// Refuses a transaction for the faults of its entries, each by its place.
pub(super) fn of_entries(faults: &[(usize, Refusal)]) -> Refusal {
    Refusal::Bundle {
        status: of_all(faults.iter().map(|(_, refusal)| refusal.status())),
        issues: faults
            .iter()
            .flat_map(|(place, refusal)| {
                let issues = refusal.issues().into_owned();
                issues.into_iter().map(|issue| in_entry(*place, issue))
            })
            .collect(),
        retry_after: faults
            .iter()
            .filter_map(|(_, refusal)| refusal.retry_after())
            .max(),
    }
}

/// One status for several: the least is the gravest fault of the client's. That a method is not allowed is said of the
/// entry; the Bundle itself was posted where it may be.
fn of_all(statuses: impl Iterator<Item = StatusCode>) -> StatusCode {
    match statuses.min() {
        None | Some(StatusCode::METHOD_NOT_ALLOWED) => StatusCode::BAD_REQUEST,
        Some(status) => status,
    }
}

/// The same issue, told of an entry of a Bundle.
fn in_entry(place: usize, mut issue: Issue) -> Issue {
    let entry = format!("Bundle.entry[{place}]");
    issue.diagnostics = match issue.diagnostics.as_str() {
        "" => format!("{entry}: {}", issue.text),
        told => format!("{entry}: {told}"),
    };
    issue.expression = match issue.expression.as_slice() {
        [] => vec![entry],
        paths => paths
            .iter()
            .map(|path| match path.as_str() {
                "http.If-Match" => format!("{entry}.request.ifMatch"),
                "http.If-None-Exist" => format!("{entry}.request.ifNoneExist"),
                path if path.starts_with("http.") => format!("{entry}.request.url"),
                path => match path.split_once('.') {
                    Some(("Task" | "Parameters", below)) => format!("{entry}.resource.{below}"),
                    _ => format!("{entry}.resource"),
                },
            })
            .collect(),
    };
    issue
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Severity;

    fn issue(path: &str) -> Issue {
        Issue {
            severity: Severity::Error,
            code: "value",
            text: "Text".to_owned(),
            diagnostics: "told".to_owned(),
            expression: vec![path.to_owned()],
        }
    }

    #[test]
    fn issues_are_told_of_their_entry() {
        for (path, expected) in [
            ("Task.focus", "Bundle.entry[3].resource.focus"),
            (
                "Parameters.parameter[1]",
                "Bundle.entry[3].resource.parameter[1]",
            ),
            ("Task", "Bundle.entry[3].resource"),
            ("http.If-Match", "Bundle.entry[3].request.ifMatch"),
            ("http.If-None-Exist", "Bundle.entry[3].request.ifNoneExist"),
            ("http.adress-city", "Bundle.entry[3].request.url"),
        ] {
            let told = in_entry(3, issue(path));
            assert_eq!(told.expression, [expected]);
            assert_eq!(told.diagnostics, "Bundle.entry[3]: told");
        }
    }

    #[test]
    fn a_transaction_has_the_status_of_its_gravest_fault() {
        let of = |statuses: &[u16]| {
            let statuses = statuses
                .iter()
                .filter_map(|s| StatusCode::from_u16(*s).ok());
            of_all(statuses).as_u16()
        };
        assert_eq!(of(&[422, 412, 503]), 412);
        assert_eq!(of(&[405, 422]), 400);
        assert_eq!(of(&[503]), 503);
        assert_eq!(of(&[]), 400);
    }
}
