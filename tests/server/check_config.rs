//! `rorqual check-config`, as the shell sees it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use rorqual::server::ServerConfig;
use rorqual_dev_pki::authority::DAY;
use rorqual_dev_pki::{Authority, DevPki, folder};

/// Exit code, standard output and standard error.
fn check(arguments: &[&str]) -> (i32, String, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_rorqual"))
        .arg("check-config")
        .args(arguments)
        .output()
        .expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (
        out.status.code().expect("an exit code"),
        text(out.stdout),
        text(out.stderr),
    )
}

fn check_text(folder: &Path, text: &str) -> (i32, String, String) {
    let path = folder.join("tried.toml");
    fs::write(&path, text).expect("a writable folder");
    check(&["--config", path.to_str().expect("UTF-8")])
}

fn infrastructure() -> tempfile::TempDir {
    let files = tempfile::tempdir().expect("a temporary folder");
    let pki = DevPki::new(SystemTime::now()).expect("certificates are made");
    folder::write(&pki, files.path()).expect("a writable folder");
    files
}

#[test]
fn a_usable_file_is_printed_whole() {
    let files = infrastructure();
    let path = files.path().join("rorqual.toml");
    let (code, out, error) = check(&["--config", path.to_str().expect("UTF-8")]);
    assert_eq!(code, 0, "{error}");
    // What is printed is a configuration itself, of the same meaning.
    assert_eq!(
        ServerConfig::from_toml(&out).expect("a configuration"),
        ServerConfig::from_file(&path).expect("a configuration")
    );
    for shown in [
        "requests_per_second_per_client = 200",
        "url_bytes = 32768",
        "# server-certificate: CN=localhost,O=Rorqual demonstration,C=FR, 39",
        "# revocation-list: CN=Rorqual intermediate",
        "# usable",
    ] {
        assert!(out.contains(shown), "{shown}: {out}");
    }
    assert!(!out.contains("PRIVATE"));
}

#[test]
fn without_a_table_plain_http_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (code, out, _) = check_text(folder.path(), "");
    assert_eq!(code, 0);
    assert!(out.contains("plain HTTP"), "{out}");
}

#[test]
fn what_is_wrong_is_named_and_nothing_secret_is() {
    let files = infrastructure();
    let folder = files.path();
    fs::write(folder.join("empty.pem"), "").expect("a writable folder");
    fs::write(
        folder.join("cut.pem"),
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    )
    .expect("a writable folder");
    fs::write(
        folder.join("locked.key"),
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nc2VjcmV0\n-----END ENCRYPTED PRIVATE KEY-----\n",
    )
    .expect("a writable folder");
    let month = 30 * DAY;
    let past = Authority::root("Past", SystemTime::now() - 2 * month, month).expect("a root");
    fs::write(folder.join("past.pem"), past.certificate_pem()).expect("a writable folder");
    let table = |certificate: &str, key: &str, more: &str| {
        format!("[tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n{more}\n")
    };
    let ca = "client_ca = \"client-ca.pem\"";
    for (text, named) in [
        (
            "lisen = \"127.0.0.1:1\"".to_owned(),
            "listen was probably meant",
        ),
        ("listen = 3".to_owned(), "invalid type"),
        (
            "[limits]\nkeep_alive_seconds = 0".to_owned(),
            "keep_alive_seconds",
        ),
        (
            table("absent.pem", "server.key", ca),
            "absent.pem cannot be read",
        ),
        (table("empty.pem", "server.key", ca), "no BEGIN CERTIFICATE"),
        (
            table("cut.pem", "server.key", ca),
            "cut.pem holds no usable certificate",
        ),
        (
            table("server.pem", "clients/profile-1.key", ca),
            "is not the key of the first certificate",
        ),
        (table("server.pem", "locked.key", ca), "it is encrypted"),
        (table("server.pem", "server.pem", ca), "private key"),
        (
            table("clients/expired.pem", "clients/expired.key", ca),
            "valid from",
        ),
        (table("server.pem", "server.key", ""), "needs tls.client_ca"),
        (
            table(
                "server.pem",
                "server.key",
                "client_ca = \"clients/expired.pem\"",
            ),
            "is no authority",
        ),
        (
            table("server.pem", "server.key", "client_ca = \"past.pem\""),
            "no root",
        ),
        (
            table(
                "server.pem",
                "server.key",
                &format!("{ca}\ncrls = [\"root.pem\"]"),
            ),
            "no BEGIN X509 CRL",
        ),
    ] {
        let (code, out, error) = check_text(folder, &text);
        assert_eq!(code, 1, "{text}: {out}");
        assert!(error.contains(named), "{text}: {error}");
        assert!(!error.contains("c2VjcmV0"), "{error}");
    }
}

#[test]
fn wrong_usage_is_another_code() {
    assert_eq!(check(&[]).0, 2);
    assert_eq!(check(&["--config"]).0, 2);
    assert_eq!(check(&["--config", "/nonexistent/rorqual.toml"]).0, 1);
}

#[test]
fn with_an_index_the_views_of_the_policy_must_be_there() {
    let files = infrastructure();
    let config = files.path().join("profiles.toml");
    let policy = fs::read_to_string(files.path().join("access.toml")).expect("a policy");
    let config = config.to_str().expect("UTF-8");
    let on = |index: &tempfile::TempDir| {
        let index = index.path().join("index");
        check(&[
            "--config",
            config,
            "--index",
            index.to_str().expect("UTF-8"),
        ])
    };
    let (code, out, error) = on(&crate::access::directory::index(&policy));
    assert_eq!(code, 0, "{error}");
    for told in [
        "# without a certificate: nothing",
        "# certificate with CN = rorqual-profile-3: profile 3",
        "# the live index has all of these views",
    ] {
        assert!(out.contains(told), "{told}: {out}");
    }
    let (code, _, error) = on(&crate::access::directory::index(
        "[profiles.places]\ndocuments.Location = 'always'\nrest = ['Location']\n",
    ));
    assert_eq!(code, 1);
    assert!(error.contains("no view for the access profiles"), "{error}");
    // Without an index they are named only.
    let (code, out, _) = check(&["--config", config]);
    assert_eq!(code, 0);
    assert!(out.contains("# view full: profiles 1"), "{out}");
}
