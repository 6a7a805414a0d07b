//! An independent redaction, slow and plain, to compare with: each leaf is judged by the whole way from the root down to it, then the
//! resource is put together again from the leaves that are left. It shares no code with the crate.

use serde_json::{Map, Value, json};

/// A rule, with the text that says it in a policy file.
#[derive(Clone, Debug)]
pub struct Rule {
    pub steps: Vec<Step>,
    pub when: When,
}

#[derive(Clone, Debug)]
pub enum Step {
    Name(&'static str),
    Coded(&'static str, Vec<&'static str>),
    Extension(&'static str),
}

#[derive(Clone, Debug)]
pub enum When {
    Always,
    Never,
    Sensitive,
    MedicoSocial,
    City,
    In52,
    LevelBelow(u64),
    LevelIs(u64),
    HasFlag,
    Status01,
    Not(Box<When>),
    And(Box<When>, Box<When>),
    Or(Box<When>, Box<When>),
}

#[derive(Clone, Copy, Debug)]
pub struct Service {
    pub sensitive: bool,
    pub medico_social: bool,
    pub city: bool,
}

impl Rule {
    pub fn path(&self) -> String {
        let mut text = "HealthcareService".to_owned();
        for step in &self.steps {
            text.push_str(&match step {
                Step::Name(name) => format!(".{name}"),
                Step::Coded(name, systems) => {
                    format!(
                        ".{name}.where(coding.system in ('{}'))",
                        systems.join("', '")
                    )
                }
                Step::Extension(url) => format!(".extension('{url}')"),
            });
        }
        text
    }
}

impl When {
    pub fn text(&self) -> String {
        match self {
            When::Always => "always".into(),
            When::Never => "never".into(),
            When::Sensitive => "sensitive".into(),
            When::MedicoSocial => "medico-social".into(),
            When::City => "city".into(),
            When::In52 => "region = '52'".into(),
            When::LevelBelow(n) => format!("level < {n}"),
            When::LevelIs(n) => format!("level = {n}"),
            When::HasFlag => "has('flag')".into(),
            When::Status01 => "code('status') = '01'".into(),
            When::Not(a) => format!("not ({})", a.text()),
            When::And(a, b) => format!("({}) and ({})", a.text(), b.text()),
            When::Or(a, b) => format!("({}) or ({})", a.text(), b.text()),
        }
    }

    /// Its answer when that is the same whatever is asked.
    pub fn constant(&self) -> Option<bool> {
        match self {
            When::Always => Some(true),
            When::Never => Some(false),
            When::Not(a) => a.constant().map(|answer| !answer),
            When::And(a, b) => match (a.constant(), b.constant()) {
                (Some(true), other) | (other, Some(true)) => other,
                (Some(false), _) | (_, Some(false)) => Some(false),
                _ => None,
            },
            When::Or(a, b) => match (a.constant(), b.constant()) {
                (Some(false), other) | (other, Some(false)) => other,
                (Some(true), _) | (_, Some(true)) => Some(true),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether it needs the element itself to answer.
    pub fn asks_the_element(&self) -> bool {
        if self.constant().is_some() {
            return false;
        }
        match self {
            When::LevelBelow(_) | When::LevelIs(_) | When::HasFlag | When::Status01 => true,
            When::Not(a) => a.asks_the_element(),
            When::And(a, b) | When::Or(a, b) => a.asks_the_element() || b.asks_the_element(),
            _ => false,
        }
    }

    fn holds(&self, service: Service, in_52: bool, level: u64, element: &Value) -> bool {
        let again = |when: &When| when.holds(service, in_52, level, element);
        match self {
            When::Always => true,
            When::Never => false,
            When::Sensitive => service.sensitive,
            When::MedicoSocial => service.medico_social,
            When::City => service.city,
            When::In52 => in_52,
            When::LevelBelow(n) => level < *n,
            When::LevelIs(n) => level == *n,
            When::HasFlag => !parts(element, "flag").is_empty(),
            When::Status01 => {
                let found = parts(element, "status");
                !found.is_empty() && found.iter().all(|part| part["valueCode"] == "01")
            }
            When::Not(a) => !again(a),
            When::And(a, b) => again(a) && again(b),
            When::Or(a, b) => again(a) || again(b),
        }
    }
}

/// The extensions of an element with that URL; the resources made here have lists of them.
fn parts<'v>(element: &'v Value, url: &str) -> Vec<&'v Value> {
    let list = element.get("extension").and_then(Value::as_array);
    let list = list.map_or(&[][..], Vec::as_slice);
    list.iter().filter(|part| part["url"] == url).collect()
}

/// One step of the way from the root to an element.
#[derive(Clone)]
struct Place<'v> {
    member: String,
    item: &'v Value,
}

pub struct Naive<'a> {
    pub rules: &'a [Rule],
    pub rest: bool,
    pub document: &'a When,
    pub services: &'a [Service],
    pub hidden_ids: &'a [&'a str],
}

