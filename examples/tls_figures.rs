//! What TLS costs on this machine: handshakes a second, requests a second on one connection, memory of idle ones.
//!
//! ```console
//! $ cargo build --release && cargo run --release --example tls_figures
//! ```
//!
//! It starts the `rorqual` that was built beside it, once in the clear and once with client certificates and revocation
//! lists, on the extract of `fixtures/`. Client and server share the cores, so the server alone would do better; a client
//! that waits for each answer measures latency as much as throughput.

use std::error::Error;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rorqual_dev_pki::{DevPki, folder};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What is asked on a connection, again and again.
const TARGETS: [(&str, &str); 3] = [
    ("health", "/livez"),
    ("read", "/fhir/metadata"),
    ("search", "/fhir/HealthcareService?specialty=013&_count=20"),
];
const TERM: Duration = Duration::from_secs(3);

fn main() -> Outcome<()> {
    let work = tempfile::tempdir()?;
    let index = work.path().join("index");
    index_builder::build(&index_builder::BuildOptions {
        extract: vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/extract")],
        index: index.clone(),
        ..Default::default()
    })?;
    let pki = DevPki::new(SystemTime::now())?;
    folder::write(&pki, work.path())?;

    let secure = Server::start(&index, work.path(), TLS)?;
    for (name, version) in [
        ("TLS 1.3", &rustls::version::TLS13),
        ("TLS 1.2", &rustls::version::TLS12),
    ] {
        for (kind, resumption) in [
            ("full", Resumption::disabled()),
            ("resumed", Resumption::in_memory_sessions(64)),
        ] {
            let mut config = client_config(&pki, version)?;
            config.resumption = resumption;
            let config = Arc::new(config);
            // The answer is part of it: in TLS 1.3 only it shows that the server has accepted the certificate.
            let rate = a_second(|| request(&mut secure.enter(&config)?, "/livez").map(|_| ()))?;
            println!("{name}, {kind} handshake and one request: {rate:.0} a second");
        }
    }
    let plain = Server::start(&index, work.path(), "")?;
    let config = Arc::new(client_config(&pki, &rustls::version::TLS13)?);
    for (what, target) in TARGETS {
        let mut stream = TcpStream::connect(plain.address)?;
        stream.set_nodelay(true)?;
        let clear = a_second(|| request(&mut stream, target).map(|_| ()))?;
        let mut stream = secure.enter(&config)?;
        let sealed = a_second(|| request(&mut stream, target).map(|_| ()))?;
        let bytes = request(&mut stream, target)?;
        println!(
            "{what}, {bytes} bytes, one connection: {clear:.0} requests a second in the clear, {sealed:.0} with TLS 1.3"
        );
    }
    const IDLE: usize = 400;
    let before = plain.resident()?;
    let held: Vec<TcpStream> = (0..IDLE)
        .map(|_| -> Outcome<TcpStream> {
            let mut stream = TcpStream::connect(plain.address)?;
            request(&mut stream, "/livez")?;
            Ok(stream)
        })
        .collect::<Outcome<_>>()?;
    println!(
        "idle connection in the clear: {} bytes",
        (plain.resident()? - before) / IDLE as u64
    );
    drop(held);
    let before = secure.resident()?;
    let held: Vec<_> = (0..IDLE)
        .map(|_| -> Outcome<Sealed> {
            let mut stream = secure.enter(&config)?;
            request(&mut stream, "/livez")?;
            Ok(stream)
        })
        .collect::<Outcome<_>>()?;
    println!(
        "idle connection with TLS 1.3 and a client certificate: {} bytes",
        (secure.resident()? - before) / IDLE as u64
    );
    drop(held);
    Ok(())
}

/// The table of the server with client certificates; its files lie beside its configuration.
const TLS: &str = r#"
[tls]
certificate = "server.pem"
key = "server.key"
client_ca = "client-ca.pem"
crls = ["crl-root.pem", "crl-intermediate.pem"]
"#;

