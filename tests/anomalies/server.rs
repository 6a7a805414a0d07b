//! The command itself as a server in another process, and clients of it that bear its sudden end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

/// A running server; killed when dropped, if not before.
pub struct Server {
    child: Child,
    said: Receiver<String>,
}

/// What came back.
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// One connection.
pub struct Connection(BufReader<TcpStream>);

impl Server {
    /// Starts the command over an index.
    pub fn start(index: &Path, config: &Path) -> Server {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rorqual"))
            .args(["serve", "--listen", "127.0.0.1:0", "--index"])
            .arg(index)
            .arg("--config")
            .arg(config)
            .env("RUST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        let err = BufReader::new(child.stderr.take().expect("a pipe"));
        let (tell, said) = channel();
        std::thread::spawn(move || {
            for line in err.lines().map_while(Result::ok) {
                // To the end, so that the server never waits for a reader.
                let _ = tell.send(line);
            }
        });
        Server { child, said }
    }

    /// Waits until it listens; its address.
    pub fn address(&self) -> String {
        let mut said = Vec::new();
        for line in &self.said {
            if let Some((_, address)) = line.split_once("listening on http://") {
                return address.trim_end_matches("/fhir").to_owned();
            }
            said.push(line);
        }
        panic!("the server ended by itself: {}", said.join("\n"));
    }

    /// Ends it as the kernel does when it must: nothing of it runs any more.
    pub fn kill(mut self) -> Vec<String> {
        let running = self
            .child
            .try_wait()
            .expect("a child of this test")
            .is_none();
        self.child.kill().expect("a child of this test");
        self.child.wait().expect("a child of this test");
        let said = self.said.iter().collect::<Vec<_>>();
        assert!(running, "the server ended by itself: {}", said.join("\n"));
        said
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Connection {
    /// A connection; `None` when there is no server any more.
    pub fn open(address: &str) -> Option<Connection> {
        let stream = TcpStream::connect(address).ok()?;
        stream.set_nodelay(true).ok()?;
        // Only so that a defect ends a test instead of hanging it.
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .ok()?;
        Some(Connection(BufReader::new(stream)))
    }

    /// A request and its whole response; `None` when the server ended before all of it was there.
    pub fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &str,
        body: &[u8],
    ) -> Option<Response> {
        let length = body.len();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: test\r\nContent-Length: {length}\r\n{headers}\r\n"
        );
        let request = [head.as_bytes(), body].concat();
        self.0.get_mut().write_all(&request).ok()?;
        let status = self.line()?.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        let mut length = 0;
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(": ")?;
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().ok()?;
            }
            headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).ok()?;
        Some(Response {
            status,
            headers,
            body,
        })
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.0.read_line(&mut line).ok()?;
        Some(line.strip_suffix("\r\n")?.to_owned())
    }
}

impl Response {
    /// A header.
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(own, _)| own == name);
        found.map_or_else(|| panic!("no {name}"), |(_, value)| value)
    }

    /// The body.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }
}
