//! An extract seen as a whole, independently: which services lead to a resource, what a profile sees, and what it may follow.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::Value;

use crate::kinds::Kind;
use crate::naive::{Naive, Service, When, items, parts, regions};
use crate::policy::Profile;

const SENSITIVE: [&str; 2] = [
    "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/ror-healthcareservice-sensitive-unit",
    "ror-healthcareservice-sensitive-unit",
];
const PLAIN: Service = Service {
    sensitive: false,
    medico_social: false,
    city: false,
};
/// What leads there is not known.
const UNKNOWN: Service = Service {
    sensitive: true,
    ..PLAIN
};

/// A type and an id.
pub type Name = (Kind, String);

/// Every resource of an extract, each once.
#[derive(Clone, Default)]
pub struct Directory {
    bodies: HashMap<Name, Value>,
    services: HashMap<Name, BTreeSet<Service>>,
    /// By value: system and carrier.
    carriers: HashMap<String, Vec<(String, Name)>>,
}

impl Directory {
    /// The directory of those resources.
    pub fn new<'b>(bodies: impl Iterator<Item = &'b Value>) -> Directory {
        let mut directory = Directory::default();
        for body in bodies {
            directory.put(body);
        }
        directory.lead();
        directory
    }

    /// Adds a resource, or another version of one; whose services are then those of its focus, if it is a Task.
    pub fn put(&mut self, body: &Value) -> Name {
        let kind = body["resourceType"].as_str().and_then(Kind::from_name);
        let kind = kind.expect("a type of the directory");
        let name = (kind, body["id"].as_str().expect("an id").to_owned());
        for carriers in self.carriers.values_mut() {
            carriers.retain(|(_, carrier)| *carrier != name);
        }
        for identifier in items(body.get("identifier")) {
            if let Some(value) = identifier["value"].as_str() {
                let system = system(identifier);
                let carriers = self.carriers.entry(value.to_owned()).or_default();
                carriers.push((system, name.clone()));
            }
        }
        self.bodies.insert(name.clone(), body.clone());
        if kind == Kind::Task {
            let services = self.of_focus(body);
            self.services.insert(name.clone(), services);
        }
        name
    }

    fn carriers(&self, kind: Option<Kind>, identifier: &Value) -> Vec<Name> {
        let wanted = system(identifier);
        let value = identifier["value"].as_str().unwrap_or("");
        let found = self.carriers.get(value).into_iter().flatten();
        found
            .filter(|(system, _)| wanted.is_empty() || *system == wanted)
            .map(|(_, name)| name.clone())
            .filter(|(own, _)| kind.is_none_or(|kind| kind == *own))
            .collect()
    }

    /// What a reference from a member that leads to one type only comes to.
    fn ends(&self, reference: &Value, kind: Kind) -> Vec<Name> {
        if let Some(text) = reference["reference"].as_str() {
            let found = match literal(text) {
                Some((None, id)) => Some((kind, id)),
                Some((Some(written), id)) if written == kind.name() => Some((kind, id)),
                _ => None,
            };
            return found
                .into_iter()
                .filter(|name| self.bodies.contains_key(name))
                .collect();
        }
        match reference.get("identifier") {
            Some(identifier) if identifier["value"].is_string() => {
                self.carriers(Some(kind), identifier)
            }
            _ => Vec::new(),
        }
    }

    /// Works out which services lead to each resource of the extract.
    fn lead(&mut self) {
        let mut services: HashMap<Name, BTreeSet<Service>> = HashMap::new();
        let mut give = |name: Name, given: &BTreeSet<Service>| {
            services
                .entry(name)
                .or_default()
                .extend(given.iter().copied());
        };
        let mut own: HashMap<&Name, BTreeSet<Service>> = HashMap::new();
        for (name, body) in self.of(Kind::HealthcareService) {
            let kinds = said(body);
            for place in items(body.get("location")) {
                self.ends(place, Kind::Location)
                    .into_iter()
                    .for_each(|end| give(end, &kinds));
            }
            for carrier in items(body.get("providedBy")) {
                self.ends(carrier, Kind::Organization)
                    .into_iter()
                    .for_each(|end| give(end, &kinds));
            }
            give(name.clone(), &kinds);
            own.insert(name, kinds);
        }
        for (name, body) in self.of(Kind::PractitionerRole) {
            let mut kinds = BTreeSet::new();
            for service in items(body.get("healthcareService")) {
                let ends = self.ends(service, Kind::HealthcareService);
                if ends.is_empty() {
                    kinds.insert(UNKNOWN);
                }
                kinds.extend(ends.iter().flat_map(|end| own[end].iter().copied()));
            }
            for person in items(body.get("practitioner")) {
                self.ends(person, Kind::Practitioner)
                    .into_iter()
                    .for_each(|end| give(end, &kinds));
            }
            for place in items(body.get("location")) {
                self.ends(place, Kind::Location)
                    .into_iter()
                    .for_each(|end| give(end, &kinds));
            }
            give(name.clone(), &kinds);
        }
        let given = services.clone();
        for (name, body) in self.of(Kind::Location) {
            if given.get(name).is_none_or(BTreeSet::is_empty) {
                services.insert(name.clone(), self.around(body, &given));
            }
        }
        self.services = services;
        let tasks: Vec<Value> = self.of(Kind::Task).map(|(_, body)| body.clone()).collect();
        for task in tasks {
            let services = self.of_focus(&task);
            let id = task["id"].as_str().expect("an id").to_owned();
            self.services.insert((Kind::Task, id), services);
        }
    }

    /// The services of the nearest places around one that have any.
    fn around(&self, body: &Value, given: &HashMap<Name, BTreeSet<Service>>) -> BTreeSet<Service> {
        let mut ring = vec![body];
        let mut met: HashSet<Name> = HashSet::new();
        while !ring.is_empty() {
            let ends: Vec<Name> = ring
                .iter()
                .flat_map(|body| items(body.get("partOf")))
                .flat_map(|around| self.ends(around, Kind::Location))
                .collect();
            let found: BTreeSet<Service> = ends
                .iter()
                .filter_map(|end| given.get(end))
                .flatten()
                .copied()
                .collect();
            if !found.is_empty() {
                return found;
            }
            let new: Vec<Name> = ends
                .into_iter()
                .filter(|end| met.insert(end.clone()))
                .collect();
            ring = new.iter().map(|end| &self.bodies[end]).collect();
        }
        BTreeSet::new()
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = (&Name, &Value)> {
        self.bodies.iter().filter(move |((own, _), _)| *own == kind)
    }

    /// The services of what a Task is about; unknown when that is not there, or is a Task itself.
    fn of_focus(&self, task: &Value) -> BTreeSet<Service> {
        let focus = &task["focus"];
        let hint = focus["type"].as_str().and_then(any_case);
        let ends = match focus["reference"].as_str() {
            // A type that is not of the directory is nothing that is known here.
            None if focus["type"].is_string() && hint.is_none() => Vec::new(),
            Some(text) => match literal(text) {
                Some((Some(kind), id)) => any_case(&kind).map(|kind| (kind, id)),
                Some((None, id)) => hint.map(|kind| (kind, id)),
                None => None,
            }
            .into_iter()
            .filter(|name| self.bodies.contains_key(name))
            .collect(),
            None => self.carriers(hint, &focus["identifier"]),
        };
        if ends.is_empty() {
            return BTreeSet::from([UNKNOWN]);
        }
        let mut kinds = BTreeSet::new();
        for end in ends {
            match self.services.get(&end) {
                _ if end.0 == Kind::Task => drop(kinds.insert(UNKNOWN)),
                Some(found) if !found.is_empty() => kinds.extend(found),
                _ => drop(kinds.insert(PLAIN)),
            }
        }
        kinds
    }

    /// The services a rule is asked for: one at least, and of an organisation the sensitive ones only when there is no other.
    fn asked(&self, name: &Name) -> Vec<Service> {
        let known = self.services.get(name).filter(|known| !known.is_empty());
        let mut asked: Vec<Service> =
            known.map_or_else(|| vec![PLAIN], |known| known.iter().copied().collect());
        if name.0 == Kind::Organization && asked.iter().any(|service| !service.sensitive) {
            asked.retain(|service| !service.sensitive);
        }
        asked
    }

    fn document(&self, profile: &Profile, name: &Name) -> bool {
        let regions = regions(&self.bodies[name]);
        let when = profile.documents.get(name.0.name()).unwrap_or(&When::Never);
        let holds = |service: Service| when.holds(service, &regions, 2, &Value::Null);
        self.asked(name).into_iter().any(holds)
    }

    /// Whether a profile sees a Task, given what else it sees.
    pub fn sees_task(&self, profile: &Profile, seen: &HashSet<Name>, name: &Name) -> bool {
        let task = &self.bodies[name];
        let leads = task.get("focus").filter(|focus| focus.is_object());
        self.document(profile, name)
            && leads.is_some_and(|focus| {
                self.leads(profile, seen, Kind::Task, "focus", focus) == Some(true)
            })
    }

    /// What a profile sees.
    pub fn seen(&self, profile: &Profile) -> HashSet<Name> {
        let names = self.bodies.keys();
        let (tasks, others): (Vec<&Name>, Vec<&Name>) =
            names.partition(|(kind, _)| *kind == Kind::Task);
        let others = others
            .into_iter()
            .filter(|name| self.document(profile, name));
        let mut seen: HashSet<Name> = others.cloned().collect();
        // A Task about a Task is seen with it; a circle of them is not.
        loop {
            let more: Vec<&Name> = tasks
                .iter()
                .filter(|name| !seen.contains(**name) && self.sees_task(profile, &seen, name))
                .copied()
                .collect();
            if more.is_empty() {
                return seen;
            }
            seen.extend(more.into_iter().cloned());
        }
    }

    /// The extract as a profile may see it.
    pub fn redacted(&self, profile: &Profile) -> Vec<Value> {
        let seen = self.seen(profile);
        let mut names: Vec<&Name> = seen.iter().collect();
        names.sort();
        let shown = |name| self.shown(profile, &seen, name).expect("it is seen");
        names.into_iter().map(shown).collect()
    }

    /// A resource as a profile may see it, given what else it sees.
    pub fn shown(&self, profile: &Profile, seen: &HashSet<Name>, name: &Name) -> Option<Value> {
        let none = Vec::new();
        let kind = name.0;
        let hides = |member: &str, item: &Value| {
            self.leads(profile, seen, kind, member, item) == Some(false)
        };
        let naive = Naive {
            rules: profile.rules.get(kind.name()).unwrap_or(&none),
            rest: profile.rest.contains(kind.name()),
            document: profile.documents.get(kind.name()).unwrap_or(&When::Never),
            services: &self.asked(name),
            refers_to_hidden: &hides,
        };
        naive.seen(&self.bodies[name])
    }

    /// Whether an item is a reference, and leads only to what is seen.
    fn leads(
        &self,
        profile: &Profile,
        seen: &HashSet<Name>,
        own: Kind,
        member: &str,
        item: &Value,
    ) -> Option<bool> {
        let due = MEMBERS.iter().find(|(name, _)| *name == member);
        let members = match item {
            Value::String(_) if due.is_some() => return Some(false),
            Value::Object(members) => members,
            _ => return None,
        };
        let identified =
            members.contains_key("identifier") && !members.contains_key("resourceType");
        if due.is_none() && !members.contains_key("reference") && !identified {
            return None;
        }
        let hint = members.get("type").and_then(Value::as_str);
        let hint = hint.map(|hint| hint.rsplit('/').next().unwrap_or(hint));
        let told = hint.and_then(any_case);
        let foreign = hint.is_some() && told.is_none();
        let mut tells = false;
        if let Some(text) = members.get("reference") {
            let alone = told.or_else(|| match due?.1 {
                "own" => Some(own),
                other => Kind::from_name(other),
            });
            match text.as_str().and_then(literal) {
                None => return Some(false),
                Some((written, id)) => {
                    let (kind, known) = match &written {
                        None => (alone, false),
                        Some(name) => (any_case(name), any_case(name).is_none()),
                    };
                    let there = kind.is_some_and(|kind| seen.contains(&(kind, id)));
                    if !known && !there {
                        return Some(false);
                    }
                }
            }
            tells = true;
        }
        for identifier in items(members.get("identifier")) {
            if !identifier["value"].is_string() {
                return Some(false);
            }
            let carriers = self.carriers(told, identifier);
            let open = !carriers.is_empty()
                && carriers
                    .iter()
                    .all(|name| seen.contains(name) && profile.shows_identifiers(name.0.name()));
            if !foreign && !open {
                return Some(false);
            }
            tells = true;
        }
        Some(tells)
    }
}

