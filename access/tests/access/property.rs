//! Random resources under random rules: the crate and the naive routine must see the same.

use proptest::prelude::*;
use rorqual_access::{Facts, Policy, Redacted, ServiceKind, Target};
use rorqual_schema::{Node, ResourceType};
use serde_json::{Map, Value, json};

use crate::naive::{Naive, Rule, Service, Step, When};
use crate::scene::nos;

const CONTACT: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-contact";
const CONTACT_TELECOM: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-contact-telecom";
const LEVEL: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-telecom-confidentiality-level";
const OTHER: &str = "https://example.org/other";
const SYSTEMS: [&str; 3] = ["urn:system:a", "urn:system:b", "urn:system:c"];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-z\"\\\\é/ ]{0,6}".prop_map(Value::from),
    ]
}

fn reference() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"reference": "Organization/1", "display": "d"})),
        Just(json!({"reference": "Location/h"})),
        Just(json!({"reference": "https://x.example/fhir/Organization/h"})),
        Just(json!({"reference": "Endpoint/h"})),
        Just(json!({"reference": "#c"})),
        Just(json!({"identifier": {"value": "open"}})),
        Just(json!({"identifier": {"value": "secret"}})),
        Just(json!({"reference": "Location/1", "identifier": {"value": "secret"}})),
        Just(json!({"display": "d"})),
        Just(json!({})),
        Just(json!("Location/1")),
    ]
}

/// Anything, references included.
fn anything() -> impl Strategy<Value = Value> {
    prop_oneof![3 => scalar(), 1 => reference()].prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec(
                (
                    prop::sample::select(vec!["id", "url", "start", "end", "during", "x", "_x"]),
                    inner
                ),
                0..4
            )
            .prop_map(|members| {
                let members = members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value));
                Value::Object(members.collect::<Map<_, _>>())
            }),
        ]
    })
}

fn extension_part() -> impl Strategy<Value = Value> {
    prop_oneof![
        3 => prop::sample::select(vec!["1", "2", "3", "9"]).prop_map(|l| json!({"url": LEVEL, "valueCode": l})),
        1 => Just(json!({"url": "flag", "valueBoolean": true})),
        2 => prop::sample::select(vec!["01", "06"]).prop_map(|s| json!({"url": "status", "valueCode": s})),
        1 => reference().prop_map(|r| json!({"url": "part", "valueReference": r})),
        1 => scalar().prop_map(|v| json!({"url": "part", "id": "i", "valueString": v})),
        1 => Just(json!({"url": "alone"})),
    ]
}

fn parts() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(extension_part(), 0..4)
}

fn telecom() -> impl Strategy<Value = Value> {
    (parts(), any::<bool>()).prop_map(|(parts, with)| {
        if with {
            json!({"value": "t", "extension": parts})
        } else {
            json!({"value": "t"})
        }
    })
}

fn extension() -> impl Strategy<Value = Value> {
    let contact =
        (parts(), prop::collection::vec(parts(), 0..3)).prop_map(|(mut own, telecoms)| {
            own.extend(
                telecoms
                    .into_iter()
                    .map(|p| json!({"url": CONTACT_TELECOM, "extension": p})),
            );
            json!({"url": CONTACT, "extension": own})
        });
    let other = (
        parts(),
        prop::sample::select(vec![OTHER, "https://example.org/unruled"]),
    )
        .prop_map(|(parts, url)| json!({"id": "e", "url": url, "extension": parts}));
    prop_oneof![contact, other]
}

fn concept() -> impl Strategy<Value = Value> {
    let coding = (
        prop::option::of(prop::sample::select(SYSTEMS.to_vec())),
        scalar(),
    )
        .prop_map(|(system, display)| match system {
            Some(system) => json!({"system": system, "display": display}),
            None => json!({"display": display}),
        });
    (prop::collection::vec(coding, 0..3), parts(), 0..4u8).prop_map(|(codings, parts, form)| {
        match form {
            0 => json!({"text": "t"}),
            1 => json!({"coding": codings}),
            2 => json!({"coding": codings, "text": "t"}),
            _ => json!({"coding": codings, "extension": parts}),
        }
    })
}

