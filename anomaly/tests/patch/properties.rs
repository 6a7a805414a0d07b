//! Properties of patches: whatever is sent, and both languages alike.

use proptest::prelude::*;
use rorqual_anomaly::patch::{parse_fhirpath_patch, parse_json_patch};
use rorqual_anomaly::task_text::TaskText;
use serde_json::{Value, json};

use crate::patching;
use crate::{operation, parameters};

fn element() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "status",
        "businessStatus",
        "code",
        "description",
        "owner",
        "note",
        "input",
        "output",
        "restriction",
        "lastModified",
        "focus",
        "id",
        "priority",
        "nothing",
        "Task",
        "",
    ])
}

/// A path of either language, mostly sound.
fn path(json_patch: bool) -> impl Strategy<Value = String> {
    let below = prop_oneof![
        5 => Just(String::new()),
        4 => (0..5_u8).prop_map(move |at| if json_patch { format!("/{at}") } else { format!("[{at}]") }),
        1 => Just("/-".to_owned()),
        1 => Just("/0/text".to_owned()),
        1 => Just(".coding.where(code = 'x')".to_owned()),
        1 => any::<String>(),
    ];
    (element(), below).prop_map(move |(name, below)| {
        if json_patch {
            format!("/{name}{below}")
        } else {
            format!("Task.{name}{below}")
        }
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("x")),
        Just(json!(1.5)),
        Just(json!(null)),
        Just(json!([])),
        Just(json!({"text": "y"})),
        Just(json!([{"text": "y"}, {"text": "z"}])),
        any::<String>().prop_map(Value::from),
    ]
}

fn part() -> impl Strategy<Value = Value> {
    prop_oneof![
        prop::sample::select(vec!["add", "insert", "delete", "replace", "move", "remove"])
            .prop_map(|kind| json!({"name": "type", "valueCode": kind})),
        path(false).prop_map(|path| json!({"name": "path", "valueString": path})),
        Just(json!({"name": "path", "valueString": "Task"})),
        element().prop_map(|name| json!({"name": "name", "valueString": name})),
        prop::sample::select(vec!["index", "source", "destination"]).prop_flat_map(|name| (-1
            ..5_i8)
            .prop_map(move |at| json!({"name": name, "valueInteger": at}))),
        prop::sample::select(vec![
            "valueCode",
            "valueString",
            "valueCodeableConcept",
            "valueReference",
            "valueAnnotation",
            "_valueCode",
            "part",
        ])
        .prop_flat_map(|key| value().prop_map(move |own| json!({"name": "value", key: own}))),
        Just(json!({"name": "value", "part": [{"name": "value", "valueString": "x"}]})),
        Just(json!({"name": "value", "valueAnnotation": {"text": "x"}})),
    ]
}

fn fhirpath_patch() -> impl Strategy<Value = Vec<u8>> {
    // Often one operation's own parts, in order, so that many get as far as the Task.
    let sound =
        (path(false), any::<bool>(), value(), 0..4_u8).prop_map(|(path, listed, text, index)| {
            let value = if listed {
                json!({"name": "value", "valueAnnotation": {"text": text}})
            } else {
                json!({"name": "value", "valueCodeableConcept": {"text": text}})
            };
            let kind = if index == 0 { "replace" } else { "insert" };
            let mut parts = vec![
                json!({"name": "type", "valueCode": kind}),
                json!({"name": "path", "valueString": path}),
                value,
            ];
            if index > 0 {
                parts.push(json!({"name": "index", "valueInteger": index}));
            }
            operation(Value::from(parts))
        });
    let any_parts =
        prop::collection::vec(part(), 0..5).prop_map(|parts| operation(Value::from(parts)));
    prop::collection::vec(prop_oneof![3 => sound, 1 => any_parts], 0..3)
        .prop_map(|operations| parameters(&operations))
}

fn json_patch() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop::sample::select(vec![
        "add", "remove", "replace", "move", "copy", "test", "delete",
    ]);
    let one = (kind, path(true), path(true), value()).prop_map(
        |(kind, path, from, value)| json!({"op": kind, "path": path, "from": from, "value": value}),
    );
    prop::collection::vec(one, 0..4)
        .prop_map(|operations| Value::from(operations).to_string().into_bytes())
}

fn bundle() -> impl Strategy<Value = Vec<u8>> {
    let method = prop::sample::select(vec!["GET", "POST", "PATCH", "PUT", "x"]);
    let url = prop_oneof![
        prop::sample::select(vec![
            "Task",
            "Task/1",
            " Task/2 ",
            "/Task/1",
            "https://ror.example/fhir/Task/1",
            "urn:x"
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    let resource = prop_oneof![
        fhirpath_patch().prop_map(|body| serde_json::from_slice(&body).expect("JSON")),
        value(),
        Just(json!({"resourceType": "Task"})),
    ];
    let entry = (method, url, resource)
        .prop_map(|(method, url, resource)| json!({"resource": resource, "request": {"method": method, "url": url}}));
    let kind = prop::sample::select(vec!["batch", "transaction", "collection"]);
    (kind, prop::collection::vec(entry, 0..4)).prop_map(|(kind, entries)| {
        json!({"resourceType": "Bundle", "type": kind, "entry": entries})
            .to_string()
            .into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn fhirpath_patches(body in fhirpath_patch()) {
        patching::patch(&body);
    }

    #[test]
    fn json_patches(body in json_patch()) {
        patching::patch(&body);
    }

    #[test]
    fn bundles(body in bundle()) {
        patching::requests(&body);
    }

    #[test]
    fn any_text(text in any::<String>()) {
        patching::patch(text.as_bytes());
        patching::requests(text.as_bytes());
    }

    /// One byte of a sound patch changed.
    #[test]
    fn damaged_patches(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let sound = operation(json!([
            {"name": "type", "valueCode": "insert"}, {"name": "path", "valueString": "Task.note"},
            {"name": "index", "valueInteger": 1}, {"name": "value", "valueAnnotation": {"text": "x"}}
        ]));
        let mut body = parameters(&[sound]);
        let at = at.index(body.len());
        body[at] = byte;
        patching::patch(&body);
    }

    /// A replace says the same in both languages, to the byte.
    #[test]
    fn both_languages_say_the_same(text in any::<String>(), item in 0..3_usize) {
        let cases = [
            ("Task.businessStatus".to_owned(), "/businessStatus".to_owned(), "valueCodeableConcept", json!({"text": text})),
            ("Task.description".to_owned(), "/description".to_owned(), "valueString", json!(text)),
            (format!("Task.note[{item}]"), format!("/note/{item}"), "valueAnnotation", json!({"text": text})),
        ];
        for (path, pointer, key, value) in cases {
            let fhirpath = parameters(&[operation(json!([
                {"name": "type", "valueCode": "replace"}, {"name": "path", "valueString": path},
                {"name": "value", key: value}
            ]))]);
            let json_patch = json!([{"op": "replace", "path": pointer, "value": value}]).to_string();
            let mut one = TaskText::parse(patching::TASK.as_bytes()).expect("an object");
            let mut other = one.clone();
            parse_fhirpath_patch(&fhirpath).expect("sound").apply(&mut one).expect("it fits");
            parse_json_patch(json_patch.as_bytes()).expect("sound").apply(&mut other).expect("it fits");
            prop_assert_eq!(one.to_json(), other.to_json());
        }
    }
}
