//! Code systems: one spelling of their URLs, their French labels, and whether case counts.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use serde::Deserialize;

static TEXT: &str = include_str!("../reference/code-systems.json");

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File<'a> {
    #[serde(borrow)]
    aliases: BTreeMap<&'a str, &'a str>,
    case_insensitive: Vec<&'a str>,
    code_systems: Vec<System<'a>>,
}

#[derive(Deserialize)]
struct System<'a> {
    name: &'a str,
    url: &'a str,
    #[serde(borrow)]
    codes: BTreeMap<&'a str, String>,
}

/// A code system of the directory, with the labels of its codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeSystem {
    /// The published name, such as `TRE_R211-ActiviteOperationnelle`.
    pub name: &'static str,
    /// The canonical URL.
    pub url: &'static str,
    /// The codes and their labels, in French, in the order of the codes. Some lists are partial.
    pub codes: Vec<(&'static str, String)>,
}

struct Tables {
    /// Old spelling and canonical one, in the order of [`alias_order`].
    aliases: Vec<(&'static str, &'static str)>,
    case_insensitive: Vec<&'static str>,
    systems: Vec<CodeSystem>,
    by_url: HashMap<&'static str, usize>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    // The text is compiled in and a test reads it: the empty tables are for a broken build only.
    let file: File<'static> = serde_json::from_str(TEXT).unwrap_or(File {
        aliases: BTreeMap::new(),
        case_insensitive: Vec::new(),
        code_systems: Vec::new(),
    });
    let mut aliases: Vec<_> = file.aliases.into_iter().collect();
    aliases.sort_by_key(|(old, _)| alias_order(old));
    let systems: Vec<CodeSystem> = file
        .code_systems
        .into_iter()
        .map(|system| CodeSystem {
            name: system.name,
            url: system.url,
            codes: system.codes.into_iter().collect(),
        })
        .collect();
    let by_url = systems
        .iter()
        .enumerate()
        .map(|(at, system)| (system.url, at))
        .collect();
    Tables {
        aliases,
        case_insensitive: file.case_insensitive,
        systems,
        by_url,
    }
});

/// Length first: most comparisons end there, and this runs for every code of an extract.
fn alias_order(url: &str) -> (usize, &str) {
    (url.len(), url)
}

/// The one spelling under which a code system or identifier system is compared: published variants, the underscore form
/// `…/FHIR/TRE_Rnn-…`, `http` for `https` and the spellings of UCUM are brought to the canonical URL.
/// A URL that is not a known variant stays as it is.
pub fn canonical_system(url: &str) -> Cow<'_, str> {
    let url = url.trim();
    let tables = &*TABLES;
    let canonical_alias = |text: &str| {
        let found = tables
            .aliases
            .binary_search_by(|(old, _)| alias_order(old).cmp(&alias_order(text)))
            .ok()?;
        tables.aliases.get(found).map(|(_, canonical)| *canonical)
    };
    if let Some(canonical) = canonical_alias(url) {
        return Cow::Borrowed(canonical);
    }
    match with_hyphen(url) {
        Some(respelled) => match canonical_alias(&respelled) {
            Some(canonical) => Cow::Borrowed(canonical),
            None => Cow::Owned(respelled),
        },
        None => Cow::Borrowed(url),
    }
}

/// `https://mos.esante.gouv.fr/NOS/TRE_Rnn-Name/FHIR/TRE_Rnn-Name` with the first underscore of its last part as a hyphen.
fn with_hyphen(url: &str) -> Option<String> {
    let (before, last) = url.rsplit_once('/')?;
    if !(last.starts_with("TRE_") || last.starts_with("JDV_")) || !before.ends_with("/FHIR") {
        return None;
    }
    Some(format!("{before}/{}", last.replacen('_', "-", 1)))
}

/// The canonical URLs of the systems whose codes compare without case.
pub fn case_insensitive_systems() -> &'static [&'static str] {
    &TABLES.case_insensitive
}

/// Whether the codes of that (canonical) system compare without case.
pub fn is_case_insensitive(system: &str) -> bool {
    case_insensitive_systems().contains(&system)
}

