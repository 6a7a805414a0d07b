//! Elements that records are made of: small pools of values, so that queries meet them, each with its odd spellings.

use crate::random::Random;
use serde_json::{Map, Value, json};

/// Names with accents, ligatures, apostrophes, hyphens, runs of blanks and characters that FHIR escapes.
const NAMES: &[&str] = &[
    "Hôpital Saint-Louis",
    "HOPITAL SAINT LOUIS",
    "Hôpital  Saint-\u{a0}Louis",
    "Hôpital Saint\u{2010}Louis Nord",
    "Clinique de l'Œuvre",
    "CLINIQUE DE L\u{2019}OEUVRE",
    "clinique de l oeuvre",
    "Cœur et Vaisseaux",
    "Coeur & Vaisseaux",
    "Pôle Mère-Enfant",
    "Po\u{302}le Me\u{300}re-Enfant",
    "Pole mere enfant, bât. B",
    "Ægir",
    "L'Haÿ-les-Roses",
    "Unité 1|2 (a,b) $5 \\ fin",
    "CHU",
    "C.H.U.",
    "CHU Ça & là",
    "Straße des Soins",
    "100% Santé + #1",
    "  Espacé  ",
    "Noël",
    "NOEL",
    "Éà",
];

/// Sentences, with plurals, elisions, ligatures, and things that are no words.
const SENTENCES: &[&str] = &[
    "Unité de soins intensifs cardiologiques de l'hôpital",
    "Soins de suite et de réadaptation",
    "Soin de jour, sur rendez-vous",
    "Consultations d\u{2019}urgence, week-ends compris",
    "Consulter l'infirmière jusqu'à 18h30",
    "Prise en charge des sœurs et des nouveau-nés",
    "Accueil des patients hospitalisés ; chirurgie du cœur",
    "Les chirurgiens reçoivent aujourd'hui",
    "contact@exemple.fr",
    "https://exemple.fr/soins",
    "02 40 00 00 00",
    "Écrire à contact@exemple.fr",
];

const LINES: &[&str] = &[
    "27 boulevard de la Prairie",
    "Entrée rue du Moulin",
    "1 bis, quai d'Orléans",
    "BP 12",
    "44000 NANTES CEDEX",
];

const SECTORS: &[&str] = &[
    "44G01",
    "44g01",
    "44I02",
    "Secteur d'été",
    "secteur d été 2",
];

/// Instants around the edges: offsets, fractions of 3, 6 and 7 digits, leap day, new year on both sides of a zone.
const INSTANTS: &[&str] = &[
    "2026-06-15T10:00:00.000+02:00",
    "2026-06-15T08:00:00Z",
    "2026-06-15T08:00:00.123Z",
    "2026-06-15T08:00:00.123456Z",
    "2026-06-15T08:00:00.1234567Z",
    "2026-06-15T10:00:00.1234569+02:00",
    "2025-12-31T23:30:00Z",
    "2026-01-01T00:30:00+01:00",
    "2025-12-31T23:30:00-05:00",
    "2024-02-29T12:00:00+00:00",
    "2026-10-25T02:30:00+02:00",
    "2026-10-25T02:30:00+01:00",
    "2026-03-29T03:00:00+02:00",
    "1999-12-31T23:59:59.999Z",
];

/// Dates of every precision, some without zone, some unreadable.
const DATES: &[&str] = &[
    "2024",
    "2025-06",
    "2025-06-15",
    "2024-02-29",
    "2025-12-31",
    "2026-01-01",
    "2026",
    "2025-06-15T10:30:00",
    "2025-06-15T10:30:00+02:00",
    "2025-06-15T08:30:00Z",
    "2025-06-15T08:30:00.250Z",
    "2025-06-15T08:30:00.2500000Z",
    "2026-01-01T00:00:00+01:00",
    "2025-02-30",
    "2025-13",
    "bientôt",
];

/// A system of the French terminologies, from its name with an underscore.
pub fn nos(name: &str) -> String {
    format!(
        "https://mos.esante.gouv.fr/NOS/{name}/FHIR/{}",
        name.replacen('_', "-", 1)
    )
}

/// The old spelling of such a system, underscore kept.
pub fn nos_old(name: &str) -> String {
    format!("https://mos.esante.gouv.fr/NOS/{name}/FHIR/{name}")
}

/// The URL of an extension of the guide.
pub fn guide(name: &str) -> String {
    format!("https://interop.esante.gouv.fr/ig/fhir/ror/StructureDefinition/{name}")
}

