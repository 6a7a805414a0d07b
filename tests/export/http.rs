//! A server, and a client of one connection that shows all it receives, compressed and chunked bodies included.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rorqual::Engine;
use rorqual::server::{ServeError, ServerConfig, serve};
use serde_json::Value;
use tokio::sync::oneshot;

/// A running server; stopped when dropped.
pub struct Server {
    address: SocketAddr,
    pub base_url: String,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<Result<(), ServeError>>>,
}

/// One connection.
pub struct Client {
    stream: BufReader<TcpStream>,
    base_url: String,
}

/// What came back.
pub struct Response {
    pub status: u16,
    headers: Vec<(String, String)>,
    /// Chunks joined, not decompressed.
    pub body: Vec<u8>,
    pub chunked: bool,
}

impl Server {
    /// Serves an index on a free port, with a changed configuration.
    pub fn start(index: &Path, change: impl FnOnce(&mut ServerConfig)) -> Server {
        let engine = Arc::new(Engine::open(index).expect("the index opens"));
        let mut config = ServerConfig {
            listen: "127.0.0.1:0".to_owned(),
            refresh_interval_ms: 10,
            ..ServerConfig::default()
        };
        change(&mut config);
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
            runtime.block_on(serve(engine, config, shutdown, |bound| {
                let _ = tell.send((bound.address, bound.base_url.clone()));
            }))
        });
        let (address, base_url) = told.recv().expect("the server listens");
        Server {
            address,
            base_url,
            stop: Some(stop),
            running: Some(running),
        }
    }

    pub fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).expect("the server accepts");
        // Only so that a defect ends a test instead of hanging it.
        let limit = Some(Duration::from_secs(60));
        stream.set_read_timeout(limit).expect("a time-out");
        Client {
            stream: BufReader::new(stream),
            base_url: self.base_url.clone(),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(running) = self.running.take() {
            let _ = running.join();
        }
    }
}

impl Client {
    /// A GET of a URL of the server, or of what follows its base.
    pub fn get(&mut self, url: &str) -> Response {
        self.send("GET", url, &[])
    }

    /// A request and its whole response.
    pub fn send(&mut self, method: &str, url: &str, headers: &[(&str, &str)]) -> Response {
        self.begin(method, url, headers);
        let mut response = self.head();
        if method != "HEAD" && response.status != 304 {
            self.body(&mut response);
        }
        response
    }

    /// Sends a request.
    pub fn begin(&mut self, method: &str, url: &str, headers: &[(&str, &str)]) {
        let target = url.strip_prefix(&self.base_url).unwrap_or(url);
        let mut head = format!(
            "{method} /fhir/{} HTTP/1.1\r\nHost: test\r\n",
            target.trim_start_matches('/')
        );
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        self.stream
            .get_mut()
            .write_all(head.as_bytes())
            .expect("sent");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    /// The head of a response.
    pub fn head(&mut self) -> Response {
        let first = self.line();
        let status = first.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            match line.split_once(": ") {
                Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.to_owned())),
                None => break,
            }
        }
        Response {
            status: status.unwrap_or_else(|| panic!("{first:?} is no answer")),
            headers,
            body: Vec::new(),
            chunked: false,
        }
    }

    /// The body of a response.
    pub fn body(&mut self, response: &mut Response) {
        if let Some(length) = response.header("content-length") {
            response.body = self.some(length.parse().expect("a number"));
            return;
        }
        assert_eq!(response.header("transfer-encoding"), Some("chunked"));
        response.chunked = true;
        loop {
            let length = usize::from_str_radix(&self.line(), 16).expect("the length of a chunk");
            let chunk = self.some(length);
            response.body.extend(chunk);
            assert_eq!(self.line(), "");
            if length == 0 {
                return;
            }
        }
    }

    /// So many bytes.
    pub fn some(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).expect("all of them");
        bytes
    }

    /// The manifest of an export: begun, asked about until it is done.
    pub fn manifest(&mut self, kick_off: &str) -> Value {
        let begun = self.get(kick_off);
        assert_eq!(begun.status, 202, "{}", begun.text());
        let status = begun
            .header("content-location")
            .expect("where to ask")
            .to_owned();
        loop {
            let told = self.get(&status);
            match told.status {
                200 => return told.json(),
                202 | 429 => std::thread::sleep(Duration::from_millis(20)),
                other => panic!("{other}: {}", told.text()),
            }
        }
    }
}

impl Response {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The code of the first issue of an OperationOutcome.
    pub fn issue(&self) -> String {
        let outcome = self.json();
        assert_eq!(outcome["resourceType"], "OperationOutcome", "{outcome}");
        outcome["issue"][0]["code"]
            .as_str()
            .expect("a code")
            .to_owned()
    }

    /// The body, decompressed.
    pub fn unzipped(&self) -> Vec<u8> {
        assert_eq!(self.header("content-encoding"), Some("gzip"));
        let mut out = Vec::new();
        let mut decoder = flate2::read::GzDecoder::new(self.body.as_slice());
        decoder.read_to_end(&mut out).expect("gzip");
        out
    }
}
