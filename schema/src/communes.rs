//! The communes of France and their reference points.

use std::cmp::Ordering;

/// One commune, or arrondissement of Paris, Lyon or Marseille, a line: code, name, latitude, longitude, separated by tabs, in the
/// byte order of the codes.
static TABLE: &str = include_str!("../reference/communes.tsv");

/// A commune with its reference point: the centroid of its area.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Commune {
    /// INSEE code: five characters, `2A` and `2B` for Corsica, `97` or `98` overseas.
    pub code: &'static str,
    /// The name, in French.
    pub name: &'static str,
    /// Degrees north (WGS 84).
    pub latitude: f64,
    /// Degrees east (WGS 84).
    pub longitude: f64,
}

/// The commune of that INSEE code; nothing for an unknown code and for the eleven overseas communes without a known position
/// (see [`commune_name`]).
pub fn commune(code: &str) -> Option<Commune> {
    parsed(find(code)?)
}

/// The name of the commune of that INSEE code, those without a known position included.
pub fn commune_name(code: &str) -> Option<&'static str> {
    find(code)?.split('\t').nth(1)
}

/// Every commune that has a position, in the order of the codes.
pub fn communes() -> impl Iterator<Item = Commune> {
    TABLE.lines().filter_map(parsed)
}

fn parsed(line: &'static str) -> Option<Commune> {
    let mut fields = line.split('\t');
    let (code, name) = (fields.next()?, fields.next()?);
    let latitude = fields.next()?.parse().ok()?;
    let longitude = fields.next()?.parse().ok()?;
    Some(Commune {
        code,
        name,
        latitude,
        longitude,
    })
}

/// Halves the text until the line is found: no table is built in memory, whoever asks and however rarely.
fn find(code: &str) -> Option<&'static str> {
    if code.len() != 5 {
        return None;
    }
    let bytes = TABLE.as_bytes();
    let (mut low, mut high) = (0, TABLE.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = bytes
            .get(low..middle)?
            .iter()
            .rposition(|b| *b == b'\n')
            .map_or(low, |at| low + at + 1);
        let end = bytes
            .get(start..)?
            .iter()
            .position(|b| *b == b'\n')
            .map_or(TABLE.len(), |at| start + at);
        match bytes.get(start..start + 5)?.cmp(code.as_bytes()) {
            Ordering::Equal => return TABLE.get(start..end),
            Ordering::Less => low = end + 1,
            Ordering::Greater => high = start,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{TABLE, commune, commune_name, communes};

    #[test]
    fn every_line_is_found_by_its_code() {
        let mut before = "";
        let mut without_position = 0;
        for line in TABLE.lines() {
            let code = line.split('\t').next().expect("code");
            assert!(before < code, "{before} {code}");
            before = code;
            assert_eq!(commune_name(code), line.split('\t').nth(1));
            without_position += usize::from(commune(code).is_none());
        }
        assert_eq!(without_position, 11);
        assert_eq!(communes().count(), 35_014 - 11);
    }

    #[test]
    fn corsica_overseas_and_arrondissements_are_ordinary() {
        for (code, name) in [
            ("44162", "Saint-Herblain"),
            ("2A004", "Ajaccio"),
            ("97105", "Basse-Terre"),
            ("75056", "Paris"),
            ("13201", "Marseille 1er Arrondissement"),
        ] {
            let found = commune(code).expect(code);
            assert_eq!(found.code, code);
            assert_eq!(found.name, name);
        }
        let nantes = commune("44109").expect("Nantes");
        assert!((nantes.latitude - 47.23).abs() < 0.1 && (nantes.longitude + 1.55).abs() < 0.1);
    }

    #[test]
    fn unknown_codes_are_not_found() {
        for code in ["", "4416", "441620", "00000", "99999", "ZZZZZ", "4416é"] {
            assert_eq!(commune(code), None, "{code}");
        }
        assert_eq!(commune("97501"), None);
        assert!(commune_name("97501").is_some());
    }
}
