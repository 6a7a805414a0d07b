//! Facts drawn along the links of a small directory, and what a view holds of it.

use std::borrow::Cow;

use rorqual_access::{Directory, Facts, Survey, Target, own_facts};
use rorqual_schema::{Node, ResourceType};
use serde_json::{Value, json};

use crate::scene::{GUIDE, concept, kind, national, nos, rules};

fn service(id: &str, sensitive: bool, field: &str, more: Value) -> Value {
    let mut service = json!({"resourceType": "HealthcareService", "id": id,
        "extension": [{"url": format!("{GUIDE}ror-healthcareservice-sensitive-unit"), "valueBoolean": sensitive}],
        "type": [concept("TRE_R227-ChampActivite", field)]});
    let members = more.as_object().expect("an object").clone();
    service.as_object_mut().expect("an object").extend(members);
    service
}

fn survey(resources: &[Value]) -> Directory {
    let mut survey = Survey::new();
    for resource in resources {
        let text = resource.to_string();
        let node = Node::parse(text.as_bytes()).expect("JSON");
        let kind = resource["resourceType"]
            .as_str()
            .and_then(ResourceType::from_name);
        survey.note(kind.expect("a type"), &node);
    }
    survey.finish()
}

fn own(resource: &Value) -> Facts {
    let text = resource.to_string();
    let node = Node::parse(text.as_bytes()).expect("JSON");
    own_facts(ResourceType::HealthcareService, &node)
}

#[test]
fn a_service_says_its_own_facts() {
    let none = json!({});
    assert_eq!(
        own(&service("1", false, "01", none.clone())),
        kind(false, false, false)
    );
    assert_eq!(
        own(&service("1", true, "04", none.clone())),
        kind(true, true, false)
    );
    assert_eq!(
        own(&service("1", false, "05", none.clone())),
        kind(false, false, true)
    );
    assert_eq!(own(&json!({})), kind(false, false, false));
    assert_eq!(
        own(&json!({"type": concept("TRE_R227-ChampActivite", "04")})),
        kind(false, true, false)
    );
    let two = json!({"type": [concept("TRE_R227-ChampActivite", "04"), concept("TRE_R227-ChampActivite", "01")]});
    assert_eq!(
        own(&two),
        kind(false, true, false).combine(kind(false, false, false))
    );
    // A code of another system, of no system, or badly written is no field.
    for other in [
        json!([concept("TRE_R244-CategorieOrganisation", "05")]),
        json!([{"coding": [{"code": "05"}]}]),
        json!([concept("TRE_R227-ChampActivite", "5")]),
    ] {
        assert_eq!(own(&json!({"type": other})), kind(false, false, false));
    }
    let hyphen = nos("TRE_R227-ChampActivite").replace("TRE-R227", "TRE_R227");
    let old = json!({"type": [{"coding": [{"system": hyphen, "code": "05"}]}]});
    assert_eq!(own(&old), kind(false, false, true));
}

#[test]
fn anything_but_a_plain_false_is_sensitive() {
    let url = format!("{GUIDE}ror-healthcareservice-sensitive-unit");
    for closed in [
        json!([{"url": url, "valueBoolean": true}]),
        json!([{"url": url, "valueBoolean": "false"}]),
        json!([{"url": url, "valueString": "false"}]),
        json!([{"url": url}]),
        json!({"url": url, "valueBoolean": true}),
        json!([{"url": url, "valueBoolean": false}, {"url": url, "valueBoolean": true}]),
    ] {
        assert_eq!(
            own(&json!({"extension": closed})),
            kind(true, false, false),
            "{closed}"
        );
    }
    let inherited = json!({"modifierExtension": [{"url": url, "valueBoolean": true}]});
    assert_eq!(own(&inherited), kind(true, false, false));
}

