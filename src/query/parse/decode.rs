//! Query strings: from percent-encoded text to names and values, and back.

use super::notes::Notes;
use crate::query::error::Fault;

/// A parameter as written, decoded and trimmed.
pub(super) struct Pair {
    pub(super) name: String,
    pub(super) value: String,
}

/// The parameters of a query string, in order. A plus is a blank; what cannot be decoded is noted and left out.
pub(super) fn pairs(raw: &str, notes: &mut Notes) -> Vec<Pair> {
    let mut pairs = Vec::new();
    for segment in raw.split('&') {
        // A trailing blank of the URL is no parameter.
        if segment.chars().all(char::is_whitespace) || segment.bytes().all(|b| b == b'+') {
            continue;
        }
        let (name, value) = segment.split_once('=').unwrap_or((segment, ""));
        match (decode(name), decode(value)) {
            (Ok(name), Ok(value)) => {
                let pair = Pair {
                    name: name.trim().to_owned(),
                    value: value.trim().to_owned(),
                };
                if pair.name.is_empty() && pair.value.is_empty() && !segment.contains('=') {
                    continue;
                }
                if pair.name.len() != name.len() || pair.value.len() != value.len() {
                    let blanks = notes.slip(
                        &pair.name,
                        &format!("`{name}={value}`"),
                        &format!("`{}={}`", pair.name, pair.value),
                        "blanks stand around the name or the value",
                    );
                    if let Err(fault) = blanks {
                        notes.refuse(fault);
                    }
                }
                pairs.push(pair);
            }
            (name, value) => {
                for fault in [name.err(), value.err()].into_iter().flatten() {
                    notes.refuse(fault);
                }
            }
        }
    }
    pairs
}

/// Decodes a name or a value.
fn decode(raw: &str) -> Result<String, Fault> {
    let fault = |fault| Fault::Encoding {
        text: raw.to_owned(),
        fault,
    };
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => match (
                rest.next().and_then(hexadecimal),
                rest.next().and_then(hexadecimal),
            ) {
                (Some(high), Some(low)) => high << 4 | low,
                _ => {
                    return Err(fault(
                        "a percent sign is not followed by two hexadecimal digits",
                    ));
                }
            },
            byte => byte,
        });
    }
    if bytes.contains(&0) {
        return Err(fault("it holds a NUL character"));
    }
    String::from_utf8(bytes).map_err(|_| fault("it is not UTF-8"))
}

fn hexadecimal(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Writes a query string.
#[derive(Default)]
pub(super) struct Writer {
    text: String,
}

impl Writer {
    /// Adds a parameter, given decoded.
    pub(super) fn push(&mut self, name: &str, value: &str) {
        if !self.text.is_empty() {
            self.text.push('&');
        }
        encode(name, &mut self.text);
        self.text.push('=');
        encode(value, &mut self.text);
    }

    /// The query string.
    pub(super) fn text(self) -> String {
        self.text
    }
}

/// Percent-encodes all that may not stand in a query or has a meaning there; the rest stays readable.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/,*()$!@;".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(u32::from(digit), 16).unwrap_or('0');
                out.push(digit.to_ascii_uppercase());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Writer, decode};

    #[test]
    fn both_forms_are_read() {
        assert_eq!(decode("a%7Cb|c%3a+d%20e%2B"), Ok("a|b|c: d e+".to_owned()));
        assert_eq!(decode("%C3%A9é"), Ok("éé".to_owned()));
        for bad in ["%", "%4", "%zz", "%+1", "%C3", "%00", "a%ff"] {
            assert!(decode(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let all: String = (1u8..128).map(char::from).chain("éà€".chars()).collect();
        let mut writer = Writer::default();
        writer.push(&all, &all);
        let text = writer.text();
        let (name, value) = text.split_once('=').unwrap();
        assert_eq!(decode(name), Ok(all.clone()));
        assert_eq!(decode(value), Ok(all));
        assert!(!text.contains(['|', ' ', '+', '"', '[', '#', '&']));
    }
}
