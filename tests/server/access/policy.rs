//! A policy that changes while the server runs, and one that the index was not built for.

use std::io::Read;
use std::process::{Command, Stdio};

use super::directory::{POLICY, Place, index, tells_nothing};
use crate::tls::files::wait_until;

fn sees_closed(place: &Place, number: usize) -> u16 {
    place.get(number, "/fhir/HealthcareService/closed").status
}

#[test]
fn a_changed_policy_counts_from_the_next_request_on() {
    let place = Place::new();
    let mut held = place.client(2);
    assert_eq!(held.get("/fhir/HealthcareService/closed").status, 404);
    let trusting = POLICY.replacen("profile = \"2\"", "profile = \"1\"", 1);
    place.files.replace("access.toml", &trusting);
    wait_until("the new policy", || {
        held.get("/fhir/HealthcareService/closed").status == 200
    });

    // One that cannot be used changes nothing: not its first half, and not to nobody.
    for broken in [
        "base = \"national\"\n[profiles.x]\nlike = \"nobody\"\n",
        "base = ",
        "base = \"national\"\n[profiles.x]\nlike = \"2\"\nparameters.deny = [\"Location.adress-city\"]\n",
    ] {
        place.files.replace("access.toml", broken);
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert_eq!(sees_closed(&place, 2), 200, "{broken}");
        assert_eq!(sees_closed(&place, 3), 404, "{broken}");
    }
    std::fs::remove_file(place.policy()).expect("a file");
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(sees_closed(&place, 3), 404);
    // An empty one is sound, and gives nobody anything.
    place.files.replace("access.toml", "");
    wait_until("the empty policy", || sees_closed(&place, 2) == 403);

    place.files.replace("access.toml", POLICY);
    wait_until("the first policy again", || {
        held.get("/fhir/HealthcareService/closed").status == 404
    });
}

/// A profile that was added without a rebuild, and one whose rules changed.
fn ahead() -> String {
    POLICY.replacen(
        "see.task-values = \"never\"",
        "see.task-values = \"always\"",
        1,
    )
}

#[test]
fn a_view_that_the_index_lacks_is_not_replaced_by_another() {
    let place = Place::on(index(POLICY), &ahead(), |_| {});
    for target in ["/fhir/Location", "/fhir/Location/own", "/fhir/Task"] {
        let answer = place.get(5, target);
        assert_eq!(answer.status, 503, "{target}: {}", answer.text());
        assert!(answer.header("retry-after").is_some());
        tells_nothing(&answer, target);
    }
    // The others are served, and everybody gets the statement.
    assert_eq!(place.get(2, "/fhir/Location").status, 200);
    assert_eq!(place.get(5, "/fhir/metadata").status, 200);
    place.files.replace("access.toml", POLICY);
    wait_until("the policy of the index", || {
        place.get(5, "/fhir/Location").status == 200
    });
}

#[test]
fn the_operator_is_told_which_view_is_missing() {
    let folder = index(POLICY);
    let (policy, config) = (
        folder.path().join("ahead.toml"),
        folder.path().join("rorqual.toml"),
    );
    std::fs::write(&policy, ahead()).expect("a writable folder");
    std::fs::write(
        &config,
        "listen = \"127.0.0.1:0\"\n[access]\npolicy = \"ahead.toml\"\n",
    )
    .expect("a writable folder");
    let mut server = Command::new(env!("CARGO_BIN_EXE_rorqual"))
        .args(["serve", "--index"])
        .arg(folder.path().join("index"))
        .arg("--config")
        .arg(&config)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    let mut errors = server.stderr.take().expect("standard error");
    let mut told = Vec::new();
    let mut some = [0; 4096];
    while !String::from_utf8_lossy(&told).contains("listening on") {
        match errors.read(&mut some).expect("standard error") {
            0 => break,
            count => told.extend_from_slice(&some[..count]),
        }
    }
    server.kill().expect("it runs");
    server.wait().expect("it has ended");
    let told = String::from_utf8_lossy(&told);
    assert!(
        told.contains("no view for these access profiles") && told.contains("reporter"),
        "{told}"
    );
}
