//! References: adjacency in both directions, and the logical references that `:identifier` reads.
//!
//! Sections: `<name>.out_starts` (u64), `<name>.out_types` (u8) and `<name>.out` (u32) are the resolved targets of
//! each ordinal; `<name>.in.<Type>` are postings whose terms are that type's ordinals and whose ordinals are
//! ours, or, when few of that type are referred to, rows for those that `<name>.in.<Type>.targets` (u32,
//! ascending) lists; `<name>.identifier` is a token index over `Reference.identifier`.

use std::ops::Range;

use roaring::RoaringBitmap;
use rorqual_schema::{ReferenceValue, ResourceType, Token};

use super::FormatError;
use super::interner::{Interner, Pairs, Places};
use super::map::{Ahead, Column};
use super::pack::{Pack, PackWriter};
use super::postings::{Postings, row_starts, write_postings};
use super::token::{TokenCollector, TokenIndex};

const NO_TYPE: u8 = u8::MAX;

/// Gathers references while an index is built.
#[derive(Default)]
pub struct ReferenceCollector {
    pub(super) literal: Interner,
    pub(super) literal_pairs: Pairs,
    pub(super) logical: Interner,
    pub(super) logical_pairs: Pairs,
    pub(super) identifiers: TokenCollector,
    pub(super) present: Vec<u32>,
}

/// What a collected reference points to, before it is resolved.
pub enum Pointer<'a> {
    /// `Type/id`, or an id whose type the parameter's targets decide.
    Literal(Option<ResourceType>, &'a str),
    /// An identifier: type hint, system (empty: any) and value.
    Logical(Option<ResourceType>, &'a str, &'a str),
}

/// A resolved reference, in slots.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The slot that refers.
    pub from: u32,
    /// The type referred to.
    pub to_type: ResourceType,
    /// The slot referred to, among that type's.
    pub to: u32,
}

impl ReferenceCollector {
    /// Notes one reference of a slot.
    pub fn add(&mut self, slot: u32, reference: &ReferenceValue<'_>) {
        self.present.push(slot);
        let code = |kind: Option<ResourceType>| kind.map_or(NO_TYPE, |kind| kind.index() as u8);
        if let Some((system, value)) = &reference.identifier {
            self.identifiers.add(
                slot,
                &Token {
                    system: system.clone(),
                    code: value.clone(),
                    identifier_type: None,
                },
            );
        }
        match (&reference.literal, &reference.identifier) {
            (Some((kind, id)), _) => {
                let key = [&[code(*kind)], id.as_bytes()].concat();
                let term = self.literal.intern(&key);
                self.literal_pairs.push(term, slot);
            }
            (None, Some((system, value))) if !reference.written => {
                let key = [
                    &[code(reference.type_hint)],
                    system.as_bytes(),
                    &[0],
                    value.as_bytes(),
                ]
                .concat();
                let term = self.logical.intern(&key);
                self.logical_pairs.push(term, slot);
            }
            (None, _) => {}
        }
    }

    /// Bytes of memory that values noted take.
    pub fn weight(&self) -> usize {
        let literal = self.literal.weight() + self.literal_pairs.weight();
        let logical = self.logical.weight() + self.logical_pairs.weight();
        let present = size_of::<u32>() * self.present.capacity();
        literal + logical + present + self.identifiers.weight()
    }

    /// Whether a reference names its target by an identifier: what it leads to depends on more than the target's id.
    pub fn has_logical(&self) -> bool {
        !self.logical.is_empty()
    }

    /// The identifier values that logical references name.
    pub fn logical_values(&self, mut visit: impl FnMut(&[u8])) {
        for key in self.logical.keys() {
            if let Some(at) = memchr::memchr(0, key.get(1..).unwrap_or(&[])) {
                visit(&key[at + 2..]);
            }
        }
    }

