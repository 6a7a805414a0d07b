//! Exit codes and texts of the command line itself.

use std::process::Command;

use crate::extract::{lines, ndjson};
use crate::index::{Live, current};
use crate::process::{Finished, PROGRAM, command, finish};

fn run(arguments: &[&str]) -> Finished {
    finish(Command::new(PROGRAM).args(arguments))
}

#[test]
fn wrong_usage_exits_2_and_names_the_argument() {
    for (arguments, named) in [
        (&[][..], "--extract"),
        (&["--extract", "x.ndjson"], "--index"),
        (
            &["--extract", "x", "--index", "y", "--threads", "0"],
            "--threads",
        ),
        (
            &["--extract", "x", "--index", "y", "--keep", "some"],
            "--keep",
        ),
        (
            &["--extract", "x", "--index", "y", "--reject-percent", "101"],
            "--reject-percent",
        ),
        (
            &["--extract", "x", "--index", "y", "--memory", "512"],
            "KiB, MiB or GiB",
        ),
        (
            &["--extract", "x", "--index", "y", "--memory", "1 MiB"],
            "at least 16 MiB",
        ),
        (&["--extract", "x", "--index", "y", "--speed"], "--speed"),
    ] {
        let finished = run(arguments).exits(2);
        assert!(
            finished.err.contains(named),
            "{arguments:?}: {}",
            finished.err
        );
        assert_eq!(finished.out, "");
    }
}

#[test]
fn help_tells_the_exit_codes() {
    let help = run(&["--help"]).exits(0).out;
    for line in [
        "0  done",
        "1  failed",
        "2  wrong usage",
        "3  done, but some records were rejected",
    ] {
        assert!(help.contains(line), "{line} is not in: {help}");
    }
}

#[test]
fn the_report_for_people_goes_to_standard_output() {
    let live = Live::new();
    let source = live.file("x.ndjson", &ndjson(&lines(12, "x")));
    let finished = finish(
        Command::new(PROGRAM)
            .arg("--extract")
            .arg(source)
            .arg("--index")
            .arg(&live.index),
    )
    .exits(0);
    assert!(
        finished.out.contains(&current(&live.index)),
        "{}",
        finished.out
    );
    let offers = finished
        .out
        .lines()
        .find(|line| line.contains("HealthcareService"));
    assert!(
        offers.is_some_and(|line| line.contains("12")),
        "{}",
        finished.out
    );
}

#[test]
fn with_json_standard_output_is_the_report_and_standard_error_is_empty() {
    let live = Live::new();
    let source = live.file("x.ndjson", &ndjson(&lines(12, "x")));
    let finished = finish(command(&[source], &live.index).args(["--threads", "3"])).exits(0);
    assert_eq!(finished.err, "");
    let report = finished.report();
    assert_eq!(report["generation"], current(&live.index));
    assert_eq!(report["reject_file"], serde_json::Value::Null);
    assert!(
        report["index_bytes"]
            .as_u64()
            .is_some_and(|bytes| bytes > 0)
    );
}
