//! Bodies to send, and short ways to send them.

use serde_json::{Value, json};

use crate::client::{Client, Response};

pub const JSON: (&str, &str) = ("Content-Type", "application/fhir+json");
pub const JSON_PATCH: (&str, &str) = ("Content-Type", "application/json-patch+json");

/// What answers to writes are sent as.
pub const ANSWERED: &str = "application/fhir+json; fhirVersion=4.0; charset=utf-8";

/// A code of the list of business states.
pub fn business_status(code: &str) -> Value {
    coded(
        "https://mos.esante.gouv.fr/NOS/TRE_R352-StatutMetierAnomalie/FHIR/TRE-R352-StatutMetierAnomalie",
        code,
    )
}

fn coded(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}]})
}

/// The smallest anomaly there is, about Location/un.
pub fn anomaly() -> Value {
    json!({
        "resourceType": "Task",
        "status": "in-progress",
        "intent": "order",
        "businessStatus": business_status("02"),
        "code": coded("https://mos.esante.gouv.fr/NOS/TRE_R350-ThematiqueAnomalie/FHIR/TRE-R350-ThematiqueAnomalie", "06"),
        "reasonCode": coded("https://mos.esante.gouv.fr/NOS/TRE_R349-ActionAnomalie/FHIR/TRE-R349-ActionAnomalie", "COR"),
        "focus": {"reference": "Location/un"},
        "authoredOn": "2024-01-03",
        "lastModified": "2024-01-04",
        "input": [input("systemRequester", json!("IHM"))],
    })
}

/// An input of a Task.
pub fn input(code: &str, value: Value) -> Value {
    json!({
        "type": coded("https://interop.esante.gouv.fr/ig/fhir/ror/CodeSystem/input-task-ror-codesystem", code),
        "valueString": value,
    })
}

/// The smallest anomaly with one member replaced, or removed by null.
pub fn anomaly_with(member: &str, value: Value) -> Value {
    let mut body = anomaly();
    let members = body.as_object_mut().expect("an object");
    match value {
        Value::Null => members.remove(member),
        value => members.insert(member.to_owned(), value),
    };
    body
}

/// One operation of a FHIRPath Patch; `value` is a named `value[x]`.
pub fn operation(kind: &str, path: &str, value: Option<(&str, Value)>) -> Value {
    let mut parts = vec![
        json!({"name": "type", "valueCode": kind}),
        json!({"name": "path", "valueString": path}),
    ];
    if let Some((name, value)) = value {
        let mut part = json!({"name": "value"});
        part[name] = value;
        parts.push(part);
    }
    json!({"name": "operation", "part": parts})
}

/// A FHIRPath Patch of these operations.
pub fn patch(operations: Vec<Value>) -> Value {
    json!({"resourceType": "Parameters", "parameter": operations})
}

/// A patch of the business status.
pub fn to_status(code: &str) -> Value {
    let value = ("valueCodeableConcept", business_status(code));
    patch(vec![operation(
        "replace",
        "Task.businessStatus",
        Some(value),
    )])
}

/// A Bundle of requests.
pub fn bundle(kind: &str, entries: Vec<Value>) -> Value {
    json!({"resourceType": "Bundle", "type": kind, "entry": entries})
}

/// An entry that creates.
pub fn to_create(task: Value) -> Value {
    json!({"resource": task, "request": {"method": "POST", "url": "Task"}})
}

/// An entry that patches.
pub fn to_patch(id: &str, patch: Value) -> Value {
    json!({"resource": patch, "request": {"method": "PATCH", "url": format!("Task/{id}")}})
}

/// An entry that reads.
pub fn to_read(url: &str) -> Value {
    json!({"request": {"method": "GET", "url": url}})
}

impl Client {
    /// Sends JSON with more headers than its type.
    pub fn send_json(
        &mut self,
        method: &str,
        target: &str,
        more: &[(&str, &str)],
        body: &Value,
    ) -> Response {
        let mut headers = vec![JSON];
        headers.extend(more);
        self.send(method, target, &headers, body.to_string().as_bytes())
    }

    /// Reports an anomaly, which must be accepted; the Task as answered.
    pub fn report(&mut self, body: &Value) -> Value {
        let response = self.send_json("POST", "/fhir/Task", &[], body);
        assert_eq!(response.status, 201, "{}", response.text());
        response.json()
    }

    /// Changes the business status of a Task, which must be accepted; the Task as answered.
    pub fn set_status(&mut self, id: &str, code: &str) -> Value {
        let response = self.send_json("PATCH", &format!("/fhir/Task/{id}"), &[], &to_status(code));
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()
    }

    /// The ids of the matches of a search, in order, on all of its pages.
    pub fn found(&mut self, search: &str) -> Vec<String> {
        let (mut ids, mut next) = (Vec::new(), Some(format!("/fhir/{search}")));
        while let Some(target) = next.take() {
            let response = self.get(&target);
            assert_eq!(response.status, 200, "{target}: {}", response.text());
            let page = response.json();
            ids.extend(ids_of(&page, "match"));
            next = link(&page, "next");
        }
        ids
    }

    /// The total of a search.
    pub fn total(&mut self, search: &str) -> u64 {
        let response = self.get(&format!("/fhir/{search}"));
        assert_eq!(response.status, 200, "{search}: {}", response.text());
        response.json()["total"].as_u64().expect("a total")
    }
}

/// The ids of the entries of one mode.
pub fn ids_of(page: &Value, mode: &str) -> Vec<String> {
    let entries = page["entry"].as_array().into_iter().flatten();
    entries
        .filter(|entry| entry["search"]["mode"] == mode)
        .map(|entry| id_of(&entry["resource"]))
        .collect()
}

/// A link of a page, as the target of a request.
pub fn link(page: &Value, relation: &str) -> Option<String> {
    let mut links = page["link"].as_array().into_iter().flatten();
    let url = links.find(|link| link["relation"] == relation)?["url"].as_str()?;
    let path = url.find("/fhir/").expect("a link below the base");
    Some(url[path..].to_owned())
}

/// The id of a resource.
pub fn id_of(resource: &Value) -> String {
    resource["id"].as_str().expect("an id").to_owned()
}

/// Checks a refusal: its status, the code of an issue, a text that it must hold; and that the connection serves on.
pub fn refused(client: &mut Client, response: &Response, status: u16, code: &str, named: &str) {
    assert_eq!(response.status, status, "{named}: {}", response.text());
    response.issue_code();
    let outcome = response.json();
    let issues = outcome["issue"].as_array().expect("issues");
    assert!(
        issues.iter().any(|issue| issue["code"] == code),
        "{named}: no {code} in {outcome}"
    );
    assert!(
        response.text().contains(named),
        "{named} is not named: {outcome}"
    );
    assert_eq!(client.get("/livez").status, 200);
}
