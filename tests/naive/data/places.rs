//! Locations: positions, communes, and the repeating groups (capacity lines, equipment with limits, dwellings).

use super::pieces::{self, coded, coding, concept, guide, identifier, identifier_type, nos};
use crate::random::Random;
use serde_json::{Value, json};

/// Commune, city, postal code and a point in it.
const COMMUNES: &[(&str, &str, &str, f64, f64)] = &[
    ("44109", "NANTES", "44000", 47.21, -1.553),
    ("44162", "Saint-Herblain", "44800", 47.223, -1.634),
    ("75056", "PARIS CEDEX 10", "75010", 48.873, 2.357),
    ("75101", "Paris", "75001", 48.862, 2.336),
    ("13055", "Marseille", "13005", 43.29, 5.39),
    ("69123", "LYON", "69003", 45.755, 4.85),
    ("2A004", "Ajaccio", "20000", 41.927, 8.737),
    ("2B033", "Bastia", "20200", 42.697, 9.45),
    ("97411", "Saint-Denis", "97400", -20.879, 55.448),
    ("97209", "FORT-DE-FRANCE", "97200", 14.604, -61.074),
    ("71270", "Mâcon", "71000", 46.306, 4.828),
    ("35238", "Rennes", "35000", 48.117, -1.677),
];

/// The n-th Location.
pub fn location(r: &mut Random, n: usize, structures: usize) -> Value {
    let mut out = pieces::base(r, "Location", pieces::id(n));
    let mut extension = Vec::new();
    let (commune, city, postal, latitude, longitude) = *r.pick(COMMUNES);
    if r.chance(90) {
        let url = guide("ror-commune-cog");
        let system = *r.pick(&["TRE_R13-CommuneOM", "TRE_R13-CommuneOM", "TRE_R13-Commune"]);
        extension.push(coded(r, &url, system, &[commune]));
    }
    for _ in 0..r.below(5) {
        extension.push(capacity(r));
    }
    for _ in 0..r.below(4) {
        extension.push(equipment(r));
    }
    for _ in 0..r.below(3) {
        extension.push(dwelling(r));
    }
    r.shuffle(&mut extension);
    if !extension.is_empty() {
        out.insert("extension".to_owned(), json!(extension));
    }
    if r.chance(90) {
        let types = nos("TRE_R354-TypeIdentifiantRessourceOperationnelle");
        let number = identifier(
            &identifier_type(&types, "25"),
            None,
            Some(pieces::place_number(n)),
        );
        let zone = identifier(
            &identifier_type(&types, "26"),
            r.chance(30).then_some("urn:example:zones|a"),
            (!r.chance(10)).then(|| format!("TC-{},{}", n % 7, n % 2)),
        );
        let list = if r.chance(60) {
            json!([number, zone])
        } else {
            json!([number])
        };
        out.insert("identifier".to_owned(), list);
    }
    if r.chance(80) {
        out.insert(
            "status".to_owned(),
            json!(r.pick(&["active", "inactive", "Active"])),
        );
    }
    if r.chance(60) {
        let status = coding(r, "TRE_R203-StatutLieu", &["1", "2", "3"]);
        out.insert("operationalStatus".to_owned(), status);
    }
    if r.chance(70) {
        let kind = concept(r, "TRE_R343-FonctionLieu", &["001", "002", "003"]);
        let kind = if r.chance(80) { json!([kind]) } else { kind };
        out.insert("type".to_owned(), kind);
    }
    if r.chance(60) {
        out.insert("name".to_owned(), json!(pieces::name(r)));
    }
    if r.chance(85) {
        let mut address = json!({"city": city});
        if r.chance(85) {
            address["postalCode"] = json!(postal);
        }
        if r.chance(60) {
            address["line"] = pieces::lines(r);
        }
        out.insert("address".to_owned(), address);
    }
    if r.chance(30) {
        out.insert("description".to_owned(), json!(pieces::sentence(r)));
    }
    if r.chance(20) {
        out.insert("text".to_owned(), pieces::narrative(r));
    }
    // Some places have no position, half of one, or one that cannot be.
    match r.below(12) {
        0 => {}
        1 => drop(out.insert("position".to_owned(), json!({"latitude": latitude}))),
        2 => drop(out.insert(
            "position".to_owned(),
            json!({"latitude": 147.2, "longitude": longitude}),
        )),
        3 => drop(out.insert(
            "position".to_owned(),
            json!({"longitude": longitude, "latitude": latitude}),
        )),
        _ => {
            let shift = |r: &mut Random| r.between(-40_000, 40_000) as f64 / 100_000.0;
            let position = json!({
                "longitude": round(longitude + shift(r)),
                "latitude": round(latitude + shift(r)),
            });
            out.insert("position".to_owned(), position);
        }
    }
    if r.chance(50) {
        let link = pieces::reference(r, "Organization", structures);
        out.insert("managingOrganization".to_owned(), link);
    }
    Value::Object(out)
}

