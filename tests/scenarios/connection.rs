//! A plain HTTP/1.1 connection to the server under test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

const BETWEEN_HEAD_AND_BODY: Duration = Duration::from_millis(10);

/// One connection, kept alive.
pub struct Connection {
    stream: BufReader<TcpStream>,
}

/// What came back.
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server accepts");
        stream.set_nodelay(true).expect("a socket option");
        // Only so that a defect ends a test instead of hanging it.
        stream
            .set_read_timeout(Some(Duration::from_secs(120)))
            .expect("a time-out");
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// A request and its response.
    pub fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> Response {
        self.attempt(method, target, headers, body)
            .unwrap_or_else(|error| panic!("{method} {target}: {error}"))
    }

    /// A request and its response, unless the connection fails.
    pub fn attempt(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(String, String)],
        body: &[u8],
    ) -> std::io::Result<Response> {
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: test\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        request += "\r\n";
        let stream = self.stream.get_mut();
        stream.write_all(request.as_bytes())?;
        if !body.is_empty() {
            // The body comes later than the head, as over a network: an answer given to the head alone must not spoil
            // the connection. Nothing is measured; without the pause the same must hold.
            std::thread::sleep(BETWEEN_HEAD_AND_BODY);
            stream.write_all(body)?;
        }
        self.receive(method == "HEAD")
    }

    fn receive(&mut self, head_only: bool) -> std::io::Result<Response> {
        let status = self
            .line()?
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or_else(|| std::io::Error::other("no status line"))?;
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            match line.split_once(':') {
                Some((name, value)) => {
                    headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
                }
                None => break,
            }
        }
        let mut response = Response {
            status,
            headers,
            body: Vec::new(),
        };
        if !head_only {
            let length = response
                .header("content-length")
                .and_then(|length| length.parse().ok())
                .ok_or_else(|| std::io::Error::other("no Content-Length"))?;
            response.body = vec![0; length];
            self.stream.read_exact(&mut response.body)?;
        }
        Ok(response)
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        if line.is_empty() {
            return Err(std::io::Error::other("the connection was closed"));
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Response {
    /// A header by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON; what it is instead, when it is none.
    pub fn json(&self) -> Result<Value, String> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let text = String::from_utf8_lossy(&self.body);
            let begin: String = text.chars().take(200).collect();
            format!(
                "status {}, body is not JSON ({error}): {begin}",
                self.status
            )
        })
    }
}
