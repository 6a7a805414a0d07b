//! What holds of every subset of every resource.

use proptest::prelude::*;
use rorqual_schema::{ResourceType, top_level_elements};
use serde_json::{Map, Value, json};

use super::spans::{Cutter, Piece};
use super::{Subset, TAG};
use crate::index::pack::PackWriter;
use crate::index::spans::{SpanColumns, Spans};
use crate::query::parse::request::{ElementName, Summary};

/// Any value: what is inside an element does not matter to a subset.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(".{0,6}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn meta() -> impl Strategy<Value = Option<Value>> {
    let tag = prop_oneof![
        Just(serde_json::from_str(TAG).unwrap()),
        "[a-z]{1,4}".prop_map(|code| json!({ "system": "s", "code": code })),
    ];
    let tags = prop::option::of(prop::collection::vec(tag, 0..3));
    prop::option::of(
        (tags, prop::option::of(value())).prop_map(|(tags, source)| {
            let mut meta = Map::new();
            if let Some(source) = source {
                meta.insert("source".to_owned(), source);
            }
            if let Some(tags) = tags {
                meta.insert("tag".to_owned(), tags.into());
            }
            Value::Object(meta)
        }),
    )
}

/// A resource of some type with some of its elements and siblings in any order, and a member that R4 does not know.
fn resource() -> impl Strategy<Value = (ResourceType, Map<String, Value>)> {
    let kind = prop::sample::select(&ResourceType::ALL[..]);
    kind.prop_flat_map(|kind| {
        let mut members: Vec<String> = vec!["resourceType".to_owned(), "x-own".to_owned()];
        for element in top_level_elements(kind)
            .elements
            .iter()
            .filter(|name| **name != "meta")
        {
            members.extend([(*element).to_owned(), format!("_{element}")]);
        }
        let most = members.len();
        let chosen = prop::sample::subsequence(members, 0..=most).prop_shuffle();
        (chosen, meta(), prop::collection::vec(value(), most)).prop_map(
            move |(members, meta, values)| {
                let mut resource: Map<String, Value> = members.into_iter().zip(values).collect();
                if let Some(meta) = meta {
                    resource.insert("meta".to_owned(), meta);
                }
                (kind, resource)
            },
        )
    })
}

fn asked() -> impl Strategy<Value = (Option<Summary>, Vec<ElementName>)> {
    let summary = prop::option::of(prop::sample::select(vec![
        Summary::True,
        Summary::Text,
        Summary::Data,
        Summary::Count,
        Summary::False,
    ]));
    let all: Vec<&str> = ResourceType::ALL
        .into_iter()
        .flat_map(|kind| top_level_elements(kind).elements.clone())
        .collect();
    let name = (
        prop::option::of(prop::sample::select(&ResourceType::ALL[..])),
        prop::sample::select(all),
    )
        .prop_map(|(kind, element)| ElementName {
            kind,
            element: element.to_owned(),
        });
    (summary, prop::collection::vec(name, 0..6))
}

/// Whether a member is shown, said the other way round: a question a member at a time.
fn shown(
    kind: ResourceType,
    summary: Option<Summary>,
    names: &[ElementName],
    member: &str,
) -> bool {
    let element = member.trim_start_matches('_');
    let table = top_level_elements(kind);
    let concerning: Vec<&ElementName> = names
        .iter()
        .filter(|name| name.kind.is_none() || name.kind == Some(kind))
        .collect();
    let named = concerning.iter().any(|name| name.element == element);
    let forced = ["resourceType", "id", "meta"].contains(&element)
        || table.mandatory.contains(&element)
        || named;
    match summary {
        Some(Summary::True) => forced || table.summary.contains(&element),
        Some(Summary::Text) => forced || element == "text",
        _ if !concerning.is_empty() => forced,
        Some(Summary::Data) => element != "text",
        _ => true,
    }
}

/// What is made of a body by the recorded places of its members, behind `before`; `None` when nothing is recorded.
fn by_spans(subset: &Subset, before: &str, body: &str) -> Option<String> {
    let mut columns = SpanColumns::default();
    columns.push(body.as_bytes());
    let mut pack = PackWriter::in_memory().unwrap();
    columns.write(&mut pack).unwrap();
    let spans = Spans::open(&pack.into_pack().unwrap(), 1).unwrap();
    assert!(spans.agree(0, body.as_bytes()));
    let entry = [before, body].concat();
    let mut cutter = Cutter::new(subset);
    let pieces = cutter.cut(&spans, 0, entry.as_bytes(), before.len());
    assert_eq!(pieces.is_some(), spans.of(0).is_some());
    let joined = pieces?.iter().map(|piece| match piece {
        Piece::Kept(range) => &entry[range.clone()],
        Piece::Made(text) => text,
    });
    Some(joined.collect())
}

