//! What form of answer the client wants: `_format`, `_pretty` and `Accept`.
//!
//! All answers are `application/fhir+json; charset=utf-8`, whichever of the JSON names was asked for,
//! as FHIR R4 (http.html, section 3.1.0.1.10) has it: the other names are aliases of that type.

use http::{HeaderMap, header::ACCEPT};

use super::query::{pairs, value};
use super::refusal::{Refusal, shown};

/// The `Content-Type` of every FHIR answer but those of [`FHIR_JSON_R4`].
pub(super) const FHIR_JSON: &str = "application/fhir+json; charset=utf-8";

/// The `Content-Type` of what a write comes to: clients that report anomalies are promised the version too.
pub(super) const FHIR_JSON_R4: &str = "application/fhir+json; fhirVersion=4.0; charset=utf-8";

/// Media types of which this server's answers are an instance, each with its range.
const SERVED: [(&str, &str); 3] = [
    ("application", "fhir+json"),
    ("application", "json"),
    ("text", "json"),
];

/// Whether the client wants its answer indented, once its format was found acceptable.
///
/// `query` is the joined query, already known to decode. `_format` wins over `Accept`.
pub(super) fn negotiate(query: &str, headers: &HeaderMap) -> Result<bool, Refusal> {
    let mut pretty = false;
    let mut format_given = false;
    for (name, raw) in pairs(query) {
        match name.as_ref() {
            "_format" => {
                let written = value(raw);
                if written.is_empty() {
                    return Err(Refusal::BadValue {
                        name: "_format",
                        written: String::new(),
                        expected: "json",
                    });
                }
                if !format_is_json(&written) {
                    return Err(Refusal::NotAcceptable {
                        source_name: "_format",
                        written: shown(&written),
                    });
                }
                format_given = true;
            }
            "_pretty" => {
                let written = value(raw);
                pretty = match written.as_ref() {
                    "true" => true,
                    "false" => false,
                    _ => {
                        return Err(Refusal::BadValue {
                            name: "_pretty",
                            written: shown(&written),
                            expected: "true or false",
                        });
                    }
                };
            }
            _ => {}
        }
    }
    if !format_given {
        accept(headers)?;
    }
    Ok(pretty)
}

/// Whether a value of `_format` names JSON: a short word or a media type, its plus perhaps decoded to a blank.
fn format_is_json(written: &str) -> bool {
    let mut parts = written.split(';');
    let name = parts.next().unwrap_or("").trim().to_ascii_lowercase();
    let known = matches!(
        name.as_str(),
        "json"
            | "text/json"
            | "application/json"
            | "application/fhir+json"
            | "application/fhir json"
    );
    known && parts.all(parameter_fits)
}

/// Whether one of the ranges of `Accept` lets an answer through.
fn accept(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut written = String::new();
    for line in headers.get_all(ACCEPT) {
        // A line that is not text names no type we serve.
        let line = line.to_str().unwrap_or("unreadable");
        if !written.is_empty() {
            written.push_str(", ");
        }
        written.push_str(line);
    }
    if written.trim().is_empty() {
        return Ok(());
    }
    let ranges: Vec<Range> = split_outside_quotes(&written, ',')
        .filter_map(Range::read)
        .collect();
    let accepted = SERVED.iter().any(|served| {
        ranges
            .iter()
            .filter_map(|range| {
                range
                    .precision(served)
                    .map(|precision| (precision, range.positive))
            })
            // The most precise range decides, whatever its place in the list.
            .max_by_key(|(precision, positive)| (*precision, *positive))
            .is_some_and(|(_, positive)| positive)
    });
    if accepted {
        Ok(())
    } else {
        Err(Refusal::NotAcceptable {
            source_name: "Accept",
            written: shown(&written),
        })
    }
}

/// One range of an `Accept` header.
struct Range {
    kind: String,
    subtype: String,
    /// Its parameters let our answers through: charset UTF-8, FHIR version 4.0.
    fits: bool,
    /// Its weight is not zero.
    positive: bool,
}

impl Range {
    /// Reads `type/subtype;parameters`; `None` for an empty element of the list.
    fn read(text: &str) -> Option<Self> {
        let mut parts = split_outside_quotes(text, ';');
        let name = parts.next()?.trim().to_ascii_lowercase();
        if name.is_empty() {
            return None;
        }
        // The short word stands in some clients' Accept too.
        let (kind, subtype) = match name.split_once('/') {
            Some((kind, subtype)) => (kind, subtype),
            None if name == "json" => ("application", "json"),
            None => (name.as_str(), ""),
        };
        let mut range = Self {
            kind: kind.to_owned(),
            subtype: subtype.to_owned(),
            fits: true,
            positive: true,
        };
        for parameter in parts {
            match parameter.split_once('=') {
                Some((name, weight)) if name.trim().eq_ignore_ascii_case("q") => {
                    // A weight that is no number was not meant as a refusal.
                    range.positive = weight
                        .trim()
                        .parse::<f32>()
                        .map_or(true, |weight| weight > 0.0);
                }
                _ => range.fits &= parameter_fits(parameter),
            }
        }
        Some(range)
    }

