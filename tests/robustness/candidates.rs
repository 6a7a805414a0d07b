//! Candidates: compared with the live generation, refused when a byte of theirs is another, never live by accident.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rorqual::comparison::{Canary, Comparison, Rules, Tolerances, TypeTolerances, compare};
use rorqual::index::FORMAT_VERSION;
use rorqual::verify::verify_generation;
use serde_json::Value;

use crate::built::Built;
use crate::extract::edition;

/// An index of edition 0 with a candidate of `lines`; the candidate's id.
fn waiting<S: AsRef<str>>(lines: &[S]) -> (Built, String) {
    let built = Built::of(&edition(0));
    let report = built.rebuild_with(lines, |options| {
        options.candidate = true;
        options.reject_percent = 50.0;
    });
    (built, report.generation)
}

fn found(built: &Built, id: &str, rules: &Rules) -> Comparison {
    rules.check().unwrap_or_else(|error| panic!("{error}"));
    compare(&built.index, id, rules).unwrap_or_else(|error| panic!("{error}"))
}

fn strict() -> Rules {
    Rules {
        tolerances: Tolerances {
            slack: 0,
            ..Tolerances::default()
        },
        ..Rules::default()
    }
}

fn rorqual(arguments: &[&str], index: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rorqual"))
        .args(arguments)
        .arg("--index")
        .arg(index)
        .output()
        .expect("the command starts")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => all.extend(files(&path)),
            false => all.push(path),
        }
    }
    all
}

#[test]
fn the_same_extract_again_is_within_every_tolerance() {
    let (built, id) = waiting(&edition(0));
    let mut rules = strict();
    for share in [
        &mut rules.tolerances.shrink_percent,
        &mut rules.tolerances.grow_percent,
        &mut rules.tolerances.region_shrink_percent,
        &mut rules.tolerances.region_grow_percent,
        &mut rules.tolerances.rejected_percent,
        &mut rules.tolerances.dangling_percent,
        &mut rules.tolerances.dangling_rise_percent,
    ] {
        *share = 0.0;
    }
    let found = found(&built, &id, &rules);
    assert_eq!(found.refusals, Vec::<String>::new());
    assert_eq!(found.types["HealthcareService"].before, Some(37));
    assert_eq!(found.rejected_percent, Some(0.0));
}

