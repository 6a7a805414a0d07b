//! What is on the disk after a power cut.

use fastrand::Rng;

use super::{Change, Inode, SECTOR, State};

/// Decides what of all that waited has reached the disk; nothing waits any more then.
pub(super) fn power(state: &mut State, draw: &mut Rng) {
    names(state, draw);
    for inode in state.inodes.values_mut() {
        content(inode, draw);
    }
    let State { inodes, live, .. } = state;
    inodes.retain(|number, _| live.values().any(|named| named == number));
}

/// Changes of names are kept up to a point, or each for itself.
fn names(state: &mut State, draw: &mut Rng) {
    let renamings = std::mem::take(&mut state.renamings);
    let in_order = draw.bool();
    let kept = draw.usize(..=renamings.len());
    for (index, renaming) in renamings.iter().enumerate() {
        if if in_order { index < kept } else { draw.bool() } {
            renaming.apply(&mut state.durable);
        }
    }
    state.live = state.durable.clone();
}

fn content(inode: &mut Inode, draw: &mut Rng) {
    let waiting = std::mem::take(&mut inode.waiting);
    let old = inode.durable.len();
    let mut full = inode.durable.clone();
    for change in &waiting {
        change.apply(&mut full);
    }
    let image = &mut inode.durable;
    match draw.u8(..7) {
        // All of it, or nothing.
        0 => *image = full,
        1 => {}
        // In order, the last one in part.
        2 => {
            let kept = draw.usize(..=waiting.len());
            for change in waiting.iter().take(kept) {
                change.apply(image);
            }
            if let Some(change) = waiting.get(kept) {
                let until = draw.u64(..=full.len() as u64 / SECTOR);
                in_part(change, image, |sector| sector < until);
            }
        }
        // Any sectors; what was not written of a longer file is zero.
        3 => {
            let chance = draw.f64();
            for change in &waiting {
                in_part(change, image, |_| draw.f64() < chance);
            }
            if draw.bool() && full.len() > image.len() {
                image.resize(full.len(), 0);
            }
        }
        // Cut off anywhere.
        4 => {
            *image = full;
            if image.len() > old {
                image.truncate(draw.usize(old..=image.len()));
            }
        }
        // The length alone.
        5 => {
            if full.len() > old {
                image.resize(full.len(), 0);
            }
        }
        // Rubbish from some sector on: what the disk held there before.
        _ => {
            *image = full;
            let first = old.next_multiple_of(SECTOR as usize);
            if image.len() > first {
                let from = draw.usize(first..image.len()) / SECTOR as usize * SECTOR as usize;
                image[from..].fill_with(|| draw.u8(..));
            }
        }
    }
    inode.live = inode.durable.clone();
}

/// Applies the sectors of a change that `kept` chooses.
fn in_part(change: &Change, image: &mut Vec<u8>, mut kept: impl FnMut(u64) -> bool) {
    let Change::Write { offset, bytes } = change else {
        if kept(0) {
            change.apply(image);
        }
        return;
    };
    let mut from = *offset;
    let end = offset + bytes.len() as u64;
    while from < end {
        let to = ((from / SECTOR + 1) * SECTOR).min(end);
        if kept(from / SECTOR) {
            let piece = &bytes[(from - offset) as usize..(to - offset) as usize];
            let part = Change::Write {
                offset: from,
                bytes: piece.to_vec(),
            };
            part.apply(image);
        }
        from = to;
    }
}
