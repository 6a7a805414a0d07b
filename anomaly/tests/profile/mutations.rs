//! Damage done to valid bodies: whatever it is, the checks answer, and name the place.

use proptest::prelude::*;
use rorqual_anomaly::{profile, structure};
use rorqual_schema::Node;
use serde_json::{Map, Value, json};

use super::{
    BASE, Told, pointer_step, profile_of, smallest, structure_of, told, whole, with, without,
};

/// JSON pointer and FHIRPath of everything below the first level's object.
fn places(value: &Value, pointer: &str, path: &str, found: &mut Vec<(String, String)>) {
    let step = |name: &str| match name {
        "div" => "`div`".to_owned(),
        name if name.starts_with("value") && !["value", "valueSet"].contains(&name) => {
            "value".to_owned()
        }
        "authorReference" | "authorString" => "author".to_owned(),
        "boundsDuration" => "bounds".to_owned(),
        "subjectCodeableConcept" => "subject".to_owned(),
        "asNeededBoolean" => "asNeeded".to_owned(),
        "doseQuantity" => "dose".to_owned(),
        "rateRatio" => "rate".to_owned(),
        name => name.strip_prefix('_').unwrap_or(name).to_owned(),
    };
    match value {
        Value::Object(members) => {
            for (name, inner) in members.iter().filter(|(name, _)| *name != "resourceType") {
                let (pointer, path) = (
                    format!("{pointer}/{}", pointer_step(name)),
                    format!("{path}.{}", step(name)),
                );
                found.push((pointer.clone(), path.clone()));
                // A contained resource that is no Task is not looked into.
                if pointer != "/contained/0/name" {
                    places(inner, &pointer, &path, found);
                }
            }
        }
        Value::Array(items) => {
            for (index, inner) in items
                .iter()
                .enumerate()
                .filter(|(_, inner)| !inner.is_null())
            {
                let (pointer, path) = (format!("{pointer}/{index}"), format!("{path}[{index}]"));
                found.push((pointer.clone(), path.clone()));
                places(inner, &pointer, &path, found);
            }
        }
        _ => {}
    }
}

fn all_places(task: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    places(task, "", "Task", &mut found);
    found
}

/// Values of other JSON types than the one given; none of them fits where it was.
fn others(value: &Value) -> Vec<Value> {
    let all = [
        json!({"zz": 1}),
        json!([[1]]),
        json!("\u{1}"),
        json!(-1.5),
        json!(true),
        Value::Null,
        json!({}),
        json!([]),
    ];
    let same = |a: &Value, b: &Value| std::mem::discriminant(a) == std::mem::discriminant(b);
    // Where a decimal is due any number fits, and where text is due no string but the control character is refused.
    all.into_iter()
        .filter(|other| !same(other, value) || *other == json!([]) || *other == json!({}))
        .collect()
}

fn names_the_place(faults: &[Told], path: &str) -> bool {
    faults
        .iter()
        .any(|fault| fault.path.starts_with(path) || path.starts_with(fault.path.as_str()))
}

/// The whole body in pieces that are quick to check one by one: its first level, and each datatype alone.
fn pieces() -> Vec<Value> {
    let mut first_level = whole();
    let inputs = first_level["input"].as_array_mut().expect("inputs");
    let datatypes = inputs.split_off(5);
    let mut pieces = vec![first_level];
    pieces.extend(
        datatypes
            .into_iter()
            .map(|input| with(smallest(), "/input/-", input)),
    );
    pieces
}

#[test]
fn another_json_type_anywhere_is_refused_there() {
    let mut damaged = 0;
    for task in pieces() {
        for (pointer, path) in all_places(&task) {
            if pointer.starts_with("/contained/0/name") {
                continue;
            }
            let held = task.pointer(&pointer).expect("there").clone();
            for other in others(&held) {
                // Null is right for a value that extensions stand for, and for extensions of which there are none.
                if other.is_null() && pointer.ends_with("event/1") {
                    continue;
                }
                let mut broken = task.clone();
                *broken.pointer_mut(&pointer).expect("there") = other.clone();
                let faults = structure_of(&broken);
                let refused = faults.iter().any(|fault| fault.status == 400);
                assert!(refused, "{pointer} = {other}: {faults:?}");
                let named = names_the_place(&faults, &path);
                assert!(named, "{pointer} = {other}: {path} not in {faults:#?}");
                damaged += 1;
            }
        }
    }
    assert!(damaged > 5000, "{damaged}");
}

#[test]
fn a_renamed_member_is_refused_under_its_new_name() {
    for (task, pointer) in pieces().into_iter().flat_map(|task| {
        let places = all_places(&task);
        places
            .into_iter()
            .map(move |(pointer, _)| (task.clone(), pointer))
    }) {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        if name.parse::<usize>().is_ok() || parent.starts_with("/contained/0") {
            continue;
        }
        let mut broken = task.clone();
        let members = broken
            .pointer_mut(parent)
            .and_then(Value::as_object_mut)
            .expect("an object");
        let renamed: Map<String, Value> = std::mem::take(members)
            .into_iter()
            .map(|(known, value)| {
                if known == name {
                    (format!("{known}Zz"), value)
                } else {
                    (known, value)
                }
            })
            .collect();
        *members = renamed;
        let faults = structure_of(&broken);
        let last = format!("\"{name}Zz\"");
        assert!(
            faults
                .iter()
                .any(|fault| fault.code == "structure" && fault.diagnostics.contains(&last)),
            "{pointer}: {faults:?}"
        );
    }
}

