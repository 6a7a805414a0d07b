//! Organizations, offers, persons, roles and anomalies.

use super::pieces::{self, coded, concept, guide, identifier, identifier_type, nos, nos_old};
use crate::random::Random;
use serde_json::{Value, json};

/// The n-th Organization; the first six make partOf cycles of length 1, 2 and 3.
pub fn organization(r: &mut Random, n: usize, count: usize) -> Value {
    let mut out = pieces::base(r, "Organization", pieces::id(n));
    let mut extension = Vec::new();
    for _ in 0..r.below(4) {
        extension.push(price(r));
    }
    if r.chance(40) {
        let url = guide("ror-organization-closing-type");
        extension.push(coded(
            r,
            &url,
            "TRE_R286-TypeFermeture",
            &["DEF", "PRO", "def"],
        ));
    }
    if r.chance(50) {
        extension.push(
            json!({"url": guide("ror-organization-drop-zone"), "valueBoolean": r.chance(50)}),
        );
    }
    if r.chance(50) {
        let mut period = json!({});
        if r.chance(60) {
            period["start"] = json!("2001-09-01");
        }
        if r.chance(70) {
            period["end"] = json!(pieces::date(r));
        }
        let url = "http://hl7.org/fhir/StructureDefinition/organization-period";
        extension.push(json!({"url": url, "valuePeriod": period}));
    }
    if !extension.is_empty() {
        out.insert("extension".to_owned(), json!(extension));
    }
    out.insert("identifier".to_owned(), structure_identifiers(r, n));
    if r.chance(85) {
        let mut list = vec![concept(
            r,
            "TRE_R66-CategorieEtablissement",
            &["101", "365", "355"],
        )];
        if r.chance(50) {
            list.push(concept(
                r,
                "TRE_R207-TypeOrganisationInterne",
                &["1", "2", "101"],
            ));
        }
        out.insert("type".to_owned(), json!(list));
    }
    if r.chance(92) {
        out.insert("name".to_owned(), json!(pieces::name(r)));
    }
    if r.chance(30) {
        let alias = if r.chance(70) {
            json!([pieces::name(r), pieces::name(r)])
        } else {
            json!(pieces::name(r))
        };
        out.insert("alias".to_owned(), alias);
    }
    let parent = match n {
        1 => Some(1),
        2 => Some(3),
        3 => Some(2),
        4 => Some(5),
        5 => Some(6),
        6 => Some(4),
        _ => None,
    };
    if let Some(parent) = parent {
        let text = format!("Organization/{}", pieces::id(parent));
        out.insert("partOf".to_owned(), json!({"reference": text}));
    } else if r.chance(75) {
        // Mostly upwards to a lower number, so that lines of several levels arise.
        let upper = if r.chance(90) { n - 1 } else { count };
        out.insert(
            "partOf".to_owned(),
            pieces::reference(r, "Organization", upper),
        );
    }
    Value::Object(out)
}

fn structure_identifiers(r: &mut Random, n: usize) -> Value {
    let types = nos("TRE_G07-TypeIdentifiantStructure");
    let finess = identifier(
        &identifier_type(&types, "1"),
        Some(*r.pick(&[
            "https://finess.esante.gouv.fr",
            "http://finess.esante.gouv.fr",
        ])),
        Some(pieces::finess(n)),
    );
    let number_kind = *r.pick(&["2", "3"]);
    let sirene = identifier(
        &identifier_type(&types, number_kind),
        Some(*r.pick(&["https://sirene.fr", "http://sirene.fr"])),
        Some(format!("99{:07}", n % 9)),
    );
    let other = if r.chance(50) {
        nos("TRE_R345-TypeIdentifiantAutre")
    } else {
        nos_old("TRE_R345-TypeIdentifiantAutre")
    };
    let inner = identifier(
        &identifier_type(&other, "42"),
        (!r.chance(20)).then_some("https://oi.esante.gouv.fr"),
        (!r.chance(10)).then(|| format!("OI|{},\\{}$", n % 5, n % 3)),
    );
    match r.below(6) {
        0 => json!([]),
        1 => finess,
        2 => json!([finess, sirene]),
        3 => json!([inner]),
        _ => json!([finess, inner]),
    }
}

