//! Which interaction a method and a path name, or why none.

use http::Method;
use rorqual_schema::ResourceType;

use super::encoding::decode;
use super::export::{self, ExportRoute};
use super::nearest::nearest;
use super::refusal::{Refusal, shown};
use crate::index::overlay::WRITTEN;

/// An interaction that the server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    /// Search of one type, by URL.
    Search(ResourceType),
    /// Search of one type, by posted form.
    SearchForm(ResourceType),
    /// The plan of a search of one type.
    Explain(ResourceType),
    /// Read of the present version of one resource.
    Read(ResourceType, String),
    /// Read of a version of one resource.
    ReadVersion(ResourceType, String, String),
    /// A new anomaly.
    Create,
    /// A change of one anomaly.
    Patch(String),
    /// Several requests in one Bundle.
    Requests,
    /// Bulk export.
    Export(ExportRoute),
    /// The CapabilityStatement.
    Metadata,
    /// The process lives.
    Live,
    /// The server can answer searches.
    Ready,
    /// The server has started.
    Started,
}

const READ_METHODS: &str = "GET, HEAD";
const FORM_METHODS: &str = "POST";
/// At the base of anomalies, at one of them, at the base of the server.
const CREATE_METHODS: &str = "GET, HEAD, POST";
const PATCH_METHODS: &str = "GET, HEAD, PATCH";
const BUNDLE_METHODS: &str = "POST";

/// Finds the interaction. `path` is the raw path of the URL, `base_path` the path of the base URL.
pub(super) fn route(method: &Method, path: &str, base_path: &str) -> Result<Route, Refusal> {
    let decoded = decode(path).map_err(|fault| Refusal::Encoding {
        place: "path",
        fault,
    })?;
    // Published requests end in blanks or a slash; neither can be part of a name.
    let path = decoded.trim_end_matches([' ', '/']);
    match path {
        "/livez" => return reading(method, Route::Live, ""),
        "/readyz" => return reading(method, Route::Ready, ""),
        "/startupz" => return reading(method, Route::Started, ""),
        _ => {}
    }
    let outside = || Refusal::OutsideBase {
        path: shown(path),
        base: if base_path.is_empty() {
            "/".to_owned()
        } else {
            base_path.to_owned()
        },
    };
    let below = match path.strip_prefix(base_path) {
        Some("") => return at_base(method),
        Some(below) => below.strip_prefix('/').ok_or_else(outside)?,
        None => return Err(outside()),
    };
    let mut segments = below.split('/');
    let head = segments.next().unwrap_or("");
    let rest: Vec<&str> = segments.collect();

    if head == "metadata" && rest.is_empty() {
        return reading(method, Route::Metadata, "");
    }
    if head == "_history" && rest.is_empty() {
        return Err(Refusal::NoHistory { path: shown(below) });
    }
    if head == "_search" && rest.is_empty() {
        return Err(Refusal::WholeSystem);
    }
    if let Some(found) = export::route(method, head, &rest) {
        return found.map(Route::Export);
    }
    if head.starts_with('$') {
        return Err(Refusal::UnknownOperation {
            written: shown(below),
        });
    }
    if head == "Bundle" && rest.is_empty() && method == Method::POST {
        return Err(refused(
            method,
            "",
            ": a Bundle of requests (batch or transaction) is posted on the base URL itself",
        ));
    }
    let Some(kind) = ResourceType::from_name(head) else {
        return Err(Refusal::UnknownType {
            written: shown(head),
            nearest: nearest(head, ResourceType::ALL.map(ResourceType::name)),
        });
    };
    if kind == WRITTEN
        && let Some(route) = of_anomalies(method, &rest)
    {
        return route;
    }
    match rest.as_slice() {
        [] => reading(method, Route::Search(kind), READ_ONLY),
        ["_search"] if method == Method::POST => Ok(Route::SearchForm(kind)),
        ["_search"] => Err(refused(
            method,
            FORM_METHODS,
            ": _search takes a posted form",
        )),
        ["_history"] => Err(Refusal::NoHistory { path: shown(below) }),
        ["$explain"] => reading(method, Route::Explain(kind), ""),
        [operation] | [_, operation] if operation.starts_with('$') => {
            Err(Refusal::UnknownOperation {
                written: shown(operation),
            })
        }
        [id] if !is_id(id) => Err(Refusal::BadId {
            kind,
            id: shown(id),
        }),
        [id] => reading(method, Route::Read(kind, (*id).to_owned()), READ_ONLY),
        [id, "_history"] if is_id(id) => Err(Refusal::NoHistory { path: shown(below) }),
        [id, "_history", version] if is_id(id) => reading(
            method,
            Route::ReadVersion(kind, (*id).to_owned(), (*version).to_owned()),
            "",
        ),
        _ => Err(Refusal::UnknownAddress { path: shown(below) }),
    }
}

