//! The four headers in which ROR clients say on whose behalf they ask.

use http::HeaderMap;
use rorqual_schema::ResourceType;

use super::config::RorHeaders;
use crate::index::overlay::WRITTEN;
use crate::server::refusal::Refusal;

/// The headers, with their names in the record of requests.
pub(super) const NAMES: [(&str, &str); 4] = [
    ("ror-profil-utilisateur-code", "profilUtilisateurCode"),
    ("ror-profil-utilisateur-system", "profilUtilisateurSystem"),
    ("ror-role-metier-code", "roleMetierCode"),
    ("ror-role-metier-system", "roleMetierSystem"),
];

impl RorHeaders {
    /// Whether a request that reads a type is complete.
    ///
    /// # Errors
    /// [`Refusal::RorHeader`] naming the first header that is missing or empty where they are required.
    pub(in crate::server) fn check(
        self,
        kind: ResourceType,
        headers: &HeaderMap,
    ) -> Result<(), Refusal> {
        if self != RorHeaders::Required || kind == WRITTEN {
            return Ok(());
        }
        let given = |name: &str| headers.get(name).is_some_and(|value| !value.is_empty());
        match NAMES.iter().find(|(name, _)| !given(name)) {
            None => Ok(()),
            Some((name, _)) => Err(Refusal::RorHeader { name }),
        }
    }
}
