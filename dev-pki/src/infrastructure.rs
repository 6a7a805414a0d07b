//! Who is certified by whom: the whole cast of the demonstration.

use std::time::SystemTime;

use crate::authority::{Authority, Credential, DAY, ORGANISATION, Order, Usage};
use crate::error::PkiError;

/// How many access profiles get a client of their own: numbers 0 to 5.
pub const PROFILES: u32 = 6;

/// Authorities, a server, and clients to accept or to refuse.
#[derive(Debug)]
pub struct DevPki {
    /// The instant it was made for.
    pub now: SystemTime,
    /// The root.
    pub root: Authority,
    /// Certified by the root; issues the server's certificate and all clients but those that say otherwise.
    pub intermediate: Authority,
    /// A second one, which servers are not told of: its clients must present it themselves.
    pub unlisted: Authority,
    /// A root that nobody here trusts.
    pub stranger: Authority,
    /// The server: localhost, 127.0.0.1 and ::1.
    pub server: Credential,
    /// Clients named `rorqual-profile-0` to `rorqual-profile-5`, by number.
    pub profiles: Vec<Credential>,
    /// Sound, but on the intermediate's revocation list.
    pub revoked: Credential,
    /// Its last day was yesterday.
    pub expired: Credential,
    /// Its first day is in a month.
    pub not_yet_valid: Credential,
    /// Good for servers only.
    pub wrong_usage: Credential,
    /// Issued by the stranger, with a name that looks right.
    pub strangers: Credential,
    /// Issued by the unlisted intermediate: good with its chain, to be refused without.
    pub unlisted_client: Credential,
}

impl DevPki {
    /// Makes all of it, valid around `now`.
    ///
    /// # Errors
    /// When the library refuses, which it does not with these names.
    pub fn new(now: SystemTime) -> Result<Self, PkiError> {
        let root = Authority::root("Rorqual root", now, 3_650 * DAY)?;
        let intermediate = root.intermediate("Rorqual intermediate", now, 1_825 * DAY)?;
        let unlisted = root.intermediate("Rorqual unlisted intermediate", now, 1_825 * DAY)?;
        let stranger = Authority::root("Stranger root", now, 3_650 * DAY)?;
        let client = |name: &str| client(name, now);
        let server = intermediate.issue(&server(now))?;
        let profiles = (0..PROFILES)
            .map(|number| intermediate.issue(&client(&format!("rorqual-profile-{number}"))))
            .collect::<Result<_, _>>()?;
        let expired = intermediate.issue(&Order {
            not_before: now - 400 * DAY,
            not_after: now - DAY,
            ..client("rorqual-expired")
        })?;
        let not_yet_valid = intermediate.issue(&Order {
            not_before: now + 30 * DAY,
            ..client("rorqual-not-yet-valid")
        })?;
        let wrong_usage = intermediate.issue(&Order {
            usage: Usage::Server,
            ..client("rorqual-wrong-usage")
        })?;
        Ok(Self {
            revoked: intermediate.issue(&client("rorqual-revoked"))?,
            strangers: stranger.issue(&client("rorqual-profile-1"))?,
            unlisted_client: unlisted.issue(&client("rorqual-unlisted"))?,
            now,
            root,
            intermediate,
            unlisted,
            stranger,
            server,
            profiles,
            expired,
            not_yet_valid,
            wrong_usage,
        })
    }

    /// The bundle a server needs to know its clients: the root and the listed intermediate.
    pub fn client_ca_pem(&self) -> String {
        self.root.certificate_pem() + &self.intermediate.certificate_pem()
    }
}

/// The order of a client's certificate, good for 397 days.
pub fn client(name: &str, now: SystemTime) -> Order {
    Order {
        name: name.to_owned(),
        organisation: ORGANISATION.to_owned(),
        usage: Usage::Client,
        hosts: Vec::new(),
        not_before: now - DAY,
        not_after: now + 397 * DAY,
    }
}

/// The order of a certificate for a server on this machine, good for 397 days.
pub fn server(now: SystemTime) -> Order {
    Order {
        usage: Usage::Server,
        hosts: ["localhost", "127.0.0.1", "::1"]
            .map(str::to_owned)
            .to_vec(),
        ..client("localhost", now)
    }
}
