//! A server on a free port, and a plain HTTP/1.1 client that hides nothing of what it receives.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rorqual::server::{Bound, ServeError, Served, ServerConfig, TlsStatus, serve};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A running server; stopped, at the latest, when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub base_url: String,
    /// Where its metrics are, when it serves them.
    pub metrics: Option<SocketAddr>,
    /// Counts and expiries, when it speaks TLS.
    pub tls: Option<Arc<TlsStatus>>,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<Result<(), ServeError>>>,
    folder: Option<TempDir>,
}

impl Server {
    /// Starts a server with the default configuration.
    pub fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// Starts a server with a changed configuration.
    pub fn start_with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        crate::engine::index(folder.path());
        Self::start_on(folder, change)
    }

    /// Starts a server on the fixtures, with a changed configuration.
    pub fn of_fixtures(change: impl FnOnce(&mut ServerConfig)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        crate::engine::index_of_fixtures(folder.path());
        Self::start_on(folder, change)
    }

    /// Starts a server on an index that is there already.
    pub fn start_on(folder: TempDir, change: impl FnOnce(&mut ServerConfig)) -> Self {
        let mut config = ServerConfig {
            listen: "127.0.0.1:0".to_owned(),
            ..ServerConfig::default()
        };
        change(&mut config);
        let served =
            Served::open(&folder.path().join("index"), &config).expect("an index to serve");
        let (stop, stopped) = oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let running = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .expect("a runtime");
            let shutdown = async {
                let _ = stopped.await;
            };
            runtime.block_on(serve(served, config, shutdown, |bound| {
                let _ = tell.send(bound.clone());
            }))
        });
        let bound: Bound = told.recv().expect("the server listens");
        Self {
            address: bound.address,
            base_url: bound.base_url,
            metrics: bound.metrics,
            tls: bound.tls,
            stop: Some(stop),
            running: Some(running),
            folder: Some(folder),
        }
    }

    /// Where its index is.
    pub fn index(&self) -> PathBuf {
        let folder = self.folder.as_ref().expect("a server that was not stopped");
        folder.path().join("index")
    }

    /// Stops the server and leaves its folder to another.
    pub fn into_folder(mut self) -> TempDir {
        self.ask_to_stop();
        self.wait().expect("a clean stop");
        self.folder.take().expect("taken once")
    }

    /// Asks the server to stop, without waiting.
    pub fn ask_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// Waits until the server has returned.
    pub fn wait(&mut self) -> Result<(), ServeError> {
        self.running
            .take()
            .expect("waited for once")
            .join()
            .expect("the server does not panic")
    }

    /// Opens a connection.
    pub fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).expect("the server accepts");
        // Only so that a defect ends a test instead of hanging it.
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("a time-out");
        Client { stream }
    }

    /// One GET on a connection of its own.
    pub fn get(&self, target: &str) -> Response {
        self.connect().get(target)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ask_to_stop();
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

/// One connection.
pub struct Client<S = TcpStream> {
    pub stream: S,
}

impl<S: Read + Write> Client<S> {
    /// A GET without further headers.
    pub fn get(&mut self, target: &str) -> Response {
        self.send("GET", target, &[], b"")
    }

    /// A request and its response; a body gets its `Content-Length`.
    pub fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Response {
        let mut head = format!("{method} {target} HTTP/1.1\r\nHost: test\r\n");
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        self.write(head.as_bytes());
        self.write(b"\r\n");
        self.write(body);
        self.receive(method == "HEAD")
            .unwrap_or_else(|| panic!("{method} {target}: the connection was closed"))
    }

    /// Sends bytes as they are. A server that closes early is seen when reading.
    pub fn write(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// Reads one response; `None` when the connection was closed before it began.
    pub fn receive(&mut self, head_only: bool) -> Option<Response> {
        self.receive_from(Vec::new(), head_only)
    }

    /// Reads the rest of a response that begins with these bytes.
    pub fn receive_after(&mut self, beginning: &[u8]) -> Option<Response> {
        self.receive_from(beginning.to_vec(), false)
    }

    fn receive_from(&mut self, mut head: Vec<u8>, head_only: bool) -> Option<Response> {
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            match self.stream.read(&mut byte) {
                Ok(0) => break,
                Ok(_) => head.push(byte[0]),
                Err(error) if is_an_end(&error) => break,
                Err(error) => panic!("no answer: {error}"),
            }
        }
        if head.is_empty() {
            return None;
        }
        let head = String::from_utf8(head).expect("a textual head");
        let mut lines = head.lines();
        let status = lines
            .next()
            .and_then(|line| line.split(' ').nth(1))
            .and_then(|code| code.parse().ok())
            .expect("a status line");
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut response = Response {
            status,
            headers,
            body: Vec::new(),
        };
        if !head_only && status != 304 && status >= 200 {
            let length = response
                .header("content-length")
                .expect("a length")
                .parse()
                .expect("a number");
            response.body = vec![0; length];
            self.stream
                .read_exact(&mut response.body)
                .expect("the whole body");
        }
        Some(response)
    }
}

/// Whether the server closed a connection, in one of the ways that this shows. Reading goes on after bytes the server
/// did not want, so that a reset is one of them; TLS tells of a close without farewell.
fn is_an_end(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        std::io::ErrorKind::ConnectionReset
            | std::io::ErrorKind::ConnectionAborted
            | std::io::ErrorKind::BrokenPipe
            | std::io::ErrorKind::UnexpectedEof
    )
}

/// What came back.
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    /// The code of the first issue, after checking the form of the OperationOutcome.
    pub fn issue_code(&self) -> String {
        let outcome = self.json();
        assert_eq!(outcome["resourceType"], "OperationOutcome");
        let issue = &outcome["issue"][0];
        assert!(
            matches!(issue["severity"].as_str(), Some("error" | "fatal")),
            "{outcome}"
        );
        assert!(
            issue["diagnostics"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{outcome}"
        );
        issue["code"].as_str().expect("a code").to_owned()
    }
}
