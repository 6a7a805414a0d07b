//! A snapshot: what one search sees, a generation and what was written since.
//!
//! Each type is one directory of the generation; the type that is written to has the segments of the overlay behind
//! it. A part's own ordinals begin at 0; those of the snapshot count on through the parts.

use std::sync::Arc;

use roaring::RoaringBitmap;
use rorqual_schema::{ResourceType, Schema};

use super::directory::Directory;
use super::generation::Generation;
use super::overlay::{Overlay, WRITTEN};
use super::segment::{identified, identified_in};

/// What a search sees. Never changes; cloning shares everything.
#[derive(Clone)]
pub struct Snapshot {
    generation: Arc<Generation>,
    overlay: Overlay,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("generation", &self.generation.id())
            .field("sequence", &self.overlay.sequence())
            .finish_non_exhaustive()
    }
}

/// One directory among those of a type.
#[derive(Clone, Copy)]
pub struct Part<'s> {
    /// Its number: 0 is the generation's.
    pub number: usize,
    /// The snapshot's ordinal of its first resource.
    pub start: u32,
    /// The directory.
    pub directory: &'s Directory,
}

impl Snapshot {
    /// A generation with nothing written since.
    pub fn of(generation: Arc<Generation>) -> Snapshot {
        let overlay = Overlay::empty(&generation);
        Snapshot {
            generation,
            overlay,
        }
    }

    /// A generation under an overlay that was made for it.
    pub fn over(generation: Arc<Generation>, overlay: Overlay) -> Snapshot {
        Snapshot {
            generation,
            overlay,
        }
    }

    /// The generation.
    pub fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    /// What was written since.
    pub fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// The schema of the generation.
    pub fn schema(&self) -> &Arc<Schema> {
        self.generation.schema()
    }

    /// The state of this snapshot after log sequence `sequence`.
    pub fn as_of(&self, sequence: u64) -> Snapshot {
        Snapshot {
            generation: self.generation.clone(),
            overlay: self.overlay.as_of(sequence),
        }
    }

    /// How many parts a type has.
    pub fn part_count(&self, kind: ResourceType) -> usize {
        match kind {
            WRITTEN => 1 + self.overlay.segments().len(),
            _ => 1,
        }
    }

    /// The parts of a type, by their ordinals.
    pub fn parts(&self, kind: ResourceType) -> impl Iterator<Item = Part<'_>> {
        (0..self.part_count(kind)).filter_map(move |number| self.part(kind, number))
    }

    /// A part by its number.
    pub fn part(&self, kind: ResourceType, number: usize) -> Option<Part<'_>> {
        let (start, directory) = match number.checked_sub(1) {
            None => (0, self.generation.directory(kind)),
            Some(segment) if kind == WRITTEN => {
                let segment = self.overlay.segments().get(segment)?;
                (segment.start(), segment.directory())
            }
            Some(_) => return None,
        };
        Some(Part {
            number,
            start,
            directory,
        })
    }

    /// The directory of a part; the generation's for a number that there is not.
    pub fn directory(&self, kind: ResourceType, number: usize) -> &Directory {
        self.part(kind, number)
            .map_or_else(|| self.generation.directory(kind), |part| part.directory)
    }

    /// Where an ordinal of the snapshot is: its part, and its ordinal there.
    pub fn locate(&self, kind: ResourceType, ordinal: u32) -> (Part<'_>, u32) {
        let mut number = 0;
        if kind == WRITTEN && ordinal >= self.generation.directory(kind).len() {
            number = self
                .overlay
                .segments()
                .partition_point(|segment| segment.start() <= ordinal);
        }
        let part = self.part(kind, number).unwrap_or(Part {
            number: 0,
            start: 0,
            directory: self.generation.directory(kind),
        });
        (part, ordinal - part.start)
    }

    /// What was found in a part, as ordinals of the snapshot, without what was replaced or is not seen yet.
    pub fn seen(&self, kind: ResourceType, part: Part<'_>, found: RoaringBitmap) -> RoaringBitmap {
        if kind != WRITTEN || self.overlay.is_empty() {
            return found;
        }
        if part.number == 0 {
            return found - self.overlay.dead();
        }
        let shifted = found
            .iter()
            .map(|ordinal| ordinal + part.start)
            .filter(|&ordinal| self.overlay.sees(ordinal));
        shifted.collect()
    }

    /// Whether an ordinal is the present version of its resource.
    pub fn sees(&self, kind: ResourceType, ordinal: u32) -> bool {
        kind != WRITTEN || self.overlay.sees(ordinal)
    }

    /// The ordinal of an id.
    pub fn ordinal(&self, kind: ResourceType, id: &str) -> Option<u32> {
        match kind {
            WRITTEN => self.overlay.ordinal(&self.generation, id),
            _ => self.generation.directory(kind).ordinal(id),
        }
    }

    /// Whether some resource of a type bears an identifier; any system will do when none is given. Only for types that
    /// are not written to.
    pub fn is_identified(&self, kind: ResourceType, system: &str, value: &str) -> bool {
        !identified(&self.generation, kind, system, value).is_empty()
    }

    /// The resources of a type that bear an identifier now; any system will do when none is given.
    pub fn identified(&self, kind: ResourceType, system: &str, value: &str) -> RoaringBitmap {
        let mut all = RoaringBitmap::new();
        for part in self.parts(kind) {
            let found = identified_in(self.schema(), part.directory, kind, system, value);
            all |= self.seen(kind, part, found);
        }
        all
    }

    /// How many resources of a type there are.
    pub fn len(&self, kind: ResourceType) -> u64 {
        match kind {
            WRITTEN => u64::from(self.overlay.end()) - self.dead_below_end(),
            _ => u64::from(self.generation.directory(kind).len()),
        }
    }

    fn dead_below_end(&self) -> u64 {
        match self.overlay.end().checked_sub(1) {
            Some(last) => self.overlay.dead().rank(last),
            None => 0,
        }
    }
}
