//! Cuts JSON documents (Bundles, single resources) into the texts of their resources.
//!
//! The text arrives in pieces of any size. Only the path to `entry[].resource` is followed; every other
//! value is passed over, and memory holds one resource at most.

use std::sync::Arc;

use memchr::{memchr_iter, memchr2};

use super::Origin;
use super::batch::Batcher;
use super::capture::Capture;
use super::error::InputError;
use super::value_scan::ValueScan;
use crate::rejects::RejectReason;

/// Longest key or type name looked at; the ones of interest are shorter even when fully escaped.
const NAME_BYTES: usize = 128;

/// What a document turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DocumentKind {
    /// Its entries hold the resources.
    Bundle,
    /// It is itself the resource, or at least no Bundle.
    Resource,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Between,
    KeyOrEnd,
    Key,
    InKey { escaped: bool },
    Colon,
    Value,
    InValue(Role),
    CommaOrEnd,
    EntryOrEnd,
    Entry,
    EntryCommaOrEnd,
}

/// What a value is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Passed,
    ResourceType,
    Resource,
    /// An element of `entry` that is not an object.
    BareEntry,
    /// The rest of a document that is not a Bundle.
    Document,
}

/// Which object the keys being read belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Document,
    Entry,
}

/// State between two pieces.
pub(super) struct DocumentSplitter {
    source: Arc<str>,
    limit: usize,
    state: State,
    level: Level,
    kind: Option<DocumentKind>,
    first_kind: Option<DocumentKind>,
    key: Vec<u8>,
    type_text: Vec<u8>,
    value: ValueScan,
    capture: Option<Capture>,
    /// Where in the current piece the captured text goes on.
    capture_from: usize,
    document_line: u64,
    entry: u64,
    entry_line: u64,
    entry_has_resource: bool,
    /// Bytes of all earlier pieces.
    offset: u64,
    line: u64,
    /// How far into the current piece lines are counted.
    counted: usize,
}

impl DocumentSplitter {
    pub(super) fn new(source: Arc<str>, limit: usize) -> Self {
        DocumentSplitter {
            source,
            limit,
            state: State::Between,
            level: Level::Document,
            kind: None,
            first_kind: None,
            key: Vec::new(),
            type_text: Vec::new(),
            value: ValueScan::inside_object(),
            capture: None,
            capture_from: 0,
            document_line: 1,
            entry: 0,
            entry_line: 1,
            entry_has_resource: false,
            offset: 0,
            line: 1,
            counted: 0,
        }
    }

    /// What the first document is, once it has shown it.
    pub(super) fn first_kind(&self) -> Option<DocumentKind> {
        self.first_kind
    }

    pub(super) fn between_documents(&self) -> bool {
        self.state == State::Between
    }

