//! A query as a URL: legal, but rarely written twice the same way.

use super::{
    Criterion, Distance, Filter, Include, Modifier, Operator, Prefix, Query, SortKey, Step,
    Summary, Term,
};
use crate::kinds::Kind;
use crate::random::Random;

/// Stands for the plus of a date offset that is sent as it should not be: raw, or as a blank.
const LOOSE_PLUS: &str = "\u{1}";

/// The address of a query relative to the base, parameters in random order.
pub fn url(r: &mut Random, query: &Query) -> String {
    let mut parts: Vec<String> = Vec::new();
    for criterion in &query.criteria {
        let value = criterion_value(r, criterion);
        parts.push(pair(r, &criterion_name(criterion), &value));
    }
    for filter in &query.filters {
        let text = filter_text(r, filter);
        parts.push(pair(r, "_filter", &text));
    }
    for include in &query.includes {
        let (name, value) = include_text(include);
        parts.push(pair(r, &name, &value));
    }
    if !query.sort.is_empty() {
        let keys: Vec<String> = query.sort.iter().map(sort_text).collect();
        parts.push(pair(r, "_sort", &keys.join(",")));
    }
    if let Some(count) = query.count {
        parts.push(format!("_count={count}"));
    }
    if !query.elements.is_empty() {
        let names: Vec<String> = query
            .elements
            .iter()
            .map(|(only, name)| match only {
                Some(kind) => format!("{}.{name}", kind.name()),
                None => (*name).to_owned(),
            })
            .collect();
        parts.push(pair(r, "_elements", &names.join(",")));
    }
    if let Some(summary) = query.summary {
        let value = match summary {
            Summary::True => "true",
            Summary::Text => "text",
            Summary::Data => "data",
            Summary::Count => "count",
        };
        parts.push(pair(r, "_summary", value));
    }
    r.shuffle(&mut parts);
    if parts.is_empty() {
        return query.kind.name().to_owned();
    }
    format!("{}?{}", query.kind.name(), parts.join("&"))
}

fn pair(r: &mut Random, name: &str, value: &str) -> String {
    format!("{}={}", encode(r, name), encode(r, value))
}

