//! Bodies of requests: their media type, and their bytes, read whole within a size and a time.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use http_body::Body;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::refusal::{Refusal, shown};

/// The media type of the body, in lower case and without its parameters; `None` when the request names none. Parameters
/// that say how to read the body otherwise than as UTF-8 or FHIR 4.0, and codings of the body, are refused.
pub(super) fn media_type(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    for encoding in headers.get_all(CONTENT_ENCODING) {
        let encoding = text(encoding).trim();
        if !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity") {
            return Err(Refusal::ContentEncoding {
                written: shown(encoding),
            });
        }
    }
    let Some(written) = headers.get(CONTENT_TYPE).map(text) else {
        return Ok(None);
    };
    let mut parts = written.split(';');
    let essence = parts.next().unwrap_or("").trim().to_ascii_lowercase();
    for (name, value) in parts.filter_map(|part| part.split_once('=')) {
        let value = value.trim().trim_matches('"').trim();
        match name.trim().to_ascii_lowercase().as_str() {
            "charset"
                if !value.eq_ignore_ascii_case("utf-8") && !value.eq_ignore_ascii_case("utf8") =>
            {
                return Err(Refusal::Charset {
                    written: shown(value),
                });
            }
            "fhirversion" if value != "4.0" && value != "4.0.1" => {
                return Err(Refusal::FhirVersion {
                    written: shown(value),
                });
            }
            _ => {}
        }
    }
    Ok(Some(essence))
}

/// The whole body.
pub(super) async fn whole<B>(
    headers: &HeaderMap,
    body: B,
    most_bytes: usize,
    most_time: Duration,
) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let announced = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|bytes| bytes > most_bytes as u64) {
        return Err(Refusal::BodyTooLong { limit: most_bytes });
    }
    let collected = tokio::time::timeout(most_time, Limited::new(body, most_bytes).collect())
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
        })?;
    Ok(collected.to_bytes())
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

fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("unreadable")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(written: &'static str) -> Result<Option<String>, u16> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(written))]);
        media_type(&headers).map_err(|refusal| refusal.status().as_u16())
    }

    #[test]
    fn parameters_that_change_nothing_are_dropped() {
        for written in [
            "application/fhir+json",
            "Application/FHIR+JSON; charset=\"UTF-8\"",
            "application/fhir+json;fhirVersion=4.0;charset=utf8;x=y",
        ] {
            assert_eq!(
                of(written),
                Ok(Some("application/fhir+json".to_owned())),
                "{written}"
            );
        }
        assert_eq!(
            media_type(&HeaderMap::new()).map_err(|refusal| refusal.to_string()),
            Ok(None)
        );
    }

    #[test]
    fn bodies_of_another_charset_or_version_are_refused() {
        assert_eq!(of("application/json; charset=latin1"), Err(415));
        assert_eq!(of("application/fhir+json; fhirVersion=3.0"), Err(415));
    }
}
