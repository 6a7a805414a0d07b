//! What a build from a new extract carries over: the anomalies of the live generation, and those of the log.
//!
//! The bodies are read from their file alone, not through the structures of the generation: they can be carried over
//! from a generation that another format version wrote.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde::Deserialize;

use super::journal::{Journal, JournalError};
use crate::index::FormatError;
use crate::index::bodies::{BETWEEN, BODIES};

use crate::index::generation::Generation;
use crate::index::manifest::{AnomalyMark, MANIFEST};
use crate::index::overlay::WRITTEN;

/// Why the anomalies of an index directory cannot be carried over.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CarryError {
    /// The live generation cannot be read.
    #[error("the anomalies of the live index cannot be carried over: {0}")]
    Generation(#[source] FormatError),
    /// The log cannot be read.
    #[error("the log of anomalies cannot be carried over: {0}")]
    Journal(#[from] JournalError),
}

/// Calls `visit` with the body of every anomaly of the live generation, then reads the log beyond it. An index directory
/// without a generation has nothing to carry but its log.
///
/// # Errors
/// [`CarryError`], or what `visit` returns.
pub fn carried<E: From<CarryError>>(
    index: &Path,
    mut visit: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<Journal, E> {
    let damaged = |error| E::from(CarryError::Generation(error));
    let mark = match Generation::current(index) {
        Err(FormatError::NoGeneration { .. }) => AnomalyMark::default(),
        Err(error) => return Err(damaged(error)),
        Ok(id) => {
            let live = Generation::path_of(index, &id);
            let mark = mark_of(&live).map_err(damaged)?;
            let path = live.join(WRITTEN.name()).join(BODIES);
            let file =
                File::open(&path).map_err(|error| damaged(FormatError::reading(&path, error)))?;
            let mut bodies = BodyReader {
                source: BufReader::with_capacity(1 << 20, file),
                path: &path,
                buffer: Vec::new(),
                start: 0,
                ended: false,
            };
            while let Some(body) = bodies.next().map_err(damaged)? {
                visit(body)?;
            }
            mark
        }
    };
    Journal::read(index, mark).map_err(|error| E::from(CarryError::Journal(error)))
}

/// How far the log is in a generation, whatever its format version: the first had no log.
fn mark_of(generation: &Path) -> Result<AnomalyMark, FormatError> {
    #[derive(Deserialize)]
    struct Marked {
        #[serde(default)]
        anomalies: AnomalyMark,
    }
    let path = generation.join(MANIFEST);
    let text = std::fs::read(&path).map_err(|error| FormatError::reading(&path, error))?;
    let marked: Marked = serde_json::from_slice(&text).map_err(|error| FormatError::Damaged {
        path,
        detail: error.to_string(),
    })?;
    Ok(marked.anomalies)
}

/// Reads `Type/id","resource":{…}` records one after the other, the end of each told by its JSON.
struct BodyReader<'p, R> {
    source: R,
    path: &'p Path,
    buffer: Vec<u8>,
    /// Where the next record begins in the buffer.
    start: usize,
    ended: bool,
}

impl<R: Read> BodyReader<'_, R> {
    fn next(&mut self) -> Result<Option<&[u8]>, FormatError> {
        let range = loop {
            let rest = self.buffer.get(self.start..).unwrap_or(&[]);
            if rest.is_empty() && self.ended {
                return Ok(None);
            }
            if let Some(range) = record(rest) {
                break self.start + range.start..self.start + range.end;
            }
            if self.ended {
                return Err(FormatError::Damaged {
                    path: self.path.to_owned(),
                    detail: "it ends in the middle of a resource".to_owned(),
                });
            }
            self.fill()?;
        };
        self.start = range.end;
        Ok(self.buffer.get(range))
    }

    fn fill(&mut self) -> Result<(), FormatError> {
        const STEP: usize = 1 << 20;
        self.buffer.drain(..self.start);
        self.start = 0;
        let held = self.buffer.len();
        self.buffer.resize(held + STEP.max(held), 0);
        let read = self
            .source
            .read(self.buffer.get_mut(held..).unwrap_or(&mut []))
            .map_err(|error| FormatError::io(self.path, error))?;
        self.buffer.truncate(held + read);
        self.ended = read == 0;
        Ok(())
    }
}

/// Where the body of the first record is, when the whole of it is there.
fn record(text: &[u8]) -> Option<std::ops::Range<usize>> {
    let body = memchr::memmem::find(text, BETWEEN)? + BETWEEN.len();
    let mut stream = serde_json::Deserializer::from_slice(text.get(body..)?)
        .into_iter::<serde::de::IgnoredAny>();
    match stream.next()? {
        Ok(_) => Some(body..body + stream.byte_offset()),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let count = self.0.len().min(out.len()).min(7);
            let (now, later) = self.0.split_at(count);
            out[..count].copy_from_slice(now);
            self.0 = later;
            Ok(count)
        }
    }

    fn bodies(text: &[u8]) -> Result<Vec<String>, FormatError> {
        let mut reader = BodyReader {
            source: Trickle(text),
            path: Path::new("bodies.dat"),
            buffer: Vec::new(),
            start: 0,
            ended: false,
        };
        let mut found = Vec::new();
        while let Some(body) = reader.next()? {
            found.push(String::from_utf8_lossy(body).into_owned());
        }
        Ok(found)
    }

    #[test]
    fn bodies_come_back_one_by_one_and_a_cut_file_is_an_error() {
        let first = r#"{"a":"}\",\"resource\":{","b":[1,{"c":"é"}]}"#;
        let second = r#"{"id":"2"}"#;
        let text = format!("Task/1\",\"resource\":{first}Task/2\",\"resource\":{second}");
        assert_eq!(bodies(text.as_bytes()).unwrap(), [first, second]);
        assert!(bodies(b"").unwrap().is_empty());
        for end in 1..text.len() {
            let whole = end == text.find("Task/2").unwrap();
            assert_eq!(
                bodies(&text.as_bytes()[..end]).is_ok(),
                whole,
                "cut at {end}"
            );
        }
    }
}
