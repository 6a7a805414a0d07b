//! One search parameter: what is gathered while building and what is opened, by parameter type.

use rorqual_schema::{ParameterType, Value};

use super::FormatError;
use super::blocks::Blocks;
use super::date::{DateCollector, DateIndex};
use super::interner::Places;
use super::number::{NumberCollector, NumberIndex};
use super::pack::{Pack, PackWriter};
use super::positions::{PositionCollector, PositionIndex};
use super::postings::{read_presence, write_presence};
use super::quantity::{QuantityCollector, QuantityIndex};
use super::reference::{Edge, ReferenceCollector, ReferenceIndex};
use super::sort::{Ranks, SortValue};
use super::string::{StringCollector, StringIndex};
use super::token::{TokenCollector, TokenIndex};
use roaring::RoaringBitmap;

/// Gathers the values of one parameter.
pub enum Collector {
    /// Codes and identifiers.
    Token(Box<TokenCollector>),
    /// Texts.
    String(StringCollector),
    /// Dates and periods.
    Date(DateCollector),
    /// Numbers.
    Number(NumberCollector),
    /// Numbers with units.
    Quantity(QuantityCollector),
    /// References.
    Reference(Box<ReferenceCollector>),
    /// Positions, of the parameters `near` and `near-insee-code`.
    Position(PositionCollector),
    /// Parameters that read nothing of the resource, such as `_filter`.
    Nothing,
}

impl Collector {
    /// The collector of a parameter type; `located` tells special parameters that read a position.
    pub fn new(kind: ParameterType, located: bool) -> Collector {
        match kind {
            ParameterType::Token => Collector::Token(Box::default()),
            ParameterType::String => Collector::String(StringCollector::default()),
            ParameterType::Date => Collector::Date(DateCollector::default()),
            ParameterType::Number => Collector::Number(NumberCollector::default()),
            ParameterType::Quantity => Collector::Quantity(QuantityCollector::default()),
            ParameterType::Reference => Collector::Reference(Box::default()),
            ParameterType::Special if located => Collector::Position(PositionCollector::default()),
            ParameterType::Special => Collector::Nothing,
        }
    }

    /// Notes one value. A value of another type than the parameter's is not a value of it.
    pub fn add(&mut self, slot: u32, value: &Value<'_>) {
        match (self, value) {
            (Collector::Token(collector), Value::Token(token)) => collector.add(slot, token),
            (Collector::String(collector), Value::String(text)) => collector.add(slot, text),
            (Collector::Date(collector), Value::Date(range)) => collector.add(slot, *range),
            (Collector::Number(collector), Value::Number(number)) => collector.add(slot, *number),
            (Collector::Quantity(collector), Value::Quantity(quantity)) => {
                collector.add(slot, quantity)
            }
            (Collector::Reference(collector), Value::Reference(reference)) => {
                collector.add(slot, reference)
            }
            (Collector::Position(collector), Value::Position(position)) => {
                collector.add(slot, *position)
            }
            _ => {}
        }
    }

    /// Bytes of memory that values noted take.
    pub fn weight(&self) -> usize {
        match self {
            Collector::Token(collector) => collector.weight(),
            Collector::String(collector) => collector.weight(),
            Collector::Date(collector) => collector.weight(),
            Collector::Number(collector) => collector.weight(),
            Collector::Quantity(collector) => collector.weight(),
            Collector::Reference(collector) => collector.weight(),
            Collector::Position(collector) => collector.weight(),
            Collector::Nothing => 0,
        }
    }

    fn slots(&self) -> Box<dyn Iterator<Item = u32> + '_> {
        match self {
            Collector::Token(collector) => Box::new(collector.slots()),
            Collector::String(collector) => Box::new(collector.slots()),
            Collector::Date(collector) => Box::new(collector.slots()),
            Collector::Number(collector) => Box::new(collector.slots()),
            Collector::Quantity(collector) => Box::new(collector.slots()),
            Collector::Reference(collector) => Box::new(collector.slots()),
            Collector::Position(collector) => Box::new(collector.slots()),
            Collector::Nothing => Box::new(std::iter::empty()),
        }
    }

    /// Writes the parameter under `name`. `ranked` adds sort columns; references need their resolved `edges`.
    ///
    /// # Errors
    /// [`FormatError::Io`].
    pub fn write(
        &self,
        pack: &mut PackWriter,
        name: &str,
        places: &Places<'_>,
        ranked: bool,
        edges: &[Edge],
        targets: &[Places<'_>],
    ) -> Result<(), FormatError> {
        match self {
            Collector::Token(collector) => collector.write(pack, name, places, ranked)?,
            Collector::String(collector) => collector.write(pack, name, places, ranked)?,
            Collector::Date(collector) => collector.write(pack, name, places, ranked)?,
            Collector::Number(collector) => collector.write(pack, name, places, ranked)?,
            Collector::Quantity(collector) => collector.write(pack, name, places, ranked)?,
            Collector::Reference(collector) => {
                collector.write(pack, name, places, edges, targets)?
            }
            Collector::Position(collector) => collector.write(pack, name, places)?,
            Collector::Nothing => return Ok(()),
        }
        let present = self
            .slots()
            .flat_map(|slot| places.of(slot).iter().copied());
        write_presence(pack, &format!("{name}.present"), present)
    }
}

