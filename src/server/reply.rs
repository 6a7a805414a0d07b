//! A response in the making: status, the few headers we send, pieces of a body.

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED,
    LOCATION, RETRY_AFTER, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::activity::Running;
use super::body::{Pieces, ReplyBody};
use super::export::FileStream;
use super::http_date;
use super::negotiation::{FHIR_JSON, FHIR_JSON_R4};
use super::pretty;
use super::refusal::Refusal;
use super::request_id;
use crate::bundle::assemble::Coding;
use crate::bundle::gzip::GzipBody;
use crate::outcome::named_outcome;

/// May be stored by the client alone and must be asked about again: right for what an ETag names.
const REVALIDATE: HeaderValue = HeaderValue::from_static("private, no-cache");
/// Searches and refusals are true at their instant only.
const UNSTORED: HeaderValue = HeaderValue::from_static("no-store");

/// From how many bytes on a body is compressed: what is shorter fits in a packet anyway.
pub(super) const WORTH_COMPRESSING: usize = 1_024;

/// What is to be answered.
#[derive(Debug)]
pub(super) struct Reply {
    status: StatusCode,
    content_type: Option<&'static str>,
    cache: HeaderValue,
    location: Option<String>,
    etag: Option<String>,
    /// Milliseconds since 1970.
    modified: Option<i64>,
    allow: Option<&'static str>,
    retry_after: Option<u32>,
    /// Matches of a search, for the record of requests.
    total: Option<u64>,
    more: Vec<(HeaderName, HeaderValue)>,
    body: Pieces,
    /// How the pieces are written.
    coding: Coding,
    /// The body, when it is made as it is sent.
    stream: Option<FileStream>,
}

impl Reply {
    /// 200 with pieces of FHIR JSON, not to be stored.
    pub(super) fn fhir(pieces: Vec<Bytes>) -> Self {
        Self::new(StatusCode::OK, Some(FHIR_JSON), Pieces::new(pieces))
    }

    /// What a write comes to; the body is left out when the client wants none.
    pub(super) fn written(status: StatusCode, body: Option<Vec<Bytes>>) -> Self {
        let content_type = body.is_some().then_some(FHIR_JSON_R4);
        Self::new(status, content_type, Pieces::new(body.unwrap_or_default()))
    }

    /// Health in plain JSON.
    pub(super) fn health(status: StatusCode, json: String) -> Self {
        let mut reply = Self::new(
            status,
            Some("application/json"),
            Pieces::new(vec![Bytes::from(json)]),
        );
        reply.retry_after = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
        reply
    }

    /// A refusal with its OperationOutcome, which names the request `id`.
    pub(super) fn refusal(refusal: &Refusal, id: &str) -> Self {
        let body = named_outcome(&refusal.issues(), id);
        let mut reply = Self::new(
            refusal.status(),
            Some(FHIR_JSON),
            Pieces::new(vec![Bytes::from(body)]),
        );
        reply.allow = refusal.allow();
        reply.etag = refusal.present_version().and_then(etag);
        reply.retry_after = refusal.retry_after();
        reply
    }

    fn new(status: StatusCode, content_type: Option<&'static str>, body: Pieces) -> Self {
        Self {
            status,
            content_type,
            cache: UNSTORED,
            location: None,
            etag: None,
            modified: None,
            allow: None,
            retry_after: None,
            total: None,
            more: Vec::new(),
            body,
            coding: Coding::Identity,
            stream: None,
        }
    }

