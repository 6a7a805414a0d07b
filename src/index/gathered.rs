//! What a build gathered of one type, kept beside the index: a delta takes it up again instead of reading every resource
//! anew.
//!
//! It is a pack of its own, `gathered.pack`: `ids` (bytes) with `ids.lengths` (u32), `updated` (i64), for each parameter
//! `p.<code>…` and for each group `g.<group>…`. Resources and lines have the numbers that they have in the generation. Terms
//! are stored once, ascending, as `<name>.keys` (bytes) with `<name>.lengths` (u32); `<name>.pairs` (u32 term, u32 slot) says
//! who holds them.

use std::path::Path;

use rorqual_schema::{DateRange, Decimal, Position, ResourceType, Schema};

use super::FormatError;
use super::column::Collector;
use super::date::DateCollector;
use super::directory::DirectoryCollector;
use super::interner::{Interner, Pairs};
use super::lines::LineCollector;
use super::number::NumberCollector;
use super::pack::{FileSeal, Pack, PackWriter};
use super::positions::PositionCollector;
use super::quantity::{QuantityCollector, Row};
use super::reference::ReferenceCollector;
use super::string::StringCollector;
use super::token::TokenCollector;

/// Name of the file in a type's folder.
pub const GATHERED: &str = "gathered.pack";

/// What is kept of the resources of one type, by ordinal.
pub struct Gathered {
    /// Their values, slots being ordinals.
    pub directory: DirectoryCollector,
    /// Their ids.
    pub ids: Vec<Box<str>>,
    /// Their `meta.lastUpdated`, in microseconds since 1970 UTC; `i64::MIN` without one.
    pub updated: Vec<i64>,
}

/// Writes what was gathered of a type. `ordinals` gives each slot its ordinal, `u32::MAX` when it was dropped;
/// `resources` are the id and `lastUpdated` of each ordinal.
///
/// # Errors
/// [`FormatError::Io`].
pub fn write<'a>(
    path: &Path,
    schema: &Schema,
    kind: ResourceType,
    directory: &DirectoryCollector,
    ordinals: &[u32],
    resources: impl Iterator<Item = (&'a str, i64)>,
) -> Result<FileSeal, FormatError> {
    let mut pack = PackWriter::create(path)?;
    let (ids, updated): (Vec<&[u8]>, Vec<i64>) = resources
        .map(|(id, updated)| (id.as_bytes(), updated))
        .unzip();
    write_keys(&mut pack, "ids", &ids)?;
    pack.column("updated", &updated)?;
    let mut numbers = Vec::new();
    for (lines, group) in directory.lines.iter().zip(schema.groups(kind)) {
        let (places, count) = lines.numbers(ordinals);
        let parents = group.parent.and_then(|parent| numbers.get(parent));
        let parents = parents.map(|of: &Vec<u32>| &of[..]);
        let kept = lines.kept(&places, count, ordinals, parents);
        pack.column(&format!("g.{}.owners", group.name), &kept.owners)?;
        pack.column(&format!("g.{}.parents", group.name), &kept.parents)?;
        numbers.push(places);
    }
    for (collector, parameter) in directory.collectors.iter().zip(schema.parameters(kind)) {
        let places = parameter.group.map_or(ordinals, |group| &numbers[group]);
        let name = format!("p.{}", parameter.code);
        match collector {
            Collector::Token(values) => values.keep(&mut pack, &name, places)?,
            Collector::String(values) => values.keep(&mut pack, &name, places)?,
            Collector::Date(values) => values.keep(&mut pack, &name, places)?,
            Collector::Number(values) => values.keep(&mut pack, &name, places)?,
            Collector::Quantity(values) => values.keep(&mut pack, &name, places)?,
            Collector::Reference(values) => values.keep(&mut pack, &name, places)?,
            Collector::Position(values) => values.keep(&mut pack, &name, places)?,
            Collector::Nothing => {}
        }
    }
    pack.finish()
}

