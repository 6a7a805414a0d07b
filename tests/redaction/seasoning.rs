//! What access rules ask about, added to a generated extract: sensitive units, fields of activity, contacts and telecoms of
//! each level, shared places, and references to what a profile may not see.

use serde_json::{Map, Value, json};

use crate::random::Random;

const GUIDE: &str = "https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/";

fn nos(name: &str) -> String {
    format!(
        "https://mos.esante.gouv.fr/NOS/{name}/FHIR/{}",
        name.replacen('_', "-", 1)
    )
}

fn guide(name: &str) -> String {
    format!("{GUIDE}{name}")
}

/// Adds to every record of an extract.
pub fn season(r: &mut Random, records: &mut [Value]) {
    let known = Known::of(records);
    for record in records {
        let kind = record["resourceType"].as_str().expect("a type").to_owned();
        let out = record.as_object_mut().expect("an object");
        match kind.as_str() {
            "HealthcareService" => service(r, &known, out),
            "Location" => place(r, &known, out),
            "Organization" => structure(r, out),
            "Practitioner" => person(r, &known, out),
            "PractitionerRole" => role(r, &known, out),
            _ => anomaly(r, &known, out),
        }
        anything(r, &known, out);
    }
}

/// The ids of each type, and identifiers that somebody or nobody carries.
struct Known {
    ids: Vec<(String, String)>,
    identifiers: Vec<Value>,
}

