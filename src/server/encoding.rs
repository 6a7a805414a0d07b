//! Percent-encoding: is a text decodable, and what does it decode to.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// Why a percent-encoded text cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum EncodingFault {
    /// A percent sign that no two hexadecimal digits follow.
    #[error(
        "{sequence:?} at byte {offset} is not a percent sign and two hexadecimal digits; write %25 for a percent sign"
    )]
    Sequence {
        /// The sign and what follows it.
        sequence: String,
        /// Where, from 0.
        offset: usize,
    },
    /// Decoded bytes that are not UTF-8.
    #[error("decoded, it is not UTF-8 text")]
    NotUtf8,
}

/// Decodes percent-encoded text; a plus stays a plus.
pub(super) fn decode(raw: &str) -> Result<Cow<'_, str>, EncodingFault> {
    let mut rest = raw;
    while let Some(at) = rest.find('%') {
        let sequence = rest.get(at + 1..at + 3);
        if !sequence.is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit())) {
            let shown: String = rest.get(at..).unwrap_or("").chars().take(3).collect();
            return Err(EncodingFault::Sequence {
                sequence: shown,
                offset: raw.len() - rest.len() + at,
            });
        }
        rest = rest.get(at + 3..).unwrap_or("");
    }
    percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| EncodingFault::NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_text_decodes() {
        for (raw, text) in [
            ("", ""),
            ("a+b", "a+b"),
            ("%24explain", "$explain"),
            ("caf%C3%A9", "café"),
            ("%2525", "%25"),
            ("é", "é"),
        ] {
            assert_eq!(decode(raw).unwrap(), text);
        }
    }

    #[test]
    fn faults_are_told_with_their_place() {
        for (raw, sequence, offset) in [
            ("a=%zz", "%zz", 2),
            ("%41%", "%", 3),
            ("%4", "%4", 0),
            ("%é9", "%é9", 0),
            ("ok=%20&x=%+1", "%+1", 9),
        ] {
            assert_eq!(
                decode(raw),
                Err(EncodingFault::Sequence {
                    sequence: sequence.into(),
                    offset
                }),
                "{raw}"
            );
        }
        assert_eq!(decode("%E9t%E9"), Err(EncodingFault::NotUtf8));
    }
}
