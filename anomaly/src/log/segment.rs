//! Beginning a segment.

use super::error::LogError;
use super::header::{self, FORMAT_VERSION, Header};
use super::name;
use super::storage::{Storage, StorageFile};
use super::walk::failure;

/// The segment that is being written.
#[derive(Debug)]
pub(super) struct Active<F> {
    pub file: F,
    pub name: String,
    /// What the checksums of its records start from.
    pub seed: u32,
    /// What the next record must repeat.
    pub chain: u32,
}

/// Makes the segment whose first record will be `first`, after one that ends with the checksum `previous`.
///
/// It gets its name only once its head is on disk, so whatever is found under such a name once had a whole head.
pub(super) fn create<S: Storage>(
    storage: &S,
    first: u64,
    previous: u32,
) -> Result<Active<S::File>, LogError> {
    let name = name::segment(first);
    let unfinished = name::unfinished(&name);
    let failed = |action| failure(storage, action, &unfinished);
    let salt = storage.salt().map_err(failed("choose the salt of"))?;
    let (head, chain) = Header {
        version: FORMAT_VERSION,
        previous,
        salt,
        first,
    }
    .encode();
    let file = storage.create_new(&unfinished).map_err(failed("create"))?;
    file.write_at(0, &head).map_err(failed("write"))?;
    file.sync().map_err(failed("synchronise"))?;
    storage
        .rename(&unfinished, &name)
        .map_err(failed("rename"))?;
    storage
        .sync_directory()
        .map_err(failed("synchronise the folder of"))?;
    Ok(Active {
        file,
        name,
        seed: header::seed(salt),
        chain,
    })
}