fn town() -> Directory {
    survey(&[
        json!({"resourceType": "PractitionerRole", "id": "r1", "practitioner": {"reference": "Practitioner/p"},
            "healthcareService": [{"reference": "HealthcareService/open"}]}),
        json!({"resourceType": "PractitionerRole", "id": "r2", "practitioner": {"reference": "Practitioner/p"},
            "healthcareService": [{"reference": "HealthcareService/closed"}], "location": [{"reference": "Location/office"}]}),
        json!({"resourceType": "PractitionerRole", "id": "lost", "practitioner": {"reference": "Practitioner/q"},
            "healthcareService": [{"reference": "HealthcareService/absent"}]}),
        json!({"resourceType": "PractitionerRole", "id": "logical",
            "healthcareService": [{"identifier": {"system": "urn:x", "value": "52/2"}}]}),
        json!({"resourceType": "PractitionerRole", "id": "free"}),
        service(
            "open",
            false,
            "05",
            json!({"location": [{"reference": "Location/shared"}, {"reference": "Location/own"}],
            "providedBy": {"reference": "https://ror.example/fhir/Organization/o"},
            "meta": {"tag": [{"system": nos("TRE_R30-RegionOM"), "code": "52"}]}}),
        ),
        service(
            "closed",
            true,
            "01",
            json!({"location": [{"reference": "shared"}], "providedBy": {"reference": "Organization/o"},
            "identifier": [{"system": "urn:x", "value": "52/2"}],
            "meta": {"tag": [{"system": nos("TRE_R30-RegionOM"), "code": "53"}]}}),
        ),
        service(
            "far",
            false,
            "04",
            json!({"location": {"identifier": {"value": "52/900"}}}),
        ),
        json!({"resourceType": "Location", "id": "shared"}),
        json!({"resourceType": "Location", "id": "own"}),
        json!({"resourceType": "Location", "id": "office"}),
        json!({"resourceType": "Location", "id": "room", "partOf": {"reference": "Location/corridor"}}),
        json!({"resourceType": "Location", "id": "corridor", "partOf": {"reference": "Location/office"}}),
        json!({"resourceType": "Location", "id": "round", "partOf": {"reference": "Location/round"}}),
        json!({"resourceType": "Location", "id": "empty"}),
        json!({"resourceType": "Location", "id": "named", "identifier": [{"system": "urn:y", "value": "52/900"}]}),
        json!({"resourceType": "Organization", "id": "o"}),
        json!({"resourceType": "Organization", "id": "above"}),
        json!({"resourceType": "Practitioner", "id": "p"}),
        json!({"resourceType": "Practitioner", "id": "q"}),
    ])
}

#[test]
fn facts_follow_the_links() {
    use ResourceType::{Location, Organization, Practitioner, PractitionerRole};
    let town = town();
    let (open, closed) = (kind(false, false, true), kind(true, false, false));
    for (type_, id, expected) in [
        (PractitionerRole, "r1", open),
        (PractitionerRole, "r2", closed),
        (PractitionerRole, "lost", Facts::unknown()),
        (PractitionerRole, "logical", closed),
        (PractitionerRole, "free", Facts::unattached()),
        (Practitioner, "p", open.combine(closed)),
        (Practitioner, "q", Facts::unknown()),
        (Location, "shared", open.combine(closed)),
        (Location, "own", open),
        (Location, "office", closed),
        (Location, "corridor", closed),
        (Location, "room", closed),
        (Location, "round", Facts::unattached()),
        (Location, "empty", Facts::unattached()),
        (Location, "named", kind(false, true, false)),
        (Location, "nowhere", Facts::unattached()),
        (Organization, "o", open.combine(closed)),
        (Organization, "above", Facts::unattached()),
    ] {
        assert_eq!(town.facts(type_, id), expected, "{type_}/{id}");
    }
}

#[test]
fn combining_is_a_union() {
    let (a, b, c) = (
        kind(true, false, false),
        kind(false, true, false),
        Facts::unattached(),
    );
    assert_eq!(a.combine(b), b.combine(a));
    assert_eq!(a.combine(b).combine(c), a.combine(b.combine(c)));
    assert_eq!(a.combine(a), a);
    assert_eq!(a.combine(c), a);
    assert_eq!(a.combine(b).kinds().count(), 2);
    assert_eq!(c.kinds().count(), 1);
}

