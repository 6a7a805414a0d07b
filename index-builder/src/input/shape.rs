//! Decides how a text is cut into resources: by lines, or as JSON documents.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use serde::Serialize;

use super::batch::Batcher;
use super::document::{DocumentKind, DocumentSplitter};
use super::error::InputError;

/// How a text is cut into resources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// One resource per line.
    Ndjson,
    /// Whole JSON documents, one after another: Bundles, or single resources.
    Documents,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Shape::Ndjson => "NDJSON",
            Shape::Documents => "JSON documents",
        })
    }
}

/// Recognises the shape from the beginning of the text (no byte-order mark), helped by the name.
///
/// The name alone is not believed: exports hold NDJSON in `.json` files and a Bundle in `.ndjson` ones.
pub(super) fn recognise(
    beginning: &[u8],
    named: Option<Shape>,
    input: &str,
) -> Result<Shape, InputError> {
    let text = beginning.trim_ascii_start();
    match text.first() {
        Some(b'{') => {}
        Some(b'[') if named != Some(Shape::Ndjson) => {
            return Err(InputError::ArrayDocument {
                input: input.to_owned(),
            });
        }
        _ => return Ok(Shape::Ndjson),
    }
    if probe(text).0 == Some(DocumentKind::Bundle) {
        return Ok(Shape::Documents);
    }
    if named == Some(Shape::Ndjson) {
        return Ok(Shape::Ndjson);
    }
    let Some((line, after)) =
        memchr::memchr(b'\n', text).and_then(|end| text.split_at_checked(end))
    else {
        return Ok(named.unwrap_or(Shape::Ndjson));
    };
    let (_, complete) = probe(line);
    // A cut first line is followed by the next record's brace; an indented object is not, except where
    // the grammar calls for a value.
    let cut = after.trim_ascii_start().first() == Some(&b'{')
        && !matches!(
            line.trim_ascii_end().last(),
            Some(b'[' | b',' | b':' | b'{')
        );
    Ok(if complete || cut {
        Shape::Ndjson
    } else {
        Shape::Documents
    })
}

/// What the first document of `text` is, and whether `text` ends between two documents.
fn probe(text: &[u8]) -> (Option<DocumentKind>, bool) {
    let mut discard = |_| ControlFlow::Break(());
    let mut out = Batcher::new(0, &mut discard);
    let mut splitter = DocumentSplitter::new(Arc::from(""), 0);
    let followed = splitter.push(text, &mut out).is_ok();
    (
        splitter.first_kind(),
        followed && splitter.between_documents(),
    )
}
