//! Tests of the text of a Task.

use std::collections::HashMap;

use proptest::prelude::*;

use super::{Assigned, ExactJson, JsonTextFault, MAX_DEPTH, TaskText};

fn task(text: &str) -> TaskText {
    TaskText::parse(text.as_bytes()).expect("an object")
}

fn written(task: &TaskText) -> String {
    String::from_utf8(task.to_json()).expect("UTF-8")
}

#[test]
fn blanks_go_and_every_token_stays() {
    let text = "{\r\n \"resourceType\" : \"Task\",\t\"a\\u0062\" : [ 1.50 , 1e+2,-0.0 ],\n \"s\": \" a\\n \\\"b\\\\\" , \"o\":{ } }";
    assert_eq!(
        written(&task(text)),
        "{\"resourceType\":\"Task\",\"a\\u0062\":[1.50,1e+2,-0.0],\"s\":\" a\\n \\\"b\\\\\",\"o\":{}}"
    );
    assert_eq!(task(text).byte_len(), task(text).to_json().len());
    assert!(task(text).get("ab").is_some());
}

#[test]
fn texts_that_mean_two_things_are_refused() {
    let fault = |text: &str| TaskText::parse(text.as_bytes()).expect_err("refused");
    assert!(matches!(
        fault("{\"a\":1,\"\\u0061\":2}"),
        JsonTextFault::RepeatedKey { key } if key == "a"
    ));
    assert!(matches!(
        fault("{\"a\":[{\"b\":1,\"c\":{},\"b\":1}]}"),
        JsonTextFault::RepeatedKey { .. }
    ));
    assert!(matches!(
        fault("{\"a\":1} #facultatif"),
        JsonTextFault::Unreadable { .. }
    ));
    assert!(matches!(fault("{"), JsonTextFault::Unreadable { .. }));
    assert_eq!(fault("[]"), JsonTextFault::NotAnObject);
    assert!(matches!(
        fault("{\"a\":\"\\ud800\"}"),
        JsonTextFault::HalfCharacter { .. }
    ));
    assert!(matches!(
        TaskText::parse(b"{\"a\":\"\xff\"}"),
        Err(JsonTextFault::Unreadable { .. })
    ));
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(fault(&nested(MAX_DEPTH)), JsonTextFault::TooDeep);
    assert_eq!(fault(&nested(200_000)), JsonTextFault::TooDeep);
    assert_eq!(
        task(&nested(MAX_DEPTH - 1))
            .get("a")
            .expect("there")
            .depth(),
        MAX_DEPTH - 1
    );
    // A key may come back in another object, and a value may equal a key.
    task("{\"a\":{\"a\":\"a\"},\"b\":[{\"a\":\"b\"},{\"a\":\"a\"}]}");
}

#[test]
fn a_new_member_takes_its_place_in_the_order_of_r4() {
    let mut text = task(
        "{\"resourceType\":\"Task\",\"status\":\"draft\",\"_status\":{\"id\":\"s\"},\"code\":{},\"input\":[]}",
    );
    text.set("businessStatus", ExactJson::string("b"));
    text.set("id", ExactJson::string("7"));
    text.set("output", ExactJson::array(&[]));
    assert_eq!(
        written(&text),
        "{\"resourceType\":\"Task\",\"id\":\"7\",\"status\":\"draft\",\"_status\":{\"id\":\"s\"},\"businessStatus\":\"b\",\"code\":{},\"input\":[],\"output\":[]}"
    );
}

#[test]
fn a_primitive_takes_its_sibling_along() {
    let text = "{\"resourceType\":\"Task\",\"_description\":{\"id\":\"d\"},\"description\":\"x\"}";
    let mut set = task(text);
    set.set("description", ExactJson::string("y"));
    assert_eq!(
        written(&set),
        "{\"resourceType\":\"Task\",\"description\":\"y\"}"
    );
    let mut removed = task(text);
    assert_eq!(removed.remove("description"), Some(ExactJson::string("x")));
    assert_eq!(written(&removed), "{\"resourceType\":\"Task\"}");
    let mut both = task("{\"resourceType\":\"Task\",\"code\":{}}");
    let sibling = ExactJson::parse(b"{\"id\":\"e\"}").expect("JSON");
    both.set_primitive("description", None, Some(sibling.clone()));
    both.set_primitive("status", Some(ExactJson::string("draft")), Some(sibling));
    assert_eq!(
        written(&both),
        "{\"resourceType\":\"Task\",\"status\":\"draft\",\"_status\":{\"id\":\"e\"},\"code\":{},\"_description\":{\"id\":\"e\"}}"
    );
}