/// Reads what [`write`] wrote.
///
/// # Errors
/// [`FormatError`] when the file cannot be read or does not fit the schema.
pub fn read(path: &Path, schema: &Schema, kind: ResourceType) -> Result<Gathered, FormatError> {
    let pack = Pack::open(path)?;
    let mut ids = Vec::new();
    each_key(&pack, "ids", |id| {
        ids.push(String::from_utf8_lossy(id).into())
    })?;
    let mut directory = DirectoryCollector::new(schema, kind);
    directory.slots = ids.len() as u32;
    for (lines, group) in directory.lines.iter_mut().zip(schema.groups(kind)) {
        *lines = LineCollector {
            owners: pack.column(&format!("g.{}.owners", group.name))?.to_vec(),
            parents: pack.column(&format!("g.{}.parents", group.name))?.to_vec(),
        };
    }
    let parameters = schema.parameters(kind);
    for (collector, parameter) in directory.collectors.iter_mut().zip(parameters) {
        let name = format!("p.{}", parameter.code);
        match collector {
            Collector::Token(values) => **values = Kept::take_up(&pack, &name)?,
            Collector::String(values) => *values = Kept::take_up(&pack, &name)?,
            Collector::Date(values) => *values = Kept::take_up(&pack, &name)?,
            Collector::Number(values) => *values = Kept::take_up(&pack, &name)?,
            Collector::Quantity(values) => *values = Kept::take_up(&pack, &name)?,
            Collector::Reference(values) => **values = Kept::take_up(&pack, &name)?,
            Collector::Position(values) => *values = Kept::take_up(&pack, &name)?,
            Collector::Nothing => {}
        }
    }
    Ok(Gathered {
        directory,
        ids,
        updated: pack.column("updated")?.to_vec(),
    })
}

/// What can be kept and taken up again.
trait Kept: Sized {
    /// Writes what slots hold that `places` keeps: the new number of each, `u32::MAX` when dropped.
    fn keep(&self, pack: &mut PackWriter, name: &str, places: &[u32]) -> Result<(), FormatError>;

    /// Reads what [`Kept::keep`] wrote.
    fn take_up(pack: &Pack, name: &str) -> Result<Self, FormatError>;
}

/// Where a slot went.
fn place(places: &[u32], slot: u32) -> Option<u32> {
    places
        .get(slot as usize)
        .copied()
        .filter(|&place| place != u32::MAX)
}

/// The values of slots that stay, by their new slots; those of one slot stay in their order, whichever thread met them.
fn placed<T: Copy>(values: impl Iterator<Item = (u32, T)>, places: &[u32]) -> Vec<(u32, T)> {
    let mut placed: Vec<(u32, T)> = values
        .filter_map(|(slot, value)| place(places, slot).map(|slot| (slot, value)))
        .collect();
    placed.sort_by_key(|(slot, _)| *slot);
    placed
}

fn write_keys(pack: &mut PackWriter, name: &str, keys: &[&[u8]]) -> Result<(), FormatError> {
    pack.pieces(&format!("{name}.keys"), |sink| {
        keys.iter().try_for_each(|key| sink(key))
    })?;
    let lengths: Vec<u32> = keys.iter().map(|key| key.len() as u32).collect();
    pack.column(&format!("{name}.lengths"), &lengths)
}

fn each_key(pack: &Pack, name: &str, mut visit: impl FnMut(&[u8])) -> Result<(), FormatError> {
    let heap = pack.region(&format!("{name}.keys"))?;
    let mut rest = heap.as_slice();
    for &length in pack.column::<u32>(&format!("{name}.lengths"))?.iter() {
        let Some((key, after)) = rest.split_at_checked(length as usize) else {
            return Err(FormatError::Layout {
                section: name.to_owned(),
                detail: "its keys are cut short".to_owned(),
            });
        };
        visit(key);
        rest = after;
    }
    Ok(())
}

fn keep_pairs(
    pack: &mut PackWriter,
    name: &str,
    terms: &Interner,
    pairs: &Pairs,
    places: &[u32],
) -> Result<(), FormatError> {
    let pairs = placed(pairs.iter().map(|(term, slot)| (slot, term)), places);
    let mut used = vec![false; terms.len()];
    for (_, term) in &pairs {
        used[*term as usize] = true;
    }
    let (keys, ranks) = terms.sorted(|term| used[term as usize]);
    write_keys(pack, name, &keys)?;
    let pairs: Vec<[u32; 2]> = pairs
        .into_iter()
        .map(|(slot, term)| [ranks[term as usize], slot])
        .collect();
    pack.column(&format!("{name}.pairs"), &pairs)
}

