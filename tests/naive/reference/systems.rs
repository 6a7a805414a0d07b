//! Spellings of code and identifier systems that mean the same system.

const NOS: &str = "https://mos.esante.gouv.fr/NOS/";

/// Wrong names met in requests and bodies, with the right one.
const RENAMED: &[(&str, &str)] = &[
    (
        "TRE-R13-Commune",
        "TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM",
    ),
    (
        "TRE-R330-StatutCapacite",
        "TRE_R330-TypeStatutCapacite/FHIR/TRE-R330-TypeStatutCapacite",
    ),
    (
        "TRE-R331-Temporalite",
        "TRE_R331-TemporaliteCapacite/FHIR/TRE-R331-TemporaliteCapacite",
    ),
    (
        "TRE-R237-NiveauDependance",
        "TRE_R237-GroupeTarifaireDependance/FHIR/TRE-R237-GroupeTarifaireDependance",
    ),
    (
        "TRE-R350-ProfessionRessource",
        "TRE_R356-ProfessionRessource/FHIR/TRE-R356-ProfessionRessource",
    ),
];

/// The one spelling under which a system is compared.
pub fn canonical(system: &str) -> String {
    match system {
        "http://sirene.fr" => return "https://sirene.fr".to_owned(),
        "http://finess.esante.gouv.fr" => return "https://finess.esante.gouv.fr".to_owned(),
        "https://unitsofmeasure.org" => return "http://unitsofmeasure.org".to_owned(),
        _ => {}
    }
    let Some((folder, last)) = system
        .strip_prefix(NOS)
        .and_then(|rest| rest.split_once("/FHIR/"))
    else {
        return system.to_owned();
    };
    let last = if last.starts_with("TRE_R") {
        last.replacen('_', "-", 1)
    } else {
        last.to_owned()
    };
    match RENAMED.iter().find(|(wrong, _)| *wrong == last) {
        Some((_, right)) => format!("{NOS}{right}"),
        None => format!("{NOS}{folder}/FHIR/{last}"),
    }
}

/// Another spelling of a canonical system, for queries; the system itself when it has none.
pub fn other_spelling(system: &str) -> String {
    match system {
        "https://sirene.fr" => "http://sirene.fr".to_owned(),
        "https://finess.esante.gouv.fr" => "http://finess.esante.gouv.fr".to_owned(),
        _ => system.replace("/FHIR/TRE-R", "/FHIR/TRE_R"),
    }
}

/// A code as compared under its canonical system: one system declares its codes without case.
pub fn code(system: &str, code: &str) -> String {
    if system.ends_with("/TRE-R352-StatutMetierAnomalie") {
        code.to_lowercase()
    } else {
        code.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_meet() {
        let right = format!("{NOS}TRE_R13-CommuneOM/FHIR/TRE-R13-CommuneOM");
        for other in [
            format!("{NOS}TRE_R13-Commune/FHIR/TRE-R13-Commune"),
            format!("{NOS}TRE_R13-CommuneOM/FHIR/TRE_R13-CommuneOM"),
        ] {
            assert_eq!(canonical(&other), right);
        }
        assert_eq!(canonical(&other_spelling(&right)), right);
        assert_eq!(canonical("urn:oid:1.2.3"), "urn:oid:1.2.3");
    }
}
