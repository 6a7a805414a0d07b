//! What a subset keeps, what it says of itself, and what it makes of odd input.

use proptest::prelude::*;
use rorqual_schema::{ResourceType, top_level_elements};
use serde_json::{Map, Value, json};

use super::{Subset, SubsetError, TAG, unknown_elements};
use crate::query::parse::request::{ElementName, Summary};

use ResourceType::{HealthcareService, Location, Organization, Task};

fn names(written: &[&str]) -> Vec<ElementName> {
    let name = |text: &&str| match text.split_once('.') {
        Some((kind, element)) => ElementName {
            kind: Some(ResourceType::from_name(kind).unwrap()),
            element: element.to_owned(),
        },
        None => ElementName {
            kind: None,
            element: (*text).to_owned(),
        },
    };
    written.iter().map(name).collect()
}

fn cut(
    kind: ResourceType,
    summary: Option<Summary>,
    written: &[&str],
    body: &str,
) -> Result<String, SubsetError> {
    let subset = Subset::new(kind, summary, &names(written)).expect("a subset");
    let bytes = subset.apply(body.as_bytes())?;
    Ok(String::from_utf8(bytes).unwrap())
}

fn members(text: &str) -> Vec<String> {
    let read: Map<String, Value> = serde_json::from_str(text).unwrap();
    read.into_iter().map(|(name, _)| name).collect()
}

const OFFER: &str = r##"{
  "resourceType" : "HealthcareService", "id": "7",
  "meta": {"versionId": "3", "lastUpdated":"2024-05-01T10:00:00.00+02:00"},
  "implicitRules": "http://example.org/rules",
  "language": "fr",
  "text": {"status":"generated","div":"<div>Cardiologie</div>"},
  "contained": [{"resourceType":"Endpoint","id":"e"}],
  "extension": [{"url":"http://example.org/x","valueDecimal":1.50}],
  "active":true,
  "name": "Cardiologie \u00e9 \"A\"",
  "_name": {"extension":[ {"url":"u" , "valueCode":"c"} ]},
  "telecom": [ ],
  "madeUp": 1e2
}"##;

#[test]
fn named_elements_come_byte_for_byte_with_their_siblings() {
    let expected = concat!(
        r#"{"resourceType":"HealthcareService","id":"7","#,
        r#""meta":{"versionId":"3","lastUpdated":"2024-05-01T10:00:00.00+02:00","#,
        r#""tag":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}]},"#,
        r#""extension":[{"url":"http://example.org/x","valueDecimal":1.50}],"#,
        r#""name":"Cardiologie \u00e9 \"A\"","#,
        r#""_name":{"extension":[ {"url":"u" , "valueCode":"c"} ]},"telecom":[ ]}"#,
    );
    let got = cut(
        HealthcareService,
        None,
        &["name", "telecom", "extension"],
        OFFER,
    );
    assert_eq!(got.unwrap(), expected);
}

#[test]
fn mandatory_elements_come_unasked() {
    let body = r#"{"resourceType":"Task","id":"1","meta":{},"status":"requested","_intent":{"id":"i"},"intent":"order","priority":"asap"}"#;
    let got = cut(Task, None, &["focus"], body).unwrap();
    assert_eq!(
        members(&got),
        ["resourceType", "id", "meta", "status", "_intent", "intent"]
    );
}

#[test]
fn the_kinds_of_summary_keep_what_fhir_says() {
    let kept = |summary| members(&cut(HealthcareService, Some(summary), &[], OFFER).unwrap());
    let head = ["resourceType", "id", "meta"];
    assert_eq!(kept(Summary::Text), [&head[..], &["text"]].concat());
    assert_eq!(
        kept(Summary::True),
        [&head[..], &["implicitRules", "active", "name", "_name"]].concat()
    );
    let mut data = members(OFFER);
    data.retain(|name| name != "text");
    assert_eq!(kept(Summary::Data), data);
}

#[test]
fn names_add_to_a_summary_and_decide_beside_data() {
    let kept = |summary, name| {
        let cut = cut(HealthcareService, Some(summary), &[name], OFFER);
        members(&cut.unwrap()).split_off(3)
    };
    assert_eq!(kept(Summary::Text, "telecom"), ["text", "telecom"]);
    assert_eq!(
        kept(Summary::True, "telecom"),
        ["implicitRules", "active", "name", "_name", "telecom"]
    );
    assert_eq!(kept(Summary::Data, "telecom"), ["telecom"]);
    assert_eq!(kept(Summary::False, "telecom"), ["telecom"]);
    // A name for another type leaves the summary as it is.
    assert_eq!(kept(Summary::Text, "Location.name"), ["text"]);
    assert_eq!(
        Subset::new(
            HealthcareService,
            Some(Summary::Data),
            &names(&["Location.name"])
        ),
        Subset::new(HealthcareService, Some(Summary::Data), &[])
    );
}

#[test]
fn a_type_that_nothing_concerns_is_whole() {
    for summary in [None, Some(Summary::False), Some(Summary::Count)] {
        for kind in ResourceType::ALL {
            assert_eq!(Subset::new(kind, summary, &[]), None);
        }
        let restricted = names(&["HealthcareService.name"]);
        assert_eq!(Subset::new(Location, summary, &restricted), None);
        assert!(Subset::new(HealthcareService, summary, &restricted).is_some());
    }
    let mixed = names(&["HealthcareService.name", "active"]);
    assert_eq!(
        Subset::new(Organization, None, &mixed),
        Subset::new(Organization, None, &names(&["active"]))
    );
    assert_eq!(
        Subset::new(HealthcareService, None, &mixed),
        Subset::new(HealthcareService, None, &names(&["active", "name", "name"]))
    );
}

