//! Lines of a repeating group: dense line numbers, the resource that owns each, and its parent line.
//!
//! Sections: `<name>.owners` (u32 per line) and, for a group inside another's line, `<name>.parents` (u32 per
//! line). Lines are numbered in the order of their owners' ordinals, so a set of lines maps to a set of
//! resources without sorting.

use std::ops::Range;

use roaring::RoaringBitmap;

use super::FormatError;
use super::map::Column;
use super::pack::{Pack, PackWriter};

/// Gathers lines while an index is built.
#[derive(Default)]
pub struct LineCollector {
    /// The slot of the resource that owns each line slot.
    pub(super) owners: Vec<u32>,
    /// The line slot of the parent group, `u32::MAX` without one.
    pub(super) parents: Vec<u32>,
}

impl LineCollector {
    /// Notes a line and answers its slot.
    pub fn add(&mut self, owner: u32, parent: Option<u32>) -> u32 {
        self.owners.push(owner);
        self.parents.push(parent.unwrap_or(u32::MAX));
        self.owners.len() as u32 - 1
    }

    /// How many lines were noted.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Whether no line was noted.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// Takes up the lines of a run: its owners begin at `owner_shift`, its parents at `parent_shift`.
    pub(super) fn take_up(
        &mut self,
        owners: &[u32],
        parents: &[u32],
        owner_shift: u32,
        parent_shift: u32,
    ) {
        self.owners
            .extend(owners.iter().map(|owner| owner + owner_shift));
        self.parents
            .extend(parents.iter().map(|&parent| match parent {
                u32::MAX => parent,
                parent => parent + parent_shift,
            }));
    }

    /// Bytes of memory that lines take.
    pub fn weight(&self) -> usize {
        size_of::<u32>() * (self.owners.capacity() + self.parents.capacity())
    }

    /// The slot of the resource that owns each line slot.
    pub fn owner_slots(&self) -> &[u32] {
        &self.owners
    }

    /// The owner of each line slot, through `owner_ordinals` (`u32::MAX`: dropped).
    pub fn owner_ordinals(&self, owner_ordinals: &[u32]) -> Vec<u32> {
        self.owners
            .iter()
            .map(|&owner| owner_ordinals[owner as usize])
            .collect()
    }

    /// The line number of each line slot (`u32::MAX`: dropped) and how many lines remain: by owner's ordinal, then
    /// in document order.
    pub fn numbers(&self, owner_ordinals: &[u32]) -> (Vec<u32>, usize) {
        let mut order: Vec<u32> = (0..self.owners.len() as u32)
            .filter(|&line| owner_ordinals[self.owners[line as usize] as usize] != u32::MAX)
            .collect();
        order.sort_by_key(|&line| owner_ordinals[self.owners[line as usize] as usize]);
        let mut numbers = vec![u32::MAX; self.owners.len()];
        for (number, &line) in order.iter().enumerate() {
            numbers[line as usize] = number as u32;
        }
        (numbers, order.len())
    }

    /// Writes the lines under `name`.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn write(
        &self,
        pack: &mut PackWriter,
        name: &str,
        numbers: &[u32],
        count: usize,
        owner_ordinals: &[u32],
        parent_numbers: Option<&[u32]>,
    ) -> Result<(), FormatError> {
        let kept = self.kept(numbers, count, owner_ordinals, parent_numbers);
        pack.column(&format!("{name}.owners"), &kept.owners)?;
        if parent_numbers.is_some() {
            pack.column(&format!("{name}.parents"), &kept.parents)?;
        }
        Ok(())
    }

    /// The lines that stay, by number: `numbers` and `count` are those of [`LineCollector::numbers`],
    /// `parent_numbers` those of the parent group.
    pub(super) fn kept(
        &self,
        numbers: &[u32],
        count: usize,
        owner_ordinals: &[u32],
        parent_numbers: Option<&[u32]>,
    ) -> LineCollector {
        let mut owners = vec![0u32; count];
        let mut parents = vec![u32::MAX; count];
        for (slot, &number) in numbers.iter().enumerate() {
            if number == u32::MAX {
                continue;
            }
            owners[number as usize] = owner_ordinals[self.owners[slot] as usize];
            if let Some(parent) =
                parent_numbers.and_then(|numbers| numbers.get(self.parents[slot] as usize))
            {
                parents[number as usize] = *parent;
            }
        }
        LineCollector { owners, parents }
    }
}

/// Opened lines of one group.
pub struct LineIndex {
    owners: Column<u32>,
    parents: Option<Column<u32>>,
}

impl LineIndex {
    /// Opens what [`LineCollector::write`] wrote.
    ///
    /// # Errors
    /// [`FormatError`] when a section is missing or inconsistent.
    pub fn open(pack: &Pack, name: &str) -> Result<LineIndex, FormatError> {
        let parents = format!("{name}.parents");
        Ok(LineIndex {
            owners: pack.column(&format!("{name}.owners"))?,
            parents: pack
                .has(&parents)
                .then(|| pack.column(&parents))
                .transpose()?,
        })
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.owners.len()
    }

    /// Whether there is no line.
    pub fn is_empty(&self) -> bool {
        self.owners.is_empty()
    }

    /// The lines of a resource: neighbours, since lines are numbered by their owners.
    pub fn of(&self, owner: u32) -> Range<u32> {
        let start = self.owners.partition_point(|&other| other < owner);
        let rest = self.owners.get(start..).unwrap_or(&[]);
        let count = rest.iter().take_while(|&&other| other == owner).count();
        start as u32..(start + count) as u32
    }

    /// The resource that owns a line.
    pub fn owner(&self, line: u32) -> Option<u32> {
        self.owners.get(line as usize).copied()
    }

    /// The line of the parent group that holds a line.
    pub fn parent(&self, line: u32) -> Option<u32> {
        self.parents.as_ref()?.get(line as usize).copied()
    }

    /// The resources that own any of the lines.
    pub fn owners(&self, lines: &RoaringBitmap) -> RoaringBitmap {
        map_ascending(lines, &self.owners)
    }

    /// The lines of the parent group that hold any of the lines.
    pub fn parents(&self, lines: &RoaringBitmap) -> RoaringBitmap {
        self.parents
            .as_ref()
            .map(|parents| map_ascending(lines, parents))
            .unwrap_or_default()
    }
}

/// Maps a set through a column that ascends.
fn map_ascending(set: &RoaringBitmap, column: &[u32]) -> RoaringBitmap {
    let mut mapped = Vec::with_capacity(set.len() as usize);
    for number in set {
        if let Some(&to) = column.get(number as usize)
            && mapped.last() != Some(&to)
        {
            mapped.push(to);
        }
    }
    super::postings::from_ascending(&mapped)
}
