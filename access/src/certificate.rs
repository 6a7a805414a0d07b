//! Who a client certificate speaks for: distinguished names (RFC 4514) and the patterns that match them.

use thiserror::Error;

/// Most relative names and attributes read of a subject; a real one has a handful.
const MOST_ATTRIBUTES: usize = 64;

/// A subject, as its relative names in the order written, each a list of attribute and value.
///
/// Attributes are upper-case short names where RFC 4514 or X.520 has one, otherwise as written; values are compared letter by letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DistinguishedName(Vec<Vec<(String, String)>>);

/// Why a text is not a distinguished name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{name}` is not a distinguished name: {fault}; write it as RFC 4514 has it, `CN=client,O=agency,C=FR`"
)]
#[non_exhaustive]
pub struct NameError {
    /// The text.
    pub name: String,
    /// What is wrong.
    pub fault: String,
}

/// Attributes with several names, by the one that is compared.
const SYNONYMS: [(&str, &str); 22] = [
    ("2.5.4.3", "CN"),
    ("COMMONNAME", "CN"),
    ("2.5.4.10", "O"),
    ("ORGANIZATIONNAME", "O"),
    ("2.5.4.11", "OU"),
    ("ORGANIZATIONALUNITNAME", "OU"),
    ("2.5.4.6", "C"),
    ("COUNTRYNAME", "C"),
    ("2.5.4.7", "L"),
    ("LOCALITYNAME", "L"),
    ("2.5.4.8", "ST"),
    ("S", "ST"),
    ("STATEORPROVINCENAME", "ST"),
    ("2.5.4.9", "STREET"),
    ("STREETADDRESS", "STREET"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("2.5.4.4", "SN"),
    ("SURNAME", "SN"),
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "EMAILADDRESS"),
    ("2.5.4.97", "ORGANIZATIONIDENTIFIER"),
];

impl DistinguishedName {
    /// Reads a name as RFC 4514 writes it; blanks around commas and equals signs do not count.
    pub fn parse(text: &str) -> Result<DistinguishedName, NameError> {
        let fault = |fault: &str| NameError {
            name: text.chars().take(200).collect(),
            fault: fault.to_owned(),
        };
        let mut names = vec![Vec::new()];
        let mut count = 0;
        let mut rest = text;
        loop {
            let (attribute, after) = rest
                .split_once('=')
                .ok_or_else(|| fault("an attribute and `=` are due"))?;
            let attribute = attribute_name(attribute)
                .ok_or_else(|| fault("an attribute is a word or a number such as 2.5.4.3"))?;
            let (value, separator, after) = value(after).map_err(fault)?;
            count += 1;
            if count > MOST_ATTRIBUTES {
                return Err(fault("it has more than 64 attributes"));
            }
            if let Some(last) = names.last_mut() {
                last.push((attribute, value));
            }
            match separator {
                None => break,
                Some('+') => {}
                Some(_) => names.push(Vec::new()),
            }
            rest = after;
        }
        for relative in &mut names {
            // The attributes of one relative name have no order.
            relative.sort();
        }
        Ok(DistinguishedName(names))
    }

    /// Whether some value of that attribute matches the pattern.
    pub fn has(&self, attribute: &str, pattern: &str) -> bool {
        let Some(wanted) = attribute_name(attribute) else {
            return false;
        };
        self.0
            .iter()
            .flatten()
            .any(|(name, value)| *name == wanted && glob(pattern, value))
    }
}

/// The name under which an attribute is compared; nothing when it is none.
pub(crate) fn attribute_name(written: &str) -> Option<String> {
    let name = written.trim().to_ascii_uppercase();
    let name = name.strip_prefix("OID.").unwrap_or(&name);
    let fits = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    let known = SYNONYMS.iter().find(|(synonym, _)| *synonym == name);
    fits.then(|| known.map_or(name, |(_, name)| name).to_owned())
}

