//! The body of `POST [type]/_search`: a form, read whole within a size and a time.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body::Body;

use super::payload::{media_type, whole};
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
    let kind = media_type(headers)?;
    if kind.as_deref() != Some("application/x-www-form-urlencoded") {
        return Err(Refusal::FormExpected {
            written: kind.as_deref().map(shown),
        });
    }
    let whole = whole(headers, body, most_bytes, most_time).await?;
    let text = std::str::from_utf8(&whole).map_err(|error| Refusal::BodyBroken {
        reason: format!("not UTF-8 text at byte {}", error.valid_up_to()),
    })?;
    Ok(text.trim_matches(['\r', '\n', ' ', '&']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
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