#[test]
fn a_view_holds_what_its_rules_see() {
    use ResourceType::{HealthcareService, Location, Organization, Practitioner, PractitionerRole};
    let town = town();
    let policy = national();
    let holds = |profile: &str, kind, id| {
        let rules = policy.profile(profile).expect("there").rules();
        town.visibility(rules).holds(&Target::Literal { kind, id })
    };
    for (profile, kind, id, expected) in [
        ("2", HealthcareService, "open", true),
        ("2", HealthcareService, "closed", false),
        ("1", HealthcareService, "closed", true),
        ("4", HealthcareService, "closed", true),
        ("2", HealthcareService, "absent", false),
        ("1", HealthcareService, "absent", false),
        ("2", Location, "shared", true),
        ("2", Location, "room", false),
        ("2", PractitionerRole, "r1", true),
        ("2", PractitionerRole, "r2", false),
        ("2", PractitionerRole, "lost", false),
        ("0", Practitioner, "p", true),
        ("0", Practitioner, "q", false),
        ("0", PractitionerRole, "free", false),
        ("2", PractitionerRole, "free", true),
        ("3", PractitionerRole, "r1", false),
        ("0", Organization, "o", true),
        ("0", Organization, "above", true),
    ] {
        assert_eq!(holds(profile, kind, id), expected, "{profile} {kind}/{id}");
    }
}

#[test]
fn an_identifier_is_hidden_with_any_of_its_carriers() {
    let town = town();
    let policy = national();
    let visibility = town.visibility(policy.profile("2").expect("there").rules());
    let holds = |kind, system: &str, value| {
        visibility.holds(&Target::Logical {
            kind,
            system: Cow::Borrowed(system),
            value,
        })
    };
    assert!(!holds(None, "urn:x", "52/2"));
    assert!(!holds(None, "", "52/2"));
    assert!(!holds(
        Some(ResourceType::HealthcareService),
        "urn:x",
        "52/2"
    ));
    assert!(holds(None, "urn:y", "52/900"));
    // What nobody carries is told from what somebody hidden carries by nothing.
    assert!(!holds(Some(ResourceType::Organization), "urn:x", "52/2"));
    assert!(!holds(None, "urn:z", "52/2"));
    assert!(!holds(None, "urn:x", "52/3"));
}

#[test]
fn regions_bound_a_view() {
    let town = town();
    let one = rules("documents.HealthcareService = \"region = '52'\"");
    let both = rules("documents.HealthcareService = \"region in ('52', '53')\"");
    let holds = |rules, id| {
        let kind = ResourceType::HealthcareService;
        town.visibility(rules).holds(&Target::Literal { kind, id })
    };
    assert!(holds(&one, "open") && !holds(&one, "closed"));
    assert!(holds(&both, "open") && holds(&both, "closed"));
    // Without a region tag there is no region to be in.
    assert!(!holds(&one, "far") && !holds(&both, "far"));
    let kind = ResourceType::HealthcareService;
    assert!(!one.sees(kind, &["52", "53"], Facts::unattached()));
}

