//! Page cursors: where a page begins, in which state of the index, sealed.
//!
//! A token is base64url of `offset (u64 LE) ‖ log sequence (u64 LE) ‖ generation id ‖ seal`. The seal is a keyed BLAKE3 over all that and the
//! request, so that neither can be altered, nor a token moved to another request.

use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::error::{Fault, SearchError};

const SEAL: usize = 16;

/// Seals and reads cursors of one index directory.
pub struct CursorSeal {
    key: [u8; 32],
}

/// Where a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The generation that the paging began with.
    pub generation: String,
    /// The last sequence of the log of anomalies that the paging sees.
    pub sequence: u64,
    /// How many matches come before the page.
    pub offset: u64,
}

impl CursorSeal {
    /// The seal with the key of an index directory. Without one (an index copied by hand) a key of this process
    /// serves, so that cursors hold as long as it runs.
    pub fn of_directory(index: &Path) -> CursorSeal {
        let stored = std::fs::read(index.join("cursor.key"))
            .ok()
            .and_then(|key| key.try_into().ok());
        let key = stored.unwrap_or_else(|| {
            let mut key = [0u8; 32];
            if getrandom::fill(&mut key).is_err() {
                tracing::warn!(
                    "no random source: page cursors of this process are not sealed against forging"
                );
            }
            key
        });
        CursorSeal { key }
    }

    fn seal(&self, payload: &[u8], request: &str) -> [u8; SEAL] {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&(payload.len() as u64).to_le_bytes());
        hasher.update(payload);
        hasher.update(request.as_bytes());
        let mut seal = [0u8; SEAL];
        hasher.finalize_xof().fill(&mut seal);
        seal
    }

    /// The token of a cursor within `request` (type and canonical query).
    pub fn token(&self, cursor: &Cursor, request: &str) -> String {
        let mut bytes = cursor.offset.to_le_bytes().to_vec();
        bytes.extend_from_slice(&cursor.sequence.to_le_bytes());
        bytes.extend_from_slice(cursor.generation.as_bytes());
        let seal = self.seal(&bytes, request);
        bytes.extend_from_slice(&seal);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The generation that the cursor of a query string names, unchecked: only [`CursorSeal::open`] tells whether it was
    /// given out. `None` without a cursor that can be read.
    pub fn named_in(query: &str) -> Option<String> {
        let token = query
            .split('&')
            .find_map(|pair| pair.trim().strip_prefix("_cursor="))?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token.trim()).ok()?;
        let named = bytes.get(16..bytes.len().checked_sub(SEAL)?)?;
        String::from_utf8(named.to_vec()).ok()
    }

    /// Reads a token that was made for `request`.
    ///
    /// # Errors
    /// [`Fault::CursorAltered`] when token or request are not those that were sealed.
    pub fn open(&self, token: &str, request: &str) -> Result<Cursor, SearchError> {
        let altered = || SearchError::from(Fault::CursorAltered);
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(token)
            .map_err(|_| altered())?;
        let (payload, seal) = bytes
            .split_at_checked(bytes.len().saturating_sub(SEAL))
            .ok_or_else(altered)?;
        // blake3::Hash compares in constant time; a seal this short is compared through it.
        let widen = |seal: &[u8]| {
            let mut wide = [0u8; 32];
            wide[..seal.len()].copy_from_slice(seal);
            blake3::Hash::from_bytes(wide)
        };
        if seal.len() != SEAL || widen(seal) != widen(&self.seal(payload, request)) {
            return Err(altered());
        }
        let (offset, rest) = payload.split_first_chunk::<8>().ok_or_else(altered)?;
        let (sequence, generation) = rest.split_first_chunk::<8>().ok_or_else(altered)?;
        let generation = std::str::from_utf8(generation)
            .map_err(|_| altered())?
            .to_owned();
        Ok(Cursor {
            generation,
            sequence: u64::from_le_bytes(*sequence),
            offset: u64::from_le_bytes(*offset),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_sealed_token_of_the_same_request_opens() {
        let seal = CursorSeal { key: [7; 32] };
        let cursor = Cursor {
            generation: "20261123T000000000Z-abcdef".into(),
            sequence: 12,
            offset: 400,
        };
        let token = seal.token(&cursor, "Location?status=active");
        assert_eq!(seal.open(&token, "Location?status=active").unwrap(), cursor);
        assert_eq!(
            CursorSeal::named_in(&format!("status=active&_cursor={token}")),
            Some(cursor.generation.clone())
        );
        assert_eq!(CursorSeal::named_in("status=active"), None);
        assert_eq!(CursorSeal::named_in("_cursor=AA"), None);
        assert!(seal.open(&token, "Location?status=inactive").is_err());
        assert!(
            CursorSeal { key: [8; 32] }
                .open(&token, "Location?status=active")
                .is_err()
        );
        for at in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(
                seal.open(&altered, "Location?status=active").is_err(),
                "altered at {at}"
            );
            assert!(
                seal.open(&token[..at], "Location?status=active").is_err(),
                "cut at {at}"
            );
        }
    }
}
