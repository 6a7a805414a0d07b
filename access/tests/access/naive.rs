//! An independent redaction, slow and plain, to compare with: each leaf is judged by the whole way from the root down to it, then the
//! resource is put together again from the leaves that are left. It shares no code with the crate.

use serde_json::{Map, Value, json};

/// A rule on the elements of one type: the steps to them, and when they are shown.
#[derive(Clone, Debug)]
pub struct Rule {
    pub steps: Vec<Step>,
    pub when: When,
}

#[derive(Clone, Debug)]
pub enum Step {
    Name(String),
    /// The items with a code of one of these systems.
    Coded(String, Vec<String>),
    /// The extensions with one of these URLs.
    Extension(Vec<String>),
}

#[derive(Clone, Debug)]
pub enum When {
    Always,
    Never,
    Sensitive,
    MedicoSocial,
    City,
    Region(Vec<String>),
    /// How the level compares (`<`, `=`, …) and with what.
    Level(String, u64),
    /// The element has an extension with one of these URLs.
    Has(Vec<String>),
    /// It has such extensions, and each of their codes is one of those.
    Code(Vec<String>, Vec<String>),
    Not(Box<When>),
    And(Box<When>, Box<When>),
    Or(Box<When>, Box<When>),
}

/// What is asked of one service that leads to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Service {
    pub sensitive: bool,
    pub medico_social: bool,
    pub city: bool,
}

impl When {
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
            When::Level(..) | When::Has(_) | When::Code(..) => true,
            When::Not(a) => a.asks_the_element(),
            When::And(a, b) | When::Or(a, b) => a.asks_the_element() || b.asks_the_element(),
            _ => false,
        }
    }

    pub fn holds(&self, service: Service, regions: &[String], level: u64, element: &Value) -> bool {
        let again = |when: &When| when.holds(service, regions, level, element);
        match self {
            When::Always => true,
            When::Never => false,
            When::Sensitive => service.sensitive,
            When::MedicoSocial => service.medico_social,
            When::City => service.city,
            When::Region(codes) => {
                !regions.is_empty() && regions.iter().all(|region| codes.contains(region))
            }
            When::Level(comparison, number) => {
                let order = level.cmp(number);
                match comparison.as_str() {
                    "<" => order.is_lt(),
                    "<=" => order.is_le(),
                    "=" => order.is_eq(),
                    "!=" => order.is_ne(),
                    ">=" => order.is_ge(),
                    ">" => order.is_gt(),
                    other => panic!("no comparison: {other}"),
                }
            }
            When::Has(urls) => !parts(element, urls).is_empty(),
            When::Code(urls, accepted) => {
                let codes: Vec<String> = parts(element, urls).into_iter().flat_map(codes).collect();
                !codes.is_empty() && codes.iter().all(|code| accepted.contains(code))
            }
            When::Not(a) => !again(a),
            When::And(a, b) => again(a) && again(b),
            When::Or(a, b) => again(a) || again(b),
        }
    }
}

/// The items of a value: itself when it is no list.
pub fn items(value: Option<&Value>) -> &[Value] {
    match value {
        None | Some(Value::Null) => &[],
        Some(Value::Array(items)) => items,
        Some(item) => std::slice::from_ref(item),
    }
}

/// The extensions of an element with one of those URLs.
pub fn parts<'v, U: AsRef<str>>(element: &'v Value, urls: &[U]) -> Vec<&'v Value> {
    ["extension", "modifierExtension"]
        .into_iter()
        .flat_map(|name| items(element.get(name)))
        .filter(|part| has_url(part, urls))
        .collect()
}

fn has_url<U: AsRef<str>>(part: &Value, urls: &[U]) -> bool {
    let url = part["url"].as_str().unwrap_or("");
    urls.iter().any(|known| known.as_ref() == url.trim())
}

/// The codes an extension holds; an empty one for what cannot be read.
fn codes(part: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (name, value) in part.as_object().into_iter().flatten() {
        match value {
            _ if !name.starts_with("value") => {}
            Value::String(code) => found.push(code.clone()),
            Value::Number(number) => found.push(number.to_string()),
            Value::Object(members) if members.contains_key("coding") => {
                let codes = items(members.get("coding")).iter();
                found.extend(codes.map(|c| c["code"].as_str().unwrap_or("").to_owned()));
            }
            Value::Object(members) if members.contains_key("code") => {
                found.push(members["code"].as_str().unwrap_or("").to_owned());
            }
            _ => {}
        }
    }
    if found.is_empty() {
        found.push(String::new());
    }
    found
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
    /// Whether an item, met under that member, refers to what may not be seen.
    pub refers_to_hidden: &'a dyn Fn(&str, &Value) -> bool,
}

/// The extensions that say a level, by their whole URL or their name alone.
const LEVELS: [&str; 6] = [
    "ror-telecom-confidentiality-level",
    "ror-contact-confidentiality-level",
    "ror-confidentiality-level",
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-telecom-confidentiality-level",
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-contact-confidentiality-level",
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-confidentiality-level",
];
/// The extensions that have a level, said or not.
const CONTACTS: [&str; 4] = [
    "ror-healthcareservice-contact",
    "ror-healthcareservice-contact-telecom",
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-contact",
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-contact-telecom",
];

