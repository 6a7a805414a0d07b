//! The resources of one type as they were met: their ids in memory, everything else in a file once there is much of it.

use bytemuck::{Pod, Zeroable};
use rorqual::index::FormatError;

use crate::gather::{Compressed, HumanText, Provenance, Resource};
use crate::spool::{Piece, Spool, SpoolWriter};

/// Resources by slot.
#[derive(Default)]
pub struct Resources {
    /// Ids, one behind the other.
    ids: String,
    /// Where each id ends.
    ends: Vec<u64>,
    provenances: Vec<Provenance>,
    /// What else is known of them, in pieces, each with the slot at which it starts.
    pieces: Vec<(u32, Rows)>,
}

/// Rows of resources whose slots follow one another.
enum Rows {
    Held(Vec<Row>),
    /// From an offset of a spool on.
    Filed(Spool, u64),
}

/// A resource but for its id and its provenance.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Row {
    updated: i64,
    sequence: u64,
    body: u64,
    deflated: u64,
    /// Where its text starts; of a stored one the ordinal.
    text: u64,
    body_length: u32,
    deflated_length: u32,
    text_length: u32,
    checksum: u32,
    body_spool: u16,
    deflated_spool: u16,
    /// [`STORED`] for a text of the live generation.
    text_spool: u32,
}

/// In place of the number of a spool.
const STORED: u32 = u32::MAX;

impl Row {
    fn of(resource: &Resource<'_>) -> Row {
        let (text, text_spool) = match resource.text {
            HumanText::Spooled { piece, spool } => (piece, u32::from(spool)),
            HumanText::Stored(ordinal) => (Piece::new(u64::from(ordinal), 0), STORED),
        };
        let Compressed { piece, spool } = resource.deflated;
        Row {
            updated: resource.updated,
            sequence: resource.sequence,
            body: resource.body.start(),
            body_length: resource.body.length() as u32,
            body_spool: resource.spool,
            deflated: piece.start(),
            deflated_length: piece.length() as u32,
            deflated_spool: spool,
            checksum: resource.checksum,
            text: text.start(),
            text_length: text.length() as u32,
            text_spool,
        }
    }

    fn resource<'r>(&self, id: &'r str, provenance: Provenance) -> Resource<'r> {
        Resource {
            id,
            updated: self.updated,
            sequence: self.sequence,
            provenance,
            body: Piece::new(self.body, self.body_length),
            checksum: self.checksum,
            deflated: Compressed {
                piece: Piece::new(self.deflated, self.deflated_length),
                spool: self.deflated_spool,
            },
            text: match self.text_spool {
                STORED => HumanText::Stored(self.text as u32),
                spool => HumanText::Spooled {
                    piece: Piece::new(self.text, self.text_length),
                    spool: spool as u16,
                },
            },
            spool: self.body_spool,
        }
    }
}

impl Resources {
    /// Adds one, in the next slot.
    pub fn push(&mut self, resource: &Resource<'_>) {
        let slot = self.ends.len() as u32;
        self.ids.push_str(resource.id);
        self.ends.push(self.ids.len() as u64);
        self.provenances.push(resource.provenance);
        let row = Row::of(resource);
        match self.pieces.last_mut() {
            Some((_, Rows::Held(rows))) => rows.push(row),
            _ => self.pieces.push((slot, Rows::Held(vec![row]))),
        }
    }

    /// Adds others behind these.
    pub fn append(&mut self, others: Resources) {
        if self.ends.is_empty() {
            *self = others;
            return;
        }
        let (slot, start) = (self.ends.len() as u32, self.ids.len() as u64);
        self.ids.push_str(&others.ids);
        self.ends.extend(others.ends.iter().map(|end| start + end));
        self.provenances.extend(others.provenances);
        let pieces = others.pieces.into_iter();
        self.pieces
            .extend(pieces.map(|(first, rows)| (slot + first, rows)));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The id of a slot; empty where there is none.
    pub fn id(&self, slot: u32) -> &str {
        let at = slot as usize;
        let start = at.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = start.copied().unwrap_or(0) as usize;
        let end = self.ends.get(at).copied().unwrap_or(0) as usize;
        self.ids.get(start..end).unwrap_or("")
    }

    /// Where each is from, by slot.
    pub fn provenances(&self) -> &[Provenance] {
        &self.provenances
    }

    /// Each slot with its id and where it is from.
    pub fn each(&self) -> impl Iterator<Item = (u32, &str, Provenance)> {
        let provenances = self.provenances.iter().zip(0u32..);
        provenances.map(|(provenance, slot)| (slot, self.id(slot), *provenance))
    }

    /// The resource of a slot.
    ///
    /// # Errors
    /// [`FormatError::Io`]; [`FormatError::Altered`] when its file has become shorter, [`FormatError::Layout`] when there is no
    /// such slot.
    pub fn get(&self, slot: u32) -> Result<Resource<'_>, FormatError> {
        let piece = self.pieces.partition_point(|(first, _)| *first <= slot);
        let piece = piece.checked_sub(1).and_then(|at| self.pieces.get(at));
        let row = match piece {
            Some((first, Rows::Held(rows))) => rows.get((slot - first) as usize).copied(),
            Some((first, Rows::Filed(spool, start))) => {
                let mut row = Row::zeroed();
                let at = start + u64::from(slot - first) * size_of::<Row>() as u64;
                spool.read_at(at, bytemuck::bytes_of_mut(&mut row))?;
                Some(row)
            }
            None => None,
        };
        match (row, self.provenances.get(slot as usize)) {
            (Some(row), Some(provenance)) => Ok(row.resource(self.id(slot), *provenance)),
            _ => Err(FormatError::Layout {
                section: "resources".to_owned(),
                detail: format!("there are fewer than {slot}"),
            }),
        }
    }

