//! The infrastructure as files, with a configuration that uses them.

use std::fs;
use std::path::Path;

use crate::authority::DAY;
use crate::error::PkiError;
use crate::infrastructure::DevPki;

/// A configuration of the server that uses the files beside it.
const CONFIGURATION: &str = include_str!("rorqual.toml");
/// The same, with access profiles.
const WITH_PROFILES: &str = concat!(
    include_str!("rorqual.toml"),
    "\n[access]\npolicy = \"access.toml\"\n"
);
const POLICY: &str = include_str!("access.toml");

/// Writes everything to `folder`, made if missing; files of the same names are replaced.
/// Returns the names of the files, relative to the folder.
///
/// # Errors
/// When a file cannot be written or a revocation list cannot be made.
pub fn write(pki: &DevPki, folder: &Path) -> Result<Vec<String>, PkiError> {
    let now = pki.now;
    let list = |authority: &crate::Authority, revoked: &[&crate::Credential], number| {
        authority.revocation_list(revoked, number, now, 365 * DAY)
    };
    let mut files = vec![
        ("root.pem".to_owned(), pki.root.certificate_pem()),
        ("client-ca.pem".to_owned(), pki.client_ca_pem()),
        ("stranger-ca.pem".to_owned(), pki.stranger.certificate_pem()),
        ("crl-root.pem".to_owned(), list(&pki.root, &[], 1)?),
        (
            "crl-intermediate.pem".to_owned(),
            list(&pki.intermediate, &[&pki.revoked], 2)?,
        ),
        (
            "crl-intermediate-empty.pem".to_owned(),
            list(&pki.intermediate, &[], 1)?,
        ),
        ("crl-unlisted.pem".to_owned(), list(&pki.unlisted, &[], 1)?),
        ("server.pem".to_owned(), pki.server.chain_pem()),
        ("server.key".to_owned(), pki.server.key_pem()),
        ("rorqual.toml".to_owned(), CONFIGURATION.to_owned()),
        ("profiles.toml".to_owned(), WITH_PROFILES.to_owned()),
        ("access.toml".to_owned(), POLICY.to_owned()),
    ];
    let mut clients: Vec<(String, _)> = pki
        .profiles
        .iter()
        .enumerate()
        .map(|(number, credential)| (format!("profile-{number}"), credential))
        .collect();
    for (name, credential) in [
        ("revoked", &pki.revoked),
        ("expired", &pki.expired),
        ("not-yet-valid", &pki.not_yet_valid),
        ("wrong-usage", &pki.wrong_usage),
        ("stranger", &pki.strangers),
        ("unlisted", &pki.unlisted_client),
    ] {
        clients.push((name.to_owned(), credential));
    }
    for (name, credential) in clients {
        files.push((format!("clients/{name}.pem"), credential.chain_pem()));
        files.push((format!("clients/{name}.key"), credential.key_pem()));
    }
    files.push((
        "clients/missing-intermediate.pem".to_owned(),
        pki.unlisted_client.certificate_pem(),
    ));
    files.push((
        "clients/missing-intermediate.key".to_owned(),
        pki.unlisted_client.key_pem(),
    ));
    let clients = folder.join("clients");
    fs::create_dir_all(&clients).map_err(|source| PkiError::Write {
        path: clients,
        source,
    })?;
    for (name, text) in &files {
        write_one(&folder.join(name), text)?;
    }
    Ok(files.into_iter().map(|(name, _)| name).collect())
}

/// Writes beside and renames, so that a server that reloads never reads half a file. Keys are for their owner only.
fn write_one(path: &Path, text: &str) -> Result<(), PkiError> {
    let failed = |source| PkiError::Write {
        path: path.to_owned(),
        source,
    };
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if path.extension().is_some_and(|extension| extension == "key") {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let mut file = options.open(&beside).map_err(failed)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
    fs::rename(&beside, path).map_err(failed)
}
