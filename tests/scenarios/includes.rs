//! Every page includes exactly what it must, found by following the references of the served resources.

use std::collections::{BTreeMap, BTreeSet};

use crate::directory::{Directory, Edge, is_reference};
use crate::documents::{Expect, Request};
use crate::found::matches;
use crate::report;
use crate::served::served;

/// Types that a scenario is documented to include, and that nothing in the extract brings: no offer is at these
/// places, no role serves these offers, no organisation manages this place.
const NOTHING_TO_INCLUDE: [(&str, &[&str]); 10] = [
    ("capacity-02", &["HealthcareService"]),
    ("capacity-03", &["HealthcareService"]),
    ("extraction-03", &["Practitioner", "PractitionerRole"]),
    ("extraction-07", &["Practitioner", "PractitionerRole"]),
    ("get-location-02", &["Organization"]),
    ("main-03", &["Practitioner", "PractitionerRole"]),
    ("main-05", &["Practitioner", "PractitionerRole"]),
    ("main-07", &["Practitioner", "PractitionerRole"]),
    ("main-09", &["Practitioner", "PractitionerRole"]),
    ("main-10", &["Practitioner", "PractitionerRole"]),
];

/// An include of a request, as it is to be executed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Directive {
    edge: Edge,
    reverse: bool,
    iterate: bool,
}

/// What the includes of a request ask for, published misspellings understood.
fn directives(request: &Request) -> Vec<Directive> {
    let mut directives = Vec::new();
    for (name, value) in request.pairs() {
        let (name, modifier) = match name.trim().split_once(':') {
            Some((name, modifier)) => (name.to_owned(), modifier.to_owned()),
            None => (name.trim().to_owned(), String::new()),
        };
        let reverse = match name.as_str() {
            "_include" | "__include" => false,
            "_revinclude" | "_revincluded" => true,
            _ => continue,
        };
        let Some((kind, parameter)) = value.trim().split_once(':') else {
            continue;
        };
        let kind = kind.replace("Healthcareservice", "HealthcareService");
        let iterate = modifier == "iterate";
        // What names no reference parameter is left out: no resource is invented for it.
        if !is_reference(&kind, parameter) {
            continue;
        }
        if iterate && (kind.as_str(), parameter) == ("HealthcareService", "organization") {
            directives.push(Directive {
                edge: ("Organization".to_owned(), "partof".to_owned()),
                reverse,
                iterate,
            });
        }
        directives.push(Directive {
            edge: (kind, parameter.to_owned()),
            reverse,
            iterate,
        });
    }
    directives
}

/// Whether a request asks for resources of a type by its includes.
fn asks_for(request: &Request, kind: &str) -> bool {
    directives(request).iter().any(|directive| {
        let (source, parameter) = &directive.edge;
        match (directive.reverse, parameter.as_str()) {
            (true, _) => source == kind,
            (false, "organization" | "partof") => kind == "Organization",
            (false, "location") => kind == "Location",
            (false, "practitioner") => kind == "Practitioner",
            (false, "service") => kind == "HealthcareService",
            (false, _) => false,
        }
    })
}

/// The resources that a page must include, given its matches and those of all pages.
fn expected<'a>(
    directory: &'a Directory,
    request: &Request,
    page: &BTreeSet<&'a str>,
    all_matches: &BTreeSet<&'a str>,
) -> BTreeSet<&'a str> {
    let directives = directives(request);
    let mut included = BTreeSet::new();
    let mut frontier = page.clone();
    let mut first = true;
    while !frontier.is_empty() {
        let mut reached = BTreeSet::new();
        for directive in &directives {
            // Included resources are followed by iterating includes, and by those of another type than the searched one.
            let follows = directive.iterate
                || !directive.reverse && directive.edge.0 != request.kind()
                || first;
            if !follows {
                continue;
            }
            for key in &frontier {
                if directive.reverse {
                    reached.extend(directory.referring(&directive.edge, key));
                } else {
                    reached.extend(directory.referenced(&directive.edge, key));
                }
            }
        }
        frontier = reached
            .into_iter()
            .map(String::as_str)
            .filter(|key| !all_matches.contains(key) && included.insert(*key))
            .collect();
        first = false;
    }
    included
}

pub fn pages_include_exactly_what_was_asked_for() {
    let served = served();
    let (mut checked, mut complaints) = (0, Vec::new());
    for (request, pages) in served.answered() {
        checked += 1;
        let all: BTreeSet<_> = matches(pages).into_iter().collect();
        for (number, page) in pages.iter().enumerate() {
            let here: BTreeSet<_> = page.keys("match").collect();
            let included: Vec<_> = page.keys("include").collect();
            let distinct: BTreeSet<_> = included.iter().copied().collect();
            let wanted = expected(&served.directory, request, &here, &all);
            if distinct != wanted || distinct.len() != included.len() {
                let some = |set: Vec<&&str>| format!("{} as {:?}", set.len(), set.first());
                complaints.push(format!(
                    "{} page {}: {} includes, {} wanted; missing {}, unwanted {}",
                    request.name(),
                    number + 1,
                    included.len(),
                    wanted.len(),
                    some(wanted.difference(&distinct).collect()),
                    some(distinct.difference(&wanted).collect()),
                ));
            }
        }
    }
    report("includes", checked, &complaints);
}

pub fn scenarios_include_the_types_they_are_documented_with() {
    let mut asked: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut brought: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (request, pages) in served().answered() {
        if request.expect != Expect::Found {
            continue;
        }
        let asks = (request.include.iter())
            .map(String::as_str)
            .filter(|kind| *kind != request.kind() && asks_for(request, kind));
        asked.entry(&request.scenario).or_default().extend(asks);
        let kinds = (pages.iter())
            .flat_map(|page| page.keys("include"))
            .filter_map(|key| key.split('/').next());
        brought.entry(&request.scenario).or_default().extend(kinds);
    }
    let mut complaints = Vec::new();
    for (scenario, asked) in &asked {
        let lacking: Vec<_> = asked.difference(&brought[scenario]).copied().collect();
        let known = NOTHING_TO_INCLUDE
            .iter()
            .find(|(known, _)| known == scenario)
            .map_or(&[][..], |(_, types)| *types);
        if lacking != known {
            complaints.push(format!(
                "{scenario}: includes no {lacking:?}, of which {known:?} are known"
            ));
        }
    }
    report("scenarios with includes", asked.len(), &complaints);
}
