//! Bringing the disk in order before the first write: what an interrupted writer left behind.

use super::error::LogError;
use super::name;
use super::segment::{self, Active};
use super::storage::{Storage, StorageFile};
use super::walk::{Segment, Tail, Torn, Walk, failure};

/// How much is copied at once, in bytes.
const CHUNK: usize = 256 * 1024;

/// Removes what a writer left that ended before a file was whole.
pub(super) fn remove_unfinished<S: Storage>(storage: &S, names: &[String]) -> Result<(), LogError> {
    for left in names.iter().filter(|name| name::is_unfinished(name)) {
        storage
            .remove(left)
            .map_err(failure(storage, "remove", left))?;
    }
    Ok(())
}

/// Makes everything that was read durable, and opens the last segment if it can be continued.
///
/// A commit whose sync failed, or that was killed before it, can be read back from the system's memory without being on
/// disk, and the system may believe it clean. What is written again is dirty, so the next sync means something.
pub(super) fn settle<S: Storage>(
    storage: &S,
    walk: &Walk,
) -> Result<Option<Active<S::File>>, LogError> {
    let active = match (walk.segments.last(), walk.tail) {
        (Some(last), Some(tail)) => Some(rewrite(storage, last, tail)?),
        _ => None,
    };
    storage
        .sync_directory()
        .map_err(failure(storage, "synchronise the folder of", "all files"))?;
    Ok(active)
}

/// The segment to go on with: `active` if record `next` follows there, otherwise a new one.
pub(super) fn continue_with<S: Storage>(
    storage: &S,
    active: Option<Active<S::File>>,
    segments: &mut Vec<Segment>,
    next: u64,
) -> Result<Active<S::File>, LogError> {
    let follows = segments
        .last()
        .is_some_and(|last| last.last.checked_add(1) == Some(next));
    match active {
        Some(active) if follows => Ok(active),
        other => {
            let previous = other.map_or(0, |active| active.chain);
            let active = segment::create(storage, next, previous)?;
            segments.push(Segment::empty(next));
            Ok(active)
        }
    }
}

fn rewrite<S: Storage>(
    storage: &S,
    last: &Segment,
    tail: Tail,
) -> Result<Active<S::File>, LogError> {
    let name = name::segment(last.first);
    let file = storage
        .open_writable(&name)
        .map_err(failure(storage, "open", &name))?;
    copy(
        storage,
        (&file, &name),
        (tail.commit_at, last.length),
        |offset, bytes| {
            file.write_at(offset, bytes)
                .map_err(failure(storage, "write", &name))
        },
    )?;
    file.sync()
        .map_err(failure(storage, "synchronise", &name))?;
    Ok(Active {
        file,
        name,
        seed: tail.seed,
        chain: tail.chain,
    })
}

/// Cuts an interrupted commit from the last segment, once a copy of it is on disk under the name returned.
pub(super) fn cut<S: Storage>(
    storage: &S,
    names: &[String],
    last: &Segment,
    torn: Torn,
) -> Result<String, LogError> {
    let name = name::segment(last.first);
    let file = storage
        .open_writable(&name)
        .map_err(failure(storage, "open", &name))?;
    let kept = keep(storage, names, (&file, &name), torn)?;
    file.truncate(torn.offset)
        .map_err(failure(storage, "truncate", &name))?;
    file.sync()
        .map_err(failure(storage, "synchronise", &name))?;
    Ok(kept)
}

fn keep<S: Storage>(
    storage: &S,
    names: &[String],
    segment: (&S::File, &str),
    torn: Torn,
) -> Result<String, LogError> {
    let mut number = 0;
    let kept = loop {
        let kept = name::tail(segment.1, torn.offset, number);
        if !names.contains(&kept) {
            break kept;
        }
        number += 1;
    };
    let unfinished = name::unfinished(&kept);
    let failed = |action| failure(storage, action, &unfinished);
    let into = storage.create_new(&unfinished).map_err(failed("create"))?;
    let end = torn.offset + torn.bytes;
    copy(storage, segment, (torn.offset, end), |offset, bytes| {
        into.write_at(offset - torn.offset, bytes)
            .map_err(failed("write"))
    })?;
    into.sync().map_err(failed("synchronise"))?;
    storage
        .rename(&unfinished, &kept)
        .map_err(failed("rename"))?;
    storage
        .sync_directory()
        .map_err(failed("synchronise the folder of"))?;
    Ok(kept)
}

/// Hands the bytes of a file from one offset to another to `write`, in pieces.
fn copy<S: Storage>(
    storage: &S,
    (file, name): (&S::File, &str),
    (mut from, to): (u64, u64),
    mut write: impl FnMut(u64, &[u8]) -> Result<(), LogError>,
) -> Result<(), LogError> {
    let mut buffer = Vec::new();
    while from < to {
        buffer.resize(usize::try_from(to - from).unwrap_or(CHUNK).min(CHUNK), 0);
        let read = file
            .read_at(from, &mut buffer)
            .map_err(failure(storage, "read", name))?;
        if read == 0 {
            let gone = std::io::ErrorKind::UnexpectedEof.into();
            return Err(failure(storage, "read", name)(gone));
        }
        write(from, buffer.get(..read).unwrap_or_default())?;
        from += read as u64;
    }
    Ok(())
}