fn take_pairs(pack: &Pack, name: &str) -> Result<(Interner, Pairs), FormatError> {
    let lengths = pack.column::<u32>(&format!("{name}.lengths"))?;
    let heap = pack.region(&format!("{name}.keys"))?;
    let terms = Interner::taking_up(heap, &lengths).ok_or_else(|| FormatError::Layout {
        section: name.to_owned(),
        detail: "its keys do not end where their lengths say".to_owned(),
    })?;
    let pairs = pack.column::<[u32; 2]>(&format!("{name}.pairs"))?;
    let mut taken = Pairs::default();
    for &[term, slot] in pairs.iter() {
        if term as usize >= terms.len() {
            return Err(FormatError::Layout {
                section: name.to_owned(),
                detail: "it names a term that there is not".to_owned(),
            });
        }
        taken.push(term, slot);
    }
    Ok((terms, taken))
}

impl Kept for TokenCollector {
    fn keep(&self, pack: &mut PackWriter, name: &str, places: &[u32]) -> Result<(), FormatError> {
        keep_pairs(pack, name, &self.terms, &self.pairs, places)?;
        let typed = format!("{name}.typed");
        keep_pairs(pack, &typed, &self.typed, &self.typed_pairs, places)
    }

    fn take_up(pack: &Pack, name: &str) -> Result<Self, FormatError> {
        let (terms, pairs) = take_pairs(pack, name)?;
        let (typed, typed_pairs) = take_pairs(pack, &format!("{name}.typed"))?;
        Ok(TokenCollector {
            terms,
            pairs,
            typed,
            typed_pairs,
            scratch: Vec::new(),
        })
    }
}

impl Kept for StringCollector {
    fn keep(&self, pack: &mut PackWriter, name: &str, places: &[u32]) -> Result<(), FormatError> {
        keep_pairs(pack, name, &self.stored, &self.pairs, places)
    }

    fn take_up(pack: &Pack, name: &str) -> Result<Self, FormatError> {
        let (stored, pairs) = take_pairs(pack, name)?;
        Ok(StringCollector { stored, pairs })
    }
}

impl Kept for DateCollector {
    fn keep(&self, pack: &mut PackWriter, name: &str, places: &[u32]) -> Result<(), FormatError> {
        let (slots, ranges): (Vec<u32>, Vec<[i64; 2]>) =
            placed(self.values.iter().copied(), places)
                .into_iter()
                .map(|(slot, range)| (slot, [range.low, range.high]))
                .unzip();
        pack.column(&format!("{name}.slots"), &slots)?;
        pack.column(&format!("{name}.ranges"), &ranges)
    }

    fn take_up(pack: &Pack, name: &str) -> Result<Self, FormatError> {
        let slots = pack.column::<u32>(&format!("{name}.slots"))?;
        let ranges = pack.column::<[i64; 2]>(&format!("{name}.ranges"))?;
        let ranges = ranges.iter().map(|&[low, high]| DateRange { low, high });
        Ok(DateCollector {
            values: slots.iter().copied().zip(ranges).collect(),
        })
    }
}

impl Kept for NumberCollector {
    fn keep(&self, pack: &mut PackWriter, name: &str, places: &[u32]) -> Result<(), FormatError> {
        let (slots, values): (Vec<u32>, Vec<i128>) = placed(self.values.iter().copied(), places)
            .into_iter()
            .map(|(slot, value)| (slot, value.0))
            .unzip();
        pack.column(&format!("{name}.slots"), &slots)?;
        pack.column(&format!("{name}.values"), &values)
    }

    fn take_up(pack: &Pack, name: &str) -> Result<Self, FormatError> {
        let slots = pack.column::<u32>(&format!("{name}.slots"))?;
        let values = pack.column::<i128>(&format!("{name}.values"))?;
        let values = values.iter().map(|&value| Decimal(value));
        Ok(NumberCollector {
            values: slots.iter().copied().zip(values).collect(),
        })
    }
}