const READ_ONLY: &str = ": the directory is read-only";

fn reading(method: &Method, route: Route, hint: &'static str) -> Result<Route, Refusal> {
    if method == Method::GET || method == Method::HEAD {
        Ok(route)
    } else {
        Err(refused(method, READ_METHODS, hint))
    }
}

/// What is offered for anomalies and not for the directory; `None`: the same as for all types.
fn of_anomalies(method: &Method, rest: &[&str]) -> Option<Result<Route, Refusal>> {
    let reads = method == Method::GET || method == Method::HEAD;
    match rest {
        ["_history"] | [_, "_history"] => Some(Err(refused(
            method,
            "",
            ": no history is listed; a version is read at Task/[id]/_history/[version] as long as it is kept",
        ))),
        [] if method == Method::POST => Some(Ok(Route::Create)),
        [] if !reads => Some(Err(refused(
            method,
            CREATE_METHODS,
            ": one anomaly at a time is changed, by PATCH Task/[id]",
        ))),
        // Operations and forms go their common way, and so does what is no id.
        [name] if reads || name.starts_with(['_', '$']) || !is_id(name) => None,
        [id] if method == Method::PATCH => Some(Ok(Route::Patch((*id).to_owned()))),
        [_] => Some(Err(refused(
            method,
            PATCH_METHODS,
            ": an anomaly is changed by PATCH, and inactivated by a PATCH of its businessStatus to 03",
        ))),
        _ => None,
    }
}

fn at_base(method: &Method) -> Result<Route, Refusal> {
    if method == Method::POST {
        Ok(Route::Requests)
    } else if method == Method::GET || method == Method::HEAD {
        Err(Refusal::WholeSystem)
    } else {
        Err(refused(
            method,
            BUNDLE_METHODS,
            ": Bundles of requests are posted",
        ))
    }
}

fn refused(method: &Method, allow: &'static str, hint: &'static str) -> Refusal {
    Refusal::Method {
        method: shown(method.as_str()),
        allow,
        hint,
    }
}