fn price(r: &mut Random) -> Value {
    let mut parts = Vec::new();
    let lists: [(&str, &str, &[&str], usize); 6] = [
        ("priceType", "TRE_R246-TypeTarif", &["01", "02", "04"], 95),
        ("priceUnit", "TRE_R228-UnitePrix", &["1", "2"], 90),
        (
            "residentialType",
            "TRE_R242-TypeHabitation",
            &["01", "02"],
            60,
        ),
        (
            "specialPrice",
            "TRE_R250-ConditionTarifaire",
            &["01", "02", "03"],
            60,
        ),
        (
            "welcomeType",
            "TRE_R240-TemporaliteAccueil",
            &["01", "02"],
            50,
        ),
        (
            "dependencyLevel",
            "TRE_R237-GroupeTarifaireDependance",
            &["01", "02"],
            50,
        ),
    ];
    for (url, system, codes, share) in lists {
        if r.chance(share) {
            parts.push(coded(r, url, system, codes));
        }
    }
    if r.chance(95) {
        let text = *r.pick(&[
            "68.5", "68.50", "68.49", "0", "100", "99.995", "1234.56", "7", "68.55", "-3.25",
        ]);
        let amount: Value = serde_json::from_str(text).expect("the pool holds JSON numbers");
        parts.push(json!({"url": "amount", "valueMoney": {"value": amount, "currency": "EUR"}}));
    }
    if r.chance(70) {
        parts.push(json!({"url": "startDate", "valueDateTime": pieces::date(r)}));
    }
    json!({"url": guide("ror-organization-price"), "extension": parts})
}

/// The n-th HealthcareService.
pub fn offer(r: &mut Random, n: usize, places: usize, structures: usize) -> Value {
    let mut out = pieces::base(r, "HealthcareService", pieces::id(n));
    let mut extension = Vec::new();
    for _ in 0..r.below(3) {
        let code = coded(
            r,
            "codeTerritorialDivision",
            "TRE_R13-CommuneOM",
            &["44109", "44162", "2A004", "97411"],
        );
        extension.push(json!({"url": guide("ror-territorial-division"), "extension": [
            {"url": "typeTerritorialDivision", "valueCodeableConcept": {"coding": [{"code": "3"}]}}, code]}));
    }
    for _ in 0..r.below(3) {
        extension.push(json!({"url": guide("ror-healthcareservice-psychiatric-sector"), "valueString": pieces::sector(r)}));
    }
    if r.chance(92) {
        extension.push(patients(r));
    }
    if !extension.is_empty() {
        out.insert("extension".to_owned(), json!(extension));
    }
    if r.chance(95) {
        let kind = identifier_type(&nos("TRE_R355-TypeIdentifiantOffre"), "35");
        let number = identifier(&kind, None, Some(pieces::offer_number(n)));
        let list = if r.chance(15) {
            number
        } else {
            json!([number])
        };
        out.insert("identifier".to_owned(), list);
    }
    if r.chance(95) {
        out.insert(
            "providedBy".to_owned(),
            pieces::reference(r, "Organization", structures),
        );
    }
    if r.chance(80) {
        let category = concept(r, "TRE_R244-CategorieOrganisation", &["01", "83", "102"]);
        let category = if r.chance(70) {
            json!([category])
        } else {
            category
        };
        out.insert("category".to_owned(), category);
    }
    if r.chance(85) {
        let field = concept(r, "TRE_R227-ChampActivite", &["01", "02", "03"]);
        out.insert("type".to_owned(), json!([field]));
    }
    if r.chance(90) {
        let mut list = vec![concept(
            r,
            "TRE_R211-ActiviteOperationnelle",
            &["013", "014", "037", "01"],
        )];
        if r.chance(40) {
            list.push(concept(
                r,
                "TRE_R265-PrestationPilotageSerafin",
                &["013", "2.1"],
            ));
        }
        out.insert("specialty".to_owned(), json!(list));
    }
    let characteristics: Vec<Value> = (0..r.below(4))
        .map(|_| {
            let (system, codes) = *r.pick(&[
                ("TRE_R213-ModePriseEnCharge", &["28", "32", "01"]),
                ("TRE_R210-ActeSpecifique", &["0316", "316", "01"]),
                ("TRE_R286-TypeFermeture", &["DEF", "PRO", "01"]),
            ]);
            concept(r, system, codes)
        })
        .collect();
    if !characteristics.is_empty() {
        out.insert("characteristic".to_owned(), json!(characteristics));
    }
    let locations: Vec<Value> = (0..r.below(4))
        .map(|_| pieces::reference(r, "Location", places))
        .collect();
    if !locations.is_empty() {
        out.insert("location".to_owned(), json!(locations));
    }
    if r.chance(92) {
        out.insert("name".to_owned(), json!(pieces::name(r)));
    }
    if r.chance(40) {
        out.insert("notAvailable".to_owned(), closing(r));
    }
    if r.chance(50) {
        out.insert("comment".to_owned(), json!(pieces::sentence(r)));
    }
    if r.chance(20) {
        let note =
            json!({"extension": [{"url": "urn:example:note", "valueString": pieces::sentence(r)}]});
        let element = *r.pick(&["_name", "_comment"]);
        out.insert(element.to_owned(), note);
    }
    if r.chance(20) {
        out.insert("extraDetails".to_owned(), json!(pieces::sentence(r)));
    }
    if r.chance(30) {
        out.insert("text".to_owned(), pieces::narrative(r));
    }
    Value::Object(out)
}

