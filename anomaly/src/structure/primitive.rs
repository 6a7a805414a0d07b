//! The grammars of the FHIR R4 primitives, as JSON writes them.

use rorqual_schema::{JsonNumber, Node, is_id};

use super::moment::{is_date, is_date_time, is_instant, is_time};

/// A primitive datatype of FHIR R4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Primitive {
    Base64Binary,
    Boolean,
    Canonical,
    Code,
    Date,
    DateTime,
    Decimal,
    Id,
    Instant,
    Integer,
    Markdown,
    Oid,
    PositiveInt,
    String,
    Time,
    UnsignedInt,
    Uri,
    Url,
    Uuid,
    Xhtml,
}

/// Why a value is not of the primitive it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// Another JSON type: a string is due where a number came, and the like. Says what is due.
    JsonType(&'static str),
    /// The right JSON type, and text or number outside the grammar. Says what the grammar is.
    Grammar(&'static str),
}

impl Primitive {
    /// The primitive of that FHIR name.
    pub(super) fn from_name(name: &str) -> Option<Primitive> {
        Some(match name {
            "base64Binary" => Primitive::Base64Binary,
            "boolean" => Primitive::Boolean,
            "canonical" => Primitive::Canonical,
            "code" => Primitive::Code,
            "date" => Primitive::Date,
            "dateTime" => Primitive::DateTime,
            "decimal" => Primitive::Decimal,
            "id" => Primitive::Id,
            "instant" => Primitive::Instant,
            "integer" => Primitive::Integer,
            "markdown" => Primitive::Markdown,
            "oid" => Primitive::Oid,
            "positiveInt" => Primitive::PositiveInt,
            "string" => Primitive::String,
            "time" => Primitive::Time,
            "unsignedInt" => Primitive::UnsignedInt,
            "uri" => Primitive::Uri,
            "url" => Primitive::Url,
            "uuid" => Primitive::Uuid,
            "xhtml" => Primitive::Xhtml,
            _ => return None,
        })
    }

    /// The FHIR name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Primitive::Base64Binary => "base64Binary",
            Primitive::Boolean => "boolean",
            Primitive::Canonical => "canonical",
            Primitive::Code => "code",
            Primitive::Date => "date",
            Primitive::DateTime => "dateTime",
            Primitive::Decimal => "decimal",
            Primitive::Id => "id",
            Primitive::Instant => "instant",
            Primitive::Integer => "integer",
            Primitive::Markdown => "markdown",
            Primitive::Oid => "oid",
            Primitive::PositiveInt => "positiveInt",
            Primitive::String => "string",
            Primitive::Time => "time",
            Primitive::UnsignedInt => "unsignedInt",
            Primitive::Uri => "uri",
            Primitive::Url => "url",
            Primitive::Uuid => "uuid",
            Primitive::Xhtml => "xhtml",
        }
    }

    /// Whether extensions may stand beside a value, in a member named with an underscore; XHTML has none.
    pub(super) fn has_sibling(self) -> bool {
        self != Primitive::Xhtml
    }

    /// Whether that JSON value is of this primitive.
    pub(super) fn check(self, value: &Node<'_>) -> Result<(), Unfit> {
        match self {
            Primitive::Boolean => match value {
                Node::Bool(_) => Ok(()),
                _ => Err(Unfit::JsonType("true or false, without quotes")),
            },
            Primitive::Decimal => match value {
                Node::Number(_) => Ok(()),
                _ => Err(Unfit::JsonType("a number, without quotes")),
            },
            Primitive::Integer => whole(
                value,
                i64::from(i32::MIN),
                "a whole number from -2147483648 to 2147483647",
            ),
            Primitive::UnsignedInt => whole(value, 0, "a whole number from 0 to 2147483647"),
            Primitive::PositiveInt => whole(value, 1, "a whole number from 1 to 2147483647"),
            _ => match value.as_str() {
                Some(text) => self.check_text(text),
                None => Err(Unfit::JsonType("a string")),
            },
        }
    }

    fn check_text(self, text: &str) -> Result<(), Unfit> {
        let (fits, grammar) = match self {
            Primitive::Base64Binary => (is_base64(text), "base64, padded to a multiple of four"),
            Primitive::Code => (
                is_code(text),
                "a code: no blank at either end, single blanks inside",
            ),
            Primitive::Date => (is_date(text), "a date: 2026, 2026-07 or 2026-07-15"),
            Primitive::DateTime => (
                is_date_time(text),
                "a dateTime: 2026, 2026-07, 2026-07-15 or 2026-07-15T09:41:00+02:00 (a time needs seconds and an offset)",
            ),
            Primitive::Id => (
                is_id(text),
                "an id: 1 to 64 letters, digits, hyphens and points",
            ),
            Primitive::Instant => (
                is_instant(text),
                "an instant: 2026-07-15T09:41:00.000+02:00",
            ),
            Primitive::Oid => (is_oid(text), "an OID as a URN: urn:oid:1.2.250.1"),
            Primitive::Time => (is_time(text), "a time of day: 09:41:00"),
            Primitive::Uri | Primitive::Url | Primitive::Canonical => {
                (is_uri(text), "a URI: not empty, without blanks")
            }
            Primitive::Uuid => (
                is_uuid(text),
                "a UUID as a URN, in lower case: urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
            ),
            Primitive::Xhtml => (
                is_xhtml(text),
                "one XHTML element div: <div xmlns=\"http://www.w3.org/1999/xhtml\">…</div>",
            ),
            _ => (
                is_string(text),
                "text that is not empty and holds no control character but tab, line feed and carriage return",
            ),
        };
        if fits {
            Ok(())
        } else {
            Err(Unfit::Grammar(grammar))
        }
    }
}