/// A name out of the pool, now and then with a tail.
pub fn name(r: &mut Random) -> String {
    let base = *r.pick(NAMES);
    if r.chance(20) {
        format!("{base} {}", r.pick(&["Nord", "sud", "Été", "2"]))
    } else {
        base.to_owned()
    }
}

/// A sentence for people, or something in its place that no one searches.
pub fn sentence(r: &mut Random) -> String {
    (*r.pick(SENTENCES)).to_owned()
}

/// Lines of an address.
pub fn lines(r: &mut Random) -> Value {
    let count = 1 + r.below(2);
    (0..count).map(|_| json!(r.pick(LINES))).collect()
}

/// A generated narrative, whose words are not searched.
pub fn narrative(r: &mut Random) -> Value {
    json!({"status": "generated", "div": format!("<div>Récit {}</div>", name(r))})
}

/// A psychiatric sector.
pub fn sector(r: &mut Random) -> String {
    (*r.pick(SECTORS)).to_owned()
}

/// An instant, drawn or composed.
pub fn instant(r: &mut Random) -> String {
    if r.chance(40) {
        return (*r.pick(INSTANTS)).to_owned();
    }
    let fraction = *r.pick(&["", "", ".5", ".500", ".123", ".000001"]);
    let zone = *r.pick(&["Z", "+02:00", "+01:00", "-05:00", "+04:00", "-10:00"]);
    format!(
        "{}-{:02}-{:02}T{:02}:{:02}:{:02}{fraction}{zone}",
        r.between(2020, 2026),
        r.between(1, 12),
        r.between(1, 28),
        r.between(0, 23),
        r.pick(&[0, 15, 30, 59]),
        r.pick(&[0, 0, 30, 59]),
    )
}

/// A date of any precision; about one in six cannot be read.
pub fn date(r: &mut Random) -> String {
    if r.chance(75) {
        (*r.pick(DATES)).to_owned()
    } else {
        instant(r)
    }
}

/// A date of any precision that can be read.
pub fn readable_date(r: &mut Random) -> String {
    (*r.pick(&DATES[..13])).to_owned()
}

/// A Coding, with the faults met in data: no system, the old spelling, a foreign system, no code.
pub fn coding(r: &mut Random, system: &str, codes: &[&str]) -> Value {
    let mut out = Map::new();
    match r.below(20) {
        0 => {}
        1 => drop(out.insert("system".to_owned(), json!(nos_old(system)))),
        2 => drop(out.insert("system".to_owned(), json!(nos("TRE_R999-Autre")))),
        _ => drop(out.insert("system".to_owned(), json!(nos(system)))),
    }
    if !r.chance(4) {
        out.insert("code".to_owned(), json!(r.pick(codes)));
    }
    if r.chance(50) {
        out.insert("display".to_owned(), json!(r.pick(NAMES)));
    }
    Value::Object(out)
}

/// A CodeableConcept of one coding, of several, or of text alone.
pub fn concept(r: &mut Random, system: &str, codes: &[&str]) -> Value {
    match r.below(25) {
        0 => json!({"text": "sans code"}),
        1 | 2 => json!({"coding": [coding(r, system, codes), coding(r, system, codes)]}),
        3 => json!({"coding": coding(r, system, codes), "text": "x"}),
        _ => json!({"coding": [coding(r, system, codes)]}),
    }
}

/// An extension holding a code, written as CodeableConcept, Coding or plain code.
pub fn coded(r: &mut Random, url: &str, system: &str, codes: &[&str]) -> Value {
    match r.below(12) {
        0 => json!({"url": url, "valueCoding": coding(r, system, codes)}),
        1 => json!({"url": url, "valueCode": r.pick(codes)}),
        _ => json!({"url": url, "valueCodeableConcept": concept(r, system, codes)}),
    }
}

/// An identifier; `value` may be absent.
pub fn identifier(kind: &Value, system: Option<&str>, value: Option<String>) -> Value {
    let mut out = Map::new();
    if !kind.is_null() {
        out.insert("type".to_owned(), kind.clone());
    }
    if let Some(system) = system {
        out.insert("system".to_owned(), json!(system));
    }
    if let Some(value) = value {
        out.insert("value".to_owned(), json!(value));
    }
    Value::Object(out)
}

/// The type of an identifier.
pub fn identifier_type(system: &str, code: &str) -> Value {
    json!({"coding": [{"system": system, "code": code}]})
}