fn round(degrees: f64) -> f64 {
    (degrees * 100_000.0).round() / 100_000.0
}

fn capacity(r: &mut Random) -> Value {
    let mut parts = Vec::new();
    let lists: [(&str, &str, &[&str], usize); 8] = [
        (
            "capacityType",
            "TRE_R329-NatureCapacite",
            &["01", "02", "03"],
            95,
        ),
        (
            "capacityStatus",
            "TRE_R330-TypeStatutCapacite",
            &["01", "02", "03", "05"],
            95,
        ),
        (
            "temporalityCapacity",
            "TRE_R331-TemporaliteCapacite",
            &["01", "02", "03"],
            90,
        ),
        (
            "genderCapacityAvailable",
            "TRE_R332-GenreCapacite",
            &["01", "02", "03"],
            50,
        ),
        (
            "capacityClosingType",
            "TRE_R333-TypeFermetureCapacite",
            &["01", "02"],
            30,
        ),
        (
            "additionalBedType",
            "TRE_R334-TypeLitSupplementaire",
            &["01", "02"],
            30,
        ),
        ("crisisType", "TRE_R336-TypeCrise", &["01", "02"], 30),
        (
            "temporaryAssignement",
            "TRE_R337-AffectationTemporaire",
            &["01", "02"],
            70,
        ),
    ];
    for (url, system, codes, share) in lists {
        if r.chance(share) {
            parts.push(coded(r, url, system, codes));
        }
    }
    if r.chance(95) {
        let count = r.between(-1, 12);
        parts.push(if r.chance(15) {
            json!({"url": "nbCapacity", "valueInteger": count.to_string()})
        } else {
            json!({"url": "nbCapacity", "valueInteger": count})
        });
    }
    if r.chance(90) {
        parts.push(json!({"url": "capacityUpdateDate", "valueDateTime": pieces::date(r)}));
    }
    if r.chance(20) {
        parts.push(json!({"url": "comment", "valueString": pieces::name(r)}));
    }
    json!({"url": guide("ror-location-supported-capacity"), "extension": parts})
}

fn equipment(r: &mut Random) -> Value {
    let mut parts = Vec::new();
    if r.chance(95) {
        parts.push(coded(
            r,
            "equipmentType",
            "TRE_R212-Equipement",
            &["003", "005", "017"],
        ));
    }
    parts.push(json!({"url": "nbInService", "valueInteger": 2}));
    for _ in 0..r.below(3) {
        let mut limit = Vec::new();
        if r.chance(95) {
            let system = "TRE_R340-TypeCaracteristiqueEquipement";
            limit.push(coded(r, "equipmentFeature", system, &["001", "002"]));
        }
        if r.chance(90) {
            let values = &[
                "1", "1.0", "0.2", "200", "200.5", "200000", "70", "700", "1500", "2e2",
            ];
            let units = &["kg", "kg", "g", "mg", "cm", "mm", "m", "", "[zorglub]"];
            limit.push(
                json!({"url": "limitValue", "valueQuantity": pieces::quantity(r, values, units)}),
            );
        }
        parts.push(json!({"url": guide("ror-location-equipment-limit"), "extension": limit}));
    }
    json!({"url": guide("ror-location-equipment"), "extension": parts})
}

fn dwelling(r: &mut Random) -> Value {
    let mut parts = vec![coded(
        r,
        "residentialType",
        "TRE_R242-TypeHabitation",
        &["01", "02", "05"],
    )];
    if r.chance(80) {
        parts.push(json!({"url": "residentialNumber", "valueInteger": r.between(0, 30)}));
    }
    json!({"url": guide("ror-location-residential-capacity"), "extension": parts})
}