#[test]
fn the_server_assigns_and_leaves_the_rest_of_meta() {
    let assigned = Assigned {
        id: "1311",
        version_id: "2",
        last_updated: "2025-01-07T09:00:00.000Z",
        identifier: Some(("urn:sys", "ANO-1")),
        profile: Some("http://p"),
    };
    let mut sent = task(
        "{\"resourceType\":\"Task\",\"id\":\"mine\",\"meta\":{\"_versionId\":{\"id\":\"v\"},\"tag\":[{\"code\":\"t\"}],\"versionId\":\"99\"},\"identifier\":[{\"value\":\"mine\"}],\"status\":\"draft\"}",
    );
    sent.assign(&assigned);
    assert_eq!(
        written(&sent),
        "{\"resourceType\":\"Task\",\"id\":\"1311\",\"meta\":{\"lastUpdated\":\"2025-01-07T09:00:00.000Z\",\"profile\":[\"http://p\"],\"tag\":[{\"code\":\"t\"}],\"versionId\":\"2\"},\"identifier\":[{\"system\":\"urn:sys\",\"value\":\"ANO-1\"}],\"status\":\"draft\"}"
    );
    assert_eq!(sent.version_id().as_deref(), Some("2"));
    let mut named = task(
        "{\"resourceType\":\"Task\",\"meta\":{\"profile\":[\"http://own\"]},\"identifier\":[{\"value\":\"kept\"}]}",
    );
    named.assign(&Assigned {
        identifier: None,
        ..assigned
    });
    assert_eq!(
        named.get("meta").expect("meta").as_str(),
        "{\"versionId\":\"2\",\"lastUpdated\":\"2025-01-07T09:00:00.000Z\",\"profile\":[\"http://own\"]}"
    );
    assert_eq!(
        named.get("identifier").expect("kept").as_str(),
        "[{\"value\":\"kept\"}]"
    );
    let mut bare = task("{\"resourceType\":\"Task\"}");
    bare.assign(&Assigned {
        identifier: Some(("", "ANO-2")),
        profile: None,
        ..assigned
    });
    assert_eq!(
        written(&bare),
        "{\"resourceType\":\"Task\",\"id\":\"1311\",\"meta\":{\"versionId\":\"2\",\"lastUpdated\":\"2025-01-07T09:00:00.000Z\"},\"identifier\":[{\"value\":\"ANO-2\"}]}"
    );
}

#[test]
fn narrative_and_last_modified() {
    let mut text =
        task("{\"text\":{\"div\":\"d\"},\"lastModified\":\"2024\",\"_lastModified\":{}}");
    text.drop_text();
    text.refresh_last_modified("2025-01-07T09:00:00Z");
    assert_eq!(
        written(&text),
        "{\"lastModified\":\"2025-01-07T09:00:00Z\"}"
    );
}

#[test]
fn addresses_are_replaced_and_words_are_not() {
    let map = HashMap::from([("urn:uuid:1".to_owned(), "Task/12".to_owned())]);
    let mut text = task(
        "{\"partOf\":[{\"reference\":\"urn:uuid:1\"},{\"reference\":\"urn:uuid:2\"}],\"description\":\"urn:uuid:1\",\"input\":[{\"valueUri\":\"urn:\\u0075uid:1\",\"q\":1.0}],\"output\":[{\"valueString\":\"urn:uuid:1\"}]}",
    );
    assert_eq!(text.replace_references(&map), 2);
    assert_eq!(
        written(&text),
        "{\"partOf\":[{\"reference\":\"Task/12\"},{\"reference\":\"urn:uuid:2\"}],\"description\":\"urn:uuid:1\",\"input\":[{\"valueUri\":\"Task/12\",\"q\":1.0}],\"output\":[{\"valueString\":\"urn:uuid:1\"}]}"
    );
    assert_eq!(text.replace_references(&HashMap::new()), 0);
}

#[test]
fn values_are_compared_exactly() {
    let same = |left: &str, right: &str| {
        let read = |text: &str| ExactJson::parse(text.as_bytes()).expect("JSON");
        read(left).same_value(&read(right))
    };
    assert!(same("1.50", "15e-1"));
    assert!(same("-0", "0.0e5"));
    assert!(same("100", "1E+2"));
    assert!(!same("0.1", "0.10000000000000000000001"));
    assert!(!same("1", "-1"));
    assert!(!same("1", "\"1\""));
    assert!(same("\"\\u0061\"", "\"a\""));
    assert!(same("{\"a\":1,\"b\":[2]}", "{\"b\":[2.0],\"a\":1}"));
    assert!(!same("{\"a\":1}", "{\"a\":1,\"b\":2}"));
    assert!(!same("{\"a\":1}", "{\"b\":1}"));
    assert!(!same("[1,2]", "[2,1]"));
    assert!(!same("true", "false"));
    assert!(!same("1e99999999999999999999", "2e99999999999999999999"));
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// However a text is laid out, its compact form is read the same, and compacting again changes nothing.
    #[test]
    fn compacting_keeps_the_value(value in json()) {
        let pretty = serde_json::to_vec_pretty(&value).expect("printable");
        let exact = ExactJson::parse(&pretty).expect("JSON");
        prop_assert_eq!(exact.as_str(), value.to_string());
        prop_assert!(!exact.as_str().contains('\n'));
        let again = ExactJson::parse(exact.as_str().as_bytes()).expect("JSON");
        prop_assert_eq!(&again, &exact);
        prop_assert!(exact.same_value(&again));
    }

    /// Any bytes are read or refused.
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(exact) = ExactJson::parse(&bytes) {
            let value: Result<serde::de::IgnoredAny, _> = serde_json::from_str(exact.as_str());
            prop_assert!(value.is_ok());
        }
    }
}
