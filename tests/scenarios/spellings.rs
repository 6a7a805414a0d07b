//! Published misspellings work with a warning, and are refused under strict handling.

use crate::documents::{Handling, Request};
use crate::page::{Issue, issues};
use crate::report;
use crate::served::{Served, served};
use crate::slips::slips;

/// A request published as a misspelling whose text, ready to be sent, holds none: a blank before the end of the line.
const SPELT_WELL: [&str; 1] = ["consult-04/b"];

const STRICT: [(&str, &str); 1] = [("Prefer", "handling=strict")];

/// Slips that no issue names.
fn unnamed(slips: &[String], issues: &[Issue]) -> Vec<String> {
    let named = |slip: &&String| {
        issues
            .iter()
            .any(|issue| issue.text.contains(slip.as_str()))
    };
    slips.iter().filter(|slip| !named(slip)).cloned().collect()
}

/// Status and issues of a request sent with strict handling, and its total where it is carried out.
fn strictly(served: &Served, request: &Request) -> Result<(u16, Vec<Issue>, Option<u64>), String> {
    let mut connection = served.connect();
    let response = served.send(
        &mut connection,
        "GET",
        request,
        &request.target,
        &STRICT,
        b"",
    );
    let body = response.json()?;
    if response.status == 200 {
        return Ok((200, Vec::new(), body["total"].as_u64()));
    }
    if body["resourceType"] != "OperationOutcome" {
        return Err(format!("status {}, no OperationOutcome", response.status));
    }
    Ok((response.status, issues(&body), None))
}

pub fn every_alias_is_a_known_misspelling() {
    let mut complaints = Vec::new();
    let mut checked = 0;
    for request in &served().requests {
        if request.handling == Handling::AcceptAsAlias {
            checked += 1;
            if slips(request).is_empty() != SPELT_WELL.contains(&request.name().as_str()) {
                complaints.push(format!("{}: {}", request.name(), request.target));
            }
        }
    }
    report("aliases", checked, &complaints);
}

pub fn misspellings_are_answered_with_a_warning() {
    let (mut checked, mut complaints) = (0, Vec::new());
    for (request, pages) in served().answered() {
        let slips = slips(request);
        if slips.is_empty() {
            continue;
        }
        checked += 1;
        // The pages behind the first are reached by links, which the server writes in full and spells well.
        let issues = pages.first().map_or(&[][..], |page| &page.issues);
        let warns = |issue: &Issue| matches!(issue.severity.as_str(), "warning" | "information");
        let unnamed = unnamed(&slips, issues);
        if !unnamed.is_empty() || !issues.iter().all(warns) {
            let said: Vec<_> = issues.iter().map(|issue| &issue.diagnostics).collect();
            complaints.push(format!(
                "{}: not warned of {unnamed:?}; said {said:?}",
                request.name()
            ));
        }
    }
    report("misspelt searches", checked, &complaints);
}

pub fn misspellings_are_refused_under_strict_handling() {
    let served = served();
    let (mut checked, mut complaints) = (0, Vec::new());
    for search in served.searches() {
        let slips = slips(search.request);
        if slips.is_empty() {
            continue;
        }
        checked += 1;
        let name = search.request.name();
        match strictly(served, search.request) {
            Err(why) => complaints.push(format!("{name}: {why}")),
            Ok((status, issues, _)) => {
                let unnamed = unnamed(&slips, &issues);
                let fails = issues.iter().all(|issue| issue.severity == "error");
                if status != 400 || unnamed.len() == slips.len() || !fails {
                    let said: Vec<_> = issues.iter().map(|issue| &issue.diagnostics).collect();
                    complaints.push(format!(
                        "{name}: status {status}, of {slips:?} not named {unnamed:?}; said {said:?}"
                    ));
                }
            }
        }
    }
    report("misspelt searches", checked, &complaints);
}

pub fn strict_handling_refuses_what_is_warned_of_and_nothing_else() {
    let served = served();
    let (mut checked, mut complaints) = (0, Vec::new());
    for (request, pages) in served.answered() {
        checked += 1;
        let Some(page) = pages.first() else { continue };
        let strict = strictly(served, request);
        let as_warned = match &strict {
            Ok((200, _, total)) => page.issues.is_empty() && *total == page.total,
            Ok((400, _, _)) => !page.issues.is_empty(),
            _ => false,
        };
        if !as_warned {
            let said: Vec<_> = page.issues.iter().map(|issue| &issue.diagnostics).collect();
            complaints.push(format!(
                "{}: warned of {said:?}; under strict handling {:?}",
                request.name(),
                strict.map(|(status, issues, total)| (status, total, issues))
            ));
        }
    }
    report("searches under strict handling", checked, &complaints);
}
