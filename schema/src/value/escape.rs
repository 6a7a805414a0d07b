//! The escapes of FHIR search values: `\,` `\|` `\$` `\\`.

use std::borrow::Cow;

/// Cuts a text at every `separator` that no backslash precedes. The parts keep their escapes;
/// an empty text is one empty part.
pub fn split_unescaped(raw: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut escaped = false;
    for (at, c) in raw.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == separator {
            parts.push(raw.get(start..at).unwrap_or_default());
            start = at + c.len_utf8();
        }
    }
    parts.push(raw.get(start..).unwrap_or_default());
    parts
}

/// Removes the escapes. A backslash before anything else than `,` `|` `$` `\` stands for itself.
pub fn unescape(raw: &str) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek().copied()) {
            ('\\', Some(next @ (',' | '|' | '$' | '\\'))) => {
                text.push(next);
                rest.next();
            }
            _ => text.push(c),
        }
    }
    Cow::Owned(text)
}

/// Escapes a text so that [`unescape`] gives it back and [`split_unescaped`] does not cut it.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains([',', '|', '$', '\\']) {
        return Cow::Borrowed(text);
    }
    let mut raw = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        if matches!(c, ',' | '|' | '$' | '\\') {
            raw.push('\\');
        }
        raw.push(c);
    }
    Cow::Owned(raw)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{escape, split_unescaped, unescape};

    #[test]
    fn separators_that_are_escaped_do_not_cut() {
        assert_eq!(split_unescaped(r"a\,b,c", ','), [r"a\,b", "c"]);
        assert_eq!(split_unescaped(r"a\\,b", ','), [r"a\\", "b"]);
        assert_eq!(split_unescaped("", ','), [""]);
        assert_eq!(split_unescaped(",", ','), ["", ""]);
        assert_eq!(unescape(r"a\,b\x\\"), r"a,b\x\");
    }

    proptest! {
        #[test]
        fn what_was_joined_splits_back(parts in prop::collection::vec("[a-z,|$\\\\é]{0,6}", 1..5)) {
            let joined = parts.iter().map(|part| escape(part).into_owned()).collect::<Vec<_>>().join("|");
            let back: Vec<String> = split_unescaped(&joined, '|').into_iter().map(|p| unescape(p).into_owned()).collect();
            prop_assert_eq!(back, parts);
        }
    }
}
