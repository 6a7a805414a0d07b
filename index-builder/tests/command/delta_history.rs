//! A directory as it changes from night to night, invented from the records it ends with.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::extract::type_of;

/// A step of SplitMix64 (Steele, Lea, Flood 2014).
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

/// What one night brings.
#[derive(Default)]
pub struct Night {
    /// The records that have changed.
    pub changed: Vec<String>,
    /// `Type/id` of what is withdrawn.
    pub withdrawn: Vec<String>,
}

/// A history that ends with a given directory.
pub struct History {
    /// What the first, whole extract holds.
    pub base: Vec<String>,
    /// The nights after it.
    pub nights: Vec<Night>,
}

/// The id of a record.
fn id_of(line: &str) -> String {
    let value: Value = serde_json::from_str(line).expect("a line of the extract is JSON");
    value["id"].as_str().expect("an id").to_owned()
}

/// Another record under the id of this one, as it was some nights ago: other words, places and references.
fn earlier(line: &str, other: &str, nights_ago: usize) -> String {
    let mut value: Value = serde_json::from_str(other).expect("a line of the extract is JSON");
    value["id"] = Value::String(id_of(line));
    value["meta"]["lastUpdated"] =
        Value::String(format!("1999-12-{:02}T00:00:00Z", 31 - nights_ago));
    value.to_string()
}

impl History {
    /// Invents what came before `end`, over so many nights.
    pub fn invent(end: &[String], nights: usize, random: &mut Random) -> History {
        let mut by_type: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        for line in end {
            by_type.entry(type_of(line)).or_default().push(line);
        }
        let mut history = History {
            base: Vec::new(),
            nights: (0..nights).map(|_| Night::default()).collect(),
        };
        for (kind, lines) in &by_type {
            for line in lines {
                let other = lines[random.below(lines.len())];
                history.record(kind, line, other, random);
            }
        }
        history
    }

    fn record(&mut self, kind: &str, line: &str, other: &str, random: &mut Random) {
        let nights = self.nights.len();
        let night = random.below(nights);
        let line = line.to_owned();
        match random.below(12) {
            // There from the first.
            0..6 => self.base.push(line),
            // New one night.
            6 => self.nights[night].changed.push(line),
            // Changed every night up to one of them.
            7 => {
                self.base.push(earlier(&line, other, nights + 1));
                for (before, at) in self.nights[..night].iter_mut().zip(0..) {
                    before.changed.push(earlier(&line, other, nights - at));
                }
                self.nights[night].changed.push(line);
            }
            // An older version comes late: it changes nothing.
            8 => {
                self.nights[night]
                    .changed
                    .push(earlier(&line, other, nights));
                self.base.push(line);
            }
            // The same again.
            9 => {
                self.nights[night].changed.push(line.clone());
                self.base.push(line);
            }
            // Gone, and back the night after; anomalies never go.
            10 if night + 1 < nights && kind != "Task" => {
                let name = format!("{kind}/{}", id_of(&line));
                self.nights[night].withdrawn.push(name);
                self.base.push(earlier(&line, other, 1));
                self.nights[night + 1].changed.push(line);
            }
            // Beside it one that goes for good.
            _ if kind != "Task" => {
                let gone = format!("{}-gone", id_of(&line));
                let mut value: Value =
                    serde_json::from_str(other).expect("a line of the extract is JSON");
                value["id"] = Value::String(gone.clone());
                self.base.push(value.to_string());
                self.base.push(line);
                self.nights[night].withdrawn.push(format!("{kind}/{gone}"));
            }
            _ => self.base.push(line),
        }
    }
}