fn patients(r: &mut Random) -> Value {
    let mut parts = Vec::new();
    for _ in 0..r.below(3) {
        parts.push(coded(
            r,
            "supportedPatientInfo",
            "TRE_R239-PublicPrisEnCharge",
            &["01", "06", "09"],
        ));
    }
    if r.chance(90) {
        let low = &["0", "0.5", "1", "3", "6", "12", "18", "730.5"];
        let high = &["1", "2", "12", "18", "24", "52", "120", "365.25", "18.0"];
        let units = &["a", "a", "a", "mo", "wk", "d", ""];
        let mut range = json!({});
        if r.chance(93) {
            range["low"] = pieces::quantity(r, low, units);
        }
        if r.chance(93) {
            range["high"] = pieces::quantity(r, high, units);
        }
        parts.push(json!({"url": "ageRange", "valueRange": range}));
    }
    json!({"url": guide("ror-healthcareservice-patient-type"), "extension": parts})
}

/// Planned closings; only the one whose id is `closingReopeningDate` is searched.
fn closing(r: &mut Random) -> Value {
    let mut during = json!({});
    let start = pieces::readable_date(r);
    match r.below(4) {
        0 => during["start"] = json!(start),
        1 => during["end"] = json!(start),
        2 => {
            during["start"] = json!(start);
            during["end"] = json!("2026-09-01");
        }
        _ => {
            during["start"] = json!("2023-05-01T08:00:00+02:00");
            during["end"] = json!(start);
        }
    }
    let known = json!({"id": "closingReopeningDate", "description": "Période", "during": during});
    let other = json!({"id": "autre", "during": {"start": "2020-01-01", "end": "2020-02-01"}});
    if r.chance(25) {
        json!([other, known])
    } else if r.chance(10) {
        json!([other])
    } else {
        json!([known])
    }
}