#[test]
fn what_is_lost_gained_rejected_or_dangling_is_named() {
    let region = |code: &str| {
        format!(
            r#""tag":[{{"system":"https://mos.esante.gouv.fr/NOS/TRE_R30-RegionOM/FHIR/TRE-R30-RegionOM","code":"{code}"}}]"#
        )
    };
    let tagged = |code: &str| -> Vec<String> {
        edition(0)
            .iter()
            .map(|line| line.replacen(r#""meta":{"#, &format!(r#""meta":{{{},"#, region(code)), 1))
            .collect()
    };
    let built = Built::of(&tagged("52"));
    let candidate = |lines: &[String]| {
        let change = |options: &mut index_builder::BuildOptions| {
            options.candidate = true;
            options.reject_percent = 50.0;
        };
        built.rebuild_with(lines, change).generation
    };
    let refused = |lines: &[String], expected: &[&str]| {
        let found = found(&built, &candidate(lines), &strict());
        for part in expected {
            let named = found.refusals.iter().any(|why| why.contains(part));
            assert!(named, "{part:?} is not in {:?}", found.refusals);
        }
        found
    };
    let mut fewer = tagged("52");
    fewer.retain(|line| !line.contains("offer-1"));
    refused(
        &fewer,
        &["HealthcareService: 37 before, 26 now: lost 11 (29.7 %)"],
    );
    let moved = refused(
        &tagged("27"),
        &[
            "HealthcareService of region 52: 37 before, 0 now",
            "HealthcareService of region 27: 0 before, 37 now",
        ],
    );
    assert_eq!(moved.regions["27"]["HealthcareService"].after, 37);
    assert!(
        !moved
            .refusals
            .iter()
            .any(|why| why.starts_with("HealthcareService: "))
    );
    let mut broken = tagged("52");
    broken.retain(|line| !line.contains(r#""resourceType":"Organization""#));
    refused(
        &broken,
        &[
            "Organization: 1 before, 0 now",
            "dangling references per hundred",
        ],
    );
    let mut unreadable = tagged("52");
    unreadable.push("{".to_owned());
    refused(&unreadable, &["1 of 76 records were refused, 1.32 %"]);
}

#[test]
fn anomalies_may_grow_by_any_number_unless_a_rule_says_otherwise() {
    let with_anomalies = |count: usize| {
        let mut lines = edition(0);
        lines.extend((0..count).map(|n| {
            format!(
                r#"{{"resourceType":"Task","id":"anomaly-{n}","meta":{{"lastUpdated":"2026-01-01T00:00:00Z"}},"status":"requested","intent":"proposal"}}"#
            )
        }));
        lines
    };
    let built = Built::of(&with_anomalies(1));
    let candidate = |options: &mut index_builder::BuildOptions| options.candidate = true;
    let id = built
        .rebuild_with(&with_anomalies(40), candidate)
        .generation;
    let free = found(&built, &id, &strict());
    assert_eq!(free.refusals, Vec::<String>::new());
    assert_eq!(
        (free.types["Task"].before, free.types["Task"].after),
        (Some(1), 40)
    );
    let mut bounded = strict();
    bounded.types.insert(
        "Task".to_owned(),
        TypeTolerances {
            grow_percent: Some(100.0),
            ..TypeTolerances::default()
        },
    );
    assert_eq!(
        found(&built, &id, &bounded).refusals,
        ["Task: 1 before, 40 now: gained 39 (3900.0 %), at most 100 % passes"]
    );
}

#[test]
fn a_canary_dies_of_too_few_too_many_another_number_or_no_answer() {
    let (built, id) = waiting(&edition(1));
    let canary = |least, most, change_percent, query: &str| {
        let mut rules = Rules::default();
        rules.canary.push(Canary {
            query: query.to_owned(),
            least,
            most,
            change_percent,
        });
        found(&built, &id, &rules)
    };
    let search = "HealthcareService?_content=cardiologie";
    let sound = canary(Some(42), Some(42), Some(14.0), search);
    assert_eq!(sound.refusals, Vec::<String>::new());
    assert_eq!(sound.canaries[0].before, Some(37));
    assert_eq!(sound.canaries[0].after, Some(42));
    for dead in [
        canary(Some(43), None, None, search),
        canary(None, Some(41), None, search),
        canary(None, None, Some(13.0), search),
        canary(Some(0), None, None, "HealthcareService?speciality=1"),
        canary(Some(0), None, None, "Offer?specialty=1"),
    ] {
        assert_eq!(dead.refusals.len(), 1, "{dead}");
    }
}

#[test]
fn rules_that_check_nothing_or_nonsense_are_refused() {
    for text in [
        "[[canary]]\nquery = \"Location?\"",
        "[tolerances]\nshrink_percent = -1.0",
        "[tolerances]\nshrink_percent = nan",
        "[types.Offer]\nleast = 1",
        "[types.Location]\ngrow_percent = inf",
    ] {
        let rules: Rules = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
        assert!(rules.check().is_err(), "{text}");
    }
    assert!(toml::from_str::<Rules>("[tolerance]\nslack = 1").is_err());
}

#[test]
fn the_rules_that_come_with_the_program_are_usable_and_show_the_defaults() {
    let text = include_str!("../../deploy/comparison.toml");
    let rules: Rules = toml::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    rules.check().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(rules.tolerances, Tolerances::default());
}

#[test]
fn one_flipped_byte_in_any_file_of_a_candidate_and_it_does_not_go_live() {
    let (built, id) = waiting(&edition(1));
    let live = built.current();
    let folder = built.index.join("generations").join(&id);
    for path in files(&folder) {
        let whole = fs::read(&path).expect("a file");
        if whole.is_empty() {
            continue;
        }
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).expect("a writable file");
        // A manifest may be unreadable altogether; anything else is a fault that is named.
        let faults = verify_generation(&built.index, &id).map_or(1, |found| found.faults.len());
        assert_ne!(faults, 0, "{}", path.display());
        let run = rorqual(&["publish", "--generation", &id], &built.index);
        assert_eq!(run.status.code(), Some(1), "{}", path.display());
        assert_eq!(built.current(), live, "{} went live", path.display());
        fs::write(&path, whole).expect("a writable file");
    }
    let run = rorqual(&["publish", "--generation", &id], &built.index);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert_eq!(built.current(), id);
    built.is_sound();
}

#[test]
fn an_index_of_another_format_is_followed_by_a_candidate_and_left_behind() {
    let (built, _) = waiting(&edition(0));
    let manifest = built.live().join("manifest.json");
    let text = fs::read_to_string(&manifest).expect("a manifest");
    let now = format!("\"formatVersion\": {FORMAT_VERSION}");
    let older = text.replacen(&now, "\"formatVersion\": 1", 1);
    assert_ne!(older, text);
    fs::write(&manifest, older).expect("a writable file");
    let report = built.rebuild_with(&edition(1), |options| options.candidate = true);
    let found = found(&built, &report.generation, &Rules::default());
    assert_eq!(found.refusals, Vec::<String>::new());
    assert_eq!(found.types["HealthcareService"].before, Some(37));
    assert!(
        found.notes[0].contains("format version 1"),
        "{:?}",
        found.notes
    );
    let run = rorqual(
        &["publish", "--generation", &report.generation],
        &built.index,
    );
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    built.is_sound();
}

#[test]
fn the_commands_list_compare_publish_and_roll_back() {
    let (built, id) = waiting(&edition(9));
    let first = built.current();
    let json = |run: Output| -> Value {
        serde_json::from_slice(&run.stdout).unwrap_or_else(|error| panic!("{error}: {run:?}"))
    };
    let list = json(rorqual(&["generations", "--json"], &built.index));
    assert_eq!(list[0]["generation"], id.as_str());
    assert_eq!(list[0]["standing"], "candidate");
    assert_eq!(list[1]["standing"], "live");
    // Edition 9 has more than twice the offers of edition 0.
    let compared = rorqual(&["compare", "--generation", &id, "--json"], &built.index);
    assert_eq!(compared.status.code(), Some(4), "{compared:?}");
    let refusals = json(compared)["refusals"].clone();
    assert!(
        refusals[0]
            .as_str()
            .expect("a sentence")
            .contains("gained 45")
    );
    let went = rorqual(&["publish", "--generation", &id, "--json"], &built.index);
    assert_eq!(json(went)["generation"], id.as_str());
    let shown = rorqual(&["rollback"], &built.index);
    let shown = String::from_utf8(shown.stdout).expect("text");
    assert!(shown.contains(&first) && !shown.contains(&id), "{shown}");
    let back = json(rorqual(
        &["rollback", "--to", &first, "--json"],
        &built.index,
    ));
    assert_eq!(back["from"], first.as_str());
    assert_eq!(crate::extract::offers(0) as u64, {
        let answer = built.engine().search("HealthcareService?_count=0");
        answer.expect("a sound search").total
    });
    let missing = rorqual(&["rollback", "--to", "nothing"], &built.index);
    assert_eq!(missing.status.code(), Some(1));
}
