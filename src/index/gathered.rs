//! What a build gathered of one type, kept beside the index: a delta takes it up again instead of reading every resource
//! anew.
//!
//! It is a pack of its own, `gathered.pack`: `ids` (bytes) with `ids.lengths` (u32), `updated` (i64), for each parameter
//! `p.<code>…` and for each group `g.<group>…`. Resources and lines have the numbers that they have in the generation. Terms
//! are stored once, ascending, as `<name>.keys` (bytes) with `<name>.lengths` (u32); `<name>.pairs` (u32 term, u32 slot) says
//! who holds them.

use std::path::Path;

use bytemuck::AnyBitPattern;
use rorqual_schema::{DateRange, Decimal, Parameter, Position, ResourceType, Schema};

use super::FormatError;
use super::column::Collector;
use super::date::DateCollector;
use super::directory::{group_name, located, parameter_name};
use super::interner::{Interner, Pairs, Renumbered};
use super::number::NumberCollector;
use super::pack::{FileSeal, Pack, PackWriter};
use super::positions::PositionCollector;
use super::quantity::{QuantityCollector, Row};
use super::reference::ReferenceCollector;
use super::runs::{Gathering, Part};
use super::string::StringCollector;
use super::token::TokenCollector;

/// Name of the file in a type's folder.
pub const GATHERED: &str = "gathered.pack";

/// The resources of which something is kept, by ordinal.
pub struct KeptResources {
    /// Their ids.
    pub ids: Vec<Box<str>>,
    /// Their `meta.lastUpdated`, in microseconds since 1970 UTC; `i64::MIN` without one.
    pub updated: Vec<i64>,
}

/// Writes what was gathered of a type. `ordinals` gives each slot its ordinal, `u32::MAX` when it was dropped;
/// `resources` are the id and `lastUpdated` of each ordinal.
///
/// # Errors
/// [`FormatError`] when a file cannot be written, or what was gathered cannot be read.
pub fn write<'a>(
    path: &Path,
    schema: &Schema,
    kind: ResourceType,
    gathered: &impl Gathering,
    ordinals: &[u32],
    resources: impl Iterator<Item = (&'a str, i64)>,
) -> Result<FileSeal, FormatError> {
    let mut pack = PackWriter::create(path)?;
    let (ids, updated): (Vec<&[u8]>, Vec<i64>) = resources
        .map(|(id, updated)| (id.as_bytes(), updated))
        .unzip();
    write_keys(&mut pack, "ids", &ids)?;
    pack.column("updated", &updated)?;
    write_values(&mut pack, schema, kind, gathered, ordinals)?;
    pack.finish()
}

/// Writes the lines of each group and the values of each parameter.
///
/// # Errors
/// As [`write`].
pub(super) fn write_values(
    pack: &mut PackWriter,
    schema: &Schema,
    kind: ResourceType,
    gathered: &impl Gathering,
    ordinals: &[u32],
) -> Result<(), FormatError> {
    let mut numbers = Vec::new();
    let groups = schema.groups(kind);
    for (lines, group) in gathered.lines(groups)?.iter().zip(groups) {
        let (places, count) = lines.numbers(ordinals);
        let parents = group.parent.and_then(|parent| numbers.get(parent));
        let parents = parents.map(|of: &Vec<u32>| &of[..]);
        let kept = lines.kept(&places, count, ordinals, parents);
        let name = group_name(group);
        pack.column(&format!("{name}.owners"), &kept.owners)?;
        pack.column(&format!("{name}.parents"), &kept.parents)?;
        numbers.push(places);
    }
    for (number, parameter) in schema.parameters(kind).iter().enumerate() {
        let places = parameter.group.map_or(ordinals, |group| &numbers[group]);
        let name = parameter_name(parameter);
        match &*gathered.values(number, parameter)? {
            Collector::Token(values) => values.keep(pack, &name, places)?,
            Collector::String(values) => values.keep(pack, &name, places)?,
            Collector::Date(values) => values.keep(pack, &name, places)?,
            Collector::Number(values) => values.keep(pack, &name, places)?,
            Collector::Quantity(values) => values.keep(pack, &name, places)?,
            Collector::Reference(values) => values.keep(pack, &name, places)?,
            Collector::Position(values) => values.keep(pack, &name, places)?,
            Collector::Nothing => {}
        }
    }
    Ok(())
}

/// Reads of which resources [`write`] kept something.
///
/// # Errors
/// [`FormatError`] when the file cannot be read.
pub fn read_resources(path: &Path) -> Result<KeptResources, FormatError> {
    let pack = Pack::open(path)?;
    let mut ids = Vec::new();
    each_key(&pack, "ids", |id| {
        ids.push(String::from_utf8_lossy(id).into())
    })?;
    let updated = pack.column("updated")?.to_vec();
    Ok(KeptResources { ids, updated })
}

/// The values of a parameter, out of all runs.
///
/// # Errors
/// [`FormatError`] when a run cannot be read or does not fit the schema.
pub(super) fn take_up(
    parts: &[Part],
    parameter: &Parameter,
    name: &str,
) -> Result<Collector, FormatError> {
    Ok(match Collector::new(parameter.kind, located(parameter)) {
        Collector::Token(_) => Collector::Token(Box::new(Kept::take_up(parts, name)?)),
        Collector::String(_) => Collector::String(Kept::take_up(parts, name)?),
        Collector::Date(_) => Collector::Date(Kept::take_up(parts, name)?),
        Collector::Number(_) => Collector::Number(Kept::take_up(parts, name)?),
        Collector::Quantity(_) => Collector::Quantity(Kept::take_up(parts, name)?),
        Collector::Reference(_) => Collector::Reference(Box::new(Kept::take_up(parts, name)?)),
        Collector::Position(_) => Collector::Position(Kept::take_up(parts, name)?),
        Collector::Nothing => Collector::Nothing,
    })
}

