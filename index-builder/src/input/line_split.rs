//! Cuts NDJSON into lines, whatever the pieces it arrives in.

use std::sync::Arc;

use memchr::memchr_iter;

use super::Origin;
use super::batch::Batcher;
use super::capture::Capture;
use crate::rejects::RejectReason;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// State between two pieces: the beginning of a line whose end has not come yet.
pub(super) struct LineSplitter {
    source: Arc<str>,
    limit: usize,
    line: u64,
    unfinished: Capture,
}

impl LineSplitter {
    pub(super) fn new(source: Arc<str>, limit: usize) -> Self {
        LineSplitter {
            source,
            limit,
            line: 1,
            unfinished: Capture::default(),
        }
    }

    pub(super) fn push(&mut self, piece: &[u8], out: &mut Batcher<'_>) {
        let mut start = 0;
        for end in memchr_iter(b'\n', piece) {
            let text = piece.get(start..end).unwrap_or_default();
            if self.unfinished.is_empty() && text.len() <= self.limit {
                emit(&self.source, self.line, trimmed(text), out);
            } else {
                self.unfinished.extend(text, self.limit);
                self.end_line(out);
            }
            self.line += 1;
            start = end + 1;
        }
        let rest = piece.get(start..).unwrap_or_default();
        self.unfinished.extend(rest, self.limit);
    }

    /// The text is over; a last line needs no line end.
    pub(super) fn finish(&mut self, out: &mut Batcher<'_>) {
        if !self.unfinished.is_empty() {
            self.end_line(out);
        }
    }

    /// Bytes held for the unfinished line.
    #[cfg(test)]
    pub(super) fn held(&self) -> usize {
        self.unfinished.held()
    }

    fn end_line(&mut self, out: &mut Batcher<'_>) {
        let line = std::mem::take(&mut self.unfinished);
        let bytes = line.length();
        let text = line.into_bytes();
        if bytes <= self.limit as u64 {
            emit(&self.source, self.line, trimmed(&text), out);
        } else {
            let reason = RejectReason::TooLong {
                bytes,
                limit: self.limit as u64,
            };
            out.reject(origin(&self.source, self.line), reason, trimmed(&text));
        }
    }
}

fn emit(source: &Arc<str>, line: u64, text: &[u8], out: &mut Batcher<'_>) {
    if !text.is_empty() {
        out.record(origin(source, line), text.to_vec());
    }
}

fn origin(source: &Arc<str>, line: u64) -> Origin {
    Origin {
        source: Arc::clone(source),
        line,
        entry: None,
    }
}

/// The line without blanks around it, nor the mark that concatenated files leave in the middle.
fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_prefix(BYTE_ORDER_MARK)
        .unwrap_or(line)
        .trim_ascii()
}
