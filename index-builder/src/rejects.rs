//! Why a record is refused, and the file that tells the sender of the extract about it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::input::Origin;

/// Characters of the refused text shown in the reject file.
const EXCERPT_CHARACTERS: usize = 120;
/// Characters of a found value repeated in a reason.
const SHOWN_CHARACTERS: usize = 80;

/// Why one record is not a usable resource. Its `Display` is one sentence for the sender.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RejectReason {
    /// The text does not parse.
    #[error("the text is not valid JSON at byte {offset} of the record: {detail}")]
    NotJson {
        /// Byte of the record where parsing failed, from 0.
        offset: u64,
        /// What the parser says.
        detail: String,
    },
    /// The text holds bytes that are not UTF-8.
    #[error("byte {offset} of the record is not UTF-8; export the extract as UTF-8")]
    NotUtf8 {
        /// The first such byte of the record, from 0.
        offset: u64,
    },
    /// The text is valid JSON, but no object.
    #[error("a resource must be a JSON object, this is {found}")]
    NotAnObject {
        /// What it is, with its article: `a number`, `an array`.
        found: &'static str,
    },
    /// `resourceType` is missing or is no string.
    #[error("the resource does not say its resourceType")]
    NoResourceType,
    /// `resourceType` is not one of the directory's.
    #[error("resourceType {} is not one of the directory's{}", shown(.found), did_you_mean(.nearest))]
    UnknownType {
        /// The type as written.
        found: String,
        /// A known type that is written nearly so.
        nearest: Option<String>,
    },
    /// `id` is missing or is no string.
    #[error("the resource has no id")]
    NoId,
    /// `id` breaks the grammar of FHIR R4 ids.
    #[error("the id {} is not a FHIR id (1 to 64 letters, digits, '-' and '.')", shown(.id))]
    BadId {
        /// The id as written.
        id: String,
    },
    /// An element that the index needs does not have the form R4 gives it.
    #[error("{element} is not usable: {detail}")]
    BadElement {
        /// Path of the element, such as `meta.lastUpdated`.
        element: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The text is longer than allowed.
    #[error("the record is {bytes} bytes long, the limit is {limit}")]
    TooLong {
        /// Its length in bytes.
        bytes: u64,
        /// The longest allowed, in bytes.
        limit: u64,
    },
    /// A Bundle entry without `resource`.
    #[error("the Bundle entry holds no resource")]
    NoResourceInEntry,
}

impl RejectReason {
    /// An unknown type, with the nearest of `known` when one is near enough to be what was meant.
    pub fn unknown_type<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let nearest = known
            .into_iter()
            .map(|name| (distance(found, name), name))
            .min()
            .filter(|(distance, _)| *distance <= 3)
            .map(|(_, name)| name.to_owned());
        RejectReason::UnknownType {
            found: found.to_owned(),
            nearest,
        }
    }

    /// A stable word for machines, the same in the reject file and in reports.
    pub fn code(&self) -> &'static str {
        match self {
            RejectReason::NotJson { .. } => "not-json",
            RejectReason::NotUtf8 { .. } => "not-utf8",
            RejectReason::NotAnObject { .. } => "not-an-object",
            RejectReason::NoResourceType => "no-resource-type",
            RejectReason::UnknownType { .. } => "unknown-type",
            RejectReason::NoId => "no-id",
            RejectReason::BadId { .. } => "bad-id",
            RejectReason::BadElement { .. } => "bad-element",
            RejectReason::TooLong { .. } => "too-long",
            RejectReason::NoResourceInEntry => "no-resource-in-entry",
        }
    }
}

fn shown(value: &str) -> String {
    let mut text: String = value.chars().take(SHOWN_CHARACTERS).collect();
    if text.len() < value.len() {
        text.push('…');
    }
    format!("{text:?}")
}