#[test]
fn a_task_has_the_facts_of_its_focus() {
    let town = town();
    let facts = |focus: Value| {
        let text = json!({"resourceType": "Task", "id": "t", "focus": focus}).to_string();
        town.task_facts(&Node::parse(text.as_bytes()).expect("JSON"))
    };
    let (open, closed) = (kind(false, false, true), kind(true, false, false));
    for (focus, expected) in [
        (json!({"reference": "HealthcareService/closed"}), closed),
        (
            json!({"reference": "https://ror.example/fhir/HealthcareService/open"}),
            open,
        ),
        (
            json!({"reference": "open", "type": "HealthcareService"}),
            open,
        ),
        (json!({"reference": "Organization/o"}), open.combine(closed)),
        (
            json!({"type": "HealthcareService", "identifier": {"value": "52/2"}}),
            closed,
        ),
        (
            json!({"identifier": {"system": "urn:x", "value": "52/2"}}),
            closed,
        ),
        (
            json!({"type": "Organization", "identifier": {"value": "52/2"}}),
            Facts::unknown(),
        ),
        (
            json!({"identifier": {"value": "missing"}}),
            Facts::unknown(),
        ),
        // What no service leads to counts as plain; a type in the wrong case is the type.
        (
            json!({"reference": "Organization/above"}),
            kind(false, false, false),
        ),
        (json!({"reference": "organization/o"}), open.combine(closed)),
        (json!({"reference": "Task/t"}), Facts::unknown()),
        (json!({"reference": "Endpoint/1"}), Facts::unknown()),
        (
            json!({"reference": "HealthcareService/absent"}),
            Facts::unknown(),
        ),
        (json!({"reference": "open"}), Facts::unknown()),
        (json!({"display": "x"}), Facts::unknown()),
        (Value::Null, Facts::unknown()),
    ] {
        assert_eq!(facts(focus.clone()), expected, "{focus}");
    }
}

#[test]
fn a_task_noted_is_there_when_its_focus_is() {
    use ResourceType::Task;
    let task = |id: &str, focus: &str| json!({"resourceType": "Task", "id": id, "focus": {"reference": focus}});
    let mut resources = vec![
        service("open", false, "01", json!({})),
        service("closed", true, "01", json!({})),
        task("of-open", "HealthcareService/open"),
        task("of-closed", "HealthcareService/closed"),
        task("of-nobody", "HealthcareService/absent"),
        task("of-task", "Task/of-open"),
        task("of-hidden-task", "Task/of-closed"),
        task("round", "Task/about"),
        task("about", "Task/round"),
    ];
    resources.push(json!({"resourceType": "Task", "id": "of-itself", "focus": {"reference": "of-itself", "type": "Task"}}));
    resources.push(json!({"resourceType": "Task", "id": "of-a-number", "focus": {"identifier": {"value": "52/404"}}}));
    let all = survey(&resources);
    assert_eq!(all.facts(Task, "of-closed"), kind(true, false, false));
    assert_eq!(all.facts(Task, "of-open"), kind(false, false, false));
    assert_eq!(all.facts(Task, "of-task"), Facts::unknown());
    let rules = rules(
        "tasks = ['read']\nrest = ['*']\ndocuments.HealthcareService = 'not sensitive'\ndocuments.Task = 'always'",
    );
    let visibility = all.visibility(&rules);
    let seen = |id| visibility.holds(&Target::Literal { kind: Task, id });
    for (id, expected) in [
        ("of-open", true),
        ("of-task", true),
        ("of-closed", false),
        ("of-nobody", false),
        ("of-hidden-task", false),
        ("round", false),
        ("about", false),
        ("of-itself", false),
        ("of-a-number", false),
    ] {
        assert_eq!(seen(id), expected, "{id}");
    }
}

#[test]
fn a_place_within_several_takes_the_facts_of_all() {
    use ResourceType::Location;
    let within = json!([{"reference": "Location/a"}, {"identifier": {"value": "shared"}}]);
    let all = survey(&[
        service(
            "1",
            false,
            "05",
            json!({"location": [{"reference": "Location/a"}]}),
        ),
        service(
            "2",
            true,
            "01",
            json!({"location": [{"reference": "Location/c"}]}),
        ),
        json!({"resourceType": "Location", "id": "a"}),
        json!({"resourceType": "Location", "id": "b", "identifier": [{"value": "shared"}]}),
        json!({"resourceType": "Location", "id": "c", "identifier": [{"value": "shared"}]}),
        json!({"resourceType": "Location", "id": "room", "partOf": within}),
    ]);
    let both = kind(false, false, true).combine(kind(true, false, false));
    assert_eq!(all.facts(Location, "room"), both);
    assert_eq!(all.facts(Location, "b"), Facts::unattached());
}