type Sealed = StreamOwned<ClientConnection, TcpStream>;

/// A `rorqual serve` of its own, ended when dropped.
struct Server {
    process: Child,
    address: SocketAddr,
}

impl Server {
    fn start(index: &Path, folder: &Path, tables: &str) -> Outcome<Self> {
        let config = folder.join("figures.toml");
        std::fs::write(&config, format!("listen = \"127.0.0.1:0\"\n{tables}"))?;
        let mut process = Command::new(beside("rorqual")?)
            .args(["serve", "--index"])
            .arg(index)
            .arg("--config")
            .arg(&config)
            .env("RUST_LOG", "warn")
            .stderr(Stdio::piped())
            .spawn()?;
        let lines = BufReader::new(process.stderr.take().ok_or("no standard error")?).lines();
        for line in lines {
            let line = line?;
            // `listening on http://127.0.0.1:40001/fhir`
            if let Some(url) = line.strip_prefix("listening on ") {
                let host = url.split('/').nth(2).ok_or("no host")?;
                return Ok(Self {
                    process,
                    address: host.parse()?,
                });
            }
            eprintln!("{line}");
        }
        Err("the server did not start".into())
    }

    fn enter(&self, config: &Arc<ClientConfig>) -> Outcome<Sealed> {
        let mut socket = TcpStream::connect(self.address)?;
        socket.set_nodelay(true)?;
        let mut connection =
            ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost")?)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        Ok(StreamOwned::new(connection, socket))
    }

    /// Resident memory, in bytes.
    fn resident(&self) -> Outcome<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|rest| rest.split_whitespace().next());
        Ok(kilobytes.ok_or("no VmRSS")?.parse::<u64>()? * 1_024)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A program built into the folder above the examples.
fn beside(name: &str) -> Outcome<PathBuf> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(Path::parent).ok_or("no folder")?;
    let path = folder.join(name);
    if path.exists() {
        return Ok(path);
    }
    Err(format!("{} is missing: cargo build --release", path.display()).into())
}

fn client_config(
    pki: &DevPki,
    version: &'static SupportedProtocolVersion,
) -> Outcome<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(
        pki.root.certificate_pem().as_bytes(),
    )?)?;
    let client = pki.profiles.first().ok_or("no client")?;
    let chain = client.chain_pem();
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>()?;
    let key = PrivateKeyDer::from_pem_slice(client.key_pem().as_bytes())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)?)
}

/// How often a second something can be done, one after the other, after a tenth of the time to warm up.
fn a_second(mut once: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    let begun = Instant::now();
    while begun.elapsed() < TERM / 10 {
        once()?;
    }
    let (begun, mut count) = (Instant::now(), 0_u32);
    while begun.elapsed() < TERM {
        once()?;
        count += 1;
    }
    Ok(f64::from(count) / begun.elapsed().as_secs_f64())
}

/// One GET and its whole answer; the bytes of its body.
fn request(stream: &mut (impl Read + Write), target: &str) -> Outcome<usize> {
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
    stream.flush()?;
    let mut read = vec![0; 64 * 1024];
    let mut filled = 0;
    loop {
        if filled == read.len() {
            read.resize(2 * filled, 0);
        }
        let count = stream.read(read.get_mut(filled..).ok_or("no room")?)?;
        if count == 0 {
            return Err("the connection was closed".into());
        }
        filled += count;
        let so_far = read.get(..filled).ok_or("no room")?;
        let Some(head) = so_far.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let text = std::str::from_utf8(so_far.get(..head).ok_or("no head")?)?;
        if !text.starts_with("HTTP/1.1 200") {
            return Err(text.lines().next().unwrap_or("no status").into());
        }
        let length: usize = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .ok_or("no length")?
            .parse()?;
        if filled == head + 4 + length {
            return Ok(length);
        }
    }
}
