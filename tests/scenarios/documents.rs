//! The documented requests, joined with the values and expectations that the fixtures give for them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

const SCENARIOS: &str = include_str!("scenarios.json");
const VALUES: &str = include_str!("../../fixtures/scenario-values.json");

/// How a request is to be handled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Handling {
    #[serde(rename = "accept")]
    Accept,
    #[serde(rename = "accept-as-alias")]
    AcceptAsAlias,
    #[serde(rename = "reject-400")]
    Reject400,
    #[serde(rename = "reject-422")]
    Reject422,
    #[serde(rename = "reject-4xx")]
    Reject4xx,
    /// Not sendable: words stand where values belong.
    #[serde(rename = "template")]
    Template,
}

/// What the fixtures hold for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    /// A search that finds something.
    Found,
    /// A search that finds nothing.
    Empty,
    /// A read of one resource.
    Read,
    /// Neither a search nor a read that is carried out.
    #[default]
    Other,
}

/// One request, ready to be sent.
#[derive(Clone, Debug)]
pub struct Request {
    pub scenario: String,
    pub variant: String,
    pub method: String,
    /// Path and query behind the base, percent-encoded, placeholders filled in.
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Option<Value>,
    pub handling: Handling,
    /// The variant of the same scenario that must find the same.
    pub same_result_as: Option<String>,
    /// The types that the scenario's answer includes.
    pub include: Vec<String>,
    pub expect: Expect,
    /// `Type/id` of resources that must be found.
    pub matches: Vec<String>,
    /// `Type/id` of resources that miss it by one criterion.
    pub near_misses: Vec<String>,
}

impl Request {
    /// Scenario and variant, as complaints name them.
    pub fn name(&self) -> String {
        format!("{}/{}", self.scenario, self.variant)
    }

    /// Whether it is a GET that a search or a read answers.
    pub fn is_sendable_get(&self) -> bool {
        self.method == "GET" && self.handling != Handling::Template
    }

    /// Whether it is to be carried out.
    pub fn is_accepted(&self) -> bool {
        matches!(self.handling, Handling::Accept | Handling::AcceptAsAlias)
    }

    /// The path before the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The query, percent-encoded; empty when there is none.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The type searched or read.
    pub fn kind(&self) -> &str {
        self.path().split('/').nth(1).unwrap_or_default()
    }

    /// Names and values of the query, decoded, blanks kept.
    pub fn pairs(&self) -> Vec<(String, String)> {
        let decode = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8()
                .expect("published text")
                .into_owned()
        };
        self.query()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decode(name), decode(value))
            })
            .collect()
    }

    /// The same request with one more parameter.
    pub fn with(&self, parameter: &str) -> String {
        let joint = if self.target.contains('?') { '&' } else { '?' };
        format!("{}{joint}{parameter}", self.target)
    }
}

#[derive(Deserialize)]
struct Scenario {
    id: String,
    requests: Vec<Published>,
    expected: Expected,
}

#[derive(Deserialize)]
struct Published {
    variant: String,
    method: String,
    wire: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    handling: Handling,
    same_result_as: Option<String>,
}

#[derive(Deserialize)]
struct Expected {
    #[serde(default)]
    include: Vec<String>,
}

#[derive(Deserialize)]
struct Values {
    scenarios: BTreeMap<String, BTreeMap<String, Prepared>>,
}

#[derive(Clone, Default, Deserialize)]
struct Prepared {
    #[serde(default)]
    expect: Expect,
    #[serde(default)]
    values: BTreeMap<String, String>,
    #[serde(default, rename = "match")]
    matches: Vec<String>,
    #[serde(default, rename = "near_miss")]
    near_misses: Vec<String>,
}

/// All documented requests, in the order of the document.
pub fn requests() -> Vec<Request> {
    let scenarios: Vec<Scenario> = serde_json::from_str(SCENARIOS).expect("readable scenarios");
    let values: Values = serde_json::from_str(VALUES).expect("readable values");
    let mut requests = Vec::new();
    for scenario in scenarios {
        for published in scenario.requests {
            let prepared = values
                .scenarios
                .get(&scenario.id)
                .and_then(|variants| variants.get(&published.variant))
                .cloned()
                .unwrap_or_default();
            requests.push(Request {
                scenario: scenario.id.clone(),
                target: fill(&published.wire, &prepared.values),
                include: included(&scenario.expected.include, &published.variant),
                variant: published.variant,
                method: published.method,
                headers: published.headers.into_iter().collect(),
                body: published.body,
                handling: published.handling,
                same_result_as: published.same_result_as,
                expect: prepared.expect,
                matches: prepared.matches,
                near_misses: prepared.near_misses,
            });
        }
    }
    requests
}

/// The included types of one variant; `b: Organization` says that only `b` includes it.
fn included(types: &[String], variant: &str) -> Vec<String> {
    types
        .iter()
        .filter_map(|one| match one.split_once(": ") {
            Some((only, kind)) => (only == variant).then(|| kind.to_owned()),
            None => Some(one.clone()),
        })
        .collect()
}

/// Puts values where placeholders stand. A placeholder is a whole word: the `XX` of `TRE_RXXX` is none.
fn fill(wire: &str, values: &BTreeMap<String, String>) -> String {
    let mut filled = String::new();
    let mut rest = wire;
    while let Some(first) = rest.chars().next() {
        let length = if first == '%' {
            3.min(rest.len())
        } else if first.is_ascii_alphanumeric() {
            rest.find(|letter: char| !letter.is_ascii_alphanumeric())
                .unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, tail) = rest.split_at(length);
        match values.get(word) {
            Some(value) => filled += &encode(value),
            None => filled += word,
        }
        rest = tail;
    }
    filled
}

fn encode(value: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'.')
        .remove(b'/')
        .remove(b':')
        .remove(b'_');
    percent_encoding::utf8_percent_encode(value, KEPT).to_string()
}

#[test]
fn placeholders_are_whole_words() {
    let values = [("XX", "52"), ("XXX", "a|b c")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
    assert_eq!(
        fill("/T?a=TRE_RXXX-S%7CXX&b=%20XXX%20&c=XX_include", &values),
        "/T?a=TRE_RXXX-S%7C52&b=%20a%7Cb%20c%20&c=52_include"
    );
}

#[test]
fn every_request_that_is_sent_has_its_values() {
    let requests = requests();
    let gets = requests.iter().filter(|one| one.is_sendable_get()).count();
    assert_eq!((requests.len(), gets), (217, 198));
    for request in requests.iter().filter(|one| one.is_sendable_get()) {
        let left = request
            .pairs()
            .into_iter()
            .flat_map(|(_, value)| {
                value
                    .split(|letter: char| !letter.is_ascii_alphanumeric())
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .find(|word| {
                word.len() > 1 && word.chars().all(|letter| matches!(letter, 'X' | 'Y' | 'Z'))
            });
        // The one published with words for numbers is refused for them, before and after.
        if request.name() != "main-06/d" {
            assert_eq!(left, None, "{}: {}", request.name(), request.target);
        }
        if request.is_accepted() && request.expect == Expect::Found {
            assert!(!request.matches.is_empty(), "{}", request.name());
        }
    }
}
