//! What a client may not see is nowhere in what it gets: reads, searches, links, plans, errors, batches.

use serde_json::{Value, json};

use super::directory::{Place, tells_nothing};
use crate::client::Response;

/// Headers that tell something of the answer, and its body, without the words asked with.
fn told(answer: &Response, asked: &str) -> (u16, Vec<(String, String)>, String) {
    let own = ["date", "x-request-id", "content-length"];
    let headers = answer.headers.iter();
    (
        answer.status,
        headers
            .filter(|(name, _)| !own.contains(&name.as_str()))
            .cloned()
            .collect(),
        answer.text().replace(asked, "…"),
    )
}

#[test]
fn a_hidden_id_answers_as_one_that_nobody_has() {
    let place = Place::new();
    let mut client = place.client(2);
    for (kind, id) in [
        ("HealthcareService", "closed"),
        ("Location", "closed"),
        ("Practitioner", "closed"),
        ("PractitionerRole", "closed"),
    ] {
        for form in ["", "/_history/1", "?_pretty=true"] {
            // Answers tell the name of their request.
            let mut get =
                |path: String| client.send("GET", &path, &[("X-Request-Id", "alike")], b"");
            let hidden = get(format!("/fhir/{kind}/{id}{form}"));
            let absent = get(format!("/fhir/{kind}/absent{form}"));
            assert_eq!(hidden.status, 404, "{kind}{form}");
            assert_eq!(told(&hidden, id), told(&absent, "absent"), "{kind}{form}");
        }
        assert_eq!(
            place.get(1, &format!("/fhir/{kind}/{id}")).status,
            200,
            "{kind}"
        );
    }
    let hidden = client.send("HEAD", "/fhir/HealthcareService/closed", &[], b"");
    assert_eq!(hidden.status, 404);
}

#[test]
fn no_way_of_asking_finds_it() {
    let place = Place::new();
    let mut client = place.client(2);
    for query in [
        "HealthcareService?name=Unité%20Fermée",
        "HealthcareService?_id=closed",
        "HealthcareService?identifier=52/666",
        "HealthcareService?location=closed",
        "HealthcareService?location.address-city=Rezé",
        "HealthcareService?_content=Fermée",
        "HealthcareService?_filter=name%20co%20%22Fermée%22",
        "Location?_has:HealthcareService:location:name=Unité",
        "Organization?_has:HealthcareService:organization:identifier=52/666",
        "PractitionerRole?service=HealthcareService/closed",
        "Location?_id=closed",
    ] {
        let answer = client.get(&format!("/fhir/{query}"));
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        assert_eq!(answer.json()["total"], 0, "{query}");
        assert_eq!(answer.json().get("entry"), None, "{query}");
        assert_ne!(
            place.get(1, &format!("/fhir/{query}")).json()["total"],
            0,
            "{query}"
        );
    }
    for query in [
        "HealthcareService?_include=*&_revinclude=*&_include:iterate=*&_revinclude:iterate=*",
        "Organization?_revinclude=HealthcareService:organization&_revinclude:iterate=PractitionerRole:service",
        "Location?_sort=address-city",
        "HealthcareService?_sort=location.address-city&_elements=name",
        "Location?_summary=data",
    ] {
        let answer = client.get(&format!("/fhir/{query}"));
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        tells_nothing(&answer, query);
    }
}

#[test]
fn a_page_link_opens_for_its_own_profile_only() {
    let place = Place::new();
    let first = place.get(1, "/fhir/Location?_count=1&_sort=status").json();
    let link = |bundle: &Value| {
        let links = bundle["link"].as_array().expect("links");
        let next = links.iter().find(|link| link["relation"] == "next");
        let url = next.expect("a next page")["url"].as_str().expect("a URL");
        url[url.find("/fhir/").expect("the base")..].to_owned()
    };
    let next = link(&first);
    assert_eq!(place.get(1, &next).status, 200);
    for number in [0, 2, 3, 4, 5] {
        let answer = place.get(number, &next);
        assert_eq!(answer.status, 400, "{number}: {}", answer.text());
        tells_nothing(&answer, &next);
    }
    let own = link(&place.get(2, "/fhir/Location?_count=1&_sort=status").json());
    assert_eq!(place.get(2, &own).status, 200);
    assert_eq!(place.get(1, &own).status, 400);
    // Profiles that see the same have one view, and their links open for each other.
    assert_eq!(place.get(4, &own).status, 200);
}

