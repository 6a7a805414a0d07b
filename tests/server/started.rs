//! How the service is started and known: the socket that it is passed, its health, its version.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::client::{Client, Server};

#[test]
fn health_has_three_addresses() {
    let server = Server::start();
    for (address, status) in [
        ("/livez", "live"),
        ("/readyz", "ready"),
        ("/startupz", "started"),
    ] {
        let answer = server.get(address);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["status"], status);
    }
    let refused = server.connect().send("POST", "/startupz", &[], b"");
    assert_eq!(refused.status, 405);
}

#[test]
fn a_socket_that_is_passed_is_served_with_what_waited_in_it() {
    let folder = Server::start().into_folder();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    // It comes before the service is there, and waits.
    let early = TcpStream::connect(address).expect("a place in the queue");
    let passed = OwnedFd::from(listener);
    // systemd names the process that the sockets are for; the shell's number stays that of what it becomes.
    let script = r#"LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" serve --listen systemd --index "$1" 3<&0 </dev/null"#;
    let mut child = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_rorqual")])
        .arg(folder.path().join("index"))
        .stdin(Stdio::from(passed))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    let patience = Some(Duration::from_secs(60));
    early.set_read_timeout(patience).expect("a time-out");
    let answer = Client { stream: early }.get("/readyz");
    assert_eq!(answer.status, 200);
    let mut told = BufReader::new(child.stderr.take().expect("its standard error")).lines();
    let listening = told.find_map(|line| {
        let line = line.ok()?;
        line.strip_prefix("listening on ").map(str::to_owned)
    });
    assert_eq!(listening, Some(format!("http://{address}/fhir")));
    child.kill().expect("a running child");
    child.wait().expect("it ends");
}

#[test]
fn without_a_socket_it_says_what_to_do() {
    let folder = Server::start().into_folder();
    let ended = Command::new(env!("CARGO_BIN_EXE_rorqual"))
        .args(["serve", "--listen", "systemd", "--index"])
        .arg(folder.path().join("index"))
        .output()
        .expect("the command runs");
    assert_eq!(ended.status.code(), Some(1));
    let told = String::from_utf8(ended.stderr).expect("text");
    assert!(told.contains("no socket was passed"), "{told}");
}

#[test]
fn the_version_names_the_formats() {
    let told = Command::new(env!("CARGO_BIN_EXE_rorqual"))
        .arg("--version")
        .output()
        .expect("the command runs");
    let told = String::from_utf8(told.stdout).expect("text");
    let formats = format!(
        "index format {}, log format {})",
        rorqual::index::FORMAT_VERSION,
        rorqual_anomaly::log::FORMAT_VERSION
    );
    assert!(told.starts_with("rorqual 0."), "{told}");
    assert!(told.trim_end().ends_with(&formats), "{told}");
}
