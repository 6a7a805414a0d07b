//! The test program once more, in another role: a process that can be killed or run out of disk.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdout, Command, Stdio};

/// Says that the program is to play a role, and which.
const ROLE: &str = "RORQUAL_TEST_ROLE";
/// Begins every line that is meant for the parent: the test harness writes to the same stream.
const MARK: &str = "told: ";

/// The argument of the role, when the running test is to play it instead of testing.
pub fn role(test: &str) -> Option<String> {
    let role = std::env::var(ROLE).ok()?;
    let (named, argument) = role.split_once(' ')?;
    (named == test).then(|| argument.to_owned())
}

/// A command that runs this program with only the test `test` in it, in its role.
pub fn command(test: &str, argument: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a running program"));
    play(&mut command, test, argument);
    command
}

/// Has a command that runs this program run it in a role.
pub fn play(command: &mut Command, test: &str, argument: &str) {
    command
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env(ROLE, format!("{test} {argument}"))
        .stdin(Stdio::null());
}

/// Tells the parent a line; it has it when this returns, however this process ends.
pub fn tell(line: &str) {
    let mut out = std::io::stdout().lock();
    let told = out
        .write_all(format!("{MARK}{line}\n").as_bytes())
        .and_then(|()| out.flush());
    // Whoever listened is gone: then nobody wants more of this process.
    if told.is_err() {
        std::process::exit(1);
    }
}

/// The lines that a child tells.
pub fn lines(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let out: ChildStdout = child.stdout.take().expect("a piped child");
    BufReader::new(out)
        .split(b'\n')
        .map_while(Result::ok)
        // The harness may have begun the line, with the name of the test.
        .filter_map(|line| {
            let line = String::from_utf8(line).ok()?;
            Some(line.split_once(MARK)?.1.to_owned())
        })
}
