//! The command itself, as an operator starts and kills it.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use super::body::{anomaly, id_of, to_status};
use crate::client::Client;

/// A running `rorqual serve`, killed when dropped.
struct Process {
    child: Child,
    address: String,
    /// Read no further, and kept open: whoever writes to a closed pipe is stopped by it.
    _told: BufReader<ChildStderr>,
}

fn command(index: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rorqual"));
    command
        .args(["serve", "--listen", "127.0.0.1:0", "--index"])
        .arg(index)
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

impl Process {
    fn start(index: &Path) -> Self {
        let mut child = command(index).spawn().expect("the command runs");
        let mut told = BufReader::new(child.stderr.take().expect("its standard error"));
        let mut line = String::new();
        let address = loop {
            line.clear();
            let read = told.read_line(&mut line).expect("text");
            assert!(read > 0, "it ended before it listened");
            if let Some(rest) = line.trim().strip_prefix("listening on http://") {
                break rest.trim_end_matches("/fhir").to_owned();
            }
        };
        Self {
            child,
            address,
            _told: told,
        }
    }

    fn connect(&self) -> Client {
        let stream = TcpStream::connect(&self.address).expect("it accepts");
        let patience = Some(Duration::from_secs(30));
        stream.set_read_timeout(patience).expect("a time-out");
        Client { stream }
    }

    /// Ends it without warning, as SIGKILL does.
    fn kill(mut self) {
        self.child.kill().expect("a running process");
        self.child.wait().expect("its end");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let index = crate::engine::index(folder.path());
    let mut acknowledged = Vec::new();
    for round in 0..4 {
        let process = Process::start(&index);
        let mut client = process.connect();
        for task in &acknowledged {
            let read = client.get(&format!("/fhir/Task/{}", id_of(task)));
            assert_eq!(read.status, 200, "round {round}");
            assert_eq!(read.json(), *task, "round {round}");
        }
        assert_eq!(client.total("Task"), 2 + acknowledged.len() as u64);
        for _ in 0..5 {
            let id = id_of(&client.report(&anomaly()));
            acknowledged.push(client.set_status(&id, "08"));
        }
        process.kill();
    }
}

#[test]
fn a_second_process_on_one_index_says_who_has_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let index = crate::engine::index(folder.path());
    let first = Process::start(&index);
    let mut second = command(&index).spawn().expect("the command runs");
    let mut told = String::new();
    let mut stderr = second.stderr.take().expect("its standard error");
    stderr.read_to_string(&mut told).expect("text");
    assert_eq!(second.wait().expect("its end").code(), Some(1), "{told}");
    assert!(
        told.contains("is being written by") && told.contains(&first.child.id().to_string()),
        "{told}"
    );
    let mut client = first.connect();
    let patched = client.send_json("PATCH", "/fhir/Task/old-1", &[], &to_status("08"));
    assert_eq!(patched.status, 200, "the first is not disturbed");
}
