//! A test infrastructure on disk, and a server that uses it.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use rorqual::server::{ServerConfig, TlsConfig, TlsStatus};
use rorqual_dev_pki::authority::DAY;
use rorqual_dev_pki::{Credential, DevPki, folder};
use tempfile::TempDir;

use crate::client::Server;

/// The infrastructure, and the folder with its files.
pub struct Files {
    pub pki: DevPki,
    folder: TempDir,
}

impl Files {
    /// A fresh infrastructure.
    pub fn new() -> Self {
        let pki = DevPki::new(SystemTime::now()).expect("certificates are made");
        let folder = tempfile::tempdir().expect("a temporary folder");
        folder::write(&pki, folder.path()).expect("a writable folder");
        Self { pki, folder }
    }

    /// Where a file of the folder is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The table of a server that knows the root and the intermediate, and all revocation lists.
    pub fn table(&self) -> TlsConfig {
        let mut tls = TlsConfig::new(self.path("server.pem"), self.path("server.key"));
        tls.client_ca = Some(self.path("client-ca.pem"));
        tls.crls = ["crl-root.pem", "crl-intermediate.pem", "crl-unlisted.pem"]
            .map(|name| self.path(name))
            .to_vec();
        tls.reload_interval_ms = 50;
        tls
    }

    /// A server with this table, changed.
    pub fn serve(&self, change: impl FnOnce(&mut TlsConfig, &mut ServerConfig)) -> Server {
        let mut tls = self.table();
        Server::start_with(|config| {
            change(&mut tls, config);
            config.tls = Some(tls);
        })
    }

    /// Replaces a file, whole.
    pub fn replace(&self, name: &str, text: &str) {
        let beside = self.path(&format!("{name}.new"));
        fs::write(&beside, text).expect("a writable folder");
        fs::rename(&beside, self.path(name)).expect("a rename");
    }

    /// Replaces the intermediate's revocation list by one with these certificates.
    pub fn revoke(&self, revoked: &[&Credential], number: u64) {
        let pki = &self.pki;
        let list = pki
            .intermediate
            .revocation_list(revoked, number, pki.now, 365 * DAY)
            .expect("a list");
        self.replace("crl-intermediate.pem", &list);
    }
}

/// The counts of a server.
pub fn status(server: &Server) -> &TlsStatus {
    server.tls.as_deref().expect("a server with TLS")
}

/// Waits until something holds; what never does fails the test.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "never came: {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
