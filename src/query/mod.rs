//! From a query string to matching ordinals: [`parse`] gives a [`criterion`] tree, [`evaluate`] its matches,
//! [`order`] the page asked for, [`cursor`] the way back to it;
//! [`explain`] shows what was done.

pub mod content;
pub mod criterion;
pub mod cursor;
pub mod error;
pub mod evaluate;
pub mod explain;
pub mod order;
pub mod parse;