/// An integer of 32 bits that is at least `least`.
fn whole(value: &Node<'_>, least: i64, grammar: &'static str) -> Result<(), Unfit> {
    let Some(number) = value.as_number() else {
        return Err(Unfit::JsonType("a whole number, without quotes"));
    };
    let integer = match number {
        JsonNumber::Negative(value) => Some(value),
        JsonNumber::Positive(value) => i64::try_from(value).ok(),
        // 5.0 and 5e0 are decimals in the eyes of R4.
        JsonNumber::Float(_) => None,
    };
    if integer.is_some_and(|value| (least..=i64::from(i32::MAX)).contains(&value)) {
        Ok(())
    } else {
        Err(Unfit::Grammar(grammar))
    }
}

fn is_string(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c >= ' ' || matches!(c, '\t' | '\n' | '\r'))
}

fn is_code(text: &str) -> bool {
    // A blank first or last, or two in a row, leave an empty word between them.
    text.split(|c: char| c.is_whitespace())
        .all(|word| !word.is_empty())
        && is_string(text)
}

fn is_uri(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

fn is_base64(text: &str) -> bool {
    let mut letters = 0usize;
    let mut padding = 0usize;
    for byte in text.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        match byte {
            b'=' => padding += 1,
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/' if padding == 0 => letters += 1,
            _ => return false,
        }
    }
    letters > 0 && padding <= 2 && (letters + padding).is_multiple_of(4)
}

fn is_oid(text: &str) -> bool {
    let Some(arcs) = text.strip_prefix("urn:oid:") else {
        return false;
    };
    let mut arcs = arcs.split('.');
    matches!(arcs.next(), Some("0" | "1" | "2"))
        && arcs.clone().next().is_some()
        && arcs.all(|arc| {
            arc == "0"
                || (!arc.is_empty()
                    && !arc.starts_with('0')
                    && arc.bytes().all(|byte| byte.is_ascii_digit()))
        })
}

fn is_uuid(text: &str) -> bool {
    let Some(text) = text.strip_prefix("urn:uuid:") else {
        return false;
    };
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| {
            group
                .bytes()
                .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        })
}

fn is_xhtml(text: &str) -> bool {
    let Some(rest) = text.trim().strip_prefix("<div") else {
        return false;
    };
    // `<divide>` is another element.
    let opened = rest.starts_with(|c: char| c.is_whitespace() || c == '>' || c == '/');
    opened && (rest.ends_with("</div>") || rest.ends_with("/>"))
}

#[cfg(test)]
mod tests {
    use rorqual_schema::Node;

    use super::{Primitive, Unfit};

    fn judge(name: &str, json: &str) -> Result<(), Unfit> {
        let node = Node::parse(json.as_bytes()).expect("valid JSON");
        Primitive::from_name(name)
            .expect("a primitive")
            .check(&node)
    }

    #[test]
    fn values_inside_each_grammar_are_accepted() {
        for (name, values) in [
            (
                "base64Binary",
                vec!["\"QUJD\"", "\"QUI=\"", "\"QQ==\"", "\"QUJD\\r\\n QUJD\""],
            ),
            ("boolean", vec!["true", "false"]),
            ("canonical", vec!["\"http://x/y|1.0#a\""]),
            ("code", vec!["\"in-progress\"", "\"a b c\"", "\"<=\""]),
            (
                "date",
                vec![
                    "\"0001\"",
                    "\"2024\"",
                    "\"2024-02\"",
                    "\"2024-02-29\"",
                    "\"2000-02-29\"",
                ],
            ),
            (
                "dateTime",
                vec![
                    "\"2024\"",
                    "\"2024-01-03\"",
                    "\"2024-01-03T23:59:60Z\"",
                    "\"2024-01-03T00:00:00.123456-13:59\"",
                    "\"2024-01-03T00:00:00+14:00\"",
                ],
            ),
            ("decimal", vec!["0", "-1.50", "1e3"]),
            ("id", vec!["\"ror-task-exemple\"", "\"1.2\""]),
            ("instant", vec!["\"2024-01-03T00:00:00Z\""]),
            ("integer", vec!["0", "-2147483648", "2147483647"]),
            ("markdown", vec!["\"*a*\\n\""]),
            (
                "oid",
                vec!["\"urn:oid:1.2.250.1.71.4.2.2\"", "\"urn:oid:0.0\""],
            ),
            ("positiveInt", vec!["1", "2147483647"]),
            ("string", vec!["\"é\\t\\r\\n\"", "\" \""]),
            ("time", vec!["\"09:41:00\"", "\"23:59:60.5\""]),
            ("unsignedInt", vec!["0"]),
            ("uri", vec!["\"urn:iso:std:iso:3166\"", "\"a\""]),
            ("url", vec!["\"https://x.example/a?b=c\""]),
            (
                "uuid",
                vec!["\"urn:uuid:c757873d-ec9a-4326-a141-556f43239520\""],
            ),
            (
                "xhtml",
                vec![
                    "\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\"><p>a</p></div>\"",
                    "\"<div>a</div>\"",
                ],
            ),
        ] {
            for value in values {
                assert_eq!(judge(name, value), Ok(()), "{name} {value}");
            }
        }
    }