impl Naive<'_> {
    /// What is seen of the resource; nothing when it is hidden.
    pub fn seen(&self, resource: &Value) -> Option<Value> {
        let regions = &regions(resource)[..];
        let document = |service: &Service| self.document.holds(*service, regions, 2, &Value::Null);
        if !self.services.iter().any(document) {
            return None;
        }
        let mut out = Map::new();
        for (name, value) in resource.as_object().expect("an object") {
            match name.as_str() {
                "resourceType" | "id" | "meta" | "text" | "_text" => {
                    out.insert(name.clone(), value.clone());
                }
                "contained" => {}
                _ => {
                    if let Some(value) = self.member(name, value, &[], regions) {
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
        regions: &[String],
    ) -> Option<Value> {
        let Some(items) = value.as_array().filter(|items| !items.is_empty()) else {
            let mut way = way.to_vec();
            way.push(Place {
                member: name.to_owned(),
                item: value,
            });
            return self.element(&way, regions);
        };
        let judged: Vec<Option<Value>> = items
            .iter()
            .map(|item| self.member(name, item, way, regions))
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
    fn element(&self, way: &[Place<'_>], regions: &[String]) -> Option<Value> {
        let here = way.last().expect("never empty");
        let Some(members) = here.item.as_object().filter(|members| !members.is_empty()) else {
            return self.shown(way, regions).then(|| here.item.clone());
        };
        let mut left = Map::new();
        for (name, value) in members {
            if let Some(value) = self.member(name, value, way, regions) {
                left.insert(name.clone(), value);
            }
        }
        let is_extension = is_extension(&here.member);
        let shown = self.shown(way, regions);
        if shown && left.len() == members.len() {
            return Some(left.into());
        }
        // The URL does not count, but comes along.
        let named = |name: &String| name == "id" || is_extension && name == "url";
        if left.keys().all(named) || !self.passable(way, regions) {
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
    fn passable(&self, way: &[Place<'_>], regions: &[String]) -> bool {
        (1..=way.len()).all(|length| self.verdict(&way[..length], regions) != Some(false))
    }

    /// Whether nothing on the way forbids it, and something asks for it.
    fn shown(&self, way: &[Place<'_>], regions: &[String]) -> bool {
        let asked = |length| self.verdict(&way[..length], regions) == Some(true);
        self.passable(way, regions) && (self.rest || (1..=way.len()).any(asked))
    }

    /// What is said of the last element of the way itself: forbidden, asked for, or nothing.
    fn verdict(&self, way: &[Place<'_>], regions: &[String]) -> Option<bool> {
        let here = way.last().expect("never empty");
        if (self.refers_to_hidden)(&here.member, here.item) {
            return Some(false);
        }
        if way[..way.len() - 1]
            .iter()
            .any(|place| place.member.starts_with('_'))
        {
            return None;
        }
        if let Some(base) = here.member.strip_prefix('_') {
            return self.sibling(base, way, regions);
        }
        let level = level(way);
        let holds = |rule: &Rule| {
            self.services.iter().all(|service| {
                let level = if service.sensitive { 3 } else { level };
                rule.when.holds(*service, regions, level, here.item)
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
        let above = way.len() > 1 && self.shown(&way[..way.len() - 1], regions);
        let open = self.rest || above || said == Some(true);
        for system in coding_systems(here.item) {
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

    fn sibling(&self, base: &str, way: &[Place<'_>], regions: &[String]) -> Option<bool> {
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
                            .all(|service| rule.when.holds(*service, regions, 3, &Value::Null));
                    said = Some(said.unwrap_or(true) && good);
                }
                Step::Coded(name, _) if *name == base => said = Some(false),
                _ => {}
            }
        }
        said
    }
}

/// The systems of the codings of an item, which may be one itself.
fn coding_systems(item: &Value) -> Vec<String> {
    let codings = match item.get("coding") {
        Some(codings) => items(Some(codings)),
        None if item.get("code").is_some() || item.get("system").is_some() => {
            std::slice::from_ref(item)
        }
        None => &[],
    };
    let system = |coding: &Value| one_spelling(coding["system"].as_str().unwrap_or(""));
    codings.iter().map(system).collect()
}

/// The old spelling of a system of the NOS is the new one.
fn one_spelling(system: &str) -> String {
    system.replace("/FHIR/TRE_", "/FHIR/TRE-")
}

/// The codes of the region tags.
pub fn regions(resource: &Value) -> Vec<String> {
    items(resource["meta"].get("tag"))
        .iter()
        .filter(|tag| {
            let system = one_spelling(tag["system"].as_str().unwrap_or(""));
            system.ends_with("/FHIR/TRE-R30-RegionOM")
        })
        .map(|tag| tag["code"].as_str().unwrap_or("").to_owned())
        .collect()
}

fn is_extension(member: &str) -> bool {
    member == "extension" || member == "modifierExtension"
}

fn fits(step: &Step, place: &Place<'_>) -> bool {
    match step {
        Step::Name(name) | Step::Coded(name, _) => place.member == *name,
        Step::Extension(urls) => is_extension(&place.member) && has_url(place.item, urls),
    }
}

/// The level of the last element of the way: its own, or that of a contact around it if that is more closed.
fn level(way: &[Place<'_>]) -> u64 {
    let mut level = 0;
    for (number, place) in way.iter().enumerate() {
        let said = parts(place.item, &LEVELS)
            .into_iter()
            .flat_map(codes)
            .map(|code| match code.as_str() {
                "1" => 1,
                "2" => 2,
                _ => 3,
            })
            .max();
        let contact = ["telecom", "contact"].contains(&place.member.as_str())
            || is_extension(&place.member) && has_url(place.item, &CONTACTS);
        let last = number + 1 == way.len();
        if let Some(said) = said.or((contact || last).then_some(2)) {
            level = level.max(said);
        }
    }
    level
}

fn tagged(mut resource: Value) -> Value {
    let members = resource.as_object_mut().expect("an object");
    members.shift_remove("text");
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
