//! Places, professionals and organizations of several services under the national policy.

use rorqual_access::Facts;
use serde_json::json;

use crate::matrix::{OPEN, capacity, facts, location, organization};
use crate::scene::{GUIDE, is_subsetted, national, seen, telecom};

/// "Organisation as such" is there for every profile; a sensitive service among others leaves its public contact public.
#[test]
fn an_organization_is_closed_only_when_it_is_itself_the_sensitive_unit() {
    let policy = national();
    let open_data = policy.profile("0").expect("there").rules();
    let resource = organization("telecom", json!([telecom(1, "the-mark")]));
    let mixed = facts("h").combine(facts("H"));
    assert_eq!(seen(open_data, &resource, mixed).as_ref(), Some(&resource));
    let own = seen(open_data, &resource, facts("H")).expect("visible");
    assert!(own.get("telecom").is_none());
    assert_eq!(
        seen(open_data, &resource, Facts::unattached()).as_ref(),
        Some(&resource)
    );
}

/// A place shared with a sensitive unit: the place is seen through the open service, what may be the unit's is not.
#[test]
fn a_shared_place_follows_the_most_closed() {
    let policy = national();
    let mut resource = location("telecom", json!([telecom(1, "a-number")]));
    resource["name"] = json!("Pavillon");
    resource["extension"] = json!([
        {"url": format!("{GUIDE}ror-location-equipment"), "valueString": "scanner"},
        {"url": format!("{GUIDE}ror-location-residential-capacity"), "valueString": "rooms"},
    ]);
    let shared = facts("h").combine(facts("H"));
    for profile in ["0", "2", "3", "5"] {
        let rules = policy.profile(profile).expect("there").rules();
        let seen = seen(rules, &resource, shared).expect("seen through the open service");
        let text = seen.to_string();
        assert!(
            text.contains("Pavillon") && text.contains("rooms"),
            "{profile}"
        );
        assert!(
            !text.contains("a-number") && !text.contains("scanner"),
            "{profile}"
        );
        assert!(is_subsetted(&seen));
    }
    let all_but_contacts = policy.profile("4").expect("there").rules();
    let seen = seen(all_but_contacts, &resource, shared).expect("seen");
    assert!(seen.to_string().contains("scanner"));
    assert!(seen.get("telecom").is_none());
}

/// Each line of the matrix that a shared place or professional is told from, one by one: "not S" counts for the services all together.
#[test]
fn what_may_be_of_the_sensitive_unit_is_not_seen_at_a_shared_place() {
    let policy = national();
    let equipment = location(
        "extension",
        json!([{"url": format!("{GUIDE}ror-location-equipment"), "valueString": "the-mark"}]),
    );
    let person =
        json!({"resourceType": "Practitioner", "id": "1", "telecom": [telecom(1, "the-mark")]});
    for resource in [
        location("telecom", json!([telecom(1, "the-mark")])),
        equipment,
        capacity("01", None),
        capacity("02", None),
        person,
    ] {
        for profile in ["0", "2", "3", "5"] {
            let rules = policy.profile(profile).expect("there").rules();
            for letter in OPEN.chars() {
                let letter = letter.to_string();
                let shared = facts(&letter).combine(facts(&letter.to_uppercase()));
                let seen = seen(rules, &resource, shared).map(|seen| seen.to_string());
                let found = seen.is_some_and(|seen| seen.contains("the-mark"));
                assert!(!found, "profile {profile}, kind {letter}: {resource}");
            }
        }
    }
}

/// Profile 3 shows of a place that hospital and medico-social offers share only what both may show.
#[test]
fn a_place_of_two_fields_shows_what_both_allow() {
    let policy = national();
    let rules = policy.profile("3").expect("there").rules();
    let resource = location(
        "extension",
        json!([{"url": format!("{GUIDE}ror-location-equipment"), "valueString": "the-mark"}]),
    );
    let shown = |facts| seen(rules, &resource, facts).expect("visible") == resource;
    assert!(shown(facts("m")));
    assert!(!shown(facts("m").combine(facts("h"))));
}