const MANDATORY: [&str; 9] = [
    "status",
    "intent",
    "businessStatus",
    "code",
    "reasonCode",
    "focus",
    "authoredOn",
    "lastModified",
    "input",
];

/// One change of a body.
#[derive(Clone, Debug)]
enum Damage {
    Drop(prop::sample::Index),
    Retype(prop::sample::Index, Value),
    Rename(prop::sample::Index, String),
    Move(prop::sample::Index, prop::sample::Index),
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|x| json!(x)),
        ".{0,12}".prop_map(Value::from),
        "(#|urn:|https?://)?[A-Za-z/_.0-9-]{0,16}".prop_map(Value::from),
        "[0-9T:Z+.-]{0,25}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        let names = "(_?(value(String|Code)?|coding|system|code|reference|type|extension|url|id|contained|identifier))|.{0,4}";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn any_damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        at().prop_map(Damage::Drop),
        (at(), any_json()).prop_map(|(at, value)| Damage::Retype(at, value)),
        (at(), "_?[a-zA-Z]{0,12}").prop_map(|(at, name)| Damage::Rename(at, name)),
        (at(), at()).prop_map(|(from, to)| Damage::Move(from, to)),
    ]
}

fn damaged(task: Value, damage: &Damage) -> Value {
    let places = all_places(&task);
    if places.is_empty() {
        return task;
    }
    let at = |index: &prop::sample::Index| index.get(&places).0.clone();
    match damage {
        Damage::Drop(index) => without(task, &at(index)),
        Damage::Retype(index, value) => {
            let mut task = task;
            if let Some(place) = task.pointer_mut(&at(index)) {
                *place = value.clone();
            }
            task
        }
        Damage::Rename(index, name) => {
            let pointer = at(index);
            let value = task.pointer(&pointer).cloned().unwrap_or(Value::Null);
            let mut task = without(task, &pointer);
            let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
            if let Some(members) = task.pointer_mut(parent).and_then(Value::as_object_mut) {
                members.insert(name.clone(), value);
            }
            task
        }
        Damage::Move(from, to) => {
            let value = task.pointer(&at(from)).cloned().unwrap_or(Value::Null);
            let mut task = task;
            if let Some(place) = task.pointer_mut(&at(to)) {
                *place = value;
            }
            task
        }
    }
}

fn sound(faults: &[Told]) {
    for fault in faults {
        assert!([200, 400, 422].contains(&fault.status), "{fault:?}");
        assert!(
            fault.path.is_empty() || fault.path.starts_with("Task"),
            "{fault:?}"
        );
        assert!(
            !fault.diagnostics.is_empty() && !fault.diagnostics.chars().any(char::is_control),
            "{fault:?}"
        );
    }
}

#[test]
fn a_name_that_holds_what_pointers_are_made_of_is_a_place_too() {
    let task = with(smallest(), "/a~1b~0c~01", json!({"/": [1], "~": 2}));
    assert_eq!(task["a/b~c~1"], json!({"/": [1], "~": 2}));
    let (places, _): (Vec<String>, Vec<String>) = all_places(&task).into_iter().unzip();
    for place in ["/a~1b~0c~01", "/a~1b~0c~01/~1/0", "/a~1b~0c~01/~0"] {
        assert!(places.iter().any(|known| known == place), "{place}");
    }
    for place in places {
        assert!(task.pointer(&place).is_some(), "{place}");
        without(task.clone(), &place);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn damaged_bodies_get_sound_answers(damages in prop::collection::vec(any_damage(), 1..6), small in any::<bool>()) {
        let mut task = if small { smallest() } else { whole() };
        for damage in &damages {
            task = damaged(task, damage);
        }
        sound(&structure_of(&task));
        sound(&profile_of(&task));
    }

    #[test]
    fn any_json_gets_sound_answers(body in any_json(), members in prop::collection::vec((0..MANDATORY.len(), any_json()), 0..6)) {
        let mut task = body;
        if let Value::Object(object) = &mut task {
            object.insert("resourceType".into(), "Task".into());
            for (name, value) in members {
                object.insert(MANDATORY[name].to_owned(), value);
            }
        }
        let text = task.to_string();
        let node = Node::parse(text.as_bytes()).expect("valid JSON");
        sound(&told(structure::check(&node)));
        sound(&told(profile::check(&node, BASE)));
    }

    #[test]
    fn exactly_the_missing_elements_are_named(missing in prop::sample::subsequence(MANDATORY.to_vec(), 0..=MANDATORY.len())) {
        let mut task = whole();
        for name in &missing {
            task = without(task, &format!("/{name}"));
        }
        if missing.contains(&"status") {
            task = without(task, "/_status");
        }
        prop_assert_eq!(structure_of(&task), []);
        let told = profile_of(&task);
        let mut named: Vec<&str> = told.iter().filter(|f| f.code == "required").map(|f| f.path.trim_start_matches("Task.")).collect();
        prop_assert_eq!(named.len(), told.len());
        named.sort_unstable();
        let mut missing = missing;
        missing.sort_unstable();
        prop_assert_eq!(named, missing);
    }
}
