//! Every reason for which a request is refused before or beside the engine: status, issue and advice.

use std::borrow::Cow;

use http::StatusCode;
use rorqual_schema::ResourceType;
use thiserror::Error;

use super::encoding::EncodingFault;
use crate::SearchError;
use crate::anomaly::refusal::WriteRefusal;
use crate::export::ExportError;
use crate::outcome::{Issue, Severity};

/// A request that is not carried out. The Display is the `diagnostics` of the answer's issue.
#[derive(Debug, Error)]
#[non_exhaustive]
pub(super) enum Refusal {
    #[error("{path} is not under {base}; resources are at {base}/[type]")]
    OutsideBase { path: String, base: String },
    #[error(
        "searching all types at once is not offered; name one type: {}",
        type_names()
    )]
    WholeSystem,
    #[error("{written} is not a resource type of this directory{}; known: {}", hint(*.nearest), type_names())]
    UnknownType {
        written: String,
        nearest: Option<&'static str>,
    },
    #[error(
        "{path} names no resource, search or operation; addresses are [type]?…, [type]/[id] and metadata"
    )]
    UnknownAddress { path: String },
    #[error("{kind}/{id}: an id is 1 to 64 letters, digits, hyphens and dots", kind = kind.name())]
    BadId { kind: ResourceType, id: String },
    #[error("there is no {kind}/{id} in the directory", kind = kind.name())]
    NotFound { kind: ResourceType, id: String },
    #[error("{path}: this server lists no history; read the present version at [type]/[id]")]
    NoHistory { path: String },
    #[error("{path}: this version is not kept; read the present one at [type]/[id]")]
    NoVersion { path: String },
    #[error("the operation {written} is not offered at this address")]
    UnknownOperation { written: String },
    #[error(
        "{written} is no level of $explain; write _level=plan (nothing is executed) or _level=analyze"
    )]
    ExplainLevel { written: String },
    #[error("{method} is not offered here{hint}; allowed: {}", if .allow.is_empty() { "nothing" } else { .allow })]
    Method {
        method: String,
        allow: &'static str,
        hint: &'static str,
    },
    #[error(
        "the address is {bytes} bytes long, at most {limit} are read; send the parameters by POST [type]/_search"
    )]
    UrlTooLong { bytes: usize, limit: usize },
    #[error("the headers are {bytes} bytes long, at most {limit} are read")]
    HeadersTooLong { bytes: usize, limit: usize },
    #[error("the body is longer than the {limit} bytes that are read")]
    BodyTooLong { limit: usize },
    #[error("the body did not arrive within {seconds} seconds")]
    BodyLate { seconds: u64 },
    #[error("the body could not be read: {reason}")]
    BodyBroken { reason: String },
    #[error("the body ended before its end was announced; send it again, whole")]
    BodyCut,
    #[error("a search is posted as application/x-www-form-urlencoded, not as {}", .written.as_deref().unwrap_or("a body without Content-Type"))]
    FormExpected { written: Option<String> },
    #[error("the charset {written} is not read; send UTF-8")]
    Charset { written: String },
    #[error("the Content-Encoding {written} is not read; send the body as it is")]
    ContentEncoding { written: String },
    #[error("FHIR version {written} is not read; send FHIR R4, fhirVersion=4.0")]
    FhirVersion { written: String },
    #[error("{what} is sent as {wanted}, not as {}", .written.as_deref().unwrap_or("a body without Content-Type"))]
    JsonExpected {
        what: &'static str,
        wanted: &'static str,
        written: Option<String>,
    },
    #[error("return={written}: give minimal, representation or OperationOutcome")]
    Preference { written: String },
    #[error("{header} is not readable; give it once, in plain ASCII")]
    Header { header: &'static str },
    #[error(
        "If-Match: {written} is not the ETag of one version; give the one that was read, W/\"1\""
    )]
    IfMatch { written: String },
    #[error(
        "a change names the version it is meant for here; send If-Match with the ETag that was read"
    )]
    IfMatchMissing,
    #[error("anomalies are not written on this server; searches and reads go on")]
    ReadOnly,
    #[error(
        "the write was not confirmed within {seconds} seconds; it may still be done: search for it before it is sent again"
    )]
    Unconfirmed { seconds: u64 },
    #[error("refused by the store: {0:?}")]
    Write(WriteRefusal),
    #[error("a Bundle that is refused: {issues:?}")]
    Bundle {
        status: StatusCode,
        issues: Vec<Issue>,
        retry_after: Option<u32>,
    },
    #[error("{place}: {fault}")]
    Encoding {
        place: &'static str,
        fault: EncodingFault,
    },
    #[error(
        "{source_name} asks for {written}; this server answers in application/fhir+json, FHIR version 4.0"
    )]
    NotAcceptable {
        source_name: &'static str,
        written: String,
    },
    #[error("{name}={written}: give {expected}")]
    BadValue {
        name: &'static str,
        written: String,
        expected: &'static str,
    },
    #[error("{name} does not apply to {place}; known here: {known}")]
    UnknownParameter {
        name: String,
        place: &'static str,
        known: String,
    },
    #[error("{}", unreadable(*.status))]
    Unreadable { status: StatusCode },
    #[error("the server has as many connections as it may hold; try again in a moment")]
    Full,
    #[error(
        "this client holds {limit} connections already, as many as one may; use those, or close some"
    )]
    TooManyConnections { limit: usize },
    #[error(
        "this client asks too often: {rate} requests a second are allowed in the long run, {burst} at once; go on in \
         {seconds} s"
    )]
    TooManyRequests { rate: u32, burst: u32, seconds: u32 },
    #[error("too many requests are waiting; try again in a moment")]
    Overloaded,
    #[error("the answer was not ready within {seconds} seconds; narrow the search or try again")]
    TimeBudget { seconds: u64 },
    #[error("{}", without_profile(*.certificate))]
    NoProfile { certificate: bool },
    #[error("what this access profile may see is not ready on this server; tell the operator")]
    NoView,
    #[error("{reason}")]
    Forbidden { reason: String },
    #[error(
        "the header {name} is missing; this server asks every search and read of the directory for the four Ror headers"
    )]
    RorHeader { name: &'static str },
    #[error("a defect of the server, recorded under the reference {reference}")]
    Defect { reference: String },
    #[error("refused by the engine: {0:?}")]
    Search(SearchError),
    #[error("{0}")]
    Export(ExportError),
    #[error("the file is {length} bytes long; ask for a range that begins before its end")]
    Range { length: u64 },
}

