//! Answers written without hyper: to a connection that has no place, and to what hyper cannot parse.
//!
//! hyper answers an unreadable request by itself, with a status and no body. Every refusal here carries
//! an OperationOutcome, so that bare answer is recognised on its way out and replaced.

use bytes::Bytes;
use http::StatusCode;

use super::negotiation::FHIR_JSON;
use super::refusal::Refusal;
use super::request_id::REQUEST_ID;
use crate::outcome::named_outcome;

/// A whole HTTP/1.1 response that refuses and closes.
pub(super) fn answer(refusal: &Refusal) -> Bytes {
    let status = refusal.status();
    // It has no name of the client's, since it was not read or not wanted.
    let id = uuid::Uuid::new_v4().to_string();
    tracing::debug!(request = id, %refusal, "turned away");
    let body = named_outcome(&refusal.issues(), &id);
    let retry = refusal
        .retry_after()
        .map_or_else(String::new, |seconds| format!("retry-after: {seconds}\r\n"));
    let mut out = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {FHIR_JSON}\r\ncontent-length: {length}\r\n{retry}{REQUEST_ID}: {id}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n",
        length = body.len(),
    )
    .into_bytes();
    out.extend_from_slice(&body);
    Bytes::from(out)
}

/// What to send instead of `written`, when that is hyper's own answer to an unreadable request.
pub(super) fn instead_of(written: &[u8]) -> Option<Bytes> {
    // All of our answers begin otherwise, or name their request: this looks at 12 bytes of most writes.
    let code = written
        .strip_prefix(b"HTTP/1.1 ")
        .or_else(|| written.strip_prefix(b"HTTP/1.0 "))?
        .get(..3)?;
    let status = StatusCode::from_bytes(code)
        .ok()
        .filter(StatusCode::is_client_error)?;
    let head = std::str::from_utf8(written)
        .ok()?
        .strip_suffix("\r\n\r\n")?;
    let mut names = head
        .split("\r\n")
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, _)| name);
    if head.contains("\r\n\r\n") || names.any(|name| name.eq_ignore_ascii_case(REQUEST_ID.as_str()))
    {
        return None;
    }
    Some(answer(&Refusal::Unreadable { status }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_refusal_gets_a_body() {
        for code in [400, 414, 431] {
            let bare = format!(
                "HTTP/1.1 {code} Whatever\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            );
            let full = instead_of(bare.as_bytes()).unwrap();
            let text = std::str::from_utf8(&full).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.starts_with(&format!("HTTP/1.1 {code} ")), "{head}");
            assert!(
                head.contains(&format!("content-length: {}\r\n", body.len())),
                "{head}"
            );
            assert!(body.contains("OperationOutcome"), "{body}");
        }
    }

    #[test]
    fn answers_of_ours_pass() {
        for written in [
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\nx-request-id: a\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}",
            "HTTP/1.1 400",
            "{\"resourceType\":\"Bundle\"}\r\n\r\n",
            "",
        ] {
            assert_eq!(instead_of(written.as_bytes()), None, "{written}");
        }
    }
}
