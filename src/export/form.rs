//! The forms of an export's files, and what stands around the resources in each.

use bytes::Bytes;
use serde_json::json;

/// How the resources of a file are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OutputForm {
    /// One resource on each line (`application/fhir+ndjson`).
    #[default]
    Ndjson,
    /// One Bundle of type `collection` (`application/fhir+json`).
    Json,
}

/// The values of `_outputFormat` that are understood.
pub(super) const NAMES: [(&str, OutputForm); 5] = [
    ("application/fhir+ndjson", OutputForm::Ndjson),
    ("application/ndjson", OutputForm::Ndjson),
    ("ndjson", OutputForm::Ndjson),
    ("application/fhir+json", OutputForm::Json),
    ("application/json", OutputForm::Json),
];

impl OutputForm {
    /// The form that a value of `_outputFormat` names; a blank stands for a plus that was not encoded.
    pub fn from_name(written: &str) -> Option<OutputForm> {
        let meant = written.trim().replace(' ', "+").to_ascii_lowercase();
        NAMES
            .iter()
            .find(|(name, _)| *name == meant)
            .map(|(_, form)| *form)
    }

    /// What the names of its files end with.
    pub fn extension(self) -> &'static str {
        match self {
            OutputForm::Ndjson => "ndjson",
            OutputForm::Json => "json",
        }
    }

    /// The media type of its files.
    pub fn media_type(self) -> &'static str {
        match self {
            OutputForm::Ndjson => "application/fhir+ndjson",
            OutputForm::Json => "application/fhir+json",
        }
    }
}

/// What stands before, between and after the resources of a file.
#[derive(Debug)]
pub(super) struct Framing {
    pub(super) head: Bytes,
    pub(super) separator: Bytes,
    pub(super) tail: Bytes,
}

impl Framing {
    /// The framing of one resource on each line.
    pub(super) fn ndjson() -> Framing {
        Framing {
            head: Bytes::new(),
            separator: Bytes::from_static(b"\n"),
            tail: Bytes::from_static(b"\n"),
        }
    }

    /// The framing of a Bundle with this id and instant, whose `fullUrl`s lie under `base_url`.
    pub(super) fn bundle(id: &str, instant: &str, base_url: &str) -> Framing {
        let bundle = json!({
            "resourceType": "Bundle",
            "id": id,
            "meta": { "lastUpdated": instant },
            "type": "collection",
            "timestamp": instant,
        });
        let mut head = bundle.to_string();
        // The Bundle stays open for its entries, and the URL of an entry for what is stored of it.
        head.pop();
        let mut url = json!(format!("{base_url}/")).to_string();
        url.pop();
        head.push_str(",\"entry\":[{\"fullUrl\":");
        head.push_str(&url);
        Framing {
            head: Bytes::from(head),
            separator: Bytes::from(format!("}},{{\"fullUrl\":{url}")),
            tail: Bytes::from_static(b"}]}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::OutputForm;

    #[test]
    fn every_documented_name_is_a_form() {
        for (written, form) in [
            ("application/fhir+ndjson", Some(OutputForm::Ndjson)),
            ("application/fhir ndjson", Some(OutputForm::Ndjson)),
            ("ndjson", Some(OutputForm::Ndjson)),
            ("application/ndjson", Some(OutputForm::Ndjson)),
            ("application/fhir+json", Some(OutputForm::Json)),
            ("application/json", Some(OutputForm::Json)),
            ("json", None),
            ("application/fhir+xml", None),
            ("", None),
        ] {
            assert_eq!(OutputForm::from_name(written), form, "{written}");
        }
    }
}
