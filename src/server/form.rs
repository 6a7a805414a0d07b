//! The body of `POST [type]/_search`: a form, read whole within a size and a time.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::refusal::{Refusal, shown};

/// Reads a posted form as the text of a query string, still percent-encoded.
pub(super) async fn read_form<B>(
    headers: &HeaderMap,
    body: B,
    most_bytes: usize,
    most_time: Duration,
) -> Result<String, Refusal>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    check_headers(headers)?;
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > most_bytes as u64) {
        return Err(Refusal::BodyTooLong { limit: most_bytes });
    }
    let whole = tokio::time::timeout(most_time, Limited::new(body, most_bytes).collect())
        .await
        .map_err(|_| Refusal::BodyLate {
            seconds: most_time.as_secs(),
        })?
        .map_err(|error| {
            if error.is::<LengthLimitError>() {
                Refusal::BodyTooLong { limit: most_bytes }
            } else {
                Refusal::BodyCut
            }
        })?
        .to_bytes();
    let text = std::str::from_utf8(&whole).map_err(|error| Refusal::BodyBroken {
        reason: format!("not UTF-8 text at byte {}", error.valid_up_to()),
    })?;
    Ok(text.trim_matches(['\r', '\n', ' ', '&']).to_owned())
}

/// Reads past what is left of a body, within a size and a time; whether its end was reached.
pub(super) async fn drained<B>(body: B, most_bytes: usize, most_time: Duration) -> bool
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.is_end_stream() {
        return true;
    }
    let rest = Limited::new(body, most_bytes);
    let mut rest = std::pin::pin!(rest);
    let whole = async {
        while let Some(frame) = rest.frame().await {
            if frame.is_err() {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(most_time, whole)
        .await
        .unwrap_or(false)
}

fn check_headers(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(kind) = headers.get(CONTENT_TYPE) else {
        return Err(Refusal::FormExpected { written: None });
    };
    let kind = text(kind);
    let mut parts = kind.split(';');
    if !parts
        .next()
        .unwrap_or("")
        .trim()
        .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    {
        return Err(Refusal::FormExpected {
            written: Some(shown(kind)),
        });
    }
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        let value = value.trim().trim_matches('"');
        if name.trim().eq_ignore_ascii_case("charset")
            && !value.eq_ignore_ascii_case("utf-8")
            && !value.eq_ignore_ascii_case("utf8")
        {
            return Err(Refusal::Charset {
                written: shown(value),
            });
        }
    }
    for encoding in headers.get_all(CONTENT_ENCODING) {
        let encoding = text(encoding).trim();
        if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
            return Err(Refusal::ContentEncoding {
                written: shown(encoding),
            });
        }
    }
    Ok(())
}

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("unreadable")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;

    fn read(
        headers: &[(http::HeaderName, &'static str)],
        body: &'static [u8],
    ) -> Result<String, u16> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), HeaderValue::from_static(value)))
            .collect();
        let reading = read_form(
            &headers,
            Full::new(Bytes::from_static(body)),
            20,
            Duration::from_secs(5),
        );
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap()
            .block_on(reading)
            .map_err(|refusal| refusal.status().as_u16())
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn a_form_is_read_as_written() {
        assert_eq!(
            read(&[(CONTENT_TYPE, FORM)], b"a=1&b=%2B"),
            Ok("a=1&b=%2B".into())
        );
        assert_eq!(
            read(
                &[(
                    CONTENT_TYPE,
                    "Application/X-WWW-Form-Urlencoded; charset=\"UTF-8\""
                )],
                b"a=1\r\n"
            ),
            Ok("a=1".into())
        );
        assert_eq!(
            read(&[(CONTENT_TYPE, FORM), (CONTENT_ENCODING, "identity")], b""),
            Ok(String::new())
        );
    }

    #[test]
    fn other_bodies_are_refused() {
        for (headers, body, status) in [
            (&[][..], &b"a=1"[..], 415),
            (&[(CONTENT_TYPE, "application/fhir+json")], b"{}", 415),
            (
                &[(CONTENT_TYPE, "multipart/form-data; boundary=x")],
                b"",
                415,
            ),
            (
                &[(
                    CONTENT_TYPE,
                    "application/x-www-form-urlencoded; charset=latin1",
                )],
                b"",
                415,
            ),
            (
                &[(CONTENT_TYPE, FORM), (CONTENT_ENCODING, "gzip")],
                b"",
                415,
            ),
            (&[(CONTENT_TYPE, FORM)], b"a=012345678901234567890", 413),
            (&[(CONTENT_TYPE, FORM), (CONTENT_LENGTH, "21")], b"", 413),
            (&[(CONTENT_TYPE, FORM)], b"a=\xe9", 400),
        ] {
            assert_eq!(read(headers, body), Err(status), "{headers:?}");
        }
    }
}
