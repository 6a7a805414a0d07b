//! What requests mean, rule by rule: conditions are compared as short texts.

mod correlated;
mod names;
mod properties;
mod published;
mod results;
mod slips;
mod values;

use std::sync::LazyLock;

use rorqual_schema::{
    Hop, ReferenceQuery, ReferenceTarget, ResourceType, Schema, SystemMatch, TokenQuery,
};

use super::{Features, GroupMatching, Handling, ParseOptions, Request, parse};
use crate::query::criterion::{Criterion, Test};
use crate::query::error::SearchError;

/// 2026-06-01T00:00:00Z.
pub(super) const NOW: i64 = 1_780_272_000_000_000;

/// The embedded schema, compiled once.
pub(super) fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> =
        LazyLock::new(|| Schema::embedded().expect("the embedded schema"));
    &SCHEMA
}

pub(super) fn options(handling: Handling) -> ParseOptions<'static> {
    ParseOptions {
        handling,
        lenient_by_default: false,
        base_url: "http://ror.test/fhir",
        now: NOW,
        group_matching: GroupMatching::SameLine,
        features: Features::ALL,
    }
}

/// Reads `Type?query`.
pub(super) fn read_as(address: &str, handling: Handling) -> Result<Request, SearchError> {
    let (name, query) = address.split_once('?').unwrap_or((address, ""));
    let kind = ResourceType::from_name(name).expect("a type");
    parse(schema(), kind, query, &options(handling))
}

pub(super) fn read(address: &str) -> Request {
    read_as(address, Handling::Default).unwrap_or_else(|error| panic!("{address}: {error}"))
}

/// The condition of an address as a short text.
pub(super) fn meaning(address: &str) -> String {
    let request = read(address);
    show(schema(), request.kind, &request.criterion)
}

/// The fault of an address: status, issue code and diagnostics of the first issue.
pub(super) fn refusal(address: &str) -> (u16, &'static str, String) {
    let error = read_as(address, Handling::Default)
        .err()
        .unwrap_or_else(|| panic!("{address} was accepted"));
    let issue = error.issues().first().expect("an issue").clone();
    (error.status(), issue.code, issue.diagnostics)
}

pub(super) fn show(schema: &Schema, kind: ResourceType, criterion: &Criterion) -> String {
    let list = |parts: &[Criterion], word: &str| {
        let parts: Vec<String> = parts.iter().map(|part| show(schema, kind, part)).collect();
        format!("({})", parts.join(word))
    };
    let code = |kind: ResourceType, number: usize| schema.parameters(kind)[number].code.clone();
    match criterion {
        Criterion::All => "all".to_owned(),
        Criterion::Nothing => "nothing".to_owned(),
        Criterion::And(parts) => list(parts, " & "),
        Criterion::Or(parts) => list(parts, " | "),
        Criterion::Not(inner) => format!("!{}", show(schema, kind, inner)),
        Criterion::Test { parameter, test } => {
            format!("{}{}", code(kind, *parameter), show_test(test))
        }
        Criterion::Chain {
            parameter,
            target,
            hop,
            inner,
        } => format!(
            "{}{}>{target} {}",
            code(kind, *parameter),
            match hop {
                Hop::Direct => "",
                Hop::Above => "^",
            },
            show(schema, *target, inner)
        ),
        Criterion::Has {
            source,
            parameter,
            inner,
        } => format!(
            "<{source}.{} {}",
            code(*source, *parameter),
            show(schema, *source, inner)
        ),
        Criterion::Line { group, inner } => format!(
            "{}[{}]",
            schema.groups(kind)[*group].name,
            show(schema, kind, inner)
        ),
    }
}

fn show_test(test: &Test) -> String {
    let token = |query: &TokenQuery| {
        let code = query.code.as_deref().unwrap_or("*");
        match &query.system {
            SystemMatch::Any => code.to_owned(),
            SystemMatch::None => format!("|{code}"),
            SystemMatch::Is(system) => format!("{}|{code}", system.rsplit('/').next().unwrap()),
        }
    };
    let reference = |query: &ReferenceQuery| {
        assert_eq!(query.base, None);
        match &query.target {
            ReferenceTarget::Any => query.id.clone(),
            ReferenceTarget::Type(t) => format!("{t}/{}", query.id),
            ReferenceTarget::Unknown(name) => format!("{name}?/{}", query.id),
        }
    };
    match test {
        Test::Token(query) => format!("={}", token(query)),
        Test::OfType {
            system,
            code,
            value,
        } => format!(":of-type={system}|{code}|{value}"),
        Test::StartsWith(text) => format!("^={text}"),
        Test::Equals(text) => format!("=='{text}'"),
        Test::Contains(text) => format!("*={text}"),
        Test::EndsWith(text) => format!("$={text}"),
        Test::Date { prefix, range } => {
            let seconds = (range.high - range.low) / 1_000_000;
            format!(" {} {}s", prefix.name(), seconds)
        }
        Test::Number(test) => format!(
            " {} {}~{}",
            test.prefix.name(),
            test.value.to_f64(),
            test.half.to_f64()
        ),
        Test::Quantity { test, unit } => format!(
            " {} {} {}",
            test.prefix.name(),
            test.value.to_f64(),
            unit.as_deref().unwrap_or("-")
        ),
        Test::Reference(query) => format!("->{}", reference(query)),
        Test::Below(query) => format!("->>{}", reference(query)),
        Test::LogicalReference(query) => format!("~>{}", token(query)),
        Test::Present => "?".to_owned(),
        Test::Near { centre, metres } => {
            format!(" @{},{} {metres}", centre.latitude, centre.longitude)
        }
        Test::Content(query) => format!("~{:?}{:?}", query.words, query.phrases),
    }
}
