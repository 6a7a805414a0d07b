//! The parameters that the server itself reads from a query string; all others belong to the engine.

use std::borrow::Cow;

use super::encoding::decode;

/// The pairs of a query string: name decoded and trimmed, value as written.
///
/// The text was checked before, so what does not decode here is given as written.
pub(super) fn pairs(raw: &str) -> impl Iterator<Item = (Cow<'_, str>, &str)> {
    raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (trimmed(decode(name).unwrap_or(Cow::Borrowed(name))), value)
    })
}

/// A value decoded and trimmed, a plus kept as a plus: none of the values read here holds a blank
/// inside, while a media type holds a plus that clients rarely encode.
pub(super) fn value(raw: &str) -> Cow<'_, str> {
    trimmed(decode(raw).unwrap_or(Cow::Borrowed(raw)))
}

fn trimmed(text: Cow<'_, str>) -> Cow<'_, str> {
    let blank = |c: char| c == ' ' || c == '+' || c == '\t';
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(blank)),
        Cow::Owned(text) => Cow::Owned(text.trim_matches(blank).to_owned()),
    }
}

/// The query of the URL and the posted form as one query string.
pub(super) fn joined(url: &str, form: String) -> String {
    match (url.is_empty(), form.is_empty()) {
        (true, _) => form,
        (false, true) => url.to_owned(),
        (false, false) => format!("{url}&{form}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_decoded_and_trimmed() {
        let read: Vec<_> = pairs("a=1&&%5Fformat%20=x%2By&+b+=c=d&e")
            .map(|(name, raw)| (name.into_owned(), value(raw).into_owned()))
            .collect();
        let expected = [("a", "1"), ("_format", "x+y"), ("b", "c=d"), ("e", "")];
        assert_eq!(
            read,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
    }

    #[test]
    fn url_and_form_are_joined_without_a_loose_ampersand() {
        assert_eq!(joined("", "a=1".into()), "a=1");
        assert_eq!(joined("b=2", String::new()), "b=2");
        assert_eq!(joined("b=2", "a=1".into()), "b=2&a=1");
    }
}