    /// An answer of any status and media type, not to be stored.
    pub(super) fn plain(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Self {
        Self::new(
            status,
            Some(content_type),
            Pieces::new(vec![Bytes::from(body)]),
        )
    }

    /// A file, or a part of one, made as it is sent.
    pub(super) fn file(status: StatusCode, content_type: &'static str, stream: FileStream) -> Self {
        let mut reply = Self::new(status, Some(content_type), Pieces::default());
        reply.stream = Some(stream);
        reply
    }

    /// Adds a header; one that cannot be sent is left out.
    pub(super) fn with(mut self, name: HeaderName, value: &str) -> Self {
        self.more
            .extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
        self
    }

    /// Tells when to ask again, in seconds.
    pub(super) fn again_in(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Lets the client keep the answer and ask about it by its tag or date.
    pub(super) fn revalidated(mut self, etag: Option<&str>, modified_ms: Option<i64>) -> Self {
        self.cache = REVALIDATE;
        self.tagged(etag, modified_ms)
    }

    /// Names the version that the answer is about.
    pub(super) fn tagged(mut self, etag: Option<&str>, modified_ms: Option<i64>) -> Self {
        self.etag = etag.map(str::to_owned);
        self.modified(modified_ms)
    }

    /// Says how many matches the answer counts.
    pub(super) fn counted(mut self, total: u64) -> Self {
        self.total = Some(total);
        self
    }

    /// How many matches the answer counts, when it is that of a search.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// Adds the date of the last change, in milliseconds since 1970.
    pub(super) fn modified(mut self, modified_ms: Option<i64>) -> Self {
        self.modified = modified_ms;
        self
    }

    /// Adds the address of what was written.
    pub(super) fn located(mut self, location: String) -> Self {
        self.location = Some(location);
        self
    }

    /// Says that the pieces are in a coding already.
    pub(super) fn coded(mut self, coding: Coding) -> Self {
        self.coding = coding;
        self
    }

    /// Compresses the body unless it is compressed, or not worth it.
    pub(super) fn compressed(mut self) -> Self {
        if self.coding == Coding::Gzip || self.body.len() < WORTH_COMPRESSING {
            return self;
        }
        let mut stream = GzipBody::with_capacity(1);
        self.body.iter().for_each(|piece| stream.made(piece));
        self.body = Pieces::new(stream.finish());
        self.coding = Coding::Gzip;
        self
    }

    /// The same without a body: the client holds it already.
    pub(super) fn into_not_modified(mut self) -> Self {
        self.status = StatusCode::NOT_MODIFIED;
        self.content_type = None;
        self.body = Pieces::default();
        self.coding = Coding::Identity;
        self.stream = None;
        self
    }

    /// Indents the body, at the price of a copy.
    pub(super) fn indented(mut self) -> Self {
        if self.body.len() > 0 {
            self.body = Pieces::new(vec![Bytes::from(pretty::indent(self.body.iter()))]);
        }
        self
    }

    /// The status.
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The version's tag.
    pub(super) fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }

    /// The date of the last change, in milliseconds since 1970.
    pub(super) fn modified_ms(&self) -> Option<i64> {
        self.modified
    }

    /// The pieces of the body, to be sent within another.
    pub(super) fn into_pieces(self) -> Vec<Bytes> {
        self.body.into_vec()
    }

    /// Bytes of the body; not those of what is compressed as it is sent.
    pub(super) fn length(&self) -> u64 {
        let streamed = self.stream.as_ref().and_then(FileStream::left);
        self.body.len() as u64 + streamed.unwrap_or(0)
    }

    /// The response to send; to a HEAD request the same without its body.
    pub(super) fn into_response(
        self,
        head_only: bool,
        id: &str,
        running: Running,
    ) -> Response<ReplyBody> {
        let length = match &self.stream {
            None => Some(self.body.len() as u64),
            Some(stream) => stream.left(),
        };
        let body = match (self.stream, head_only) {
            (Some(stream), false) => ReplyBody::streamed(stream, Some(running)),
            (None, false) => ReplyBody::new(self.body, Some(running)),
            (_, true) => ReplyBody::new(Pieces::default(), Some(running)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        let optional = [
            (
                CONTENT_TYPE,
                self.content_type.map(HeaderValue::from_static),
            ),
            // 304 describes no body, so it has no length either.
            (
                CONTENT_LENGTH,
                length
                    .filter(|_| self.status != StatusCode::NOT_MODIFIED)
                    .map(HeaderValue::from),
            ),
            (LOCATION, self.location.as_deref().and_then(plain)),
            (ETAG, self.etag.as_deref().and_then(plain)),
            (
                LAST_MODIFIED,
                self.modified
                    .and_then(http_date::write)
                    .as_deref()
                    .and_then(plain),
            ),
            (ALLOW, self.allow.map(HeaderValue::from_static)),
            (RETRY_AFTER, self.retry_after.map(HeaderValue::from)),
            (request_id::REQUEST_ID, request_id::header(id)),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        if self.coding == Coding::Gzip {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        headers.extend(self.more);
        headers.insert(CACHE_CONTROL, self.cache);
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
}

fn plain(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}

/// The entity tag of a version, weak because indenting changes the bytes and not the resource;
/// `None` when the version holds what a tag cannot.
pub(super) fn etag(version: &str) -> Option<String> {
    let fit = !version.is_empty() && version.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    fit.then(|| format!("W/\"{version}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::activity::Activity;
    use crate::server::limits::Limits;
    use http_body::Body;

    fn sent(reply: Reply, head_only: bool) -> Response<ReplyBody> {
        reply.into_response(
            head_only,
            "r1",
            Running::start(&Activity::new(&Limits::default()), false),
        )
    }

    #[test]
    fn head_differs_from_get_in_its_body_only() {
        let reply =
            || Reply::fhir(vec![Bytes::from_static(b"{}")]).revalidated(Some("W/\"1\""), Some(0));
        let (get, head) = (sent(reply(), false), sent(reply(), true));
        assert_eq!(get.headers(), head.headers());
        assert_eq!(get.headers()[CONTENT_LENGTH], "2");
        assert_eq!(
            (
                get.body().size_hint().exact(),
                head.body().size_hint().exact()
            ),
            (Some(2), Some(0))
        );
    }

    #[test]
    fn not_modified_keeps_the_tag_and_drops_the_body() {
        let response = sent(
            Reply::fhir(vec![Bytes::from_static(b"{}")])
                .revalidated(Some("W/\"1\""), Some(0))
                .into_not_modified(),
            false,
        );
        assert_eq!(
            (response.status().as_u16(), &response.headers()[ETAG]),
            (304, &HeaderValue::from_static("W/\"1\""))
        );
        assert!(
            !response.headers().contains_key(CONTENT_LENGTH)
                && !response.headers().contains_key(CONTENT_TYPE)
        );
        assert!(response.body().is_end_stream());
    }

    #[test]
    fn a_refusal_of_a_method_says_what_is_allowed() {
        let refusal = Refusal::Method {
            method: "PUT".into(),
            allow: "GET, HEAD",
            hint: "",
        };
        let response = sent(Reply::refusal(&refusal, "r1"), false);
        assert_eq!(
            (response.status().as_u16(), &response.headers()[ALLOW]),
            (405, &HeaderValue::from_static("GET, HEAD"))
        );
        assert_eq!(response.headers()[CONTENT_TYPE], FHIR_JSON);
    }

    #[test]
    fn versions_that_no_tag_can_hold_have_none() {
        assert_eq!(etag("3").as_deref(), Some("W/\"3\""));
        for version in ["", "a\"b", "a b", "é"] {
            assert_eq!(etag(version), None);
        }
    }
}
