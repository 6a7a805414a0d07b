//! The schema as a whole: its files, its stored form, parameters added from outside, wrong ones refused.

use std::collections::HashSet;
use std::path::Path;

use rorqual_schema::{
    Extracted, Extraction, Node, ParameterType, ResourceType, Schema, SchemaError, Value,
};

fn embedded() -> Schema {
    Schema::embedded().expect("schema")
}

#[test]
fn every_type_has_its_parameters() {
    let schema = embedded();
    let counts = ResourceType::ALL.map(|t| schema.parameters(t).len());
    let published = [20, 31, 21, 7, 10, 10];
    assert!(
        counts
            .iter()
            .zip(published)
            .all(|(count, due)| *count >= due),
        "{counts:?}"
    );
    for t in ResourceType::ALL {
        let codes: Vec<&str> = schema
            .parameters(t)
            .iter()
            .map(|parameter| parameter.code.as_str())
            .collect();
        assert!(codes.is_sorted());
        for common in ["_id", "_lastUpdated", "_tag", "_filter", "_has", "_content"] {
            assert!(codes.contains(&common), "{t} {common}");
        }
        for (number, parameter) in schema.parameters(t).iter().enumerate() {
            assert_eq!(schema.find(t, &parameter.code), Some(number));
            assert_eq!(parameter.base, t);
            assert!(
                !parameter.description.is_empty() && !parameter.url.is_empty(),
                "{t} {}",
                parameter.code
            );
        }
    }
    assert_eq!(
        schema.find(ResourceType::HealthcareService, "equipment-type"),
        None
    );
    assert_eq!(schema.find(ResourceType::Organization, "oi-name"), None);
}

#[test]
fn parameters_know_their_group_from_their_path() {
    let schema = embedded();
    let members = |t: ResourceType, name: &str| {
        let group = schema.find_group(t, name).expect("group");
        let inside = schema
            .parameters(t)
            .iter()
            .filter(|parameter| parameter.group == Some(group));
        inside
            .map(|parameter| parameter.code.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        members(ResourceType::Location, "equipment"),
        ["equipment-type"]
    );
    assert_eq!(
        members(ResourceType::Location, "equipment-limit"),
        ["equipment-feature", "limit-value"]
    );
    assert_eq!(
        members(ResourceType::Location, "residential-capacity"),
        ["residential-number", "residential-type"]
    );
    assert_eq!(
        members(ResourceType::Location, "supported-capacity").len(),
        10
    );
    assert_eq!(members(ResourceType::Organization, "price").len(), 8);
    let groups = schema.groups(ResourceType::Location);
    let limit = groups
        .iter()
        .find(|group| group.name == "equipment-limit")
        .expect("group");
    assert_eq!(
        limit.parent.map(|parent| groups[parent].name.as_str()),
        Some("equipment")
    );
}

#[test]
fn only_the_ages_have_a_default_unit() {
    let schema = embedded();
    let with_unit: Vec<_> = ResourceType::ALL
        .iter()
        .flat_map(|t| schema.parameters(*t))
        .filter_map(|parameter| Some((parameter.code.as_str(), parameter.default_unit.as_deref()?)))
        .collect();
    assert_eq!(with_unit, [("age-range-high", "a"), ("age-range-low", "a")]);
}

#[test]
fn every_file_is_a_sound_search_parameter() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("search-parameters");
    let mut urls = HashSet::new();
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        let text = std::fs::read(&path).expect("file");
        let node = Node::parse(&text).expect("JSON without duplicate members");
        let get = |name: &str| {
            node.get(name)
                .and_then(Node::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        assert_eq!(get("resourceType"), "SearchParameter", "{path:?}");
        for due in ["id", "url", "name", "status", "description", "code", "type"] {
            assert!(!get(due).is_empty(), "{path:?} {due}");
        }
        assert!(rorqual_schema::is_id(&get("id")), "{path:?}");
        assert!(get("name").chars().all(char::is_alphanumeric), "{path:?}");
        assert!(urls.insert(get("url")), "{path:?}: the URL is taken");
        let bases = node
            .get("base")
            .map(|bases| bases.items().len())
            .unwrap_or_default();
        let shared = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("Resource-"));
        assert_eq!(shared, bases > 1, "{path:?}");
    }
    assert!(urls.len() >= 69);
}

