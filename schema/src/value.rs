//! Values: one normaliser, used when data are indexed and when requests are read.

pub mod date;
pub mod decimal;
pub mod error;
pub mod escape;
pub mod position;
pub mod prefix;
pub mod quantity;
pub mod reference;
pub mod text;
mod text_table;
pub mod token;
pub mod unit;

use std::borrow::Cow;

use self::date::DateRange;
use self::decimal::Decimal;
use self::position::Position;
use self::quantity::QuantityValue;
use self::reference::ReferenceValue;
use self::token::Token;

/// A value read from a resource for one parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A coded value or an identifier.
    Token(Token<'a>),
    /// A text, as stored; fold it with [`text::fold`] to compare it.
    String(Cow<'a, str>),
    /// A span of time.
    Date(DateRange),
    /// A number.
    Number(Decimal),
    /// A number with its unit.
    Quantity(QuantityValue<'a>),
    /// A reference to another resource.
    Reference(ReferenceValue<'a>),
    /// A point on the Earth.
    Position(Position),
}
