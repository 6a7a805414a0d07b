//! A file on its way to a client: batches made one at a time, as the connection takes them.
//!
//! A batch touches pages of the map that may have to come from disk, and gzip costs time, so each is made on a blocking
//! thread; no more of them at once than there are cores.

use std::fmt;
use std::future::Future;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::Semaphore;

use crate::export::FileReader;
use crate::server::search_pool::caught;

/// Bytes read for one batch: enough to make the way to a thread and back cheap.
const BATCH: usize = 1 << 20;
/// The same when they are compressed, which takes some milliseconds.
const COMPRESSED_BATCH: usize = 1 << 18;

/// A file, or a part of one, that is being sent.
pub(in crate::server) struct FileStream {
    /// Bytes still to come; unknown of what is compressed.
    left: Option<u64>,
    turns: Arc<Semaphore>,
    state: State,
}

enum State {
    Idle(Box<Producer>),
    Working(Pin<Box<dyn Future<Output = Made> + Send>>),
    Ended,
}

/// A producer, and the batch it made; nothing at the end.
type Made = io::Result<(Box<Producer>, Option<Vec<Bytes>>)>;

/// Makes batches.
struct Producer {
    reader: FileReader,
    /// Takes what was read; nothing: it is sent as it is.
    encoder: Option<GzEncoder<Vec<u8>>>,
    compressed: bool,
}

impl FileStream {
    /// The bytes of `reader`, of which there are `length`.
    pub(super) fn plain(reader: FileReader, length: u64, turns: Arc<Semaphore>) -> FileStream {
        FileStream::new(reader, Some(length), None, turns)
    }

    /// The bytes of `reader`, compressed.
    pub(super) fn gzip(reader: FileReader, turns: Arc<Semaphore>) -> FileStream {
        // The lowest level: health offers repeat themselves so much that more effort gains little.
        let encoder = GzEncoder::new(Vec::new(), Compression::fast());
        FileStream::new(reader, None, Some(encoder), turns)
    }

    fn new(
        reader: FileReader,
        left: Option<u64>,
        encoder: Option<GzEncoder<Vec<u8>>>,
        turns: Arc<Semaphore>,
    ) -> FileStream {
        FileStream {
            left,
            turns,
            state: State::Idle(Box::new(Producer {
                reader,
                compressed: encoder.is_some(),
                encoder,
            })),
        }
    }

    /// Bytes still to come, where that is known.
    pub(in crate::server) fn left(&self) -> Option<u64> {
        self.left
    }

    /// The next batch; nothing at the end. After an error what was sent is not whole.
    pub(in crate::server) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Vec<Bytes>>>> {
        loop {
            match std::mem::replace(&mut self.state, State::Ended) {
                State::Ended => return Poll::Ready(None),
                State::Idle(producer) => {
                    self.state = State::Working(Box::pin(made(producer, self.turns.clone())));
                }
                State::Working(mut working) => {
                    let Poll::Ready(made) = working.as_mut().poll(context) else {
                        self.state = State::Working(working);
                        return Poll::Pending;
                    };
                    return Poll::Ready(self.take(made).transpose());
                }
            }
        }
    }

    fn take(&mut self, made: Made) -> io::Result<Option<Vec<Bytes>>> {
        let (producer, batch) = made?;
        let Some(batch) = batch else {
            return match self.left {
                None | Some(0) => Ok(None),
                Some(missing) => Err(io::Error::other(format!("{missing} bytes are missing"))),
            };
        };
        self.state = State::Idle(producer);
        if let Some(left) = &mut self.left {
            let sent = batch.iter().map(|piece| piece.len() as u64).sum();
            *left = left.saturating_sub(sent);
        }
        Ok(Some(batch))
    }
}

impl fmt::Debug for FileStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStream")
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

async fn made(mut producer: Box<Producer>, turns: Arc<Semaphore>) -> Made {
    // The semaphore is never closed.
    let turn = turns.acquire_owned().await.map_err(io::Error::other)?;
    let making = tokio::task::spawn_blocking(move || {
        let made = caught(|| producer.make()).map_err(io::Error::other);
        drop(turn);
        made.flatten().map(|batch| (producer, batch))
    });
    let made = making.await.map_err(io::Error::other).flatten();
    made.inspect_err(|error| tracing::error!(%error, "a file of an export broke off"))
}

impl Producer {
    fn make(&mut self) -> io::Result<Option<Vec<Bytes>>> {
        if !self.compressed {
            return self.reader.next(BATCH).map_err(io::Error::other);
        }
        while let Some(encoder) = &mut self.encoder {
            match self
                .reader
                .next(COMPRESSED_BATCH)
                .map_err(io::Error::other)?
            {
                Some(pieces) => {
                    for piece in pieces {
                        encoder.write_all(&piece)?;
                    }
                    let out = std::mem::take(encoder.get_mut());
                    if !out.is_empty() {
                        return Ok(Some(vec![Bytes::from(out)]));
                    }
                }
                None => {
                    let rest = self.encoder.take().map(GzEncoder::finish).transpose()?;
                    return Ok(rest.map(|rest| vec![Bytes::from(rest)]));
                }
            }
        }
        Ok(None)
    }
}