fn did_you_mean(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

/// Edit distance without regard to case; lengths far apart are not compared further.
fn distance(left: &str, right: &str) -> usize {
    if left.len().abs_diff(right.len()) > 3 {
        return usize::MAX;
    }
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, a) in left.to_lowercase().chars().enumerate() {
        let mut next = vec![line + 1];
        for ((b, costs), column) in right.iter().zip(row.windows(2)).zip(0..) {
            let (diagonal, above) = (costs.first(), costs.last());
            let replaced = diagonal.map_or(usize::MAX, |cost| cost + usize::from(a != *b));
            let removed = above.map_or(usize::MAX, |cost| cost + 1);
            let added = next.get(column).map_or(usize::MAX, |cost| cost + 1);
            next.push(replaced.min(removed).min(added));
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// The reject file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the reject file {}: {error}; free space there or choose another place", .path.display())]
pub struct RejectFileError {
    /// The file.
    pub path: PathBuf,
    /// What the system answered.
    #[source]
    pub error: io::Error,
}

/// Writes one JSON object per refused record (NDJSON).
///
/// The file appears with the first reject, replacing an older one: a build without rejects leaves none.
#[derive(Debug)]
pub struct RejectWriter {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    count: u64,
}

#[derive(Serialize)]
struct Line<'a> {
    file: &'a str,
    line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
    code: &'a str,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    excerpt: Option<String>,
}

impl RejectWriter {
    /// Prepares to write to `path`; nothing is created yet.
    pub fn create(path: impl Into<PathBuf>) -> Self {
        RejectWriter {
            path: path.into(),
            file: None,
            count: 0,
        }
    }

    /// Adds one reject. `text` is the refused text or its beginning; an excerpt of it is written.
    ///
    /// # Errors
    /// The file cannot be created or written.
    pub fn write(
        &mut self,
        origin: &Origin,
        reason: &RejectReason,
        text: &[u8],
    ) -> Result<(), RejectFileError> {
        let line = Line {
            file: &origin.source,
            line: origin.line,
            entry: origin.entry,
            code: reason.code(),
            reason: reason.to_string(),
            excerpt: excerpt(text),
        };
        let written = self.open().and_then(|file| {
            serde_json::to_writer(&mut *file, &line)?;
            file.write_all(b"\n")
        });
        written.map_err(|error| self.failed(error))?;
        self.count += 1;
        Ok(())
    }

    /// Rejects written so far.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Where the file is, or would be.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the file durable; its path, or `None` when there was nothing to write.
    ///
    /// # Errors
    /// What was buffered cannot be written or synced.
    pub fn finish(mut self) -> Result<Option<PathBuf>, RejectFileError> {
        let Some(mut file) = self.file.take() else {
            return Ok(None);
        };
        file.flush()
            .and_then(|()| file.get_ref().sync_all())
            .map_err(|error| self.failed(error))?;
        Ok(Some(self.path))
    }

    fn open(&mut self) -> io::Result<&mut BufWriter<File>> {
        let file = match self.file.take() {
            Some(file) => file,
            None => BufWriter::new(File::create(&self.path)?),
        };
        Ok(self.file.insert(file))
    }

    fn failed(&self, error: io::Error) -> RejectFileError {
        RejectFileError {
            path: self.path.clone(),
            error,
        }
    }
}

fn excerpt(text: &[u8]) -> Option<String> {
    // A character takes at most four bytes, so this much holds all that is shown.
    let head = text.get(..EXCERPT_CHARACTERS * 4).unwrap_or(text);
    let shown: String = String::from_utf8_lossy(head)
        .chars()
        .take(EXCERPT_CHARACTERS)
        .collect();
    (!shown.is_empty()).then_some(shown)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn origin(entry: Option<u64>) -> Origin {
        Origin {
            source: "a.ndjson".into(),
            line: 12,
            entry,
        }
    }

    #[test]
    fn one_json_object_per_reject() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects.ndjson");
        let mut writer = RejectWriter::create(&path);
        assert!(!path.exists(), "created only with the first reject");
        let long = "é\n\"".repeat(100);
        writer
            .write(&origin(None), &RejectReason::NoId, long.as_bytes())
            .unwrap();
        writer
            .write(&origin(Some(3)), &RejectReason::NoResourceInEntry, b"")
            .unwrap();
        assert_eq!(writer.count(), 2);
        assert_eq!(writer.finish().unwrap(), Some(path.clone()));

        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["file"], "a.ndjson");
        assert_eq!(lines[0]["line"], 12);
        assert_eq!(lines[0]["code"], "no-id");
        assert_eq!(lines[0]["reason"], "the resource has no id");
        let shown = lines[0]["excerpt"].as_str().unwrap();
        assert_eq!(shown.chars().count(), EXCERPT_CHARACTERS);
        assert!(long.starts_with(shown));
        assert!(lines[0].get("entry").is_none());
        assert_eq!(lines[1]["entry"], 3);
        assert!(lines[1].get("excerpt").is_none());
    }

    #[test]
    fn no_reject_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rejects.ndjson");
        assert_eq!(RejectWriter::create(&path).finish().unwrap(), None);
        assert!(!path.exists());
    }

    #[test]
    fn text_that_is_not_utf8_still_has_an_excerpt() {
        assert_eq!(excerpt(b"a\xFFb").as_deref(), Some("a\u{FFFD}b"));
    }

    #[test]
    fn a_file_that_cannot_be_made_says_which() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing/rejects.ndjson");
        let error = RejectWriter::create(&path)
            .write(&origin(None), &RejectReason::NoId, b"")
            .unwrap_err();
        assert!(error.to_string().contains("missing/rejects.ndjson"));
    }

    #[test]
    fn the_type_that_was_meant_is_offered() {
        let known = ["HealthcareService", "Location", "Organization", "Task"];
        let nearest = |found| match RejectReason::unknown_type(found, known) {
            RejectReason::UnknownType { nearest, .. } => nearest,
            other => panic!("{other}"),
        };
        assert_eq!(nearest("Organisation").as_deref(), Some("Organization"));
        assert_eq!(
            nearest("healthcareservice").as_deref(),
            Some("HealthcareService")
        );
        assert_eq!(nearest("Locations").as_deref(), Some("Location"));
        assert_eq!(nearest("Patient"), None);
        assert_eq!(
            RejectReason::unknown_type("Organisation", known).to_string(),
            "resourceType \"Organisation\" is not one of the directory's; did you mean Organization?"
        );
    }

    #[test]
    fn a_long_value_is_cut_in_the_sentence() {
        let reason = RejectReason::BadId {
            id: "x".repeat(10_000),
        };
        assert!(reason.to_string().len() < 300);
    }
}
