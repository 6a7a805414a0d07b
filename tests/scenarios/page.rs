//! What the checks look at in an answer: the Bundle, its entries, the issues.

use serde_json::Value;

const DISTANCE: &str = "http://hl7.org/fhir/StructureDefinition/location-distance";

/// One searchset Bundle.
#[derive(Clone, Debug)]
pub struct Page {
    pub total: Option<u64>,
    pub entries: Vec<Entry>,
    /// Issues of the `outcome` entries.
    pub issues: Vec<Issue>,
    pub links: Vec<(String, String)>,
    /// What a Bundle lacks, or holds against its definition.
    pub faults: Vec<String>,
}

/// One resource of a page.
#[derive(Clone, Debug)]
pub struct Entry {
    /// `Type/id`.
    pub key: String,
    /// `match` or `include`.
    pub mode: String,
    pub last_updated: Option<String>,
    /// Kilometres.
    pub distance: Option<f64>,
    pub score: Option<f64>,
    /// Names of the elements.
    pub elements: Vec<String>,
    /// Whether `meta.tag` says SUBSETTED.
    pub subsetted: bool,
    pub has_position: bool,
}

/// One issue of an OperationOutcome.
#[derive(Clone, Debug)]
pub struct Issue {
    pub severity: String,
    pub code: String,
    pub diagnostics: String,
    /// All that the issue says, to look for a culprit in.
    pub text: String,
}

impl Entry {
    pub fn kind(&self) -> &str {
        self.key.split('/').next().unwrap_or_default()
    }
}

impl Page {
    /// Reads a Bundle; what it is instead, when it is none.
    pub fn read(bundle: &Value, base_url: &str) -> Result<Page, String> {
        let kind = (bundle["resourceType"].as_str(), bundle["type"].as_str());
        if kind != (Some("Bundle"), Some("searchset")) {
            return Err(format!("no searchset but {kind:?}"));
        }
        let mut page = Page {
            total: bundle["total"].as_u64(),
            entries: Vec::new(),
            issues: Vec::new(),
            links: Vec::new(),
            faults: Vec::new(),
        };
        if bundle["id"].as_str().is_none() || bundle["meta"]["lastUpdated"].as_str().is_none() {
            page.faults
                .push("the Bundle lacks its id or its meta.lastUpdated".to_owned());
        }
        for link in bundle["link"].as_array().into_iter().flatten() {
            page.links
                .push((text(&link["relation"]), text(&link["url"])));
        }
        for relation in ["self", "first", "last"] {
            if page.link(relation).is_none() {
                page.faults.push(format!("no link {relation}"));
            }
        }
        for entry in bundle["entry"].as_array().into_iter().flatten() {
            page.take(entry, base_url);
        }
        Ok(page)
    }

    fn take(&mut self, entry: &Value, base_url: &str) {
        let resource = &entry["resource"];
        let kind = text(&resource["resourceType"]);
        let mode = text(&entry["search"]["mode"]);
        let full_url = text(&entry["fullUrl"]);
        if kind == "OperationOutcome" || mode == "outcome" {
            if kind != "OperationOutcome" || mode != "outcome" || full_url.is_empty() {
                self.faults
                    .push(format!("{kind} {full_url:?} has the mode {mode:?}"));
            }
            self.issues.extend(issues(resource));
            return;
        }
        let key = format!("{kind}/{}", text(&resource["id"]));
        if full_url != format!("{base_url}/{key}") {
            self.faults
                .push(format!("{key} has the fullUrl {full_url:?}"));
        }
        if mode != "match" && mode != "include" {
            self.faults.push(format!("{key} has the mode {mode:?}"));
        }
        let tags = resource["meta"]["tag"].as_array().into_iter().flatten();
        self.entries.push(Entry {
            mode,
            last_updated: resource["meta"]["lastUpdated"].as_str().map(str::to_owned),
            distance: distance(&entry["search"]),
            score: entry["search"]["score"].as_f64(),
            elements: resource
                .as_object()
                .map(|object| object.keys().cloned().collect())
                .unwrap_or_default(),
            subsetted: tags.into_iter().any(|tag| tag["code"] == "SUBSETTED"),
            has_position: resource["position"]["latitude"].is_number(),
            key,
        });
    }

    pub fn link(&self, relation: &str) -> Option<&str> {
        self.links
            .iter()
            .find(|(known, _)| known == relation)
            .map(|(_, url)| url.as_str())
    }

    /// Keys of the entries of one mode, in their order.
    pub fn keys<'a>(&'a self, mode: &'a str) -> impl Iterator<Item = &'a str> {
        self.entries
            .iter()
            .filter(move |entry| entry.mode == mode)
            .map(|entry| entry.key.as_str())
    }
}

/// The issues of an OperationOutcome.
pub fn issues(outcome: &Value) -> Vec<Issue> {
    outcome["issue"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|issue| Issue {
            severity: text(&issue["severity"]),
            code: text(&issue["code"]),
            diagnostics: text(&issue["diagnostics"]),
            text: issue.to_string(),
        })
        .collect()
}

fn distance(search: &Value) -> Option<f64> {
    let extension = search["extension"]
        .as_array()?
        .iter()
        .find(|one| one["url"] == DISTANCE)?;
    let quantity = &extension["valueDistance"];
    let known = quantity["unit"] == "km"
        && quantity["code"] == "km"
        && quantity["system"] == "http://unitsofmeasure.org";
    quantity["value"].as_f64().filter(|_| known)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