    /// Every reference with the slot that holds it, each distinct pointer resolved once by `resolve`, which
    /// pushes the (type, slot) pairs it stands for. Answers the edges, and a slot for each literal reference that resolves
    /// to nothing, among those that `kept` keeps.
    pub fn resolve(
        &self,
        kept: impl Fn(u32) -> bool,
        mut resolve: impl FnMut(Pointer<'_>, &mut Vec<(ResourceType, u32)>),
    ) -> (Vec<Edge>, Vec<u32>) {
        let mut edges = Vec::new();
        let mut dangling = Vec::new();
        let mut found = Vec::new();
        for literal in [true, false] {
            let (interner, pairs) = if literal {
                (&self.literal, &self.literal_pairs)
            } else {
                (&self.logical, &self.logical_pairs)
            };
            let mut targets: Vec<Range<usize>> = Vec::with_capacity(interner.len());
            found.clear();
            for key in interner.keys() {
                let start = found.len();
                if let Some((kind, rest)) = key.split_first() {
                    let kind = ResourceType::from_index(*kind as usize);
                    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
                    match (literal, memchr::memchr(0, rest)) {
                        (true, _) => resolve(Pointer::Literal(kind, text(rest)), &mut found),
                        (false, Some(at)) => {
                            resolve(
                                Pointer::Logical(kind, text(&rest[..at]), text(&rest[at + 1..])),
                                &mut found,
                            );
                        }
                        (false, None) => {}
                    }
                }
                targets.push(start..found.len());
            }
            for (term, from) in pairs.iter().filter(|&(_, slot)| kept(slot)) {
                let to = &found[targets[term as usize].clone()];
                if literal && to.is_empty() {
                    dangling.push(from);
                }
                edges.extend(to.iter().map(|&(to_type, to)| Edge { from, to_type, to }));
            }
        }
        (edges, dangling)
    }

    /// Writes the index under `name`. `edges` are resolved slots; `places` gives our ordinals, `targets` those of each type.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn write(
        &self,
        pack: &mut PackWriter,
        name: &str,
        places: &Places<'_>,
        edges: &[Edge],
        targets: &[Places<'_>],
    ) -> Result<(), FormatError> {
        let mut placed: Vec<(u32, u8, u32)> = edges
            .iter()
            .filter_map(|edge| {
                let kind = edge.to_type.index();
                let from = *places.of(edge.from).first()?;
                Some((from, kind as u8, *targets.get(kind)?.of(edge.to).first()?))
            })
            .collect();
        placed.sort_unstable();
        placed.dedup();
        let starts = row_starts(places.count(), placed.iter().map(|edge| u64::from(edge.0)));
        pack.column(&format!("{name}.out_starts"), &starts)?;
        pack.column(
            &format!("{name}.out_types"),
            &placed.iter().map(|edge| edge.1).collect::<Vec<_>>(),
        )?;
        pack.column(
            &format!("{name}.out"),
            &placed.iter().map(|edge| edge.2).collect::<Vec<_>>(),
        )?;
        for kind in ResourceType::ALL {
            let pairs: Vec<u64> = placed
                .iter()
                .filter(|edge| edge.1 as usize == kind.index())
                .map(|edge| u64::from(edge.2) << 32 | u64::from(edge.0))
                .collect();
            if !pairs.is_empty() {
                let count = targets.get(kind.index()).map_or(0, Places::count);
                write_incoming(pack, &format!("{name}.in.{}", kind.name()), count, pairs)?;
            }
        }
        self.identifiers
            .write(pack, &format!("{name}.identifier"), places, false)
    }

    /// The slots that hold any reference.
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.present.iter().copied()
    }
}

/// From how many ordinals for each one referred to a row for every ordinal costs more than a search among those
/// referred to.
const FEW: usize = 64;

/// Writes postings from pairs packed as `target << 32 | ordinal`, ascending by target, of `count` possible targets.
fn write_incoming(
    pack: &mut PackWriter,
    name: &str,
    count: usize,
    mut pairs: Vec<u64>,
) -> Result<(), FormatError> {
    pairs.sort_unstable();
    let mut targets: Vec<u32> = pairs.iter().map(|&pair| (pair >> 32) as u32).collect();
    targets.dedup();
    if targets.len().saturating_mul(FEW) >= count {
        return write_postings(pack, name, count, &pairs);
    }
    pack.column(&format!("{name}.targets"), &targets)?;
    let mut row = 0;
    for pair in &mut pairs {
        while targets[row] < (*pair >> 32) as u32 {
            row += 1;
        }
        *pair = (row as u64) << 32 | *pair & u64::from(u32::MAX);
    }
    write_postings(pack, name, targets.len(), &pairs)
}

/// Who refers to the ordinals of one type.
pub struct Incoming {
    /// The ordinals referred to, ascending, when there are few; otherwise every ordinal has a row.
    few: Option<Column<u32>>,
    rows: Postings,
}

