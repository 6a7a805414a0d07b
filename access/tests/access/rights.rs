//! What a profile may do: nothing unless said.

use rorqual_access::{Ask, Policy};
use rorqual_schema::ResourceType::{HealthcareService, Location, Organization, Task};

use crate::scene::national;

fn policy(profile: &str) -> Policy {
    Policy::from_toml(&format!("[profiles.x]\n{profile}")).unwrap_or_else(|error| panic!("{error}"))
}

fn all_asks() -> Vec<Ask<'static>> {
    let mut asks = vec![
        Ask::Batch,
        Ask::Transaction,
        Ask::Operation("$export"),
        Ask::Operation("$explain"),
        Ask::Operation("$validate"),
        Ask::Operation(""),
    ];
    for kind in [HealthcareService, Location, Organization, Task] {
        asks.extend([
            Ask::Read(kind),
            Ask::Search(kind),
            Ask::Create(kind),
            Ask::Patch(kind),
        ]);
        asks.extend([
            Ask::Parameter(kind, "identifier"),
            Ask::Parameter(kind, "_id"),
        ]);
    }
    asks
}

/// Exactly those are granted.
fn check(profile: &str, granted: &[Ask<'_>]) {
    let policy = policy(profile);
    let x = policy.profile("x").expect("there");
    for ask in all_asks() {
        assert_eq!(
            x.may(ask).is_ok(),
            granted.contains(&ask),
            "{profile}: {ask:?}"
        );
    }
}

#[test]
fn everything_needs_its_own_word() {
    check("", &[]);
    check("types = ['*']", &[]);
    check("interactions = ['read', 'search', 'create', 'patch']", &[]);
    check("interactions = ['batch']", &[Ask::Batch]);
    check("interactions = ['transaction']", &[Ask::Transaction]);
    check("operations = ['$export']", &[Ask::Operation("$export")]);
    check(
        "types = ['Location']\ninteractions = ['read']",
        &[Ask::Read(Location)],
    );
    check(
        "types = ['*']\ninteractions = ['search', 'create', 'patch']",
        &[
            Ask::Search(HealthcareService),
            Ask::Search(Location),
            Ask::Search(Organization),
        ],
    );
    let tasks = "documents.Task = 'always'\n";
    check(
        &format!("{tasks}tasks = ['read']\ninteractions = ['read', 'search', 'create', 'patch']"),
        &[Ask::Read(Task), Ask::Search(Task)],
    );
    check(
        "tasks = ['write']\ninteractions = ['read', 'search', 'create']",
        &[Ask::Create(Task)],
    );
    check(
        "tasks = ['write']\ninteractions = ['patch']",
        &[Ask::Patch(Task)],
    );
    check("tasks = ['write']", &[]);
}

#[test]
fn a_denied_parameter_is_denied_whatever_allows_it() {
    check(
        "parameters.allow = ['Location.identifier']",
        &[Ask::Parameter(Location, "identifier")],
    );
    check(
        "parameters.allow = ['Location']",
        &[
            Ask::Parameter(Location, "identifier"),
            Ask::Parameter(Location, "_id"),
        ],
    );
    check(
        "parameters.allow = ['*']\nparameters.deny = ['*.identifier', 'Task.*', 'Location']",
        &[
            Ask::Parameter(HealthcareService, "_id"),
            Ask::Parameter(Organization, "_id"),
        ],
    );
    check("parameters.deny = ['Location.identifier']", &[]);
}

#[test]
fn refusals_speak_to_the_client() {
    let policy = policy("interactions = ['read', 'create']");
    let x = policy.profile("x").expect("there");
    for (ask, piece) in [
        (Ask::Search(Location), "does not allow search"),
        (Ask::Read(Location), "requests on Location"),
        (Ask::Read(Task), "no right to read anomalies"),
        (Ask::Create(Task), "no right to write anomalies"),
        (Ask::Create(Location), "requests on Location"),
        (Ask::Operation("$export"), "does not allow $export"),
        (
            Ask::Parameter(Location, "near"),
            "parameter near of Location",
        ),
    ] {
        let message = x.may(ask).expect_err("not granted").to_string();
        assert!(message.contains(piece), "{message}");
        assert!(message.contains("operator"), "{message}");
    }
    let long = "x".repeat(100_000);
    let message = x
        .may(Ask::Operation(&long))
        .expect_err("unknown")
        .to_string();
    assert!(message.len() < 300);
}

#[test]
fn the_national_profiles_read_and_only_the_first_writes() {
    let policy = national();
    for number in ["0", "1", "2", "3", "4", "5"] {
        let profile = policy.profile(number).expect("there");
        let all = number == "1";
        assert!(profile.may(Ask::Search(HealthcareService)).is_ok());
        assert!(profile.may(Ask::Parameter(Location, "near")).is_ok());
        assert!(profile.may(Ask::Operation("$export")).is_ok());
        assert_eq!(profile.may(Ask::Read(Task)).is_ok(), all);
        assert_eq!(profile.may(Ask::Create(Task)).is_ok(), all);
        assert_eq!(profile.may(Ask::Transaction).is_ok(), all);
        assert!(!profile.title().is_empty());
    }
}
