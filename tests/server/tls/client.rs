//! A TLS client: rustls with a choice of certificate, version and protocol.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rorqual_dev_pki::Credential;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

use super::files::Files;
use crate::client::{Client, Response, Server};

pub use rustls::version::{TLS12, TLS13};

pub type Stream = StreamOwned<ClientConnection, TcpStream>;

/// What a client presents: its certificates in PEM, and the key.
pub type Presented = (String, String);

/// A credential with its whole chain.
pub fn chain(credential: &Credential) -> Option<Presented> {
    Some((credential.chain_pem(), credential.key_pem()))
}

/// A credential without its intermediates.
pub fn alone(credential: &Credential) -> Option<Presented> {
    Some((credential.certificate_pem(), credential.key_pem()))
}

/// Certificates of PEM text.
pub fn certificates(pem: &str) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .collect::<Result<_, _>>()
        .expect("sound PEM")
}

/// A configuration that trusts the infrastructure's root, presents `presented` and forgets sessions.
pub fn config(
    files: &Files,
    presented: Option<Presented>,
    version: &'static SupportedProtocolVersion,
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for root in certificates(&files.pki.root.certificate_pem()) {
        roots.add(root).expect("a root");
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .expect("the provider has this version")
        .with_root_certificates(roots);
    let mut config = match presented {
        Some((chain, key)) => builder
            .with_client_auth_cert(
                certificates(&chain),
                PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key"),
            )
            .expect("a certificate and its key"),
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    config
}

/// A connection, handshake included as far as the client can tell: in TLS 1.3 the server's view comes later.
pub fn connect(server: &Server, config: &Arc<ClientConfig>) -> io::Result<Client<Stream>> {
    let mut socket = TcpStream::connect(server.address)?;
    // Only so that a defect ends a test instead of hanging it.
    socket.set_read_timeout(Some(Duration::from_secs(30)))?;
    let name = ServerName::try_from("localhost").expect("a name");
    let mut connection =
        ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(Client {
        stream: StreamOwned::new(connection, socket),
    })
}

/// One GET on a connection of its own, or why there was no answer.
pub fn get(server: &Server, config: ClientConfig, target: &str) -> Result<Response, String> {
    let mut client = connect(server, &Arc::new(config)).map_err(|error| error.to_string())?;
    request(&mut client, target)
}

/// One GET on a connection, or why there was no answer.
pub fn request(client: &mut Client<Stream>, target: &str) -> Result<Response, String> {
    use std::io::{Read, Write};
    let head = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    client
        .stream
        .write_all(head.as_bytes())
        .and_then(|()| client.stream.flush())
        .map_err(|error| error.to_string())?;
    // The first byte tells whether the server goes on; the rest is read as ever.
    let mut first = [0];
    match client.stream.read(&mut first) {
        Ok(0) => Err("closed".to_owned()),
        Ok(_) => Ok(client.receive_after(&first).expect("a whole answer")),
        Err(error) => Err(error.to_string()),
    }
}
