//! Profiles with equal data rules share one view, and only those.

use rorqual_access::{DataRules, Policy, ViewId};

use crate::scene::{national, rules};

fn same(a: &str, b: &str) -> bool {
    rules(a).view() == rules(b).view()
}

#[test]
fn equal_rules_are_one_view_however_they_are_written() {
    let see = |condition: &str| {
        format!("see.'Location.name' = \"{condition}\"\ndocuments.Location = 'always'")
    };
    for (a, b) in [
        ("city and not sensitive", "not sensitive and city"),
        ("city", "city and city"),
        ("city", "not (not city)"),
        ("city", "city and always"),
        ("city", "city or never"),
        ("always", "city or always"),
        ("never", "not always"),
        (
            "(city or sensitive) or level = 1",
            "level=1 or (sensitive or city)",
        ),
        ("region in ('52', '53')", "region in ('53','52','52')"),
        ("region = '52'", "region in ('52')"),
    ] {
        assert!(same(&see(a), &see(b)), "{a} / {b}");
    }
    for (a, b) in [
        ("city", "sensitive"),
        ("city and level = 1", "city or level = 1"),
        ("level < 3", "level <= 3"),
        ("not city", "city"),
        ("region = '52'", "region = '53'"),
        ("code('a') in ('b', 'c')", "code('a') = 'b'"),
        ("has('a')", "has('b')"),
        (
            "city and (sensitive or level = 1)",
            "city and sensitive or level = 1",
        ),
    ] {
        assert!(!same(&see(a), &see(b)), "{a} / {b}");
    }
}

#[test]
fn names_rights_and_lines_do_not_make_a_view() {
    let base = "documents.Location = 'always'\nsee.'Location.name' = 'city'";
    let lined = "title = 'x'\ntypes = ['*']\ninteractions = ['read']\ndocuments.Location = 'always'\nsee.l = 'city'\n\
        [lines.l]\nelements = ['Location.name']";
    assert!(same(base, lined));
    assert!(!same(
        base,
        "documents.Location = 'always'\nsee.'Location.alias' = 'city'"
    ));
    assert!(!same(
        base,
        "documents.Location = 'city'\nsee.'Location.name' = 'city'"
    ));
    assert!(!same(base, &format!("rest = ['Location']\n{base}")));
    // What is said of elements of hidden documents makes no difference.
    assert!(same(
        base,
        &format!("{base}\nsee.'Task.note' = 'city'\nrest = ['Task']")
    ));
}

#[test]
fn spellings_of_one_extension_are_one_rule() {
    let rule = |name: &str| {
        format!(
            "documents.Organization = 'always'\nsee.\"Organization.extension('{name}')\" = 'always'"
        )
    };
    assert!(same(
        &rule("ror-organization-level-recours-orsan"),
        &rule("ror-organization-level-recourse-orsan")
    ));
}

#[test]
fn the_right_to_read_tasks_is_part_of_what_is_seen() {
    let documents = "documents.Task = 'always'";
    assert!(same(documents, ""));
    assert!(!same(documents, &format!("{documents}\ntasks = ['read']")));
    assert!(same("", "tasks = ['write']"));
}

#[test]
fn the_view_of_everything_is_known_by_name() {
    let full = ViewId::full();
    assert_eq!(DataRules::full().view(), &full);
    assert!(full.is_full() && full.as_str() == "full");
    let policy = national();
    assert_eq!(policy.profile("1").expect("there").view(), &full);
    for profile in policy.profiles() {
        assert_eq!(profile.view().is_full(), profile.name() == "1");
        assert!(
            profile
                .view()
                .as_str()
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        );
    }
    let almost = "tasks = ['read']\nrest = ['*']\ndocuments = { HealthcareService = 'always', Location = 'always', \
        Organization = 'always', Practitioner = 'always', PractitionerRole = 'always', Task = 'always' }\n";
    assert!(rules(almost).view().is_full());
    assert!(
        rules(&format!("{almost}see.'Location.name' = 'always'"))
            .view()
            .is_full()
    );
    assert!(
        !rules(&format!("{almost}see.'Location.name' = 'city'"))
            .view()
            .is_full()
    );
}

#[test]
fn a_policy_lists_each_view_once() {
    let text = "base = 'national'\n[profiles.samu]\nlike = '1'\n[profiles.ars]\nlike = '2'\noperations = []\n\
        [profiles.breton]\nlike = '2'\ndocuments.HealthcareService = \"not sensitive and region = '53'\"";
    let policy = Policy::from_toml(text).unwrap_or_else(|error| panic!("{error}"));
    let views = policy.views();
    assert_eq!(views.len(), 7);
    let sharing = |name: &str| {
        let found = views.iter().find(|view| view.profiles.contains(&name));
        found.map(|view| view.profiles.clone()).unwrap_or_default()
    };
    assert_eq!(sharing("1"), ["1", "samu"]);
    assert_eq!(sharing("2"), ["2", "ars"]);
    assert_eq!(sharing("breton"), ["breton"]);
    for view in &views {
        assert_eq!(view.rules.view(), view.id);
    }
}

/// Written down so that a change of the digest is a decision: every view on disk is built anew after it.
#[test]
fn ids_do_not_change_from_one_build_to_the_next() {
    let id = rules("documents.Location = 'city'\nsee.'Location.name' = 'level < 3'");
    assert_eq!(id.view().as_str(), "4463e04f572b8b9e3524a935cd61e4eb");
}