/// Seconds after which a client turned away by load may come back.
const RETRY_SECONDS: u32 = 1;
/// Seconds after which a client may try again to write what an operator must first make possible.
const UNAVAILABLE_SECONDS: u32 = 60;

impl Refusal {
    /// The HTTP status.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::OutsideBase { .. }
            | Self::WholeSystem
            | Self::UnknownType { .. }
            | Self::UnknownAddress { .. }
            | Self::BadId { .. }
            | Self::NotFound { .. }
            | Self::NoHistory { .. }
            | Self::NoVersion { .. }
            | Self::UnknownOperation { .. } => StatusCode::NOT_FOUND,
            Self::ExplainLevel { .. } => StatusCode::BAD_REQUEST,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::UrlTooLong { .. } => StatusCode::URI_TOO_LONG,
            Self::HeadersTooLong { .. } => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::BodyTooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyLate { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::FormExpected { .. }
            | Self::JsonExpected { .. }
            | Self::FhirVersion { .. }
            | Self::Charset { .. }
            | Self::ContentEncoding { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyBroken { .. }
            | Self::BodyCut
            | Self::RorHeader { .. }
            | Self::Preference { .. }
            | Self::Header { .. }
            | Self::IfMatch { .. }
            | Self::Encoding { .. }
            | Self::BadValue { .. }
            | Self::UnknownParameter { .. } => StatusCode::BAD_REQUEST,
            Self::NotAcceptable { .. } => StatusCode::NOT_ACCEPTABLE,
            Self::TooManyConnections { .. } | Self::TooManyRequests { .. } => {
                StatusCode::TOO_MANY_REQUESTS
            }
            Self::IfMatchMissing => StatusCode::PRECONDITION_REQUIRED,
            Self::NoProfile { .. } | Self::Forbidden { .. } => StatusCode::FORBIDDEN,
            Self::NoView => StatusCode::SERVICE_UNAVAILABLE,
            Self::Full
            | Self::Overloaded
            | Self::TimeBudget { .. }
            | Self::ReadOnly
            | Self::Unconfirmed { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Write(refusal) => {
                StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::Bundle { status, .. } => *status,
            Self::Defect { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unreadable { status } => *status,
            Self::Range { .. } => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::Export(error) => {
                StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
            Self::Search(error) => {
                StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    /// The methods to announce in `Allow`, with a 405.
    pub(super) fn allow(&self) -> Option<&'static str> {
        match self {
            Self::Method { allow, .. } => Some(allow),
            _ => None,
        }
    }

    /// The present version of what a write was not meant for, with a 412.
    pub(super) fn present_version(&self) -> Option<&str> {
        match self {
            Self::Write(WriteRefusal::Stale { present, .. }) => Some(present),
            _ => None,
        }
    }

    /// The seconds to announce in `Retry-After`.
    pub(super) fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Full
            | Self::Overloaded
            | Self::TimeBudget { .. }
            | Self::TooManyConnections { .. }
            | Self::Unconfirmed { .. }
            | Self::NoView => Some(RETRY_SECONDS),
            Self::TooManyRequests { seconds, .. } => Some(*seconds),
            Self::ReadOnly | Self::Write(WriteRefusal::Unavailable { .. }) => {
                Some(UNAVAILABLE_SECONDS)
            }
            Self::Bundle { retry_after, .. } => *retry_after,
            Self::Search(error) => error.retry_after(),
            Self::Export(error) => error.retry_after(),
            _ => None,
        }
    }

    /// The issues of the OperationOutcome to answer.
    pub(super) fn issues(&self) -> Cow<'_, [Issue]> {
        let (code, text) = match self {
            Self::Search(error) => return Cow::Borrowed(error.issues()),
            Self::Write(refusal) => return Cow::Owned(refusal.issues()),
            Self::Bundle { issues, .. } => return Cow::Borrowed(issues),
            Self::Export(error) => return Cow::Owned(error.issues()),
            Self::Range { .. } => ("value", "Range not in the file"),
            Self::OutsideBase { .. } | Self::UnknownAddress { .. } => {
                ("not-supported", "Unknown address")
            }
            Self::WholeSystem => ("not-supported", "Search of all types not offered"),
            Self::UnknownType { .. } => ("not-supported", "Unknown resource type"),
            Self::BadId { .. } => ("not-found", "Not an id"),
            Self::NotFound { .. } => ("not-found", "No such resource"),
            Self::NoHistory { .. } => ("not-supported", "No history"),
            Self::NoVersion { .. } => ("not-found", "Version not kept"),
            Self::UnknownOperation { .. } => ("not-supported", "Unknown operation"),
            Self::ExplainLevel { .. } => ("invalid", "Value not readable"),
            Self::Method { .. } => ("not-supported", "Method not allowed"),
            Self::UrlTooLong { .. } => ("too-long", "Address too long"),
            Self::HeadersTooLong { .. } => ("too-long", "Headers too long"),
            Self::BodyTooLong { .. } => ("too-long", "Body too long"),
            Self::BodyLate { .. } => ("timeout", "Body too late"),
            Self::BodyBroken { .. } | Self::BodyCut => ("invalid", "Body not readable"),
            Self::FormExpected { .. } => ("not-supported", "Media type of the body not supported"),
            Self::Charset { .. } => ("not-supported", "Charset not supported"),
            Self::ContentEncoding { .. } => ("not-supported", "Content-Encoding not supported"),
            Self::FhirVersion { .. } => ("not-supported", "FHIR version not supported"),
            Self::JsonExpected { .. } => ("not-supported", "Media type of the body not supported"),
            Self::Preference { .. } => ("value", "Preference not known"),
            Self::Header { .. } => ("invalid", "Header not readable"),
            Self::IfMatch { .. } => ("invalid", "Not an ETag"),
            Self::IfMatchMissing => ("required", "Version required"),
            Self::NoProfile { certificate: false } => ("login", "Certificate required"),
            Self::NoProfile { certificate: true } | Self::Forbidden { .. } => {
                ("forbidden", "Not allowed to this client")
            }
            Self::NoView => ("transient", "Not ready for this client"),
            Self::RorHeader { .. } => ("required", "Header missing"),
            Self::ReadOnly => ("transient", "Anomalies are not written here"),
            Self::Unconfirmed { .. } => ("timeout", "Write not confirmed"),
            Self::Encoding { .. } => ("invalid", "Percent-encoding not readable"),
            Self::NotAcceptable { .. } => ("not-supported", "Format not offered"),
            Self::BadValue { .. } => ("value", "Value not readable"),
            Self::UnknownParameter { .. } => ("not-supported", "Unknown parameter"),
            Self::Unreadable { status } if *status == StatusCode::BAD_REQUEST => {
                ("invalid", "Request not readable")
            }
            Self::Unreadable { .. } => ("too-long", "Request too long"),
            Self::Full | Self::Overloaded => ("transient", "Server busy"),
            Self::TooManyConnections { .. } => ("throttled", "Too many connections"),
            Self::TooManyRequests { .. } => ("throttled", "Too many requests"),
            Self::TimeBudget { .. } => ("timeout", "Time budget spent"),
            Self::Defect { .. } => ("exception", "Defect of the server"),
        };
        let expression = match self {
            Self::BadValue { name, .. } => vec![format!("http.{name}")],
            Self::UnknownParameter { name, .. } => vec![format!("http.{name}")],
            Self::NotAcceptable { source_name, .. } => vec![format!("http.{source_name}")],
            Self::Preference { .. } => vec!["http.Prefer".to_owned()],
            Self::Header { header } => vec![format!("http.{header}")],
            Self::IfMatch { .. } | Self::IfMatchMissing => vec!["http.If-Match".to_owned()],
            _ => Vec::new(),
        };
        Cow::Owned(vec![Issue {
            severity: if matches!(self, Self::Defect { .. }) {
                Severity::Fatal
            } else {
                Severity::Error
            },
            code,
            text: text.to_owned(),
            diagnostics: self.to_string(),
            expression,
        }])
    }
}

impl From<ExportError> for Refusal {
    fn from(error: ExportError) -> Self {
        Self::Export(error)
    }
}

impl From<SearchError> for Refusal {
    fn from(error: SearchError) -> Self {
        Self::Search(error)
    }
}

/// Text of the client, cut to a length fit for a message.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 100;
    let mut out: String = text
        .chars()
        .take(MOST)
        .filter(|c| !c.is_control())
        .collect();
    if text.chars().nth(MOST).is_some() {
        out.push('…');
    }
    out
}

/// Advice for a request that is not HTTP.
fn without_profile(certificate: bool) -> &'static str {
    match certificate {
        true => "no access profile is given to this certificate; ask the operator for one",
        false => "this server asks for a client certificate that it knows; connect with yours",
    }
}

fn unreadable(status: StatusCode) -> &'static str {
    match status {
        StatusCode::URI_TOO_LONG => {
            "the address is too long to be read; send the parameters by POST [type]/_search"
        }
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
            "the headers are too many or too long to be read"
        }
        _ => {
            "the request is not readable as HTTP; in an address, blanks, double quotes, < and > must be \
             percent-encoded (%20 %22 %3C %3E)"
        }
    }
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| {
        format!("; {name} was probably meant (names are case-sensitive)")
    })
}