/// The opened values of one parameter.
pub enum Values {
    /// Codes and identifiers.
    Token(TokenIndex),
    /// Texts.
    String(StringIndex),
    /// Dates and periods.
    Date(DateIndex),
    /// Numbers.
    Number(NumberIndex),
    /// Numbers with units.
    Quantity(QuantityIndex),
    /// References.
    Reference(ReferenceIndex),
    /// Positions.
    Position(PositionIndex),
    /// Nothing is stored.
    Nothing,
}

/// One opened parameter.
pub struct ParameterIndex {
    name: String,
    /// Its values.
    pub values: Values,
    /// Its sort columns, where its type has an order.
    pub ranks: Option<Ranks>,
}

impl ParameterIndex {
    /// Opens what [`Collector::write`] wrote.
    ///
    /// # Errors
    /// [`FormatError`] when a section is missing or inconsistent.
    pub fn open(
        pack: &Pack,
        name: &str,
        kind: ParameterType,
        located: bool,
    ) -> Result<ParameterIndex, FormatError> {
        let values = match kind {
            ParameterType::Token => Values::Token(TokenIndex::open(pack, name)?),
            ParameterType::String => Values::String(StringIndex::open(pack, name)?),
            ParameterType::Date => Values::Date(DateIndex::open(pack, name)?),
            ParameterType::Number => Values::Number(NumberIndex::open(pack, name)?),
            ParameterType::Quantity => Values::Quantity(QuantityIndex::open(pack, name)?),
            ParameterType::Reference => Values::Reference(ReferenceIndex::open(pack, name)?),
            ParameterType::Special if located => Values::Position(PositionIndex::open(pack, name)?),
            ParameterType::Special => Values::Nothing,
        };
        let ranks = pack
            .has(&format!("{name}.least"))
            .then(|| Ranks::open(pack, name))
            .transpose()?;
        Ok(ParameterIndex {
            name: name.to_owned(),
            values,
            ranks,
        })
    }

    /// What a rank of [`ParameterIndex::ranks`] stands for, to be compared with that of another index.
    pub fn sort_value(&self, rank: u32) -> Option<SortValue<'_>> {
        match &self.values {
            Values::Token(index) => index.term_of_rank(rank).map(SortValue::Term),
            Values::String(index) => index.text_of_rank(rank).map(SortValue::Term),
            Values::Date(index) => index
                .start_of_rank(rank)
                .map(|start| SortValue::Integer(i128::from(start))),
            Values::Number(index) => index.value_of_rank(rank).map(SortValue::Integer),
            Values::Quantity(index) => index
                .value_of_rank(rank)
                .map(|(unit, value)| SortValue::Quantity(unit, value)),
            Values::Reference(_) | Values::Position(_) | Values::Nothing => None,
        }
    }

    /// Its ordinals in the order of their values as `_sort` ranks them, one for each value; those of one value in any
    /// order. `None` where no column has them so.
    pub fn ascending_rows(&self) -> Option<&[u32]> {
        match &self.values {
            Values::Token(index) => Some(index.postings().all()),
            Values::String(index) => Some(index.folded_rows()),
            Values::Date(index) => Some(index.rows_by_start()),
            Values::Number(index) => Some(index.rows_by_value()),
            // Numbers without unit stand in another column.
            Values::Quantity(_) => None,
            Values::Reference(_) | Values::Position(_) | Values::Nothing => None,
        }
    }

    /// The ready-made bitmaps of [`ParameterIndex::ascending_rows`], where there are any.
    pub fn ascending_blocks(&self) -> Option<&Blocks> {
        match &self.values {
            Values::Date(index) => index.blocks_by_start(),
            Values::Number(index) => index.blocks(),
            _ => None,
        }
    }

    /// The ordinals that have any value: what `:missing` reads.
    ///
    /// # Errors
    /// [`FormatError`] when the section is damaged.
    pub fn present(&self, pack: &Pack) -> Result<RoaringBitmap, FormatError> {
        match self.values {
            Values::Nothing => Ok(RoaringBitmap::new()),
            _ => read_presence(pack, &format!("{}.present", self.name)),
        }
    }
}
