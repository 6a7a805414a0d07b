//! Comparing what both sides answer, byte for byte, apart from what names a generation: ids of Bundles, their instants, and
//! the tokens of page links.

use bytes::Bytes;
use rorqual::bundle::assemble::Coding;
use rorqual::engine::DEFAULT_BASE_URL;
use rorqual::query::explain::Depth;
use rorqual::{Answer, Handling, ResourceType, SearchError, SearchRequest, StoredResource, View};
use serde_json::Value;

use crate::requests::Ask;
use crate::sides::Pair;

/// Pages of one search that are followed.
const PAGES: usize = 4;

/// Of requests that were answered alike.
pub struct Compared {
    /// How many requests were put to both sides.
    pub asked: u64,
    /// Whether the first answer holds something.
    pub found: bool,
    /// Whether it is another than somebody gets who sees everything.
    pub differs_from_full: bool,
}

/// Puts a request to both sides; a difference is told.
pub fn compare(pair: &Pair, ask: &Ask) -> Result<Compared, String> {
    match ask {
        Ask::Search { address, lenient } => search(pair, address, *lenient),
        Ask::Explain { address } => explain(pair, address),
        Ask::Read { kind, id } => {
            let kind = ResourceType::from_name(kind.name()).expect("one of six");
            let body = read(pair, kind, id)?;
            let full = pair.full.read(kind, id).map(|full| full.body);
            Ok(Compared {
                asked: 1,
                found: body.is_some(),
                differs_from_full: body != full,
            })
        }
    }
}

fn request<'a>(kind: ResourceType, query: &'a str, lenient: bool) -> SearchRequest<'a> {
    SearchRequest {
        kind,
        query,
        base_url: DEFAULT_BASE_URL,
        handling: if lenient {
            Handling::Lenient
        } else {
            Handling::Default
        },
        permits: None,
        coding: Coding::Identity,
        name: None,
    }
}

fn split(address: &str) -> (ResourceType, &str) {
    let (name, query) = address.split_once('?').unwrap_or((address, ""));
    (ResourceType::from_name(name).expect("one of six"), query)
}

fn search(pair: &Pair, address: &str, lenient: bool) -> Result<Compared, String> {
    let (kind, query) = split(address);
    let (mut left, mut right) = (query.to_owned(), query.to_owned());
    let mut compared = Compared {
        asked: 0,
        found: false,
        differs_from_full: false,
    };
    for page in 0..PAGES {
        let answers = (
            ask(&pair.view, &request(kind, &left, lenient)),
            ask(pair.other.full(), &request(kind, &right, lenient)),
        );
        compared.asked += 1;
        same("answers", &answers.0, &answers.1)?;
        let Ok((found, text)) = &answers.0 else {
            break;
        };
        if page == 0 {
            compared.found = found.total > 0;
            let full = ask(&pair.full, &request(kind, &left, lenient));
            compared.differs_from_full = !matches!(full, Ok((_, full)) if full == *text);
        }
        // Both sides follow their own links: forward, and once the end is met back.
        let relation = if page == 2 { "previous" } else { "next" };
        let links = (
            link(&found.to_vec(), relation),
            answers
                .1
                .ok()
                .and_then(|(other, _)| link(&other.to_vec(), relation)),
        );
        match links {
            (Some(own), Some(other)) => (left, right) = (own, other),
            (None, None) => break,
            _ => return Err(format!("one side alone has a link to the {relation} page")),
        }
    }
    Ok(compared)
}

/// What a view answers, and the same without what names a generation.
type Told = Result<(Answer, String), (u16, String)>;

fn ask(view: &View, request: &SearchRequest<'_>) -> Told {
    match view.answer(request) {
        Ok(answer) => {
            let text = String::from_utf8(answer.to_vec()).expect("UTF-8");
            let nameless = nameless(&text);
            Ok((answer, nameless))
        }
        Err(error) => Err(told(&error)),
    }
}

fn told(error: &SearchError) -> (u16, String) {
    (error.status(), format!("{error}: {:?}", error.issues()))
}

