//! Runs the command and keeps what it says.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The path of the command.
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_index-builder");

/// What a run left.
pub struct Finished {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Finished {
    /// Takes over what the system tells of a process.
    pub fn new(output: Output) -> Finished {
        Finished {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            err: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// The report of a run with `--json`.
    pub fn report(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.out, self.err))
    }

    /// Asserts the exit code, showing what was said when it is another.
    pub fn exits(self, code: i32) -> Finished {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        self
    }

    /// Asserts that the run failed with one sentence that holds each of `parts`.
    pub fn fails_saying(self, parts: &[&str]) -> Finished {
        let finished = self.exits(1);
        let sentence = finished.err.trim_end();
        assert!(sentence.starts_with("index-builder: "), "{sentence}");
        assert_eq!(sentence.lines().count(), 1, "{sentence}");
        for part in parts {
            assert!(sentence.contains(part), "{part:?} is not in: {sentence}");
        }
        assert_eq!(finished.out, "", "a failed build prints no report");
        finished
    }
}

/// The command with `--json` for sources and an index; further arguments may be added.
pub fn command<P: AsRef<Path>>(sources: &[P], index: &Path) -> Command {
    let mut command = Command::new(PROGRAM);
    command.arg("--extract");
    for source in sources {
        command.arg(source.as_ref());
    }
    command.arg("--index").arg(index).arg("--json");
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn finish(command: &mut Command) -> Finished {
    Finished::new(command.output().expect("the command starts"))
}

/// Builds from sources.
pub fn build<P: AsRef<Path>>(sources: &[P], index: &Path) -> Finished {
    finish(&mut command(sources, index))
}

/// Builds from standard input.
pub fn build_from_input(bytes: &[u8], index: &Path) -> Finished {
    let mut child = command(&["-"], index)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut input = child.stdin.take().expect("a pipe to standard input");
    // The report is small enough to wait in its pipe while this thread still writes.
    input.write_all(bytes).expect("the command reads its input");
    drop(input);
    Finished::new(child.wait_with_output().expect("the command ends"))
}