#[test]
fn the_tag_is_added_once_and_the_rest_of_meta_is_as_written() {
    let other = r#"{"system":"s", "code":"SUBSETTED"}"#;
    let escaped = r#"{"code":"\u0053UBSETTED","system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","display":"d"}"#;
    let tagged = |tags: &str| format!(r#"{{"tag":[{tags}]}}"#);
    for (meta, expected) in [
        ("{ }".to_owned(), tagged(TAG)),
        ("null".to_owned(), tagged(TAG)),
        (r#"{"tag":null}"#.to_owned(), tagged(TAG)),
        (r#"{"tag":[ ]}"#.to_owned(), tagged(TAG)),
        (
            format!(r#"{{"tag":[ {other} ],"source":"a b"}}"#),
            format!(r#"{{"source":"a b","tag":[ {other},{TAG}]}}"#),
        ),
        (
            format!(r#"{{ "tag" : [{other} , {escaped}] }}"#),
            format!(r#"{{ "tag" : [{other} , {escaped}] }}"#),
        ),
        // A tag that is no coding is left alone.
        (
            tagged("\"SUBSETTED\""),
            tagged(&format!("\"SUBSETTED\",{TAG}")),
        ),
    ] {
        let body = format!(r#"{{"resourceType":"Location","id":"1","meta":{meta}}}"#);
        let got = cut(Location, None, &["name"], &body).unwrap();
        assert_eq!(
            got,
            format!(r#"{{"resourceType":"Location","id":"1","meta":{expected}}}"#)
        );
    }
}

#[test]
fn a_meta_is_made_after_the_id() {
    for (body, expected) in [
        (
            r#"{"resourceType":"Location","id":"1","name":"a"}"#,
            format!(
                r#"{{"resourceType":"Location","id":"1","meta":{{"tag":[{TAG}]}},"name":"a"}}"#
            ),
        ),
        (
            r#"{"name":"a","id":"1"}"#,
            format!(r#"{{"name":"a","id":"1","meta":{{"tag":[{TAG}]}}}}"#),
        ),
        (r#"{}"#, format!(r#"{{"meta":{{"tag":[{TAG}]}}}}"#)),
        (
            r#"{"name":"a"}"#,
            format!(r#"{{"meta":{{"tag":[{TAG}]}},"name":"a"}}"#),
        ),
    ] {
        assert_eq!(cut(Location, None, &["name"], body).unwrap(), expected);
    }
}

#[test]
fn a_member_name_spelt_with_escapes_is_recognised_and_kept_as_written() {
    let body = r#"{"resourceType":"Location","id":"1","\u006dode":"kind","n\u0061me":"a"}"#;
    let got = cut(Location, None, &["name"], body).unwrap();
    assert!(got.ends_with(r#","n\u0061me":"a"}"#), "{got}");
    assert!(!got.contains("kind"), "{got}");
}

#[test]
fn damaged_resources_are_errors_that_say_which_part() {
    for (body, part) in [
        ("", "the resource"),
        ("[]", "the resource"),
        ("{\"id\":\"1\"", "the resource"),
        ("{\"id\":\"1\"} x", "the resource"),
        (r#"{"meta":"x"}"#, "meta"),
        (r#"{"meta":{"tag":{}}}"#, "meta.tag"),
    ] {
        let SubsetError::Unreadable { part: got, .. } =
            cut(Location, None, &["name"], body).expect_err(body);
        assert_eq!(got, part, "{body}");
    }
    let subset = Subset::new(Location, Some(Summary::Data), &[]).unwrap();
    let message = subset.apply(b"{\"id\":\"\xff\"}").unwrap_err().to_string();
    assert!(message.contains("rorqual verify"), "{message}");
}

#[test]
fn unknown_names_come_with_the_nearest_known_ones() {
    let known = names(&[
        "name",
        "resourceType",
        "partOf",
        "Organization.partOf",
        "Task.focus",
        "Location.resourceType",
    ]);
    assert!(unknown_elements(HealthcareService, &known).is_empty());
    let found = unknown_elements(
        HealthcareService,
        &names(&[
            "providdBy",
            "active",
            "Organization.adress",
            "Location.focus",
            "birthdate",
            "qzx",
        ]),
    );
    let best: Vec<(&str, Option<&str>)> = found
        .iter()
        .map(|(name, nearest)| (name.as_str(), nearest.first().map(String::as_str)))
        .collect();
    assert_eq!(
        best,
        [
            ("providdBy", Some("providedBy")),
            ("Organization.adress", Some("Organization.address")),
            ("Location.focus", None),
            ("birthdate", Some("birthDate")),
            ("qzx", None),
        ]
    );
}

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

proptest! {
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
            let subset = Subset::new(Location, Some(summary), &[]).unwrap();
            for body in [&body[..], text.as_bytes()] {
                if let Ok(cut) = subset.apply(body) {
                    prop_assert!(serde_json::from_slice::<Value>(&cut).is_ok());
                }
            }
        }
    }
}
