//! What the anomalies must be: a plain map, and what each kind of search must find in it.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use rorqual::Engine;
use serde_json::{Value, json};

use crate::directory::{Directory, MOST_OFFERS, NAMES, OFFERS, ORGANIZATIONS, SPECIALTY_CODES};
use crate::directory::{offer_id, offer_identifier};
use crate::place::{all, ask, in_mode};
use crate::task::{Focus, STATUSES, identifier, status_of, text, updated};

/// Words of descriptions; none begins like another.
pub const WORDS: &[&str] = &["ascenseur", "parking", "horaires", "standard", "toiture"];
/// Business statuses that are drawn.
pub const DRAWN: &[&str] = &["01", "02", "03", "08", "10"];

/// Every version of one Task, the oldest first: its `versionId`, or what stands for it, and its body.
pub type Versions = Vec<(String, Value)>;

/// The anomalies and the directory that they point into.
#[derive(Clone)]
pub struct Model {
    /// The directory of the generation that is searched.
    pub directory: Directory,
    pub tasks: BTreeMap<String, Versions>,
}

/// A search and what it must find.
pub struct Expected {
    pub search: String,
    /// Ids, in the order of the answer if that is `ordered`.
    pub ids: Vec<String>,
    pub ordered: bool,
    /// The Tasks or the offers that come along, when that is asked.
    pub along: Option<BTreeSet<String>>,
}

/// A body's reference that has a description.
fn description(body: &Value) -> &str {
    body["description"].as_str().unwrap_or_default()
}

impl Model {
    /// The present body of a Task.
    pub fn body(&self, id: &str) -> &Value {
        &self.last(id).1
    }

    /// The present version of a Task.
    pub fn version(&self, id: &str) -> &str {
        &self.last(id).0
    }

    fn last(&self, id: &str) -> &(String, Value) {
        let versions = self.tasks.get(id).unwrap_or_else(|| panic!("no Task {id}"));
        versions.last().expect("one version at least")
    }

    /// Some Task.
    pub fn any(&self, rng: &mut Rng) -> String {
        let ids: Vec<&String> = self.tasks.keys().collect();
        ids[rng.usize(..ids.len())].clone()
    }

    fn bodies(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.tasks.keys().map(|id| (id, self.body(id)))
    }

    fn offers_of(&self, body: &Value) -> BTreeSet<String> {
        Focus::of(body).offers(&self.directory)
    }

    /// The Tasks of which `holds` is true.
    fn those(&self, holds: impl Fn(&Value) -> bool) -> Vec<String> {
        let found = self.bodies().filter(|(_, body)| holds(body));
        found.map(|(id, _)| id.clone()).collect()
    }

    /// The offers to which a Task leads of which `holds` is true.
    fn offers_with(&self, holds: impl Fn(&Value) -> bool) -> BTreeSet<String> {
        let found = self.bodies().filter(|(_, body)| holds(body));
        found.flat_map(|(_, body)| self.offers_of(body)).collect()
    }

    /// Whether the focus of a Task leads to an offer of which `holds` is true.
    fn leads(&self, body: &Value, holds: impl Fn(&crate::directory::Offer) -> bool) -> bool {
        let offers = self.offers_of(body);
        offers.iter().any(|id| holds(&self.directory.offers[id]))
    }