/// The n-th Practitioner.
pub fn practitioner(r: &mut Random, n: usize) -> Value {
    let mut out = pieces::base(r, "Practitioner", pieces::id(n));
    if r.chance(92) {
        let number = identifier(
            &Value::Null,
            Some("urn:oid:1.2.250.1.71.4.2.1"),
            Some(pieces::rpps(n)),
        );
        out.insert("identifier".to_owned(), json!([number]));
    }
    let family = *r.pick(&["Lefèvre", "LE GOFF", "D'Ormesson", "N'Diaye"]);
    let given = *r.pick(&["Maud", "Jean-Noël", "Zoé"]);
    let mut name = json!([{"prefix": ["DR"]}]);
    if r.chance(80) {
        name = json!([{"prefix": ["DR"], "family": family, "given": [given, "Anne"]}]);
    }
    out.insert("name".to_owned(), name);
    Value::Object(out)
}

/// The n-th PractitionerRole.
pub fn role(r: &mut Random, n: usize, persons: usize, offers: usize, structures: usize) -> Value {
    let mut out = pieces::base(r, "PractitionerRole", pieces::id(n));
    if r.chance(80) {
        let system = r.chance(70).then_some("urn:oid:1.2.3.4");
        let number = identifier(&Value::Null, system, Some(pieces::situation(n)));
        out.insert("identifier".to_owned(), json!([number]));
    }
    if r.chance(92) {
        out.insert(
            "practitioner".to_owned(),
            pieces::reference(r, "Practitioner", persons),
        );
    }
    if r.chance(95) {
        let link = pieces::reference(r, "HealthcareService", offers);
        let link = if r.chance(85) { json!([link]) } else { link };
        out.insert("healthcareService".to_owned(), link);
    }
    if r.chance(60) {
        out.insert(
            "organization".to_owned(),
            pieces::reference(r, "Organization", structures),
        );
    }
    Value::Object(out)
}

/// The n-th Task; `counts` are the sizes of the five types it may point to.
pub fn anomaly(r: &mut Random, n: usize, counts: [usize; 5]) -> Value {
    const TYPES: [&str; 5] = [
        "Organization",
        "Location",
        "HealthcareService",
        "Practitioner",
        "PractitionerRole",
    ];
    let mut out = pieces::base(r, "Task", pieces::id(n));
    if r.chance(80) {
        let number = identifier(&Value::Null, None, Some(format!("ANO-{}", n % 20)));
        out.insert("identifier".to_owned(), json!([number]));
    }
    out.insert("status".to_owned(), json!("requested"));
    out.insert("intent".to_owned(), json!("order"));
    if r.chance(95) {
        // The system of business statuses ignores case.
        let status = concept(
            r,
            "TRE_R352-StatutMetierAnomalie",
            &["01", "02", "08", "Ab", "aB"],
        );
        out.insert("businessStatus".to_owned(), status);
    }
    if r.chance(95) {
        let which = r.below(5);
        let focus = if r.chance(35) {
            let identifier = pieces::logical(r, TYPES[which], counts[which]);
            if r.chance(70) {
                json!({"type": TYPES[which], "identifier": identifier})
            } else {
                json!({"identifier": identifier})
            }
        } else {
            pieces::reference(r, TYPES[which], counts[which])
        };
        out.insert("focus".to_owned(), focus);
    }
    if r.chance(95) {
        out.insert("authoredOn".to_owned(), json!(pieces::date(r)));
    }
    out.insert("lastModified".to_owned(), json!("2026-01-01"));
    if r.chance(60) {
        out.insert("description".to_owned(), json!(pieces::sentence(r)));
    }
    if r.chance(50) {
        let input = |code: &str, text: String| json!({"type": {"coding": [{"code": code}]}, "valueString": text});
        let list = [
            input("ruleErrorId", pieces::sentence(r)),
            input("errorValue", pieces::sentence(r)),
        ];
        out.insert("input".to_owned(), json!(list));
    }
    Value::Object(out)
}