    /// Bytes held for the resource being collected.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.capture.as_ref().map_or(0, Capture::held)
    }

    /// # Errors
    /// The structure around the resources cannot be followed.
    pub(super) fn push(&mut self, piece: &[u8], out: &mut Batcher<'_>) -> Result<(), InputError> {
        self.counted = 0;
        self.capture_from = 0;
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            match self.state {
                State::InValue(role) => at = self.pass_value(role, piece, at, out)?,
                State::InKey { escaped } => at = self.pass_key(escaped, piece, at),
                _ if matches!(byte, b' ' | b'\t' | b'\r' | b'\n') => at += 1,
                _ => {
                    // A value keeps its first byte, for its scan to see.
                    if self.structure(byte, piece, at, out)? {
                        at += 1;
                    }
                }
            }
        }
        if let Some(capture) = &mut self.capture {
            capture.extend(
                piece.get(self.capture_from..).unwrap_or_default(),
                self.limit,
            );
        }
        self.count_lines(piece, piece.len());
        self.offset += piece.len() as u64;
        Ok(())
    }

    /// The text is over.
    ///
    /// # Errors
    /// It ends inside a Bundle, or inside something that may have been one.
    pub(super) fn finish(&mut self, out: &mut Batcher<'_>) -> Result<(), InputError> {
        if self.state == State::Between {
            return Ok(());
        }
        if self.kind == Some(DocumentKind::Resource) {
            // Only this one resource is lost; the parser says what is missing from it.
            let capture = self.capture.take().unwrap_or_default();
            self.emit(capture, self.document_line, None, out);
            return Ok(());
        }
        Err(InputError::TruncatedBundle {
            input: self.source.to_string(),
            offset: self.offset,
            line: self.line,
            entry: self.current_entry(),
        })
    }

    /// One byte of structure; `false` when it is to be looked at again in the new state.
    fn structure(
        &mut self,
        byte: u8,
        piece: &[u8],
        at: usize,
        out: &mut Batcher<'_>,
    ) -> Result<bool, InputError> {
        match (self.state, byte) {
            (State::Between, b'{') => {
                self.document_line = self.count_lines(piece, at);
                self.kind = None;
                self.level = Level::Document;
                self.begin_capture(at);
                self.state = State::KeyOrEnd;
            }
            // Concatenated files leave byte-order marks between documents.
            (State::Between, 0xEF | 0xBB | 0xBF) => {}
            (State::KeyOrEnd | State::Key, b'"') => {
                self.key.clear();
                self.state = State::InKey { escaped: false };
            }
            (State::KeyOrEnd | State::CommaOrEnd, b'}') => self.end_object(piece, at, out),
            (State::CommaOrEnd, b',') => self.state = State::Key,
            (State::Colon, b':') => self.state = State::Value,
            (State::Value, _) => return self.begin_value(byte, piece, at),
            (State::EntryOrEnd | State::Entry, b'{') => {
                self.entry_line = self.count_lines(piece, at);
                self.entry_has_resource = false;
                self.level = Level::Entry;
                self.state = State::KeyOrEnd;
            }
            (State::EntryOrEnd | State::EntryCommaOrEnd, b']') => self.state = State::CommaOrEnd,
            (State::EntryCommaOrEnd, b',') => self.state = State::Entry,
            (State::EntryOrEnd | State::Entry, _) => {
                self.entry_line = self.count_lines(piece, at);
                self.begin_scan(Role::BareEntry, byte, piece, at)?;
                return Ok(false);
            }
            _ => return Err(self.malformed(byte, piece, at)),
        }
        Ok(true)
    }

    fn begin_value(&mut self, byte: u8, piece: &[u8], at: usize) -> Result<bool, InputError> {
        let key = unescaped(&self.key);
        let role = match (self.level, key.as_deref()) {
            (Level::Document, Some("resourceType")) => {
                self.type_text.clear();
                Role::ResourceType
            }
            (Level::Document, Some("entry")) if byte == b'[' => {
                self.decide(DocumentKind::Bundle);
                self.entry = 0;
                self.state = State::EntryOrEnd;
                return Ok(true);
            }
            // Passing over it would lose resources in silence.
            (Level::Document, Some("entry")) if self.kind == Some(DocumentKind::Bundle) => {
                return Err(self.error(byte, "a list of entries", piece, at));
            }
            (Level::Entry, Some("resource")) => Role::Resource,
            _ => Role::Passed,
        };
        self.begin_scan(role, byte, piece, at)?;
        if role == Role::Resource {
            self.entry_has_resource = true;
            self.begin_capture(at);
        }
        Ok(false)
    }

    fn begin_scan(
        &mut self,
        role: Role,
        byte: u8,
        piece: &[u8],
        at: usize,
    ) -> Result<(), InputError> {
        match ValueScan::starting(byte) {
            Some(value) => {
                self.value = value;
                self.state = State::InValue(role);
                Ok(())
            }
            None => Err(self.malformed(byte, piece, at)),
        }
    }

    fn pass_value(
        &mut self,
        role: Role,
        piece: &[u8],
        at: usize,
        out: &mut Batcher<'_>,
    ) -> Result<usize, InputError> {
        let rest = piece.get(at..).unwrap_or_default();
        let length = self.value.advance(rest);
        let end = at + length.unwrap_or(rest.len());
        if role == Role::ResourceType {
            keep_name(&mut self.type_text, piece.get(at..end).unwrap_or_default());
        }
        if length.is_none() {
            return Ok(end);
        }
        self.state = State::CommaOrEnd;
        match role {
            Role::Passed => {}
            Role::ResourceType => self.take_type(piece, at)?,
            Role::Resource => {
                let capture = self.end_capture(piece, end);
                self.emit(capture, self.entry_line, Some(self.entry), out);
            }
            Role::BareEntry => {
                self.state = State::EntryCommaOrEnd;
                self.reject_entry(out);
            }
            Role::Document => {
                self.state = State::Between;
                let capture = self.end_capture(piece, end);
                self.emit(capture, self.document_line, None, out);
            }
        }
        Ok(end)
    }

    fn pass_key(&mut self, escaped: bool, piece: &[u8], at: usize) -> usize {
        let rest = piece.get(at..).unwrap_or_default();
        if escaped {
            keep_name(&mut self.key, rest.get(..1).unwrap_or_default());
            self.state = State::InKey { escaped: false };
            return at + 1;
        }
        let Some(length) = memchr2(b'"', b'\\', rest) else {
            keep_name(&mut self.key, rest);
            return piece.len();
        };
        if rest.get(length) == Some(&b'"') {
            keep_name(&mut self.key, rest.get(..length).unwrap_or_default());
            self.state = State::Colon;
        } else {
            keep_name(&mut self.key, rest.get(..=length).unwrap_or_default());
            self.state = State::InKey { escaped: true };
        }
        at + length + 1
    }

    fn take_type(&mut self, piece: &[u8], at: usize) -> Result<(), InputError> {
        let text = std::mem::take(&mut self.type_text);
        let is_bundle = serde_json::from_slice::<String>(&text).is_ok_and(|name| name == "Bundle");
        if is_bundle {
            self.decide(DocumentKind::Bundle);
        } else if self.kind == Some(DocumentKind::Bundle) {
            return Err(InputError::NotABundle {
                input: self.source.to_string(),
                line: self.count_lines(piece, at),
                found: String::from_utf8_lossy(&text).into_owned(),
            });
        } else {
            // The rest is the parser's: whatever is wrong in it costs this one resource only.
            self.decide(DocumentKind::Resource);
            self.value = ValueScan::inside_object();
            self.state = State::InValue(Role::Document);
        }
        Ok(())
    }

    fn decide(&mut self, kind: DocumentKind) {
        self.kind = Some(kind);
        self.first_kind.get_or_insert(kind);
        if kind == DocumentKind::Bundle {
            self.capture = None;
        }
    }

    fn end_object(&mut self, piece: &[u8], at: usize, out: &mut Batcher<'_>) {
        match self.level {
            Level::Entry => {
                self.level = Level::Document;
                self.state = State::EntryCommaOrEnd;
                if self.entry_has_resource {
                    self.entry += 1;
                } else {
                    self.reject_entry(out);
                }
            }
            Level::Document => {
                self.state = State::Between;
                if self.kind.is_none() {
                    // Neither a type nor entries: handed over for the parser to refuse.
                    self.decide(DocumentKind::Resource);
                    let capture = self.end_capture(piece, at + 1);
                    self.emit(capture, self.document_line, None, out);
                }
            }
        }
    }

    fn reject_entry(&mut self, out: &mut Batcher<'_>) {
        let origin = self.origin(self.entry_line, Some(self.entry));
        out.reject(origin, RejectReason::NoResourceInEntry, b"");
        self.entry += 1;
    }

    fn begin_capture(&mut self, at: usize) {
        self.capture = Some(Capture::default());
        self.capture_from = at;
    }

    fn end_capture(&mut self, piece: &[u8], end: usize) -> Capture {
        let mut capture = self.capture.take().unwrap_or_default();
        capture.extend(
            piece.get(self.capture_from..end).unwrap_or_default(),
            self.limit,
        );
        capture
    }

    fn emit(&self, capture: Capture, line: u64, entry: Option<u64>, out: &mut Batcher<'_>) {
        let origin = self.origin(line, entry);
        let length = capture.length();
        let mut bytes = capture.into_bytes();
        if length > self.limit as u64 {
            let reason = RejectReason::TooLong {
                bytes: length,
                limit: self.limit as u64,
            };
            out.reject(origin, reason, &bytes);
        } else {
            // Only a cut document can end in blanks.
            bytes.truncate(bytes.trim_ascii_end().len());
            out.record(origin, bytes, None);
        }
    }

    fn origin(&self, line: u64, entry: Option<u64>) -> Origin {
        Origin {
            source: Arc::clone(&self.source),
            line,
            entry,
        }
    }

    /// Line of the byte at `at` of the current piece; must be asked in growing order.
    fn count_lines(&mut self, piece: &[u8], at: usize) -> u64 {
        let passed = piece.get(self.counted..at).unwrap_or_default();
        self.line += memchr_iter(b'\n', passed).count() as u64;
        self.counted = at.max(self.counted);
        self.line
    }

    fn current_entry(&self) -> Option<u64> {
        (self.level == Level::Entry).then_some(self.entry)
    }

    fn malformed(&mut self, byte: u8, piece: &[u8], at: usize) -> InputError {
        let expected = match self.state {
            State::Between => "the '{' of a document, or the end of the text",
            State::KeyOrEnd => "a key or '}'",
            State::Key | State::InKey { .. } => "a key",
            State::Colon => "':'",
            State::Value | State::InValue(_) | State::Entry => "a value",
            State::CommaOrEnd => "',' or '}'",
            State::EntryOrEnd => "an entry or ']'",
            State::EntryCommaOrEnd => "',' or ']'",
        };
        self.error(byte, expected, piece, at)
    }

    fn error(&mut self, found: u8, expected: &'static str, piece: &[u8], at: usize) -> InputError {
        InputError::MalformedBundle {
            input: self.source.to_string(),
            offset: self.offset + at as u64,
            line: self.count_lines(piece, at),
            entry: self.current_entry(),
            expected,
            found,
        }
    }
}

/// Appends to a name, up to one byte more than any name of interest.
fn keep_name(name: &mut Vec<u8>, text: &[u8]) {
    let room = (NAME_BYTES + 1).saturating_sub(name.len());
    name.extend_from_slice(text.get(..room).unwrap_or(text));
}

/// A key as it reads once its escapes are resolved; `None` when it is not valid text.
fn unescaped(key: &[u8]) -> Option<std::borrow::Cow<'_, str>> {
    let text = std::str::from_utf8(key).ok()?;
    if text.contains('\\') {
        serde_json::from_str::<String>(&format!("\"{text}\""))
            .ok()
            .map(Into::into)
    } else {
        Some(text.into())
    }
}
