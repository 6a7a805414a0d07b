//! Cuts NDJSON into lines, whatever the pieces it arrives in.

use std::sync::Arc;

use memchr::memchr_iter;

use super::batch::Batcher;
use super::capture::Capture;
use super::{Held, Origin};
use crate::rejects::RejectReason;

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// State between two pieces: the beginning of a line whose end has not come yet.
pub(super) struct LineSplitter {
    source: Arc<str>,
    limit: usize,
    line: u64,
    unfinished: Capture,
    /// Where the present line begins.
    begins: Held,
    /// Whether what is read can be read again.
    holds: bool,
}

impl LineSplitter {
    /// `held` is where the first piece begins, when what is read can be read again.
    pub(super) fn new(source: Arc<str>, limit: usize, held: Option<Held>) -> Self {
        LineSplitter {
            source,
            limit,
            line: 1,
            unfinished: Capture::default(),
            begins: held.unwrap_or(Held {
                source: 0,
                offset: 0,
            }),
            holds: held.is_some(),
        }
    }

    pub(super) fn push(&mut self, piece: &[u8], out: &mut Batcher<'_>) {
        let mut start = 0;
        for end in memchr_iter(b'\n', piece) {
            let text = piece.get(start..end).unwrap_or_default();
            if self.unfinished.is_empty() && text.len() <= self.limit {
                self.emit(text, out);
                self.begins.offset += text.len() as u64;
            } else {
                self.unfinished.extend(text, self.limit);
                self.end_line(out);
            }
            self.line += 1;
            self.begins.offset += 1;
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
            self.emit(&text, out);
        } else {
            let reason = RejectReason::TooLong {
                bytes,
                limit: self.limit as u64,
            };
            out.reject(origin(&self.source, self.line), reason, trimmed(&text));
        }
        self.begins.offset += bytes;
    }

    /// Hands over the present line.
    fn emit(&self, line: &[u8], out: &mut Batcher<'_>) {
        let text = trimmed(line);
        if text.is_empty() {
            return;
        }
        let held = self.holds.then(|| Held {
            offset: self.begins.offset + leading(line) as u64,
            ..self.begins
        });
        out.record(origin(&self.source, self.line), text.to_vec(), held);
    }
}

fn origin(source: &Arc<str>, line: u64) -> Origin {
    Origin {
        source: Arc::clone(source),
        line,
        entry: None,
    }
}

/// How many bytes of a line stand before what [`trimmed`] leaves.
fn leading(line: &[u8]) -> usize {
    let marked = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    line.len() - marked.trim_ascii_start().len()
}

/// The line without blanks around it, nor the mark that concatenated files leave in the middle.
fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_prefix(BYTE_ORDER_MARK)
        .unwrap_or(line)
        .trim_ascii()
}