fn meta() -> impl Strategy<Value = Value> {
    let tag = prop_oneof![
        3 => prop::sample::select(vec!["52", "53"])
            .prop_map(|code| json!({"system": nos("TRE_R30-RegionOM"), "code": code})),
        1 => Just(json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"})),
        1 => Just(json!({"code": "x"})),
    ];
    prop_oneof![
        Just(json!({})),
        Just(json!({"versionId": "1"})),
        prop::collection::vec(tag, 0..3).prop_map(|tags| json!({"tag": tags, "source": "s"})),
    ]
}

fn list<S: Strategy<Value = Value>>(item: S) -> impl Strategy<Value = Value> {
    prop::collection::vec(item, 0..4).prop_map(Value::from)
}

fn resource() -> impl Strategy<Value = Value> {
    let member = prop_oneof![
        scalar().prop_map(|v| ("name", v)),
        anything().prop_map(|v| ("_name", v)),
        list(anything()).prop_map(|v| ("_comment", v)),
        list(telecom()).prop_map(|v| ("telecom", v)),
        telecom().prop_map(|v| ("telecom", v)),
        list(reference()).prop_map(|v| ("location", v)),
        reference().prop_map(|v| ("providedBy", v)),
        list(concept()).prop_map(|v| ("characteristic", v)),
        list(extension()).prop_map(|v| ("extension", v)),
        list(extension()).prop_map(|v| ("extension", v)),
        anything().prop_map(|v| ("notAvailable", v)),
        anything().prop_map(|v| ("extraDetails", v)),
        Just(("text", json!({"div": "words"}))),
        Just(("contained", json!([{"resourceType": "Location"}]))),
        meta().prop_map(|v| ("meta", v)),
    ];
    (prop::collection::vec(member, 0..9), any::<bool>()).prop_map(|(members, id_first)| {
        let mut resource = Map::new();
        if id_first {
            resource.insert("id".into(), json!("1"));
        }
        resource.insert("resourceType".into(), json!("HealthcareService"));
        for (name, value) in members {
            resource.insert(name.into(), value);
        }
        resource.insert("id".into(), json!("1"));
        resource.into()
    })
}

fn when(of_document: bool) -> impl Strategy<Value = When> {
    let fact = prop_oneof![
        4 => Just(When::Always),
        1 => Just(When::Never),
        1 => Just(When::Sensitive),
        1 => Just(When::MedicoSocial),
        1 => Just(When::City),
        1 => Just(When::Region(vec!["52".into()])),
    ];
    let of_element = prop_oneof![
        (1..4u64).prop_map(|n| When::Level("<".into(), n)),
        (1..4u64).prop_map(|n| When::Level("=".into(), n)),
        Just(When::Has(vec!["flag".into()])),
        Just(When::Code(vec!["status".into()], vec!["01".into()])),
    ];
    let leaf = if of_document {
        fact.boxed()
    } else {
        prop_oneof![fact, of_element].boxed()
    };
    leaf.prop_recursive(2, 4, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| When::Not(Box::new(a))),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| When::And(Box::new(a), Box::new(b))),
            (inner.clone(), inner).prop_map(|(a, b)| When::Or(Box::new(a), Box::new(b))),
        ]
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let name = |name: &str| Step::Name(name.to_owned());
    let extension = |url: &str| Step::Extension(vec![url.to_owned()]);
    let coded = |name: &str, systems: &[&str]| {
        let systems = systems.iter().map(|system| (*system).to_owned());
        Step::Coded(name.to_owned(), systems.collect())
    };
    prop::sample::select(vec![
        vec![name("name")],
        vec![name("comment")],
        vec![name("telecom")],
        vec![name("telecom"), name("value")],
        vec![name("telecom"), extension("flag")],
        vec![name("location")],
        vec![name("providedBy")],
        vec![name("characteristic")],
        vec![coded("characteristic", &[SYSTEMS[0]])],
        vec![coded("characteristic", &[SYSTEMS[0], SYSTEMS[1]])],
        vec![extension(CONTACT)],
        vec![extension(CONTACT), extension(CONTACT_TELECOM)],
        vec![
            extension(CONTACT),
            extension(CONTACT_TELECOM),
            extension("status"),
        ],
        vec![extension(OTHER)],
        vec![extension(OTHER), extension("part")],
        vec![extension(OTHER), extension("part"), name("valueReference")],
        vec![name("notAvailable")],
        vec![name("notAvailable"), name("during")],
        vec![name("notAvailable"), name("during"), name("start")],
        vec![name("notAvailable"), name("x")],
        vec![name("extraDetails"), coded("x", &[SYSTEMS[2]])],
    ])
}