fn same(what: &str, left: &Told, right: &Told) -> Result<(), String> {
    match (left, right) {
        (Ok((one, left)), Ok((other, right))) => {
            if left != right {
                return Err(format!("{what} differ\n{}", apart(left, right)));
            }
            if (one.total, one.pretty) != (other.total, other.pretty) {
                return Err(format!("totals differ: {} and {}", one.total, other.total));
            }
            Ok(())
        }
        (Err(left), Err(right)) if left == right => Ok(()),
        (left, right) => {
            let short = |told: &Told| match told {
                Ok((_, text)) => text.clone(),
                Err(error) => format!("{error:?}"),
            };
            Err(format!(
                "{what} differ\n{}",
                apart(&short(left), &short(right))
            ))
        }
    }
}

/// Where two texts part.
fn apart(left: &str, right: &str) -> String {
    let at = left
        .bytes()
        .zip(right.bytes())
        .take_while(|(a, b)| a == b)
        .count();
    let from = at.saturating_sub(300);
    let cut = |text: &str| {
        let bytes = text.as_bytes();
        let end = (at + 300).min(bytes.len());
        String::from_utf8_lossy(&bytes[from.min(end)..end]).into_owned()
    };
    format!(
        "the view: …{}\nredacted beforehand: …{}",
        cut(left),
        cut(right)
    )
}

/// The text of a Bundle without its id, its instant and the tokens of its links.
fn nameless(text: &str) -> String {
    let value = |key: &str| {
        let from = text.find(key).map(|at| at + key.len());
        from.and_then(|from| Some(&text[from..from + text[from..].find('"')?]))
    };
    let mut out = text.to_owned();
    if let Some(id) = value("{\"resourceType\":\"Bundle\",\"id\":\"") {
        out = out.replace(id, "…");
    }
    if let Some(instant) = value("\"meta\":{\"lastUpdated\":\"") {
        out = out.replacen(instant, "…", 1);
    }
    let mut parts = out.split("_cursor=");
    let mut cut = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        cut.push_str("_cursor=…");
        cut.push_str(part.find('"').map_or("", |end| &part[end..]));
    }
    cut
}

/// The query of a link.
fn link(body: &[u8], relation: &str) -> Option<String> {
    let bundle: Value = serde_json::from_slice(body).expect("JSON");
    let links = bundle["link"].as_array()?;
    let link = links.iter().find(|link| link["relation"] == relation)?;
    let (_, query) = link["url"].as_str()?.split_once('?')?;
    Some(query.to_owned())
}

fn explain(pair: &Pair, address: &str) -> Result<Compared, String> {
    let (kind, query) = split(address);
    let told = |view: &View| {
        let explained = view.explanation(&request(kind, query, false), Depth::Analyze);
        explained
            .map(|explanation| {
                let mut value = serde_json::to_value(explanation).expect("JSON");
                value["generation"] = Value::Null;
                without_times(&mut value);
                value.to_string()
            })
            .map_err(|error| told(&error))
    };
    let (left, right) = (told(&pair.view), told(pair.other.full()));
    if left != right {
        return Err(format!("explanations differ\n{left:?}\n{right:?}"));
    }
    Ok(Compared {
        asked: 1,
        found: left.is_ok(),
        differs_from_full: left != told(&pair.full),
    })
}

fn without_times(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("micros");
            members.values_mut().for_each(without_times);
        }
        Value::Array(items) => items.iter_mut().for_each(without_times),
        _ => {}
    }
}

/// Reads an id on both sides, and each version that one of them names. Answers the body.
pub fn read(pair: &Pair, kind: ResourceType, id: &str) -> Result<Option<Bytes>, String> {
    let parts = |stored: Option<StoredResource>| {
        stored.map(|stored| (stored.body, stored.version, stored.last_updated_ms))
    };
    let (left, right) = (
        parts(pair.view.read(kind, id)),
        parts(pair.other.full().read(kind, id)),
    );
    if left != right {
        return Err(format!("reads of {kind}/{id} differ\n{left:?}\n{right:?}"));
    }
    // Versions as everybody knows them, those that somebody sees who sees everything, and none of all.
    let full = pair.full.read(kind, id).map(|full| full.version);
    let seen = left.as_ref().map(|(_, version, _)| version.clone());
    for version in seen
        .iter()
        .chain(&full)
        .map(String::as_str)
        .chain(["1", "x"])
    {
        let (left, right) = (
            parts(pair.view.read_version(kind, id, version)),
            parts(pair.other.full().read_version(kind, id, version)),
        );
        if left != right {
            return Err(format!(
                "versions {version} of {kind}/{id} differ\n{left:?}\n{right:?}"
            ));
        }
    }
    Ok(left.map(|(body, ..)| body))
}