proptest! {
    #[test]
    fn recorded_places_give_what_reading_gives(
        (kind, mut resource) in resource(),
        (summary, names) in asked(),
        region in any::<bool>(),
    ) {
        // Real resources have a `meta` with something in it, and most of them tags.
        resource.entry("meta").or_insert_with(|| json!({ "lastUpdated": "2026" }));
        if region {
            resource["meta"] = json!({ "source": "s", "tag": [{ "system": "s", "code": "84" }] });
        }
        let Some(subset) = Subset::new(kind, summary, &names) else { return Ok(()) };
        let body = serde_json::to_string(&resource).unwrap();
        let read = String::from_utf8(subset.apply(body.as_bytes()).unwrap()).unwrap();
        let cut = by_spans(&subset, "before", &body);
        prop_assert!(cut.is_some() || !region, "{body}");
        if let Some(cut) = cut {
            prop_assert_eq!(cut, format!("before{read}"));
        }
        // Blanks between members are not kept by one who reads, so nothing may be recorded.
        prop_assert_eq!(by_spans(&subset, "", &serde_json::to_string_pretty(&resource).unwrap()), None);
    }

    #[test]
    fn whatever_is_recorded_of_odd_text_gives_what_reading_gives(
        members in prop::collection::vec((r#"[a-c"\\ :]{0,3}"#, r#"[\{\}\[\]":,a \\0-9]{0,8}"#), 0..4),
        tags in r#"[\[\]\{\}", a]{0,6}"#,
        at in 0usize..4,
    ) {
        let mut written: Vec<String> = members
            .iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        written.insert(at.min(written.len()), format!(r#""meta":{{"tag":[{tags}]}}"#));
        let body = format!("{{{}}}", written.join(","));
        let subset = Subset::new(ResourceType::Location, Some(Summary::Data), &[]).unwrap();
        // A build refuses what is no JSON.
        if serde_json::from_str::<Value>(&body).is_ok()
            && let Some(cut) = by_spans(&subset, "", &body)
        {
            prop_assert_eq!(cut.into_bytes(), subset.apply(body.as_bytes()).unwrap());
        }
    }

    #[test]
    fn a_subset_is_the_shown_members_in_order_and_one_tag(
        (kind, resource) in resource(),
        (summary, names) in asked(),
        pretty in any::<bool>(),
    ) {
        let body = if pretty {
            serde_json::to_string_pretty(&resource).unwrap()
        } else {
            serde_json::to_string(&resource).unwrap()
        };
        let Some(subset) = Subset::new(kind, summary, &names) else {
            prop_assert!(resource.keys().all(|member| shown(kind, summary, &names, member)));
            return Ok(());
        };
        let cut = subset.apply(body.as_bytes()).unwrap();
        let read: Map<String, Value> = serde_json::from_slice(&cut).unwrap();

        let expected: Vec<(&String, &Value)> = resource
            .iter()
            .filter(|(member, _)| *member != "meta" && shown(kind, summary, &names, member))
            .collect();
        let got: Vec<(&String, &Value)> =
            read.iter().filter(|(member, _)| *member != "meta").collect();
        prop_assert_eq!(got, expected);

        let tag: Value = serde_json::from_str(TAG).unwrap();
        let tags = |meta: Option<&Value>| -> Vec<Value> {
            let tags = meta.and_then(|meta| meta["tag"].as_array());
            tags.cloned().unwrap_or_default()
        };
        let before = tags(resource.get("meta"));
        let mut after = tags(read.get("meta"));
        prop_assert!(after.contains(&tag));
        if !before.contains(&tag) {
            prop_assert_eq!(after.pop(), Some(tag));
        }
        prop_assert_eq!(after, before);
        prop_assert_eq!(
            read["meta"].get("source"),
            resource.get("meta").and_then(|meta| meta.get("source"))
        );

        // What is cut once is not changed by the same cut again.
        prop_assert_eq!(subset.apply(&cut).unwrap(), cut);
    }

    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..64), text in r#"[\{\}\[\]":,a-z\\0-9 ]{0,40}"#) {
        for summary in [Summary::True, Summary::Text, Summary::Data] {
            let subset = Subset::new(ResourceType::Location, Some(summary), &[]).unwrap();
            for body in [&body[..], text.as_bytes()] {
                if let Ok(cut) = subset.apply(body) {
                    prop_assert!(serde_json::from_slice::<Value>(&cut).is_ok());
                }
            }
        }
    }
}