fn services() -> impl Strategy<Value = Vec<Service>> {
    let service =
        any::<(bool, bool, bool)>().prop_map(|(sensitive, medico_social, city)| Service {
            sensitive,
            medico_social,
            city,
        });
    prop::collection::vec(service, 1..4)
}

fn visible(target: Target<'_>) -> bool {
    match target {
        Target::Literal { id, .. } => id != "h",
        Target::Logical { value, .. } => value != "secret",
    }
}

/// The same of the naive routine's own reading.
fn refers_to_hidden(member: &str, item: &Value) -> bool {
    let due = ["location", "providedBy", "valueReference"].contains(&member);
    match item {
        Value::String(_) => due,
        Value::Object(members) => {
            let is_one =
                due || members.contains_key("reference") || members.contains_key("identifier");
            if !is_one {
                return false;
            }
            let text = members
                .get("reference")
                .map(|text| text.as_str().unwrap_or("#"));
            let value = members
                .get("identifier")
                .map(|i| i["value"].as_str().unwrap_or("secret"));
            if text.is_none() && value.is_none() {
                return true;
            }
            let secret = value.is_some_and(|value| value == "secret");
            let lost = text.is_some_and(|text| {
                let id = text.rsplit('/').next().unwrap_or("");
                text.starts_with('#') || (!text.starts_with("Endpoint/") && id == "h")
            });
            secret || lost
        }
        _ => false,
    }
}

/// A path as a policy file writes it.
fn path(steps: &[Step]) -> String {
    let mut text = "HealthcareService".to_owned();
    for step in steps {
        text.push_str(&match step {
            Step::Name(name) => format!(".{name}"),
            Step::Coded(name, systems) => {
                format!(
                    ".{name}.where(coding.system in ('{}'))",
                    systems.join("', '")
                )
            }
            Step::Extension(urls) => format!(".extension('{}')", urls[0]),
        });
    }
    text
}

/// A condition as a policy file writes it.
fn condition(when: &When) -> String {
    match when {
        When::Always => "always".into(),
        When::Never => "never".into(),
        When::Sensitive => "sensitive".into(),
        When::MedicoSocial => "medico-social".into(),
        When::City => "city".into(),
        When::Region(codes) => format!("region in ('{}')", codes.join("', '")),
        When::Level(comparison, n) => format!("level {comparison} {n}"),
        When::Has(urls) => format!("has('{}')", urls[0]),
        When::Code(urls, codes) => format!("code('{}') in ('{}')", urls[0], codes.join("', '")),
        When::Not(a) => format!("not ({})", condition(a)),
        When::And(a, b) => format!("({}) and ({})", condition(a), condition(b)),
        When::Or(a, b) => format!("({}) or ({})", condition(a), condition(b)),
    }
}