/// What can be kept and taken up again.
trait Kept: Sized {
    /// Writes what slots hold that `places` keeps: the new number of each, `u32::MAX` when dropped.
    fn keep(&self, pack: &mut PackWriter, name: &str, places: &[u32]) -> Result<(), FormatError>;

    /// Reads what [`Kept::keep`] wrote, of all runs.
    fn take_up(parts: &[Part], name: &str) -> Result<Self, FormatError>;
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

/// The keys of all runs as one, and for each run the numbers of its keys.
fn take_keys(parts: &[Part], name: &str) -> Result<(Interner, Vec<Renumbered>), FormatError> {
    let keys = |part: &Part| {
        let heap = part.pack.region(&format!("{name}.keys"))?;
        Ok((heap, part.pack.column::<u32>(&format!("{name}.lengths"))?))
    };
    let keys = parts.iter().map(keys).collect::<Result<_, FormatError>>()?;
    Interner::taking_up(keys).ok_or_else(|| FormatError::Layout {
        section: name.to_owned(),
        detail: "its keys do not end where their lengths say".to_owned(),
    })
}

fn take_pairs(parts: &[Part], name: &str) -> Result<(Interner, Pairs), FormatError> {
    let (terms, numbers) = take_keys(parts, name)?;
    let mut taken = Pairs::default();
    for (part, numbers) in parts.iter().zip(numbers) {
        let pairs = part.pack.column::<[u32; 2]>(&format!("{name}.pairs"))?;
        let known = |&[term, _]: &[u32; 2]| (numbers.of(term) as usize) < terms.len();
        if !pairs.iter().all(known) {
            return Err(FormatError::Layout {
                section: name.to_owned(),
                detail: "it names a term that there is not".to_owned(),
            });
        }
        taken.take_up(pairs, numbers, part.shift);
    }
    Ok((terms, taken))
}

/// The rows of all runs: the slot of each in one column, its value in another.
fn take_rows<C: AnyBitPattern, T>(
    parts: &[Part],
    name: &str,
    values: &str,
    value: impl Fn(C) -> T,
) -> Result<Vec<(u32, T)>, FormatError> {
    let mut rows = Vec::new();
    for part in parts {
        let slots = part.pack.column::<u32>(&format!("{name}.slots"))?;
        let values = part.pack.column::<C>(&format!("{name}.{values}"))?;
        let slots = slots.iter().map(|slot| slot + part.shift);
        rows.extend(slots.zip(values.iter().map(|of| value(*of))));
    }
    Ok(rows)
}

impl Kept for TokenCollector {
    fn keep(&self, pack: &mut PackWriter, name: &str, places: &[u32]) -> Result<(), FormatError> {
        keep_pairs(pack, name, &self.terms, &self.pairs, places)?;
        let typed = format!("{name}.typed");
        keep_pairs(pack, &typed, &self.typed, &self.typed_pairs, places)
    }

    fn take_up(parts: &[Part], name: &str) -> Result<Self, FormatError> {
        let (terms, pairs) = take_pairs(parts, name)?;
        let (typed, typed_pairs) = take_pairs(parts, &format!("{name}.typed"))?;
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

    fn take_up(parts: &[Part], name: &str) -> Result<Self, FormatError> {
        let (stored, pairs) = take_pairs(parts, name)?;
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

    fn take_up(parts: &[Part], name: &str) -> Result<Self, FormatError> {
        let range = |[low, high]: [i64; 2]| DateRange { low, high };
        let values = take_rows(parts, name, "ranges", range)?;
        Ok(DateCollector { values })
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

    fn take_up(parts: &[Part], name: &str) -> Result<Self, FormatError> {
        let values = take_rows(parts, name, "values", Decimal)?;
        Ok(NumberCollector { values })
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

    fn take_up(parts: &[Part], name: &str) -> Result<Self, FormatError> {
        let (units, numbers) = take_keys(parts, name)?;
        let mut values = Vec::new();
        for (part, numbers) in parts.iter().zip(numbers) {
            let owners = part.pack.column::<[u32; 2]>(&format!("{name}.slots"))?;
            let decimals = part.pack.column::<[i128; 2]>(&format!("{name}.values"))?;
            let rows = owners.iter().zip(decimals.iter());
            let row = |(&[slot, unit], &[canonical, written]): (&[u32; 2], &[i128; 2])| Row {
                slot: slot + part.shift,
                unit: numbers.of(unit),
                canonical: Decimal(canonical),
                written: Decimal(written),
            };
            values.extend(rows.map(row));
        }
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

    fn take_up(parts: &[Part], name: &str) -> Result<Self, FormatError> {
        let (literal, literal_pairs) = take_pairs(parts, &format!("{name}.literal"))?;
        let (logical, logical_pairs) = take_pairs(parts, &format!("{name}.logical"))?;
        let mut present = Vec::new();
        for part in parts {
            let slots = part.pack.column::<u32>(&format!("{name}.present"))?;
            present.extend(slots.iter().map(|slot| slot + part.shift));
        }
        Ok(ReferenceCollector {
            literal,
            literal_pairs,
            logical,
            logical_pairs,
            identifiers: Kept::take_up(parts, &format!("{name}.identifiers"))?,
            present,
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

    fn take_up(parts: &[Part], name: &str) -> Result<Self, FormatError> {
        let position = |[latitude, longitude]: [f64; 2]| Position {
            latitude,
            longitude,
        };
        let values = take_rows(parts, name, "points", position)?;
        Ok(PositionCollector { values })
    }
}