#[test]
fn a_plan_counts_what_the_view_holds() {
    let place = Place::new();
    let steps = |number: usize| {
        let answer = place.get(
            number,
            "/fhir/HealthcareService/$explain?location.address-city=Nantes,Rezé",
        );
        assert_eq!(answer.status, 200, "{}", answer.text());
        tells_nothing(&answer, "");
        answer.text().to_owned()
    };
    let reporter = steps(5);
    assert!(!reporter.is_empty());
    let all = place.get(
        1,
        "/fhir/HealthcareService/$explain?location.address-city=Nantes,Rezé",
    );
    assert_ne!(all.text(), reporter);
    let actual = |text: &str| {
        let plan: Value = serde_json::from_str(text).expect("JSON");
        largest(&plan)
    };
    assert_eq!((actual(all.text()), actual(&reporter)), (3, 2));
    assert_eq!(place.get(2, "/fhir/HealthcareService/$explain").status, 403);
}

/// The largest number called `actual` anywhere in a plan.
fn largest(value: &Value) -> u64 {
    let inside = match value {
        Value::Array(items) => items.iter().map(largest).max(),
        Value::Object(members) => members.values().map(largest).max(),
        _ => None,
    };
    let is_actual = value["name"] == "actual";
    let number = value
        .as_object()
        .and_then(|members| members.iter().find(|(name, _)| name.starts_with("value")))
        .and_then(|(_, number)| number.as_f64())
        .map(|number| number as u64);
    let own = number.filter(|_| is_actual).unwrap_or(0);
    own.max(inside.unwrap_or(0))
}

#[test]
fn errors_name_nothing_hidden() {
    let place = Place::new();
    let mut client = place.client(2);
    for query in [
        "HealthcareService?nam=Urgences",
        "HealthcareService?name:of=Urgences",
        "HealthcareService?location.nam=a",
        "HealthcareService?_filter=nam%20eq%20a",
        "HealthcareService?_sort=nam",
        "HealthcareService?_include=HealthcareService:locatio",
        "HealthcareService?_cursor=AAAA",
        "HealthcareService?_has:PractitionerRole:servic:identifier=1",
        "HealthcareService/$explain",
        "HealthcareService/op",
        "Location/clos",
    ] {
        let answer = client.get(&format!("/fhir/{query}"));
        assert!((400..500).contains(&answer.status), "{query}");
        assert_eq!(answer.json()["resourceType"], "OperationOutcome");
        tells_nothing(&answer, query);
    }
}

#[test]
fn each_entry_of_a_batch_is_held_to_the_profile() {
    let place = Place::new();
    let get = |url: &str| json!({"request": {"method": "GET", "url": url}});
    let batch = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        get("HealthcareService/open"),
        get("HealthcareService/closed"),
        get("HealthcareService/absent"),
        get("HealthcareService?name=Unité"),
        get("Practitioner?_id=closed"),
        get("Task"),
        {"resource": {"resourceType": "Task"}, "request": {"method": "POST", "url": "Task"}},
    ]});
    let send = |number: usize| {
        let headers = [("Content-Type", "application/fhir+json")];
        let body = batch.to_string();
        place
            .client(number)
            .send("POST", "/fhir", &headers, body.as_bytes())
    };
    let answer = send(2);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let entries = answer.json()["entry"].as_array().expect("entries").clone();
    let statuses: Vec<String> = entries
        .iter()
        .map(|entry| entry["response"]["status"].as_str().unwrap_or("")[..3].to_owned())
        .collect();
    assert_eq!(statuses, ["200", "404", "404", "200", "200", "403", "403"]);
    let (hidden, absent) = (entries[1].to_string(), entries[2].to_string());
    assert_eq!(hidden.replace("closed", "absent"), absent);
    assert_eq!(entries[3]["resource"]["total"], 0);
    assert_eq!(entries[4]["resource"]["total"], 0);
    // Client 4 may not ask about practitioners, whatever it asks.
    let narrow = send(4).json();
    let status = narrow["entry"][4]["response"]["status"].as_str();
    assert!(
        status.is_some_and(|status| status.starts_with("403")),
        "{narrow}"
    );
}