/// The value at the start of a text, its escapes undone, the separator that ends it and what follows.
fn value(text: &str) -> Result<(String, Option<char>, &str), &'static str> {
    let text = text.trim_start_matches(' ');
    if text.starts_with('"') {
        return Err("quoted values are of an older standard; escape with `\\` instead");
    }
    let mut bytes = Vec::new();
    // How much of the value is not blanks that nothing protects.
    let mut solid = 0;
    let mut at = text.char_indices();
    let done = |mut bytes: Vec<u8>, solid: usize| {
        bytes.truncate(solid);
        String::from_utf8(bytes).map_err(|_| "its escapes are not UTF-8")
    };
    while let Some((place, c)) = at.next() {
        match c {
            ',' | ';' | '+' => {
                let after = text.get(place + 1..).unwrap_or_default();
                return Ok((done(bytes, solid)?, Some(c), after));
            }
            '\\' => {
                let (_, escaped) = at.next().ok_or("it ends in the middle of an escape")?;
                match escaped.to_digit(16) {
                    Some(high) => {
                        let low = at.next().and_then(|(_, low)| low.to_digit(16));
                        let low = low.ok_or("an escape has two hexadecimal digits")?;
                        bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                    }
                    None => push(&mut bytes, escaped),
                }
                solid = bytes.len();
            }
            '\0' | '"' | '<' | '>' => return Err("a special character must be escaped with `\\`"),
            c => {
                push(&mut bytes, c);
                if c != ' ' {
                    solid = bytes.len();
                }
            }
        }
    }
    Ok((done(bytes, solid)?, None, ""))
}

fn push(bytes: &mut Vec<u8>, c: char) {
    bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Whether a text matches a pattern in which `*` stands for any run of characters; letters count as they are.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else {
        // No star at all.
        return rest.is_empty();
    };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{DistinguishedName, glob};

    fn read(text: &str) -> DistinguishedName {
        DistinguishedName::parse(text).expect(text)
    }

    #[test]
    fn spellings_of_one_name_are_equal() {
        let name = read("CN=client,O=Agence,C=FR");
        for same in [
            "cn=client, o=Agence , c=FR",
            "2.5.4.3=client,OID.2.5.4.10=Agence,C=FR",
            r"CN=\63lient,O=Agence,C=FR",
        ] {
            assert_eq!(read(same), name, "{same}");
        }
        assert_eq!(read("CN=a+UID=b,C=FR"), read("UID=b+CN=a,C=FR"));
        for other in [
            "O=Agence,CN=client,C=FR",
            "CN=Client,O=Agence,C=FR",
            "CN=client,O=Agence",
            "CN=client,O=Agence,C=FR,C=FR",
            r"CN=client\,O=Agence,C=FR",
            r"CN=client\ ,O=Agence,C=FR",
            "CN=client+O=Agence,C=FR",
        ] {
            assert_ne!(read(other), name, "{other}");
        }
    }

    #[test]
    fn an_escape_cannot_make_a_second_attribute() {
        let name = read(r"CN=guest\,CN=rorqual-profile-1,O=x");
        assert!(name.has("CN", "guest,CN=rorqual-profile-1"));
        assert!(!name.has("CN", "rorqual-profile-1"));
        assert!(read(r"CN=caf\C3\A9").has("CN", "café"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in [
            "", "client", "CN=a,", "CN=a,b", "=a", r"CN=a\", r"CN=a\4", r"CN=\FF", "CN=\"a\"",
            "CN=a<b", "C N=a",
        ] {
            assert!(DistinguishedName::parse(bad).is_err(), "{bad}");
        }
        assert!(DistinguishedName::parse(&"CN=a,".repeat(10_000)).is_err());
    }

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, text, expected) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "a", true),
            ("a*", "ab", true),
            ("*b", "ab", true),
            ("*b", "ba", false),
            ("a*c*e", "abcde", true),
            ("a*c*e", "ace", true),
            ("a*c*e", "aec", false),
            ("ab*bc", "abc", false),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("A*", "a", false),
            ("**", "x", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
