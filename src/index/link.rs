//! Files that several generations share: they are never changed once written, so a link is as good as a copy.

use std::fs;
use std::path::Path;

use super::FormatError;

/// Makes `to` the same file as `from`, or a synced copy where the file system has no links.
///
/// # Errors
/// [`FormatError::Io`].
pub fn share_file(from: &Path, to: &Path) -> Result<(), FormatError> {
    if fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    fs::copy(from, to).map_err(|source| FormatError::io(to, source))?;
    fs::File::open(to)
        .and_then(|file| file.sync_all())
        .map_err(|source| FormatError::io(to, source))
}
