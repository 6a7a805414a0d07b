//! Conditions of writes: the version a change is meant for, and what must not be there yet.

use http::header::{HeaderName, IF_MATCH};
use http::{HeaderMap, HeaderValue};

use crate::server::encoding;
use crate::server::refusal::{Refusal, shown};

const IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");

/// The version that `If-Match` names, if it is sent.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    only(headers, &IF_MATCH, "If-Match")?
        .map(version_of)
        .transpose()
}

/// The query of `If-None-Exist`, if it is sent.
pub(super) fn if_none_exist(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    only(headers, &IF_NONE_EXIST, "If-None-Exist")?
        .map(condition_of)
        .transpose()
}

/// The version in an entity tag, `W/"1"` or `"1"`. Neither a list nor `*` says which version the change is meant for.
pub(super) fn version_of(written: &str) -> Result<String, Refusal> {
    let tag = written.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    tag.strip_prefix('"')
        .and_then(|tag| tag.strip_suffix('"'))
        .filter(|version| version.bytes().all(|b| b.is_ascii_graphic() && b != b'"'))
        .map(str::to_owned)
        .ok_or_else(|| Refusal::IfMatch {
            written: shown(written),
        })
}

/// The query of a conditional create, known to decode.
pub(super) fn condition_of(written: &str) -> Result<String, Refusal> {
    let query = written.trim();
    let query = query.strip_prefix('?').unwrap_or(query);
    encoding::decode(query).map_err(|fault| Refusal::Encoding {
        place: "If-None-Exist",
        fault,
    })?;
    Ok(query.to_owned())
}

/// The value of a header that may be sent once.
fn only<'h>(
    headers: &'h HeaderMap,
    name: &HeaderName,
    header: &'static str,
) -> Result<Option<&'h str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    let first = values.next().map(HeaderValue::to_str).transpose();
    match (first, values.next()) {
        (Ok(value), None) => Ok(value),
        _ => Err(Refusal::Header { header }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_entity_tag_names_a_version() {
        for (written, version) in [
            ("W/\"1\"", "1"),
            ("\"12\"", "12"),
            (" W/\"a-b\" ", "a-b"),
            ("\"\"", ""),
        ] {
            assert_eq!(version_of(written).unwrap(), version, "{written}");
        }
        for written in [
            "1",
            "*",
            "",
            "W/1",
            "w/\"1\"",
            "\"1",
            "\"",
            "\"1\", \"2\"",
            "W/ \"1\"",
            "\"1 2\"",
        ] {
            assert_eq!(version_of(written).unwrap_err().status(), 400, "{written}");
        }
    }

    #[test]
    fn a_condition_is_sent_once() {
        let mut headers = HeaderMap::new();
        assert_eq!(if_match(&headers).unwrap(), None);
        assert_eq!(if_none_exist(&headers).unwrap(), None);
        headers.insert(IF_MATCH, HeaderValue::from_static("W/\"3\""));
        headers.insert(IF_NONE_EXIST, HeaderValue::from_static("?identifier=a%7Cb"));
        assert_eq!(if_match(&headers).unwrap().as_deref(), Some("3"));
        let condition = if_none_exist(&headers).unwrap();
        assert_eq!(condition.as_deref(), Some("identifier=a%7Cb"));
        headers.append(IF_MATCH, HeaderValue::from_static("W/\"3\""));
        assert_eq!(if_match(&headers).unwrap_err().status(), 400);
        headers.insert(IF_NONE_EXIST, HeaderValue::from_static("identifier=%zz"));
        assert_eq!(if_none_exist(&headers).unwrap_err().status(), 400);
        headers.insert(
            IF_NONE_EXIST,
            HeaderValue::from_bytes(b"identifier=\xe9").unwrap(),
        );
        assert_eq!(if_none_exist(&headers).unwrap_err().status(), 400);
    }
}
