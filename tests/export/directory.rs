//! A directory that lives: every round some resources change, come and go, each change dated.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::made::{instant, resource, to};

/// All resources by `Type/id`, and a clock.
#[derive(Clone)]
pub struct Directory {
    pub resources: BTreeMap<String, Value>,
    /// The present minute; nothing is dated later.
    pub tick: usize,
    random: fastrand::Rng,
    made: usize,
}

impl Directory {
    /// Some legal entities, entities below them and units below those; offers of the units.
    pub fn new(offers: usize, seed: u64) -> Directory {
        let mut directory = Directory {
            resources: BTreeMap::new(),
            tick: 0,
            random: fastrand::Rng::with_seed(seed),
            made: 0,
        };
        for n in 0..3 {
            directory.put(
                "Organization",
                &format!("ej-{n}"),
                json!({"name": format!("EJ {n}")}),
            );
            for m in 0..2 {
                let above = to(&format!("Organization/ej-{n}"));
                directory.put(
                    "Organization",
                    &format!("eg-{n}-{m}"),
                    json!({"partOf": above}),
                );
                let above = to(&format!("Organization/eg-{n}-{m}"));
                directory.put(
                    "Organization",
                    &format!("oi-{n}-{m}"),
                    json!({"partOf": above}),
                );
            }
        }
        for n in 0..4 {
            directory.put("Practitioner", &format!("p-{n}"), json!({"active": true}));
        }
        for _ in 0..offers {
            directory.add_offer();
        }
        directory
    }

    fn put(&mut self, kind: &str, id: &str, more: Value) {
        let key = format!("{kind}/{id}");
        let made = resource(kind, id, &instant(self.tick), more);
        self.resources.insert(key, made);
    }

    fn add_offer(&mut self) {
        let n = self.made;
        self.made += 1;
        let unit = format!(
            "Organization/oi-{}-{}",
            self.random.u8(0..3),
            self.random.u8(0..2)
        );
        let person = format!("Practitioner/p-{}", self.random.u8(0..4));
        self.put("Location", &format!("l-{n}"), json!({"status": "active"}));
        self.put(
            "HealthcareService",
            &format!("s-{n}"),
            json!({
                "name": format!("Offre {n}"),
                "providedBy": to(&unit),
                "location": [to(&format!("Location/l-{n}"))],
            }),
        );
        self.put(
            "PractitionerRole",
            &format!("r-{n}"),
            json!({
                "healthcareService": [to(&format!("HealthcareService/s-{n}"))],
                "practitioner": to(&person),
            }),
        );
    }

    fn any(&mut self, kind: &str) -> Option<String> {
        let keys: Vec<&String> = self
            .resources
            .keys()
            .filter(|key| key.starts_with(kind))
            .collect();
        let chosen = self.random.usize(0..keys.len().max(1));
        keys.get(chosen).map(|key| (*key).clone())
    }

    /// A round: one minute later, some changes, perhaps a withdrawal, perhaps a new offer.
    pub fn change(&mut self) {
        self.tick += 1;
        for _ in 0..self.random.usize(0..6) {
            let kind = [
                "HealthcareService",
                "Organization",
                "Location",
                "PractitionerRole",
                "Practitioner",
            ];
            let kind = kind[self.random.usize(0..kind.len())];
            if let Some(key) = self.any(&format!("{kind}/"))
                && let Some(changed) = self.resources.get_mut(&key)
            {
                changed["meta"]["lastUpdated"] = instant(self.tick).into();
                changed["language"] = format!("fr-x-{}", self.tick).into();
            }
        }
        if self.random.u8(0..3) == 0 {
            // Withdrawn, with or without what hung on it: what then points nowhere, and what belongs to nothing.
            if let Some(key) = self.any("HealthcareService/") {
                let number = key.replace("HealthcareService/s-", "");
                self.resources.remove(&key);
                if self.random.bool() {
                    self.resources
                        .remove(&format!("PractitionerRole/r-{number}"));
                    self.resources.remove(&format!("Location/l-{number}"));
                }
            }
        }
        if self.random.u8(0..3) == 0 {
            self.add_offer();
        }
    }

    /// All of it, as an extract.
    pub fn extract(&self) -> Vec<Value> {
        self.resources.values().cloned().collect()
    }

    /// `Type/id` of the offers.
    pub fn offers(&self) -> impl Iterator<Item = &String> {
        self.resources
            .keys()
            .filter(|key| key.starts_with("HealthcareService/"))
    }

    fn pointed(&self, key: &str, member: &str) -> Option<String> {
        let value = self.resources.get(key)?.get(member)?;
        let value = value.get(0).unwrap_or(value);
        let target = value["reference"].as_str()?.to_owned();
        self.resources.contains_key(&target).then_some(target)
    }

    /// The organisation of an offer and those above.
    pub fn above(&self, offer: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut next = self.pointed(offer, "providedBy");
        while let Some(key) = next {
            next = self.pointed(&key, "partOf");
            found.insert(key);
        }
        found
    }

    /// Everything that belongs to an offer.
    pub fn belongings(&self, offer: &str) -> BTreeSet<String> {
        let mut found = self.above(offer);
        found.extend(self.pointed(offer, "location"));
        for key in self
            .resources
            .keys()
            .filter(|key| key.starts_with("PractitionerRole/"))
        {
            if self.pointed(key, "healthcareService").as_deref() == Some(offer) {
                found.insert(key.clone());
                found.extend(self.pointed(key, "practitioner"));
            }
        }
        found
    }

    /// Whether a resource changed at or after a minute.
    pub fn changed(&self, key: &str, since: usize) -> bool {
        let changed = self
            .resources
            .get(key)
            .and_then(|one| one["meta"]["lastUpdated"].as_str());
        changed.is_some_and(|changed| changed >= instant(since).as_str())
    }
}