fn type_names() -> String {
    ResourceType::ALL.map(ResourceType::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_type_is_told_with_the_nearest_one() {
        let refusal = Refusal::UnknownType {
            written: "Healthcareservice".into(),
            nearest: Some("HealthcareService"),
        };
        assert_eq!(refusal.status(), 404);
        let issue = &refusal.issues()[0];
        assert_eq!(issue.code, "not-supported");
        assert!(
            issue
                .diagnostics
                .contains("HealthcareService was probably meant"),
            "{}",
            issue.diagnostics
        );
        assert!(
            issue.diagnostics.contains("PractitionerRole"),
            "{}",
            issue.diagnostics
        );
    }

    #[test]
    fn a_defect_says_its_reference_and_nothing_else() {
        let refusal = Refusal::Defect {
            reference: "r-1".into(),
        };
        let issue = &refusal.issues()[0];
        assert_eq!((refusal.status().as_u16(), issue.code), (500, "exception"));
        assert_eq!(
            issue.diagnostics,
            "a defect of the server, recorded under the reference r-1"
        );
    }

    #[test]
    fn text_of_the_client_is_cut_and_cleaned() {
        assert_eq!(shown("a\u{7}b\n"), "ab");
        assert_eq!(shown(&"é".repeat(300)), format!("{}…", "é".repeat(100)));
    }
}