    #[test]
    fn values_outside_each_grammar_are_refused() {
        for (name, values) in [
            (
                "base64Binary",
                vec![
                    "\"\"", "\"QUI\"", "\"QQ=Q\"", "\"====\"", "\"Q===\"", "\"QU_D\"",
                ],
            ),
            ("canonical", vec!["\"\"", "\"a b\""]),
            (
                "code",
                vec!["\"\"", "\" a\"", "\"a \"", "\"a  b\"", "\"a\\u0001\""],
            ),
            (
                "date",
                vec![
                    "\"\"",
                    "\"0000\"",
                    "\"03/01/2024\"",
                    "\"2024-13\"",
                    "\"2024-00\"",
                    "\"2024-1-3\"",
                    "\"2024-02-30\"",
                    "\"2023-02-29\"",
                    "\"1900-02-29\"",
                    "\"2024-01-00\"",
                    "\"2024-01-03-\"",
                    "\"+024\"",
                    "\"2024-01-03T00:00:00Z\"",
                ],
            ),
            (
                "dateTime",
                vec![
                    "\"03/01/2024\"",
                    "\"2024-01-03T10:00\"",
                    "\"2024-01-03T10:00:00\"",
                    "\"2024-01-03T10:00Z\"",
                    "\"2024-01-03T24:00:00Z\"",
                    "\"2024-01T10:00:00Z\"",
                    "\"2024-01-03T10:00:00+14:30\"",
                    "\"2024-01-03T10:00:00.Z\"",
                    "\"2024-01-03 10:00:00Z\"",
                    "\"2024-01-03T10:00:00+0100\"",
                ],
            ),
            ("id", vec!["\"\"", "\"a_b\"", "\"é\""]),
            ("instant", vec!["\"2024-01-03\"", "\"2024\""]),
            (
                "integer",
                vec![
                    "2147483648",
                    "-2147483649",
                    "1.0",
                    "1e0",
                    "-0",
                    "18446744073709551615",
                ],
            ),
            (
                "oid",
                vec![
                    "\"1.2.250\"",
                    "\"urn:oid:1\"",
                    "\"urn:oid:3.1\"",
                    "\"urn:oid:1.02\"",
                    "\"urn:oid:1.\"",
                ],
            ),
            ("positiveInt", vec!["0", "-1"]),
            ("string", vec!["\"\"", "\"\\u0000\""]),
            (
                "time",
                vec![
                    "\"24:00:00\"",
                    "\"9:41:00\"",
                    "\"09:41\"",
                    "\"09:60:00\"",
                    "\"09:41:61\"",
                    "\"09:41:00Z\"",
                ],
            ),
            ("unsignedInt", vec!["-1"]),
            ("uri", vec!["\"\"", "\"a b\"", "\"a\\n\""]),
            (
                "uuid",
                vec![
                    "\"c757873d-ec9a-4326-a141-556f43239520\"",
                    "\"urn:uuid:C757873D-EC9A-4326-A141-556F43239520\"",
                    "\"urn:uuid:c757873dec9a-4326-a141-556f-43239520\"",
                ],
            ),
            (
                "xhtml",
                vec![
                    "\"\"",
                    "\"text\"",
                    "\"<p>a</p>\"",
                    "\"<divide></divide>\"",
                    "\"<div>a\"",
                ],
            ),
        ] {
            for value in values {
                assert!(
                    matches!(judge(name, value), Err(Unfit::Grammar(_))),
                    "{name} {value}"
                );
            }
        }
    }

    #[test]
    fn another_json_type_is_told_apart() {
        for (name, value) in [
            ("boolean", "\"true\""),
            ("decimal", "\"1.5\""),
            ("integer", "\"1\""),
            ("string", "1"),
            ("date", "2024"),
            ("code", "true"),
            ("code", "{}"),
        ] {
            assert!(
                matches!(judge(name, value), Err(Unfit::JsonType(_))),
                "{name} {value}"
            );
        }
    }

    #[test]
    fn names_are_read_back() {
        for name in [
            "base64Binary",
            "dateTime",
            "id",
            "positiveInt",
            "uuid",
            "xhtml",
        ] {
            assert_eq!(Primitive::from_name(name).map(Primitive::name), Some(name));
        }
        assert_eq!(Primitive::from_name("Quantity"), None);
    }
}