impl Kept for QuantityCollector {
    fn keep(&self, pack: &mut PackWriter, name: &str, places: &[u32]) -> Result<(), FormatError> {
        let rows = self.values.iter().map(|row| (row.slot, row));
        let rows = placed(rows, places);
        let mut used = vec![false; self.units.len()];
        for (_, row) in &rows {
            if let Some(used) = used.get_mut(row.unit as usize) {
                *used = true;
            }
        }
        let (keys, ranks) = self.units.sorted(|unit| used[unit as usize]);
        write_keys(pack, name, &keys)?;
        let unit = |row: &Row| ranks.get(row.unit as usize).copied().unwrap_or(u32::MAX);
        let owners: Vec<[u32; 2]> = rows.iter().map(|(slot, row)| [*slot, unit(row)]).collect();
        let values: Vec<[i128; 2]> = rows
            .iter()
            .map(|(_, row)| [row.canonical.0, row.written.0])
            .collect();
        pack.column(&format!("{name}.slots"), &owners)?;
        pack.column(&format!("{name}.values"), &values)
    }

    fn take_up(pack: &Pack, name: &str) -> Result<Self, FormatError> {
        let mut units = Interner::default();
        each_key(pack, name, |key| {
            units.intern(key);
        })?;
        let owners = pack.column::<[u32; 2]>(&format!("{name}.slots"))?;
        let values = pack.column::<[i128; 2]>(&format!("{name}.values"))?;
        let values = owners
            .iter()
            .zip(values.iter())
            .map(|(&[slot, unit], &[canonical, written])| Row {
                slot,
                unit,
                canonical: Decimal(canonical),
                written: Decimal(written),
            })
            .collect();
        Ok(QuantityCollector { units, values })
    }
}

impl Kept for ReferenceCollector {
    fn keep(&self, pack: &mut PackWriter, name: &str, places: &[u32]) -> Result<(), FormatError> {
        let literal = format!("{name}.literal");
        keep_pairs(pack, &literal, &self.literal, &self.literal_pairs, places)?;
        let logical = format!("{name}.logical");
        keep_pairs(pack, &logical, &self.logical, &self.logical_pairs, places)?;
        self.identifiers
            .keep(pack, &format!("{name}.identifiers"), places)?;
        let present = placed(self.present.iter().map(|&slot| (slot, ())), places);
        let present: Vec<u32> = present.into_iter().map(|(slot, ())| slot).collect();
        pack.column(&format!("{name}.present"), &present)
    }

    fn take_up(pack: &Pack, name: &str) -> Result<Self, FormatError> {
        let (literal, literal_pairs) = take_pairs(pack, &format!("{name}.literal"))?;
        let (logical, logical_pairs) = take_pairs(pack, &format!("{name}.logical"))?;
        Ok(ReferenceCollector {
            literal,
            literal_pairs,
            logical,
            logical_pairs,
            identifiers: Kept::take_up(pack, &format!("{name}.identifiers"))?,
            present: pack.column(&format!("{name}.present"))?.to_vec(),
        })
    }
}

impl Kept for PositionCollector {
    fn keep(&self, pack: &mut PackWriter, name: &str, places: &[u32]) -> Result<(), FormatError> {
        let (slots, points): (Vec<u32>, Vec<[f64; 2]>) =
            placed(self.values.iter().copied(), places)
                .into_iter()
                .map(|(slot, at)| (slot, [at.latitude, at.longitude]))
                .unzip();
        pack.column(&format!("{name}.slots"), &slots)?;
        pack.column(&format!("{name}.points"), &points)
    }

    fn take_up(pack: &Pack, name: &str) -> Result<Self, FormatError> {
        let slots = pack.column::<u32>(&format!("{name}.slots"))?;
        let points = pack.column::<[f64; 2]>(&format!("{name}.points"))?;
        let points = points.iter().map(|&[latitude, longitude]| Position {
            latitude,
            longitude,
        });
        Ok(PositionCollector {
            values: slots.iter().copied().zip(points).collect(),
        })
    }
}
