//! Finds the end of one JSON value without looking at what it means.

use memchr::memchr2;

/// Progress through one value; survives being fed in pieces.
///
/// Only strings, escapes and nesting are followed. That is enough to find the end of every valid value;
/// what is wrong inside an invalid one is for the parser to say.
#[derive(Debug)]
pub(super) struct ValueScan {
    depth: u64,
    in_string: bool,
    escaped: bool,
    bare: bool,
}

impl ValueScan {
    /// A value whose first byte is `first`, still to be given to [`ValueScan::advance`];
    /// `None` when no JSON value begins so.
    pub(super) fn starting(first: u8) -> Option<Self> {
        let bare = match first {
            b'{' | b'[' | b'"' => false,
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => true,
            _ => return None,
        };
        Some(ValueScan {
            depth: 0,
            in_string: false,
            escaped: false,
            bare,
        })
    }

    /// The rest of an object whose opening brace is already past.
    pub(super) fn inside_object() -> Self {
        ValueScan {
            depth: 1,
            in_string: false,
            escaped: false,
            bare: false,
        }
    }

    /// How many of `bytes` still belong to the value if it ends here, `None` if it goes on.
    /// A number or word ends before the byte that delimits it.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.bare {
            return bytes
                .iter()
                .position(|byte| matches!(byte, b',' | b']' | b'}') || byte.is_ascii_whitespace());
        }
        let mut rest = bytes;
        loop {
            if self.in_string {
                if self.escaped {
                    (_, rest) = rest.split_first()?;
                    self.escaped = false;
                }
                let at = memchr2(b'"', b'\\', rest)?;
                let found = rest.get(at).copied();
                rest = rest.get(at + 1..).unwrap_or_default();
                if found == Some(b'\\') {
                    self.escaped = true;
                    continue;
                }
                self.in_string = false;
                if self.depth == 0 {
                    return Some(bytes.len() - rest.len());
                }
            } else {
                let at = rest
                    .iter()
                    .position(|byte| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']'))?;
                let found = rest.get(at).copied();
                rest = rest.get(at + 1..).unwrap_or_default();
                match found {
                    Some(b'"') => self.in_string = true,
                    Some(b'{' | b'[') => self.depth += 1,
                    _ => {
                        self.depth = self.depth.saturating_sub(1);
                        if self.depth == 0 {
                            return Some(bytes.len() - rest.len());
                        }
                    }
                }
            }
        }
    }
}