/// The code system of that URL, in any of its spellings.
pub fn code_system(url: &str) -> Option<&'static CodeSystem> {
    let tables = &*TABLES;
    let at = tables
        .by_url
        .get(canonical_system(url).as_ref())
        .or_else(|| tables.by_url.get(url))?;
    tables.systems.get(*at)
}

/// Every code system with labels.
pub fn code_systems() -> &'static [CodeSystem] {
    &TABLES.systems
}

/// The French label of a code, when the lists hold it.
pub fn code_label(system: &str, code: &str) -> Option<&'static str> {
    let codes = &code_system(system)?.codes;
    let at = codes
        .binary_search_by(|(known, _)| (*known).cmp(code))
        .ok()?;
    codes.get(at).map(|(_, label)| label.as_str())
}

#[cfg(test)]
mod tests {
    use super::{File, TEXT, canonical_system, code_label, code_system, code_systems};

    const R66: &str = "https://mos.esante.gouv.fr/NOS/TRE_R66-CategorieEtablissement/FHIR/TRE-R66-CategorieEtablissement";

    #[test]
    fn the_embedded_file_is_read() {
        let file: File<'_> = serde_json::from_str(TEXT).expect("readable");
        assert_eq!(file.code_systems.len(), code_systems().len());
        assert!(code_systems().len() > 80);
        // The anomaly status is declared so by its terminology, the URNs by the registries behind them.
        let status = "https://mos.esante.gouv.fr/NOS/TRE_R352-StatutMetierAnomalie/FHIR/TRE-R352-StatutMetierAnomalie";
        assert!(
            super::is_case_insensitive(status) && super::is_case_insensitive("urn:ietf:bcp:47")
        );
        let activity = "https://mos.esante.gouv.fr/NOS/TRE_R211-ActiviteOperationnelle/FHIR/TRE-R211-ActiviteOperationnelle";
        assert!(!super::is_case_insensitive(activity));
    }

    #[test]
    fn old_spellings_are_one_with_the_canonical_one() {
        for (written, canonical) in [
            (R66, R66),
            (
                "https://mos.esante.gouv.fr/NOS/TRE_R66-CategorieEtablissement/FHIR/TRE_R66-CategorieEtablissement",
                R66,
            ),
            (
                "https://mos.esante.gouv.fr/NOS/TRE_R330-StatutCapacite/FHIR/TRE_R330-StatutCapacite",
                "https://mos.esante.gouv.fr/NOS/TRE_R330-TypeStatutCapacite/FHIR/TRE-R330-TypeStatutCapacite",
            ),
            ("http://sirene.fr", "https://sirene.fr"),
            (
                "http://finess.esante.gouv.fr",
                "https://finess.esante.gouv.fr",
            ),
            ("https://unitsofmeasure.org", "http://unitsofmeasure.org"),
            (
                "https://mos.esante.gouv.fr/NOS/TRE_R247-UcumUniteMesure/FHIR/TRE-R247-UcumUniteMesure",
                "http://unitsofmeasure.org",
            ),
            (
                "https://mos.esante.gouv.fr/NOS",
                "https://mos.esante.gouv.fr/NOS",
            ),
            ("", ""),
        ] {
            assert_eq!(canonical_system(written), canonical);
            assert_eq!(
                canonical_system(canonical),
                canonical,
                "a canonical URL is its own"
            );
        }
    }

    #[test]
    fn labels_are_found_by_system_and_code() {
        let activity = "https://mos.esante.gouv.fr/NOS/TRE_R211-ActiviteOperationnelle/FHIR/TRE-R211-ActiviteOperationnelle";
        assert_eq!(code_label(activity, "132"), Some("Rythmologie"));
        assert_eq!(code_label(activity, "999999"), None);
        assert_eq!(code_label("https://nowhere.example", "1"), None);
        assert_eq!(
            code_system(R66).map(|system| system.name),
            Some("TRE_R66-CategorieEtablissement")
        );
    }
}