    /// How precisely the range covers a served type: 3 by name, 2 by kind, 1 by `*/*`; `None` if not.
    fn precision(&self, (kind, subtype): &(&str, &str)) -> Option<u8> {
        if !self.fits {
            return None;
        }
        match (self.kind.as_str(), self.subtype.as_str()) {
            ("*", "*") => Some(1),
            (k, "*") if k == *kind => Some(2),
            (k, s) if k == *kind && s == *subtype => Some(3),
            _ => None,
        }
    }
}

/// Whether a parameter of a media type describes what we send; unknown ones do not matter.
fn parameter_fits(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else {
        return true;
    };
    let value = value.trim().trim_matches('"').trim();
    match name.trim().to_ascii_lowercase().as_str() {
        "fhirversion" => value == "4.0" || value == "4.0.1",
        "charset" => value.eq_ignore_ascii_case("utf-8") || value.eq_ignore_ascii_case("utf8"),
        _ => true,
    }
}

/// The parts of a header between separators that stand outside quotes.
fn split_outside_quotes(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        if c == '"' {
            quoted = !quoted;
        }
        c == separator && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(query: &str, accept: Option<&'static str>) -> Result<bool, u16> {
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(ACCEPT, http::HeaderValue::from_static(accept));
        }
        negotiate(query, &headers).map_err(|refusal| refusal.status().as_u16())
    }

    #[test]
    fn every_name_of_json_is_acceptable() {
        for accept in [
            None,
            Some(""),
            Some("*/*"),
            Some("application/fhir+json"),
            Some("application/json"),
            Some("text/json"),
            Some("json"),
            Some("application/*;q=0.1"),
            Some("Application/FHIR+JSON; fhirVersion=4.0"),
            Some("application/fhir+json;fhirVersion=\"4.0\";charset=UTF-8"),
            Some("application/fhir+xml, application/fhir+json;q=0.2"),
            Some("text/html,application/xhtml+xml,*/*;q=0.8"),
            Some("application/fhir+json;q=0, application/json"),
            Some(", application/json ,"),
        ] {
            assert_eq!(status("", accept), Ok(false), "{accept:?}");
        }
    }

    #[test]
    fn other_formats_are_not() {
        for accept in [
            "application/fhir+xml",
            "text/turtle",
            "text/html",
            "application/fhir+json; fhirVersion=3.0",
            "application/fhir+json; fhirVersion=5.0, text/json;q=0",
            "*/*;q=0",
            "application/json;charset=iso-8859-1",
            "application/fhir+json;q=0, application/json;q=0.0, text/json;q=0, */*",
            "text/x;a=\", application/json\"",
        ] {
            assert_eq!(status("", Some(accept)), Err(406), "{accept}");
        }
    }

    #[test]
    fn format_wins_over_accept() {
        for format in [
            "json",
            "JSON",
            "application/json",
            "text/json",
            "application/fhir+json",
            "application/fhir%2Bjson",
            "application%2Ffhir%20json",
            "application/fhir+json;fhirVersion=4.0",
            "+json+",
        ] {
            assert_eq!(
                status(&format!("a=b&_format={format}"), Some("text/turtle")),
                Ok(false),
                "{format}"
            );
        }
        for format in [
            "xml",
            "application/fhir+xml",
            "ttl",
            "html",
            "jsonx",
            "json;fhirVersion=3.0",
        ] {
            assert_eq!(
                status(&format!("_format={format}"), Some("application/json")),
                Err(406),
                "{format}"
            );
        }
        assert_eq!(status("_format=", None), Err(400));
        assert_eq!(status("_format=json&_format=xml", None), Err(406));
    }

    #[test]
    fn pretty_is_a_boolean() {
        assert_eq!(status("_pretty=true", None), Ok(true));
        assert_eq!(status("_pretty=false&_format=json", None), Ok(false));
        for bad in ["_pretty=yes", "_pretty=", "_pretty", "_pretty=TRUE"] {
            assert_eq!(status(bad, None), Err(400), "{bad}");
        }
    }
}