/// A Quantity of one of these units; the system is one of the four spellings or absent.
pub fn quantity(r: &mut Random, values: &[&str], units: &[&str]) -> Value {
    let mut out = Map::new();
    let text = *r.pick(values);
    let number: Value = serde_json::from_str(text).expect("the pool holds JSON numbers");
    out.insert("value".to_owned(), number);
    let unit = *r.pick(units);
    if !unit.is_empty() {
        match r.below(4) {
            0 => drop(out.insert("system".to_owned(), json!("http://unitsofmeasure.org"))),
            1 => drop(out.insert("system".to_owned(), json!("https://unitsofmeasure.org"))),
            2 => drop(out.insert("system".to_owned(), json!(nos("TRE_R247-UcumUniteMesure")))),
            _ => {}
        }
        out.insert("code".to_owned(), json!(unit));
    }
    Value::Object(out)
}

/// What all directory resources share.
pub fn base(r: &mut Random, kind: &str, id: String) -> Map<String, Value> {
    let mut meta = Map::new();
    if !r.chance(4) {
        let updated = if r.chance(2) {
            "hier".to_owned()
        } else {
            instant(r)
        };
        meta.insert("lastUpdated".to_owned(), json!(updated));
    }
    if r.chance(80) && kind != "Task" {
        let tag = coding(r, "TRE_R30-RegionOM", &["11", "52", "53", "94", "04"]);
        meta.insert("tag".to_owned(), json!([tag]));
    }
    let mut out = Map::new();
    out.insert("resourceType".to_owned(), json!(kind));
    out.insert("id".to_owned(), json!(id));
    out.insert("meta".to_owned(), Value::Object(meta));
    out
}

/// The id of the n-th resource; types share ids on purpose, and a few are not plain numbers.
pub fn id(n: usize) -> String {
    match n % 13 {
        7 => format!("x-{n}.b"),
        11 => format!("X{n:04}"),
        _ => n.to_string(),
    }
}

/// A literal reference, written in one of the forms that servers send, sometimes to nothing.
pub fn literal(r: &mut Random, kind: &str, count: usize) -> String {
    let target = if r.chance(5) {
        "absent-999".to_owned()
    } else {
        id(1 + r.below(count))
    };
    match r.below(12) {
        0 => format!("http://127.0.0.1:8080/fhir/{kind}/{target}"),
        1 => format!("https://ror.example.org/fhir/R4/{kind}/{target}"),
        2 => format!("{kind}/{target}/_history/3"),
        _ => format!("{kind}/{target}"),
    }
}

/// A reference: literal, logical, both, display alone, or a form that names no resource.
pub fn reference(r: &mut Random, kind: &str, count: usize) -> Value {
    match r.below(30) {
        0 => json!({"display": "inconnu"}),
        1 => json!({"reference": "urn:uuid:8c3f2a64-0000-4000-8000-000000000001"}),
        2 | 3 => json!({"type": kind, "identifier": logical(r, kind, count)}),
        4 => json!({"identifier": logical(r, kind, count)}),
        5 => json!({"reference": literal(r, kind, count), "identifier": logical(r, kind, count)}),
        _ => json!({"reference": literal(r, kind, count)}),
    }
}

/// The identifier of a logical reference: usually one that a resource of the type carries.
pub fn logical(r: &mut Random, kind: &str, count: usize) -> Value {
    let n = 1 + r.below(count + 1);
    let (system, value) = match kind {
        "Organization" => (Some("http://finess.esante.gouv.fr"), finess(n)),
        "Practitioner" => (Some("urn:oid:1.2.250.1.71.4.2.1"), rpps(n)),
        "HealthcareService" => (None, offer_number(n)),
        "Location" => (None, place_number(n)),
        _ => (Some("urn:oid:1.2.3.4"), situation(n)),
    };
    let system = if r.chance(30) { None } else { system };
    identifier(&Value::Null, system, Some(value))
}

/// FINESS number of a structure; neighbours share one, so that a logical reference may have several hits.
pub fn finess(n: usize) -> String {
    format!("4400{:05}", n / 2)
}

/// RPPS number of a person.
pub fn rpps(n: usize) -> String {
    format!("1000{n:07}")
}

/// Number of an offer, with a slash.
pub fn offer_number(n: usize) -> String {
    format!("52/{}", 900_300 + n)
}

/// Number of a place, with a slash; some equal the number of an offer.
pub fn place_number(n: usize) -> String {
    format!("52/{}", 900_330 + n / 2)
}

/// Number of a situation.
pub fn situation(n: usize) -> String {
    format!("S|{n},{}", n % 3)
}