/// Members that hold references (FHIR R4), and the type that an id alone has there.
const MEMBERS: [(&str, &str); 21] = [
    ("coverageArea", "Location"),
    ("location", "Location"),
    ("assigner", "Organization"),
    ("issuer", "Organization"),
    ("managingOrganization", "Organization"),
    ("organization", "Organization"),
    ("providedBy", "Organization"),
    ("healthcareService", "HealthcareService"),
    ("practitioner", "Practitioner"),
    ("partOf", "own"),
    ("basedOn", ""),
    ("encounter", ""),
    ("endpoint", ""),
    ("focus", ""),
    ("for", ""),
    ("owner", ""),
    ("reasonReference", ""),
    ("recipient", ""),
    ("requester", ""),
    ("insurance", ""),
    ("valueReference", ""),
];

fn any_case(name: &str) -> Option<Kind> {
    Kind::ALL
        .into_iter()
        .find(|kind| kind.name().eq_ignore_ascii_case(name))
}

/// The type, where one is written, and the id of a literal reference; nothing for what names no resource.
fn literal(text: &str) -> Option<(Option<String>, String)> {
    let text = text.trim();
    if text.starts_with(['#', '?']) || text.starts_with("urn:") || text.contains('?') {
        return None;
    }
    let mut parts: Vec<&str> = text.split('/').collect();
    if parts.len() > 2 && parts[parts.len() - 2] == "_history" {
        parts.truncate(parts.len() - 2);
    }
    let id = parts.pop()?.to_owned();
    Some((parts.pop().map(str::to_owned), id))
}

/// The system of an identifier in one spelling; empty when there is none.
fn system(identifier: &Value) -> String {
    crate::reference::systems::canonical(identifier["system"].as_str().unwrap_or(""))
}

/// The kinds of service that a service says it is.
fn said(body: &Value) -> BTreeSet<Service> {
    let sensitive = parts(body, &SENSITIVE)
        .iter()
        .any(|part| part["valueBoolean"] != false);
    let mut kinds = BTreeSet::new();
    for concept in items(body.get("type")) {
        for coding in items(concept.get("coding")) {
            let system = coding["system"]
                .as_str()
                .unwrap_or("")
                .replace("/FHIR/TRE_", "/FHIR/TRE-");
            if let (true, Some(code)) = (
                system.ends_with("/TRE-R227-ChampActivite"),
                coding["code"].as_str(),
            ) {
                kinds.insert(Service {
                    sensitive,
                    medico_social: code == "04",
                    city: code == "05",
                });
            }
        }
    }
    if kinds.is_empty() {
        kinds.insert(Service { sensitive, ..PLAIN });
    }
    kinds
}