#[test]
fn the_stored_form_reads_back_the_same() {
    let schema = embedded();
    let stored = schema.to_json();
    let back = Schema::from_json(&stored).expect("stored form");
    assert_eq!(back.to_json(), stored);
    assert_eq!(back.digest(), schema.digest());
    assert_eq!(schema.digest().len(), 16);
    for t in ResourceType::ALL {
        assert_eq!(back.parameters(t), schema.parameters(t));
        assert_eq!(back.groups(t), schema.groups(t));
    }
    let reunion = rorqual_schema::TimeZoneRule::from_name("Indian/Reunion").expect("zone");
    let moved = Schema::from_json(&stored)
        .expect("stored form")
        .with_time_zone(reunion);
    assert_ne!(moved.digest(), schema.digest());
    assert_eq!(
        Schema::from_json(&moved.to_json())
            .expect("stored form")
            .time_zone()
            .name(),
        "Indian/Reunion"
    );
    assert!(Schema::from_json(b"{}").is_err());
}

/// A folder of schema files that goes away with the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Folder {
        let path =
            std::env::temp_dir().join(format!("rorqual-schema-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("folder");
        for (file, text) in files {
            std::fs::write(path.join(file), text).expect("file");
        }
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn parameter_file(kind: &str, expression: &str) -> String {
    format!(
        r#"{{"resourceType":"SearchParameter","url":"urn:test:p","name":"P","status":"active","description":"d",
            "code":"invented","base":["Location","Organization"],"type":"{kind}","expression":"{expression}"}}"#
    )
}

#[test]
fn a_parameter_is_one_file() {
    let invented = parameter_file(
        "token",
        "Location.extension('urn:test:door').value | Organization.extension('urn:test:door').value",
    );
    let group =
        r#"[{"name":"door","base":"Location","path":"Location.extension('urn:test:door')"}]"#;
    let folder = Folder::new(
        "added",
        &[
            ("invented.json", &invented),
            ("groups.json", group),
            ("README.md", "no schema"),
        ],
    );
    let schema = Schema::with_directory(&folder.0).expect("schema");
    let number = schema
        .find(ResourceType::Location, "invented")
        .expect("parameter");
    assert_ne!(schema.digest(), embedded().digest());
    let text = br#"{"extension":[{"url":"urn:test:door","valueCode":"red"},{"url":"urn:other","valueCode":"x"},
        {"url":"urn:test:door","valueCoding":{"system":"s","code":"blue"}}]}"#;
    let node = Node::parse(text).expect("JSON");
    let mut extraction = Extraction::new();
    schema.extract(ResourceType::Location, &node, &mut extraction);
    let found: Vec<(usize, Option<u32>, &str)> = extraction
        .values
        .iter()
        .map(
            |Extracted {
                 parameter,
                 line,
                 value,
             }| match value {
                Value::Token(token) => (*parameter, *line, token.code.as_ref()),
                other => panic!("{other:?}"),
            },
        )
        .collect();
    assert_eq!(found, [(number, Some(0), "red"), (number, Some(1), "blue")]);
    // On the other base there is no group, and only its own branch counts.
    schema.extract(ResourceType::Organization, &node, &mut extraction);
    assert_eq!(
        extraction
            .values
            .iter()
            .map(|found| found.line)
            .collect::<Vec<_>>(),
        [None, None]
    );
}

#[test]
fn a_file_replaces_the_embedded_parameter_of_the_same_code() {
    let name = r#"{"resourceType":"SearchParameter","url":"urn:test:name","code":"name","base":["Organization"],"type":"string",
        "expression":"Organization.alias"}"#;
    let folder = Folder::new("replaced", &[("name.json", name)]);
    let schema = Schema::with_directory(&folder.0).expect("schema");
    assert_eq!(
        schema.parameters(ResourceType::Organization).len(),
        embedded().parameters(ResourceType::Organization).len()
    );
    let number = schema
        .find(ResourceType::Organization, "name")
        .expect("parameter");
    assert_eq!(
        schema.parameters(ResourceType::Organization)[number].url,
        "urn:test:name"
    );
}

