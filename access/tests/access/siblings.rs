//! `_x` beside `x`, odd shapes, and rules that reach inside an element.

use rorqual_access::Facts;
use serde_json::{Value, json};

use crate::scene::{GUIDE, coded, concept, kind, national, rules, seen, telecom};

fn shown(data: &str, member: &str, value: Value) -> Value {
    let rules = rules(&format!("documents.Location = 'always'\n{data}"));
    let resource = json!({"resourceType": "Location", "id": "1", member: value});
    let seen = seen(&rules, &resource, Facts::unattached()).expect("visible");
    seen.get(member).cloned().unwrap_or(Value::Null)
}

#[test]
fn a_sibling_follows_its_element() {
    let sibling = json!({"extension": [{"url": "u", "valueString": "s"}]});
    for (data, stays) in [
        ("", false),
        ("rest = ['Location']", true),
        ("see.'Location.name' = 'always'", true),
        ("see.'Location.name' = 'never'", false),
        ("see.'Location.name' = 'not sensitive'", true),
        ("see.'Location.name' = 'sensitive'", false),
        ("rest = ['Location']\nsee.'Location.name' = 'never'", false),
        // No answer for a sibling: it goes.
        ("see.'Location.name' = 'level < 3'", false),
        (
            "rest = ['Location']\nsee.'Location.name.x' = 'always'",
            true,
        ),
        (
            "rest = ['Location']\nsee.'Location.name.x' = 'sensitive'",
            false,
        ),
    ] {
        let found = shown(data, "_name", sibling.clone());
        assert_eq!(
            found,
            if stays { sibling.clone() } else { Value::Null },
            "{data}"
        );
    }
}

#[test]
fn a_path_inside_shows_no_more_than_it_names() {
    let position = json!({"latitude": 1.5, "longitude": 2.5, "extension": [{"url": "u", "valueBoolean": true}]});
    assert_eq!(
        shown(
            "see.'Location.position.latitude' = 'always'",
            "position",
            position.clone()
        ),
        json!({"latitude": 1.5})
    );
    assert_eq!(
        shown(
            "rest = ['Location']\nsee.'Location.position.latitude' = 'never'",
            "position",
            position
        ),
        json!({"longitude": 2.5, "extension": [{"url": "u", "valueBoolean": true}]})
    );
    // The URL makes an extension one; elsewhere `url` is an element like others.
    let url = format!("{GUIDE}ror-location-equipment");
    let equipment = json!([{"id": "e", "url": url, "extension": [
        {"url": "equipmentType", "valueString": "t"}, {"url": "nbInService", "valueInteger": 1}]}]);
    assert_eq!(
        shown(
            "see.\"Location.extension('ror-location-equipment').extension('nbInService')\" = 'always'",
            "extension",
            equipment
        ),
        json!([{"url": url, "extension": [{"url": "nbInService", "valueInteger": 1}]}])
    );
    assert_eq!(
        shown(
            "see.'Location.address.city' = 'always'",
            "address",
            json!({"url": "u", "city": "c"})
        ),
        json!({"city": "c"})
    );
}

#[test]
fn every_rule_on_the_way_must_hold() {
    let data = "see.'Location.address' = 'never'\nsee.'Location.address.city' = 'always'";
    assert_eq!(shown(data, "address", json!({"city": "c"})), Value::Null);
    let twice = "[lines.a]\nelements = ['Location.name']\n[lines.b]\nelements = ['Location.name']";
    let data = format!("see.a = 'always'\nsee.b = 'never'\n{twice}");
    assert_eq!(shown(&data, "name", json!("n")), Value::Null);
}

#[test]
fn one_object_where_a_list_is_due_is_judged_as_one() {
    let data = "see.'Location.telecom' = 'level = 1'";
    assert_eq!(shown(data, "telecom", telecom(1, "t")), telecom(1, "t"));
    assert_eq!(shown(data, "telecom", telecom(2, "t")), Value::Null);
    assert_eq!(shown(data, "telecom", json!("t")), Value::Null);
    assert_eq!(
        shown(data, "telecom", json!([[telecom(2, "t")]])),
        Value::Null
    );
}

