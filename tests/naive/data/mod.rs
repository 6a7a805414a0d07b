//! A generated extract: a few hundred resources of the six types, dense in hard cases, from one seed.

mod directory;
mod pieces;
mod places;

use crate::random::Random;
use serde_json::{Value, json};

/// How many resources of each type one extract holds before duplicates are added.
const OFFERS: usize = 90;
const PLACES: usize = 80;
const STRUCTURES: usize = 60;
const PERSONS: usize = 25;
const ROLES: usize = 50;
const ANOMALIES: usize = 50;

/// An extract: the files to index, in the order in which the builder reads them.
pub struct Extract {
    /// File name and NDJSON text; names sort in reading order.
    pub files: Vec<(String, String)>,
    /// Every record in reading order, before duplicates are resolved.
    pub records: Vec<Value>,
}

/// The extract of a seed.
pub fn generate(seed: u64) -> Extract {
    let mut random = Random::new(seed);
    let r = &mut random;
    let mut records = Vec::new();
    records.extend((1..=STRUCTURES).map(|n| directory::organization(r, n, STRUCTURES)));
    records.extend((1..=PLACES).map(|n| places::location(r, n, STRUCTURES)));
    records.extend((1..=OFFERS).map(|n| directory::offer(r, n, PLACES, STRUCTURES)));
    records.extend((1..=PERSONS).map(|n| directory::practitioner(r, n)));
    records.extend((1..=ROLES).map(|n| directory::role(r, n, PERSONS, OFFERS, STRUCTURES)));
    records.extend((1..=ANOMALIES).map(|n| directory::anomaly(r, n, [60, 80, 90, 25, 50])));
    duplicate_some(r, &mut records);
    r.shuffle(&mut records);
    let half = records.len() / 2;
    let files = vec![
        ("part-1.ndjson".to_owned(), text(r, &records[..half], true)),
        ("part-2.ndjson".to_owned(), text(r, &records[half..], false)),
    ];
    Extract { files, records }
}

/// Gives some ids a second or third record that differs and may be older, newer or of equal age.
fn duplicate_some(r: &mut Random, records: &mut Vec<Value>) {
    let count = records.len();
    for _ in 0..count / 20 {
        let mut copy = records[r.below(count)].clone();
        match r.below(4) {
            0 => {}
            1 => {
                copy["meta"]
                    .as_object_mut()
                    .map(|meta| meta.remove("lastUpdated"));
            }
            _ => copy["meta"]["lastUpdated"] = json!(pieces::instant(r)),
        }
        if let Some(fields) = copy.as_object_mut() {
            match r.below(3) {
                0 => drop(fields.shift_remove("identifier")),
                1 => drop(fields.insert("name".to_owned(), json!(pieces::name(r)))),
                _ => drop(fields.shift_remove("extension")),
            }
            if fields["resourceType"] == "Practitioner" {
                fields.shift_remove("name");
            }
        }
        records.push(copy);
    }
}

/// The records as NDJSON, with the line endings, blank lines and byte-order mark that real files have.
fn text(r: &mut Random, records: &[Value], marked: bool) -> String {
    let mut out = String::new();
    if marked {
        out.push('\u{FEFF}');
    }
    for (n, record) in records.iter().enumerate() {
        out.push_str(&record.to_string());
        if n + 1 < records.len() || marked {
            out.push_str(if r.chance(20) { "\r\n" } else { "\n" });
        }
        if r.chance(3) && n + 1 < records.len() {
            out.push('\n');
        }
    }
    out
}
