//! A server over an index, and a client with one connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rorqual::server::{ServeError, ServerConfig, serve};
use rorqual::{Engine, EngineOptions};
use serde_json::Value;
use tokio::sync::oneshot;

/// A running server; stopped when dropped.
pub struct Server {
    address: SocketAddr,
    base_url: String,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<Result<(), ServeError>>>,
}

/// What came back.
pub struct Response {
    pub status: u16,
    pub json: Value,
}

impl Server {
    /// Serves an index on a free port.
    pub fn start(index: &Path, config: ServerConfig) -> Server {
        let options = EngineOptions {
            cursor_retention: Duration::from_secs(config.cursor_retention_seconds),
            ..EngineOptions::default()
        };
        let engine = Arc::new(Engine::open_with(index, options).expect("the index opens"));
        let config = ServerConfig {
            listen: "127.0.0.1:0".to_owned(),
            ..config
        };
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

    /// A connection that stays open from one request to the next.
    pub fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).expect("the server accepts");
        // Only so that a defect ends a test instead of hanging it.
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .expect("a time-out");
        Client {
            stream: BufReader::new(stream),
        }
    }

    /// One GET on a connection of its own.
    pub fn get(&self, target: &str) -> Response {
        self.connect().get(target)
    }

    /// The target of a link, which must lead back to this server.
    pub fn target<'a>(&self, url: &'a str) -> &'a str {
        let rest = url
            .strip_prefix(self.base_url.as_str())
            .unwrap_or_else(|| panic!("{url}"));
        &url[url.len() - rest.len() - "/fhir".len()..]
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

/// One connection.
pub struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// A GET and its response.
    pub fn get(&mut self, target: &str) -> Response {
        let request = format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n");
        self.stream
            .get_mut()
            .write_all(request.as_bytes())
            .expect("the connection is open");
        let mut line = || {
            let mut line = String::new();
            let read = self
                .stream
                .read_line(&mut line)
                .unwrap_or_else(|error| panic!("{target}: {error}"));
            assert!(read > 0, "{target}: the connection was closed");
            line.trim_end().to_owned()
        };
        let status = line()
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .expect("a status line");
        let mut length = 0;
        loop {
            let header = line().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length: ") {
                length = value.parse().expect("a number");
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("the whole body");
        let json = serde_json::from_slice(&body).unwrap_or_else(|error| {
            panic!("{target}: {error}: {}", String::from_utf8_lossy(&body))
        });
        Response { status, json }
    }
}