/// FHIR's grammar of `id`: 1 to 64 of `A-Z a-z 0-9 - .`
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    use ResourceType::{HealthcareService, Location, Task};

    fn get(path: &str) -> Result<Route, Refusal> {
        route(&Method::GET, path, "/fhir")
    }

    #[test]
    fn offered_interactions_are_found() {
        for (method, path, expected) in [
            (
                "GET",
                "/fhir/HealthcareService",
                Route::Search(HealthcareService),
            ),
            ("HEAD", "/fhir/Location/", Route::Search(Location)),
            ("GET", "/fhir/Location%20", Route::Search(Location)),
            ("GET", "/fhir/Location/%20/", Route::Search(Location)),
            (
                "POST",
                "/fhir/Location/_search",
                Route::SearchForm(Location),
            ),
            (
                "POST",
                "/fhir/Location/_search/",
                Route::SearchForm(Location),
            ),
            ("GET", "/fhir/Task/a-1.B", Route::Read(Task, "a-1.B".into())),
            ("HEAD", "/fhir/Task/a%2D1", Route::Read(Task, "a-1".into())),
            (
                "GET",
                "/fhir/Task/1/_history/2",
                Route::ReadVersion(Task, "1".into(), "2".into()),
            ),
            (
                "HEAD",
                "/fhir/Location/1/_history/2",
                Route::ReadVersion(Location, "1".into(), "2".into()),
            ),
            ("POST", "/fhir/Task", Route::Create),
            ("POST", "/fhir/Task/", Route::Create),
            ("PATCH", "/fhir/Task/1", Route::Patch("1".into())),
            ("POST", "/fhir/Task/_search", Route::SearchForm(Task)),
            ("POST", "/fhir", Route::Requests),
            ("POST", "/fhir/", Route::Requests),
            (
                "GET",
                "/fhir/%24export/",
                Route::Export(ExportRoute::KickOff),
            ),
            (
                "DELETE",
                "/fhir/$export-poll-status",
                Route::Export(ExportRoute::Status { cancel: true }),
            ),
            (
                "HEAD",
                "/fhir/$export-get-file/j/Location-1.json",
                Route::Export(ExportRoute::File {
                    job: "j".into(),
                    name: "Location-1.json".into(),
                }),
            ),
            ("GET", "/fhir/metadata", Route::Metadata),
            ("HEAD", "/livez", Route::Live),
            ("GET", "/readyz", Route::Ready),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(route(&method, path, "/fhir").unwrap(), expected, "{path}");
        }
        assert_eq!(
            route(&Method::GET, "/Location", "").unwrap(),
            Route::Search(Location)
        );
    }

    #[test]
    fn other_addresses_are_told_apart() {
        let long = format!("/fhir/Location/{}", "a".repeat(65));
        for (path, status, code) in [
            ("/", 404, "not-supported"),
            ("/fhirx/Location", 404, "not-supported"),
            ("/fhir", 404, "not-supported"),
            ("/fhir/", 404, "not-supported"),
            ("/fhir//Location", 404, "not-supported"),
            ("/fhir/Patient", 404, "not-supported"),
            ("/fhir/healthcareservice", 404, "not-supported"),
            ("/fhir/Healthcareservice/1", 404, "not-supported"),
            ("/fhir/_history", 404, "not-supported"),
            ("/fhir/_search", 404, "not-supported"),
            ("/fhir/$foo", 404, "not-supported"),
            ("/fhir/%24foo", 404, "not-supported"),
            ("/fhir/$export/1", 404, "not-supported"),
            ("/fhir/Location/$export", 404, "not-supported"),
            ("/fhir/Location/1/$export", 404, "not-supported"),
            ("/fhir/Location/$foo", 404, "not-supported"),
            ("/fhir/Location/1/$foo", 404, "not-supported"),
            ("/fhir/Location/_history", 404, "not-supported"),
            ("/fhir/Location/1/_history", 404, "not-supported"),
            ("/fhir/Task/a_b", 404, "not-found"),
            ("/fhir/Task/$foo", 404, "not-supported"),
            ("/fhir/Location/1/Task", 404, "not-supported"),
            ("/fhir/Location/a%2Fb", 404, "not-supported"),
            ("/fhir/Location/a_b", 404, "not-found"),
            (&long, 404, "not-found"),
            ("/fhir/metadata/x", 404, "not-supported"),
            ("/fhir/Loc%zz", 400, "invalid"),
            ("/fhir/Loc%E9", 400, "invalid"),
            ("/fhir/Location/_search", 405, "not-supported"),
        ] {
            let refusal = get(path).unwrap_err();
            assert_eq!(
                (refusal.status().as_u16(), refusal.issues()[0].code),
                (status, code),
                "{path}"
            );
        }
    }

    #[test]
    fn slips_of_a_type_name_get_the_right_one() {
        for (path, meant) in [
            ("/fhir/Healthcareservice", "HealthcareService"),
            ("/fhir/location", "Location"),
            ("/fhir/Organisation", "Organization"),
            ("/fhir/PractionerRole", "PractitionerRole"),
        ] {
            let Err(Refusal::UnknownType { nearest, .. }) = get(path) else {
                panic!("{path}")
            };
            assert_eq!(nearest, Some(meant));
        }
        assert!(matches!(
            get("/fhir/Immunization"),
            Err(Refusal::UnknownType { nearest: None, .. })
        ));
    }

    #[test]
    fn methods_not_offered_say_what_is() {
        for (method, path, allow) in [
            ("POST", "/fhir/Location", "GET, HEAD"),
            ("PUT", "/fhir/Location/1", "GET, HEAD"),
            ("PATCH", "/fhir/Location", "GET, HEAD"),
            ("POST", "/fhir/Location/1/_history/2", "GET, HEAD"),
            ("DELETE", "/fhir/Task/1", "GET, HEAD, PATCH"),
            ("PUT", "/fhir/Task/1", "GET, HEAD, PATCH"),
            ("POST", "/fhir/Task/1", "GET, HEAD, PATCH"),
            ("PUT", "/fhir/Task", "GET, HEAD, POST"),
            ("PATCH", "/fhir/Task", "GET, HEAD, POST"),
            ("DELETE", "/fhir/Task", "GET, HEAD, POST"),
            ("GET", "/fhir/Task/_history", ""),
            ("GET", "/fhir/Task/1/_history", ""),
            ("DELETE", "/fhir/Task/1/_history/2", "GET, HEAD"),
            ("PUT", "/fhir/Task/_search", "POST"),
            ("OPTIONS", "/fhir/metadata", "GET, HEAD"),
            ("POST", "/livez", "GET, HEAD"),
            ("POST", "/fhir/$export", "GET, HEAD"),
            ("POST", "/fhir/$export-poll-status", "GET, HEAD, DELETE"),
            ("DELETE", "/fhir/$export-get-file/j/a.json", "GET, HEAD"),
            ("GET", "/fhir/Location/_search", "POST"),
            ("PUT", "/fhir/Location/_search", "POST"),
            ("PUT", "/fhir", "POST"),
            ("POST", "/fhir/Bundle", ""),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let refusal = route(&method, path, "/fhir").unwrap_err();
            assert_eq!(
                (refusal.status().as_u16(), refusal.allow()),
                (405, Some(allow)),
                "{method} {path}"
            );
        }
        let bundle = route(&Method::POST, "/fhir/Bundle", "/fhir")
            .unwrap_err()
            .to_string();
        assert!(bundle.contains("posted on the base URL"), "{bundle}");
    }
}
