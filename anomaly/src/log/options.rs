//! How large segments and records may become.

use super::error::LogError;

/// No record of any log has a payload longer than this: 64 MiB.
pub const MAX_RECORD_BYTES: u32 = 64 << 20;

/// How a [`super::Log`] is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// A segment is followed by another once the next commit would make it longer than this, in bytes (default: 16 MiB).
    /// Only a commit that is longer by itself makes a longer segment.
    pub segment_bytes: u64,
    /// The longest payload taken, in bytes: at most [`MAX_RECORD_BYTES`] (default: 16 MiB). Longer ones that are in the
    /// log already are read all the same.
    pub max_record_bytes: u32,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            segment_bytes: 16 << 20,
            max_record_bytes: 16 << 20,
        }
    }
}

impl LogOptions {
    pub(super) fn check(&self) -> Result<(), LogError> {
        if self.max_record_bytes > MAX_RECORD_BYTES {
            return Err(LogError::Options {
                got: self.max_record_bytes,
                limit: MAX_RECORD_BYTES,
            });
        }
        Ok(())
    }
}
