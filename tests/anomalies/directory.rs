//! Small directories of offers, each a little different from the one before: what Tasks point to.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use serde_json::{Value, json};

/// System of the identifiers of offers.
pub const OFFERS: &str = "urn:test:offers";
/// System of the specialties.
const SPECIALTIES: &str = "urn:test:specialties";
/// How many offers there may be.
pub const MOST_OFFERS: usize = 12;
/// How many organisations there always are.
pub const ORGANIZATIONS: usize = 3;

/// One offer.
#[derive(Clone, Debug)]
pub struct Offer {
    pub identifier: String,
    pub name: String,
    pub specialty: String,
}

/// One edition of the directory.
#[derive(Clone, Debug)]
pub struct Directory {
    pub offers: BTreeMap<String, Offer>,
    pub organizations: BTreeMap<String, String>,
    /// Anomalies that come with the extract, the same in every edition.
    pub tasks: Vec<Value>,
}

impl Directory {
    /// An edition: some of the offers are missing, and their names and specialties change.
    pub fn draw(rng: &mut Rng) -> Directory {
        let mut offers = BTreeMap::new();
        for number in 0..MOST_OFFERS {
            if number > 0 && rng.u8(..10) < 3 {
                continue;
            }
            offers.insert(
                offer_id(number),
                Offer {
                    identifier: offer_identifier(number),
                    name: format!("{} {number}", rng.choice(NAMES).unwrap_or(&"Accueil")),
                    specialty: rng.choice(SPECIALTY_CODES).unwrap_or(&"a").to_string(),
                },
            );
        }
        let organizations = (0..ORGANIZATIONS)
            .map(|number| (format!("org-{number}"), format!("Clinique {number}")))
            .collect();
        Directory {
            offers,
            organizations,
            tasks: vec![
                brought("brought-past", "2020-02-03T04:05:06.000Z"),
                // A clock that was ahead of ours wrote this one.
                brought("brought-future", "2150-02-03T04:05:06.000Z"),
            ],
        }
    }

    /// The extract.
    pub fn lines(&self) -> Vec<String> {
        let meta = json!({"lastUpdated": "2024-01-02T03:04:05Z"});
        let mut lines = Vec::new();
        for (id, name) in &self.organizations {
            let organization =
                json!({"resourceType": "Organization", "id": id, "meta": meta, "name": name});
            lines.push(organization.to_string());
        }
        for (id, offer) in &self.offers {
            let resource = json!({
                "resourceType": "HealthcareService", "id": id, "meta": meta, "name": offer.name,
                "identifier": [{"system": OFFERS, "value": offer.identifier}],
                "specialty": [{"coding": [{"system": SPECIALTIES, "code": offer.specialty}]}],
                "providedBy": {"reference": "Organization/org-0"},
            });
            lines.push(resource.to_string());
        }
        lines.extend(self.tasks.iter().map(Value::to_string));
        lines
    }

    /// The offers with an identifier.
    pub fn identified(&self, value: &str) -> BTreeSet<String> {
        let with = self
            .offers
            .iter()
            .filter(|(_, offer)| offer.identifier == value);
        with.map(|(id, _)| id.clone()).collect()
    }
}

/// Names of offers; none begins like another.
pub const NAMES: &[&str] = &["Cardiologie", "Urgences", "Maternité", "Imagerie"];
/// Codes of specialties.
pub const SPECIALTY_CODES: &[&str] = &["a", "b", "c"];

/// The id of an offer.
pub fn offer_id(number: usize) -> String {
    format!("offer-{number}")
}

/// Its identifier: the last two share one.
pub fn offer_identifier(number: usize) -> String {
    format!("OF-{}", number.min(MOST_OFFERS - 2))
}

/// An anomaly that another program wrote: without a version.
fn brought(id: &str, updated: &str) -> Value {
    let mut task = crate::task::body("02", &crate::task::Focus::literal("Organization", "org-1"));
    task["id"] = json!(id);
    task["meta"] = json!({"lastUpdated": updated});
    task["identifier"] = json!([{"system": "urn:test:elsewhere", "value": id}]);
    task
}