    /// One search of each kind, with values drawn.
    pub fn searches(&self, rng: &mut Rng) -> Vec<Expected> {
        let status = *rng.choice(DRAWN).expect("some");
        let other = *rng.choice(DRAWN).expect("some");
        let word = *rng.choice(WORDS).expect("some");
        let name = *rng.choice(NAMES).expect("some");
        let specialty = *rng.choice(SPECIALTY_CODES).expect("some");
        let id = self.any(rng);
        let offer = offer_id(rng.usize(..MOST_OFFERS));
        let offered = offer_identifier(rng.usize(..MOST_OFFERS));
        let organization = format!("org-{}", rng.usize(..ORGANIZATIONS));
        let day = format!("2025-{:02}-{:02}", rng.u8(1..=12), rng.u8(1..=28));
        let since = updated(self.body(&self.any(rng))).to_owned();
        let own_system = text(&self.body(&id)["identifier"][0]["system"]);
        let own_identifier = identifier(self.body(&id));
        let is = |code: &'static str| move |body: &Value| status_of(body) == code;
        let by = |search: String, ids: Vec<String>| Expected {
            search,
            ids,
            ordered: false,
            along: None,
        };
        let mut newest = self.those(|_| true);
        newest.sort_by_key(|id| {
            (
                std::cmp::Reverse(updated(self.body(id)).to_owned()),
                id.clone(),
            )
        });
        let mut authored = self.those(|_| true);
        authored.sort_by_key(|id| (text(&self.body(id)["authoredOn"]).to_owned(), id.clone()));
        let reported: Vec<String> = self.offers_with(is(status)).into_iter().collect();
        let reporting = self.those(|body| {
            let offers = self.offers_of(body);
            offers.iter().any(|offer| reported.contains(offer))
        });
        let unreported: Vec<String> = self
            .directory
            .offers
            .keys()
            .filter(|id| !reported.contains(id))
            .cloned()
            .collect();
        let pointed: BTreeSet<String> = self
            .bodies()
            .filter(|(_, body)| status_of(body) == status)
            .flat_map(|(_, body)| {
                let offers = self.offers_of(body).into_iter();
                let organizations = self
                    .directory
                    .organizations
                    .keys()
                    .filter(|id| Focus::of(body) == Focus::literal("Organization", id));
                offers.chain(organizations.cloned()).collect::<Vec<_>>()
            })
            .collect();
        let logical = json!({"system": OFFERS, "value": offered});
        vec![
            by("Task".to_owned(), self.those(|_| true)),
            by(format!("Task?_id={id}"), vec![id.clone()]),
            by(
                format!("Task?identifier={own_system}%7C{own_identifier}"),
                vec![id.clone()],
            ),
            by(
                format!("Task?business-status={STATUSES}%7C{status}"),
                self.those(is(status)),
            ),
            by(
                format!("Task?business-status={status},{other}"),
                self.those(|body| is(status)(body) || is(other)(body)),
            ),
            by(
                format!("Task?business-status:not={status}"),
                self.those(|body| !is(status)(body)),
            ),
            by(
                format!("Task?focus=HealthcareService/{offer}"),
                self.those(|body| self.offers_of(body).contains(&offer)),
            ),
            by(
                format!("Task?focus=Organization/{organization}"),
                self.those(|body| Focus::of(body) == Focus::literal("Organization", &organization)),
            ),
            by(
                format!("Task?focus:identifier={OFFERS}%7C{offered}"),
                self.those(|body| body["focus"]["identifier"] == logical),
            ),
            by(
                format!("Task?focus:HealthcareService.name={name}"),
                self.those(|body| self.leads(body, |offer| offer.name.starts_with(name))),
            ),
            by(
                format!("Task?focus.specialty={specialty}&business-status={status}"),
                self.those(|body| {
                    is(status)(body) && self.leads(body, |offer| offer.specialty == specialty)
                }),
            ),
            by(
                format!("Task?focus:HealthcareService.identifier={OFFERS}%7C{offered}"),
                self.those(|body| self.leads(body, |offer| offer.identifier == offered)),
            ),
            by(
                format!("Task?_lastUpdated=ge{since}"),
                self.those(|body| updated(body) >= since.as_str()),
            ),
            by(
                format!("Task?authored-on=ge{day}"),
                self.those(|body| text(&body["authoredOn"]) >= day.as_str()),
            ),
            by(
                format!("Task?_content={word}"),
                self.those(|body| description(body).contains(word)),
            ),
            by(
                format!(
                    "Task?_filter=(business-status%20eq%20{status}%20or%20_content%20co%20{word})%20and%20not%20(focus.specialty%20eq%20{specialty})"
                ),
                self.those(|body| {
                    (is(status)(body) || description(body).contains(word))
                        && !self.leads(body, |offer| offer.specialty == specialty)
                }),
            ),
            Expected {
                ordered: true,
                ..by("Task?_sort=-_lastUpdated,_id".to_owned(), newest)
            },
            Expected {
                ordered: true,
                ..by("Task?_sort=authored-on,_id".to_owned(), authored)
            },
            Expected {
                along: Some(reporting.into_iter().collect()),
                ..by(
                    format!(
                        "HealthcareService?_has:Task:focus:business-status={status}&_revinclude=Task:focus"
                    ),
                    reported,
                )
            },
            by(
                format!(
                    "HealthcareService?_filter=not%20(_has:Task:focus:business-status%20eq%20{status})"
                ),
                unreported,
            ),
            Expected {
                along: Some(pointed),
                ..by(
                    format!("Task?business-status={status}&_include=Task:focus"),
                    self.those(is(status)),
                )
            },
        ]
    }

    /// Asserts that a search finds what it must, whole and in its present version.
    pub fn check(&self, engine: &Engine, expected: &Expected, count: usize) {
        let joint = if expected.search.contains('?') {
            '&'
        } else {
            '?'
        };
        let search = format!("{}{joint}_count={count}", expected.search);
        let found = all(engine, &search);
        self.check_found(&search, &found, expected);
        if let Some(along) = &expected.along {
            let (page, _) =
                ask(engine, &format!("{}{joint}_count=1000", expected.search)).expect("a page");
            let came: Vec<&Value> = in_mode(&page, "include").collect();
            let ids: BTreeSet<String> =
                came.iter().map(|one| text(&one["id"]).to_owned()).collect();
            assert_eq!(&ids, along, "{search}: what came along");
            assert_eq!(came.len(), ids.len(), "{search}: twice along");
            self.are_present(&search, came.into_iter());
        }
    }

    /// Asserts that these are all matches of a search.
    pub fn check_found(&self, search: &str, found: &[Value], expected: &Expected) {
        let mut ids: Vec<&str> = found.iter().map(|one| text(&one["id"])).collect();
        let mut wanted: Vec<&str> = expected.ids.iter().map(String::as_str).collect();
        if !expected.ordered {
            ids.sort_unstable();
            wanted.sort_unstable();
        }
        assert_eq!(ids, wanted, "{search}");
        self.are_present(search, found.iter());
    }

    fn are_present<'v>(&self, search: &str, found: impl Iterator<Item = &'v Value>) {
        for one in found.filter(|one| one["resourceType"] == "Task") {
            let id = text(&one["id"]);
            assert_eq!(one, self.body(id), "{search}: not the present version");
        }
    }
}