#[test]
fn a_wrong_file_is_refused_with_what_is_wrong() {
    let refused = |name: &str, text: &str| {
        let folder = Folder::new(name, &[("x.json", text)]);
        Schema::with_directory(&folder.0).expect_err(name)
    };
    let said = |name: &str, text: &str, part: &str| {
        let message = refused(name, text).to_string();
        assert!(message.contains(part), "{name}: {message}");
    };
    said("json", "{", "x.json is not usable");
    said(
        "kind",
        &parameter_file("composite", "Location.name"),
        "`composite` is not offered",
    );
    said(
        "path",
        &parameter_file("token", "Patient.name"),
        "begins with Location or Resource",
    );
    said(
        "target",
        &parameter_file("reference", "Location.partOf"),
        "needs a target",
    );
    said(
        "shape",
        r#"{"resourceType":"Patient","url":"u","code":"c","base":["Location"],"type":"token"}"#,
        "resourceType is `Patient`",
    );
    said(
        "base",
        r#"{"resourceType":"SearchParameter","url":"u","code":"c","base":["Patient"],"type":"token","expression":"Patient.id"}"#,
        "`Patient` is not a type",
    );
    match refused(
        "function",
        &parameter_file("token", "Location.name.first() | Organization.name"),
    ) {
        SchemaError::Expression { base, code, source } => {
            assert_eq!(
                (base, code.as_str(), source.position),
                (ResourceType::Location, "invented", 15)
            );
        }
        other => panic!("{other}"),
    }
    assert!(matches!(
        Schema::with_directory(Path::new("no-such-folder")),
        Err(SchemaError::Read { .. })
    ));
}

#[test]
fn near_names_are_suggested_best_first() {
    let schema = embedded();
    let offers = |written: &str| schema.suggest(ResourceType::HealthcareService, written);
    assert_eq!(
        offers("speciality").first().map(String::as_str),
        Some("specialty")
    );
    assert_eq!(
        offers("near").first().map(String::as_str),
        Some("location.near")
    );
    assert_eq!(
        offers("locaton.near").first().map(String::as_str),
        Some("location.near")
    );
    assert_eq!(offers("_sorted").first().map(String::as_str), Some("_sort"));
    assert_eq!(
        offers("Identifier").first().map(String::as_str),
        Some("identifier")
    );
    assert_eq!(
        schema
            .suggest(ResourceType::Location, "capacitystatus")
            .first()
            .map(String::as_str),
        Some("capacity-status")
    );
    assert!(offers("xyzzy").is_empty());
    assert!(offers("a").len() <= 3 && offers(&"é".repeat(100_000)).is_empty());
}

#[test]
fn buffers_are_reused_from_one_resource_to_the_next() {
    let schema = embedded();
    let mut extraction = Extraction::new();
    for id in ["1", "2"] {
        let text = format!(r#"{{"id":"{id}","meta":{{"tag":[{{"code":"52"}}]}},"name":"n"}}"#);
        let node = Node::parse(text.as_bytes()).expect("JSON");
        let mut filled = extraction.recycle();
        schema.extract(ResourceType::Location, &node, &mut filled);
        assert_eq!(filled.values.len(), 2);
        assert_eq!(filled.lines.len(), 4);
        let capacity = filled.values.capacity();
        extraction = filled.recycle();
        assert_eq!(
            (extraction.values.len(), extraction.values.capacity()),
            (0, capacity)
        );
    }
}

#[test]
fn the_types_of_parameters_have_their_fhir_names() {
    for kind in ParameterType::ALL {
        assert_eq!(ParameterType::from_name(kind.name()), Some(kind));
    }
    assert_eq!(ParameterType::from_name("uri"), None);
}