const LEVEL: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-telecom-confidentiality-level";
const CONTACT: &str =
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-contact";
const CONTACT_TELECOM: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-contact-telecom";

impl Naive<'_> {
    /// What is seen of the resource; nothing when it is hidden.
    pub fn seen(&self, resource: &Value) -> Option<Value> {
        let in_52 = in_52(resource);
        let document = |service: &Service| self.document.holds(*service, in_52, 2, &Value::Null);
        if !self.services.iter().any(document) {
            return None;
        }
        let mut out = Map::new();
        for (name, value) in resource.as_object().expect("an object") {
            match name.as_str() {
                "resourceType" | "id" | "meta" | "text" => {
                    out.insert(name.clone(), value.clone());
                }
                "contained" => {}
                _ => {
                    if let Some(value) = self.member(name, value, &[], in_52) {
                        out.insert(name.clone(), value);
                    }
                }
            }
        }
        let out = Value::Object(out);
        if out == *resource {
            return Some(out);
        }
        Some(tagged(out))
    }

    fn member<'v>(
        &self,
        name: &str,
        value: &'v Value,
        way: &[Place<'v>],
        in_52: bool,
    ) -> Option<Value> {
        let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
            let mut way = way.to_vec();
            way.push(Place {
                member: name.to_owned(),
                item: value,
            });
            return self.element(&way, in_52);
        };
        let judged: Vec<Option<Value>> = items
            .iter()
            .map(|item| self.member(name, item, way, in_52))
            .collect();
        if judged.iter().all(Option::is_some) {
            return Some(judged.into_iter().flatten().collect());
        }
        if name.starts_with('_') {
            let nulls: Vec<Value> = judged.into_iter().map(Option::unwrap_or_default).collect();
            return nulls
                .iter()
                .any(|item| !item.is_null())
                .then(|| nulls.into());
        }
        let left: Vec<Value> = judged.into_iter().flatten().collect();
        (!left.is_empty()).then(|| left.into())
    }

    /// An element at the end of a way.
    fn element(&self, way: &[Place<'_>], in_52: bool) -> Option<Value> {
        let here = way.last().expect("never empty");
        let Some(members) = here.item.as_object().filter(|members| !members.is_empty()) else {
            return self.shown(way, in_52).then(|| here.item.clone());
        };
        let mut left = Map::new();
        for (name, value) in members {
            if let Some(value) = self.member(name, value, way, in_52) {
                left.insert(name.clone(), value);
            }
        }
        let is_extension = here.member == "extension";
        let shown = self.shown(way, in_52);
        if shown && left.len() == members.len() {
            return Some(left.into());
        }
        // The URL does not count, but comes along.
        let named = |name: &String| name == "id" || is_extension && name == "url";
        if left.keys().all(named) || !self.passable(way, in_52) {
            return None;
        }
        if is_extension && let Some(url) = members.get("url") {
            let mut with_url = Map::new();
            for name in members.keys() {
                if name == "url" {
                    with_url.insert(name.clone(), url.clone());
                } else if let Some(value) = left.get(name) {
                    with_url.insert(name.clone(), value.clone());
                }
            }
            left = with_url;
        }
        Some(left.into())
    }

    /// Whether nothing on the way forbids it.
    fn passable(&self, way: &[Place<'_>], in_52: bool) -> bool {
        (1..=way.len()).all(|length| self.verdict(&way[..length], in_52) != Some(false))
    }

    /// Whether nothing on the way forbids it, and something asks for it.
    fn shown(&self, way: &[Place<'_>], in_52: bool) -> bool {
        let asked = |length| self.verdict(&way[..length], in_52) == Some(true);
        self.passable(way, in_52) && (self.rest || (1..=way.len()).any(asked))
    }

    /// What is said of the last element of the way itself: forbidden, asked for, or nothing.
    fn verdict(&self, way: &[Place<'_>], in_52: bool) -> Option<bool> {
        let here = way.last().expect("never empty");
        if self.is_hidden_reference(here) {
            return Some(false);
        }
        if way[..way.len() - 1]
            .iter()
            .any(|place| place.member.starts_with('_'))
        {
            return None;
        }
        if let Some(base) = here.member.strip_prefix('_') {
            return self.sibling(base, way, in_52);
        }
        let level = level(way);
        let holds = |rule: &Rule| {
            self.services.iter().all(|service| {
                let level = if service.sensitive { 3 } else { level };
                rule.when.holds(*service, in_52, level, here.item)
            })
        };
        let at_end: Vec<&Rule> = self
            .rules
            .iter()
            .filter(|rule| {
                rule.steps.len() == way.len()
                    && rule
                        .steps
                        .iter()
                        .zip(way)
                        .all(|(step, place)| fits(step, place))
            })
            .collect();
        let coded = |rule: &&Rule| matches!(rule.steps.last(), Some(Step::Coded(..)));
        let plain: Vec<&&Rule> = at_end.iter().filter(|rule| !coded(rule)).collect();
        let by_code: Vec<&&Rule> = at_end.iter().filter(|rule| coded(rule)).collect();
        let mut said = None;
        if !plain.is_empty() {
            said = Some(plain.iter().all(|rule| holds(rule)));
        }
        if by_code.is_empty() || said == Some(false) {
            return said;
        }
        let above = way.len() > 1 && self.shown(&way[..way.len() - 1], in_52);
        let open = self.rest || above || said == Some(true);
        let codings = here.item.get("coding").and_then(Value::as_array);
        for coding in codings.map_or(&[][..], Vec::as_slice) {
            let system = coding["system"].as_str().unwrap_or("");
            let about: Vec<&&&Rule> = by_code
                .iter()
                .filter(|rule| match rule.steps.last() {
                    Some(Step::Coded(_, systems)) => systems.contains(&system),
                    _ => false,
                })
                .collect();
            let good = if about.is_empty() {
                open
            } else {
                about.iter().all(|rule| holds(rule))
            };
            if !good {
                return Some(false);
            }
            said = Some(true);
        }
        said
    }

    fn sibling(&self, base: &str, way: &[Place<'_>], in_52: bool) -> Option<bool> {
        let depth = way.len() - 1;
        let mut said = None;
        for rule in self.rules {
            let leads_here = rule.steps.len() > depth
                && rule
                    .steps
                    .iter()
                    .zip(&way[..depth])
                    .all(|(step, place)| fits(step, place));
            if !leads_here {
                continue;
            }
            match &rule.steps[depth] {
                Step::Name(name) if *name == base => {
                    let good = rule.steps.len() == depth + 1
                        && !rule.when.asks_the_element()
                        && self
                            .services
                            .iter()
                            .all(|service| rule.when.holds(*service, in_52, 3, &Value::Null));
                    said = Some(said.unwrap_or(true) && good);
                }
                Step::Coded(name, _) if *name == base => said = Some(false),
                _ => {}
            }
        }
        said
    }

    fn is_hidden_reference(&self, place: &Place<'_>) -> bool {
        let due = ["location", "providedBy", "valueReference"].contains(&place.member.as_str());
        match place.item {
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
                    text.starts_with('#')
                        || (!text.starts_with("Endpoint/") && self.hidden_ids.contains(&id))
                });
                secret || lost
            }
            _ => false,
        }
    }
}

fn in_52(resource: &Value) -> bool {
    let tags = resource["meta"]["tag"].as_array();
    let regions: Vec<&str> = tags
        .map_or(&[][..], Vec::as_slice)
        .iter()
        .filter(|tag| {
            tag["system"]
                .as_str()
                .is_some_and(|s| s.ends_with("TRE-R30-RegionOM"))
        })
        .filter_map(|tag| tag["code"].as_str())
        .collect();
    !regions.is_empty() && regions.iter().all(|code| *code == "52")
}

fn fits(step: &Step, place: &Place<'_>) -> bool {
    match step {
        Step::Name(name) | Step::Coded(name, _) => place.member == *name,
        Step::Extension(url) => place.member == "extension" && place.item["url"] == *url,
    }
}

fn level(way: &[Place<'_>]) -> u64 {
    let mut level = 0;
    for (number, place) in way.iter().enumerate() {
        let said = parts(place.item, LEVEL)
            .into_iter()
            .map(|part| match part["valueCode"].as_str() {
                Some("1") => 1,
                Some("2") => 2,
                _ => 3,
            })
            .max();
        let url = &place.item["url"];
        let contact = ["telecom", "contact"].contains(&place.member.as_str())
            || place.member == "extension" && (url == CONTACT || url == CONTACT_TELECOM);
        let last = number + 1 == way.len();
        if let Some(said) = said.or((contact || last).then_some(2)) {
            level = level.max(said);
        }
    }
    level
}

fn tagged(mut resource: Value) -> Value {
    let members = resource.as_object_mut().expect("an object");
    members.remove("text");
    let meta = members.entry("meta").or_insert_with(|| json!({}));
    let tags = meta
        .as_object_mut()
        .expect("an object")
        .entry("tag")
        .or_insert_with(|| json!([]));
    let tag = json!({"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"});
    let tags = tags.as_array_mut().expect("a list");
    if !tags.contains(&tag) {
        tags.push(tag);
    }
    resource
}
