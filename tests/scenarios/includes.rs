//! What a page must include, found by following the references of the served resources.

use std::collections::BTreeSet;

use crate::directory::{Directory, Edge, is_reference};
use crate::documents::Request;

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
pub fn asks_for(request: &Request, kind: &str) -> bool {
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
pub fn expected<'a>(
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
