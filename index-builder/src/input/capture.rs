//! Collects one text that arrives in pieces, in bounded memory.

use super::EXCERPT_BYTES;

/// A text being collected. Past the limit only its length and its first bytes are known.
#[derive(Debug, Default)]
pub(super) struct Capture {
    bytes: Vec<u8>,
    length: u64,
}

impl Capture {
    /// Appends; the same `limit` must be given each time.
    pub(super) fn extend(&mut self, text: &[u8], limit: usize) {
        self.length += text.len() as u64;
        if self.length <= limit as u64 {
            self.bytes.extend_from_slice(text);
        } else {
            let missing = EXCERPT_BYTES.saturating_sub(self.bytes.len());
            self.bytes
                .extend_from_slice(text.get(..missing).unwrap_or(text));
            self.bytes.truncate(EXCERPT_BYTES);
            self.bytes.shrink_to(EXCERPT_BYTES);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Length of the whole text, dropped bytes included.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// The whole text, or its first bytes when it is past the limit.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// Bytes of memory held.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity()
    }
}