/// Percent-encoding where it must be, and at random where it may be.
pub fn encode(r: &mut Random, text: &str) -> String {
    let mut out = String::new();
    let thorough = r.chance(30);
    for byte in text.bytes() {
        let always_plain = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let may_be_plain = always_plain || b"|:(),$/*'!@?=".contains(&byte);
        if LOOSE_PLUS.as_bytes() == [byte] {
            out.push_str(if r.chance(50) { "+" } else { "%20" });
        } else if always_plain && !r.chance(1) || may_be_plain && !always_plain && !thorough {
            out.push(byte as char);
        } else if byte == b' ' && r.chance(40) {
            out.push('+');
        } else if r.chance(20) {
            out.push_str(&format!("%{byte:02x}"));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A value with the separators of search values escaped.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if matches!(letter, '\\' | ',' | '|' | '$') {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

fn path_text(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::To { code, target } => {
                out.push_str(code);
                if let Some(kind) = target {
                    out.push_str(&format!(":{}", kind.name()));
                }
                out.push('.');
            }
            Step::From { source, code } => {
                out.push_str(&format!("_has:{}:{code}:", source.name()));
            }
        }
    }
    out
}

fn criterion_name(criterion: &Criterion) -> String {
    let suffix = match criterion.test.modifier {
        Modifier::None => String::new(),
        Modifier::Not => ":not".to_owned(),
        Modifier::Exact => ":exact".to_owned(),
        Modifier::Contains => ":contains".to_owned(),
        Modifier::Missing(_) => ":missing".to_owned(),
        Modifier::OfType => ":of-type".to_owned(),
        Modifier::Identifier => ":identifier".to_owned(),
        Modifier::Type(kind) => format!(":{}", kind.name()),
        Modifier::Above => ":above".to_owned(),
        Modifier::Below => ":below".to_owned(),
    };
    format!(
        "{}{}{suffix}",
        path_text(&criterion.path),
        criterion.test.code
    )
}

fn criterion_value(r: &mut Random, criterion: &Criterion) -> String {
    if let Modifier::Missing(wanted) = criterion.test.modifier {
        return wanted.to_string();
    }
    let terms: Vec<String> = criterion
        .test
        .terms
        .iter()
        .map(|term| prefixed(r, term))
        .collect();
    terms.join(",")
}

/// A term with its prefix, as it stands after a parameter's `=`.
fn prefixed(r: &mut Random, term: &Term) -> String {
    let prefix = match term {
        Term::Date(prefix, _) | Term::Number(prefix, _) | Term::Quantity(prefix, _, _) => *prefix,
        _ => return bare(term, escape),
    };
    let mut text = bare(term, escape);
    if matches!(term, Term::Date(..)) && r.chance(25) {
        text = text.replace('+', LOOSE_PLUS);
    }
    let letters = if prefix == Prefix::Eq && r.chance(70) {
        ""
    } else {
        prefix.letters()
    };
    format!("{letters}{text}")
}

fn bare(term: &Term, quote: fn(&str) -> String) -> String {
    match term {
        Term::Token { system, code } => {
            let code = code.as_deref().map(quote).unwrap_or_default();
            match system {
                None => code,
                Some(system) => format!("{}|{code}", quote(system)),
            }
        }
        Term::OfType {
            system,
            code,
            value,
        } => format!("{}|{}|{}", quote(system), quote(code), quote(value)),
        Term::Text(text) | Term::Content(text) => quote(text),
        Term::Date(_, text) | Term::Number(_, text) => text.clone(),
        Term::Quantity(_, text, None) => text.clone(),
        Term::Quantity(_, text, Some((system, code))) => format!("{text}|{system}|{code}"),
        Term::Reference { kind, id, absolute } => match (kind, absolute) {
            (None, _) => id.clone(),
            (Some(kind), false) => format!("{}/{id}", kind.name()),
            (Some(kind), true) => format!("http://127.0.0.1:8080/fhir/{}/{id}", kind.name()),
        },
        Term::Near(latitude, longitude, distance) => {
            format!("{latitude}|{longitude}{}", distance_text(distance))
        }
        Term::NearInsee(code, distance) => format!("{code}{}", distance_text(distance)),
    }
}

fn distance_text(distance: &Distance) -> String {
    match distance {
        None => String::new(),
        Some((number, None)) => format!("|{number}"),
        Some((number, Some(unit))) => format!("|{number}|{unit}"),
    }
}

fn include_text(include: &Include) -> (String, String) {
    let name = if include.reverse {
        "_revinclude"
    } else {
        "_include"
    };
    let iterate = if include.iterate { ":iterate" } else { "" };
    let value = match include.source.map(Kind::name) {
        None => "*".to_owned(),
        Some(source) => {
            let target = include.target.map(|kind| format!(":{}", kind.name()));
            let code = include.code.unwrap_or("*");
            format!("{source}:{code}{}", target.unwrap_or_default())
        }
    };
    (format!("{name}{iterate}"), value)
}

fn sort_text(key: &SortKey) -> String {
    let sign = if key.descending { "-" } else { "" };
    format!("{sign}{}{}", path_text(&key.path), key.code)
}

fn operator_text(operator: Operator) -> &'static str {
    match operator {
        Operator::Prefix(prefix) => prefix.letters(),
        Operator::Differs => "ne",
        Operator::Contains => "co",
        Operator::Starts => "sw",
        Operator::Ends => "ew",
    }
}

fn filter_value(r: &mut Random, term: &Term) -> String {
    let text = bare(term, str::to_owned);
    if matches!(term, Term::Content(_)) {
        return format!("\"{}\"", text.replace('"', "\\\""));
    }
    if text.contains([' ', '(', ')', '[', ']', '\''])
        || matches!(term, Term::Text(_))
        || r.chance(20)
    {
        format!("\"{text}\"")
    } else {
        text
    }
}

fn compare_text(r: &mut Random, code: &str, operator: Operator, term: &Term) -> String {
    format!(
        "{code} {} {}",
        operator_text(operator),
        filter_value(r, term)
    )
}

/// The text of a filter; there is no precedence, so a right-hand side always stands in parentheses.
fn filter_text(r: &mut Random, filter: &Filter) -> String {
    match filter {
        Filter::And(left, right) => connected(r, left, "and", right),
        Filter::Or(left, right) => connected(r, left, "or", right),
        Filter::Not(inner) => format!("not ({})", filter_text(r, inner)),
        Filter::Compare(path, code, operator, term) => {
            format!(
                "{}{}",
                path_text(path),
                compare_text(r, code, *operator, term)
            )
        }
        Filter::Present(path, code, wanted) => format!("{}{code} pr {wanted}", path_text(path)),
        Filter::Line(path, group, parts) => {
            let parts: Vec<String> = parts
                .iter()
                .map(|(code, operator, term)| compare_text(r, code, *operator, term))
                .collect();
            format!(
                "{}{group}[{}] pr true",
                path_text(path),
                parts.join(" and ")
            )
        }
    }
}

fn connected(r: &mut Random, left: &Filter, word: &str, right: &Filter) -> String {
    let first = filter_text(r, left);
    // Left to right is the rule, so a connective on the left may go without parentheses.
    let open = !matches!(left, Filter::Not(_)) && r.chance(50);
    let first = if open { first } else { format!("({first})") };
    let second = filter_text(r, right);
    let second = match right {
        Filter::Compare(..) | Filter::Present(..) | Filter::Line(..) if r.chance(50) => second,
        _ => format!("({second})"),
    };
    format!("{first} {word} {second}")
}