    /// Bytes of memory that [`Resources::seal`] would give back.
    pub fn weight(&self) -> usize {
        match self.pieces.last() {
            Some((_, Rows::Held(rows))) => size_of::<Row>() * rows.capacity(),
            _ => 0,
        }
    }

    /// Moves what is held of the last of them into a spool.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn seal(&mut self, spool: &mut SpoolWriter) -> Result<(), FormatError> {
        if let Some((_, rows)) = self.pieces.last_mut()
            && let Rows::Held(held) = rows
        {
            let piece = spool.push(bytemuck::cast_slice(held))?;
            *rows = Rows::Filed(spool.reader(), piece.start());
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a resource is told apart by.
    fn told(resource: &Resource<'_>) -> impl PartialEq + std::fmt::Debug + use<> {
        let text = match resource.text {
            HumanText::Spooled { piece, spool } => (piece.start(), piece.end(), Some(spool)),
            HumanText::Stored(ordinal) => (u64::from(ordinal), 0, None),
        };
        let piece = |piece: Piece| (piece.start(), piece.end());
        (
            resource.id.to_owned(),
            (resource.updated, resource.sequence, resource.provenance),
            (piece(resource.body), resource.spool),
            (piece(resource.deflated.piece), resource.checksum),
            (resource.deflated.spool, text),
        )
    }

    proptest! {
        /// Wherever they are cut and joined, resources come back as they were put.
        #[test]
        fn resources_come_back_from_wherever_they_are(
            numbers in prop::collection::vec(any::<u32>(), 0..40),
            sealed in prop::collection::vec(0u8..8, 40),
        ) {
            let dir = tempfile::tempdir().unwrap();
            let ids: Vec<String> = numbers.iter().map(|number| format!("é{}", number % 100)).collect();
            let made: Vec<Resource<'_>> = numbers.iter().zip(&ids).map(|(&number, id)| Resource {
                id,
                updated: -i64::from(number),
                sequence: u64::from(number) << 8,
                provenance: [Provenance::Before, Provenance::Extract, Provenance::Log][number as usize % 3],
                body: Piece::new(u64::from(number) << 9, number),
                checksum: number ^ 1,
                deflated: Compressed {
                    piece: Piece::new(u64::from(number) << 10, number / 2),
                    spool: number as u16 ^ 3,
                },
                text: match number % 2 {
                    0 => HumanText::Stored(number),
                    _ => HumanText::Spooled { piece: Piece::new(u64::from(number) << 11, number / 3), spool: number as u16 ^ 4 },
                },
                spool: number as u16 ^ 5,
            }).collect();
            let mut spool = SpoolWriter::create(&dir.path().join("spool")).unwrap();
            let (mut all, mut own) = (Resources::default(), Resources::default());
            for (resource, what) in made.iter().zip(&sealed) {
                own.push(resource);
                match what {
                    0 => own.seal(&mut spool).unwrap(),
                    1 => all.append(std::mem::take(&mut own)),
                    _ => {}
                }
            }
            all.append(own);
            spool.finish().unwrap();
            prop_assert_eq!(all.len(), made.len());
            for ((resource, slot), (at, id, provenance)) in made.iter().zip(0..).zip(all.each()) {
                prop_assert_eq!((at, id, provenance), (slot, resource.id, resource.provenance));
                prop_assert_eq!(told(&all.get(slot).unwrap()), told(resource));
            }
            prop_assert!(all.get(made.len() as u32).is_err());
        }
    }
}
