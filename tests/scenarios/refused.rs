//! Requests that must be refused.

use crate::documents::Request;
use crate::page::issues;
use crate::report;
use crate::served::{Served, served};

/// What a refused request is told: status, code of an issue, and the culprit that the diagnostics name.
const REFUSED: [(&str, u16, &[&str], &str); 3] = [
    (
        "capacity-01bis/d",
        400,
        &["not-supported"],
        "address-postalcode:text",
    ),
    ("main-06/d", 400, &["invalid", "value"], "latitude"),
    (
        "main-09/e",
        400,
        &["not-supported", "invalid"],
        "location:address",
    ),
];

/// What an answer lacks to be a refusal.
fn faults(served: &Served, request: &Request) -> Result<Vec<crate::page::Issue>, String> {
    let body = match &request.body {
        Some(body) => serde_json::to_vec(body).map_err(|error| error.to_string())?,
        None => Vec::new(),
    };
    let mut connection = served.connect();
    let response = served.send(
        &mut connection,
        &request.method,
        request,
        &request.target,
        &[],
        &body,
    );
    let json = response.json()?;
    if !(400..500).contains(&response.status) || json["resourceType"] != "OperationOutcome" {
        return Err(format!(
            "status {}, {}",
            response.status, json["resourceType"]
        ));
    }
    let issues = issues(&json);
    if !issues.iter().any(|issue| issue.severity == "error") {
        return Err("no issue of severity error".to_owned());
    }
    if issues.iter().any(|issue| issue.diagnostics.is_empty()) {
        return Err("an issue without diagnostics".to_owned());
    }
    let metadata = format!("{}/metadata", served.base_path());
    match connection.attempt("GET", &metadata, &[], b"") {
        Ok(again) if again.status == 200 => {}
        Ok(again) => return Err(format!("the connection then answers {}", again.status)),
        Err(error) => {
            let told = response.header("connection");
            return Err(format!(
                "status {}, the connection is then of no use: {error}; its Connection header was {told:?}",
                response.status
            ));
        }
    }
    match REFUSED.iter().find(|(name, ..)| *name == request.name()) {
        Some((_, status, ..)) if *status != response.status => {
            Err(format!("status {} instead of {status}", response.status))
        }
        _ => Ok(issues),
    }
}

pub fn what_must_be_refused_is_refused_and_the_culprit_named() {
    let served = served();
    let (mut checked, mut complaints) = (0, Vec::new());
    let refused = |request: &&Request| request.is_sendable_get() && !request.is_accepted();
    for request in served.requests.iter().filter(refused) {
        checked += 1;
        let name = request.name();
        let Some((_, _, codes, culprit)) = REFUSED.iter().find(|(known, ..)| *known == name) else {
            complaints.push(format!("{name}: not said how it is refused"));
            continue;
        };
        match faults(served, request) {
            Err(why) => complaints.push(format!("{name}: {why}")),
            Ok(issues) => {
                let told = issues.iter().any(|issue| {
                    codes.contains(&issue.code.as_str()) && issue.diagnostics.contains(culprit)
                });
                if !told {
                    complaints.push(format!("{name}: {culprit} is not named in {issues:?}"));
                }
            }
        }
    }
    assert_eq!(checked, REFUSED.len());
    report("refused searches", checked, &complaints);
}

pub fn no_request_is_forgotten() {
    let served = served();
    for request in &served.requests {
        let written = crate::anomalies::is_written(request);
        let sent = request.is_sendable_get() || written;
        let template = request.name() == "consult-03/a";
        assert!(sent != template, "{}", request.name());
    }
}