#[test]
fn levels_are_read_in_every_shape_and_fail_closed() {
    let url = format!("{GUIDE}ror-telecom-confidentiality-level");
    let level = |value: Value| json!([{"value": "t", "extension": value}]);
    let one = |member: &str, value: Value| level(json!([{"url": url, member: value}]));
    let data = "see.'Location.telecom' = 'level = 1'";
    for public in [
        one("valueCode", json!("1")),
        one("valueString", json!("1")),
        one("valueInteger", json!(1)),
        one("valueCoding", json!({"code": "1"})),
        one("valueCodeableConcept", json!({"coding": [{"code": "1"}]})),
        one("valueCodeableConcept", json!({"coding": {"code": "1"}})),
        json!([{"value": "t", "extension": {"url": url, "valueCode": "1"}}]),
        json!([{"value": "t", "modifierExtension": [{"url": url, "valueCode": "1"}]}]),
    ] {
        assert_eq!(shown(data, "telecom", public.clone()), public);
    }
    for closed in [
        level(json!([])),
        one("valueCode", json!("01")),
        one("valueCode", json!("")),
        one("valueBoolean", json!(true)),
        one(
            "valueCodeableConcept",
            json!({"coding": [{"code": "1"}, {"code": "3"}]}),
        ),
        one(
            "valueCodeableConcept",
            json!({"coding": [{"code": "1"}, {"display": "public"}]}),
        ),
        one("valueCodeableConcept", json!({"text": "1"})),
        level(json!([{"url": url, "valueCode": "1"}, {"url": url, "valueCode": "2"}])),
        level(json!([{"url": "https://example.org/level", "valueCode": "1"}])),
    ] {
        assert_eq!(
            shown(data, "telecom", closed.clone()),
            Value::Null,
            "{closed}"
        );
        let open = shown(
            "see.'Location.telecom' = 'level >= 2'",
            "telecom",
            closed.clone(),
        );
        assert_eq!(open, closed);
    }
}

#[test]
fn a_restricted_extension_hides_under_no_other_name() {
    let policy = national();
    let rules = policy.profile("2").expect("there").rules();
    let zone = json!({"url": format!("{GUIDE}ror-organization-drop-zone"), "valueBoolean": true});
    for resource in [
        json!({"resourceType": "Organization", "id": "1", "modifierExtension": [zone.clone()]}),
        json!({"resourceType": "Organization", "id": "1", "extension": zone.clone()}),
        json!({"resourceType": "Organization", "id": "1", "extension": [[zone]]}),
    ] {
        let seen = seen(rules, &resource, kind(false, false, false)).expect("visible");
        assert!(!seen.to_string().contains("drop-zone"), "{resource}");
    }
}

#[test]
fn codes_in_conditions_must_all_fit() {
    let url = format!("{GUIDE}ror-location-supported-capacity");
    let line = |parts: Value| json!([{"url": url, "extension": parts}]);
    let status = |code: &str| json!({"url": "capacityStatus", "valueCodeableConcept": concept("TRE_R330-TypeStatutCapacite", code)});
    let data = "see.\"Location.extension('ror-location-supported-capacity')\" = \"code('capacityStatus') = '01'\"";
    let good = line(json!([status("01"), coded("ror-comment", "x", "y")]));
    assert_eq!(shown(data, "extension", good.clone()), good);
    for bad in [
        json!([status("02")]),
        json!([status("01"), status("06")]),
        json!([{"url": "capacityStatus"}]),
        json!([{"url": "capacityStatus", "valueCodeableConcept": {"text": "01"}}]),
        json!([{"url": "other", "valueCode": "01"}]),
        json!([{"url": "wrapped", "extension": [status("01")]}]),
    ] {
        assert_eq!(
            shown(data, "extension", line(bad.clone())),
            Value::Null,
            "{bad}"
        );
    }
}
