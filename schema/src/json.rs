//! A borrowing JSON tree: the form in which resources are read.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use thiserror::Error;

/// A JSON value. Strings without escapes borrow from the text they were read from.
#[derive(Clone, Debug, PartialEq)]
pub enum Node<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(JsonNumber),
    /// A string.
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Node<'a>>),
    /// An object, its members in the order of the text; no two have the same name.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// A JSON number, exact for the integers of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum JsonNumber {
    /// A negative integer.
    Negative(i64),
    /// Zero or a positive integer.
    Positive(u64),
    /// Anything with a fraction or an exponent, or too large for 64 bits.
    Float(f64),
}

/// Why a text is not usable JSON.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not usable JSON at byte {offset}: {reason}")]
#[non_exhaustive]
pub struct JsonError {
    /// Where reading stopped, in bytes from the start of the text.
    pub offset: usize,
    /// What is wrong there.
    pub reason: String,
}

impl<'a> Node<'a> {
    /// Reads one JSON text, whole: trailing text, duplicate member names, invalid UTF-8 and more than
    /// 127 levels of nesting are errors.
    pub fn parse(text: &'a [u8]) -> Result<Node<'a>, JsonError> {
        let text = std::str::from_utf8(text).map_err(|error| JsonError {
            offset: error.valid_up_to(),
            reason: "the text is not UTF-8".to_owned(),
        })?;
        let mut reader = serde_json::Deserializer::from_str(text);
        let node = Any
            .deserialize(&mut reader)
            .map_err(|error| located(text, &error))?;
        reader.end().map_err(|error| located(text, &error))?;
        Ok(node)
    }

    /// The member of that name, when this is an object that has it.
    #[inline]
    pub fn get(&self, name: &str) -> Option<&Node<'a>> {
        match self {
            Node::Object(members) => members
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, when this is a string.
    #[inline]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Node::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value, when this is a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Node::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, when this is one.
    pub fn as_number(&self) -> Option<JsonNumber> {
        match self {
            Node::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// A number as a floating-point one; a string that spells a number counts, as real data has them.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Node::Number(number) => Some(number.as_f64()),
            Node::String(text) => text
                .trim()
                .parse()
                .ok()
                .filter(|value: &f64| value.is_finite()),
            _ => None,
        }
    }

    /// The members, when this is an object.
    pub fn as_object(&self) -> Option<&[(Cow<'a, str>, Node<'a>)]> {
        match self {
            Node::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The items, when this is an array.
    pub fn as_array(&self) -> Option<&[Node<'a>]> {
        match self {
            Node::Array(items) => Some(items),
            _ => None,
        }
    }

    /// The items of an array, nothing for `null`, and otherwise the node itself: FHIR data in the wild
    /// has single objects where arrays are due.
    #[inline]
    pub fn items(&self) -> &[Node<'a>] {
        match self {
            Node::Array(items) => items,
            Node::Null => &[],
            other => std::slice::from_ref(other),
        }
    }
}

impl JsonNumber {
    /// The nearest floating-point number.
    pub fn as_f64(self) -> f64 {
        match self {
            JsonNumber::Negative(value) => value as f64,
            JsonNumber::Positive(value) => value as f64,
            JsonNumber::Float(value) => value,
        }
    }
}

/// serde_json counts lines and columns; a resource is one line of a file, so an offset says more.
fn located(text: &str, error: &serde_json::Error) -> JsonError {
    let start_of_line = if error.line() <= 1 {
        0
    } else {
        text.match_indices('\n')
            .nth(error.line() - 2)
            .map_or(0, |(at, _)| at + 1)
    };
    let full = error.to_string();
    let reason = match full.rfind(" at line ") {
        Some(end) => full.get(..end).unwrap_or(&full).to_owned(),
        None => full,
    };
    JsonError {
        offset: (start_of_line + error.column().saturating_sub(1)).min(text.len()),
        reason,
    }
}

/// Above this many members a set finds duplicates; below, comparing is faster than hashing.
const COMPARE_UP_TO: usize = 16;

struct Any;

impl<'de> DeserializeSeed<'de> for Any {
    type Value = Node<'de>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node<'de>, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

impl<'de> Visitor<'de> for Any {
    type Value = Node<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Number(match u64::try_from(value) {
            Ok(value) => JsonNumber::Positive(value),
            Err(_) => JsonNumber::Negative(value),
        }))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(Node::Number(JsonNumber::Positive(value)))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'de>, E> {
        Ok(Node::Number(JsonNumber::Float(value)))
    }

    #[inline]
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::String(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::String(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Any)? {
            items.push(item);
        }
        Ok(Node::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node<'de>, A::Error> {
        let mut members: Vec<(Cow<'de, str>, Node<'de>)> = Vec::new();
        let mut seen: HashSet<Cow<'de, str>> = HashSet::new();
        while let Some(name) = access.next_key_seed(Name)? {
            let duplicate = if members.len() < COMPARE_UP_TO {
                members.iter().any(|(known, _)| *known == name)
            } else {
                if seen.is_empty() {
                    seen.extend(members.iter().map(|(known, _)| known.clone()));
                }
                !seen.insert(name.clone())
            };
            if duplicate {
                return Err(A::Error::custom(format_args!(
                    "the member `{name}` occurs twice in one object"
                )));
            }
            let value = access.next_value_seed(Any)?;
            members.push((name, value));
        }
        Ok(Node::Object(members))
    }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cow<'de, str>, D::Error> {
        deserializer.deserialize_str(Name)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a member name")
    }

    #[inline]
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{JsonNumber, Node};

    #[test]
    fn strings_borrow_unless_escaped() {
        let text = br#"{"a":"plain","b":"caf\u00e9","c":[1,-2,2.5,null,true]}"#;
        let node = Node::parse(text).expect("valid");
        assert!(matches!(
            node.get("a"),
            Some(Node::String(Cow::Borrowed("plain")))
        ));
        assert_eq!(node.get("b").and_then(Node::as_str), Some("café"));
        let items = node.get("c").and_then(Node::as_array).expect("array");
        assert_eq!(items[0].as_number(), Some(JsonNumber::Positive(1)));
        assert_eq!(items[1].as_number(), Some(JsonNumber::Negative(-2)));
        assert_eq!(items[2].as_number(), Some(JsonNumber::Float(2.5)));
        assert_eq!(items[3], Node::Null);
        assert_eq!(items[4].as_bool(), Some(true));
    }

    #[test]
    fn a_duplicate_member_is_refused_whatever_the_size() {
        let small = Node::parse(br#"{"a":1,"b":{"x":1,"x":2}}"#).expect_err("duplicate");
        assert!(small.reason.contains("`x` occurs twice"), "{small}");
        let mut large = String::from("{");
        for i in 0..40 {
            large.push_str(&format!("\"k{i}\":{i},"));
        }
        large.push_str("\"k20\":0}");
        let error = Node::parse(large.as_bytes()).expect_err("duplicate");
        assert!(error.reason.contains("`k20` occurs twice"), "{error}");
    }

    #[test]
    fn nesting_is_bounded_and_trailing_text_refused() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        assert!(Node::parse(deep.as_bytes()).is_err());
        let fine = "[".repeat(100) + &"]".repeat(100);
        assert!(Node::parse(fine.as_bytes()).is_ok());
        assert_eq!(Node::parse(b"{} x").expect_err("trailing").offset, 3);
    }

    #[test]
    fn errors_carry_the_offset() {
        let truncated = Node::parse(b"{\"a\":\n [1,").expect_err("truncated");
        assert!(truncated.offset >= 9, "{truncated}");
        let bytes = Node::parse(b"{\"a\":\"\xff\"}").expect_err("not UTF-8");
        assert_eq!(bytes.offset, 6);
        assert!(!bytes.to_string().contains("line"));
    }

    #[test]
    fn one_object_reads_as_an_array_of_one() {
        let node = Node::parse(br#"{"a":{"x":1},"b":null}"#).expect("valid");
        assert_eq!(node.get("a").map(|a| a.items().len()), Some(1));
        assert_eq!(node.get("b").map(|b| b.items().len()), Some(0));
    }
}