impl Incoming {
    fn open(pack: &Pack, name: &str) -> Result<Incoming, FormatError> {
        let targets = format!("{name}.targets");
        let few: Option<Column<u32>> = pack
            .has(&targets)
            .then(|| pack.column(&targets))
            .transpose()?;
        let rows = Postings::open(pack, name)?;
        if few.as_ref().is_some_and(|few| few.len() != rows.terms()) {
            return Err(FormatError::Layout {
                section: targets,
                detail: "its length is not that of its postings".into(),
            });
        }
        Ok(Incoming { few, rows })
    }

    fn row(&self, target: u32) -> Option<usize> {
        match &self.few {
            Some(few) => few.binary_search(&target).ok(),
            None => Some(target as usize),
        }
    }

    /// Has what is read soon of those who refer to one fetched meanwhile; where it takes a search, it is left to that.
    pub fn expect(&self, target: u32, ahead: Ahead) {
        if self.few.is_none() {
            self.rows.expect(target as usize, ahead);
        }
    }

    /// The ordinals that refer to one, ascending.
    pub fn of(&self, target: u32) -> &[u32] {
        self.row(target).map_or(&[], |row| self.rows.of(row))
    }

    /// The same as a bitmap.
    pub fn bitmap(&self, target: u32) -> RoaringBitmap {
        self.row(target)
            .map_or_else(RoaringBitmap::new, |row| self.rows.bitmap(row))
    }

    /// How many references there are.
    pub fn edges(&self) -> usize {
        self.rows.of_range(0..self.rows.terms()).len()
    }
}

/// Opened references.
pub struct ReferenceIndex {
    starts: Column<u64>,
    types: Column<u8>,
    targets: Column<u32>,
    incoming: Vec<Option<Incoming>>,
    identifiers: TokenIndex,
}

impl ReferenceIndex {
    /// Opens what [`ReferenceCollector::write`] wrote.
    ///
    /// # Errors
    /// [`FormatError`] when a section is missing or inconsistent.
    pub fn open(pack: &Pack, name: &str) -> Result<ReferenceIndex, FormatError> {
        let incoming = ResourceType::ALL
            .iter()
            .map(|kind| {
                let section = format!("{name}.in.{}", kind.name());
                pack.has(&format!("{section}.starts"))
                    .then(|| Incoming::open(pack, &section))
                    .transpose()
            })
            .collect::<Result<Vec<_>, _>>()?;
        let index = ReferenceIndex {
            starts: pack.column(&format!("{name}.out_starts"))?,
            types: pack.column(&format!("{name}.out_types"))?,
            targets: pack.column(&format!("{name}.out"))?,
            incoming,
            identifiers: TokenIndex::open(pack, &format!("{name}.identifier"))?,
        };
        if index.starts.last() != Some(&(index.targets.len() as u64))
            || index.types.len() != index.targets.len()
        {
            return Err(FormatError::Layout {
                section: name.to_owned(),
                detail: "its arrays do not end together".into(),
            });
        }
        Ok(index)
    }

    /// Has what is read soon of what an ordinal refers to fetched meanwhile.
    pub fn expect(&self, ordinal: u32, ahead: Ahead) {
        match ahead {
            Ahead::Place => self.starts.expect(ordinal as usize + 1),
            Ahead::Content => {
                if let Some(&start) = self.starts.get(ordinal as usize) {
                    self.types.expect(start as usize);
                    self.targets.expect(start as usize);
                }
            }
        }
    }

    /// What an ordinal refers to.
    pub fn targets(&self, ordinal: u32) -> impl Iterator<Item = (ResourceType, u32)> + '_ {
        let range = self.starts.span(ordinal as usize).unwrap_or_default();
        range.filter_map(|edge| {
            Some((
                ResourceType::from_index(*self.types.get(edge)? as usize)?,
                *self.targets.get(edge)?,
            ))
        })
    }

    /// Who refers to the ordinals of `kind`. `None`: nobody refers to that type.
    pub fn incoming(&self, kind: ResourceType) -> Option<&Incoming> {
        self.incoming.get(kind.index())?.as_ref()
    }

    /// How many resolved references there are.
    pub fn edges(&self) -> usize {
        self.targets.len()
    }

    /// `Reference.identifier` values.
    pub fn identifiers(&self) -> &TokenIndex {
        &self.identifiers
    }
}