fn policy(rules: &[Rule], rest: bool, document: &When) -> String {
    let mut text = String::new();
    for (number, rule) in rules.iter().enumerate() {
        text += &format!(
            "[lines.l{number}]\nelements = [\"{}\"]\n",
            path(&rule.steps)
        );
    }
    text += "[profiles.x]\n";
    if rest {
        text += "rest = ['HealthcareService']\n";
    }
    text += &format!(
        "documents.HealthcareService = \"{}\"\n",
        condition(document)
    );
    for (number, rule) in rules.iter().enumerate() {
        text += &format!("see.l{number} = \"{}\"\n", condition(&rule.when));
    }
    text
}

/// Whether the bytes of one can be had by leaving out bytes of the other.
fn is_cut_from(cut: &[u8], whole: &[u8]) -> bool {
    let mut rest = whole.iter();
    cut.iter().all(|byte| rest.any(|other| other == byte))
}

const TAG: &str =
    r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ObservationValue","code":"SUBSETTED"}"#;

/// The text without what tagging may have added to it, whichever of the forms that took.
fn untagged(text: &str) -> String {
    let mut text = text.to_owned();
    for added in [
        format!(r#","meta":{{"tag":[{TAG}]}}"#),
        format!(r#","tag":[{TAG}]"#),
        format!(r#""tag":[{TAG}]"#),
        format!(",{TAG}"),
        TAG.to_owned(),
    ] {
        if text.contains(&added) {
            text = text.replacen(&added, "", 1);
            break;
        }
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn the_crate_and_the_naive_routine_see_the_same(
        resource in resource(),
        rules in prop::collection::vec((steps(), when(false)).prop_map(|(steps, when)| Rule { steps, when }), 0..8),
        rest in any::<bool>(),
        document in prop_oneof![3 => Just(When::Always), 2 => when(true)],
        services in services(),
        pretty in any::<bool>(),
    ) {
        let text = policy(&rules, rest, &document);
        let policy = Policy::from_toml(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let crate_rules = policy.profile("x").expect("there").rules();
        let facts = services.iter().fold(Facts::unattached(), |facts, service| {
            facts.combine(Facts::of(ServiceKind {
                sensitive: service.sensitive,
                medico_social: service.medico_social,
                city: service.city,
            }))
        });
        // Where the rest is shown, a rule that always shows says nothing, of siblings neither.
        let telling: Vec<Rule> = rules
            .iter()
            .filter(|rule| !(rest && rule.when.constant() == Some(true)))
            .cloned()
            .collect();
        let naive = Naive {
            rules: &telling,
            rest,
            document: &document,
            services: &services,
            refers_to_hidden: &refers_to_hidden,
        };
        let source = if pretty {
            serde_json::to_string_pretty(&resource).expect("JSON")
        } else {
            resource.to_string()
        };
        let redact = |source: &str| {
            let node = Node::parse(source.as_bytes()).expect("JSON");
            crate_rules
                .redact(ResourceType::HealthcareService, source.as_bytes(), &node, facts, &visible)
                .expect("redacted")
        };
        let expected = naive.seen(&resource);
        match redact(&source) {
            Redacted::Hidden => prop_assert_eq!(expected, None, "hidden\n{}", text),
            Redacted::Whole => prop_assert_eq!(expected, Some(resource), "whole\n{}", text),
            Redacted::Partial(bytes) => {
                let partial = String::from_utf8(bytes).expect("UTF-8");
                let seen: Value = serde_json::from_str(&partial).expect("still JSON");
                prop_assert_ne!(&seen, &resource);
                prop_assert_eq!(Some(seen), expected, "{}\nof {}", text, source);
                // What a list of siblings loses leaves a null, which may not have been there.
                let bare = untagged(&partial).replace("null", "");
                prop_assert!(
                    is_cut_from(bare.as_bytes(), source.as_bytes()),
                    "{partial}\nof {source}"
                );
                // Rules that ask an element may hide what they ask about from a second pass.
                if !rules.iter().any(|rule| rule.when.asks_the_element()) {
                    prop_assert_eq!(redact(&partial), Redacted::Whole, "again: {}", partial);
                }
            }
        }
    }
}
