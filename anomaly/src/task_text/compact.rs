//! Strict reading of a JSON text into one line: every token as it was written, no blank between them.

use std::collections::HashSet;

use serde_json::value::RawValue;
use thiserror::Error;

use crate::finding::Finding;

/// How deep arrays and objects may nest in a body. FHIR resources stay far below; deeper texts are attacks.
pub const MAX_DEPTH: usize = 64;

/// Why a text cannot be read as JSON that means one thing only.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JsonTextFault {
    /// Not JSON, or not UTF-8.
    #[error("the body is not JSON ({reason}); send one JSON value in UTF-8, without comments")]
    Unreadable {
        /// What the parser met, with line and column.
        reason: String,
    },
    /// JSON, but not an object.
    #[error("the body is not a JSON object; send one resource, in braces")]
    NotAnObject,
    /// The same key twice in one object: which one is meant cannot be known.
    #[error("the key \"{key}\" stands twice in one object; keep one of them")]
    RepeatedKey {
        /// The key, decoded.
        key: String,
    },
    /// A string with half a surrogate pair, which stands for no text.
    #[error("the string {token} holds half of a surrogate pair; write the whole character")]
    HalfCharacter {
        /// The string as written, its first characters.
        token: String,
    },
    /// Nested deeper than [`MAX_DEPTH`].
    #[error("the body nests deeper than {MAX_DEPTH} levels; flatten it")]
    TooDeep,
}

impl Finding for JsonTextFault {
    fn status(&self) -> u16 {
        400
    }

    fn code(&self) -> &'static str {
        "structure"
    }

    fn text(&self) -> &'static str {
        "Body not readable"
    }

    fn path(&self) -> String {
        String::new()
    }
}

/// One open bracket.
enum Open {
    Array,
    /// The keys met so far.
    Object(HashSet<String>),
}

/// The text without blanks outside strings, all tokens verbatim.
pub(super) fn compact(body: &[u8]) -> Result<String, JsonTextFault> {
    let whole: &RawValue =
        serde_json::from_slice(body).map_err(|error| JsonTextFault::Unreadable {
            reason: error.to_string(),
        })?;
    // From here on the grammar is known to hold; only what it does not say is checked.
    let mut rest = whole.get();
    let mut line = String::with_capacity(rest.len());
    let mut open: Vec<Open> = Vec::new();
    let mut key_is_next = false;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let (token, after) = rest
                .split_at_checked(string_length(rest))
                .unwrap_or((rest, ""));
            if key_is_next && let Some(Open::Object(keys)) = open.last_mut() {
                let key = decoded(token)?;
                if !keys.insert(key.clone()) {
                    return Err(JsonTextFault::RepeatedKey { key });
                }
                key_is_next = false;
            } else if token.contains('\\') {
                decoded(token)?;
            }
            line.push_str(token);
            rest = after;
            continue;
        }
        match first {
            '{' => {
                open.push(Open::Object(HashSet::new()));
                key_is_next = true;
            }
            '[' => {
                open.push(Open::Array);
                key_is_next = false;
            }
            '}' | ']' => {
                open.pop();
                key_is_next = false;
            }
            ',' => key_is_next = matches!(open.last(), Some(Open::Object(_))),
            _ => {}
        }
        if open.len() > MAX_DEPTH {
            return Err(JsonTextFault::TooDeep);
        }
        if !matches!(first, ' ' | '\t' | '\n' | '\r') {
            line.push(first);
        }
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    Ok(line)
}

/// How many bytes the string at the head of the text takes, quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn decoded(token: &str) -> Result<String, JsonTextFault> {
    serde_json::from_str(token).map_err(|_| JsonTextFault::HalfCharacter {
        token: token.chars().take(60).collect(),
    })
}
