//! A JSON value kept as its text: compact, strict, every token as it was written.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::compact::{JsonTextFault, compact};
use super::same_value::same_value;

/// A JSON value as text: no blanks between tokens, no key twice in an object, numbers and escapes as they were written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExactJson(Box<str>);

/// What sort of JSON value a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonKind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// `1.50`
    Number,
    /// `true` or `false`
    Boolean,
    /// `null`
    Null,
}

impl ExactJson {
    /// Reads a JSON text in UTF-8.
    ///
    /// # Errors
    /// [`JsonTextFault`] when it is not JSON, repeats a key, or nests deeper than [`super::MAX_DEPTH`].
    pub fn parse(body: &[u8]) -> Result<Self, JsonTextFault> {
        compact(body).map(|text| Self(text.into()))
    }

    /// A JSON string.
    pub fn string(text: &str) -> Self {
        Self(serde_json::Value::from(text).to_string().into())
    }

    /// An array of these items.
    pub fn array(items: &[ExactJson]) -> Self {
        let texts: Vec<&str> = items.iter().map(ExactJson::as_str).collect();
        Self(format!("[{}]", texts.join(",")).into())
    }

    /// An object of these members.
    pub fn object(members: &[Member]) -> Self {
        let length: usize = members.iter().map(|member| member.byte_len() + 1).sum();
        let mut text = String::with_capacity(length + 2);
        text.push('{');
        for (at, member) in members.iter().enumerate() {
            if at > 0 {
                text.push(',');
            }
            text.push_str(&member.key);
            text.push(':');
            text.push_str(member.value.as_str());
        }
        text.push('}');
        Self(text.into())
    }

    /// The text, one line.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What sort of value it is.
    pub fn kind(&self) -> JsonKind {
        match self.0.bytes().next() {
            Some(b'{') => JsonKind::Object,
            Some(b'[') => JsonKind::Array,
            Some(b'"') => JsonKind::String,
            Some(b't' | b'f') => JsonKind::Boolean,
            Some(b'n') | None => JsonKind::Null,
            Some(_) => JsonKind::Number,
        }
    }

    /// The decoded text of a string; `None` for any other value.
    pub fn text(&self) -> Option<String> {
        serde_json::from_str(&self.0).ok()
    }

    /// The items of an array; `None` for any other value.
    pub fn items(&self) -> Option<Vec<ExactJson>> {
        let items: Vec<&RawValue> = serde_json::from_str(&self.0).ok()?;
        Some(items.into_iter().map(own).collect())
    }

    /// The members of an object, in their order; `None` for any other value.
    pub fn members(&self) -> Option<Vec<Member>> {
        let RawMembers(pairs) = serde_json::from_str(&self.0).ok()?;
        let members = pairs.into_iter().map(|(key, value)| Member {
            name: serde_json::from_str(key.get()).unwrap_or_default(),
            key: key.get().into(),
            value: own(value),
        });
        Some(members.collect())
    }

    /// One member of an object.
    pub fn member(&self, name: &str) -> Option<ExactJson> {
        let member = self
            .members()?
            .into_iter()
            .find(|member| member.name == name)?;
        Some(member.value)
    }

    /// Whether both stand for the same value, as RFC 6902 section 4.6 compares them: members in any order, strings
    /// decoded, numbers by their value to the last digit.
    pub fn same_value(&self, other: &ExactJson) -> bool {
        same_value(self, other)
    }

    /// How many arrays and objects are open at the deepest place.
    pub fn depth(&self) -> usize {
        let (mut depth, mut deepest) = (0_usize, 0);
        let (mut in_string, mut escaped) = (false, false);
        for byte in self.0.bytes() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_string => escaped = true,
                b'"' => in_string = !in_string,
                _ if in_string => {}
                b'{' | b'[' => {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        deepest
    }
}

/// Of a compact text every slice is compact.
fn own(raw: &RawValue) -> ExactJson {
    ExactJson(raw.get().into())
}

impl fmt::Display for ExactJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A member of an object: its key as written, and its value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    name: String,
    /// The key with its quotes and whatever escapes the client wrote.
    key: Box<str>,
    value: ExactJson,
}

impl Member {
    /// A member of that name.
    pub fn new(name: &str, value: ExactJson) -> Self {
        Self {
            name: name.to_owned(),
            key: ExactJson::string(name).0,
            value,
        }
    }

    /// The key, decoded.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value.
    pub fn value(&self) -> &ExactJson {
        &self.value
    }

    /// Gives it another value; the key stays as it was written.
    pub(super) fn replace(&mut self, value: ExactJson) {
        self.value = value;
    }

    /// The same key with another value.
    pub(crate) fn with(&self, value: ExactJson) -> Self {
        Self {
            value,
            ..self.clone()
        }
    }

    /// The bytes of `"key":value`.
    pub(super) fn byte_len(&self) -> usize {
        self.key.len() + 1 + self.value.0.len()
    }
}

/// The members of an object as borrowed texts, keys too.
struct RawMembers<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for RawMembers<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Vec<(&'de RawValue, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }

        deserializer.deserialize_map(Pairs).map(RawMembers)
    }
}
