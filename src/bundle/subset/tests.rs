//! What a subset keeps, what it says of itself, and what it makes of odd input.

use rorqual_schema::ResourceType;
use serde_json::{Map, Value};

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