impl Known {
    fn of(records: &[Value]) -> Known {
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        let name = |record: &Value| (text(&record["resourceType"]), text(&record["id"]));
        let mut identifiers = vec![json!({"value": "nobody"}), json!({"system": "urn:x"})];
        for record in records {
            identifiers.extend(
                record["identifier"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .cloned(),
            );
        }
        Known {
            ids: records.iter().map(name).collect(),
            identifiers,
        }
    }

    /// A reference to a resource of that type, or of any, in one of the forms in which they come.
    fn reference(&self, r: &mut Random, kind: Option<&str>) -> Value {
        let fitting: Vec<_> = self
            .ids
            .iter()
            .filter(|(own, _)| kind.is_none_or(|kind| kind == own))
            .collect();
        let (kind, id) = r.pick(&fitting);
        let mut identifier = r.pick(&self.identifiers).clone();
        if let Some(members) = identifier.as_object_mut() {
            members.shift_remove("type");
        }
        match r.below(20) {
            0 => json!({"reference": id}),
            1 => json!({"reference": id, "type": kind}),
            2 => json!({"reference": format!("{}/{id}", kind.to_lowercase())}),
            3 => {
                json!({"reference": format!("https://elsewhere.example/fhir/{kind}/{id}/_history/2")})
            }
            4 => json!({"reference": format!("#{id}")}),
            5 => json!({"reference": format!("{kind}?identifier=52")}),
            6 => json!({"identifier": identifier}),
            7 => json!({"type": kind, "identifier": identifier}),
            8 => json!({"type": "Patient", "identifier": identifier}),
            9 => json!({"reference": format!("{kind}/{id}"), "identifier": identifier}),
            10 => json!({"reference": format!("Endpoint/{id}")}),
            11 => json!({"display": format!("Unité {id}")}),
            _ => json!({"reference": format!("{kind}/{id}"), "display": format!("nom de {id}")}),
        }
    }
}

fn list(out: &mut Map<String, Value>, name: &str) -> Vec<Value> {
    match out.shift_remove(name) {
        Some(Value::Array(items)) => items,
        Some(item) => vec![item],
        None => Vec::new(),
    }
}

fn add(out: &mut Map<String, Value>, name: &str, more: Vec<Value>) {
    let mut items = list(out, name);
    items.extend(more);
    if !items.is_empty() {
        out.insert(name.to_owned(), items.into());
    }
}

fn level(r: &mut Random, name: &str) -> Option<Value> {
    let url = guide(name);
    let code = *r.pick(&["1", "1", "2", "3", "9"]);
    match r.below(8) {
        0 => None,
        1 => Some(json!({"url": url, "valueCode": code})),
        2 => Some(json!({"url": url, "valueCoding": {"code": code}})),
        3 => Some(json!({"url": name, "valueCodeableConcept": {"coding": [{"code": code}]}})),
        4 => Some(json!({"url": url})),
        _ => {
            let system = nos("TRE_R283-NiveauConfidentialite");
            Some(
                json!({"url": url, "valueCodeableConcept": {"coding": [{"system": system, "code": code}]}}),
            )
        }
    }
}

fn telecoms(r: &mut Random) -> Vec<Value> {
    let one = |r: &mut Random| {
        let mut telecom = json!({"system": "phone", "value": format!("02 40 {:02} {:02}", r.below(100), r.below(100))});
        if let Some(level) = level(r, "ror-telecom-confidentiality-level") {
            let usage = json!({"url": guide("ror-telecom-usage"), "valueString": "accueil"});
            telecom["extension"] = json!([usage, level]);
        }
        telecom
    };
    (0..r.below(4)).map(|_| one(r)).collect()
}

fn service(r: &mut Random, known: &Known, out: &mut Map<String, Value>) {
    let url = guide("ror-healthcareservice-sensitive-unit");
    let mut extensions = match r.below(12) {
        0..=2 => vec![json!({"url": url, "valueBoolean": true})],
        3 => vec![json!({"url": url, "valueString": "oui"})],
        4 => vec![],
        _ => vec![json!({"url": url, "valueBoolean": false})],
    };
    for _ in 0..r.below(3) {
        let mut parts = vec![json!({"url": "name", "valueHumanName": {"text": "Mme Le Bihan"}})];
        parts.extend(level(r, "ror-confidentiality-level"));
        for _ in 0..r.below(3) {
            let mut inner =
                vec![json!({"url": "telecomAddress", "valueString": "accueil@hopital.example"})];
            inner.extend(level(r, "ror-telecom-confidentiality-level"));
            parts.push(
                json!({"url": guide("ror-healthcareservice-contact-telecom"), "extension": inner}),
            );
        }
        extensions.push(json!({"url": guide("ror-healthcareservice-contact"), "extension": parts}));
    }
    add(out, "extension", extensions);
    if r.chance(80) {
        let field = *r.pick(&["01", "04", "04", "05", "05"]);
        let system = nos("TRE_R227-ChampActivite");
        let mut fields = vec![json!({"coding": [{"system": system, "code": field}]})];
        if r.chance(10) {
            fields.push(json!({"coding": [{"system": system, "code": "01"}]}));
        }
        out.insert("type".to_owned(), fields.into());
    }
    add(out, "telecom", telecoms(r));
    if r.chance(20) {
        let area = known.reference(r, Some("Location"));
        add(out, "coverageArea", vec![area]);
    }
}

fn place(r: &mut Random, known: &Known, out: &mut Map<String, Value>) {
    add(out, "telecom", telecoms(r));
    if r.chance(40) {
        out.insert("partOf".to_owned(), known.reference(r, Some("Location")));
    }
    if r.chance(30) {
        let status = *r.pick(&["01", "06", "09", "99"]);
        let system = nos("TRE_R330-TypeStatutCapacite");
        let mut parts = vec![
            json!({"url": "capacityStatus", "valueCodeableConcept": {"coding": [{"system": system, "code": status}]}}),
            json!({"url": "nbCapacity", "valueInteger": r.below(20)}),
        ];
        if r.chance(30) {
            parts.push(json!({"url": "crisisType", "valueCode": "01"}));
        }
        add(
            out,
            "extension",
            vec![json!({"url": guide("ror-location-supported-capacity"), "extension": parts})],
        );
    }
    if r.chance(30) {
        let hidden = known.reference(r, None);
        out.insert("alias".to_owned(), json!(["Aile Nord", "Pavillon B"]));
        out.insert(
            "_alias".to_owned(),
            json!([{"extension": [{"url": "urn:example:of", "valueReference": hidden}]}, null]),
        );
    }
}

fn structure(r: &mut Random, out: &mut Map<String, Value>) {
    add(out, "telecom", telecoms(r));
    let contact = |r: &mut Random| {
        let mut contact = json!({"name": {"text": "La direction"}, "telecom": telecoms(r)});
        if let Some(level) = level(r, "ror-contact-confidentiality-level") {
            contact["extension"] = json!([level]);
        }
        contact
    };
    let contacts = (0..r.below(3)).map(|_| contact(r)).collect();
    add(out, "contact", contacts);
    if r.chance(30) {
        let name = *r.pick(&[
            "ror-organization-level-recours-orsan",
            "ror-organization-level-recourse-orsan",
        ]);
        add(
            out,
            "extension",
            vec![json!({"url": guide(name), "valueCode": "1"})],
        );
    }
}

fn person(r: &mut Random, known: &Known, out: &mut Map<String, Value>) {
    add(out, "telecom", telecoms(r));
    if r.chance(40) {
        let issuer = known.reference(r, Some("Organization"));
        let code = json!({"text": "Docteur en médecine"});
        add(
            out,
            "qualification",
            vec![json!({"code": code, "issuer": issuer})],
        );
    }
}

fn role(r: &mut Random, known: &Known, out: &mut Map<String, Value>) {
    add(out, "telecom", telecoms(r));
    if r.chance(40) {
        let places = (0..1 + r.below(2)).map(|_| known.reference(r, Some("Location")));
        let places = places.collect();
        add(out, "location", places);
    }
}

fn anomaly(r: &mut Random, known: &Known, out: &mut Map<String, Value>) {
    if r.chance(35) {
        let parts = vec![known.reference(r, Some("Task"))];
        add(out, "partOf", parts);
    }
    if r.chance(3) {
        out.insert("focus".to_owned(), known.reference(r, Some("Task")));
    }
    if r.chance(40) {
        out.insert("owner".to_owned(), known.reference(r, None));
    }
    if r.chance(30) {
        let recipient = known.reference(r, None);
        out.insert("restriction".to_owned(), json!({"recipient": [recipient]}));
    }
    if r.chance(30) {
        let value = known.reference(r, None);
        let output = json!({"type": {"coding": [{"code": "newValue"}]}, "valueReference": value});
        out.insert("output".to_owned(), json!([output]));
    }
    if r.chance(30) {
        let tag = json!({"system": nos("TRE_R30-RegionOM"), "code": r.pick(&["11", "52", "53"])});
        out["meta"]["tag"] = json!([tag]);
    }
}

/// What may stand anywhere.
fn anything(r: &mut Random, known: &Known, out: &mut Map<String, Value>) {
    if r.chance(10) {
        out.insert(
            "contained".to_owned(),
            json!([{"resourceType": "Location", "id": "c"}]),
        );
    }
    if r.chance(10) {
        out.insert(
            "text".to_owned(),
            json!({"status": "generated", "div": "<div>Récit du service</div>"}),
        );
    }
    if r.chance(15) {
        let value = known.reference(r, None);
        add(
            out,
            "extension",
            vec![json!({"url": "urn:example:unknown", "valueReference": value})],
        );
    }
    if r.chance(5) {
        let zone = json!({"url": guide("ror-organization-drop-zone"), "valueBoolean": true});
        add(out, "modifierExtension", vec![zone]);
    }
    if r.chance(8) {
        out.insert("implicitRules".to_owned(), json!("urn:example:rules"));
    }
}
