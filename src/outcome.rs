//! What is said to a client about its request: the issues of an OperationOutcome, and their JSON.

use serde_json::{Value, json};

/// How serious an issue is (`OperationOutcome.issue.severity`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The request failed, and so would any other.
    Fatal,
    /// The request was not carried out.
    Error,
    /// The request was carried out, perhaps not as it was meant.
    Warning,
    /// Worth knowing.
    Information,
}

impl Severity {
    /// The FHIR code.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Fatal => "fatal",
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Information => "information",
        }
    }
}

/// One issue of an OperationOutcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// How serious it is.
    pub severity: Severity,
    /// The code of the FHIR value set IssueType, such as `not-supported`.
    pub code: &'static str,
    /// What is the matter, in a few words (`details.text`).
    pub text: String,
    /// The culprit as written, and what to do about it.
    pub diagnostics: String,
    /// Where: `http.` and the name of a parameter, or a path in a resource.
    pub expression: Vec<String>,
}

impl Issue {
    /// The issue as an element of `OperationOutcome.issue`.
    pub fn to_json(&self) -> Value {
        let mut issue = json!({
            "severity": self.severity.name(),
            "code": self.code,
            "details": { "text": self.text },
        });
        // FHIR has no empty strings and no empty lists.
        if !self.diagnostics.is_empty() {
            issue["diagnostics"] = json!(self.diagnostics);
        }
        if !self.expression.is_empty() {
            issue["expression"] = json!(self.expression);
        }
        issue
    }
}

/// The JSON of an OperationOutcome with these issues; one is made up when there is none, as FHIR requires one.
pub fn operation_outcome(issues: &[Issue]) -> Vec<u8> {
    outcome(issues).to_string().into_bytes()
}

/// The same, naming the request that it answers: as its `id`, or as a tag where the name is no FHIR id.
pub fn named_outcome(issues: &[Issue], request: &str) -> Vec<u8> {
    let mut outcome = outcome(issues);
    if rorqual_schema::is_id(request) {
        outcome["id"] = json!(request);
    } else {
        outcome["meta"] = json!({ "tag": [{ "system": REQUESTS, "code": request }] });
    }
    outcome.to_string().into_bytes()
}

/// The system of names of requests that are no FHIR ids.
const REQUESTS: &str = "urn:rorqual:request";

fn outcome(issues: &[Issue]) -> Value {
    let mut list: Vec<Value> = issues.iter().map(Issue::to_json).collect();
    if list.is_empty() {
        list.push(json!({
            "severity": Severity::Information.name(),
            "code": "informational",
            "details": { "text": "All OK" },
        }));
    }
    json!({ "resourceType": "OperationOutcome", "issue": list })
}

#[cfg(test)]
mod tests {
    use super::{Issue, Severity, named_outcome, operation_outcome};

    #[test]
    fn empty_members_are_left_out() {
        let mut issue = Issue {
            severity: Severity::Warning,
            code: "value",
            text: "Read \"otherwise\"".to_owned(),
            diagnostics: String::new(),
            expression: Vec::new(),
        };
        let text = String::from_utf8(operation_outcome(std::slice::from_ref(&issue))).unwrap();
        assert_eq!(
            text,
            r#"{"resourceType":"OperationOutcome","issue":[{"severity":"warning","code":"value","details":{"text":"Read \"otherwise\""}}]}"#
        );
        issue.diagnostics = "a=1".to_owned();
        issue.expression.push("http.a".to_owned());
        let read: serde_json::Value = serde_json::from_slice(&operation_outcome(&[issue])).unwrap();
        assert_eq!(read["issue"][0]["diagnostics"], "a=1");
        assert_eq!(read["issue"][0]["expression"][0], "http.a");
    }

    #[test]
    fn a_request_is_named_where_fhir_allows_it() {
        let read = |name| -> serde_json::Value {
            serde_json::from_slice(&named_outcome(&[], name)).unwrap()
        };
        assert_eq!(read("3f-a.1")["id"], "3f-a.1");
        assert_eq!(read("a/1")["id"], serde_json::Value::Null);
        assert_eq!(read("a/1")["meta"]["tag"][0]["code"], "a/1");
    }

    #[test]
    fn there_is_always_an_issue() {
        let read: serde_json::Value = serde_json::from_slice(&operation_outcome(&[])).unwrap();
        assert_eq!(read["issue"][0]["severity"], "information");
    }
}
